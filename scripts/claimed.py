"""What README and docs say, with the figures that the committed JSON has: a function for each part of a page.

`scripts/claims.py` looks for these words in the pages.
"""

import json
from collections.abc import Iterator, Sequence
from statistics import mean, stdev
from typing import NamedTuple

from measured import Row, all_rows, benchmark, found, of, paper, rows, table

from hades import zoo
from hades.studies.architectures import correlation
from hades.studies.generalisation import share_kept

BODIES = {
    "ant": "Ant", "halfcheetah": "HalfCheetah", "humanoid": "Humanoid", "humanoidstandup": "HumanoidStandup",
    "inverted_double_pendulum": "the double pendulum", "reacher": "Reacher",
}  # fmt: skip

LOOKING = (
    "space-invaders-16", "asterix-16", "inverted_double_pendulum-16", "docs/results/breakout-16.safetensors",
    "docs/results/reacher-16.safetensors",
)  # fmt: skip
"""Datasets by an actor's loss whose generalisation was tried."""


class Claim(NamedTuple):
    """What a page says, and the command that made the figures in it."""

    page: str
    text: str
    command: str


def claims() -> Iterator[Claim]:
    """All of them."""
    for page, command, texts in (
        ("README.md", "reference/figures.json", readme()),
        ("docs/results.md", "hades study results, comparison; reference/figures.json", presets()),
        ("docs/results.md", "hades study results --names pendulum", half_time()),
        ("docs/results.md", "hades study comparison --methods HaDES-F ...; --tasks freeway --no-tuned", one_network()),
        ("docs/results.md", "hades study comparison", comparison()),
        ("docs/results.md", "reference/figures.json", bodies()),
        ("docs/results.md", "hades study results --names breakout ...; reference/figures.json", games()),
        ("docs/results.md", "hades study generalisation --datasets NAME ...", generalisation()),
        ("docs/results.md", "python scripts/any_network.py; hades study generalisation ...", any_network()),
        ("docs/results.md", "hades study budget", budget()),
        ("docs/results.md", "hades study multitask, continual", unions()),
        ("docs/results.md", "hades study cost", cost()),
        ("docs/results.md", "hades study architectures --datasets cartpole-2 breakout", architectures()),
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


def presets() -> Iterator[str]:
    """What the presets reach, beside the paper."""
    versions: dict[str, str] = {}
    for row in rows("results"):
        versions |= row["made"]["versions"]
    yield "jax {jax}, brax {brax}, gymnax {gymnax}".format(**versions)
    yield long_ago("Breakout")
    games = ("Breakout", "Asterix", "SpaceInvaders")
    scores = [f"{paper(f'minatar-5k/HaDES-R/{game}-MinAtar/D16')['mean']:.1f}" for game in games]
    yield "(Breakout {}, Asterix {}, Space Invaders {})".format(*scores)
    body = {(kind, task): f"{paper(f'brax/HaDES-{kind}/{task}/D64')['mean']:,.0f}" for kind in "RF" for task in BODIES}
    yield f"far above the paper's {body['R', 'ant']}, and its {body['F', 'ant']} for one network"
    worst, *good = sorted(row["scores"][0]["return"]["mean"] for row in rows("results_brax", name="reacher"))
    yield f"Reacher is above its {body['R', 'reacher']} with two of three seeds ({good[1]:.0f} and {good[0]:.0f})"
    yield f"the third is slow ({worst:.0f} after five minutes)"
    walker = f"{paper('brax/HaDES-R/walker2d/D64')['mean']:,.0f}"
    yield f"HalfCheetah is below its {body['R', 'halfcheetah']},"
    yield f"Walker2d and Humanoid are far below their {walker} and {body['R', 'humanoid']}"
    yield f"HumanoidStandup is at an eighth of its {body['R', 'humanoidstandup']}."
    yield f"The double pendulum is above its {body['R', 'inverted_double_pendulum']}"
    yield f"on Freeway PPO has {mean(of('comparison_games', 'return', task='freeway', method='PPO')):.0f}"


def bodies() -> Iterator[str]:
    """Brax by an actor's loss through the inner loop, beside the paper."""
    run = paper("brax/HaDES-R/ant/D64")
    yield f"with 64 pairs after {run['generations']:,} generations of {run['population']:,} candidates: HaDES-R"
    for task, words in BODIES.items():
        fresh, fixed = (paper(f"brax/HaDES-{kind}/{task}/D64")["mean"] for kind in "RF")
        yield f"{fresh:,.0f} ({fixed:,.0f}) on {words}"
    for task, words in (
        ("ant", "Ant had {} over networks of width 64 and {} of width 512 in as many minutes, one seed"),
        ("humanoid", "Humanoid had {} and {} then, in ten minutes"),
    ):
        narrow = next(row for row in all_rows("results_brax", name=task) if row["config"]["learner"]["width"] == 64)
        yield words.format(*(_spread(score["return"], 0) for score in narrow["scores"][:2]))
    seeds = [row["scores"] for row in rows("results_brax", name="ant")]
    for setting, width in ((0, 256), (2, 512)):
        middle = [scores[setting]["return"]["iqm"] for scores in seeds]
        yield f"{min(middle):,.0f} to {max(middle):,.0f} at width {width}"


def games() -> Iterator[str]:
    """MinAtar by an actor's loss through the inner loop, beside the paper."""
    for kind in ("R", "F"):
        three = [
            f"{paper(f'minatar-5k/HaDES-{kind}/{game}-MinAtar/D16')['mean']:.1f}"
            for game in ("Breakout", "SpaceInvaders", "Asterix")
        ]
        yield "HaDES-{} {}, {} and {}".format(kind, *three)
    narrow = [row["scores"] for row in all_rows("results_games", name="breakout", minutes=10)]
    own, wide = ([scores[i]["return"]["mean"] for scores in narrow] for i in (0, 1))
    yield f"Breakout had {mean(own):.1f} ± {stdev(own):.1f}, and {mean(wide):.1f} ± {stdev(wide):.1f} at width 512"


def one_network() -> Iterator[str]:
    """HaDES-F, and what stops Freeway."""
    seen = rows("comparison_fixed")
    yield f"one seed, {seen[0]['return']['episodes']} episodes."
    invaders, breakout = (paper(f"minatar-5k/HaDES-F/{name}-MinAtar/D16") for name in ("SpaceInvaders", "Breakout"))
    yield f"more than twice the published {invaders['mean']:.1f};"
    wide = all_rows("comparison_fixed", task="breakout", width=256)[0]["return"]["mean"]
    yield f"below its {breakout['mean']:.1f}, and for one wide layer, as its preset is now (`--tasks breakout"
    yield f"comes to {wide:.1f}; Freeway"
    ppo = all_rows("comparison_games", task="freeway", method="PPO")
    usual = [row for row in ppo if row["cell"]["settings"]["learning_rate"] == 3e-4]
    together = zip(*(row["curve"] for row in usual), strict=True)
    curve = [(points[0][0] / 1e6, mean(point[2] for point in points)) for points in together]
    first, million = (min(curve, key=lambda one: abs(one[0] - at)) for at in (0.25, 1.0))
    passed = next(steps for steps, score in curve if score > 40)
    yield f"at {first[1]:.1f} after {first[0]:.2f} million steps and {million[1]:.1f} after {million[0]:.2f},"
    yield f"mean of {len(usual)} seeds) and passes 40 after {passed:.1f} million"
    settings = usual[0]["cell"]["settings"]
    steps = settings["num_envs"] * settings["num_steps"]
    yield f"with {settings['num_epochs'] * settings['num_minibatches']} updates for every {steps:,} steps"


def half_time() -> Iterator[str]:
    """Pendulum's."""
    short = [row for row in all_rows("results", name="pendulum") if row["config"]["minutes"] == 1.5]
    returns = [row["scores"][0]["return"]["mean"] for row in short]
    yield f"({mean(returns):.1f} ± {stdev(returns):.1f} at width 64 in half its minutes, {len(returns)} seeds)"


def comparison() -> Iterator[str]:
    """HaDES, ES and PPO."""
    yield f"before any episode ended, and scored {paper('minatar-5k/HaDES-R/Freeway-MinAtar/D16')['mean']:.0f}."
    best, second, third = sorted(of("comparison", "return", task="hopper", method="HaDES-R"), reverse=True)
    short = paper("brax/HaDES-R/hopper/D64")["mean"] - second
    yield f"({second:,.0f} and {best:,.0f}; the third, at {third:,.0f}, does hardly more than stand)"
    yield f"which come within {short + 0.5:.0f} of the paper"
    evolved = {row["iterations"] for row in rows("comparison_games", task="freeway") if row["cell"]["method"] != "PPO"}
    yield f"five million steps are but {evolved.pop()} generations"
    iterations = mean(row["iterations"] for row in rows("comparison_games", task="breakout", method="evolution"))
    yield f"whose runs had {long_ago('Breakout')} instead of {iterations:.0f} of 128."
    yield f"Published, after {long_ago('Breakout')}"


def generalisation() -> Iterator[str]:
    """Shares of settings that keep a dataset's gain."""
    known = [row for name in ("generalisation-zoo", "generalisation") for row in found(name, "generalisation")[1]]
    shares, own = {}, {}
    for name in dict.fromkeys(row["cell"]["dataset"] for row in known):
        mine = [row for row in known if row["cell"]["dataset"] == name]
        own[name], kept = mine[0], share_kept(mine)
        shares[name] = kept and (f"{100 * kept['share']:.0f} %", kept["settings"])
    for name in ("cartpole-2", "cartpole-8"):
        yield "{0} for {1[0]} of {1[1]}".format(name, shares[name])
    for name in ("mountaincar-continuous", "acrobot", "acrobot-12", "mountaincar-9", "pendulum"):
        yield f"{name} for {shares[name][0]}"
    yield f"mountaincar (three pairs) for {shares['mountaincar'][0]}"
    yield f"sixteen pairs hold for {shares['hopper-16'][0]} where its four do for {shares['hopper-4'][0]}:"
    yield f"Walker2d's four pairs hold for {shares['walker2d'][0]}"
    yield f"HalfCheetah's sixteen for {shares['halfcheetah'][0]},"
    yield f"hold for {shares['inverted_double_pendulum'][0]}: their gain is of the networks that balance"
    yield f"({_spread(own['inverted_double_pendulum']['return'], 0)} over sixteen)"
    assert shares["asterix"] is None
    score, chance = _spread(own["asterix"]["return"]), own["asterix"]["random"]
    yield f"Asterix's score by evolution ({score}; random actions have {chance:.1f}) may be chance"
    yield f"Freeway's sixteen pairs ({_spread(own['freeway']['return'])}) hold for {shares['freeway'][0]}:"
    looks = {name: share_kept(rows("generalisation_loop", dataset=name)) for name in LOOKING}
    shares = [f"{100 * kept['share']:.0f} % of {kept['settings']}" for kept in looks.values() if kept]
    yield "space-invaders-16 holds for {}, asterix-16 for {}, inverted_double_pendulum-16 for {}".format(*shares)
    yield f"breakout-16 for {shares[3]}:"
    yield f"Reacher's sixteen, for one wide layer, hold for {shares[4]}:"


def any_network() -> Iterator[str]:
    """Pairs for one kind of network, and for several."""
    study, known = found("generalisation_learners")
    one, several = ([row for row in known if row["cell"]["dataset"] == name] for name in study.datasets)
    kept = [share_kept(mine) for mine in (one, several)]
    assert kept[0] and kept[1]
    yield f"for {100 * kept[0]['share']:.0f} % of {kept[0]['settings']} other settings."
    yield f"they hold for {100 * kept[1]['share']:.0f} %, among them Adam"
    yield f"gains, too: {_spread(several[0]['return'])} instead of {_spread(one[0]['return'])} over sixteen networks"


def budget() -> Iterator[str]:
    """Numbers of pairs."""
    (sixteen,), (most,) = (rows("budget", size=size) for size in (16, 64))
    short = paper("sweep_D/HaDES-R/hopper/D16")["mean"] - sixteen["return"]["mean"]
    yield f"sixteen come within {short + 0.5:.0f} of it"
    yield f"the dearest, had {most['generations']} generations"
    run = paper("sweep_D/HaDES-R/hopper/D4")
    yield f"{run['generations']:,} generations of {run['population']:,} candidates and found little difference"


def unions() -> Iterator[str]:
    """Agents of several tasks, at once and in turn."""
    shares = {line[0]: line[-1].split(" / ")[1] for line in table("multitask")[1:]}
    yield f"So do Hopper ({shares['brax/hopper']} of its gain) and HalfCheetah ({shares['brax/halfcheetah']});"
    yield f"Freeway keeps {shares['Freeway-MinAtar']} and Breakout {shares['Breakout-MinAtar']};"
    alone = table("continual")[1]
    yield f"a network forgets {alone[3]} of its gain"
    yield f"two rounds ({alone[5]} with the pairs alone)"


def cost() -> Iterator[str]:
    """When distilling pays."""
    lines = {line[0]: line for line in table("cost")[1:]}
    against = [max(int(line[i].split()[0]) for line in lines.values()) for i in (7, 8)]
    yield f"after two to five policies against ES and three to {against[1]} against PPO"
    yield f"{lines['halfcheetah'][9]} on HalfCheetah."
    hopper = lines["hopper"]
    minutes = float(hopper[1]) * int(hopper[4]) / 60
    yield f"cost PPO {float(hopper[6]):.0f} s and whose search takes {minutes:.0f} minutes"


def architectures() -> Iterator[str]:
    """Rankings of networks."""
    study, every = found("architectures")
    by = {name: [row for row in every if row["cell"]["dataset"] == name] for name in study.datasets}
    kinds = {name: len({json.dumps(row["architecture"]) for row in mine}) for name, mine in by.items()}
    yield f"({kinds['cartpole-2']} different networks on CartPole's two, {kinds['breakout']} on Breakout's fifteen)"
    steps = every[-1]["cell"]["steps"]
    yield f"trained by PPO, too: its usual settings, {steps:,} steps"
    rho, low, high = correlation(by["breakout"])
    yield f"rank correlation of {rho:.2f} (95 % interval {low:.2f} to {high:.2f})"
    first = max(by["breakout"], key=lambda row: row["return"]["mean"])
    best = max(mean(row["ppo_returns"]) for row in by["breakout"])
    yield f"within {best - mean(first['ppo_returns']):.1f} of the best by PPO, which finds {best:.1f}"
    seen, again, before = set(), [], []
    for row in by["breakout"]:
        kind = json.dumps(row["architecture"])
        twice = sum(json.dumps(other["architecture"]) == kind for other in by["breakout"]) > 1
        (again if kind in seen else before if twice else []).append(row["dataset_seconds"])
        seen.add(kind)
    yield f"took {min(again):.0f} to {max(again):.0f} s instead of {min(before):.0f} to {max(before):.0f}."
    full = sum(row["return"]["mean"] == 500 for row in by["cartpole-2"])
    yield f"{full} of the {len(by['cartpole-2'])} score a full 500"


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
    (walker,) = rows("results", name="walker2d")
    (cheetah,) = all_rows("results", name="halfcheetah")  # by the preset that was
    narrow, wide = (_spread(score["return"], 0) for score in walker["scores"])
    minutes = walker["training_seconds"] / 60
    yield f"{narrow} over 32 networks of width 64 and {wide} of width 512, after {minutes:.1f} minutes"
    few, many = paper("brax-const-norm/HaDES-R/walker2d/D4"), paper("brax/HaDES-R/walker2d/D64")
    words = [f"{run['mean']:,.0f} ± {run['std']:.0f}" for run in (few, many)]
    yield "published: {} with four pairs, {} with 64)".format(*words)
    narrow, wide = (_spread(score["return"], 0) for score in cheetah["scores"])
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
    accuracy = {name: _spread({k: 100 * card[k] for k in ("mean", "std_of_inits")}) for name, card in cards.items()}
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


def long_ago(game: str) -> str:
    """The size of the published runs of MinAtar."""
    run = paper(f"minatar-5k/HaDES-R/{game}-MinAtar/D16")
    return f"{run['generations']:,} generations of {run['population']:,} candidates"


def _and(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _mean(words: str) -> str:
    return words.split(" ± ")[0]


def _spread(score: dict[str, float], digits: int = 1) -> str:
    return f"{score['mean']:,.{digits}f} ± {score['std_of_inits']:,.{digits}f}"


def _widths(runs: Sequence[Row]) -> list[str]:
    return [f"{mean(row['scores'][width]['mean'] for row in runs):,.0f}" for width in ("64", "512")]
