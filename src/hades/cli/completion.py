"""hades completion: what a shell is to know, derived from the commands by tyro."""

import contextlib
import dataclasses
import io
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tyro
from tyro.conf import Positional, subcommand

from hades.cli.derive import Flag, sourceless
from hades.options import Rule, members, registry

SHELLS = ("bash", "zsh", "fish")
MARKS = (tyro.conf.OmitArgPrefixes, tyro.conf.OmitSubcommandPrefixes, tyro.conf.HelptextFromCommentsOff)


@dataclass(kw_only=True)
class Completion:
    """Print a script by which a shell completes commands and options.

    bash: hades completion bash > ~/.local/share/bash-completion/completions/hades
    zsh: hades completion zsh > _hades, into a folder of $fpath
    fish: hades completion fish > ~/.config/fish/completions/hades.fish
    """

    shell: Positional[Literal["bash", "zsh", "fish"]]
    """Whose script."""

    def __call__(self) -> int:
        print(script(self.shell))
        return 0


def script(shell: str) -> str:
    """Of all commands, their options, and the names that an option may have where there is a choice."""
    from hades.cli.parsing import COMMANDS, command
    from hades.cli.studies import study
    from hades.studies import STUDIES

    kinds: dict[str, Any] = {name: _known(kind) for name in COMMANDS if isinstance(kind := command(name), type)}
    kinds["study"] = _nested("study", {name: _known(study([name])[0]) for name in STUDIES})
    kinds["completion"] = _nested("completion", {name: make_dataclass(name, []) for name in SHELLS})
    marks = tyro.conf.configure(*MARKS)
    kinds = {name: marks(kind) for name, kind in kinds.items()}
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        tyro.extras.subcommand_cli_from_dict(kinds, prog="hades", args=["--tyro-print-completion", shell])
    # tyro's script ends with a program in Python, in which ours stands before its last line.
    before, last, after = said.getvalue().rstrip().rpartition("if __name__ == ")
    return before + MORE % (_words(),) + last + after


MORE = """import glob
import os

for _command, _words in %r.items():
    _spec = COMPLETION_SPEC['subcommands'][_command]
    _same = {**_spec, 'subcommands': {}}
    _spec['subcommands'] = {**_spec['subcommands'], **{
        word: {**_same, 'description': word, 'subcommands': {one: {**_same, 'description': one} for one in then}}
        for word, then in _words.items()
    }}

_named = get_completions


def get_completions(words, current_word_index, spec):
    found = _named(words, current_word_index, spec)
    typed = words[current_word_index] if current_word_index < len(words) else ''
    if found or not typed or current_word_index < 2 or words[current_word_index - 1].startswith('-'):
        return found
    paths = glob.glob(glob.escape(typed) + '*')
    if len(paths) == 1 and os.path.isdir(paths[0]):  # after several a shell puts no space
        paths += glob.glob(os.path.join(glob.escape(paths[0]), '*'))
    return [path + '/' * os.path.isdir(path) + '\\t' for path in sorted(paths)]


"""
"""Words that stand without an option's name, as if they were commands with the options of theirs; what is none of them
is a path."""


def _words() -> dict[str, dict[str, list[str]]]:
    """By command its words, and by word what may follow it."""
    from hades import zoo
    from hades.tasks.suites import SUITES

    datasets: dict[str, list[str]] = {name: [] for name in zoo.names()}
    known = dict.fromkeys(("evaluate", "train", "merge", "push", "report", "render", "explain"), datasets)
    named = {"list": [], "show": list(datasets), "get": list(datasets)}
    return {"distill": {name: [] for name in _tasks()}, "zoo": named, "envs": {name: [] for name in SUITES}, **known}


def _tasks() -> list[str]:
    """Tasks with presets, as they are typed."""
    from hades.presets import PRESETS

    names = dict.fromkeys(name.removeprefix("brax/") for configs in PRESETS.values() for name in configs)
    return [name if "/" in name else re.sub(r"-(v\d+|MinAtar|misc)$", "", name).lower() for name in names]


def _nested(name: str, kinds: Mapping[str, type]) -> type:
    """A command whose first word is one of these; tyro completes commands, and no other words."""
    each = tuple(Annotated[kind, subcommand(one)] for one, kind in kinds.items())
    return make_dataclass(name, [("choice", Union[each])])  # noqa: UP007


def _known(kind: type) -> type:
    """A command's class for completion alone: a choice is one for tyro, too, and each ``--no-X`` is an option."""
    changed: list[tuple[str, Any, Any]] = []
    for known in dataclasses.fields(kind):
        if isinstance(known.type, type) and dataclasses.is_dataclass(known.type):
            group = _known(known.type)
            changed.append((known.name, group, field(default_factory=group)))
        elif names := _names(known.type) or tuple(SUGGESTED.get(known.name, tuple)()):
            changed.append((known.name, *_choice(known.type, names)))
    off = [(f"no_{name}", Flag, False) for name in sorted(getattr(kind, "can_be_off", ()))]
    return sourceless(make_dataclass(kind.__name__, [*changed, *off], bases=(kind,), kw_only=True))


def _strategies() -> tuple[str, ...]:
    from hades.strategies import STRATEGIES
    from hades.strategies.evolution import names

    return *names(), *STRATEGIES


SUGGESTED: Mapping[str, Callable[[], Collection[str]]] = {
    "strategy": _strategies,
    "networks": registry("hades.learner.bodies", "NETWORKS"),
    "trackers": registry("hades.trackers", "TRACKERS"),
}
"""Of options that may be something else, too, by name: where one begins."""


def _names(kind: Any) -> tuple[str, ...]:
    """What an option may be, by its rule; nothing where it has none."""
    marks = get_args(kind)[1:] if get_origin(kind) is Annotated else ()
    choices = next((mark.one_of for mark in marks if isinstance(mark, Rule)), None)
    return tuple(choices() if callable(choices) else choices or ())


def _choice(kind: Any, names: tuple[str, ...]) -> tuple[Any, Any]:
    """The type of an option that is one or several of some names, with the help that it has, and a default."""
    bare, *marks = get_args(kind)
    one: Any = Literal[names]  # pyright: ignore[reportInvalidTypeForm]
    several = any(get_origin(each) is tuple for each in members(bare))
    return Annotated[(tuple[one, ...] if several else one, *marks)], () if several else names[0]
