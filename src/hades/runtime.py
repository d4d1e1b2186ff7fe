"""JAX set up as distillation wants it."""

import contextlib
import ctypes
import os
import platform
import re
import time
import warnings
from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import jax
import numpy as np

from hades.arguments import Joining
from hades.errors import InputError
from hades.options import held_to
from hades.parallel import machine_memory

P = ParamSpec("P")
T = TypeVar("T")
LIBRARIES = ("hades-rl", "jax", "flax", "optax", "evosax", "gymnax", "brax")
LOST_AFTER = 30
"""Seconds without a sign of life after which a process counts as lost."""
PATIENCE = 3600
"""Seconds that CPU devices may wait for the one among them that has most to do."""


def configure() -> None:
    """Turn on JAX's persistent compilation cache, and use one CPU device per core, each with one thread.

    A generation is many small operations: spreading each over cores costs more than it brings, and devices that
    share a pool of threads wait for each other (the hopper's generation took 1.6 times as long). A population that
    is sharded over as many devices as there are cores uses them all. What you configured yourself stays as it is:
    set ``JAX_COMPILATION_CACHE_DIR``, ``JAX_NUM_CPU_DEVICES`` (1: one device with all threads) or ``PJRT_NPROC``, or
    use JAX before HaDES. Safe to call twice.

    The command line calls it first; in Python whatever trains networks does, which is in time
    unless JAX has started by then, as it does with the first array, and with an import of gymnax. Nothing else in
    HaDES changes the process that it is a part of. Environment variables are ``PJRT_NPROC``, ``OPENBLAS_NUM_THREADS``
    and ``XLA_FLAGS``, which have no counterpart among JAX's settings.
    """
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hades" / "jax"
        jax.config.update("jax_compilation_cache_dir", str(cache))
    # Also what compiles in less than JAX's threshold of a second: a start is made of many such.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    with contextlib.suppress(RuntimeError):  # JAX is already running, with the devices that it has
        devices = _devices_chosen()
        if not devices:
            jax.config.update("jax_num_cpu_devices", cores())
        if devices != 1:
            os.environ.setdefault("PJRT_NPROC", "1")  # threads in the pool of XLA's CPU client
            # LAPACK's, which comes with scipy; a process that ends while they work can wait for them for ever.
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_cpu_collective_call" not in flags:  # XLA complains after 20 s and ends the process after 40
        limits = {"warn_stuck": PATIENCE, "terminate": 2 * PATIENCE}
        patient = [f"--xla_cpu_collective_call_{what}_timeout_seconds={limit}" for what, limit in limits.items()]
        os.environ["XLA_FLAGS"] = " ".join([*flags.split(), *patient])


def _devices_chosen() -> int | None:
    """CPU devices that somebody has asked JAX for; None if nobody has."""
    flag = re.search(r"host_platform_device_count=(\d+)", os.environ.get("XLA_FLAGS", ""))
    asked = int(flag[1]) if flag else jax.config.jax_num_cpu_devices  # pyright: ignore[reportAttributeAccessIssue]
    return asked if asked > 0 else None


def warn_of_idle_cores() -> None:
    """Say that JAX started before `configure` could give each core a device, where it did. Starts JAX."""
    if jax.default_backend() == "cpu" and jax.local_device_count() < cores() and not _devices_chosen():
        warnings.warn(
            f"JAX had started with one device for {cores()} cores; call hades.configure() before anything makes an "
            "array or imports gymnax, and a search uses each core",
            stacklevel=3,
        )


def in_32_bits(function: Callable[P, T]) -> Callable[P, T]:
    """A function inside which arrays are of 32 bits, whatever ``JAX_ENABLE_X64`` says of those outside.

    HaDES and the suites are written for these: a dataset is the same in either mode, and a run goes on in the other.
    """

    @wraps(function)
    def narrow(*args: P.args, **kwargs: P.kwargs) -> T:
        with jax.enable_x64(False):
            return function(*args, **kwargs)

    return narrow


def cores() -> int:
    """Cores that this process may use; a container or Slurm may grant fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def hardware() -> dict[str, Any]:
    """What a measurement names beside its figures, the cores that it may use among them. Does not start JAX."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    cpu = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())
    return {"cpu": cpu, "cores": cores()}


def devices() -> dict[str, Any]:
    """What JAX runs on; starts it."""
    configure()
    return {"devices": jax.device_count(), "device": jax.devices()[0].device_kind}


@held_to(Joining)
def connect(coordinator: str | None = None, processes: int | None = None, process_id: int | None = None) -> None:
    """Join the processes of a distributed run: afterwards `jax.devices` are those of all of them.

    Call it first, in every process. What is left out comes from ``JAX_COORDINATOR_ADDRESS``, ``JAX_NUM_PROCESSES``
    and ``JAX_PROCESS_ID``, or from Slurm, Open MPI or another cluster that JAX recognises.

    Args:
        coordinator: ``host:port`` of process 0, where it will listen.
        processes: how many there are.
        process_id: which this one is, from 0.

    Raises:
        InputError: when no cluster was described or recognised, or the processes did not meet within five minutes.
    """
    configure()
    coordinator = coordinator or os.environ.get("JAX_COORDINATOR_ADDRESS")
    if coordinator and not re.fullmatch(r".+:\d+", coordinator):
        raise InputError(f"the coordinator is HOST:PORT of process 0, not '{coordinator}'")
    try:
        processes = int(os.environ["JAX_NUM_PROCESSES"]) if processes is None else processes
        process_id = int(os.environ["JAX_PROCESS_ID"]) if process_id is None else process_id
    except KeyError:
        pass  # the cluster says
    except ValueError:
        raise InputError("JAX_NUM_PROCESSES and JAX_PROCESS_ID must be whole numbers") from None
    if processes is not None and process_id is not None and not 0 <= process_id < processes:
        raise InputError(
            f"{processes} processes are numbered 0 to {processes - 1}; process id {process_id} is not one"
        )
    try:
        jax.distributed.initialize(coordinator, processes, process_id, heartbeat_timeout_seconds=LOST_AFTER)
    except ValueError:
        raise InputError(
            "no cluster was recognised; give --coordinator HOST:PORT --processes P --process-id I in every process"
        ) from None
    except RuntimeError as error:
        raise InputError(f"the processes did not meet at {coordinator}: {str(error).splitlines()[0]}") from None


def timed(fun: Callable[[], Any], repeats: int) -> list[float]:
    """Seconds of some calls, after one to warm up."""
    jax.block_until_ready(fun())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(fun())
        times.append(time.perf_counter() - start)
    return times


def release_programs(share: float = 0.3) -> None:
    """Forget compiled programs once this process has so much of the memory, or of the maps that Linux grants it.

    On CPU a Brax program takes hundreds of megabytes and thousands of maps; past the maps' limit (65,530, if not set
    otherwise) compiling fails with "Cannot allocate memory", and the process crashes. Call it between pieces of work
    that compile anew.
    """
    if max(_share_of_maps(), _share_of_memory()) > share:
        jax.clear_caches()
        if trim := getattr(ctypes.CDLL(None), "malloc_trim", None):  # glibc keeps what is freed, otherwise
            trim(0)


def _share_of_maps() -> float:
    maps, limit = Path("/proc/self/maps"), Path("/proc/sys/vm/max_map_count")
    return maps.read_bytes().count(b"\n") / int(limit.read_text()) if maps.exists() and limit.exists() else 0.0


def _share_of_memory() -> float:
    pages = Path("/proc/self/statm")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / machine_memory() if pages.exists() else 0.0


def is_main() -> bool:
    """Whether this is the process that writes, reports and decides."""
    return jax.process_index() == 0


def agree(value: float) -> float:
    """The largest of all processes' values, so that they decide alike; every process must ask."""
    if jax.process_count() == 1:
        return value
    from jax.experimental import multihost_utils

    return float(multihost_utils.process_allgather(np.float32(value)).max())


def versions() -> dict[str, str]:
    """Of HaDES and of what its results depend on."""
    return {name: version(name) for name in LIBRARIES}
