"""The examples in docstrings say what happens."""

import doctest
from importlib import import_module

import pytest

MODULES = ("dataset", "distillation", "evaluation", "learner.recipe", "merging", "progress", "tasks",
           "tasks.fingerprints")  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    result = doctest.testmod(import_module(f"hades.{name}"), optionflags=doctest.ELLIPSIS)
    assert result.attempted and not result.failed
