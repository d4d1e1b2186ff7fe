"""The two ways in which a request can fail."""


class InputError(ValueError):
    """The caller asked for something that cannot be: one line says what is wrong and what would be right."""


class MissingExtra(InputError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} is not installed; install it with: pip install 'hades-rl[{extra}]'")
