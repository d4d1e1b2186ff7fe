"""Datasets on the Hugging Face hub by their addresses: what goes there and what comes from there, by its own client.

The client (``huggingface_hub``) knows where the hub is (``HF_ENDPOINT``) and who is logged in; nothing of either is
kept here, and no file but a ``.safetensors`` is asked for.
"""

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, unquote

from hades.errors import InputError, notice
from hades.extras import MissingExtra
from hades.options import shown

if TYPE_CHECKING:
    from hades.dataset import Dataset

FILE = "dataset.safetensors"
"""A dataset's, in a run's folder and in a repository."""
KIND = "dataset"
"""Of repository."""
SECONDS = 10
"""That the hub may take to say what it has."""
LOGIN = "hf auth login"
"""The client's command."""
_NAME = r"[\w.-]+/[\w.-]+"
_ADDRESS = re.compile(
    rf"hf:/+(?:datasets/)?(?P<name>{_NAME})(?:@(?P<revision>[^/@]+))?(?:/(?P<file>[^@]+\.safetensors))?/?", re.ASCII
)


class Address(NamedTuple):
    """Where a dataset is: ``hf://user/name``, ``hf://user/name@revision``, ``hf://user/name/file.safetensors``."""

    name: str
    revision: str | None = None
    file: str = FILE

    @classmethod
    def of(cls, text: str | os.PathLike[str]) -> "Address":
        """What somebody wrote, also as a path, of whose two slashes `pathlib` makes one.

        Raises:
            InputError: for what is no address.
        """
        match = _ADDRESS.fullmatch(str(text))
        if match is None:
            written = re.sub("^hf:/+", "hf://", str(text))
            raise InputError(
                f"an address is hf://USER/NAME, and @REVISION or /FILE.safetensors behind, not '{written}'"
            )
        revision = match["revision"]  # refs/pr/1 is written refs%2Fpr%2F1, as the client has it
        return cls(match["name"], revision and unquote(revision), match["file"] or FILE)

    def __str__(self) -> str:
        revision = f"@{quote(self.revision, safe='')}" if self.revision else ""
        return f"hf://{self.name}{revision}" + ("" if self.file == FILE else f"/{self.file}")


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether it means something on the hub, and not on this disk."""
    return str(path).startswith("hf:/")


def fetch(text: str | os.PathLike[str]) -> Path:
    """A dataset's file from the hub, or without network as it last was.

    Args:
        text: its address; without a revision the latest.

    Returns:
        The file, in the client's cache; it may hold anything: `hades.load` reads and checks it.

    Raises:
        InputError: for what is not there, or not to be seen by this login, and where there is no network.
    """
    address, hub = Address.of(text), _client()
    with _told(address, hub):
        offline: Exception | None = None
        try:  # which fails at once; a download only after half a minute of trying again
            hub.HfApi().dataset_info(address.name, revision=address.revision, timeout=SECONDS)
        except hub.errors.HfHubHTTPError:
            raise
        except (OSError, hub.errors.HTTPError) as error:  # no network
            offline = error
        known = {"repo_type": KIND, "revision": address.revision, "local_files_only": offline is not None}
        try:
            return Path(hub.hf_hub_download(address.name, address.file, **known))
        except hub.errors.LocalEntryNotFoundError as error:
            raise offline or error from None


def without_code(dataset: "Dataset", name: str) -> "Dataset":
    """A download without a task that is code (``file.py:Name``, ``module:Name``): whoever wants that run, names it.

    Raises:
        InputError: for a union with such a task, whose parts cannot do without.
    """
    code = [task for task in dataset.tasks if ":" in task]
    if not code:
        return dataset
    if dataset.parts:
        raise InputError(f"{name} names code for its tasks ({', '.join(code)}), and no download's is run")
    notice(f"{name} names code for its task, and no download's is run; if it is yours, give it: --task {dataset.task}")
    return replace(dataset, task="")


def send(name: str, files: Mapping[str, bytes], message: str, private: bool | None = None) -> str:
    """Put files into a repository, which is made where there is none, by one commit; the others there stay.

    Args:
        name: ``user/name``.
        private: make it so that only its owner sees it; None leaves that to the owner's settings.

    Returns:
        The repository's page.

    Raises:
        InputError: for a name that cannot be, without a login that may write there, and without network.
    """
    if not re.fullmatch(_NAME, name, re.ASCII):
        raise InputError(f"a repository is USER/NAME, not {shown(name)}")
    hub = _client()
    with _told(Address(name), hub, writing=True):
        api = hub.HfApi()
        page = api.create_repo(name, repo_type=KIND, private=private, exist_ok=True)
        if private and not api.dataset_info(name, timeout=SECONDS).private:
            raise InputError(f"{name} is there already, and public; leave --private out, or change that at {page}")
        added = [hub.CommitOperationAdd(path_in_repo=path, path_or_fileobj=data) for path, data in files.items()]
        api.create_commit(name, added, commit_message=message, repo_type=KIND)
    return str(page)


def _client() -> Any:
    try:
        import huggingface_hub
        import huggingface_hub.errors
    except ImportError:
        raise MissingExtra("huggingface_hub", "hub") from None
    return huggingface_hub


@contextlib.contextmanager
def _told(address: Address, hub: Any, writing: bool = False) -> Iterator[None]:
    """What goes wrong is told in a line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of many kinds: network, account, disk
        raise InputError(_reason(error, address, hub, writing)) from error


def _reason(error: Any, address: Address, hub: Any, writing: bool) -> str:
    """Why something cannot be had from the hub, or put there, and what to do about it."""
    errors, where = hub.errors, hub.constants.ENDPOINT
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    says = " ".join((getattr(error, "server_message", None) or str(error) or type(error).__name__).split())
    if isinstance(error, errors.GatedRepoError):
        return f"{address.name} is given to those whom its owner lets: ask at {where}/datasets/{address.name}; {LOGIN}"
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{address.name} at {where} has no revision '{address.revision or 'main'}'"
    if isinstance(error, errors.EntryNotFoundError) and status:
        return f"{address.name} at {where} holds no {address.file}: no dataset of HaDES, or under another file's name"
    if writing and status == 401:
        return f"{where} wants a login that it knows: {LOGIN}"
    if writing and status == 403:
        return f"this login may not write {address.name} at {where}; take a name of your own, or a token that may"
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 403):
        return f"{where} has no dataset {address.name}, or a private one that takes another login: {LOGIN}"
    if status is not None or not isinstance(error, (OSError, errors.HTTPError)):
        return f"{where}, asked for {address.name}: {says}"
    if isinstance(error, OSError) and error.filename:
        return f"cannot keep what comes from the hub: {error.filename}: {error.strerror}"
    return f"{where} cannot be reached ({says})" + ("" if writing else f", and {address} was not fetched before")
