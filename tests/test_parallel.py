"""Jobs in chunks and batches, over all devices, give what they give one by one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hades.parallel import Chunks, chunk_sizes, even_chunks, in_batches, run_jobs


@given(jobs=st.integers(1, 500), play=st.integers(1, 100), train=st.integers(1, 100))
def test_chunks_hold_all_jobs_and_no_more_than_asked(jobs: int, play: int, train: int) -> None:
    chunks = even_chunks(jobs, play, train)
    assert chunks.size <= play and chunks.batch <= min(train, chunks.size)
    assert chunks.number * chunks.size >= jobs > chunks.number * (chunks.size - 1)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_batches_are_made_as_all_at_once(size: int) -> None:
    made = in_batches(lambda job, scale: {"x": scale * job}, (3,), jnp.arange(5), size)
    np.testing.assert_array_equal(made["x"], 3 * np.arange(5))


@pytest.mark.parametrize("spread", [True, False])
@pytest.mark.parametrize("chunks", [Chunks(1, 6, 6), Chunks(2, 3, 2), Chunks(3, 2, 1)])
def test_jobs_are_done_in_order_whatever_the_chunk(spread: bool, chunks: Chunks) -> None:
    def work(jobs: jax.Array, batch: int, scale: jax.Array) -> jax.Array:
        assert batch == chunks.batch and len(jobs) == chunks.size
        return scale * jobs

    shape = (3, 2)
    np.testing.assert_array_equal(
        jax.jit(lambda scale: run_jobs(work, (scale,), shape, chunks, spread))(2), 2 * np.arange(6).reshape(shape)
    )


def test_larger_networks_run_fewer_at_once() -> None:
    sizes = [chunk_sizes(network_bytes, 1000, 1) for network_bytes in (10**4, 10**6, 10**8)]
    assert sizes == sorted(sizes, reverse=True) and min(min(sizes)) >= 1


def test_many_pairs_train_fewer_networks_at_once() -> None:
    batches = [chunk_sizes(10**4, 1000, 1, layers)[1] for layers in (0, 10**3, 10**8, 10**12)]
    assert batches[0] == batches[1] > batches[2] > batches[3] == 1
