"""Options declared once: what holds them to their rules, and what reads the text below them."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hades.config import Config
from hades.errors import InputError
from hades.learner.recipe import Recipe
from hades.options import SEED, check, check_entries, check_names, held_to, help_of, option, registry, rules


@dataclass(frozen=True)
class Tea:
    """A cup."""

    sort: str = option("green", one_of=("green", "black"), group="taste")
    """Which leaves."""
    cups: int = option(1, least=1)
    """How many,
    of the usual size."""
    sugar: float = option(0.0, least=0, off=0)
    """Spoons."""
    minutes: float | None = option(None, above=0)
    """Of brewing."""
    sips: tuple[int, ...] = option((), least=1)
    """Of each guest."""
    notes: Mapping[str, float] = option({})
    """On the taste."""
    seed: int = option(0, **SEED)
    """Of the leaves."""
    unruled: int = 3

    def __post_init__(self) -> None:
        check(self)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sort": "mate"}, "unknown sort 'mate'; choose one of green, black"),
        ({"cups": 0}, "cups must be at least 1, not 0"),
        ({"sugar": -1.0}, r"sugar must be 0 \(off\) or positive, not -1"),
        ({"minutes": 0.0}, "minutes must be positive, not 0"),
        ({"minutes": float("nan")}, "minutes must be positive, not nan"),
        ({"minutes": float("inf")}, "minutes must be positive, not inf"),
        ({"sips": (3, 0)}, "sips must be at least 1, not 0"),
        ({"cups": 2.5}, "cups must be a whole number, not 2.5"),
        ({"cups": "two"}, "cups must be a whole number, not 'two'"),
        ({"cups": None}, "cups must be a whole number, not None"),
        ({"sort": None}, "sort must be a name, not None"),
        ({"sips": 3}, "sips must be several values, not 3"),
        ({"cups": True}, "cups must be a whole number, not True"),
        ({"cups": 2**31}, "cups must be at most 2147483647, not 2147483648"),
        ({"cups": 1e300}, "cups must be at most 2147483647, not a value of type int"),
        ({"cups": np.arange(2)}, "cups must be a whole number, not a value of type list"),
        ({"cups": dict}, "cups must be a whole number, not the class dict"),
        ({"sugar": 1e39}, r"sugar must be at most 3.4e\+38, not 1e\+39"),
        ({"minutes": 1e-40}, "minutes must be positive, not 1e-40"),
        ({"seed": 2**63}, "seed must be at most 9223372036854775807, not 9223372036854775808"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"notes": 3}, "notes must be values by their names, not 3"),
        ({"notes": {"sweet": "very"}}, "notes: sweet must be a number, not 'very'"),
        ({"notes": {"sweet": float("inf")}}, "notes: sweet must be a finite number, not inf"),
        ({"sort": "g" * 99}, "unknown sort 'gggg"),
    ],
)
def test_a_value_that_cannot_be_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Tea(**options)


@pytest.mark.parametrize(
    ("options", "plain"),
    [
        ({"cups": np.int64(3)}, {"cups": 3}),
        ({"cups": 3.0}, {"cups": 3}),
        ({"sugar": np.float32(0.5)}, {"sugar": 0.5}),
        ({"sugar": Fraction(1, 2)}, {"sugar": 0.5}),
        ({"sips": [1, np.int32(2)]}, {"sips": (1, 2)}),
        ({"sips": np.asarray([3, 4])}, {"sips": (3, 4)}),
        ({"notes": {"sweet": np.float64(2)}}, {"notes": {"sweet": 2.0}}),
        ({"notes": {"sweet": 10**12}}, {"notes": {"sweet": 1e12}}),
        ({"sort": "GREEN"}, {"sort": "green"}),
        ({"seed": np.uint64(2**63 - 1)}, {"seed": 2**63 - 1}),
    ],
)
def test_a_value_becomes_what_its_type_says(options: dict[str, Any], plain: dict[str, Any]) -> None:
    tea = Tea(**options)
    for name, value in plain.items():
        assert getattr(tea, name) == value and type(getattr(tea, name)) is type(value)


def test_a_functions_arguments_are_held_to_their_rules() -> None:
    @held_to(Tea)
    def brew(leaf: object, cups: int = Tea.cups, *, sugar: float = Tea.sugar, other: int = 0) -> tuple[Any, ...]:
        """Brew."""
        return leaf, cups, sugar, other

    two: Any = np.int64(2)
    assert brew("a", two, sugar=1, other=-7) == ("a", 2, 1, -7) and brew("a") == ("a", 1, 0.0, 0)
    assert brew.__doc__ == "Brew."
    bad: list[tuple[Any, str]] = [(0, "cups must be at least 1, not 0"), ("2", "cups must be a whole number, not '2'")]
    for cups, says in bad:
        with pytest.raises(InputError, match=says):
            brew("a", cups)
    with pytest.raises(TypeError):
        brew()  # type: ignore[call-arg]


def test_entries_of_a_file_are_held_to_the_rules_that_there_are() -> None:
    @dataclass(frozen=True)
    class Order:
        cups: int = option(least=1)
        sort: str = option("green")

    check_entries(Order, {"cups": 2, "table": None}, "an order")
    for entries, says in (
        ({}, "an order has no cups"),
        ({"cups": 1, "sort": 2}, "an order: sort must be a name, not 2"),
    ):
        with pytest.raises(InputError, match=says):
            check_entries(Order, entries, "an order")


def test_what_is_not_given_always_may_be() -> None:
    assert Tea().minutes is None and Tea(sips=()).sips == ()


def test_an_empty_mapping_is_made_anew_for_each() -> None:
    one, two = Tea(), Tea()
    assert isinstance(one.notes, dict) and one.notes is not two.notes
    one.notes["sweet"] = 1.0
    assert two.notes == {} and Tea().notes == {}


def test_only_fields_with_a_rule_are_options() -> None:
    names = ["sort", "cups", "sugar", "minutes", "sips", "notes", "seed"]
    assert [known.name for known, _ in rules(Tea)] == names
    assert next(rules(Tea))[1].group == "taste"


def test_help_is_the_text_below_a_field_on_one_line() -> None:
    assert help_of(Tea)["cups"] == "How many, of the usual size." and "unruled" not in help_of(Tea)


@pytest.mark.parametrize("kind", [Config, Recipe])
def test_every_option_has_its_help_and_its_group(kind: type) -> None:
    for known, rule in rules(kind):
        assert help_of(kind)[known.name].endswith(".") and rule.group, known.name


def test_unknown_names_are_told_the_known_ones() -> None:
    check_names(Tea, {"cups": 3}, "tea")
    with pytest.raises(InputError, match="unknown option 'milk'; tea has sort, cups, sugar, minutes"):
        check_names(Tea, ["cups", "milk"], "tea")


def test_names_of_a_registry_are_looked_up_when_a_value_is_checked() -> None:
    @dataclass(frozen=True)
    class Meal:
        task: str = option("images", one_of=registry("hades.tasks.suites", "SUITES"))

        def __post_init__(self) -> None:
            check(self)

    with pytest.raises(InputError, match="unknown task 'soup'; choose one of images, gymnax, brax"):
        Meal("soup")
