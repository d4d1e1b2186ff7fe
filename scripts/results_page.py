"""Put what the studies gave into docs/results.md: figure, table with the paper's numbers beside ours, hardware, time.

    hades study NAME --out docs/studies/NAME
    python scripts/results_page.py

What stands between ``<!-- NAME -->`` and ``<!-- end -->`` is replaced; the rest of the page is written by hand.
"""

import json
import re
from pathlib import Path
from typing import Any

from hades import studies, tasks

ROOT = Path(__file__).parent.parent
PAGE, RESULTS = ROOT / "docs" / "results.md", ROOT / "docs" / "studies"
PAPER = json.loads((ROOT / "reference" / "figures.json").read_text())
LONG = 20
"""Lines of a table above which it is folded."""


def block(name: str) -> str:
    file = RESULTS / name / "results.json"
    if not file.exists():
        return "Not run yet."
    about, known = json.loads(file.read_text()), studies.read(file)
    study = studies.make(name, **about["settings"])
    wanted = [studies.key(cell) for cell in study.cells()]
    if missing := set(wanted) - set(known):
        return f"Not finished: {len(missing)} of {len(wanted)} cells are missing."
    rows = [known[key] for key in wanted]
    table = study.table(rows)
    if name in KEYS:
        table = [[*line, published(KEYS[name](line)) if i else "paper"] for i, line in enumerate(table)]
    lines = studies.markdown(table)
    if len(table) > LONG:
        lines = f"<details><summary>{len(table) - 1} lines</summary>\n\n{lines}\n\n</details>"
    versions = ", ".join(f"{k} {v}" for k, v in about["versions"].items())
    minutes = sum(row["seconds"] for row in rows) / 60
    footer = f"{len(rows)} cells, {minutes:.0f} minutes on {_words(about['hardware'])}; {versions}."
    return f"![{name}](studies/{name}/figure.png)\n\n{lines}\n\n{footer}"


def comparison_key(line: list[str]) -> str:
    task, method = tasks.resolve(line[0]), line[1]
    if task.startswith("brax/"):
        return f"brax/{method}/{task.removeprefix('brax/')}/D64"
    return f"baselines/minatar-5k/{task}/half_width" if method == "ES" else f"minatar-5k/{method}/{task}/D16"


def budget_key(line: list[str]) -> str:
    return f"sweep_D/HaDES-R/{tasks.resolve(line[0]).removeprefix('brax/')}/D{line[1]}"


KEYS = {"comparison": comparison_key, "budget": budget_key}
"""From a table's line to the published run that it is compared with."""


def published(key: str) -> str:
    run = PAPER.get(key)
    if run is None:
        return "none"
    return f"{run['mean']:.1f} ± {run['std']:.1f} (width {run['width']}, {run['generations']} × {run['population']})"


def _words(hardware: dict[str, Any]) -> str:
    cores = f"{hardware['cores']} core{'s' if hardware['cores'] > 1 else ''} of an {hardware['cpu']}"
    return cores if hardware["device"] == "cpu" else f"{hardware['devices']} × {hardware['device']}"


if __name__ == "__main__":
    between = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)
    page = between.sub(lambda found: f"<!-- {found[1]} -->\n{block(found[1])}\n<!-- end -->", PAGE.read_text())
    PAGE.write_text(page)
