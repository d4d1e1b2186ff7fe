"""The command that a line means."""

import contextlib
import io
from collections.abc import Callable
from importlib import import_module, metadata
from inspect import getdoc
from typing import Any

import tyro

from hades.cli.derive import check_given, turned_off
from hades.cli.mistakes import told
from hades.errors import InputError, meant
from hades.tables import align

GROUPS = {
    "Begin with": {
        "distill": "searching.Distill",
        "evaluate": "datasets.Evaluate",
        "train": "datasets.Train",
        "resume": "searching.Resume",
        "zoo": "datasets.Zoo",
    },
    "Go on with": {
        "report": "pages.Report",
        "render": "pages.Render",
        "watch": "pages.Watch",
        "explain": "explaining.Explain",
        "merge": "datasets.Merge",
        "push": "hub.Push",
        "study": "studies.study",
    },
    "Ask": {
        "envs": "catalogue.Envs",
        "presets": "catalogue.Presets",
        "doctor": "doctor.Doctor",
        "version": "catalogue.Version",
        "completion": "completion.Completion",
    },
}
"""Commands as the overview has them, by name: file and class, or a function that gives the class for the rest of the
line."""
COMMANDS = {name: place for group in GROUPS.values() for name, place in group.items()}


def parse(args: list[str]) -> Callable[[], int]:
    """What a command line asks for, ready to be called; its value is the exit code.

    Raises:
        InputError: for a command or option that there is not.
    """
    name, *rest = args or ["--help"]
    if name in ("-h", "--help"):
        return overview
    if name == "--version":
        return version
    if name not in COMMANDS:
        hint = meant(name, COMMANDS.keys(), most=1, cutoff=0.5)
        raise InputError(f"unknown command '{name}'; {f'{hint} ' if hint else ''}Commands: {', '.join(COMMANDS)}")
    kind = command(name)
    if not isinstance(kind, type):
        kind, name, rest = kind(rest)
    return _tyro(kind, f"hades {name}", rest)


def command(name: str) -> Any:
    """A command's class, or function."""
    module, _, attribute = COMMANDS[name].partition(".")
    return getattr(import_module(f"hades.cli.{module}"), attribute)


def overview() -> int:
    """Print what there is, on one screen."""
    print("usage: hades COMMAND [OPTIONS]\n")
    print("Behaviour distillation: a handful of state-action pairs that train any network.")
    *groups, (last, questions) = GROUPS.items()
    rows = iter(align([(f"  {name}", _summary(name)) for _, group in groups for name in group]).splitlines())
    for title, group in groups:
        print(f"\n{title}:")
        for _ in group:
            print(next(rows))
    print(f"\n{last}: {', '.join(questions)}")
    print("\nhades distill cartpole is a good first line; hades COMMAND --help says more.")
    return 0


def _summary(name: str) -> str:
    return (getdoc(command(name)) or "").splitlines()[0]


def version() -> int:
    """Print HaDES's own."""
    print(f"hades-rl {metadata.version('hades-rl')}")
    return 0


def _tyro(kind: type, prog: str, args: list[str]) -> Any:
    captured = io.StringIO()
    args, off = turned_off(kind, args)
    try:
        with contextlib.redirect_stderr(captured):
            asked = tyro.cli(tyro.conf.OmitArgPrefixes[kind], prog=prog, description=getdoc(kind), args=args)
            asked.turned_off = off
    except SystemExit as end:
        if not end.code:
            raise
        raise InputError(told(captured.getvalue(), kind, prog)) from None
    check_given(asked, args)
    return asked
