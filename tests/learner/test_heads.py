"""Action heads, against scipy's distributions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from hades.dataset import Spec
from hades.learner.heads import Categorical, Gaussian, head_of
from hades.learner.networks import init_network, make_network
from hades.learner.recipe import Learner
from hades.learner.recipes import published

KEY = jax.random.key(0)
LOGITS = jnp.asarray([[0.0, 1.0, -2.0], [3.0, 0.5, 0.5]])
NORMAL = jnp.asarray([[0.3, -2.0], [0.0, 0.1]]), jnp.asarray([[0.0, 0.5], [-1.0, -1.0]])


def test_log_probabilities_and_entropy_of_classes() -> None:
    head, probabilities = Categorical(), np.asarray(jax.nn.softmax(LOGITS))
    got = head.log_prob(LOGITS, jnp.asarray([2, 0]))
    np.testing.assert_allclose(got, np.log(probabilities[[0, 1], [2, 0]]), rtol=1e-5)
    np.testing.assert_allclose(head.entropy(LOGITS), stats.entropy(probabilities, axis=1), rtol=1e-5)


def test_log_probabilities_and_entropy_of_actions() -> None:
    head, (mean, log_std) = Gaussian(), NORMAL
    action = jnp.asarray([[0.5, 0.5], [-0.2, 0.0]])
    want = stats.norm.logpdf(action, mean, np.exp(log_std)).sum(1)
    np.testing.assert_allclose(head.log_prob(NORMAL, action), want, rtol=1e-5)
    np.testing.assert_allclose(head.entropy(NORMAL), stats.norm.entropy(mean, np.exp(log_std)).sum(1), rtol=1e-5)


def test_the_mode_is_the_most_likely() -> None:
    assert int(Categorical().mode(LOGITS[0])) == 1
    np.testing.assert_array_equal(Gaussian().mode(NORMAL), NORMAL[0])


def test_samples_have_the_heads_distribution() -> None:
    keys = jax.random.split(KEY, 4000)
    drawn = jax.vmap(lambda key: Categorical().sample(LOGITS[0], key))(keys)
    np.testing.assert_allclose(np.bincount(drawn) / 4000, jax.nn.softmax(LOGITS[0]), atol=0.03)
    first = jax.tree.map(lambda x: x[0], NORMAL)
    drawn = jax.vmap(lambda key: Gaussian().sample(first, key))(keys)
    np.testing.assert_allclose(drawn.mean(0), first[0], atol=0.1)
    np.testing.assert_allclose(drawn.std(0), np.exp(first[1]), rtol=0.05)


def test_an_action_is_bounded_as_environments_take_it() -> None:
    np.testing.assert_array_equal(Gaussian().bounded(jnp.asarray([-3.0, 0.2, 1.5])), jnp.asarray([-1.0, 0.2, 1.0]))
    assert int(Categorical().bounded(jnp.int32(7))) == 7


@pytest.mark.parametrize("discrete", [True, False])
def test_near_initialisation_a_networks_head_is_flat(discrete: bool) -> None:
    spec = Spec((2,), 3, discrete)
    recipe, head = published(spec).patched(Learner(width=8)), head_of(spec)
    out = jax.jit(lambda key: make_network(recipe, spec).apply(init_network(recipe, spec, key), jnp.ones((5, 2))))(KEY)
    want = np.log(3) if discrete else 3 * stats.norm.entropy(0, 1)
    np.testing.assert_allclose(head.entropy(out), np.full(5, want), rtol=1e-2)
