"""The recipes that have a name: the published ones, and what deep networks want of theirs."""

from hades.dataset import Spec
from hades.learner.recipe import Learner, Recipe

CONTINUOUS = Recipe(
    network="mlp", width=512, depth=2, activation="tanh", initialiser="orthogonal", bias=0.0, norm="none", loss="nll",
    optimiser="adam", learning_rate=5e-3, epochs=200, batch=0, augment="none", clip=0.5,
)  # fmt: skip
"""The published recipe for continuous actions."""
DISCRETE = CONTINUOUS.patched(Learner(activation="relu", learning_rate=0.03, epochs=64, clip=0.0))
"""The published recipe for discrete actions."""
IMAGES = DISCRETE.patched(
    Learner(network="cnn", width=128, depth=1, initialiser="lecun", bias=0.05, optimiser="sgd", learning_rate=0.1,
            epochs=1000)
)  # fmt: skip
"""The published recipe for images."""

_NORMED = Learner(initialiser="orthogonal", optimiser="sgd", learning_rate=2.0, epochs=15)
DEEP = {
    "lenet": Learner(network="lenet", initialiser="he", optimiser="adam", learning_rate=3e-3, epochs=60),
    "convnet": Learner(network="convnet") | _NORMED,
    "resnet": Learner(network="resnet") | _NORMED,
}
"""Networks that the published step size hardly moves, each with the recipe that trains it on a few images.

Where there are norms, plain gradient descent from a head near zero: images distilled for it are far better than those
for Adam (docs/images.md).
"""

_TESTED = Learner(learning_rate=0.5, epochs=30)
ARCHITECTURES = {
    "cnn": IMAGES,
    "mlp": IMAGES.patched(Learner(network="mlp", width=128, depth=2)),
    "lenet": IMAGES.patched(DEEP["lenet"], Learner(epochs=240)),
    "convnet": IMAGES.patched(DEEP["convnet"], _TESTED),
    "resnet": IMAGES.patched(DEEP["resnet"], _TESTED),
}
"""That images are tested on: the paper's CNN and an MLP, by the published recipe; LeNet-5, ConvNet-3 and a small
residual network by theirs, with more or smaller steps than a distillation, of narrower ones, takes."""
SMALL = 16
"""Images of fewer pixels a side leave ConvNet and residual network few features, which take longer to learn from."""
ON_SMALL = ARCHITECTURES | {
    name: ARCHITECTURES[name].patched(Learner(learning_rate=2.0, epochs=300)) for name in ("convnet", "resnet")
}
WHOLE_SET = IMAGES.patched(Learner(optimiser="adam", learning_rate=1e-3, epochs=4000, batch=128))
"""For a whole training set: minibatches, for many epochs on little data and about eight on 60,000."""


def published(spec: Spec) -> Recipe:
    """The published recipe for a kind of action."""
    return DISCRETE if spec.discrete else CONTINUOUS


def few_pairs(activation: str) -> Learner:
    """For two to six pairs: the published step size for MinAtar, 0.03, does not carry over to wider networks."""
    return Learner(width=64, activation=activation, learning_rate=5e-3, epochs=200)
