"""The best datasets so far, shipped with the package: `hades.load("hopper-4")` works right after installing.

Each has a card in its header: how it was made, what fresh networks score, and how far it generalises. `hades study zoo
--write` writes them.
"""

from pathlib import Path

from hades.aliases import Json
from hades.dataset import Dataset, load
from hades.errors import InputError, meant
from hades.files import write_atomically
from hades.finding import zoo
from hades.metrics import RETURN, metric_of
from hades.tables import align


def names() -> list[str]:
    """Of all datasets."""
    return list(zoo())


def card(name: str) -> Json:
    """What is known about a dataset.

    Raises:
        InputError: for a name that is not in the zoo.
    """
    return _card(name, load(_path(name)))


def cards() -> dict[str, Json]:
    """All cards, by name."""
    return {name: card(name) for name in names()}


def get(name: str, out: Path, force: bool = False) -> Path:
    """Copy a dataset's file.

    Args:
        force: overwrite what is there.

    Raises:
        InputError: for a name that is not in the zoo, or a file that exists already.
    """
    source = _path(name)
    if out.exists() and not force:
        raise InputError(f"{out} exists; give another file (--out), or --force to overwrite it")
    return write_atomically(out, source.read_bytes())


def table() -> str:
    """The zoo as lines of text."""
    rows = [("name", "task", "pairs", "fresh networks", "score", "generalises")]
    for name, known in cards().items():
        for setting, score in known["scores"].items():
            words = metric_of(known["metric"]).words(score["mean"], score["std_of_inits"])
            share = known["generalisation"]
            share = "" if share is None else f"{share['share']:.0%} of {share['settings']} settings"
            rows.append((name, known["task"], str(known["pairs"]), f"{score['inits']}, {setting}", words, share))
    return align(rows)


def _path(name: str) -> Path:
    if name not in zoo():
        raise InputError(f"no '{name}' in the zoo; {meant(name, names()) or '`hades zoo` lists what it has'}")
    return zoo()[name]


def _card(name: str, known: Dataset) -> Json:
    info = known.info.get("card", {})
    return {
        "name": name,
        "task": known.task,
        "pairs": len(known),
        "learner": dict(known.learner),
        "metric": info.get("metric", RETURN.name),
        "made": info.get("made", ""),
        "scores": info.get("scores", {}),
        "generalisation": info.get("generalisation"),
        "versions": known.info.get("versions", {}),
    }
