"""Work spread over devices: jobs are sharded, run in chunks, and trained a few at a time."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from hades.aliases import PyTree

AXIS = "networks"
CACHE_BYTES = 2**20
"""Of a core's own cache: what networks may fill."""
LIMITS = [Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory/memory.limit_in_bytes")]
"""Where Linux says what memory a container may have."""
LANES = 64
"""Episodes side by side that fill a core's vector units."""
SHIFTS = 4
"""In which an evaluation's networks play, at most."""


class Chunks(NamedTuple):
    """How the jobs of a device are run."""

    number: int
    """Of chunks, one after the other."""
    size: int
    """Jobs that play at once."""
    batch: int
    """Jobs that train at once."""


def mesh() -> Mesh:
    """All devices, of all processes."""
    return jax.make_mesh((jax.device_count(),), (AXIS,), (jax.sharding.AxisType.Auto,))


def replicated() -> NamedSharding:
    """The same on all devices."""
    return NamedSharding(mesh(), PartitionSpec())


def run_jobs(
    work: Callable[..., Any], shared: tuple[PyTree, ...], shape: tuple[int, int], chunks: Chunks, spread: bool = True
) -> Any:
    """``work(jobs, batch, *shared)`` of all jobs, by their numbers. Leaves are ``[*shape, ...]``.

    Jobs are sharded over all devices, or, where they are not ``spread``, the work of the one that asks for it; on each
    they run in chunks, of which ``batch`` train at once.
    """
    jobs, devices = shape[0] * shape[1], jax.device_count() if spread else 1

    def on_a_device(jobs: jax.Array, *shared: PyTree) -> Any:
        out = jax.lax.map(lambda jobs: work(jobs, chunks.batch, *shared), jobs.reshape(chunks.number, chunks.size))
        return jax.tree.map(lambda x: x.reshape(chunks.number * chunks.size, *x.shape[2:]), out)

    # Devices and chunks come out even by jobs done twice, whose results are dropped.
    numbers = jnp.minimum(jnp.arange(chunks.size * chunks.number * devices), jobs - 1)
    if spread:
        specs = (PartitionSpec(AXIS), *[PartitionSpec()] * len(shared))
        run = jax.shard_map(on_a_device, mesh=mesh(), in_specs=specs, out_specs=PartitionSpec(AXIS), check_vma=False)
    else:
        run = on_a_device
    return jax.tree.map(lambda x: x[:jobs].reshape(*shape, *x.shape[1:]), run(numbers, *shared))


def in_batches(make: Callable[..., Any], shared: tuple[PyTree, ...], jobs: jax.Array, size: int) -> Any:
    """``make(job, *shared)`` of all jobs, so many at a time."""

    def one(job: jax.Array) -> Any:
        return make(job, *shared)

    return jax.vmap(one)(jobs) if size == len(jobs) else jax.lax.map(one, jobs, batch_size=size)


def even_chunks(jobs: int, play: int, train: int) -> Chunks:
    """Of a device's jobs, chunks of ``play`` at most, in batches of ``train`` at most, as even as can be."""
    number = -(-jobs // play)
    size = -(-jobs // number)
    return Chunks(number, size, -(-size // -(-size // train)))


def chunk_sizes(network_bytes: int, episode_bytes: int, episodes: int, layers_bytes: int = 0) -> tuple[int, int]:
    """Networks that play at once and that train at once: what fits a quarter of memory; on CPU, a core's cache.

    There, networks that stay in the cache made generations of Breakout 2.4 times faster than all at once, and
    too few episodes side by side leave the vector units idle: four times the cache is still worth filling them.
    Training has no such use for many: at width 256 three at once are twice as fast as eleven.

    Args:
        layers_bytes: of what a network's layers give for all pairs that it is trained on.
    """
    # Parameters, gradients, the optimiser's moments and updates; an environment's states and intermediate values.
    fits = device_memory() // 4 // (6 * network_bytes + episodes * episode_bytes)
    trains = min(fits, device_memory() // 4 // (6 * network_bytes + 4 * layers_bytes))
    if jax.default_backend() == "cpu":
        cached = CACHE_BYTES // network_bytes
        play = min(fits, max(4, cached, min(-(-LANES // episodes), 4 * cached)))
        return max(1, play), max(1, min(trains, max(2, cached)))
    return max(1, fits), max(1, trains)


def shifts(networks: int, episodes: int) -> int:
    """In how many equal shifts networks may play, one after the other, at no cost: on CPU, where each fills the cores.

    The first says how long the others will take.
    """
    full = networks * episodes // (LANES * jax.device_count()) if jax.default_backend() == "cpu" else 1
    return max(number for number in range(1, max(1, min(full, SHIFTS)) + 1) if networks % number == 0)


def device_memory() -> int:
    """Bytes of the first device; of the machine's memory, its share."""
    stats = jax.local_devices()[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"]
    return machine_memory() // jax.local_device_count()


def machine_memory() -> int:
    """Bytes that there are, or that this process's container may have."""
    limits = [file.read_text().strip() for file in LIMITS if file.exists()]
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([there, *(int(limit) for limit in limits if limit.isdigit())])
