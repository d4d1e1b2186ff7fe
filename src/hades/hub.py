"""A dataset on the Hugging Face hub: `push` puts it there, with a `card` written from its header; `hades.load` has it.

A repository of the kind ``dataset`` holds ``dataset.safetensors``, the card (``README.md``) and a picture of the pairs
(``pairs.png``). `hades.remote` speaks with the hub.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hades.aliases import Json
from hades.arguments import Pushing
from hades.contents import generalisation_of, mapping, scores_of
from hades.dataset import FILE, AnyDataset, Dataset, as_dataset
from hades.metrics import metric_of
from hades.options import held_to
from hades.remote import send
from hades.tables import markdown, printable

PICTURE = "pairs.png"
TAGS = ("hades", "behaviour-distillation")


@held_to(Pushing)
def push(
    dataset: AnyDataset,
    name: str,
    private: bool = Pushing.private,
    *,
    message: str | None = Pushing.message,
    license: str | None = Pushing.license,
) -> str:
    """Put a dataset on the hub, with its card and its picture, where ``hades.load("hf://user/name")`` finds it.

    A repository that is there gets a new commit: what it held stays in its history.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        name: ``user/name``; the repository is made where there is none.
        private: only its owner is to see it.
        message: of the commit; None says what it holds.
        license: what the card names, as the hub calls it (``apache-2.0``); None names none.

    Returns:
        The repository's page.

    Raises:
        InputError: for a dataset as `hades.load`; for a name that cannot be, without a login that may write there, and
            without network.
    """
    from hades.reporting.pictures import picture

    dataset, name = as_dataset(dataset), str(name).removeprefix("hf://")
    files = {FILE: dataset.packed(), PICTURE: picture(dataset), "README.md": card(dataset, name, license).encode()}
    return send(name, files, message or _title(dataset), private or None)


def card(dataset: AnyDataset, name: str = "USER/NAME", license: str | None = None) -> str:
    """What there is to say of a dataset, in Markdown, from its header alone.

    Args:
        dataset: or its file, a run's folder, a name of the zoo.
        name: where it will be.
        license: what the card names; None names none.

    Examples:
        >>> import hades.hub
        >>> print(hades.hub.card("cartpole-2").splitlines()[11])
        # CartPole-v1: 2 state-action pairs
    """
    dataset = as_dataset(dataset)
    return _CARD.format(
        front=_front(dataset, license), title=_title(dataset), pairs=dataset.metric.pairs, picture=PICTURE,
        name=name, task=_asks(dataset), facts=markdown([["", ""], *_facts(dataset)]),
        scores="\n\n".join(_scores(dataset)), citation=CITATION,
    )  # fmt: skip


def _title(dataset: Dataset) -> str:
    whose = ", ".join(dataset.tasks) or "An unnamed task"
    return printable(f"{whose}: {len(dataset)} {dataset.metric.pairs}")


def _front(dataset: Dataset, license: str | None) -> str:
    """What the hub reads of a card: YAML, of which JSON's strings are a part. Its viewer would show the picture."""
    tags = [f"- {json.dumps(tag)}" for tag in (*TAGS, *dataset.tasks)]
    named = [f"license: {json.dumps(license)}"] if license else []
    return "\n".join([*named, "library_name: hades-rl", "tags:", *tags, "viewer: false"])


def _asks(dataset: Dataset) -> str:
    """Of a task that nobody else finds by its name: that it is to be given."""
    if dataset.info.get("own") or any(":" in task for task in dataset.tasks):
        return (
            "\n\nIts task is an environment of its maker's own: training needs none, and to score networks give it "
            "(`hades.evaluate(dataset, task)`, or `--task FILE.py:NAME`). No code comes with the dataset."
        )
    return ""


def _facts(dataset: Dataset) -> Iterator[list[str]]:
    """What it is, by what that is called."""
    info, metric = dataset.info, dataset.metric
    options = [_words(mapping(part.get("task_options"))) for part in (dataset.parts or [info])]
    made = mapping(info.get("card")).get("made")
    names = {"generations": "generations", "env_steps": metric.counted, "seed": "seed", "init": "init"}
    search = {name: info[key] for key, name in names.items() if key in info}
    facts = {
        "task": ", ".join(f"`{task}`" for task in dataset.tasks) or "not named",
        "its options": "; ".join(filter(None, options)) or "none",
        metric.pairs: f"{len(dataset)}: states {list(dataset.states.shape)}, "
        f"{'labels' if dataset.spec.discrete else 'actions'} {list(dataset.targets.shape)}",
        "observations": f"normalised {'while episodes are played' if dataset.online else 'as the file says'}",
        "recipe": _words(dataset.learner) or "the published one",
        "made by": f"`{made}`" if made else "",
        "search": _words(search) or "not recorded",
        "versions": _words(mapping(info.get("versions"))) or "not recorded",
    }
    yield from ([name, _cell(value)] for name, value in facts.items() if value)


def _scores(dataset: Dataset) -> Iterator[str]:
    """Each score with its interval, and how it was measured; or that there is none."""
    told = dataset.info.get("score")
    scores = scores_of(dataset.info).items()
    rows = [row for setting, score in scores if (row := _row(setting, score, dataset))]
    if not rows:
        yield "No score is recorded." if told is None else f"{_cell(told)}; how that was measured is not recorded."
        return
    yield markdown([["recipe", "score", "mean ± spread", "IQM [95 % interval]", "least", "of"], *rows])
    whose = "the initialisations of HaDES-F's search" if "init_key" in dataset.info else "fresh initialisations"
    how = _PLAYED if dataset.metric.episodes else _TESTED
    yield f"Networks are trained on the {dataset.metric.pairs} alone, from {whose}, {how} {_SPREAD}"
    if kept := dataset.metric.kept(generalisation_of(dataset.info)):
        yield kept


def _row(setting: str, score: Json, dataset: Dataset) -> list[str] | None:
    """A score as an evaluation has it; None for anything else that somebody wrote there."""
    try:
        metric = metric_of(score["metric"]) if "metric" in score else dataset.metric
        interval = ", ".join(map(metric.number, score["iqm_interval"] or ()))
        iqm = metric.number(score["iqm"]) + (f" [{interval}]" if interval else "")
        spread = metric.words(score["mean"], score["std_of_inits"])
        cells = setting, metric.name, spread, iqm, metric.number(score["min"]), metric.counts(score)
    except KeyError:
        return None
    return [_cell(cell) for cell in cells]


def _words(options: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {_word(value)}" for name, value in options.items())


def _word(value: Any) -> str:
    if isinstance(value, list):
        return " × ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _cell(value: Any) -> str:
    """Of a table: one line, in which nothing ends the cell."""
    return printable(str(value)).replace("|", "\\|")


_PLAYED = "and play whole episodes that the search did not see."
_TESTED = "and tested: on the test set, for a validation accuracy on the images that the best dataset was chosen by."
_SPREAD = (
    "± is the standard deviation over networks. IQM is the interquartile mean, its interval by a bootstrap over "
    "networks, if nothing else is said."
)

CITATION = """```bibtex
@inproceedings{lupu2024behaviour,
  title     = {Behaviour Distillation},
  author    = {Andrei Lupu and Chris Lu and Jarek Liesen and Robert Tjarko Lange and Jakob Foerster},
  booktitle = {The Twelfth International Conference on Learning Representations},
  year      = {2024},
  url       = {https://openreview.net/forum?id=qup9xD8mW4}
}
```"""
"""As README.md has it."""

_CARD = """---
{front}
---

# {title}

Synthetic {pairs}, distilled by HaDES (behaviour distillation): networks learn the task from them alone, by plain
supervised learning. No expert, no recorded data.

![The {pairs}]({picture})

## Use

`pip install 'hades-rl[hub]'`, then in Python:

```python
import hades

dataset = hades.load("hf://{name}")
params = hades.train(dataset, 0)  # one network's
```

or, to train and score many, on the command line:

```sh
hades evaluate hf://{name}
```{task}

## What it is

{facts}

## What it scores

{scores}

## Citation

{citation}
"""
