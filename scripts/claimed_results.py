"""What docs/results.md says, with the figures that the committed JSON has: a function for each part of it."""

import json
from collections.abc import Iterator, Sequence
from statistics import mean

from measured import Row, all_rows, found, long_ago, of, paper, rows, spread, table

from hades.baselines.settings import per_iteration
from hades.studies.architectures import correlation
from hades.studies.generalisation import share_kept
from hades.studies.pieces import over_seeds

BODIES = {
    "ant": "Ant", "halfcheetah": "HalfCheetah", "humanoid": "Humanoid", "humanoidstandup": "HumanoidStandup",
    "inverted_double_pendulum": "the double pendulum", "reacher": "Reacher",
}  # fmt: skip

LOOKING = (
    "space-invaders-16", "asterix-16", "inverted_double_pendulum-16", "docs/results/breakout-16.safetensors",
    "docs/results/reacher-16.safetensors", "freeway-16", "ant-16", "halfcheetah-16", "walker2d-4",
)  # fmt: skip
"""The later datasets whose generalisation was tried, most by an actor's loss."""


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
    hour = [row["scores"] for row in rows("results_brax", name="halfcheetah")]
    own, wide = (mean(scores[i]["return"]["mean"] for scores in hour) for i in (0, 2))
    below, wider = (100 * (1 - each / paper("brax/HaDES-R/halfcheetah/D64")["mean"]) for each in (own, wide))
    yield f"HalfCheetah is after an hour {below:.0f} % below its {body['R', 'halfcheetah']},"
    yield f"at width 512 by {wider:.0f} %"
    alike = paper("sweep_D/HaDES-R/halfcheetah/D16")["mean"]
    yield f"by {100 * (1 - own / alike):.0f} % below what the paper has with sixteen pairs, {alike:,.0f})"
    yield f"above what four pairs have there, {paper('brax-const-norm/HaDES-R/walker2d/D4')['mean']:,.0f},"
    varied = paper("sweep_D/HaDES-R/humanoid/D64")["mean"]
    yield f"far below its {walker} of 64, and so is Humanoid below its {body['R', 'humanoid']} ({varied:,.0f} where"
    yield f"HumanoidStandup is at an eighth of its {body['R', 'humanoidstandup']}."
    yield f"The double pendulum is above its {body['R', 'inverted_double_pendulum']}"
    yield f"on Freeway PPO has {mean(of('comparison_games', 'return', task='freeway', method='PPO')):.0f}"


def half_time() -> Iterator[str]:
    """Pendulum's."""
    short = [row for row in all_rows("results", name="pendulum") if row["config"]["minutes"] == 1.5]
    returns = [row["scores"][0]["return"]["mean"] for row in short]
    yield f"({_seeds(returns, 1)} at width 64 in half its minutes, {len(returns)} seeds)"


def one_network() -> Iterator[str]:
    """HaDES-F, and what stops Freeway."""
    seen = rows("comparison_fixed")
    yield f"one seed, {seen[0]['return']['episodes']} episodes."
    invaders, breakout = (paper(f"minatar-5k/HaDES-F/{name}-MinAtar/D16") for name in ("SpaceInvaders", "Breakout"))
    yield f"more than twice the published {invaders['mean']:.1f};"
    wide = all_rows("comparison_fixed", task="breakout", width=256)[0]["return"]["mean"]
    yield f"below its {breakout['mean']:.1f}, and for one wide layer, as its preset is now (`--tasks breakout"
    now = rows("comparison_wide", task="breakout", method="HaDES-F")[0]["return"]["mean"]
    yield f"comes to {wide:.1f}, and to {now:.1f} with the critic"
    asterix = all_rows("comparison_fixed", task="asterix", width=256)[0]["return"]["mean"]
    yield f"too ({asterix:.1f} for one wide layer)"
    ppo = all_rows("comparison_games", task="freeway", method="PPO")
    usual = [row for row in ppo if _is_usual(row)]
    together = zip(*(row["curve"] for row in usual), strict=True)
    curve = [(points[0][0] / 1e6, mean(point[2] for point in points)) for points in together]
    first, million = (min(curve, key=lambda one: abs(one[0] - at)) for at in (0.25, 1.0))
    passed = next(steps for steps, score in curve if score > 40)
    yield f"at {first[1]:.1f} after {first[0]:.2f} million steps and {million[1]:.1f} after {million[0]:.2f},"
    yield f"mean of {len(usual)} seeds) and passes 40 after {passed:.1f} million"
    settings = usual[0]["cell"]["settings"]
    updates = settings["num_epochs"] * settings["num_minibatches"]
    yield f"with {updates} updates for every {per_iteration(settings):,} steps"


def comparison() -> Iterator[str]:
    """HaDES, ES and PPO."""
    yield f"before any episode ended, and scored {paper('minatar-5k/HaDES-R/Freeway-MinAtar/D16')['mean']:.0f}."
    best, second, third = sorted(of("comparison", "return", task="hopper", method="HaDES-R"), reverse=True)
    short = paper("brax/HaDES-R/hopper/D64")["mean"] - second
    yield f"({second:,.0f} and {best:,.0f}; the third, at {third:,.0f}, does hardly more than stand)"
    yield f"which come within {short + 0.5:.0f} of the paper"
    for task, words in (("cartpole", "CartPole has {};"), ("hopper", "the search found, {},")):
        usual = [row for row in all_rows("comparison", task=task, method="PPO") if _is_usual(row)]
        yield words.format(_seeds([row["return"]["mean"] for row in usual]))
    evolved = {row["iterations"] for row in rows("comparison_games", task="freeway") if row["cell"]["method"] != "PPO"}
    yield f"five million steps are but {evolved.pop()} generations"
    iterations = mean(row["iterations"] for row in rows("comparison_games", task="breakout", method="evolution"))
    yield f"whose runs had {long_ago('Breakout')} instead of {iterations:.0f} of 128."
    yield f"Published, after {long_ago('Breakout')}"


def five_minutes() -> Iterator[str]:
    """All methods at equal time, on one task of each kind."""
    evolved = [rows("comparison_wide", task=task, method="evolution")[0] for task in ("halfcheetah", "breakout")]
    yield "these minutes but {} generations of HalfCheetah's pairs and {} of Breakout's".format(
        *(row["iterations"] for row in evolved)
    )
    off, on = (rows("comparison_wide", task="halfcheetah", method=method)[0] for method in ("td3", "HaDES-R"))
    yield f"({off['return']['mean']:,.0f} and {on['return']['mean']:,.0f})"
    yield f"on {off['env_steps'] / 1e6:.2f} million steps where that takes {on['env_steps'] / 1e6:.2f}."
    yield "hence the seconds above 300."


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
        yield words.format(*(spread(score["return"], 0) for score in narrow["scores"][:2]))
    before = all_rows("results_brax", name="halfcheetah", minutes=30)
    less, more = sorted(row["scores"][0]["return"]["mean"] for row in before)
    yield f"HalfCheetah had {more:,.0f} and {less:,.0f} after thirty minutes"
    for minutes, words in (
        (10, "with one wide layer {} after ten over three seeds ({} and {} at widths 64 and 512)"),
        (None, "now that it shrinks, {} over two seeds after thirty ({} and {})"),
        (60, "and {} after sixty"),
    ):
        wide = [
            row["scores"] for row in all_rows("results_brax", name="halfcheetah", minutes=minutes) if _is_wide(row)
        ]
        means = [[scores[i]["return"]["mean"] for scores in wide] for i in range(3)]
        yield words.format(*map(_seeds, means))
    seeds = [row["scores"] for row in rows("results_brax", name="ant")]
    for setting, width in ((0, 256), (2, 512)):
        middle = [scores[setting]["return"]["iqm"] for scores in seeds]
        yield f"{min(middle):,.0f} to {max(middle):,.0f} at width {width}"


def _seeds(values: Sequence[float], digits: int = 0) -> str:
    """As prose has them: their mean ± standard deviation over seeds."""
    return f"{mean(values):,.{digits}f} ± {over_seeds(values):,.{digits}f}"


def _is_usual(row: Row) -> bool:
    """By PPO's usual settings, not by those that a search found."""
    return row["cell"]["settings"]["learning_rate"] == 3e-4


def _is_wide(row: Row) -> bool:
    return row["config"]["learner"]["width"] == 256


def games() -> Iterator[str]:
    """MinAtar by an actor's loss through the inner loop, beside the paper."""
    for kind in ("R", "F"):
        three = [
            f"{paper(f'minatar-5k/HaDES-{kind}/{game}-MinAtar/D16')['mean']:.1f}"
            for game in ("Breakout", "SpaceInvaders", "Asterix")
        ]
        yield "HaDES-{} {}, {} and {}".format(kind, *three)
    blind = all_rows("results_games", name="seaquest", preset="evolution")
    yield f"by evolution in as many minutes ({spread(blind[0]['scores'][0]['return'])} over 32 networks of width 32"
    narrow = [row["scores"] for row in all_rows("results_games", name="breakout", minutes=10)]
    returns = ([scores[i]["return"]["mean"] for scores in narrow] for i in (0, 1))
    own, wide = (_seeds(each, 1) for each in returns)
    yield f"Breakout had {own}, and {wide} at width 512"


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
    yield f"({spread(own['inverted_double_pendulum']['return'], 0)} over sixteen)"
    assert shares["asterix"] is None
    score, chance = spread(own["asterix"]["return"]), own["asterix"]["random"]
    yield f"Asterix's score by evolution ({score}; random actions have {chance:.1f}) may be chance"
    yield f"Freeway's sixteen pairs ({spread(own['freeway']['return'])}) hold for {shares['freeway'][0]}:"
    looks = {name: share_kept(rows("generalisation_loop", dataset=name)) for name in LOOKING}
    later = {name: f"{100 * kept['share']:.0f} % of {kept['settings']}" for name, kept in looks.items() if kept}
    yield f"space-invaders-16 holds for {later['space-invaders-16']}, asterix-16 for {later['asterix-16']} (for"
    best = max(
        (row["return"] for row in rows("generalisation_loop", dataset="asterix-16")), key=lambda one: one["mean"]
    )
    yield f"up to {spread(best)};"
    yield f"inverted_double_pendulum-16 for {later['inverted_double_pendulum-16']}"
    yield f"freeway-16 for {later['freeway-16']} (for"
    yield f"breakout-16 for {later['docs/results/breakout-16.safetensors']}:"
    yield f"Reacher's sixteen, for one wide layer, hold for {later['docs/results/reacher-16.safetensors']}:"
    yield f"Ant's sixteen, for one wide layer, hold for {later['ant-16']}:"
    yield f"HalfCheetah's, after an hour, hold for {later['halfcheetah-16']}:"
    yield f"(`walker2d-4`, by evolution) hold for {later['walker2d-4']}:"


def any_network() -> Iterator[str]:
    """Pairs for one kind of network, and for several."""
    study, known = found("generalisation_learners")
    one, several = ([row for row in known if row["cell"]["dataset"] == name] for name in study.datasets)
    kept = [share_kept(mine) for mine in (one, several)]
    assert kept[0] and kept[1]
    yield f"for {100 * kept[0]['share']:.0f} % of {kept[0]['settings']} other settings."
    yield f"they hold for {100 * kept[1]['share']:.0f} %, among them Adam"
    yield f"gains, too: {spread(several[0]['return'])} instead of {spread(one[0]['return'])} over sixteen networks"


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
