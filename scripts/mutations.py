"""Mutations of JSON documents, of files and of command lines, by a random generator."""

import copy
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

DEEP = "nested"
"""In a document, stands for lists in lists."""
NASTY: list[Any] = [
    None, True, False, 0, -1, 1, 3, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 2**63, 2**64, 10**12, 10**400, 0.5, -0.0,
    1e-320, 1e308, -1e308, float("nan"), float("inf"), "", " ", "0", "nan", "mlp:64x999999999", "SNES@1e999999999",
    "a" * 9_000, "\x1b[31mred", "two\nlines", "\x00", "\ud800", "π", "../..", "[/b]", [], [[]], [1, "a"], {},
    {"a": {"b": []}}, [None] * 50, DEEP,
]  # fmt: skip
"""Values that somebody's file may have."""
WORDS = [
    "0", "-1", "1", "2", "3", "64", "1.5", "1e3", "1e999", "nan", "inf", "-inf", "2147483647", "2147483648",
    "4294967296", "18446744073709551616", "1000000", "0x10", "1_000", "none", "None", "true", "--", "-", "--help",
    "--json", "--debug", "-h", "@", "=", "temperature=", "=3", "temperature=nan", "temperature=20", "temperature=0",
    "cartpole", "acrobot", "digits", "hopper", "cartpole-2", "pendulum", "mine.safetensors", "union.safetensors",
    "run", ".", "..", "random", "sample", "SNES", "CMA-ES", "OpenES", "xNES", "gradient", "gradient:lion", "nothing",
    "SNES@0.2", "SNES@2", "mlp", "mlp:8", "mlp:8,8", "cnn", "lenet", "transformer", "tanh", "relu", "swish", "ReLU",
    "adam", "sgd", "fixed", "soft", "auto", "fresh", "laptop", "paper", "wandb", "tensorboard", "mlflow", "", " ", "é",
    "\x1b[2J", "two\nlines", "'", '"', "a" * 5_000, "9" * 5_000, "[/b]", "\udcff",
]  # fmt: skip
"""Words that somebody may type."""


def mutated(rng: random.Random, value: Any) -> Any:
    """A JSON value with something else somewhere in it."""
    value = copy.deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        nodes = list(_nodes(value))
        if not nodes:
            return rng.choice(NASTY)
        owner, key = rng.choice(nodes)
        what = rng.randrange(8)
        if what == 0:
            del owner[key]
        elif what == 1 and isinstance(owner, dict):
            owner[rng.choice([key.upper(), f"{key} ", "", "new", "\x1b[1m", "__class__"])] = owner[key]
        elif what == 2:
            owner[key] = [owner[key]]
        elif what == 3:
            owner[key] = owner[rng.choice(list(owner))] if isinstance(owner, dict) else rng.choice(owner)
        elif what in (4, 5) and isinstance(owner[key], (int, float, str)):
            owner[key] = _alike(rng, owner[key])
        else:
            owner[key] = copy.deepcopy(rng.choice(NASTY))
    return value


def _alike(rng: random.Random, value: Any) -> Any:
    """Another number or word."""
    if isinstance(value, str):
        return rng.choice(WORDS)
    number = value if abs(value) < 1e300 else 1.0
    near = number + 1, -number, number * 1000, number / 7, round(number)
    return rng.choice([*near, rng.randrange(20), 10.0 ** rng.randrange(-9, 12)])


def _nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Everything in a JSON value, as what holds it and its key there."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _nodes(value[key])


def written(value: Any) -> str:
    """A document's text."""
    return json.dumps(value).replace(f'"{DEEP}"', "[" * 700 + "]" * 700)


def damaged(rng: random.Random, data: bytes) -> bytes:
    """A file that was cut off, overwritten, or has bits turned."""
    at, what = rng.randrange(len(data) + 1), rng.randrange(5)
    if what == 0:
        return data[:at]
    if what == 1:
        data = data[:at] + rng.randbytes(rng.randrange(1, 20)) + data[at + 1 :]
    elif what == 2:
        data = data[:at] + data[: rng.randrange(64)] + data[at:]
    elif what == 3:
        return b"[" * 100_000 + data[at:] if rng.random() < 0.1 else rng.randbytes(rng.randrange(300))
    turned = bytearray(data)
    for at in [rng.randrange(len(data)) for _ in range(rng.randrange(1, 9)) if data]:
        turned[at] ^= 1 << rng.randrange(8)
    return bytes(turned)


def worded(rng: random.Random, args: list[str], others: Sequence[str]) -> list[str]:
    """A command line with words left out, doubled, changed, or mixed with others."""
    args = list(args)
    for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 5))):
        at, word, what = rng.randrange(len(args) + 1), rng.choice([*WORDS, *others]), rng.randrange(5)
        if what == 0 or not args:
            args.insert(at, word)
            continue
        at %= len(args)
        if what == 1:
            del args[at]
        elif what == 2:
            args[at] = word
        elif what == 3:
            args.insert(at, args[at])
        else:
            cut = rng.randrange(len(args[at]) + 1)
            args[at] = args[at][:cut] + rng.choice("0-=.é\n@:x") + args[at][cut + rng.randrange(2) :]
    return [word for word in args if not word.startswith("/")]  # nothing outside of the folder
