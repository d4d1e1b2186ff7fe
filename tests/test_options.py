"""Options declared once: what holds them to their rules, and what reads the text below them."""

from dataclasses import dataclass

import pytest

from hades.config import Config
from hades.errors import InputError
from hades.learner.recipe import Recipe
from hades.options import check, check_names, help_of, option, registry, rules


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
    notes: dict[str, float] = option({})  # noqa: RUF009
    """On the taste."""
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
    ],
)
def test_a_value_that_cannot_be_is_refused(options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Tea(**options)


def test_what_is_not_given_always_may_be() -> None:
    assert Tea().minutes is None and Tea(sips=()).sips == ()


def test_an_empty_mapping_is_made_anew_for_each() -> None:
    one, two = Tea(), Tea()
    one.notes["sweet"] = 1.0
    assert two.notes == {} and Tea().notes == {}


def test_only_fields_with_a_rule_are_options() -> None:
    assert [known.name for known, _ in rules(Tea)] == ["sort", "cups", "sugar", "minutes", "sips", "notes"]
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
