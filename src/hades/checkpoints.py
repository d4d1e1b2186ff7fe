"""Checkpoints: the last states of a run, a file each (``checkpoint/GENERATION.safetensors``), whole or absent.

Tensors are named by their place in the state. The header has what the host counts, what the run's ``config.json``
says, and a digest of everything, so that what is damaged is known as such. Runs of HaDES 0.1 have orbax's folders.
"""

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from hades.aliases import Json, Options, PyTree
from hades.errors import InputError
from hades.files import digest, dumps, reason

KEPT = 2
_KEY = "hades"


class Damaged(Exception):
    """A checkpoint is not what was written."""


def generations(folder: Path) -> list[int]:
    """Of the checkpoints in a folder, the last one first."""
    names = os.listdir(folder) if folder.is_dir() else []
    matches = (re.fullmatch(r"(\d+)(\.safetensors)?", name, re.ASCII) for name in names)
    return sorted({int(match[1]) for match in matches if match}, reverse=True)


def file_of(folder: Path, generation: int) -> Path:
    """Where a checkpoint is."""
    return folder / f"{generation}.safetensors"


def packed(state: PyTree, host: Options, about: Options) -> bytes:
    """A checkpoint's file.

    Args:
        host: what the host counts beside the state.
        about: what the run is, as its ``config.json`` has it.
    """
    from hades.seeds import untyped

    tensors = {name: np.asarray(leaf) for name, leaf in _leaves(untyped(state)).items()}
    known = {"host": dict(host), "about": dict(about)}
    return save(tensors, {_KEY: dumps(known | {"digest": digest(tensors, known)})})


def read(folder: Path, generation: int, like: Callable[[Json], PyTree]) -> tuple[PyTree, Json]:
    """A state, and what the host counted.

    Args:
        like: from the host's counts, a state that is typed and placed as this one is to be.

    Raises:
        Damaged: if it is not what was written.
        InputError: if it cannot be read, or is of a run with other options.
    """
    if not (file := file_of(folder, generation)).exists():
        return _of_orbax(folder / str(generation), like)
    tensors, known = _unpacked(file)
    return _placed(file, tensors, like(known["host"])), known["host"]


def about(folder: Path) -> Json | None:
    """What the run is, by the last checkpoint that can be read."""
    for generation in generations(folder):
        with contextlib.suppress(Damaged, InputError):
            return _unpacked(file_of(folder, generation))[1]["about"]
    return None


def damaged(folder: Path, generation: int) -> bool:
    """Whether a checkpoint is there, and not what was written; of orbax's folders that is not asked."""
    file = file_of(folder, generation)
    try:
        if file.exists():
            _unpacked(file)
    except Damaged:
        return True
    except InputError:  # gone by now, or not to be read
        return file.exists()
    return False


def drop(folder: Path, generation: int) -> None:
    """Remove a checkpoint, if that can be."""
    with contextlib.suppress(OSError):
        file_of(folder, generation).unlink(missing_ok=True)
    shutil.rmtree(folder / str(generation), ignore_errors=True)


def set_aside(folder: Path, generation: int) -> None:
    """Give a damaged checkpoint another name, if that can be."""
    for path in (file_of(folder, generation), folder / str(generation)):
        with contextlib.suppress(OSError):
            path.rename(f"{path}.damaged")


def _unpacked(file: Path) -> tuple[dict[str, np.ndarray], Json]:
    try:
        with safe_open(file, framework="numpy") as opened:
            known = json.loads((opened.metadata() or {}).get(_KEY, "null"))
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except OSError as error:
        raise InputError(f"cannot read {file}: {reason(error)}") from None
    except (SafetensorError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Damaged from None
    if not isinstance(known, dict) or known.get("digest") != digest(tensors, known):
        raise Damaged
    return tensors, known


def _placed(file: Path, tensors: dict[str, np.ndarray], like: PyTree) -> PyTree:
    import jax

    from hades.seeds import typed, untyped

    wanted = _leaves(numbers := untyped(like))
    shapes, found = ({k: (x.shape, x.dtype) for k, x in each.items()} for each in (wanted, tensors))
    if shapes != found:
        differ = sorted(name for name in {*shapes, *found} if shapes.get(name) != found.get(name))
        raise InputError(f"{file} is of a run with other options, or of another version of HaDES: {differ[0]} differs")
    leaves = [jax.device_put(tensors[name], getattr(leaf, "sharding", None)) for name, leaf in wanted.items()]
    return typed(jax.tree.unflatten(jax.tree.structure(numbers), leaves), like)


def _leaves(state: PyTree) -> dict[str, np.ndarray]:
    """The arrays of a state, in order, by their place in it."""
    import jax

    return {jax.tree_util.keystr(path): leaf for path, leaf in jax.tree_util.tree_flatten_with_path(state)[0]}


def _of_orbax(folder: Path, like: Callable[[Json], PyTree]) -> tuple[PyTree, Json]:
    import jax
    import orbax.checkpoint as ocp

    try:
        restorer = ocp.Checkpointer(ocp.CompositeCheckpointHandler())
        host = restorer.restore(folder.absolute(), ocp.args.Composite(host=ocp.args.JsonRestore())).host
        shapes = jax.tree.map(ocp.utils.to_shape_dtype_struct, like(host))
        args = ocp.args.Composite(state=ocp.args.StandardRestore(shapes))
        return restorer.restore(folder.absolute(), args).state, host
    except InputError:
        raise
    except Exception:  # of many kinds
        raise Damaged from None
