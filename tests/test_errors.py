"""One line, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hades.cli.output import show
from hades.errors import InputError
from hades.tables import printable


@given(st.text())
def test_an_error_is_one_line_that_no_terminal_acts_on(text: str) -> None:
    assert str(InputError(text)).isprintable()


def test_what_can_be_shown_stays_as_it_is() -> None:
    assert printable("θ ± 3 – 'π'") == "θ ± 3 – 'π'"
    assert printable("\x1b[31mred\nnext\udcff") == "\\x1b[31mred\\nnext\\udcff"


def test_several_things_are_several_lines() -> None:
    assert str(InputError("all is wrong:", "one\n", "two")) == "all is wrong:\n  one\\n\n  two"


def test_a_result_keeps_its_lines_and_loses_its_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    show({}, "one\ntwo \x1b[2J", as_json=False)
    assert capsys.readouterr().out == "one\ntwo \\x1b[2J\n"
