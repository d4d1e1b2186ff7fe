"""Faults put into runs: what is lost, what prints a traceback, and whose dataset is another. Prints JSON.

    python scripts/faults.py --out benchmarks/results/faults-cpu-2-cores.json
    python scripts/faults.py --kills 4 --full 2 --damaged 2        # a look

Kills: SIGKILL, SIGTERM and SIGINT, while a run starts, in a generation, as it writes a checkpoint, and as it ends; a
run is killed four times and resumed as often. Full disks: a small tmpfs with less room than a run takes, of which half
have room again while the run goes on (without the right to mount: a limit on a file's size). Damage: a file of a run
that was stopped is cut off, emptied, overwritten, deleted or has bits turned, then the run is resumed. In the end each
dataset is compared with that of the run that nobody disturbed: all tensors, and all that its file says.
"""

import argparse
import itertools
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

import hades
from hades.runtime import hardware, versions

Row = dict[str, Any]
GENERATIONS = 240
LINE = (
    "cartpole --population 8 --inits 1 --width 8 --epochs 16 --validate-every 4 --validate-inits 4 --seed 3 "
    f"--generations {GENERATIONS}"
).split()
OFTEN = ["--checkpoint-every", "0.2"]
SIGNALS, PHASES = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT), ("start", "generation", "checkpoint", "ending")
FILES = {"dataset": "dataset.safetensors", "config": "config.json", "metrics": "metrics.jsonl"}
KINDS = (*FILES, "checkpoint")
OUTCOME = ("lost", "differ", "tracebacks", "hung", "files_left", "rows_missing")
A_RUN = 4
"""Kills."""
PATIENCE, ROOM = 900.0, 160
"""Seconds after which a process counts as hung; KiB that a run takes, about, without its page."""


class Process:
    """A command, and what it wrote to stderr."""

    def __init__(self, args: list[str], errors: Path, limit: int | None = None) -> None:
        self.errors = errors
        with open(errors, "wb") as file:
            command = [sys.executable, "-m", "hades", *args]
            self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=file)
        if limit is not None:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (limit, limit))

    def running(self) -> bool:
        return self.process.poll() is None

    def end(self) -> int:
        """Its exit code; that of SIGABRT where it hangs."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            return self.process.wait()

    def said(self) -> list[str]:
        return [line for line in self.errors.read_text(errors="replace").splitlines() if line.strip()]


class Trial:
    """One run with its faults, and what came of it."""

    def __init__(self, folder: Path, whole: hades.Dataset) -> None:
        self.folder, self.run, self.whole = folder, folder / "run", whole
        self.tracebacks, self.hung, self.said = 0, 0, []

    def start(self, limit: int | None = None) -> Process:
        """The run's next process: the same command, where there is no run yet."""
        there = (self.run / "config.json").exists() or any(self.run.glob("checkpoint/*.safetensors"))
        args = ["resume", str(self.run)] if there else ["distill", *LINE, "--out", str(self.run)]
        return Process([*args, *OFTEN, "--quiet"], self.folder / "errors", limit)

    def ended(self, process: Process) -> int:
        """Wait for a process, and count what it said."""
        code, said = process.end(), process.said()
        self.tracebacks += any("Traceback" in line for line in said)
        self.hung += code == -signal.SIGABRT
        self.said += [line.replace(str(self.run), "RUN") for line in said]
        return code

    def finish(self) -> None:
        """Go on to the end; where a hand-edited configuration is refused, do what the line says."""
        if self.ended(self.start()) == 2 and "delete the file" in self.said[-1]:
            (self.run / "config.json").unlink()
            self.ended(self.start())

    def outcome(self) -> dict[str, int]:
        """Whether the run was lost, is another, or left something behind."""
        counts = dict.fromkeys(OUTCOME, 0) | {"tracebacks": self.tracebacks, "hung": self.hung}
        counts["files_left"] = sum(path.name.endswith((".tmp", "lock")) for path in self.run.rglob("*"))
        try:
            found = hades.load(self.run / "dataset.safetensors")
            rows = [json.loads(line) for line in (self.run / "metrics.jsonl").read_text().splitlines()]
        except (hades.InputError, OSError, ValueError):
            return counts | {"lost": 1}
        generations = {row["generation"] for row in rows}
        lost = found.info["score"] is None or len(generations) != len(rows) or not (self.run / "report.html").exists()
        missing = GENERATIONS - len(generations)
        return counts | {"lost": int(lost), "differ": int(not same(found, self.whole)), "rows_missing": missing}


def same(one: hades.Dataset, other: hades.Dataset) -> bool:
    pairs = zip(
        (one.states, one.targets, *one.normaliser), (other.states, other.targets, *other.normaliser), strict=True
    )
    return all(np.array_equal(a, b) for a, b in pairs) and (one.info, one.learner) == (other.info, other.learner)


def rows_of(run: Path) -> int:
    file = run / "metrics.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def wait(process: Process, come: Callable[[], bool]) -> bool:
    """Until something has come, or the process has ended."""
    until = time.monotonic() + PATIENCE
    while process.running() and time.monotonic() < until:
        if come():
            return True
        time.sleep(0.0005)
    return False


def moment(trial: Trial, process: Process, phase: str, rng: random.Random, startup: float) -> bool:
    """Wait for a random moment of a phase; whether it came."""
    run, before = trial.run, rows_of(trial.run)
    if phase == "start":
        time.sleep(rng.uniform(0, startup))
        return process.running()
    if phase == "generation":
        number = rng.randint(before + 1, max(before + 1, GENERATIONS - 1))
        return wait(process, lambda: rows_of(run) >= number)
    if phase == "checkpoint":
        changes, names = rng.randint(1, 4), [set(run.glob("checkpoint/*"))]

        def written() -> bool:  # begun or just done
            now = set(run.glob("checkpoint/*"))
            if now != names[-1]:
                names.append(now)
            return len(names) > changes

        return wait(process, written)
    came = wait(process, lambda: rows_of(run) >= GENERATIONS)
    time.sleep(rng.uniform(0, 2.5))
    return came and process.running()


def kills(folder: Path, number: int, whole: hades.Dataset, rng: random.Random, startup: float) -> Iterator[Row]:
    """Runs that are killed again and again."""
    plan = [(SIGNALS[i % 3], PHASES[i // 3 % 4]) for i in range(number)]
    rng.shuffle(plan)
    for _ in range(2 * number):  # moments that do not come are tried again
        trial, done = Trial(new(folder), whole), []
        for signum, phase in plan[:A_RUN]:
            process = trial.start()
            if moment(trial, process, phase, rng, startup):
                start = time.monotonic()
                process.process.send_signal(signum)
                code = trial.ended(process)
                seconds = round(time.monotonic() - start, 2)
                done.append({"signal": signum.name, "phase": phase, "seconds": seconds, "code": code})
                plan.remove((signum, phase))
            elif trial.ended(process) == 0:
                break
        trial.finish()
        yield {"kills": done, "lines": trial.said, **trial.outcome()}
        if not plan:
            break


def full(folder: Path, number: int, whole: hades.Dataset, rng: random.Random) -> Iterator[Row]:
    """Runs on a disk without room."""
    disk = folder / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    mounted = subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        for i in range(number):
            trial, room, again = Trial(new(disk), whole), rng.randint(0, ROOM), mounted and i % 2 == 1
            trial.folder = new(folder)  # of what it says
            filler = disk / "filler"
            if mounted:
                filler.write_bytes(bytes(max(0, shutil.disk_usage(disk).free - 1024 * room)))
            process = trial.start(limit=None if mounted else 1024 * room // 4)
            if again:
                wait(process, lambda process=process: any("goes on" in line for line in process.said()))
                time.sleep(rng.uniform(0, 1))
                filler.unlink()
            code = trial.ended(process)
            filler.unlink(missing_ok=True)
            lines = list(trial.said)
            if code:
                trial.finish()
            by = "tmpfs" if mounted else "RLIMIT_FSIZE"
            yield {"by": by, "room_kib": room, "again": again, "code": code, "lines": lines, **trial.outcome()}
            shutil.rmtree(trial.run.parent)
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=False)


def damage(path: Path, how: str, rng: random.Random) -> None:
    data, noise = path.read_bytes(), rng.randbytes(path.stat().st_size)
    place, bit = rng.randrange(len(data)), 1 << rng.randrange(8)
    path.unlink()
    harmed = {
        "cut off": data[:place],
        "a bit": data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :],
        "zeros": data[:place] + bytes(min(512, len(data) - place)) + data[place + 512 :],
        "noise": noise,
        "empty": b"",
    }
    if how in harmed:
        path.write_bytes(harmed[how])


HOW = ("cut off", "a bit", "zeros", "a bit", "noise", "empty", "deleted", "cut off", "a bit", "a bit")


def damaged(folder: Path, number: int, whole: hades.Dataset, rng: random.Random) -> Iterator[Row]:
    """Runs of which a file is damaged."""
    stopped = stopped_run(folder, whole)
    for how, kind in itertools.product(itertools.islice(itertools.cycle(HOW), number), KINDS):
        trial = Trial(new(folder), whole)
        shutil.copytree(stopped, trial.run)
        last = max(trial.run.glob("checkpoint/*"), key=lambda path: int(path.stem))
        path = trial.run / FILES[kind] if kind in FILES else last
        damage(path, how, rng)
        silent = kind == "dataset" and not tells(path, stopped / path.name)
        trial.finish()
        yield {"kind": kind, "how": how, "taken": silent, "lines": trial.said, **trial.outcome()}


def tells(path: Path, before: Path) -> bool:
    """Whether a damaged dataset is refused, or still the same."""
    try:
        return same(hades.load(path), hades.load(before))
    except hades.InputError:
        return True


def new(folder: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=folder))


def undisturbed(folder: Path) -> tuple[hades.Dataset, float]:
    """The run that nobody disturbs; and seconds until its first generation."""
    path, start = new(folder), time.monotonic()
    process = Process(["distill", *LINE, "--out", str(path / "run"), *OFTEN, "--quiet"], path / "errors")
    wait(process, lambda: rows_of(path / "run") > 0)
    startup = time.monotonic() - start
    if process.end():
        raise SystemExit("\n".join(process.said()))
    return hades.load(path / "run" / "dataset.safetensors"), startup


def stopped_run(folder: Path, whole: hades.Dataset) -> Path:
    """A run that SIGTERM stopped in the middle, with two checkpoints."""
    trial = Trial(new(folder), whole)
    process = trial.start()
    wait(process, lambda: rows_of(trial.run) >= GENERATIONS // 2)
    process.process.send_signal(signal.SIGTERM)
    if trial.ended(process) != 143:
        raise SystemExit("\n".join(trial.said))
    return trial.run


def summary(rows: list[Row]) -> dict[str, Any]:
    """What came of runs."""
    return {"runs": len(rows), **{what: sum(row[what] for row in rows) for what in OUTCOME}}


def answers(kills: list[Row]) -> dict[str, Any]:
    """How many kills there were, and seconds from ctrl-C to the process's end."""
    seconds = sorted(kill["seconds"] for kill in kills if kill["signal"] == "SIGINT") or [0.0]
    return {"kills": len(kills), "ctrl_c_seconds": {"median": seconds[len(seconds) // 2], "most": seconds[-1]}}


def result(seed: int, each: dict[str, list[Row]]) -> dict[str, Any]:
    """All of it, with what it was measured on."""
    killed, filled, hurt = each["kills"], each["full_disks"], each["damaged"]
    return {
        "command": "hades distill " + " ".join([*LINE, *OFTEN]),
        "seed": seed,
        "kills": {**summary(killed), **answers([kill for row in killed for kill in row["kills"]])},
        "full_disks": summary(filled),
        "damaged": {kind: summary([row for row in hurt if row["kind"] == kind]) for kind in KINDS},
        "damaged_datasets_taken": sum(row["taken"] for row in hurt),
        "hardware": hardware() | {"load": [round(load, 1) for load in os.getloadavg()]},
        "versions": versions(),
        "each": each,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--full", type=int, default=20, help="full disks")
    parser.add_argument("--damaged", type=int, default=20, help="files of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="also write the JSON here, after each run")
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where this runs in the background, runs hear it, too
    each: dict[str, list[Row]] = {"kills": [], "full_disks": [], "damaged": []}
    writing = threading.Lock()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        undisturbed(folder)  # which compiles
        whole, startup = undisturbed(folder)
        rngs = [random.Random(args.seed + part) for part in range(3)]
        parts = {
            "kills": kills(folder, args.kills, whole, rngs[0], startup),
            "full_disks": full(folder, args.full, whole, rngs[1]),
            "damaged": damaged(folder, args.damaged, whole, rngs[2]),
        }

        def collect(kind: str) -> None:
            for found in parts[kind]:
                with writing:
                    each[kind].append(found)
                    print(kind, found, file=sys.stderr, flush=True)
                    if args.out:
                        args.out.write_text(json.dumps(result(args.seed, each), indent=1) + "\n")

        with ThreadPoolExecutor() as pool:
            list(pool.map(collect, parts))
    print(json.dumps(result(args.seed, each), indent=1))
    return int(any(row[what] for rows in each.values() for row in rows for what in OUTCOME[:4]))


if __name__ == "__main__":
    sys.exit(main())
