"""One declaration is an option of the command line, of Python and of config.json."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import tyro
from tests.helpers import run

from hades.cli.derive import given, off_value, options_of, turned_off
from hades.config import Config
from hades.errors import InputError
from hades.options import option


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


def test_a_field_of_a_configuration_is_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(capsys, "distill", "--help")
    text = capsys.readouterr().out
    for field in dataclasses.fields(Config):
        if field.name != "learner":
            assert f"--{field.name.replace('_', '-')} " in text, field.name
    essentials = [text.index(f"--{name} ") for name in ("size", "init", "minutes", "seed")]
    assert max(essentials) < text.index("--population") < text.index("--coordinator")
