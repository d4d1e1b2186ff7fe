"""JAX set up as distillation wants it."""

import contextlib
import os
from pathlib import Path

import jax


def configure() -> None:
    """Turn on JAX's persistent compilation cache, and use one CPU device per core, each with one thread.

    A generation is many small operations: spreading each over cores costs more than it brings, and devices that
    share a pool of threads wait for each other (the hopper's generation took 1.6 times as long). A population that
    is sharded over as many devices as there are cores uses them all. What you configured yourself stays as it is:
    set ``JAX_COMPILATION_CACHE_DIR``, ``JAX_NUM_CPU_DEVICES`` or ``PJRT_NPROC``, or use JAX before HaDES. Safe to
    call twice.
    """
    if jax.config.jax_compilation_cache_dir is None:  # pyright: ignore[reportAttributeAccessIssue]
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hades" / "jax"
        jax.config.update("jax_compilation_cache_dir", str(cache))
    # Also what compiles in less than JAX's threshold of a second: a start is made of many such.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    if "JAX_NUM_CPU_DEVICES" not in os.environ and "host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
        with contextlib.suppress(RuntimeError):  # JAX is already running, with the devices that it has
            jax.config.update("jax_num_cpu_devices", _cores())
            os.environ.setdefault("PJRT_NPROC", "1")  # threads in the pool of XLA's CPU client


def _cores() -> int:
    """Cores that this process may use; a container or Slurm may grant fewer than there are."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
