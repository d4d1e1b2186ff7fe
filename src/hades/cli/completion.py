"""hades completion: what a shell is to know, derived from the commands by tyro."""

import contextlib
import io
from dataclasses import dataclass, make_dataclass
from typing import Any, Literal

import tyro
from tyro.conf import Positional

SHELLS = ("bash", "zsh", "fish")


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
    """Of all commands and their options."""
    from hades.cli.parsing import COMMANDS, command
    from hades.studies import STUDIES

    kinds: dict[str, Any] = {name: kind for name in COMMANDS if isinstance(kind := command(name), type)}
    names: Any = Positional[Literal[tuple(STUDIES)]]  # pyright: ignore[reportInvalidTypeForm]
    kinds["study"] = make_dataclass("study", [("name", names)])
    kinds = {name: tyro.conf.OmitArgPrefixes[kind] for name, kind in kinds.items()}
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
        tyro.extras.subcommand_cli_from_dict(kinds, prog="hades", args=["--tyro-print-completion", shell])
    return said.getvalue().rstrip()
