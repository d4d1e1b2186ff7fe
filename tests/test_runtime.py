"""What JAX is set up with."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import hades
from hades import runtime
from hades.tasks.control import ControlTask
from tests.helpers import TINY, TINY_IMAGES


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
    monkeypatch.setattr(runtime, "cores", lambda: 99)
    monkeypatch.setattr(runtime, "_devices_chosen", lambda: None)
    with pytest.warns(UserWarning, match=r"one device for 99 cores; call hades.configure\(\)"):
        runtime.warn_of_idle_cores()
    monkeypatch.setattr(runtime, "_devices_chosen", lambda: 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runtime.warn_of_idle_cores()


FORGOTTEN = """
import jax, jax.numpy as jnp
from pathlib import Path
from hades.runtime import release_programs

jax.config.update("jax_enable_compilation_cache", False)
pages = lambda: int(Path("/proc/self/statm").read_text().split()[1])
before = pages()

@jax.jit
def f(x):
    for k in range(60):
        x = jnp.sin(x @ x + k) / (1 + jnp.cumsum(x)[-1])
    return x

f(jnp.ones((8, 8)))
compiled = pages()
release_programs(1.0)
assert f._cache_size() == 1
release_programs(0.0)
assert f._cache_size() == 0 and pages() - before < 0.7 * (compiled - before), (before, compiled, pages())
"""


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux counts memory maps")
def test_compiled_programs_are_forgotten_when_they_hold_too_much_memory_or_too_many_maps() -> None:
    subprocess.run([sys.executable, "-c", FORGOTTEN], check=True)


def test_xla_keeps_the_flags_of_the_user_and_waits_for_slow_devices() -> None:
    code = (
        "import os, jax, hades; hades.configure(); hades.configure(); flags = os.environ['XLA_FLAGS'].split();"
        "assert jax.device_count() == 3 and len(flags) == len(set(flags)) == 3;"
        "assert any('terminate_timeout' in flag for flag in flags)"
    )
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=3"}
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **flags})


IN_64_BITS = """
import sys, jax, numpy as np, hades
from hades.tasks.control import ControlTask
from tests.helpers import Target

hades.configure()  # as many devices as here
assert jax.numpy.zeros(1).dtype == "float64"
target, folder = ControlTask("target", Target()), sys.argv[1]
dataset = hades.resume(folder + "/run", target, generations=6, progress=False).dataset
np.save(folder + "/returns.npy", hades.evaluate(dataset, target, inits=2, episodes=2).returns)
"""


def test_64_bits_outside_change_nothing(target: ControlTask) -> None:
    options: dict[str, Any] = TINY | {"generations": 3}
    with jax.enable_x64(True):
        wide, obs, key = hades.distill(target, 2, **options).dataset, jnp.asarray([0.3]), jax.random.key(0)
        params = hades.train(wide, key)
        action = jax.jit(hades.policy(wide))(params, obs, key)
        assert obs.dtype == jnp.float64 and action.dtype == jnp.float32  # as they were, and as they are in here
    np.testing.assert_array_equal(wide.states, hades.distill(target, 2, **options).dataset.states)
    jax.tree.map(np.testing.assert_array_equal, params, hades.train(wide, jax.random.key(0)))


@pytest.mark.slow
def test_a_run_goes_on_in_a_process_of_64_bits(target: ControlTask, tmp_path: Path) -> None:
    options: dict[str, Any] = TINY | {"generations": 3}
    hades.distill(target, 2, out=tmp_path / "run", **options)
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    paths = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
    environment = {**os.environ, "JAX_ENABLE_X64": "1", "PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", IN_64_BITS, str(tmp_path)], check=True, env=environment)
    dataset = hades.resume(tmp_path / "copy", target, generations=6, progress=False).dataset
    saved = [(tmp_path / run / "dataset.safetensors").read_bytes() for run in ("run", "copy")]
    assert saved[0] == saved[1]
    returns = hades.evaluate(dataset, target, inits=2, episodes=2).returns
    np.testing.assert_array_equal(np.load(tmp_path / "returns.npy"), returns)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cartpole", TINY), ("breakout", TINY | {"preset": "evolution"}), ("inverted_pendulum", TINY),
        ("digits", TINY_IMAGES),
    ],
)  # fmt: skip
def test_every_suite_is_the_same_where_its_host_has_64_bits(name: str, options: dict[str, Any]) -> None:
    options = options | {"generations": 2, "validate_every": 2}
    with jax.enable_x64(True):
        task = hades.make(name)
        wide = hades.distill(task, **options).dataset
        score = hades.evaluate(wide, task, inits=1, episodes=1).mean
    dataset = hades.distill(name, **options).dataset
    np.testing.assert_array_equal(wide.states, dataset.states)
    assert score == hades.evaluate(dataset, inits=1, episodes=1).mean
