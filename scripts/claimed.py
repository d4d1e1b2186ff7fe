"""What README and docs say, with the figures that the committed JSON has: a function for each part of a page.

`scripts/claims.py` looks for these words in the pages.
"""

from collections.abc import Iterator, Sequence
from statistics import mean
from typing import NamedTuple

import claimed_results as results
from measured import Row, all_rows, benchmark, found, paper, rows, spread, table

from hades import zoo


class Claim(NamedTuple):
    """What a page says, and the command that made the figures in it."""

    page: str
    text: str
    command: str


def claims() -> Iterator[Claim]:
    """All of them."""
    for page, command, texts in (
        ("README.md", "reference/figures.json", readme()),
        ("docs/results.md", "hades study results, comparison; reference/figures.json", results.presets()),
        ("docs/results.md", "hades study results --names pendulum", results.half_time()),
        (
            "docs/results.md",
            "hades study comparison --methods HaDES-F ...; --tasks freeway --no-tuned",
            results.one_network(),
        ),
        ("docs/results.md", "hades study comparison", results.comparison()),
        ("docs/results.md", "hades study comparison --minutes 5 ...", results.five_minutes()),
        ("docs/results.md", "reference/figures.json", results.bodies()),
        ("docs/results.md", "hades study results --names breakout ...; reference/figures.json", results.games()),
        ("docs/results.md", "hades study generalisation --datasets NAME ...", results.generalisation()),
        ("docs/results.md", "python scripts/any_network.py; hades study generalisation ...", results.any_network()),
        ("docs/results.md", "hades study budget", results.budget()),
        ("docs/results.md", "hades study multitask, continual", results.unions()),
        ("docs/results.md", "hades study cost", results.cost()),
        ("docs/results.md", "hades study architectures --datasets cartpole-2 breakout", results.architectures()),
        ("docs/laptop.md", "hades study laptop", laptop()),
        ("docs/laptop.md", "hades study results", others()),
        ("docs/images.md", "hades study images, zoo", images()),
        ("docs/environments.md", "hades study results --names Freeway-v5 Freeway-v5-84", environments()),
        ("docs/scaling.md", "python benchmarks/generation.py, cost.py, against.py", scaling()),
    ):
        yield from (Claim(page, text, command) for text in texts)


def environments() -> Iterator[str]:
    """What pixels cost."""
    seen = {row["cell"]["name"]: row for row in rows("results_suites")}
    small, usual = seen["Freeway-v5"], seen["Freeway-v5-84"]
    rates = [row["env_steps"] / row["training_seconds"] for row in (usual, small)]
    yield f"one core plays {rates[0]:,.0f} steps a second at 84 x 84 and {rates[1]:,.0f} at 42 x 42"
    yield f"are {usual['generations']} and {small['generations']} generations"


def readme() -> Iterator[str]:
    """Of the published runs."""
    bodies, games = paper("brax/HaDES-R/ant/D64"), paper("minatar-5k/HaDES-R/Breakout-MinAtar/D16")
    yield f"{bodies['generations']:,} generations of {bodies['population']:,} candidates on Brax"
    yield f"{games['generations']:,} on MinAtar, networks of width {games['width']}."
    yield f"it scored {paper('minatar-5k/HaDES-R/Freeway-MinAtar/D16')['mean']:.0f}."


def laptop() -> Iterator[str]:
    """Hopper in minutes."""
    yield "jax {jax}, brax {brax}".format(**rows("laptop")[0]["made"]["versions"])
    last = rows("laptop", row="standard deviation 1, 16 searches")
    fewest, *_, most = sorted(row["generations"] for row in last)
    assert all(max(point[2] for point in row["curve"]) >= 1741 for row in last)
    yield f"{fewest:,} to {most:,} generations in all. All five seeds then pass 1,741."
    (two,) = rows("laptop", row="standard deviation 1, 2 networks, 24 searches")
    wandering = [score for seconds, _, score in two["curve"] if seconds > 15 * 60]
    yield f"({two['generations']:,}), but the search that goes on wanders"
    yield f"(validations between {min(wandering):,.0f} and {max(wandering):,.0f} in its last five minutes)"
    yield f"at width 512 it returns {two['scores']['512']['mean']:.0f}."
    long, short = rows("laptop", row="width 64, 600 epochs")[0], rows("laptop", row="width 128, 200 epochs")[0]
    yield f"makes all 32 networks of width 64 walk (the worst returns {long['scores']['64']['min']:,.0f})"
    yield f"fall at once (the worst returns {short['scores']['64']['min']:.0f})"
    passed = next(seconds for seconds, _, score in short["curve"] if score >= 1741) / 60
    yield f"passed 1,741 after {passed:.0f} minutes"
    narrow, wide = (_and([f"{row['scores'][width]['min']:,.0f}" for row in last]) for width in ("64", "512"))
    yield f"Of the 32 networks of width 64 the worst return {narrow} (seeds 0 to 4 of the last row)"
    yield f"of width 512 {wide}."
    run, (narrow, wide) = paper("sweep_D/HaDES-R/hopper/D4"), _widths(last)
    yield f"after 20 minutes of two cores is above the {run['mean']:,.0f} ± {run['std']:.0f} of the three published"
    yield f"after {run['generations']:,} generations at width 64 ({narrow}) and level with it at width 512 ({wide})."
    narrow, wide = _widths(rows("laptop", row="standard deviation 1, 10 searches"))
    yield f"Ten searches on ONE core come to {narrow} and {wide}."


def others() -> Iterator[str]:
    """Walker2d and HalfCheetah."""
    standing, walking = sorted(row["scores"][0]["return"]["mean"] for row in rows("results", name="walker2d"))
    yield f"thirty minutes of one core: {walking:,.0f} with one seed, {standing:,.0f} with the other"
    (walker,) = all_rows("results", name="walker2d", minutes=8)
    (cheetah,) = all_rows("results", name="halfcheetah")  # by the preset that was
    narrow, wide = (spread(score["return"], 0) for score in walker["scores"])
    minutes = walker["training_seconds"] / 60
    yield f"{narrow} over 32 networks of width 64 and {wide} of width 512 after {minutes:.1f} minutes"
    few, many = paper("brax-const-norm/HaDES-R/walker2d/D4"), paper("brax/HaDES-R/walker2d/D64")
    words = [f"{run['mean']:,.0f} ± {run['std']:.0f}" for run in (few, many)]
    yield "published: {} with four pairs, {} with 64)".format(*words)
    narrow, wide = (spread(score["return"], 0) for score in cheetah["scores"])
    yield f"with {cheetah['cell']['size']} pairs, after nine minutes of one core ({cheetah['generations']} generations"
    yield f"{narrow} over 16 networks of width 64, {wide} of width 512,"
    run = paper("sweep_D/HaDES-R/halfcheetah/D16")
    yield f"published, with {cheetah['cell']['size']} pairs, too: {run['mean']:,.0f} after"
    yield f"{run['generations']:,} generations of {run['population']:,} candidates"


def images() -> Iterator[str]:
    """Distilled images."""
    header, *lines = table("images")
    per = {line[0]: dict(zip(header, (cell.split(" (")[0] for cell in line), strict=True)) for line in lines}
    cards = {name: zoo.card(name)["scores"]["its own recipe"] for name in ("digits-10", "fashion-mnist-10")}
    accuracy = {name: spread({k: 100 * card[k] for k in ("mean", "std_of_inits")}) for name, card in cards.items()}
    yield f"{per['digits-10']['cnn']} on the paper's CNN, where class means give {per['digits:10:mean']['cnn']}"
    yield f"all training images {per['digits:10:all']['cnn']}; {accuracy['digits-10']} on an MLP of 64 units"
    first, cnn, means = (per[f"fashion-mnist{name}"] for name in ("-10", "-10-cnn", ":10:mean"))
    yield f"by meta-gradient**: {first['cnn']} on the paper's CNN after two and a half minutes"
    yield f"{cnn['cnn']} after five more for the CNN itself"
    yield f"The published set reaches {accuracy['fashion-mnist-10']} there"
    ten, centres, sample = (per[f"fashion-mnist{name}"] for name in ("-100", ":100:centres", ":100:sample"))
    yield f"by meta-gradient: {ten['cnn']} on the paper's CNN after five minutes; k-means centres"
    yield f"which it starts from, have {centres['cnn']}, random images {sample['cnn']}."
    yield f"on LeNet ({ten['lenet']}, centres {centres['lenet']})"
    seconds = 60 * rows("images", row="mnist-10k-10")[0]["minutes"]
    yield f"one image per class: {per['mnist-10k-10']['cnn']} on the paper's CNN after {seconds:.0f} seconds."
    evolved, several = per["fashion-mnist-10-evolution"], per["fashion-mnist-10-networks"]
    yield f"twelve minutes: {evolved['cnn']} on the paper's CNN, where class means give {means['cnn']};"
    yield f"gained it {float(_mean(cnn['cnn'])) - float(_mean(first['cnn'])):.1f} points"
    yield f"(ConvNet-3: {cnn['convnet']} instead of {_mean(first['convnet'])})"
    yield f"the average over the five is {first['average']}, that of class means {means['average']}."
    yield f"the average is {several['average']}, with {_mean(several['cnn'])} on the paper's CNN"
    yield f"and {_mean(several['resnet'])} on the residual network"
    made = [row["made"]["versions"] for row in found("images")[1]]
    yield f"jax {next(versions['jax'] for versions in made if versions)}."


def scaling() -> Iterator[str]:
    """Generations."""
    h200 = benchmark("against-e9d4400-h200")["hopper-4"]["seconds"]
    yield f"takes {mean(h200):.3f} s on an H200"
    known, growth = benchmark("cost-cpu-2-cores"), benchmark("generation-cpu-2-cores")["growth"]
    nano = {name: 1e9 * seconds for name, seconds in known["constants"].items()}
    yield f"c1 = {nano['products']:.3f} ns a multiply-add"
    yield f"c2 = {nano['updates']:.2f} ns a weight and epoch of gradients and optimiser"
    yield f"c3 = {nano['environment'] / 1000:.1f} µs an environment step of hopper"
    yield f"c4 = {nano['step'] / 1000:.0f} µs a step of a chunk"
    cases = (growth[f"hopper-4{name}"] for name in (", devices 1", "", ", devices 4"))
    one, two, four = (case["seconds"]["generation"] for case in cases)
    yield f"two devices take {two / one:.2f} of one's time"
    yield f"share the two cores {four / two:.2f} of two's"
    left_out = sorted(abs(case["error_left_out"]) for case in known["cases"].values())
    third, second, first = (round(100 * error) for error in left_out[-3:])
    yield f"off by {second} and {first} %, all others by {third} % at most"


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _mean(words: str) -> str:
    return words.split(" ± ")[0]


def _widths(runs: Sequence[Row]) -> list[str]:
    return [f"{mean(row['scores'][width]['mean'] for row in runs):,.0f}" for width in ("64", "512")]
