"""An option is declared once, as a field of a dataclass: its type, its default, what it may be, where it is shown.

    @dataclass(frozen=True)
    class Config:
        size: int = option(16, least=1, group="essentials")
        \"\"\"State-action pairs in the dataset, N.\"\"\"

`check` holds values against it, `held_to` the arguments of a function, `help_of` reads the text below it; the command
line, the files and the documentation are derived from these.
"""

import ast
import dataclasses
import functools
import inspect
import numbers
import textwrap
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from math import inf
from types import UnionType
from typing import Any, ParamSpec, TypeVar, Union, get_args, get_origin

from hades.aliases import Options
from hades.errors import InputError, meant

Choices = Collection[str] | Callable[[], Collection[str]]
P = ParamSpec("P")
R = TypeVar("R")

WHOLE, HUGE, TINY = 2**31 - 1, 3.4e38, 1.2e-38
"""On a device: the largest whole number; the largest and the least positive other number."""
SEED: Options = {"least": 0, "most": 2**63 - 1}
"""The rule of a seed."""
COUNT: Options = {"least": 1, "most": 2**63 - 1}
"""The rule of what is counted beside a device: steps of a budget."""
A_LINE = 12
"""Names that one line of an error can have; of more it has the nearest."""


@dataclass(frozen=True, eq=False)  # each is itself, and can be a mark of a type
class Rule:
    """What an option's value may be, and where the command line shows it."""

    one_of: Choices | None = None
    least: float | None = None
    above: float | None = None
    most: float | None = None
    off: Any = None
    group: str = ""

    def check(self, name: str, value: Any, kind: Any) -> Any:
        """A value, or each of several, as the option's type has it: numpy's numbers become Python's, lists tuples.

        Args:
            kind: the option's type; None may be where it says so.

        Raises:
            InputError: for a value that cannot be.
        """
        if value is None and type(None) in get_args(kind):
            return None
        tolist = getattr(value, "tolist", None)
        value = tolist() if callable(tolist) and not isinstance(value, type) else value
        for one in members(kind):
            if get_origin(one) is tuple and isinstance(value, (tuple, list)):
                return tuple(self.check(name, each, get_args(one)[0]) for each in value)
            if is_mapping(one) and isinstance(value, Mapping):
                element = get_args(one)[1]
                return {str(key): self.check(f"{name}: {key}", each, element) for key, each in value.items()}
        return self._one(name, value, members(kind))

    def _one(self, name: str, value: Any, kinds: tuple[Any, ...]) -> Any:
        if Any in kinds:
            return value
        if int in kinds and isinstance(value, float) and value.is_integer():
            value = int(value)
        accepted = tuple(_WORDS[kind][0] for kind in kinds if kind in _WORDS)
        if not isinstance(value, accepted) or (isinstance(value, bool) and bool not in kinds):
            raise InputError(f"{name} must be {' or '.join(map(_word, kinds))}, not {shown(value)}")
        if isinstance(value, str):
            return self._name(name, value)
        if isinstance(value, bool):
            return value
        self._bounds(name, value, WHOLE if int in kinds else HUGE)
        if int in kinds:
            return int(value)
        return value if isinstance(value, int) and abs(value) <= WHOLE else float(value)

    def _name(self, name: str, value: str) -> str:
        """Where there is a choice, without regard to case and punctuation."""
        known = self.one_of() if callable(self.one_of) else self.one_of
        if known is None or value in known:
            return value
        if same := [one for one in known if bare(one) == bare(value)]:
            return same[0]
        near = meant(value, [*known]) if len(known) > A_LINE else ""
        raise InputError(f"unknown {name} {shown(value)}; {near or 'choose one of ' + ', '.join(known)}")

    def _bounds(self, name: str, value: float, largest: float) -> None:
        says = ""
        if self.least is not None and not self.least <= value < inf:
            says = "0 (off) or positive" if self.off == 0 else f"at least {self.least:g}"
        elif self.above is not None and not max(self.above, TINY) <= value < inf:
            says = "positive"
        elif not -inf < value < inf:
            says = "a finite number"
        elif abs(value) > (self.most or largest):
            says = f"at most {self.most or largest}"
        if says:
            raise InputError(f"{name} must be {says}, not {shown(value)}")


_WORDS: dict[Any, tuple[Any, str]] = {
    int: (numbers.Integral, "a whole number"),
    float: (numbers.Real, "a number"),
    str: (str, "a name"),
    bool: (bool, "true or false"),
}
"""By an option's type: what its values are, and what that is called."""


def _word(kind: Any) -> str:
    if get_origin(kind) is tuple:
        return "several values"
    return "values by their names" if is_mapping(kind) else _WORDS[kind][1]


def shown(value: Any) -> str:
    """A value in a message: as it is where that is short, else what it is."""
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:40]!r}..."
    if isinstance(value, type):
        return f"the class {value.__name__}"
    short = value is None or isinstance(value, (str, float)) or (isinstance(value, int) and abs(value) < 10**40)
    return repr(value) if short else f"a value of type {type(value).__name__}"


def bare(name: str) -> str:
    """A name without case and punctuation."""
    return "".join(c for c in name.lower() if c.isalnum())


def members(kind: Any) -> tuple[Any, ...]:
    """The types that an option's values may have, but for None."""
    if get_origin(kind) in (Union, UnionType):
        return tuple(one for one in get_args(kind) if one is not type(None))
    return (kind,)


def is_mapping(kind: Any) -> bool:
    """Whether an option's values are mappings."""
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def option(default: Any = dataclasses.MISSING, **rule: Any) -> Any:
    """A dataclass's field with a rule.

    Args:
        default: left out: none, the option must be given. An empty mapping is made anew for each instance.
        rule: of `Rule`: ``one_of`` names (or a function that gives them); at ``least`` a number, ``above`` a number,
            at ``most`` a number (left out: what a device can hold); the value that turns it ``off``, MISSING where
            nothing does (left out: by its type); and the ``group`` of the help that shows it.
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


def check_value(kind: type, name: str, value: Any) -> Any:
    """One value as the rule of a dataclass's field has it (`Rule.check`); without a rule, anything goes.

    Raises:
        InputError: if it cannot be.
    """
    known = kind.__dataclass_fields__[name]
    return known.metadata["rule"].check(name, value, known.type) if "rule" in known.metadata else value


def check(options: Any) -> None:
    """Hold an instance's values against the rules of its fields, and keep them as these have them.

    Raises:
        InputError: for the first that cannot be.
    """
    for known, rule in rules(type(options)):
        value = rule.check(known.name, getattr(options, known.name), known.type)
        object.__setattr__(options, known.name, value)


def check_entries(kind: type, entries: Mapping[str, Any], what: str) -> None:
    """Hold values by their names against the rules of a dataclass's fields; names that it has not are let be.

    Raises:
        InputError: for the first that cannot be, or that is missing and has no default.
    """
    for known, rule in rules(kind):
        if known.name in entries:
            rule.check(f"{what}: {known.name}", entries[known.name], known.type)
        elif known.default is known.default_factory is dataclasses.MISSING:
            raise InputError(f"{what} has no {known.name}")


def held_to(*kinds: type) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A function whose arguments, as far as one of these dataclasses has fields of their names, are held to its rules.

    It raises `InputError` for the first that cannot be.
    """
    home = {known.name: kind for kind in kinds for known, _ in rules(kind)}

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def held(*args: P.args, **kwargs: P.kwargs) -> R:
            bound = signature.bind(*args, **kwargs)
            for name in [name for name in bound.arguments if name in home]:
                bound.arguments[name] = check_value(home[name], name, bound.arguments[name])
            return function(*bound.args, **bound.kwargs)

        return held

    return decorate


def check_names(kind: type, given: Collection[str], what: str) -> None:
    """Raise `InputError` for a name that a dataclass has no field of."""
    known = [known.name for known in dataclasses.fields(kind)]
    if unknown := set(given) - set(known):
        hint = meant(min(unknown), known, most=1)
        raise InputError(f"unknown option '{min(unknown)}'; {f'{hint} ' if hint else ''}{what} has {', '.join(known)}")


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
