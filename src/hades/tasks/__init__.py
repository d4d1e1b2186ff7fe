"""Tasks: what a trained network is scored on. `make` finds one by a forgiving name or takes an environment."""

import os
import re
from pathlib import Path
from typing import Any

from hades import runtime
from hades.aliases import Options
from hades.errors import InputError
from hades.files import as_path
from hades.tasks import own
from hades.tasks.base import Task
from hades.tasks.control import ControlTask
from hades.tasks.lookup import BRAX, PREFIXES, find, known, names, resolve, suite
from hades.tasks.suites import limits

__all__ = ["BRAX", "acting", "again", "check", "check_same", "make", "names", "ready", "resolve"]


@runtime.in_32_bits
def make(name: Any, **options: Any) -> Task:
    """The task of a name, of labelled images on disk, or of an environment of your own.

    No environment variable and no setting of JAX is changed, and JAX is not started: what a name means is made when it
    is first used (`hades.configure` says why that matters).

    Args:
        name: as `names` lists them; case, punctuation and the suite's or version's part may be left out
            (``"cartpole"``, ``"hopper"``, ``"breakout"``, ``"fashion-mnist"``). Or the path of images of your own: a
            ``.npz`` file, or a folder of IDX files or of pictures. Or an environment of your own: its class or a
            function that makes it, as ``"file.py:Name"`` or ``"module:Name"``, or the object itself, with the API of
            gymnax, Brax or Gymnasium (`hades.tasks.own`).
        options: of the suite: ``backend`` and ``max_steps`` for Brax; ``data_dir`` and ``zca`` for images; for
            gymnax, fields of the environment's parameters, or ``params`` whole; for others what their environments
            take.

    Raises:
        InputError: for an unknown name (the nearest ones are named) or option (of gymnax, where that is not imported
            yet: at the first use), data that are not there, or actions or observations that a policy cannot have.

    Examples:
        >>> import hades
        >>> hades.make("breakout").name, hades.make("hopper", backend="spring").name
        ('Breakout-MinAtar', 'brax/hopper')
    """
    limits(options)
    if not isinstance(name, str):
        return own.wrapped(name, **options)
    if name.endswith(".py"):
        raise InputError(f"{name} is a file; which environment of it? give {name}:CLASS")
    if own.is_reference(name):
        return own.referred(name, **options)
    if path := _path(name, options):
        return suite("images").make(path.stem, **{**options, "path": str(path)})
    module, full_name = find(name)
    try:
        return suite(module).make(full_name, **options)
    except TypeError as error:
        unknown = re.search(r"unexpected keyword argument '(\w+)'", str(error))
        says = f" has no option '{unknown[1]}'" if unknown else f": {str(error).split(') ')[-1]}"
        raise InputError(f"{full_name}{says}") from None


@runtime.in_32_bits
def check(env: Any, **options: Any) -> None:
    """Look whether an environment is what its spaces say, by one reset and one step, as Gymnasium's ``check_env``.

    `hades.distill` does so with an environment of your own before it begins.

    Args:
        env: whatever `make` takes, with its ``options``; or a task.

    Raises:
        InputError: with what is wrong; where that is several things, a line each.

    Examples:
        >>> import hades
        >>> hades.check("cartpole")
    """
    task = env if isinstance(env, Task) else make(env, **options)
    if found := [fault.removeprefix(f"{task.name}: ") for fault in task.faults]:
        says = f"{task.name} is not what it says:"
        raise InputError(f"{says} {found[0]}") if len(found) == 1 else InputError(says, *found)


def ready(task: Any) -> Task:
    """A task to begin with: made, where it is a name or an environment, and `check`ed, where it is somebody's own."""
    made = task if isinstance(task, Task) else make(task)
    if made.own or made.source:
        check(made)
    return made


def acting(task: Task | str, what: str) -> ControlTask:
    """A task, or the task of a name, whose policies act in an environment that can be stepped inside JAX.

    Args:
        what: is asked for one.

    Raises:
        InputError: for any other.
    """
    made = ready(task)
    if not isinstance(made, ControlTask):
        is_what = made.metric.pairs if made.traced else "stepped outside JAX"
        raise InputError(f"{what} for control in JAX, and {made.name} is {is_what}")
    return made


def again(name: str, about: Options, call: str, given: Options | None = None, trusted: bool = False) -> Task:
    """The task that made a file: exactly that one, or none.

    Args:
        name: of the task.
        about: what the file keeps of it (`Task.origin`).
        call: how to give it where it cannot be made.
        given: options in place of what the file has.
        trusted: whether code that the file names is run for its word alone, as that of a run's own folder; else only
            what is here just as it was when the file was made.

    Raises:
        InputError: where it is somebody's own, or its data or code are others by now.
    """
    whose, kept = about.get("own", ""), dict(about.get("task_options", {}))
    if not trusted:
        kept.pop("file", None)  # where code lies is the user's to say
    options = {**kept, **(given or {})}
    if ":" in name and not trusted:
        own.check_code(name, options.get("file"), about.get("fingerprint"), call)
    try:
        made = make(name, **options)
    except InputError:
        if not whose:
            raise
        made = None
    if made is None or (whose and made.own != whose):
        raise InputError(f"it was made on a task of your own, {name} ({whose}); give it: {call}")
    if about.get("fingerprint", made.fingerprint) != made.fingerprint:
        what = "code" if made.source else "data"
        raise InputError(f"{name} has other {what} now than this was made on; go on with: {call}")
    return made


def check_same(task: Task, name: str, about: Options) -> None:
    """Raise `InputError` unless a task is the one that made a file, as far as that says."""
    options = {key: value for key, value in about.get("task_options", {}).items() if key not in task.where}
    kept = {key: about[key] for key in ("own", "fingerprint") if key in about}
    mine = {"name": task.name, "task_options": dict(task.options), "own": task.own, "fingerprint": task.fingerprint}
    words = {"task_options": "options are", "own": "kind is", "fingerprint": "data are"}
    for key, value in {"name": name, "task_options": options, **kept}.items():
        if mine[key] != value:
            what, found, wanted = words.get(key, "name is"), *(x or "registered" for x in (mine[key], value))
            raise InputError(f"this is not the task of the run, {name}: its {what} {found!r}, the run's {wanted!r}")


def _path(name: str, options: Options) -> Path | None:
    """Where a name's images of the user's own lie, if it means any."""
    if "path" in options:
        return as_path(options["path"])
    if name.endswith(".npz") or (os.sep in name and not name.startswith(PREFIXES) and os.path.exists(name)):
        if options.get("data_dir"):
            raise InputError(f"{name} says where it is; leave data_dir (--data-dir) out")
        return Path(name)
    beside = as_path(options.get("data_dir") or os.environ.get("HADES_DATA_DIR", "")) / f"{name}.npz"
    return beside if os.path.isfile(beside) and not known(name) else None
