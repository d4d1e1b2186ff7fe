"""Every study, end to end with a tiny budget."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import hades
from hades import presets, studies, tables
from hades.baselines.settings import DISCRETE, TASKS
from hades.cli import main
from hades.learner import recipes
from hades.options import Rule, members, rules
from hades.studies import (
    STUDIES,
    architectures,
    comparison,
    continual,
    cost,
    generalisation,
    images,
    laptop,
    results,
    rows,
    zoo,
)  # fmt: skip
from hades.studies.rows import key

TINY: dict[str, dict[str, Any]] = {
    "comparison": {"tasks": ("cartpole",), "methods": ("HaDES-R", "ES", "PPO"), "steps": 30_000, "seeds": 1},
    "tuning": {"tasks": ("cartpole",), "steps": 10_000, "width": 8},
    "generalisation": {
        "datasets": ("cartpole-2",), "widths": (8,), "depths": (1,), "rates": (1.0,), "epochs": (0.5,), "inits": 2,
        "episodes": 1,
    },
    "budget": {"tasks": ("cartpole",), "sizes": (2,), "minutes": 0.001, "width": 8, "inits": 2, "episodes": 1},
    "multitask": {"datasets": ("cartpole-2", "acrobot"), "widths": (8,), "inits": 2, "episodes": 1},
    "cost": {"tasks": ("cartpole",), "width": 8, "after": 1, "generations": 1, "trainings": 1, "steps": 20_000},
    "architectures": {"trials": 1, "steps": 10_000, "seeds": 1, "inits": 2, "episodes": 1},
    "continual": {"datasets": ("cartpole-2", "acrobot"), "cycles": 1, "width": 8, "inits": 2, "episodes": 1},
    "results": {"names": ("cartpole",), "seeds": 1, "minutes": 0.001},
    "laptop": {"task": "cartpole", "inits": 2},
    "images": {
        "rows": ("digits-10", "digits:10:mean"), "networks": ("mlp",), "inits": 2, "one_by_one": True,
    },
    "zoo": {"names": ("cartpole-2",), "inits": 2, "episodes": 1},
}  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are a table's own, for CartPole in no time."""
    one = results.Experiment("cartpole", 2, inits=2, episodes=1, settings=({}, {"width": 8}))
    monkeypatch.setitem(results.EXPERIMENTS, "cartpole", one)
    options: dict[str, Any] = {"population": 4, "inits": 1, "episodes": 1, "validate_every": 1, "validate_inits": 2}
    rows = {"few": laptop.Change(minutes=0.001, seeds=(1, 2))}
    two = laptop.Ablation(2, options, {"width": 8, "epochs": 8}, rows, marks=(1, 1000))
    monkeypatch.setitem(laptop.ABLATIONS, "cartpole", two)
    monkeypatch.setattr(laptop, "WIDTHS", (8, 16))
    options = {"networks": [], "inits": 1, "episodes": 64, "generations": 2, "validate_inits": 2}
    digits = images.Distillation("digits", 10, options, {"width": 16, "depth": 1, "epochs": 10})
    monkeypatch.setitem(images.DISTILLED, "digits-10", digits)
    for names, few in (("ACTIVATIONS", ("relu",)), ("OPTIMISERS", ("sgd",)), ("INITIALISERS", ("he",))):
        monkeypatch.setattr(generalisation, names, few)


class Watched(dict[str, Any]):
    """A cell that knows which of its settings were asked for."""

    def __init__(self, cell: dict[str, Any], asked: set[str]) -> None:
        super().__init__(cell)
        self.asked = asked

    def __getitem__(self, name: str) -> Any:
        self.asked.add(name)
        return super().__getitem__(name)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Settings that running cells asked for."""
    names: set[str] = set()
    for kind in map(studies.kind_of, STUDIES):
        run = kind.run
        watched = lambda self, cell, folder, run=run: run(self, Watched(cell, names), folder)  # noqa: E731
        monkeypatch.setattr(kind, "run", watched)
    return names


QUICK = ("zoo",)
"""The others compile for minutes."""


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in STUDIES]
)
def test_a_study_runs_is_drawn_and_is_not_done_twice(name: str, tmp_path: Path, asked: set[str]) -> None:
    study = studies.make(name, **TINY[name])
    rows = studies.conduct(study, tmp_path, progress=False)
    named = {"part"} if name == "generalisation" else {"options", "learner"} if name == "images" else set()
    assert asked | named >= {setting for cell in study.cells() for setting in cell}  # none of them does nothing
    assert [row["cell"] for row in rows] == study.cells() and all(row["seconds"] >= 0 for row in rows)
    about = json.loads((tmp_path / "results.json").read_text())
    assert about["rows"] == json.loads(json.dumps(rows)) and rows[0]["made"]["versions"]["jax"]
    assert (tmp_path / "figure.png").stat().st_size > 5_000 and "<svg" in (tmp_path / "figure.svg").read_text()
    table = (tmp_path / "table.md").read_text().removesuffix(f"\n\n{tables.NOTE}\n").splitlines()
    assert len(table) > 2 and len({line.count("|") for line in table}) == 1
    assert studies.conduct(study, tmp_path, progress=False) == about["rows"]  # as they were, seconds included


def test_at_the_papers_scale_every_study_knows_its_cells() -> None:
    for name in STUDIES:
        laptop, paper = (studies.make(name, preset).cells() for preset in ("laptop", "paper"))
        assert paper and laptop and json.loads(json.dumps(paper)) != json.loads(json.dumps(laptop))


DISTIL = {"comparison", "budget", "cost", "results", "laptop", "images", "tuning"}


@pytest.mark.parametrize("name", STUDIES)
def test_rows_are_of_the_preset_as_it_was(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An edited preset or recipe makes new rows, where it is any of theirs."""
    study = studies.make(name, **TINY[name])

    def keys() -> list[str]:
        return [rows.key(study.making(cell)) for cell in study.cells()]

    before, wants = keys(), [bool(study.wants(cell)) for cell in study.cells()]
    assert before == keys() and any(wants) == (name in DISTIL)
    config = presets.PRESETS["laptop"]["CartPole-v1"].override({"population": 5, "learner": {"bias": 0.5}})
    for preset in ("laptop", "evolution"):
        monkeypatch.setitem(presets.PRESETS, preset, dict.fromkeys(presets.PRESETS[preset], config))
    assert [key != old for key, old in zip(keys(), before, strict=True)] == wants


def test_rows_of_images_are_of_the_recipes_that_networks_names_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    study = studies.make("images", **TINY["images"])
    before = [rows.key(study.making(cell)) for cell in study.cells()]
    changed = recipes.ARCHITECTURES["mlp"].patched({"epochs": 7})
    monkeypatch.setitem(recipes.ARCHITECTURES, "mlp", changed)
    assert {rows.key(study.making(cell)) for cell in study.cells()}.isdisjoint(before)


def score(mean: float) -> dict[str, float]:
    return {"mean": mean, "std_of_inits": 1.0, "inits": 16}


def test_shares_are_of_the_gain_over_random_actions() -> None:
    def row(part: str, mean: float) -> studies.Row:
        return {"cell": {"part": part}, "return": score(mean), "random": -100.0}

    assert generalisation.relative([row("own", 100.0), row("x", 0.0), row("x", -100.0)]) == [1.0, 0.5, 0.0]


def test_settings_that_are_the_datasets_own_do_not_count_as_kept() -> None:
    def row(setting: dict[str, Any], mean: float) -> studies.Row:
        cell = {"dataset": "cartpole-2", "part": "x" if setting else "own", "setting": setting}
        return {"cell": cell, "return": score(mean), "random": 0.0}

    rows = [row({}, 500.0), row({"activation": "tanh"}, 500.0), row({"width": 8}, 449.0), row({"width": 9}, 451.0)]
    assert generalisation.share_kept(rows) == {"share": 0.5, "settings": 2, "within": 0.9}
    diverged = row({"learning_rate": 100.0}, float("nan"))
    assert generalisation.share_kept([*rows, diverged, diverged]) == {"share": 0.25, "settings": 4, "within": 0.9}


@pytest.mark.parametrize("mean", [10.0, 20.4])
def test_a_dataset_that_gains_no_more_than_chance_has_no_share_to_keep(mean: float) -> None:
    cells = [("own", {}), ("shape", {"width": 8, "depth": 1}), ("norm", {"norm": "layer"})]
    cells += [("optimiser", {"optimiser": "sgd", "learning_rate": 0.1})]
    rows = [{"cell": {"dataset": "cartpole-2", "part": part, "setting": setting}, "random": 20.0,
             "return": score(mean)} for part, setting in cells]  # fmt: skip
    assert generalisation.share_kept(rows) is None
    study = studies.make("generalisation", datasets=("cartpole-2",))
    assert study.table(rows)[1:3] == [
        ["cartpole-2", "**its own recipe gains no more over random actions than chance may**", "", ""],
        ["cartpole-2", "its own", f"{mean} ± 1.0", "none"],
    ]
    study.figure(rows)


def test_forgetting_transfer_and_plasticity() -> None:
    row = {"returns": [[1, 0.2], [0.4, 1], [0.9, 0.3], [0.2, 0.8]], "single": [1, 1], "random": [0, 0]}
    got = continual.measures(row)
    assert got["end"] == pytest.approx(0.5) and got["forgetting"] == pytest.approx(0.8)
    assert got["forward transfer"] == pytest.approx(0.2) and got["plasticity"] == pytest.approx(0.85)


def test_a_task_that_gains_nothing_has_no_share_and_a_return_that_is_no_number_no_error() -> None:
    row = {"returns": [[1, None], [3, 1]], "single": [2, -1], "random": [0, 0]}
    np.testing.assert_array_equal(continual.relative(row), [[0.5, np.nan], [1.5, np.nan]])


def test_of_ppo_iterations_are_counted_and_not_scorings() -> None:
    settings, metrics = {"num_envs": 4, "num_steps": 8}, [{"env_steps_total": 64}, {"env_steps_total": 320}]
    iterations = [
        comparison.iterations({"method": name, "settings": settings}, metrics) for name in ("PPO", "ES")
    ]  # fmt: skip
    assert iterations == [10, 2]


@pytest.mark.parametrize("scale", ["laptop", "evolution"])
def test_what_a_generation_costs_is_asked_of_any_strategy(scale: str) -> None:
    study = studies.make("cost", scale=scale, tasks=("breakout",))
    (wanted,) = study.wants(study.cells()[0])
    assert (wanted.config().strategy, wanted.config().curriculum) == ({"laptop": "ppo"}.get(scale, "SNES"), None)


@pytest.mark.parametrize(("name", "sizes"), [("budget", 9), ("budget", 1)])
def test_a_figure_has_as_many_lines_as_asked_for_also_without_points(name: str, sizes: int) -> None:
    study = studies.make(name, tasks=("cartpole",), sizes=tuple(range(1, sizes + 1)))
    score = {"mean": 1.0, "std_of_inits": 0.0}
    made = [{"cell": cell, "return": score, "curve": []} for cell in study.cells()]
    assert len(study.figure(made).axes[1].lines) == len(made)


def test_ppo_with_other_settings_is_another_row_and_minutes_take_the_place_of_steps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keys(**options: Any) -> dict[str, str]:
        study = studies.make("comparison", tasks=("cartpole",), seeds=1, **options)
        return {cell["method"]: key(study.making(cell)) for cell in study.cells()}

    before = keys()
    monkeypatch.setitem(TASKS, "CartPole-v1", DISCRETE | {"learning_rate": 0.5})
    after = keys()
    assert [method for method in before if before[method] != after[method]] == ["PPO"]
    assert not set(after.values()) & set(keys(minutes=1.0).values())


def test_td3_is_compared_where_actions_are_continuous() -> None:
    study = studies.make("comparison", tasks=("cartpole", "halfcheetah"), methods=("td3", "evolution"), seeds=1)
    assert [(cell["task"], cell["method"]) for cell in study.cells()] == [
        ("halfcheetah", "td3"),
        ("halfcheetah", "evolution"),
    ]
    own, evolved = (study.wants(cell)[0].config() for cell in study.cells())
    assert (own.strategy, evolved.strategy) == ("td3", "SNES")
    assert own.learner.width == evolved.learner.width == 64


def test_rankings_that_agree_correlate() -> None:
    rows = [{"return": {"mean": i}, "ppo_returns": [i**2, i**2 + 1]} for i in range(10)]
    rho, low, high = architectures.correlation(rows)
    assert rho == pytest.approx(1) and low > 0.9 and high == pytest.approx(1)
    same = [{"return": {"mean": 1.0}, "ppo_returns": [i]} for i in range(5)]
    assert np.isnan(architectures.correlation(same)[0])


def test_distilling_pays_off_after_the_searches_price() -> None:
    seconds = {"HaDES-R": 2.0, "HaDES-F": 1.0, "ES": 1.0}
    row = {"cell": {"task": "x", "steps": 2_000_000}, "seconds a generation": seconds, "training": 10.0,
           "generations of the preset": 100, "ppo_seconds_a_million_steps": 4.0}  # fmt: skip
    assert cost.costs(row) == (200.0, 10.0, 100.0, 8.0)
    assert studies.make("cost").table([row])[1][-3:-1] == ["3 policies", "never"]  # 200 + 3 * 10 < 3 * 100


def test_laptops_table_times_marks() -> None:
    def row(seed: int, curve: list[tuple[float, int, float]]) -> studies.Row:
        scores, cell = {"8": {"mean": 10.0 + seed}, "16": {"mean": 200.0}}, {"row": "few", "seed": seed}
        return {"cell": cell, "minutes": 2.0, "env_steps": 4e6, "scores": scores, "curve": curve}

    rows = [row(0, [(30.0, 10**6, 0.5), (60.0, 2 * 10**6, 7.0)]), row(1, [(9.0, 1, 0.0)])]
    table = studies.make("laptop", task="cartpole").table(rows)
    assert table[0][-1] == "minutes (M steps) to 1, 1000"
    assert table[1] == ["few", "2", "2.0 ± 0.0", "4.0 ± 0.0", "10.5 ± 0.7", "200 ± 0†", "1.0 (2) in 1 of 2; never"]


def test_published_datasets_are_scored_as_published(tmp_path: Path, cartpole_pairs: hades.Dataset) -> None:
    file = str(tmp_path / "cartpole-2.safetensors")
    cartpole_pairs.save(file)
    study = studies.make("results", names=(), reference=(file,), inits=2)
    table = study.table(studies.conduct(study, tmp_path, progress=False))
    assert table[1][:3] == ["cartpole-2, published", "2", "2 fresh, as published"] and table[1][4:] == ["", ""]


def test_the_zoos_files_are_written_where_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = hades.load("cartpole-2")
    before.save(tmp_path / "zoo" / "cartpole-2.safetensors")
    monkeypatch.setattr(hades.finding, "ZOO", tmp_path / "zoo")
    monkeypatch.setattr(zoo, "_shares", lambda files: {"cartpole-2": {"share": 0.5, "settings": 2, "within": 0.9}})
    monkeypatch.chdir(tmp_path)
    study = studies.make("zoo", write=True, **TINY["zoo"])
    rows = studies.conduct(study, tmp_path, progress=False)
    after = hades.load("cartpole-2")
    card = after.info["card"]
    assert set(card["scores"]) == {"its own recipe", "width 512"} and card["generalisation"]["share"] == 0.5
    assert card["scores"]["its own recipe"]["mean"] == rows[0]["score"]["mean"] and card["metric"] == "return"
    assert (after.states == before.states).all() and studies.conduct(study, tmp_path, progress=False) == rows


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("comparisn", {}, "unknown study 'comparisn'; choose one of comparison"),
        ("multitask", {"datasets": ("hopper-4",)}, "two datasets or more, not hopper-4 alone"),
        ("continual", {"datasets": ("hopper-4",)}, "two datasets or more, not hopper-4 alone"),
        ("cost", {"preset": "desk"}, "choose one of laptop, paper"),
        ("cost", {"sizes": (1,)}, r"unknown option 'sizes'; did you mean steps\? the study cost has tasks"),
        ("budget", {"seeds": 0}, "seeds must be at least 1"),
        ("results", {"names": ("reachr",)}, "unknown names 'reachr'; did you mean reacher"),
        ("zoo", {"names": ("halfcheetah-17",)}, "unknown names 'halfcheetah-17'; did you mean halfcheetah-16"),
    ],
)
def test_bad_settings(name: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(hades.InputError, match=says):
        studies.make(name, **options)


def test_datasets_that_cannot_be_merged_are_refused_before_they_are_played(tmp_path: Path) -> None:
    study = studies.make("multitask", datasets=("cartpole-2", "hopper-4"))
    with pytest.raises(hades.InputError, match="discrete and continuous actions cannot be merged"):
        study.run(study.cells()[0], tmp_path)


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = ["study", "budget", "--tasks", "cartpole", "--sizes", "2", "--minutes", "0.001", "--inits", "2"]
    args += ["--episodes", "1", "--width", "8"]
    assert main([*args, "--out", str(tmp_path), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "cartpole" in out and (tmp_path / "figure.png").exists()


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["budget", "--trials", "3"], "hades study budget has no option --trials"),
        (["generalisation", "--seeds", "2"], "hades study generalisation has no option --seeds"),
        (["budget", "--seeds", "0"], "seeds must be at least 1, not 0"),
        (["budget", "--no-tasks"], "nothing to do"),
        (["comparison", "--tasks", "cartpole", "--methods", "td3", "--steps", "1000"], "nothing to do"),
        (["results", "--names", "acrobot", "acrobot"], "names has acrobot twice; give it once"),
        (["laptop", "--rows", "99"], "hopper has the rows 0 to 11, not 99"),
        (["images", "--rows", "digit"], "unknown row 'digit'; choose one of digits-10"),
        (["results", "--names", "doom"], "unknown names 'doom'"),
        (["zoo", "--generalisation", "nowhere.json", "--names", "cartpole-2"], "no file at nowhere.json"),
    ],
)
def test_what_a_study_cannot_do_is_one_line(
    args: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", *args, "--out", str(tmp_path), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("hades: ") and says in error and error.count("\n") == 1


@pytest.mark.parametrize("name", STUDIES)
def test_help_has_the_options_of_a_study_and_no_others(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["study", name, "--help"])
    shown = set(re.findall(r"^[│ ]+--(?!no-)([a-z][a-z-]*)", capsys.readouterr().out, re.MULTILINE))
    own = {field.name.replace("_", "-") for field in dataclasses.fields(studies.kind_of(name))}
    assert shown == own | {"preset", "out", "quiet", "force", "json", "debug"}


def other(value: Any, rule: Rule, kind: Any) -> Any:
    """Not this value of an option, but another that it may have."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return next(one for one in rule.one_of or ["cartpole"] if one != value)  # type: ignore[arg-type]
    if isinstance(value, tuple):
        return value[1:] or (("cartpole-2", "acrobot") if kind == tuple[str, ...] else (1,))
    return 7 if int in members(kind) else 7.5


@pytest.mark.parametrize("name", STUDIES)
def test_every_option_makes_another_study(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it is one of what is made of the rows, which are few and have tests of their own."""
    monkeypatch.setitem(TASKS, "CartPole-v1", DISCRETE | {"learning_rate": 1e-3, "num_steps": 64})
    kind = studies.kind_of(name)
    assert [known.name for known, _ in rules(kind)] == [field.name for field in dataclasses.fields(kind)]
    for known, rule in rules(kind):
        if known.name not in kind.finishing:
            changed = {known.name: other(getattr(kind(), known.name), rule, known.type)}
            assert studies.make(name, **changed).cells() != kind().cells(), known.name
    assert {kind.finishing for kind in map(studies.kind_of, STUDIES)} == {(), ("generalisation", "write")}


@pytest.mark.parametrize(
    ("name", "options", "inert"),
    [
        ("comparison", {"methods": ("PPO",), "std": 0.1}, "std"),
        ("laptop", {"steps": 1000, "minutes": 3.0}, "minutes"),
        ("results", {"names": (), "reference": ("x",), "seeds": 2}, "seeds"),
        ("images", {"rows": ("digits:10:mean",), "minutes": 1.0}, "minutes"),
        ("generalisation", {"datasets": ("cartpole-2",), "batches": (64,)}, "batches"),
        ("zoo", {"generalisation": (__file__,)}, "generalisation"),
    ],
)
def test_an_option_that_does_nothing_beside_the_others_is_refused(
    name: str, options: dict[str, Any], inert: str
) -> None:
    with pytest.raises(hades.InputError, match=rf"{inert} (does nothing|is for the cards)"):
        studies.make(name, **options)
    assert studies.make(name, **{k: v for k, v in options.items() if k != inert}).cells() is not None
