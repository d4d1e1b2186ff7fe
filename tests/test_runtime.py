"""What JAX is set up with."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from hades import runtime


def test_importing_hades_does_not_start_jax() -> None:
    """Once it has started, one device a core can no longer be asked for. What was asked for stays."""
    code = "import jax, hades, hades.cli, hades.distillation; jax.config.update('jax_num_cpu_devices', 3)"
    subprocess.run([sys.executable, "-c", code + "; hades.configure(); assert jax.device_count() == 3"], check=True)


def test_making_a_task_changes_nothing_and_distillation_uses_every_core() -> None:
    code = (
        "import os, jax, hades\n"
        "before = dict(os.environ), dict(jax.config.values)\n"
        "for name, options in (('hopper', {}), ('digits', {}), ('cartpole', {'max_steps_in_episode': 9})):\n"
        "    task = hades.make(name, **options)\n"
        "hades.load('cartpole-2')\n"
        "assert before == (dict(os.environ), dict(jax.config.values))\n"
        "try: hades.distill(task, start='nowhere')\n"  # refused as late as can be
        "except hades.InputError: assert jax.device_count() == len(os.sched_getaffinity(0))\n"
        "else: assert False"
    )
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True)


def test_distillation_says_that_jax_had_started_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "_cores", lambda: 99)
    monkeypatch.setattr(runtime, "_devices_chosen", lambda: None)
    with pytest.warns(UserWarning, match=r"one device for 99 cores; call hades.configure\(\)"):
        runtime.warn_of_idle_cores()
    monkeypatch.setattr(runtime, "_devices_chosen", lambda: 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runtime.warn_of_idle_cores()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux counts memory maps")
def test_compiled_programs_are_forgotten_when_they_hold_too_many_memory_maps() -> None:
    code = (
        "import jax; from hades.runtime import release_programs as release; f = jax.jit(lambda x: x + 1); f(1);"
        "release(1.0); assert f._cache_size() == 1; release(0.0); assert f._cache_size() == 0"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_xla_keeps_the_flags_of_the_user_and_waits_for_slow_devices() -> None:
    code = (
        "import os, jax, hades; hades.configure(); hades.configure(); flags = os.environ['XLA_FLAGS'].split();"
        "assert jax.device_count() == 3 and len(flags) == len(set(flags)) == 3;"
        "assert any('terminate_timeout' in flag for flag in flags)"
    )
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **flags})
