"""What the public functions take beside a configuration: each argument once, with its rule and its help."""

from dataclasses import dataclass

from hades.options import SEED, option, registry

INITS = ("auto", "fresh", "fixed")
"""Which networks a dataset trains."""

ESSENTIALS = "essentials"
"""The group of the options of a distillation that stand first."""


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """Where a distillation's options come from."""

    preset: str = option("laptop", one_of=registry("hades.presets", "PRESETS"), group=ESSENTIALS)
    """Configuration that all other options start from (`hades presets`): laptop, evolution (the paper's outer loop in
    minutes) or paper."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """What is kept and shown of a run."""

    trackers: tuple[str, ...] = option(())
    """tensorboard, wandb: also log there."""
    checkpoint_every: float = option(15.0, least=0)
    """Seconds between two checkpoints."""
    progress: bool = option(True)
    """Show progress on stderr."""


@dataclass(frozen=True, kw_only=True)
class Joining:
    """Which of several processes this is."""

    processes: int | None = option(None, least=1)
    """How many processes there are."""
    process_id: int | None = option(None, least=0)
    """Which of them this is, from 0."""


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How a dataset is scored."""

    inits: int | None = option(None, least=1)
    """Networks trained, each with its own initialisation; left out: 32 fresh ones, of HaDES-F's own all."""
    episodes: int = option(8, least=1)
    """Episodes played by each network; of images there are none."""
    init: str = option("auto", one_of=INITS)
    """fresh, fixed (HaDES-F's own initialisation), or auto: what the dataset was distilled for."""
    greedy: bool = option(False)
    """Score the most likely action instead of a sampled one."""
    seed: int = option(0, **SEED)
    """Of initialisations and episodes."""


@dataclass(frozen=True, kw_only=True)
class Explaining:
    """How it is found out what a dataset's pairs mean."""

    inits: int = option(8, least=1)
    """Networks trained, of each way of training; of HaDES-F's own all."""
    episodes: int = option(4, least=1)
    """Episodes played by each network; of images there are none."""
    seed: int = option(0, **SEED)
    """Of initialisations and episodes."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How one network is trained on a dataset."""

    init: str = option("auto", one_of=INITS)
    """fresh, fixed (HaDES-F's own initialisation), or auto: what the dataset was distilled for."""
    seed: int = option(0, **SEED)
    """Of a fresh initialisation."""


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """How episodes are shown."""

    inits: int | None = option(None, least=1, most=16)
    """Networks side by side, each with its own initialisation and episode; left out: one, of HaDES-F's own all."""
    init: str = option("auto", one_of=INITS)
    """fresh, fixed (HaDES-F's own initialisation), or auto: what the dataset was distilled for."""
    greedy: bool = option(False)
    """Take the most likely action instead of a sampled one."""
    seed: int = option(0, **SEED)
    """Of initialisations and episodes."""


@dataclass(frozen=True, kw_only=True)
class Watching:
    """Where a page is served."""

    port: int = option(8265, least=0, most=65535)
    """On localhost; 0 takes a free one."""


@dataclass(frozen=True, kw_only=True)
class Merging:
    """How datasets are joined."""

    identity: bool = option(False)
    """Tell the tasks apart: each task's observations have inputs of their own."""


@dataclass(frozen=True, kw_only=True)
class Pushing:
    """How a dataset is put on the hub."""

    private: bool = option(False)
    """Only you are to see it."""
    message: str | None = option(None)
    """Of the commit; left out: what the dataset is."""
    license: str | None = option(None)
    """What the card names, as the hub calls it (apache-2.0); left out: none."""


@dataclass(frozen=True, kw_only=True)
class Comparing:
    """How what distillation is compared with is scored."""

    evaluations: int = option(20, least=1)
    """How often on the way."""
    evaluation_episodes: int = option(64, least=1)
    """Fresh episodes of every score."""
