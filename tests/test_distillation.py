import json
import signal
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades import presets, tasks
from hades.distillation import Distillation, State, balanced_labels
from hades.learner import Learner
from hades.presets import PRESETS, Config
from hades.tasks.control import ControlTask

TINY = {
    "population": 8,
    "inits": 1,
    "validate_inits": 2,
    "validate_every": 3,
    "generations": 7,
    "learner": Learner(width=8, epochs=20),
    "progress": False,
}
TINY_CONFIG = {name: value for name, value in TINY.items() if name != "progress"}


def test_distillation_makes_a_dataset_that_works(target: ControlTask) -> None:
    options = TINY | {"generations": 40, "population": 32, "learner": Learner(width=16, epochs=60)}
    result = hades.distill(target, size=2, **options)
    assert result.evaluation is not None
    first, score = result.metrics[0]["mean"], result.evaluation.mean
    assert score > first + 1 and score > -2.5  # an idle policy scores about -5
    assert hades.evaluate(result.dataset, target, inits=8, episodes=4).mean == pytest.approx(score, abs=1.0)


def test_cartpole_end_to_end() -> None:
    result = hades.distill("cartpole", generations=30, progress=False, seed=1)
    assert len(result.dataset) == 2
    assert hades.evaluate(result.dataset, inits=8, episodes=4).mean > 450
    assert result.dataset.info["score"]["mean"] > 450


@pytest.mark.parametrize(
    "options",
    [{}, {"init": "fixed", "normaliser": "fixed"}, {"strategy": "CMA-ES", "normaliser": "none"},
     {"strategy": "OpenES", "strategy_lr": 0.02, "greedy": True}],
)  # fmt: skip
def test_the_same_seed_gives_the_same_dataset(target: ControlTask, tmp_path: Path, options: dict) -> None:
    one, two = (
        hades.distill(target, size=2, **{**TINY, **options}).dataset.save(tmp_path / name).read_bytes()
        for name in "ab"
    )
    assert one == two
    other = hades.distill(target, size=2, seed=1, **{**TINY, "generations": 1, **options}).dataset
    assert (other.states != hades.load(tmp_path / "a").states).any()


def test_soft_labels_evolve_and_stay_probabilities() -> None:
    result = hades.distill("cartpole", size=3, labels="soft", **TINY)
    labels = result.dataset.targets
    np.testing.assert_allclose(labels.sum(1), 1, atol=1e-5)
    assert (labels > 0).all() and (labels < 1).all()


@pytest.mark.parametrize(("size", "classes"), [(16, 3), (15, 3), (2, 3), (7, 2), (1, 4)])
def test_labels_are_balanced_for_any_size(size: int, classes: int) -> None:
    labels = np.asarray(balanced_labels(size, classes))
    counts = labels.sum(0)
    assert labels.shape == (size, classes) and counts.sum() == size and np.ptp(counts) <= 1
    assert (np.diff(labels.argmax(1)) >= 0).all()  # in blocks


def test_hades_f_keeps_its_network_and_says_which(target: ControlTask) -> None:
    result = hades.distill(target, size=2, init="fixed", **TINY)
    assert result.config.inits == 1 and result.dataset.info["init"] == "fixed"
    key = jax.random.wrap_key_data(jnp.asarray(result.dataset.info["init_key"], jnp.uint32))
    distillation = Distillation(target, result.config)
    kept, drawn = (distillation.fitness[0].networks(k) for k in (distillation.fixed_init_key, key))
    assert all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((a == b).all()), kept, drawn)))
    fixed, fresh = (hades.evaluate(result.dataset, target, 2, 4, init=init) for init in ("auto", "fresh"))
    assert (fixed.returns != fresh.returns).any()


def test_the_running_normaliser_sees_what_the_population_sees(target: ControlTask) -> None:
    result = hades.distill(target, size=2, normaliser="running", **TINY)
    steps = sum(row["env_steps"] for row in result.metrics)
    assert steps == 7 * 8 * 10 == result.dataset.info["env_steps"]
    mean, std = result.dataset.normaliser
    assert abs(float(mean[0])) < 1 and 0.1 < float(std[0]) < 3


def test_a_budget_of_steps_ends_after_the_generation_that_spends_it(target: ControlTask) -> None:
    result = hades.distill(target, size=2, steps=201, **{**TINY, "generations": None})
    assert [row["env_steps_total"] for row in result.metrics] == [80, 160, 240]


def test_a_budget_of_minutes_ends(target: ControlTask) -> None:
    result = hades.distill(target, size=2, minutes=0.02, **{**TINY, "generations": None})
    assert result.evaluation is not None and result.metrics


def test_metrics_have_a_row_a_generation(target: ControlTask, tmp_path: Path) -> None:
    result = hades.distill(target, size=2, out=tmp_path / "run", **TINY)
    rows = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == result.metrics and [row["generation"] for row in rows] == list(range(1, 8))
    assert [row["generation"] for row in rows if row["validated"] is not None] == [3, 6, 7]
    best = max(row["validated"] for row in rows if row["validated"] is not None)
    assert result.dataset.info["validated"] == pytest.approx(best)


def test_a_finished_run_goes_on_as_if_it_had_been_longer(target: ControlTask, tmp_path: Path) -> None:
    """Six generations: a run's end validates, and this is where the longer run validates too."""
    long = hades.distill(target, size=2, out=tmp_path / "long", **{**TINY, "generations": 12})
    hades.distill(target, size=2, out=tmp_path / "short", **{**TINY, "generations": 6})
    resumed = hades.resume(tmp_path / "short", target, generations=12, progress=False)
    assert (tmp_path / "short/dataset.safetensors").read_bytes() == (
        tmp_path / "long/dataset.safetensors"
    ).read_bytes()
    drop = ("seconds",)
    strip = [[{k: v for k, v in row.items() if k not in drop} for row in r.metrics] for r in (long, resumed)]
    assert strip[0] == strip[1]


def test_several_searches_share_half_of_the_budget_and_the_best_goes_on(target: ControlTask, tmp_path: Path) -> None:
    options = {**TINY, "generations": 18, "searches": 3, "validate_every": 3}
    result = hades.distill(target, size=2, out=tmp_path / "whole", **options)
    assert [row["search"] for row in result.metrics] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 9
    found = {
        turn: [r["validated"] for r in result.metrics if r["search"] == turn and r["validated"]] for turn in range(4)
    }
    assert len({scores[0] for scores in found.values()}) == 4  # each began elsewhere
    first = max((0, 1, 2), key=lambda turn: max(found[turn]))
    before = [row["std"] for row in result.metrics if row["search"] == first][-1]
    after = next(row["std"] for row in result.metrics if row["search"] == 3)
    assert after == pytest.approx(before, rel=0.2)  # it goes on and does not begin again
    assert result.dataset.info["validated"] == pytest.approx(max(max(scores) for scores in found.values()))


@pytest.mark.parametrize("stop", [3, 6, 9, 12])
def test_several_searches_go_on_where_they_were_stopped(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: int
) -> None:
    options = {**TINY, "generations": 18, "searches": 3}
    whole = hades.distill(target, size=2, **options).dataset.save(tmp_path / "whole.safetensors")
    validate = Distillation.validate

    def interrupting(self: Distillation, state: State) -> tuple[State, float]:
        if int(state.generation) == stop:
            signal.raise_signal(signal.SIGINT)
        return validate(self, state)

    monkeypatch.setattr(Distillation, "validate", interrupting)
    assert hades.distill(target, size=2, out=tmp_path / "run", **options).interrupted
    hades.resume(tmp_path / "run", target, progress=False)
    assert (tmp_path / "run" / "dataset.safetensors").read_bytes() == whole.read_bytes()


@pytest.mark.parametrize("normaliser", ["running", "fixed"])
def test_what_is_compiled_for_one_seed_serves_all(target: ControlTask, normaliser: str) -> None:
    """Or every run would wait for the compiler, which takes minutes for the larger bodies of Brax."""
    programs = []
    for seed in (0, 1):
        config = presets.override(Config(), {**TINY_CONFIG, "seed": seed, "normaliser": normaliser})
        d = Distillation(target, config)
        state, one = d.init(), np.int32(1)
        solution, statistics = d.best(state)
        programs.append(
            d.generations.lower(state, one, one, d.data).as_text()
            + d.play.lower(state.key, solution, statistics, jax.random.key(seed), d.validation_data).as_text()
        )
    assert programs[0] == programs[1]


def test_a_curriculum_lengthens_episodes_and_validates_whole_ones(target: ControlTask) -> None:
    result = hades.distill(target, size=2, curriculum=3, **TINY)
    assert [row["env_steps"] / 8 for row in result.metrics] == [1, 4, 7, 10, 10, 10, 10]
    assert result.evaluation is not None and result.evaluation.returns.mean() < -0.5
    with pytest.raises(hades.InputError, match="images have none"):
        hades.distill("digits", curriculum=3, generations=1, progress=False)


def test_a_search_goes_on_from_a_dataset(target: ControlTask, tmp_path: Path) -> None:
    options = TINY | {"generations": 1, "std": 1e-6, "normaliser": "fixed"}
    first = hades.distill(target, size=2, **{**options, "generations": 20, "std": 0.3}).dataset
    file = first.save(tmp_path / "first.safetensors")
    second = hades.distill(target, size=2, start=str(file), seed=1, **options).dataset
    np.testing.assert_allclose(second.states, first.states, atol=1e-4)
    np.testing.assert_allclose(second.targets, first.targets, atol=1e-4)
    np.testing.assert_array_equal(second.normaliser, first.normaliser)
    for more, says in (
        ({"size": 3}, "has 2 pairs of \\[1\\] and 1 actions; target is asked for 3"),
        ({"normaliser": "running"}, "take --normaliser fixed"),
        ({"start": "none.safetensors"}, "no dataset file at none.safetensors"),
    ):
        with pytest.raises(hades.InputError, match=says):
            hades.distill(target, **{"size": 2, "start": str(file), **options, **more})


def test_a_run_finds_the_dataset_that_it_began_with_from_any_folder(
    target: ControlTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = TINY | {"generations": 1, "normaliser": "fixed"}
    hades.distill(target, size=2, **options).dataset.save(tmp_path / "first.safetensors")
    monkeypatch.chdir(tmp_path)
    hades.distill(target, size=2, start="first.safetensors", out=tmp_path / "run", **options)
    monkeypatch.chdir(tmp_path / "run")
    assert hades.resume(tmp_path / "run", target, generations=2, progress=False).metrics[-1]["generation"] == 2


def test_soft_labels_go_on_from_a_datasets(cartpole_pairs: hades.Dataset, tmp_path: Path) -> None:
    import dataclasses

    labels = np.asarray([[0.7, 0.3], [0.2, 0.8]])
    file = str(dataclasses.replace(cartpole_pairs, labels=labels).save(tmp_path / "soft.safetensors"))
    options = TINY | {"generations": 1, "std": 1e-6, "normaliser": "none", "start": file}
    result = hades.distill("cartpole", size=2, labels="soft", **options)
    np.testing.assert_allclose(result.dataset.targets, labels, atol=1e-3)
    with pytest.raises(hades.InputError, match="labels of its own"):
        hades.distill("cartpole", size=2, **options)


def test_presets_fit_their_tasks() -> None:
    for configs in PRESETS.values():
        for task, config in configs.items():
            assert tasks.resolve(task) == task
            assert Config.from_json(json.loads(json.dumps(config.to_json()))) == config
    hopper = PRESETS["paper"]["brax/hopper"]
    assert (hopper.population, hopper.inits, hopper.episodes, hopper.generations) == (2048, 2, 4, 2000)
    assert (hopper.std, hopper.learner.width, hopper.learner.epochs) == (0.03, 512, 200)
    breakout = PRESETS["paper"]["Breakout-MinAtar"]
    assert (breakout.size, breakout.episodes, breakout.generations, breakout.std) == (16, 8, 5000, 0.5)


def test_a_task_without_a_preset_has_sensible_defaults(target: ControlTask) -> None:
    assert presets.get("target", "laptop", target.spec).minutes == 10
    with pytest.raises(hades.InputError, match="the paper has no target"):
        presets.get("target", "paper", target.spec)


def test_a_limit_replaces_the_presets_budget() -> None:
    config = presets.override(PRESETS["laptop"]["CartPole-v1"], {"generations": 3})
    assert (config.generations, config.minutes) == (3, None)


@pytest.mark.parametrize(
    ("task", "overrides", "kept"),
    [
        ("fashion-mnist", {"strategy": "SNES"}, False),
        ("fashion-mnist", {"strategy": "gradient", "size": 20}, True),
        ("Breakout-MinAtar", {"strategy": "OpenES"}, False),
        ("Breakout-MinAtar", {"strategy": "snes"}, True),
        ("Breakout-MinAtar", {"strategy": "S-NES"}, True),
    ],
)
def test_another_strategy_comes_without_the_presets_options(task: str, overrides: dict[str, Any], kept: bool) -> None:
    base = PRESETS["paper" if "MinAtar" in task else "laptop"][task]
    config = presets.override(base, overrides)
    assert base.strategy_options
    assert config.strategy_options == (base.strategy_options if kept else {})
    assert config.strategy_lr == (base.strategy_lr if kept else None)
    given = presets.override(base, {**overrides, "strategy_lr": 0.5, "strategy_options": {"lr_decay": 0.9}})
    assert (given.strategy_options, given.strategy_lr) == ({"lr_decay": 0.9}, 0.5)


def test_another_network_takes_the_place_of_the_presets_several() -> None:
    base = PRESETS["laptop"]["digits"]
    cnn, longer = (each.over(base.learner) for each in (Learner(network="cnn"), Learner(epochs=7)))
    assert [each.network for each in presets.override(base, {"learner": cnn}).learners] == ["cnn"]
    assert presets.override(base, {"learner": longer}).networks == base.networks != ()
    assert presets.override(base, {"learner": cnn, "networks": ("lenet",)}).networks == ("lenet",)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be at least 1, not 0"),
        ({"size": -3}, "size must be at least 1, not -3"),
        ({"population": 1}, "population must be at least 2"),
        ({"init": "warm"}, "unknown init 'warm'; choose one of random, fixed"),
        ({"normaliser": "batch"}, "unknown normaliser"),
        ({"labels": "hard"}, "unknown labels"),
        ({"std": 0.0}, "std must be positive"),
        ({"minutes": -1.0}, "minutes must be positive"),
        ({"preset": "desktop"}, "unknown preset 'desktop'; choose one of laptop, paper"),
        ({"strategy": "SNE"}, "unknown strategy 'SNE'"),
        ({"trackers": ["tensorbord"]}, "unknown tracker"),
        ({"trackers": ["tensorboard"], "out": None}, "give out"),
        ({"popsize": 3}, "unknown option 'popsize'"),
        ({"seed": -1}, "seed must not be negative"),
        ({"searches": 0}, "searches must be at least 1, not 0"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    target: ControlTask, tmp_path: Path, options: dict, message: str
) -> None:
    out = tmp_path / "run"
    with pytest.raises(hades.InputError, match=message):
        hades.distill(target, **{"size": 2, "out": out, **TINY, **options})
    assert not out.exists()


def test_a_tasks_options_travel_with_its_dataset() -> None:
    task = hades.make("cartpole", max_steps_in_episode=9)
    result = hades.distill(task, size=2, greedy=True, **TINY)
    assert result.dataset.info["task_options"] == {"max_steps_in_episode": 9} and result.dataset.info["greedy"]
    assert hades.evaluate(result.dataset, inits=2, episodes=2).returns.max() <= 9
