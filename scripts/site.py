"""The site: the repository's pages as they are, with what they link to, in one folder that works from a file.

    pip install '.[docs]'
    python scripts/site.py          # build/site/index.html

Pages lie where they lie in the repository (README.md is the index), so that a link which works here works there.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES, SITE = ROOT / "build" / "pages", ROOT / "build" / "site"
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s]+)|(<img src=\")([^\"]+)")
START = "README.md"
ASSETS = "docs/assets"
SHIM = "https://unpkg.com/iframe-worker/shim"
"""What the theme would have from elsewhere so that a search works from a file; ours is among the assets."""
FOLDER = "contents.md"
"""Of a folder that a page links to: a page with its files."""


def laid_out(names: list[str]) -> set[str]:
    """Copy pages, and all that they link to, link by link; what was copied, by path from the root."""
    done: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name in done:
            continue
        done.add(name)
        source, target = ROOT / name, PAGES / ("index.md" if name == START else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            files = sorted(path for path in source.iterdir() if path.is_file())
            (target / FOLDER).parent.mkdir(parents=True, exist_ok=True)
            listed = "".join(f"- [{path.name}]({path.name})\n" for path in files)
            (target / FOLDER).write_text(f"# {name}\n\n{listed}")
            waiting += [path.relative_to(ROOT).as_posix() for path in files]
        elif source.suffix == ".md":
            text = source.read_text()
            waiting += list(_linked(source, text))
            target.write_text(_for_the_site(source, text))
        else:
            shutil.copyfile(source, target)
    return done


def _linked(page: Path, text: str) -> Iterator[str]:
    for match in LINK.finditer(text):
        link = match[2] or match[4]
        if "://" not in link:
            path = (page.parent / link).resolve()
            if not path.exists():
                raise SystemExit(f"{page.relative_to(ROOT)} links to {link}, which is not there")
            yield path.relative_to(ROOT).as_posix()


def _for_the_site(page: Path, text: str) -> str:
    """Links to README and to folders, which have other names there; code that is indented in fences."""

    def renamed(match: re.Match[str]) -> str:
        before, link = match[1] or match[3], match[2] or match[4]
        path = (page.parent / link).resolve()
        if "://" in link:
            return match[0]
        if path == ROOT / START:
            link = link.replace(START, "index.md")
        return f"{before}{link.rstrip('/')}/{FOLDER}" if path.is_dir() else f"{before}{link}"

    return LINK.sub(renamed, text)


def main() -> int:
    """Lay out and build; the exit code is the builder's."""
    for folder in (PAGES, SITE):
        shutil.rmtree(folder, ignore_errors=True)
    settings = (ROOT / "zensical.toml").read_text()
    names = re.findall(r"\"([\w/.-]+\.md)\" \}", settings)
    laid_out([ASSETS, *(START if name == "index.md" else name for name in names)])
    code = subprocess.run(["zensical", "build", "--clean", "--strict"], cwd=ROOT).returncode
    for page in SITE.rglob("*.html"):
        up = "../" * (len(page.relative_to(SITE).parts) - 1)
        page.write_text(page.read_text().replace(SHIM, f"{up}{ASSETS}/iframe-worker.js"))
    (SITE / "404.html").unlink(missing_ok=True)  # whose links are those of a server's root
    return code


if __name__ == "__main__":
    sys.exit(main())
