"""A distillation's phases, and the shares of the budget that they have."""

from fractions import Fraction

import pytest

from hades.config import Config
from hades.errors import InputError
from hades.plan import Phase, plan_of


def test_one_search_has_the_whole_budget() -> None:
    plan = plan_of(Config())
    assert plan.phases == (Phase("SNES", Fraction(1), 0),) and plan.starts == 1 and len(plan) == 1
    assert plan.end(0) == 1.0


def test_several_searches_share_half_and_the_best_has_the_rest() -> None:
    plan = plan_of(Config(searches=4))
    assert [phase.share for phase in plan.phases] == [Fraction(1, 8)] * 4 + [Fraction(1, 2)]
    assert [phase.start for phase in plan.phases] == [0, 1, 2, 3, None] and plan.starts == 4
    assert [plan.end(turn) for turn in range(5)] == pytest.approx([0.125, 0.25, 0.375, 0.5, 1.0])


def test_strategies_that_polish_have_the_last_shares() -> None:
    plan = plan_of(Config(strategy="gradient", searches=2, polish=("SNES@0.2", "gradient:sgd@1/10")))
    shares = [phase.share for phase in plan.phases]
    assert shares == [Fraction(7, 40), Fraction(7, 40), Fraction(7, 20), Fraction(1, 5), Fraction(1, 10)]
    assert sum(shares) == 1 and [plan.number(turn) for turn in range(5)] == [0, 0, 0, 1, 2]
    assert [phase.strategy for phase in plan.strategies] == ["gradient", "SNES", "gradient:sgd"]
    assert [phase.start for phase in plan.phases] == [0, 1, None, None, None]


def test_a_polish_may_have_a_standard_deviation_of_its_own() -> None:
    plan = plan_of(Config(strategy="SNES", polish=("SNES@0.2@0.05",)))
    assert [phase.std for phase in plan.phases] == [None, 0.05]
    assert [plan.number(turn) for turn in range(2)] == [0, 1]  # another state than the search's


BAD = (
    "SNES",
    "SNES@",
    "@0.2",
    "SNES@0",
    "SNES@1",
    "SNES@-0.1",
    "SNES@much",
    "SNES@1/0",
    "SNES@0.2@0",
    "SNES@0.2@1@1",
    "SNES@1e999999999",
    "SNES@1/1e9",
)


@pytest.mark.parametrize("text", BAD)
def test_bad_shares_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"polish is NAME@SHARE .* such as SNES@0.2, not '{text}'"):
        plan_of(Config(polish=(text,)))


def test_something_is_left_for_the_search() -> None:
    with pytest.raises(InputError, match="polish takes 1 of the budget; leave some for SNES"):
        plan_of(Config(polish=("CMA-ES@0.5", "OpenES@0.5")))
