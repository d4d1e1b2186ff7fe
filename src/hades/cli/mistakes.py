"""What is wrong with a line, in one line. tyro's answer is a box, and names types; ours what would be right."""

import ast
import dataclasses
import re
from collections.abc import Iterator
from typing import Annotated, Any, get_args, get_origin

from tyro.conf import Positional

from hades.errors import meant
from hades.options import members, shown

_WORDS = {int: ("a whole number", "whole numbers"), float: ("a number", "numbers")}


def told(box: str, kind: type, prog: str) -> str:
    """tyro's box about a line, in a line of ours where it is of a kind that we know.

    Args:
        kind: the command's dataclass.
        prog: how the command is called.
    """
    said = _unboxed(box)
    known, more = dict(_options(kind)), f"; {prog} --help says more"
    if missing := re.match(r"Missing from (hades [\w ]+): (\S+)", said):
        return f"{prog} needs {missing[2]}{more}"
    if unknown := re.match(r"Unrecognized options: (.*?)(\. Perhaps|$)", said):
        words = unknown[1].split(", ")
        return _unknown(next((word for word in words if word.startswith("-")), words[0]), known, prog)
    if empty := re.match(r"Missing value for argument '([\w-]+)", said):
        option = empty[1] in known
        return f"{empty[1]} needs {_right(known[empty[1]])}" if option else f"{prog} needs {empty[1].upper()}{more}"
    if choice := re.match(r"invalid choice '(.*)' for argument '(.*)'. Expected one of \((.*)\)", said):
        return f"unknown {choice[2]} '{choice[1]}'; choose one of {choice[3].replace(chr(39), '').strip(',')}"
    if wrong := re.match(r"Error parsing (--[\w-]+): .*?(\[.*\])$", said):
        return f"{wrong[1]} must be {_right(known.get(wrong[1]))}, not {_given(wrong[2])}"
    return said


def _unboxed(box: str) -> str:
    """The message of a box, whose parts have rules between them; without a box, a title stands above."""
    lines = [line.strip("│ ") for line in box.splitlines() if not line.startswith(("╭", "╰"))]
    parts = re.split(r"\n[─-]{8,}\n", "\n".join(lines))
    message, *_ = (" ".join(part.split()) for part in (parts if "╭" in box else parts[1:]))
    return message.split("Got errors:")[0].replace("{None}|", "").strip(" .")


def _unknown(word: str, known: dict[str, Any], prog: str) -> str:
    if not word.startswith("-"):
        return f"{prog} has no use for '{word}'; {prog} --help says more"
    name = word.partition("=")[0]
    hint = meant(name, known.keys(), most=1, cutoff=0.7) or f"{prog} --help lists them"
    return f"{prog} has no option {name}; {hint}"


def _options(kind: type) -> Iterator[tuple[str, Any]]:
    """A command's options as they are typed, and their types; its groups' among them."""
    for known in dataclasses.fields(kind):
        if isinstance(known.type, type) and dataclasses.is_dataclass(known.type):
            yield from _options(known.type)
        elif not _stands_alone(known.type):
            yield f"--{known.name.replace('_', '-')}", known.type
    yield from ((f"--no-{name.replace('_', '-')}", bool) for name in getattr(kind, "can_be_off", ()))


def _stands_alone(kind: Any) -> bool:
    """Whether a value is given without the option's name."""
    return bool(set(map(id, get_args(kind)[1:])) & set(map(id, get_args(Positional[int])[1:])))


def _right(kind: Any) -> str:
    """What an option of a type may be."""
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    several = [get_args(one)[0] for one in members(bare) if get_origin(one) is tuple]
    kinds = several or list(members(bare))
    single, plural = _WORDS.get(kinds[0], ("a value", "values"))
    return plural if several else single


def _given(listed: str) -> str:
    """Words as they were typed, of a list that Python has printed."""
    try:
        return shown(" ".join(ast.literal_eval(listed)))
    except (SyntaxError, TypeError, ValueError):  # of which a line of the box was too short
        return shown(listed)
