"""Draw the gallery: of each dataset of the zoo its picture and an episode into docs/gallery, and docs/gallery.md.

python scripts/gallery.py                # all, about half an hour on two cores
python scripts/gallery.py hopper-4 ...   # these pictures anew; the page is always that of all
"""

import re
import sys
from pathlib import Path

import hades
from hades import zoo
from hades.aliases import Json
from hades.metrics import Metric, metric_of
from hades.reporting import films, pictures
from hades.reporting.frames import fps, frames
from hades.reporting.motion import record

PAGE = Path(__file__).parent.parent / "docs" / "gallery.md"
PICTURES = PAGE.with_suffix("")
SHELVES = {
    "Classic control": r"[^/]*-v\d",
    "Gymnasium": r"gymnasium/",
    "Rigid bodies in Brax": r"brax/",
    "Games": r".*-MinAtar",
    "Images": r"",
}
"""Of whose tasks each is: the first that fits."""
DOTS, BYTES = 100, 350_000
"""An inch of a picture, and of an episode at most."""
HEAD = """# Gallery

Every dataset that comes with HaDES: its pairs, of many the first sixteen, as its environment draws them, and beside
them an episode of a network that was trained on nothing else, begun at random. A score is that of fresh networks on
fresh episodes: mean ± standard deviation over networks, with the interquartile mean's 95 % interval. `hades report
NAME` makes a page of one, and `hades zoo` lists them. In Python, `import hades, jax` stands before each two lines.
`python scripts/gallery.py` draws this page.
"""


def draw(name: str) -> None:
    """A dataset's picture and, where anybody acts in its task, an episode."""
    dataset = hades.load(name)
    PICTURES.mkdir(exist_ok=True)
    pictures.PICTURES[dataset.metric.picture](dataset, {}).figure.savefig(PICTURES / f"{name}.png", dpi=DOTS)
    if dataset.metric.episodes:
        task, recordings = record(name)
        film = films.gif(frames(task, recordings), fps(task, recordings), BYTES)
        (PICTURES / f"{name}.gif").write_bytes(film)


def page() -> str:
    """The page of all datasets, by their cards."""
    shelves: dict[str, list[str]] = {name: [] for name in SHELVES}
    for name, card in zoo.cards().items():
        shelf = next(shelf for shelf, tasks in SHELVES.items() if re.match(tasks, card["task"]))
        shelves[shelf].append(exhibit(name, card))
    return "\n".join([HEAD, *(f"## {name}\n\n" + "\n".join(exhibits) for name, exhibits in shelves.items())])


def exhibit(name: str, card: Json) -> str:
    """A dataset: what it looks like, what it scores, how it was made and how it is used."""
    metric = metric_of(card["metric"])
    return f"""### {name}

{images(name, card, metric)}

{card["pairs"]} {metric.pairs} for `{card["task"]}`. {" ".join(facts(card, metric))} Made: {card["made"]}.

```python
dataset = hades.load("{name}")
params, act = hades.train(dataset, jax.random.key(0)), hades.policy(dataset)  # act(params, observation, key)
```
"""


def images(name: str, card: Json, metric: Metric) -> str:
    """A dataset's picture, and its episode, in whose place it stands again for who wants no motion."""
    place = PICTURES.name
    still = f'<img src="{place}/{name}.png" alt="{name}: {metric.pairs}">'
    if not metric.episodes:
        return f"<p>{still}</p>"
    moving = f'<img src="{place}/{name}.gif" loading="lazy" alt="An episode of {card["task"]}">'
    calm = f'<source media="(prefers-reduced-motion: reduce)" srcset="{place}/{name}.png">'
    return f"<p>\n{still}\n<picture>{calm}{moving}</picture>\n</p>"


def facts(card: Json, metric: Metric) -> list[str]:
    """What it scores, and for how many other networks it works."""
    said = []
    for setting, score in card["scores"].items():
        interval = " to ".join(map(metric.number, score["iqm_interval"]))
        words = metric.words(score["mean"], score["std_of_inits"])
        over = f"{score['inits']} networks" + (f" × {score['episodes']} episodes" if metric.episodes else "")
        said.append(f"With {setting}: **{words}** ({interval}; {over}).")
    if kept := metric.kept(card["generalisation"] or {}):
        said.append(kept)
    return said


if __name__ == "__main__":
    for each in sys.argv[1:] or zoo.names():
        print(each, flush=True)
        draw(each)
    PAGE.write_text(page())
