"""Open pages in a headless Chromium as people do: a desk and a phone, light and dark.

    python scripts/look.py runs/cartpole-seed0/report.html --axe node_modules/axe-core/axe.min.js --out pictures

Needs `pip install playwright` and a Chromium (``--chromium``). Prints JSON: of each page the console's errors, what it
asks from outside, how long it takes to open, what is wider than the screen, and axe-core's serious faults, if its file
is given (`npm install axe-core`). The exit code is 1 where there is any of them. With ``--out`` also screenshots.
"""

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, sync_playwright  # pyright: ignore[reportMissingImports]

SCREENS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
Save = Callable[[str, Callable[[], bytes]], None]
"""Saves a picture, taken when it is wanted, under a name."""
SERIOUS = ("serious", "critical")
COLOURS = 96
"""Of a screenshot."""
OPENS_WITHIN = 1.0
"""Seconds."""


def look(browser: Browser, page: Path, screen: str, scheme: str, axe: Path | None, save: Save) -> dict[str, Any]:
    """What is wrong with a page on a screen."""
    context = browser.new_context(viewport=SCREENS[screen], color_scheme=scheme)
    tab, errors, outside = context.new_page(), [], []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("request", lambda r: outside.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None)
    started = time.perf_counter()
    tab.goto(page.resolve().as_uri())
    seconds = time.perf_counter() - started
    wider = tab.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
    faults: list[str] = []
    if axe:
        tab.add_script_tag(content=axe.read_text())
        # It would ask for style sheets once more, which a page that is a file may not.
        found = tab.evaluate("axe.run({preload: false})")["violations"]
        faults = [f"{one['id']}: {one['nodes'][0]['html'][:120]}" for one in found if one["impact"] in SERIOUS]
    save(f"{page.parent.name}-{page.stem}-{screen}-{scheme}.png", lambda: tab.screenshot(full_page=True))
    context.close()
    return {
        "page": page.name, "screen": screen, "scheme": scheme, "seconds": round(seconds, 2), "errors": errors,
        "outside": outside, "wider": wider, "faults": faults,
        "megabytes": round(page.stat().st_size / 1e6, 2),
    }  # fmt: skip


def saved(out: Path | None, tall: int | None, name: str, taken: Callable[[], bytes]) -> None:
    """Save a picture small, in few colours; of one that is taller than `tall`, its upper part."""
    if out is None:
        return
    out.mkdir(parents=True, exist_ok=True)
    picture = Image.open(io.BytesIO(taken())).convert("RGB")
    upper = picture.crop((0, 0, picture.width, min(picture.height, tall or picture.height)))
    upper.quantize(COLOURS).save(out / name, optimize=True)


def main() -> int:
    """Look at every page on every screen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--axe", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--tall", type=int, help="pixels of a screenshot's height, at most; left out: the whole page")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked.chromium, args=["--no-sandbox"])
        seen = [
            look(browser, page, screen, scheme, asked.axe, partial(saved, asked.out, asked.tall))
            for page in asked.pages
            for screen in SCREENS
            for scheme in ("light", "dark")
        ]
    print(json.dumps(seen, indent=1))
    bad = [one for one in seen if one["errors"] or one["outside"] or one["wider"] or one["faults"]]
    late = [one for one in seen if one["seconds"] > OPENS_WITHIN]
    return int(bool(bad or late))


if __name__ == "__main__":
    sys.exit(main())
