"""Mutated datasets, configurations and command lines: what is answered by anything but a result or one line.

    python scripts/fuzz.py --out benchmarks/results/fuzz-cpu-2-cores.json
    python scripts/fuzz.py --datasets 100 --configs 100 --lines 100 --seed 1        # a look

Every input goes through the door that a user has for it: `hades.load` and what is done with a dataset, `hades.resume`
of a run whose ``config.json`` it is, `hades.cli.main`. Work behind the doors (training, a search, a study, a download)
is cut off where it begins. Prints JSON: of each kind how many inputs were let through, answered, refused in one line,
and how many ended in a traceback or took too long; the exit code says whether any did. What fails is shown on stderr.
"""

import argparse
import contextlib
import importlib
import io
import json
import os
import random
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from mutations import damaged, mutated, worded, written

import hades
from hades.cli import main as command
from hades.runtime import hardware, versions

LIMIT = 30
"""Seconds after which an input counts as hung."""
SHOWN = 20
"""Failures that are shown in full."""
LINES = [
    "distill cartpole --size 2 --population 4 --generations 2",
    "distill acrobot --init fixed --strategy OpenES --strategy-lr 0.1 --labels soft --std 0.5 --seed 3",
    "distill pendulum --networks mlp:8 mlp:8x2 --polish SNES@0.2 --searches 2 --steps 1000 --episodes 2 --greedy",
    "distill digits --strategy gradient --window 5 --start mean --normaliser fixed --minutes 1 --no-curriculum",
    "distill cartpole --preset laptop --width 8 8 --epochs 4 --batch 2 --clip 0.5 --checkpoint-every 1 --out new",
    "distill mine.npz --size 6 --validate-every 3 --validate-inits 2 --chunk 4 --strategy-options temperature=20",
    "resume run --generations 9 --quiet",
    "train cartpole-2 --seed 1 --width 16 --activation relu --out net.safetensors --force",
    "evaluate cartpole-2 --inits 2 --episodes 2 --init fresh --seed 1 --learning-rate 0.01 --json",
    "evaluate union.safetensors --task cartpole --inits 2 --network mlp --depth 3",
    "evaluate digits-10 --across --baselines --augment dsa",
    "merge cartpole-2 acrobot --identity -o union2.safetensors --force",
    "zoo show cartpole-2", "zoo get hopper-4 --out hopper.safetensors --force", "envs --json", "presets --task hopper",
    "version", "study comparison --tasks cartpole --methods PPO --seeds 1 --steps 1000",
    "study generalisation --datasets cartpole-2 --widths 8 16 --rates 0.1 --epochs 0.5",
    "study budget --tasks cartpole --sizes 2 4 --minutes 0.1", "--help", "study", "",
]  # fmt: skip

OTHERS = " ".join(LINES).split()
ACTS: list[Callable[[hades.Dataset], Any]] = [
    hades.policy, lambda one: hades.train(one, 0), hades.evaluate, lambda one: hades.merge([one, "acrobot"])
]  # fmt: skip
"""What is done with a dataset."""


class Through(BaseException):
    """An input was let through: work would begin."""


class Hung(BaseException):
    """An input took too long."""


class Fault(AssertionError):
    """An answer that is neither a result nor one line."""


def through(*args: Any, **kwargs: Any) -> Any:
    """In place of work."""
    raise Through


def cut_off() -> None:
    """Let work raise `Through` where it begins."""
    import jax.distributed

    import hades.cli.groups
    import hades.evaluation
    import hades.search
    import hades.studies
    import hades.tasks.suites.images

    for place, name in (
        (hades.search.Search, "init"), (hades.evaluation, "_train"), (hades.evaluation, "_clone"),
        (hades.studies, "conduct"), (hades.tasks.suites.images, "_download"), (jax.distributed, "initialize"),
    ):  # fmt: skip
        setattr(place, name, through)
    hades.cli.groups.quiet_collectives = lambda debug: None  # which moves this process's own stdout


def answer(call: Callable[[], str]) -> tuple[str, str]:
    """How a call ends: in a word, and, where it should not, in full."""
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    try:
        return call(), ""
    except Through:
        return "let through", ""
    except hades.InputError as error:
        lines = str(error).splitlines()
        return ("refused", "") if len(lines) == 1 and lines[0].isprintable() else ("not one line", repr(error))
    except Hung:
        return "hung", traceback.format_exc(limit=-6)
    except KeyboardInterrupt:
        raise
    except BaseException:
        return "traceback", traceback.format_exc(limit=-8)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def dataset(rng: random.Random, folder: Path) -> tuple[Callable[[], str], object]:
    """A dataset's file, its bytes, the header or the document in it; and what is done with a dataset."""
    data = rng.choice(sorted((folder / "datasets").iterdir())).read_bytes()
    if rng.random() < 0.4:
        data = damaged(rng, data)
    else:
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        if rng.random() < 0.2:
            header = mutated(rng, header)
        else:
            about = json.loads(header["__metadata__"]["hades"])
            del about["digest"]  # which tells of every change
            header["__metadata__"]["hades"] = written(mutated(rng, about))
        said = written(header).encode()
        data = struct.pack("<Q", len(said)) + said + data[8 + length :]
    file = folder / "mutated.safetensors"
    file.write_bytes(data)

    def use() -> str:
        found = hades.load(file)
        assert all(line.isprintable() for line in found.describe().split("\n"))
        found.save(folder / "again.safetensors")
        refused = []
        for act in ACTS:
            try:
                act(found)
            except Through:
                pass
            except hades.InputError as error:
                refused.append(error)
        if refused:
            raise refused[0]
        return "answered"

    return use, data


def config(rng: random.Random, folder: Path) -> tuple[Callable[[], str], object]:
    """A run's ``config.json``, without the digest that tells of every change; its run is resumed."""
    about = json.loads(rng.choice(sorted((folder / "configs").iterdir())).read_text())
    about.pop("digest", None)
    data = json.dumps(about).encode()
    data = damaged(rng, data) if rng.random() < 0.3 else written(mutated(rng, about)).encode()
    run = folder / "resumed"
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir()
    (run / "config.json").write_bytes(data)

    def resume() -> str:
        hades.resume(run, progress=False)
        return "answered"

    return resume, data


def line(rng: random.Random, folder: Path) -> tuple[Callable[[], str], object]:
    """A command line, its words left out, doubled, changed or mixed with others; in a folder of its own."""
    args = rng.choice(LINES).split()
    kept = 0 if rng.random() < 0.2 else 1  # mostly the command's own name
    args = args[:kept] + worded(rng, args[kept:], OTHERS)
    place = folder / "lines" / "a" / "b"
    os.chdir(place)

    def run() -> str:
        try:
            return _said(args)
        finally:
            os.chdir(folder)
            shutil.rmtree(place)
            shutil.copytree(folder / "place", place)

    return run, args


def _said(args: list[str]) -> str:
    """What a line gives: its exit code, and what it writes to stderr."""
    errors = io.StringIO()
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        try:
            code = command(args)
        except SystemExit as end:
            code = end.code or 0
    said = errors.getvalue().splitlines()
    if code == 0:
        return "answered"
    if code in (1, 2) and said and said[-1].startswith("hades: ") and "--debug shows where" not in said[-1]:
        return "refused"
    raise Fault(f"exit code {code}: {said}")


def prepared(folder: Path) -> None:
    """What is mutated, and what command lines find; suites of environments are loaded."""
    for name in ("acrobot", "hopper"):
        assert hades.make(name).spec
    for name in ("datasets", "configs", "place"):
        (folder / name).mkdir()
    for name in ("cartpole-2", "acrobot", "pendulum"):
        hades.load(name).save(folder / "datasets" / f"{name}.safetensors")
    union = hades.merge(["cartpole-2", "acrobot"], identity=True)
    union.save(folder / "datasets" / "union.safetensors")
    union.save(folder / "place" / "union.safetensors")
    pairs = hades.load("cartpole-2")
    fixed = hades.Dataset(
        states=pairs.states, labels=np.asarray([0, 1]), task=pairs.task, learner=pairs.learner,
        info={"init": "fixed", "init_key": [0, 7], "greedy": True, "metric": "return"},
    )  # fmt: skip
    fixed.save(folder / "datasets" / "fixed.safetensors")
    fixed.save(folder / "place" / "mine.safetensors")
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {"images": rng.random((60, 6, 5), np.float32), "labels": np.arange(60) % 3}
    np.savez(folder / "place" / "mine.npz", **arrays)
    for task, options in {"CartPole-v1": {}, "Pendulum-v1": {"polish": ["SNES@0.2@0.05"]}, "digits": {}}.items():
        made = hades.make(task)
        known = importlib.import_module("hades.presets").get(made, "laptop").override({"minutes": 1.0, **options})
        about = {"task": task, "task_options": {}, "preset": "laptop", "config": known.to_json(), "versions": {}}
        (folder / "configs" / f"{task}.json").write_text(json.dumps(about))
    (folder / "place" / "run").mkdir()
    shutil.copy(folder / "configs" / "CartPole-v1.json", folder / "place" / "run" / "config.json")
    shutil.copytree(folder / "place", folder / "lines" / "a" / "b")


KINDS = {"datasets": dataset, "configs": config, "lines": line}


def fuzzed(kind: str, number: int, seed: int, folder: Path) -> dict[str, Any]:
    """So many inputs of a kind."""
    counts, slowest, failures = Counter({"traceback": 0, "hung": 0, "not one line": 0}), 0.0, 0
    begun = time.monotonic()
    for i in range(number):
        call, shown = KINDS[kind](random.Random(f"{kind} {seed} {i}"), folder)
        start = time.monotonic()
        word, full = answer(call)
        slowest = max(slowest, time.monotonic() - start)
        counts[word] += 1
        if full:
            failures += 1
            if failures <= SHOWN:
                print(f"\n{kind} {i}: {word}\n{str(shown)[:1500]}\n{full}", file=sys.stderr, flush=True)
        if i % 500 == 499:
            print(f"{kind} {i + 1}/{number} {dict(counts)}", file=sys.stderr, flush=True)
    seconds = {"seconds": round(time.monotonic() - begun, 1), "slowest_seconds": round(slowest, 2)}
    return {"inputs": number, **dict(sorted(counts.items())), **seconds}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for kind, number in (("datasets", 5_000), ("configs", 5_000), ("lines", 3_000)):
        parser.add_argument(f"--{kind}", type=int, default=number, help=f"how many (default: {number})")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same inputs")
    parser.add_argument("--out", type=Path, help="also write the JSON here")
    args = parser.parse_args()
    args.out = args.out and args.out.absolute()

    def alarm(number: int, frame: object) -> None:
        raise Hung

    signal.signal(signal.SIGALRM, alarm)
    warnings.simplefilter("ignore")
    results: dict[str, Any] = {
        "hardware": hardware(),
        "versions": versions(),
        "seed": args.seed,
        "limit_seconds": LIMIT,
    }
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        os.environ["HADES_DATA_DIR"] = name
        hades.configure()
        prepared(Path(name))
        cut_off()
        for kind in KINDS:
            results[kind] = fuzzed(kind, getattr(args, kind), args.seed, Path(name))
        os.chdir("/")
    text = json.dumps(results, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")
    return any(results[kind][word] for kind in KINDS for word in ("traceback", "hung", "not one line"))


if __name__ == "__main__":
    sys.exit(main())
