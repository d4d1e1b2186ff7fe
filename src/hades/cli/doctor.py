"""hades doctor: whether all is there, and works."""

import importlib.metadata
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from hades.aliases import Json
from hades.cli.groups import Output
from hades.cli.output import show
from hades.errors import WriteError, in_a_line
from hades.extras import IN_A_CLONE, PACKAGE, install
from hades.files import check_writable
from hades.tables import align

WHOLE = ("test", "dev", "docs")
"""Extras that are for who works on HaDES."""


@dataclass(kw_only=True)
class Doctor:
    """Look whether all is installed and works.

    Versions, devices, the compilation cache, extras, and networks that train and play within seconds.
    """

    output: Output = field(default_factory=Output)

    def __call__(self) -> int:
        from hades import runtime

        runtime.configure()
        problems: list[str] = []
        found: Json = {
            "python": platform.python_version(),
            "versions": runtime.versions() | {name: importlib.metadata.version(name) for name in ("jaxlib", "numpy")},
            "devices": _devices(problems),
            "cores": runtime.cores(),
            "cache": _cache(problems),
            "extras": dict(_extras()),
            "test": _test(problems),
            "problems": problems,
        }
        show(found, _words(found), self.output.json)
        return int(bool(problems))


def _devices(problems: list[str]) -> list[Json]:
    """What JAX runs on; none where it does not start, as for a GPU whose driver is missing."""
    import jax

    from hades.parallel import device_memory

    try:
        kinds = [device.device_kind for device in jax.local_devices()]
        return [{"device": kind, "memory_gb": round(device_memory() / 1e9, 1)} for kind in kinds]
    except Exception as error:  # of whatever is broken
        asked = os.environ.get("JAX_PLATFORMS", "")
        of, hint = f" of JAX_PLATFORMS={asked}" if asked else "", "; for NVIDIA's GPUs: pip install 'jax[cuda12]'"
        problems.append(f"JAX finds no device{of}: {in_a_line(error)}{hint if 'cuda' in asked else ''}")
        return []


def _cache(problems: list[str]) -> Json:
    """Where compiled programs are kept, how much they are, and whether more can be."""
    import jax

    place = Path(jax.config.jax_compilation_cache_dir)  # pyright: ignore[reportAttributeAccessIssue]
    size = sum(path.stat().st_size for path in place.rglob("*") if path.is_file()) if place.is_dir() else 0
    writable = _writable(place)
    if not writable:
        problems.append(
            f"the compilation cache {place} cannot be written: every start compiles anew; "
            "JAX_COMPILATION_CACHE_DIR says another place"
        )
    return {"place": str(place), "size_mb": round(size / 1e6, 1), "writable": writable}


def _writable(place: Path) -> bool:
    try:
        check_writable(place / "program")
    except WriteError:
        return False
    return True


def _extras() -> Iterator[tuple[str, bool]]:
    """By name, whether all that an extra asks for is installed, as the package's own metadata say."""
    for extra in importlib.metadata.metadata(PACKAGE).get_all("Provides-Extra") or []:
        if extra not in WHOLE:
            yield extra, all(map(_installed, _needs(PACKAGE, extra)))


def _needs(package: str, extra: str) -> list[Requirement]:
    """What a package asks for with an extra, and not without."""
    every = map(Requirement, importlib.metadata.requires(package) or [])
    return [need for need in every if need.marker and _holds(need, extra) and not _holds(need, "")]


def _holds(need: Requirement, extra: str) -> bool:
    return need.marker is None or need.marker.evaluate({"extra": extra})


def _installed(need: Requirement) -> bool:
    """Also with the extras that are asked for of it, such as Gymnasium's MuJoCo."""
    try:
        importlib.metadata.version(need.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return all(_installed(inner) for extra in need.extras for inner in _needs(need.name, extra))


def _test(problems: list[str]) -> Json:
    """Networks trained on two pairs, which balance a pole if all is well."""
    from hades.evaluation import evaluate

    began = time.monotonic()
    try:
        mean = evaluate("cartpole-2", inits=4, episodes=1).mean
    except Exception as error:  # of whatever is broken
        problems.append(f"networks could not be trained and played: {in_a_line(error)}")
        return {"seconds": round(time.monotonic() - began, 1), "return": None}
    if mean < 400:
        problems.append(f"networks trained on cartpole-2 balance the pole for {mean:.0f} steps, where 500 are usual")
    return {"seconds": round(time.monotonic() - began, 1), "return": mean}


def _words(found: Json) -> str:
    cache, test, devices = found["cache"], found["test"], found["devices"]
    rows = [("python", found["python"]), *found["versions"].items()]
    known = f"{len(devices)} x {devices[0]['device']}, {devices[0]['memory_gb']:g} GB each" if devices else "none"
    writable = "" if cache["writable"] else ", cannot be written"
    rows += [
        ("devices", known),
        ("cores", str(found["cores"])),
        ("cache", f"{cache['place']}, {cache['size_mb']:g} MB{writable}"),
    ]
    rows += [(f"extra {extra}", "installed" if there else install(extra)) for extra, there in found["extras"].items()]
    mean = "failed" if test["return"] is None else f"{test['return']:g}"
    rows.append(("test", f"cartpole-2, four networks: {mean} in {test['seconds']} s"))
    clone = [] if all(found["extras"].values()) else [f"(extras {IN_A_CLONE})"]
    return align(rows) + "\n\n" + "\n".join([*clone, *(found["problems"] or ["all is well"])])
