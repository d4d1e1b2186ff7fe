"""A recipe: one complete inner loop. A learner: wishes, laid over a recipe once, where a request comes in."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any

from hades.aliases import Json, Options
from hades.errors import InputError
from hades.options import check, check_names, check_value, help_of, option, registry, shown

GROUP = "inner loop"
SHAPE = ("network", "width", "depth")
"""Of a recipe: what says which network it is."""
DRAWN = (*SHAPE, "initialiser", "bias", "norm")
"""Of a recipe: what an initialisation is drawn by."""


def _registry(place: str) -> Callable[[], Collection[str]]:
    module, name = place.split(".")
    return registry(f"hades.learner.{module}", name)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network and the supervised training of it, complete (Lupu et al. 2024, Appendix B).

    Raises:
        InputError: for a name or number that cannot be.
    """

    network: str = option(one_of=_registry("bodies.NETWORKS"), group=GROUP)
    """Network: mlp; transformer, over a vector's numbers or a grid's cells; for grids and images [H, W, C] also cnn (a
    3x3 convolution with 16 channels, then dense), convnet, lenet, resnet."""
    width: int | tuple[int, ...] = option(above=0, group=GROUP)
    """Units in each hidden layer (convnet: channels in each block, resnet: in each stage); several numbers: one a
    layer, and no depth."""
    depth: int = option(above=0, most=100, group=GROUP)
    """Number of hidden layers, blocks or stages."""
    activation: str = option(one_of=_registry("parts.ACTIVATIONS"), group=GROUP)
    """Activation: tanh, relu, elu, gelu, silu (or swish), leaky_relu, softplus or sigmoid."""
    initialiser: str = option(one_of=_registry("layers.INITIALISERS"), group=GROUP)
    """Of the network's kernels: orthogonal, lecun, he or xavier."""
    bias: float = option(least=0, off=0, group=GROUP)
    """Biases start uniform between 0 and this."""
    norm: str = option(one_of=_registry("parts.NORMS"), off="none", group=GROUP)
    """Of dense hidden layers, before their activation: none or layer."""
    log_std: float = option(0.0, group=GROUP)
    """Log-std of continuous actions where the inner loop begins; with the loss mse it stays."""
    loss: str = option(one_of=_registry("objectives.LOSSES"), group=GROUP)
    """Loss: nll, the negative log-likelihood (of labels: cross-entropy, averaged over pairs and classes, as
    published), or mse, the squared error of the mean action or of the action probabilities."""
    optimiser: str = option(one_of=_registry("cloning.OPTIMISERS"), group=GROUP)
    """Inner optimiser: adam, adamw, rmsprop, sgd or momentum."""
    learning_rate: float = option(above=0, group=GROUP)
    """Inner step size."""
    epochs: int = option(above=0, group=GROUP)
    """Steps of the inner loop; each on the whole dataset, unless there is a batch."""
    batch: int = option(least=0, off=0, group=GROUP)
    """Pairs drawn for each step, instead of all; 0 for all."""
    augment: str = option(one_of=_registry("augmentation.AUGMENTATIONS"), off="none", group=GROUP)
    """Augmentation of images in the inner loop: none, or dsa (Zhao & Bilen 2021): one random transformation a step."""
    clip: float = option(least=0, off=0, group=GROUP)
    """Largest global norm of the inner gradient; 0 for no clipping."""

    def __post_init__(self) -> None:
        check(self)
        if not self.widths:
            raise InputError("width must be one number or more")
        object.__setattr__(self, "depth", len(self.widths))

    @property
    def widths(self) -> tuple[int, ...]:
        """Of each layer, block or stage."""
        return self.width if isinstance(self.width, tuple) else (self.width,) * self.depth

    @property
    def drawn(self) -> Json:
        """What an initialisation is drawn by, as plain JSON values."""
        return {name: value for name, value in self.options().items() if name in DRAWN}

    def options(self) -> Json:
        """As plain JSON values."""
        return _as_json(vars(self))

    def patched(self, *learners: "Wishes") -> "Recipe":
        """This recipe with a learner's wishes, then another's; another network brings its own shape along.

        Raises:
            InputError: for a depth that several widths do not have.
        """
        recipe = self
        for wishes in (as_learner(learner).wishes for learner in learners):
            changes = {**_own_shape(wishes.get("network"), recipe.network), **wishes}
            width, depth = changes.get("width", recipe.width), wishes.get("depth")
            if isinstance(width, tuple) and depth not in (None, len(width)):
                raise InputError(f"widths {', '.join(map(str, width))} make {len(width)} layers, not depth {depth}")
            recipe = dataclasses.replace(recipe, **changes)
        return recipe


class Learner:
    """Wishes for the inner loop, by the names of a `Recipe`'s fields: ``Learner(width=512, activation="relu")``.

    What is left out stays as the recipe has it that the learner is laid over: the dataset's own where there is one,
    else the preset's or the published one (`Recipe.patched`).

    Attributes:
        wishes: what was given.

    Raises:
        InputError: for a name or value that is not an option.

    Examples:
        >>> Learner(width=512, activation="relu") | Learner(width=64)
        Learner(width=64, activation='relu')
    """

    def __init__(self, **wishes: Any) -> None:
        check_names(Recipe, wishes, "a learner")
        self.wishes: Options = {k: check_value(Recipe, k, v) for k, v in wishes.items() if v is not None}

    def options(self) -> Json:
        """As plain JSON values."""
        return _as_json(self.wishes)

    def __or__(self, other: "Learner") -> "Learner":
        """Both's wishes; where they differ, the other's."""
        return Learner(**{**self.wishes, **other.wishes})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Learner) and self.wishes == other.wishes

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.wishes.items())))

    def __repr__(self) -> str:
        return f"Learner({', '.join(f'{k}={v!r}' for k, v in self.wishes.items())})"


Wishes = Learner | Recipe | Options | None
"""However they are given; a whole recipe wishes for all that it says."""


def as_learner(wishes: Wishes) -> Learner:
    """Wishes, however they were given.

    Raises:
        InputError: for what is none.
    """
    if isinstance(wishes, Learner):
        return wishes
    if isinstance(wishes, Recipe):
        return Learner(**vars(wishes))
    if wishes is None or isinstance(wishes, Mapping):
        return Learner(**{str(name): value for name, value in (wishes or {}).items()})
    raise InputError(f"a learner is hades.Learner(width=64, ...) or a dict of such options, not {shown(wishes)}")


def stored(options: Wishes) -> Learner:
    """The learner that a file has; those of release 0.1 may say a depth that their several widths do not have.

    Raises:
        InputError: for what is none.
    """
    if isinstance(options, Mapping) and isinstance(options.get("width"), list):
        options = {name: value for name, value in options.items() if name != "depth"}
    return as_learner(options)


def _own_shape(asked: str | None, base: str) -> Options:
    from hades.learner.bodies import NETWORKS

    return NETWORKS[asked].shape if asked is not None and asked != base else {}


def _as_json(options: Options) -> Json:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in options.items()}


# What an editor and `help` show of a learner is what a recipe declares.
Learner.__signature__ = Signature(  # type: ignore[attr-defined]
    [Parameter(f.name, Parameter.KEYWORD_ONLY, default=None, annotation=f.type) for f in dataclasses.fields(Recipe)]
)
Learner.__doc__ = (Learner.__doc__ or "") + "\n".join(
    ["\n    Options:", *(f"        {name}: {text}" for name, text in help_of(Recipe).items())]
)
