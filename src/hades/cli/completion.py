"""hades completion: what a shell is to know, derived from the commands by tyro."""

import contextlib
import dataclasses
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, make_dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import tyro
from tyro.conf import Positional, subcommand

from hades.cli.derive import SOURCELESS, Flag
from hades.options import Rule, members

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
    return said.getvalue().rstrip()


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
        elif names := _names(known.type):
            changed.append((known.name, *_choice(known.type, names)))
    off = [(f"no_{name}", Flag, False) for name in sorted(getattr(kind, "can_be_off", ()))]
    return make_dataclass(kind.__name__, [*changed, *off], bases=(kind,), kw_only=True, namespace=dict(SOURCELESS))


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
