"""One declaration is an option of the command line, of Python and of config.json."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, get_args, get_origin

import pytest
import tyro
from tests.helpers import run

import hades
from hades import arguments
from hades.baselines.images import across, baseline
from hades.baselines.ppo import train_ppo
from hades.baselines.weights import evolve_weights
from hades.cli.derive import given, off_value, options_of, turned_off
from hades.cli.parsing import COMMANDS, command
from hades.config import Config
from hades.errors import InputError
from hades.learner.recipe import Recipe
from hades.options import option, rules


@dataclass(frozen=True)
class Tea:
    """A cup."""

    cups: int = option(1, least=1, group="essentials")
    """How many."""
    sort: str = option("green", one_of=("none", "green"), off="none", group="taste")
    """Which leaves."""
    sugar: float = option(1.0, least=0, off=0, group="taste")
    """Spoons."""
    minutes: float | None = option(3.0, above=0, group="taste")
    """Of brewing."""
    iced: bool = option(False, group="taste")
    """With ice."""
    guests: tuple[str, ...] = option((), group="company")
    """Who comes."""
    sips: int | tuple[int, ...] = option(7, least=1, group="company")
    """Of each guest."""
    ratings: Mapping[str, float] = option({}, group="company")
    """Of each sort."""
    secret: int = 3


OPTIONS: Any = options_of(Tea, inline="essentials")


def _given(*args: str) -> dict[str, Any]:
    """What a command line wishes for."""
    rest, off = turned_off(OPTIONS, list(args))
    asked = tyro.cli(tyro.conf.OmitArgPrefixes[OPTIONS], args=rest)
    asked.turned_off = off
    return given(asked, Tea)


@pytest.mark.parametrize(
    ("line", "wishes"),
    [
        ("", {}),
        ("--cups 3", {"cups": 3}),
        ("--sort green --sugar 0.5 --minutes 4", {"sort": "green", "sugar": 0.5, "minutes": 4.0}),
        ("--iced", {"iced": True}),
        ("--guests ann bob", {"guests": ("ann", "bob")}),
        ("--sips 3", {"sips": 3}),
        ("--sips 3 4", {"sips": (3, 4)}),
        ("--ratings green=3 black=0.5", {"ratings": {"green": 3.0, "black": 0.5}}),
        ("--no-sort --no-sugar --no-minutes", {"sort": "none", "sugar": 0, "minutes": None}),
        ("--no-iced --no-guests --no-ratings", {"iced": False, "guests": (), "ratings": {}}),
    ],
)
def test_a_line_is_what_was_given_and_nothing_else(line: str, wishes: dict[str, Any]) -> None:
    assert _given(*line.split()) == wishes
    Tea(**wishes)


def test_an_option_is_given_or_turned_off_not_both() -> None:
    with pytest.raises(InputError, match="give --sugar or --no-sugar, not both"):
        _given("--sugar", "2", "--no-sugar")
    with pytest.raises(InputError, match="ratings are KEY=NUMBER, not 'green=good'"):
        _given("--ratings", "green=good")


def test_what_cannot_be_off_has_no_such_option() -> None:
    assert OPTIONS.can_be_off == {"sort", "sugar", "minutes", "iced", "guests", "ratings"}
    fields = {field.name: field for field in dataclasses.fields(Tea)}
    assert off_value(fields["cups"]) is off_value(fields["sips"]) is dataclasses.MISSING


def test_help_has_every_option_with_its_text_in_its_group(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        _given("--help")
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    words = ["--cups INT How many.", "--sort NAME Which leaves. --no-sort: off.", "taste options", "--sips INT ..."]
    assert not [one for one in words if one not in text]
    assert "secret" not in text


@dataclass(frozen=True)
class Order:
    """At the counter."""

    tables: int = option(2, least=1)
    """How many."""
    outside: bool = option(False)
    """In the sun."""


def test_what_nothing_lies_below_shows_its_default_and_cannot_be_off(capsys: pytest.CaptureFixture[str]) -> None:
    whole: Any = options_of(Tea, whole=(Order,))
    with pytest.raises(SystemExit):
        tyro.cli(tyro.conf.OmitArgPrefixes[whole], args=["--help"])
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--tables INT How many. (default: 2)" in text and "--outside In the sun." in text
    assert whole.can_be_off == OPTIONS.can_be_off
    asked = tyro.cli(tyro.conf.OmitArgPrefixes[whole], args=["--tables", "3"])
    assert given(asked, Order) == {"tables": 3}


TABLE = {
    known.name
    for kind in (Config, Recipe, *vars(arguments).values())
    if dataclasses.is_dataclass(kind)
    for known, _ in rules(kind)  # type: ignore[arg-type]
}
"""All options that have a rule."""


def _numbers(kind: Any) -> set[str]:
    """The fields of a command that are numbers, its groups' among them."""
    found = set()
    for known in dataclasses.fields(kind):
        if dataclasses.is_dataclass(known.type):
            found |= _numbers(known.type)
        elif _atoms(known.type) & {int, float}:
            found.add(known.name)
    return found


def _atoms(kind: Any) -> set[Any]:
    """The types that a type is made of."""
    parts = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    return set().union(*map(_atoms, parts)) if parts else {kind}


def test_every_number_of_a_command_is_in_the_table_of_bounds() -> None:
    kinds = [command(name) for name in COMMANDS if isinstance(command(name), type)]
    found = {name for kind in kinds for name in _numbers(kind)}
    assert {"size", "inits", "checkpoint_every", "process_id", "width", "seed"} <= found <= TABLE


HELD = (hades.resume, hades.evaluate, hades.policy, hades.merge, evolve_weights, train_ppo, baseline, across)


@pytest.mark.parametrize("function", [hades.distill, *HELD])
def test_every_number_of_a_function_is_held_to_its_rule(function: Callable[..., object]) -> None:
    parameters = [one for one in inspect.signature(function).parameters.values() if one.kind is not one.VAR_KEYWORD]
    needed = [1 for one in parameters if one.default is one.empty]
    plain = (int, float, bool, int | None, float | None)
    checked = {one.name for one in parameters if one.annotation in plain}
    checked -= {"size", "seed"} if function is hades.distill else set()  # of a configuration, and checked as such
    assert checked
    for name in checked:
        arguments = dict(zip([one.name for one in parameters], needed, strict=False)) | {name: "many"}
        with pytest.raises(InputError, match=f"{name} must be .* not 'many'"):
            function(**arguments)


def test_a_field_of_a_configuration_is_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(capsys, "distill", "--help")
    text = capsys.readouterr().out
    for field in dataclasses.fields(Config):
        if field.name != "learner":
            assert f"--{field.name.replace('_', '-')} " in text, field.name
    essentials = [text.index(f"--{name} ") for name in ("size", "init", "minutes", "seed")]
    assert max(essentials) < text.index("--population") < text.index("--coordinator")
