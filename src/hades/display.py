"""How datasets, results and evaluations show themselves: ten lines in a terminal, a table in a notebook."""

import html
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from hades.aliases import Json
from hades.contents import scores_of
from hades.files import as_address
from hades.metrics import metric_of
from hades.tables import counted, printable
from hades.units import named_or_numbered

if TYPE_CHECKING:
    from hades.dataset import Dataset
    from hades.distillation import Result
    from hades.scores import Evaluation

PAIRS, NUMBERS = 5, 4
"""That a terminal shows, and of each an observation."""
ROWS, COLUMNS = 16, 20
"""That a notebook shows."""


def of_dataset(dataset: "Dataset") -> str:
    """A dataset in at most ten lines."""
    lines = [_title(dataset), *(f"  {name:<8}{value}" for name, value in _facts(dataset))]
    if dataset.states.ndim == 2:
        names, numbers, actions = _pairs(dataset)
        for row, action in zip(numbers[:PAIRS], actions, strict=False):
            shown = ", ".join(f"{name} {value}" for name, value in list(zip(names, row, strict=True))[:NUMBERS])
            lines.append(f"  {shown}{', ...' if len(names) > NUMBERS else ''} -> {action}")
        if len(dataset) > PAIRS:
            lines.append(f"  ... {len(dataset) - PAIRS} more")
    return "\n".join(map(printable, lines))


def of_result(result: "Result") -> str:
    """What a distillation gave, in at most ten lines."""
    seconds = ", ".join(f"{name} {value:.0f} s" for name, value in result.seconds.items())
    about = {"score": str(result.evaluation or "none: it was stopped before"), "run": result.run, "time": seconds}
    lines = [f"Result: {_title(result.dataset)}", *(f"  {name:<8}{value}" for name, value in about.items() if value)]
    for why in (result.given_up, result.unsaved):
        lines += [f"  {why}"] if why else []
    return "\n".join(map(printable, lines))


def dataset_in_html(dataset: "Dataset") -> str:
    """A dataset as a notebook shows it: its pairs in a table, or a picture of them."""
    facts = "".join(f"<div><b>{_escaped(name)}</b> {_escaped(value)}</div>" for name, value in _facts(dataset))
    return f"<div><b>{_escaped(_title(dataset))}</b>{facts}{_table(dataset)}{_USE}</div>"


def evaluation_in_html(evaluation: "Evaluation") -> str:
    """An evaluation as a notebook shows it."""
    metric, score = metric_of(evaluation.metric), evaluation.summary()
    interval = " to ".join(map(metric.number, score["iqm_interval"] or ()))
    rows = {
        metric.name: metric.spread(score),
        "interquartile mean": metric.number(score["iqm"]) + (f", 95 % interval {interval}" if interval else ""),
        "least, most": f"{metric.number(score['min'])}, {metric.number(score['max'])}",
        "of": metric.counts(score),
    }
    from hades.reporting.strips import strip
    from hades.reporting.style import png

    said = _rows([[name, value] for name, value in rows.items()])
    return said + _image("each score, their mean and its interval", png(strip(evaluation)))


def result_in_html(result: "Result") -> str:
    """What a distillation gave, as a notebook shows it."""
    from hades.reporting.curves import learning_curve
    from hades.reporting.style import png

    score = evaluation_in_html(result.evaluation) if result.evaluation else "<div>It was stopped before its end.</div>"
    curve = _image("the learning curve", png(learning_curve(result.metrics, result.dataset.metric)))
    return score + dataset_in_html(result.dataset) + curve


_USE = (
    "<pre>params = hades.train(dataset, jax.random.key(0))  # a fresh policy\n"
    "act = hades.policy(dataset)                       # act(params, observation, key)</pre>"
)


def _title(dataset: "Dataset") -> str:
    kind = "discrete actions" if dataset.spec.discrete else "action dimensions"
    obs = " x ".join(map(str, dataset.spec.obs_shape))
    task = ", ".join(dataset.tasks) or "an unnamed task"
    return (
        f"{len(dataset)} {dataset.metric.pairs} for {task}: observations of {obs}, "
        f"{counted(dataset.spec.num_actions, kind)}"
    )


def _facts(dataset: "Dataset") -> list[tuple[str, str]]:
    """What there is to say of how good it is, and for which networks."""
    score = next(iter(scores_of(dataset.info).values()))
    facts = [("score", _score(dataset, score))] if score else []
    if dataset.parts:
        ends = list(accumulate(part["size"] for part in dataset.parts))
        whose = (f"{end - part['size'] + 1} to {end} of {part['task']}"
                 for part, end in zip(dataset.parts, ends, strict=True))  # fmt: skip
        facts.append(("pairs", ", ".join(whose)))
    recipe = ", ".join(f"{name} {value}" for name, value in dataset.learner.items() if value not in ("none", 0))
    return facts + ([("recipe", recipe)] if recipe else [])


def _score(dataset: "Dataset", score: Json) -> str:
    """In words, as far as it is one: a header may leave out anything."""
    try:
        return f"{dataset.metric.name} {dataset.metric.over_networks(score)} ({dataset.metric.counts(score)})"
    except KeyError:
        return "not known"


def _pairs(dataset: "Dataset") -> tuple[list[str], list[list[str]], list[str]]:
    """Of vectors: names, numbers in the environment's units, and actions in words."""
    mean, std = dataset.normaliser
    names = named_or_numbered(dataset.units.observations, dataset.spec.obs_shape[-1])
    numbers = [[f"{value:.2f}" for value in row] for row in mean + std * dataset.states]
    return names, numbers, [action_in_words(dataset, row) for row in dataset.targets]


def action_in_words(dataset: "Dataset", target: np.ndarray) -> str:
    """What a pair has a network do."""
    known, number = dataset.units.actions, dataset.spec.num_actions
    if dataset.spec.discrete:
        name, share = dataset.units.likeliest(target)
        return f"{name} ({share})" if share else name
    values = [f"{value:.2f}" for value in dataset.units.raw(target)]
    named = [f"{name} {value}" for name, value in zip(known, values, strict=True)] if known else values
    return ", ".join(named[:NUMBERS]) + (", ..." if number > NUMBERS else "")


def _table(dataset: "Dataset") -> str:
    from hades.reporting.pictures import drawing, picture

    if dataset.states.ndim != 2:
        return _image("the pairs", picture(dataset))
    drawn = (
        "" if drawing(dataset)[0] is None else _image("the pairs, as their environment draws them", picture(dataset))
    )
    names, numbers, actions = _pairs(dataset)
    shown = names[:COLUMNS]
    rows = [["pair", *shown, "action"]]
    rows += [
        [str(i + 1), *row[:COLUMNS], action] for i, (row, action) in enumerate(zip(numbers, actions, strict=True))
    ]
    left = [f"{len(names) - COLUMNS} more numbers"] * (len(names) > COLUMNS)
    left += [f"{len(dataset) - ROWS} more pairs"] * (len(dataset) > ROWS)
    return drawn + _rows(rows[: ROWS + 1]) + (f"<div>and {', '.join(left)}</div>" if left else "")


def _image(of: str, png: bytes) -> str:
    return f"<img alt='{of}' style='max-width:100%; width:40em' src='{as_address(png, 'image/png')}'>"


def _rows(rows: Sequence[Sequence[str]]) -> str:
    lines = ("".join(f"<td>{_escaped(cell)}</td>" for cell in row) for row in rows)
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _escaped(text: str) -> str:
    return html.escape(printable(str(text)))
