"""Put what the studies gave into the pages of docs: figure, table, the paper's numbers beside ours, hardware, time.

    hades study NAME --out docs/studies/NAME
    python scripts/pages.py

What stands between ``<!-- NAME -->`` and ``<!-- end -->`` is replaced; the rest of a page is written by hand.
"""

import json
import re
from pathlib import Path
from typing import Any

from hades import studies, tables, tasks

ROOT = Path(__file__).parent.parent
PAGES, RESULTS = [ROOT / "docs" / f"{name}.md" for name in ("results", "laptop", "images")], ROOT / "docs" / "studies"
PAPER = json.loads((ROOT / "reference" / "figures.json").read_text())
LONG = 20
"""Lines of a table above which it is folded."""


def block(name: str) -> str:
    """What a study gave, in the settings of its last row."""
    file = RESULTS / name / "results.json"
    if not file.exists():
        return "Not run yet."
    study, rows = studies.latest(file, name)
    if missing := len(study.cells()) - len(rows):
        return f"Not finished: {missing} of {missing + len(rows)} cells are missing."
    table = study.table(rows)
    if name in KEYS:
        table = [[*line, published(KEYS[name](line)) if i else "paper"] for i, line in enumerate(table)]
    lines = tables.markdown(table)
    if len(table) > LONG:
        lines = f"<details><summary>{len(table) - 1} lines</summary>\n\n{lines}\n\n</details>"
    return f"![{name}](studies/{name}/figure.png)\n\n{lines}\n\n{footer(rows)}"


def footer(rows: list[studies.Row]) -> str:
    """How many cells, how long, on what and with what, as far as the rows say."""
    seconds = [row["seconds"] for row in rows]
    time = [] if None in seconds else [f"{sum(seconds) / 60:.0f} minutes"]
    made = [row["made"] for row in rows]
    where = " and ".join(dict.fromkeys(_words(one["hardware"]) for one in made if "cpu" in one["hardware"]))
    with_what = dict.fromkeys(f"{k} {v}" for one in made for k, v in one["versions"].items())
    return f"{', '.join([f'{len(rows)} cells', *time])}{f' on {where}' if where else ''}; {', '.join(with_what)}."


def comparison_key(line: list[str]) -> str:
    """The published run of a line of the comparison."""
    task, method = tasks.resolve(line[0]), line[1]
    if task.startswith("brax/"):
        return f"brax/{method}/{task.removeprefix('brax/')}/D64"
    return f"baselines/minatar-5k/{task}/half_width" if method == "ES" else f"minatar-5k/{method}/{task}/D16"


def budget_key(line: list[str]) -> str:
    """The published run of a line of the study of N."""
    return f"sweep_D/HaDES-R/{tasks.resolve(line[0]).removeprefix('brax/')}/D{line[1]}"


KEYS = {"comparison": comparison_key, "budget": budget_key}
"""From a table's line to the published run that it is compared with."""


def published(key: str) -> str:
    """A published run in words."""
    run = PAPER.get(key)
    if run is None:
        return "none"
    return f"{run['mean']:.1f} ± {run['std']:.1f} (width {run['width']}, {run['generations']} × {run['population']})"


def _words(hardware: dict[str, Any]) -> str:
    cores = f"{hardware['cores']} core{'s' if hardware['cores'] > 1 else ''} of an {hardware['cpu']}"
    return cores if hardware.get("device", "cpu") == "cpu" else f"{hardware['devices']} × {hardware['device']}"


if __name__ == "__main__":
    between = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)
    for page in PAGES:
        filled = between.sub(lambda found: f"<!-- {found[1]} -->\n{block(found[1])}\n<!-- end -->", page.read_text())
        page.write_text(filled)
