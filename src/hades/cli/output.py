"""What commands print: results to stdout, for people or as JSON; errors to stderr, in one line."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hades.aliases import Options, PyTree
from hades.errors import WriteError
from hades.files import dumps, in_shell, reason
from hades.tables import printable

if TYPE_CHECKING:
    from hades.distillation import Result


def show(data: PyTree, text: str, as_json: bool) -> int:
    """Print a result; the exit code of success."""
    try:
        print(dumps(data, indent=2) if as_json else printable(text, but="\n"), flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise WriteError(f"cannot write to stdout: {reason(error)}") from None
    return 0


def fail(message: str, code: int) -> int:
    """One line that says what went wrong; the exit code."""
    print(f"hades: {message}", file=sys.stderr)
    return code


def words(options: Options) -> str:
    """Options on one line."""
    return ", ".join(f"{key} {value}" for key, value in options.items())


def report(result: "Result", as_json: bool) -> int:
    """What a run came to, and, if it has ended, its page; the exit code."""
    from hades import runtime

    score, run = result.evaluation, result.run
    code = (
        128 + result.interrupted
        if result.interrupted
        else int(score is not None and score.diverged == score.returns.size)
    )
    if not runtime.is_main():
        return code
    assert run is not None
    data = {
        "run": str(run),
        "dataset": str(run / "dataset.safetensors"),
        "generations": result.dataset.info["generations"],
        "env_steps": result.dataset.info["env_steps"],
        "seconds": {name: round(seconds, 3) for name, seconds in result.seconds.items()},
        result.dataset.info["metric"]: None if score is None else score.summary(),
        "interrupted": result.interrupted is not None,
        "given_up": result.given_up,
        "unsaved": result.unsaved,
    }
    if result.interrupted is None:
        spent = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in result.seconds.items())
        seen = "an episode, and what the pairs mean" if result.dataset.metric.episodes else "what the images do"
        more = f"(hades report {in_shell(run)} adds {seen})"
        ended = "" if result.given_up is None else f"\nended early: {result.given_up}"
        text = f"{score}\n{spent}{ended}" + ("" if result.unsaved else f"\n{data['dataset']}\n{result.page}  {more}")
    else:
        text = f"stopped after generation {data['generations']}; go on with: hades resume {in_shell(run)}"
    show(data, text, as_json)
    if result.unsaved:
        return fail(
            f"not all of it is kept: {result.unsaved}; once that is mended: hades resume {in_shell(run)}", code or 1
        )
    return code


def kept(run: Path | None) -> str:
    """What there is of a run, for who stops it."""
    from hades.checkpoints import generations

    last = generations(run / "checkpoint")[:1] if run else []
    if not run or not last:
        return "nothing is kept yet"
    return f"the checkpoint of generation {last[0]} is kept; go on with: hades resume {in_shell(run)}"
