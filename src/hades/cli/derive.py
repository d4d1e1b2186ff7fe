"""Command-line options from the dataclasses that declare them: names, types, help and groups, and ``--no-X``.

What is not given comes from the preset, or from the dataset's own recipe: an option that is absent says nothing.
"""

import dataclasses
from collections.abc import Collection, Mapping
from dataclasses import field, fields, make_dataclass
from typing import Annotated, Any, get_args, get_origin

import tyro
from tyro.conf import arg

from hades.aliases import Json
from hades.errors import InputError
from hades.options import Rule, help_of, members, rules

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff, arg(help_behavior_hint="")]
METAVARS = {int: "INT", float: "FLOAT", str: "NAME"}


def shown(metavar: str) -> Any:
    """How an option that may be left out is shown: without a default, for there may be many."""
    return arg(metavar=metavar, help_behavior_hint="")


def options_of(
    *kinds: type, whole: tuple[type, ...] = (), inline: str = "", leave_out: tuple[str, ...] = (), say_off: bool = True
) -> Any:
    """A dataclass with an option for every field of others that has a rule, none of them given.

    Args:
        whole: further ones, which nothing lies below that an absent option came from: their defaults are shown, and
            nothing of them is to be turned off.
        inline: the group whose options stand by themselves, before all groups.
        leave_out: names of fields.
        say_off: say of each option that can be turned off how.
    """
    groups: dict[str, list[tuple[str, Any, Any]]] = {}
    can_be_off = set()
    for kind in (*kinds, *whole):
        for known, rule in rules(kind):
            if known.name not in leave_out:
                off = kind in kinds and off_value(known) is not dataclasses.MISSING
                can_be_off |= {known.name} if off else set()
                text = help_of(kind)[known.name] + (_default(known) if kind in whole else "")
                groups.setdefault(rule.group, []).append(_argument(known, rule, text, off and say_off))
    own = groups.pop(inline, [])
    for group, arguments in groups.items():
        made = sourceless(make_dataclass(group, arguments, kw_only=True))
        made.__doc__ = ""
        own.append((group.replace(" ", "_"), made, field(default_factory=made)))
    namespace = {"can_be_off": can_be_off, "turned_off": ()}
    return sourceless(make_dataclass("Options", own, kw_only=True, namespace=namespace))


def sourceless(made: type) -> type:
    """A class that was made: else tyro looks for its source in the file of whoever made it, each time anew."""
    made.__module__ = "builtins"
    return made


def turned_off(kind: type, args: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """A command's line without its ``--no-X``, and the options that these turn off."""
    names = {f"--no-{name.replace('_', '-')}": name for name in getattr(kind, "can_be_off", ())}
    return [one for one in args if one not in names], tuple(names[one] for one in args if one in names)


def _argument(known: dataclasses.Field[Any], rule: Rule, text: str, off: bool) -> tuple[str, Any, Any]:
    without = f" --no-{known.name.replace('_', '-')}: off." if off else ""
    kind, absent = _type(known.type)
    return known.name, Annotated[kind, arg(help=text + without), rule], absent


def _default(known: dataclasses.Field[Any]) -> str:
    nothing = known.default is None or known.default is False or known.default == ()
    return "" if nothing else f" (default: {known.default})"


def _type(annotation: Any) -> tuple[Any, Any]:
    """The type of an option on the command line, and what it is when it is absent."""
    kinds = members(annotation)
    if bool in kinds:
        return Flag, False
    if any(map(_is_mapping, kinds)):
        return Annotated[tuple[str, ...], shown("KEY=VALUE ...")], ()
    if several := next((kind for kind in kinds if get_origin(kind) is tuple), None):
        element = get_args(several)[0]
        return Annotated[tuple[element, ...], shown(f"{METAVARS[element]} ...")], ()
    kind = kinds[0]
    return Annotated[kind | None, shown(METAVARS[kind])], None


def _is_mapping(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def off_value(known: dataclasses.Field[Any]) -> Any:
    """What an option is when it is turned off; MISSING where it cannot be."""
    rule: Rule = known.metadata["rule"]
    if rule.off is not None:
        return rule.off
    kinds = members(known.type)
    if bool in kinds:
        return False
    if type(None) in get_args(known.type):
        return None
    if any(map(_is_mapping, kinds)):
        return {}
    if get_origin(known.type) is tuple:
        return ()
    return dataclasses.MISSING


def given(options: Any, kind: type) -> Json:
    """What was given of a dataclass's fields, as that dataclass has them.

    Raises:
        InputError: for an option that is given and turned off at once, or a value that cannot be.
    """
    flat = _flat(options)
    wishes = {}
    for known in fields(kind):
        value = flat.get(known.name)
        there = _there(value)
        if known.name in options.turned_off:
            name = known.name.replace("_", "-")
            if there:
                raise InputError(f"give --{name} or --no-{name}, not both")
            wishes[known.name] = off_value(known)
        elif there:
            wishes[known.name] = _value(known, value)
    return wishes


def check_given(options: Any, args: Collection[str]) -> None:
    """Raise `InputError` for an option of several values that is there without any: it would count as left out."""
    for name, value in _flat(options).items():
        if value == () and (flag := f"--{name.replace('_', '-')}") in args:
            raise InputError(f"{flag} has no values; give some, or leave it out")


def refuse(options: Any, names: Collection[str], why: str) -> None:
    """Raise `InputError` for the first of these options that is given, or turned off, where it would do nothing."""
    for name, value in _flat(options).items():
        if name in names and (name in options.turned_off or _there(value)):
            raise InputError(f"--{name.replace('_', '-')} {why}")


def _there(value: Any) -> bool:
    """Whether an option was given; an absent one is none, nothing or false."""
    return value is not None and value != () and value is not False


def _flat(options: Any) -> dict[str, Any]:
    flat = {}
    for name, value in vars(options).items():
        flat |= _flat(value) if dataclasses.is_dataclass(value) else {name: value}
    return flat


def _value(known: dataclasses.Field[Any], value: Any) -> Any:
    kinds = members(known.type)
    if any(map(_is_mapping, kinds)):
        return numbers(known.name, value)
    return value[0] if isinstance(value, tuple) and int in kinds and len(value) == 1 else value


def numbers(name: str, pairs: tuple[str, ...]) -> dict[str, float]:
    """``KEY=NUMBER ...``."""
    try:
        return {key: float(value) for key, value in (pair.split("=", 1) for pair in pairs)}
    except ValueError:
        raise InputError(f"{name.replace('_', ' ')} are KEY=NUMBER, not '{' '.join(pairs)}'") from None
