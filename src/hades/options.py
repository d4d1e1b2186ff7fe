"""An option is declared once, as a field of a dataclass: its type, its default, what it may be, where it is shown.

    @dataclass(frozen=True)
    class Config:
        size: int = option(16, least=1, group="essentials")
        \"\"\"State-action pairs in the dataset, N.\"\"\"

`check` holds values against it, `help_of` reads the text below it; the command line, the files and the documentation
are derived from these.
"""

import ast
import dataclasses
import functools
import inspect
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from hades.errors import InputError

Choices = Collection[str] | Callable[[], Collection[str]]


@dataclass(frozen=True)
class Rule:
    """What an option's value may be, and where the command line shows it."""

    one_of: Choices | None = None
    least: float | None = None
    above: float | None = None
    off: str | None = None
    group: str = ""

    def check(self, name: str, value: Any) -> None:
        """Raise `InputError` unless a value, or each of several, may be; None is "not given" and always may."""
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                self._check(name, one)

    def _check(self, name: str, value: Any) -> None:
        known = self.one_of() if callable(self.one_of) else self.one_of
        if known is not None and value not in known:
            raise InputError(f"unknown {name} '{value}'; choose one of {', '.join(known)}")
        if self.least is not None and not self.least <= value < float("inf"):
            says = "be 0 (off) or positive" if self.least == 0 else f"be at least {self.least:g}"
            raise InputError(f"{name} must {says}, not {value}")
        if self.above is not None and not self.above < value < float("inf"):
            raise InputError(f"{name} must be positive, not {value}")


def option(default: Any = dataclasses.MISSING, **rule: Any) -> Any:
    """A dataclass's field with a rule.

    Args:
        default: left out: none, the option must be given. An empty mapping is made anew for each instance.
        rule: of `Rule`: ``one_of`` names (or a function that gives them), of which one means ``off``; at ``least`` a
            number, ``above`` a number; and the ``group`` of the help that shows it.
    """
    known = {"rule": Rule(**rule)}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=known)
    return field(default=default, metadata=known)


def registry(module: str, name: str) -> Callable[[], Collection[str]]:
    """Names of a registry, which is imported when a value is checked: a command's help does without JAX."""
    return lambda: getattr(import_module(module), name)


def rules(kind: type) -> Iterator[tuple[str, Rule]]:
    """The options of a dataclass, in order."""
    for known in dataclasses.fields(kind):
        if "rule" in known.metadata:
            yield known.name, known.metadata["rule"]


def check(options: Any) -> None:
    """Hold an instance's values against the rules of its fields.

    Raises:
        InputError: for the first that cannot be.
    """
    for name, rule in rules(type(options)):
        rule.check(name, getattr(options, name))


def check_names(kind: type, given: Collection[str], what: str) -> None:
    """Raise `InputError` for a name that a dataclass has no field of."""
    known = [known.name for known in dataclasses.fields(kind)]
    if unknown := set(given) - set(known):
        raise InputError(f"unknown option '{min(unknown)}'; {what} has {', '.join(known)}")


@functools.cache
def help_of(kind: type) -> dict[str, str]:
    """By field: the text below it, on one line."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(tree, ast.ClassDef)
    found = {}
    for line, below in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(below, ast.Expr):
            found[line.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return found
