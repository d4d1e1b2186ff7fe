"""Put what was measured into README and docs: the studies' figures and tables, the paper's numbers beside ours, the
benchmarks' tables; with hardware and time.

    hades study NAME --out docs/studies/NAME
    python scripts/pages.py

What stands between ``<!-- NAME -->`` and ``<!-- end -->`` is replaced; the rest of a page is written by hand, and its
figures are held against the same files by `scripts/claims.py`.
"""

import re
from collections.abc import Callable
from typing import Any

from measured import PAPER, ROOT, Row, all_rows, benchmark, found, results

import hades
from hades import tables, tasks
from hades.metrics import RETURN

PAGES = [
    ROOT / "README.md",
    *(ROOT / "docs" / f"{name}.md" for name in ("results", "laptop", "images", "scaling", "environments")),
]
LONG = 20
"""Lines of a table above which it is folded."""
ONE_CORE = ", one core"
BETWEEN = re.compile(r"<!-- (\w+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(page: str) -> str:
    """A page's text with everything that is generated in its place."""
    return BETWEEN.sub(lambda found: f"<!-- {found[1]} -->\n{block(found[1])}\n<!-- end -->", page)


def block(name: str) -> str:
    """What stands under a name."""
    return tables.markdown(TABLES[name]()) if name in TABLES else study(name)


def study(name: str) -> str:
    """What a study gave, in the settings of its last row; ``STUDY_ABOUT`` is one of several of a study."""
    if not results(name).exists():
        return "Not run yet."
    kind, (study, rows) = name.split("_")[0], found(name)
    if missing := len(study.cells()) - len(rows):
        return f"Not finished: {missing} of {missing + len(rows)} cells are missing."
    table = study.table(rows)
    if kind in KEYS:
        table = [[*line, published(KEYS[kind](line)) if i else "paper"] for i, line in enumerate(table)]
    lines = tables.markdown(table)
    if len(table) > LONG:
        lines = f"<details><summary>{len(table) - 1} lines</summary>\n\n{lines}\n\n</details>"
    return f"![{name}](studies/{name}/figure.png)\n\n{lines}\n\n{footer(rows)}"


def footer(rows: list[Row]) -> str:
    """How many cells, how long, on what and with what, as far as the rows say."""
    seconds = [row["seconds"] for row in rows]
    time = [] if None in seconds else [f"{sum(seconds) / 60:.0f} minutes"]
    made = [row["made"] for row in rows]
    where = " and ".join(dict.fromkeys(_words(one["hardware"]) for one in made if "cpu" in one["hardware"]))
    with_what = dict.fromkeys(f"{k} {v}" for one in made for k, v in one["versions"].items())
    return f"{', '.join([f'{len(rows)} cells', *time])}{f' on {where}' if where else ''}; {', '.join(with_what)}."


def comparison_key(line: list[str]) -> str:
    """The published run of a line of the comparison."""
    task, method = tasks.resolve(line[0]), line[1].replace("evolution", "HaDES-R")
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


def reached() -> list[list[str]]:
    """What the presets reach: the study `results`; of Hopper, the study `laptop` by its preset's settings."""
    header, *lines = _lines("results")
    laptop, rows = found("laptop")
    last = laptop.table(rows)[-1]
    inits, size = rows[-1]["cell"]["inits"], rows[-1]["cell"]["size"]
    seeds, minutes = last[1], last[2].split()[0]
    hopper = [
        ["hopper", str(size), f"{inits} fresh, width {width}", score, seeds, minutes]
        for width, score in zip((64, 512), last[4:6], strict=True)
    ]
    all_lines = [*lines, *hopper, *_lines("results_brax")[1:], *_lines("results_games")[1:]]
    return [[*header, "paper (pairs)"], *([*line, in_paper(*line[:2])] for line in all_lines)]


def in_paper(name: str, pairs: str) -> str:
    """The published runs of a line of what is reached, for fresh networks: with as many pairs, and the paper's own."""
    main = comparison_key([name.removesuffix(ONE_CORE), "HaDES-R"])
    body = main.removeprefix("brax/").rsplit("/D")[0]
    alike = (f"{sweep}/{body}/D{pairs}" for sweep in ("sweep_D", "brax-const-norm"))
    keys = [*[key for key in alike if key in PAPER and not main.endswith(f"/D{pairs}")][:1], main]
    runs = [(PAPER[key], key.rsplit("/D")[1]) for key in keys if key in PAPER]
    return ", ".join(f"{RETURN.words(run['mean'], run['std'])} ({number})" for run, number in runs)


def highlights() -> list[list[str]]:
    """Of what is reached the first line of each task, and two of Gymnasium's."""
    header, *lines = reached()
    lines += [[*line, ""] for line in _lines("results_suites") if line[0].startswith(("LunarLander", "Hopper"))]
    first: dict[str, list[str]] = {}
    for name, *rest in lines:
        first.setdefault(name.removesuffix(ONE_CORE), rest)
    return [header, *([name, *rest] for name, rest in first.items())]


def _lines(name: str) -> list[list[str]]:
    """Of one of the tables of the study `results`, with the cores that each had."""
    made, rows = found(name)
    cores = {row["cell"].get("name"): row["made"]["hardware"]["cores"] for row in rows}
    header, *lines = made.table(rows)
    return [header, *([f"{line[0]}{ONE_CORE if cores[line[0]] == 1 else ''}", *line[1:]] for line in lines)]


def reference() -> list[list[str]]:
    """The published datasets, scored."""
    known = [row for row in all_rows("results") if "dataset" in row["cell"]]
    scores = {row["cell"]["dataset"]: row["scores"][0]["return"] for row in known}
    score = next(iter(scores.values()))
    how = f"here, {score['inits']} fresh networks × {score['episodes']} episodes"
    table = [["dataset", "published (population mean)", how]]
    for file, score in scores.items():
        before = hades.load(ROOT / file).info["published"]
        table.append([f"`{file}`", f"{before:.1f}", RETURN.words(score["mean"], score["std_of_inits"])])
    return table


def growth() -> list[list[str]]:
    """Generations of Hopper, and what the model of their cost makes of them."""
    measured = benchmark("generation-cpu-2-cores")
    cases = measured["growth"] | {f"paper: {name}": case for name, case in measured["paper"].items()}
    table = [["case", "seconds a generation", "sum of roofs / time", "model", "error"]]
    for name, cost in benchmark("cost-cpu-2-cores")["cases"].items():
        roofs = f"{cases[name]['roofs_over_time']:.2f}"
        table.append([name, f"{cost['measured']:.3f}", roofs, f"{cost['model']:.3f}", f"{100 * cost['error']:+.0f} %"])
    return table


def roofs() -> list[list[str]]:
    """Generations of several tasks against what the hardware allows."""
    measured = benchmark("generation-cpu-2-cores")
    table = [["case", "seconds a generation", "sum of roofs / time", "early stop, seconds", "published, seconds"]]
    for suite in ("laptop", "paper", "published"):
        for name, case in measured[suite].items():
            early, before = case["early_stop"]["generation"], case["case"].get("published_seconds")
            others = ["" if value is None else f"{value:{form}}" for value, form in ((early, ".2f"), (before, ".1f"))]
            times = f"{case['seconds']['generation']:.2f}", f"{case['roofs_over_time']:.2f}"
            table.append([f"{suite}: {name}", *times, *others])
    return table


def through() -> list[list[str]]:
    """The derivative of a loss through the inner loop."""
    table = [["optimiser", "width", "steps", "milliseconds a network", "of the products' rate", "megabytes"]]
    for case in benchmark("through-cpu-2-cores")["cases"]:
        of_rate = case["share of the products' rate"]
        share = f"{100 * of_rate:.0f} %"
        numbers = f"{case['milliseconds a network']:.1f}", share, f"{case['megabytes']:.0f}"
        table.append([case["optimiser"], str(case["width"]), str(case["epochs"]), *numbers])
    return table


def host() -> list[list[str]]:
    """Environments outside JAX, in steps a second."""
    table = [
        ["environment", "engine alone", "with a policy", "of the engine's rate", "in a generation", "a plain loop"]
    ]
    for row in benchmark("host-cpu-2-cores")["rows"]:
        rates = (f"{row[name]:,}" for name in ("engine", "with a policy", "in a generation", "plain loop, one copy"))
        engine, policy, generation, plain = (rate if rate != "0" else "" for rate in rates)
        table.append([row["task"], engine, policy, f"{100 * row['share']:.0f} %", generation, plain])
    return table


TABLES: dict[str, Callable[[], list[list[str]]]] = {
    "highlights": highlights, "reached": reached, "reference": reference, "growth": growth, "roofs": roofs,
    "through": through, "host": host,
}  # fmt: skip
"""By name: those that are no study's."""


def _words(hardware: dict[str, Any]) -> str:
    cores = f"{hardware['cores']} core{'s' if hardware['cores'] > 1 else ''} of an {hardware['cpu']}"
    return cores if hardware.get("device", "cpu") == "cpu" else f"{hardware['devices']} × {hardware['device']}"


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(filled(page.read_text()))
