"""What commands print: results to stdout, for people or as JSON; errors to stderr, in one line."""

import sys
from typing import TYPE_CHECKING

from hades.aliases import Options, PyTree
from hades.files import dumps

if TYPE_CHECKING:
    from hades.distillation import Result


def show(data: PyTree, text: str, as_json: bool) -> int:
    """Print a result; the exit code of success."""
    print(dumps(data, indent=2) if as_json else text)
    return 0


def fail(message: str, code: int) -> int:
    """One line that says what went wrong; the exit code."""
    print(f"hades: {message}", file=sys.stderr)
    return code


def words(options: Options) -> str:
    """Options on one line."""
    return ", ".join(f"{key} {value}" for key, value in options.items())


def report(result: "Result", as_json: bool) -> int:
    """What a run came to, and its page; the exit code."""
    from hades import runtime
    from hades.reporting import report

    score = result.evaluation
    code = (
        128 + result.interrupted
        if result.interrupted
        else int(score is not None and score.diverged == score.returns.size)
    )
    if not runtime.is_main():
        return code
    assert result.run is not None
    page = report(result.run)
    data = {
        "run": str(result.run),
        "dataset": str(result.run / "dataset.safetensors"),
        "generations": result.dataset.info["generations"],
        "env_steps": result.dataset.info["env_steps"],
        "seconds": {name: round(seconds, 3) for name, seconds in result.seconds.items()},
        result.dataset.info["metric"]: None if result.evaluation is None else result.evaluation.summary(),
        "interrupted": result.interrupted is not None,
        "given_up": result.given_up,
    }
    if result.interrupted is None:
        spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
        text = f"{result.evaluation}\n{spent}\n{data['dataset']}\n{page}"
    else:
        text = f"stopped after generation {data['generations']}; go on with: hades resume {result.run}"
    show(data, text, as_json)
    return code
