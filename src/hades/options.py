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
import numbers
import textwrap
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from types import UnionType
from typing import Any, Union, get_args, get_origin

from hades.errors import InputError

Choices = Collection[str] | Callable[[], Collection[str]]


@dataclass(frozen=True)
class Rule:
    """What an option's value may be, and where the command line shows it."""

    one_of: Choices | None = None
    least: float | None = None
    above: float | None = None
    off: Any = None
    group: str = ""

    def check(self, name: str, value: Any, kind: Any) -> None:
        """Raise `InputError` unless a value, or each of several, may be.

        Args:
            kind: the option's type; None may be where it says so.
        """
        if value is None and type(None) in get_args(kind):
            return
        kinds = members(kind)
        if isinstance(value, (tuple, list)) and any(get_origin(one) is tuple for one in kinds):
            kinds = tuple(get_args(one)[0] for one in kinds if get_origin(one) is tuple)
            for one in value:
                self._check(name, one, kinds)
        elif all(get_origin(one) is tuple for one in kinds):
            raise InputError(f"{name} must be several values, not {value!r}")
        else:
            self._check(name, value, kinds)

    def _check(self, name: str, value: Any, kinds: tuple[Any, ...]) -> None:
        words = [_WORDS[kind] for kind in kinds if kind in _WORDS]
        if words and not any(isinstance(value, types) for types, _ in words):
            raise InputError(f"{name} must be {' or '.join(word for _, word in words)}, not {value!r}")
        known = self.one_of() if callable(self.one_of) else self.one_of
        if known is not None and value not in known:
            raise InputError(f"unknown {name} '{value}'; choose one of {', '.join(known)}")
        if self.least is not None and not self.least <= value < float("inf"):
            says = "be 0 (off) or positive" if self.off == 0 else f"be at least {self.least:g}"
            raise InputError(f"{name} must {says}, not {value}")
        if self.above is not None and not self.above < value < float("inf"):
            raise InputError(f"{name} must be positive, not {value}")


_WORDS: dict[Any, tuple[Any, str]] = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a name"),
    bool: (bool, "true or false"),
}
"""By an option's type: what its values are, and what that is called."""


def members(kind: Any) -> tuple[Any, ...]:
    """The types that an option's values may have, but for None."""
    if get_origin(kind) in (Union, UnionType):
        return tuple(one for one in get_args(kind) if one is not type(None))
    return (kind,)


def option(default: Any = dataclasses.MISSING, **rule: Any) -> Any:
    """A dataclass's field with a rule.

    Args:
        default: left out: none, the option must be given. An empty mapping is made anew for each instance.
        rule: of `Rule`: ``one_of`` names (or a function that gives them); at ``least`` a number, ``above`` a number;
            the value that turns it ``off``, MISSING where nothing does (left out: by its type); and the ``group`` of
            the help that shows it.
    """
    known = {"rule": Rule(**rule)}
    if isinstance(default, dict):
        return field(default_factory=lambda: dict(default), metadata=known)
    return field(default=default, metadata=known)


def registry(module: str, name: str) -> Callable[[], Collection[str]]:
    """Names of a registry, which is imported when a value is checked: a command's help does without JAX."""
    return lambda: getattr(import_module(module), name)


def rules(kind: type) -> Iterator[tuple["dataclasses.Field[Any]", Rule]]:
    """The options of a dataclass, in order."""
    for known in dataclasses.fields(kind):
        if "rule" in known.metadata:
            yield known, known.metadata["rule"]


def check_value(kind: type, name: str, value: Any) -> None:
    """Hold one value against the rule of a dataclass's field; without a rule, anything goes.

    Raises:
        InputError: if it cannot be.
    """
    known = kind.__dataclass_fields__[name]
    if "rule" in known.metadata:
        known.metadata["rule"].check(name, value, known.type)


def check(options: Any) -> None:
    """Hold an instance's values against the rules of its fields.

    Raises:
        InputError: for the first that cannot be.
    """
    for known, rule in rules(type(options)):
        rule.check(known.name, getattr(options, known.name), known.type)


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
