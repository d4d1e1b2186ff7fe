"""Labelled images by name, or of your own: scikit-learn's digits, downloads, IDX and NPZ files, folders of pictures.

No pickle is read: CIFAR-10 comes in its binary form, NPZ files without objects.
"""

import os
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from hades.errors import InputError
from hades.files import reason
from hades.tasks.fingerprints import checksum
from hades.tasks.images import ImageTask, Labelled, as_float, split
from hades.tasks.pixels import PICTURES, by_range, idx_array, picture

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
NPZ = ("train_images", "train_labels", "test_images", "test_labels")
CIFAR = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
FASHION = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
KUZUSHIJI = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
NUMERALS = tuple("0123456789")

TEST = 5
"""One in so many images of a class is for the test, where data come without a test set."""

Split = tuple[Labelled, Labelled]


@dataclass(frozen=True)
class Source:
    """Where a set of images comes from: a web address, its files with their MD5 sums, the classes, the reader."""

    url: str
    files: dict[str, str]
    classes: tuple[str, ...]
    read: Callable[[list[Path]], Split]


def make(
    name: str, data_dir: str | os.PathLike[str] | None = None, zca: bool = False, path: str | None = None
) -> ImageTask:
    """An image task.

    Args:
        name: one of `names`, or what to call the data at ``path``.
        data_dir: a folder that has the files already; ``HADES_DATA_DIR`` where left out. Without either, files are
            downloaded once, checked, and cached.
        zca: whiten the images (ZCA), by what the training set shows.
        path: a ``.npz`` file, a folder of IDX files, or a folder of pictures, one sub-folder a class.

    Raises:
        InputError: if the data are not there, damaged, or not labelled images.
    """
    folder = data_dir or os.environ.get("HADES_DATA_DIR")
    lies = {"path": path} if path else {"data_dir": data_dir} if data_dir else {}
    where = {key: os.path.abspath(value) for key, value in lies.items()}  # a run goes on in any folder
    if path:
        (train, test), classes = read_path(Path(path))
    elif name == "digits":
        if data_dir:
            raise InputError("digits come with scikit-learn, and lie in no folder; leave data_dir (--data-dir) out")
        (train, test), classes = _digits(), NUMERALS
    else:
        source = SOURCES[name]
        (train, test), classes = _load(name, source, None if folder is None else Path(folder)), source.classes
    train, test = _checked(name, train, len(classes)), _checked(name, test, len(classes))
    if train.images.shape[1:] != test.images.shape[1:]:
        raise InputError(
            f"{name}: training images are {list(train.images.shape[1:])}, test images {list(test.images.shape[1:])}"
        )
    fingerprint = checksum(*train, *test)
    if zca:
        train, test = _whitened(train, test)
    versions = {"scikit-learn": version("scikit-learn")} if name == "digits" else {}
    options, registered = {"zca": True} if zca else {}, path is None
    return ImageTask(name, train, test, classes, options, where, registered, fingerprint, versions)


def names() -> list[str]:
    """Every set of images that has a name."""
    return ["digits", *SOURCES]


def read_path(path: Path) -> tuple[Split, tuple[str, ...]]:
    """Images of your own, and the names of their classes."""
    if path.suffix == ".npz":
        split = _read_npz(path)
    elif path.is_dir() and _find(path, IDX[0]):
        split = _read_idx([_there(path, file) for file in IDX])
    elif path.is_dir():
        return _read_folder(path)
    else:
        raise InputError(f"{path} is neither a .npz file nor a folder of images or IDX files")
    return split, tuple(str(i) for i in range(_classes(path, *split)))


def _classes(path: Path, *parts: Labelled) -> int:
    """How many there are, by the largest label.

    Raises:
        InputError: for labels that are no numbers.
    """
    labels = [np.asarray(part.labels).ravel() for part in parts]
    if not all(np.issubdtype(each.dtype, np.number) for each in labels):
        raise InputError(f"{path} has labels of {labels[0].dtype}; they are whole numbers from 0")
    return int(max(each.max(initial=0) for each in labels)) + 1


def _load(name: str, source: Source, folder: Path | None) -> Split:
    if folder is None:
        return source.read([_download(name, source, file) for file in source.files])
    if not folder.is_dir():
        raise InputError(f"--data-dir {folder} is not a folder")
    for place in (folder / name, folder):
        if (place / f"{name}.npz").is_file():
            return _read_npz(place / f"{name}.npz")
        if found := [path for file in source.files if (path := _find(place, file.removesuffix(".gz")))]:
            if len(found) < len(source.files):
                missing = [file for file in source.files if not _find(place, file.removesuffix(".gz"))]
                raise InputError(f"{place} has only a part of {name}; it lacks {', '.join(missing)}")
            return source.read(found)
    raise InputError(f"{folder} holds no {name}: put {', '.join(source.files)} there")


def _download(name: str, source: Source, file: str) -> Path:
    import pooch

    try:
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "hades" / "data" / name
        pooch.get_logger().setLevel("ERROR")
        return Path(pooch.retrieve(source.url + file, f"md5:{source.files[file]}", file, cache))
    except (OSError, ValueError) as error:  # no network; a wrong checksum
        if isinstance(error, ValueError):
            why = "its checksum is wrong"
        else:  # of a file: a full disk, a folder that may not be written
            why = reason(error) if error.filename else "there is no way to it from here"
        raise InputError(
            f"{name} could not be downloaded from {source.url} ({why}); try again with a network, or give "
            f"--data-dir a folder with {', '.join(source.files)}"
        ) from None


def _digits() -> Split:
    """1,797 of UCI's handwritten digits, 8 x 8; a fifth of each class is the test set, always the same.

    From scikit-learn's file: importing the library sets environment variables of the process.
    """
    library = find_spec("sklearn")
    assert library is not None and library.origin is not None, "scikit-learn is a dependency"
    rows = np.loadtxt(Path(library.origin).parent / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    images, labels = rows[:, :-1], rows[:, -1].astype(int)
    return split(Labelled((images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8), labels), TEST)


def _read_idx(paths: list[Path]) -> Split:
    train_images, train_labels, test_images, test_labels = map(idx_array, paths)
    return Labelled(train_images, train_labels), Labelled(test_images, test_labels)


def _read_npz(path: Path) -> Split:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except FileNotFoundError:
        raise InputError(f"no file at {path}") from None
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error):
        raise InputError(f"{path} is damaged, or not an .npz file of plain arrays") from None
    if set(NPZ) <= set(arrays):
        return Labelled(*(arrays[name] for name in NPZ[:2])), Labelled(*(arrays[name] for name in NPZ[2:]))
    if {"images", "labels"} <= set(arrays):
        both = Labelled(arrays["images"], arrays["labels"])
        return split(_checked(path.stem, both, _classes(path, both)), TEST)
    raise InputError(
        f"{path} holds {', '.join(arrays) or 'nothing'}; it must hold {', '.join(NPZ)}, or images and labels"
    )


def _read_folder(path: Path) -> tuple[Split, tuple[str, ...]]:
    """``CLASS/*.png``, with a fifth kept for the test; or ``train/CLASS/*.png`` and ``test/CLASS/*.png``."""
    parts = [path / "train", path / "test"]
    if all(part.is_dir() for part in parts):
        classes = _class_names(parts[0])
        return (_pictures(parts[0], classes), _pictures(parts[1], classes)), classes
    classes = _class_names(path)
    return split(_pictures(path, classes), TEST), classes


def _class_names(path: Path) -> tuple[str, ...]:
    classes = tuple(sorted(folder.name for folder in path.iterdir() if folder.is_dir()))
    if len(classes) < 2:
        raise InputError(f"{path} must have a folder of images for each of two or more classes; it has {len(classes)}")
    return classes


def _pictures(path: Path, classes: tuple[str, ...]) -> Labelled:
    images, labels = [], []
    for label, name in enumerate(classes):
        files = sorted(file for file in (path / name).glob("*") if file.suffix.lower() in PICTURES)
        for file in files:
            images.append(picture(file))
            labels.append(label)
            this, first = (f"{image.dtype} {list(image.shape)}" for image in (images[-1], images[0]))
            if this != first:
                raise InputError(f"{file} is {this}, the images before it are {first}")
    if not images:
        raise InputError(f"{path} holds no images ({', '.join(PICTURES)})")
    return Labelled(np.stack(images), np.asarray(labels))


def _read_cifar(paths: list[Path]) -> Split:
    """The binary version: records of a label and 3 x 32 x 32 bytes."""
    try:
        with tarfile.open(paths[0]) as archive:
            members = {Path(name).name: name for name in archive.getnames()}
            files = [archive.extractfile(members[name]) for name in (*_CIFAR_TRAIN, "test_batch.bin")]
            batches = [np.frombuffer(file.read(), np.uint8).reshape(-1, 3073) for file in files if file]
    except (OSError, EOFError, KeyError, ValueError, tarfile.TarError):
        raise InputError(f"{paths[0]} is damaged, or not CIFAR-10's binary version") from None

    def labelled(records: np.ndarray) -> Labelled:
        return Labelled(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), records[:, 0])

    return labelled(np.concatenate(batches[:-1])), labelled(batches[-1])


_CIFAR_TRAIN = tuple(f"data_batch_{i}.bin" for i in range(1, 6))


def _read_svhn(paths: list[Path]) -> Split:
    """MATLAB files; the digit 0 has the label 10."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    def labelled(path: Path) -> Labelled:
        try:
            file = loadmat(path)
            return Labelled(file["X"].transpose(3, 0, 1, 2), file["y"].ravel() % 10)
        except (OSError, ValueError, KeyError, TypeError, MatReadError, zlib.error):
            raise InputError(f"{path} is damaged, or not a file of SVHN") from None

    return labelled(paths[0]), labelled(paths[1])


def _find(folder: Path, file: str) -> Path | None:
    """A file as it is or compressed, with a hyphen or a point before ``idx``."""
    spellings = (file, file.replace("-idx", ".idx"))
    candidates = (folder / (spelling + suffix) for spelling in spellings for suffix in ("", ".gz"))
    return next((path for path in candidates if path.is_file()), None)


def _there(folder: Path, file: str) -> Path:
    if path := _find(folder, file):
        return path
    raise InputError(f"{folder} lacks {file} (or {file}.gz)")


def _checked(name: str, data: Labelled, classes: int) -> Labelled:
    """Labelled images as `ImageTask` wants them."""
    images, labels = np.asarray(data.images), np.asarray(data.labels)
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or len(images) == 0:
        raise InputError(f"{name}: images must be [M, H, W] or [M, H, W, C], not {list(images.shape)}")
    if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{name}: labels must be whole numbers [{len(images)}], one an image, "
            f"not {labels.dtype} {list(labels.shape)}"
        )
    if labels.min() < 0 or labels.max() >= classes:
        raise InputError(f"{name}: labels must be from 0 to {classes - 1}, not from {labels.min()} to {labels.max()}")
    return Labelled(by_range(name, images), labels.astype(np.int32))


def _whitened(train: Labelled, test: Labelled) -> Split:
    """ZCA of the training images, regularised by 0.1 of the covariance's mean."""
    flat = np.asarray(as_float(train.images)).reshape(len(train.images), -1)
    mean = flat.mean(0)
    values, vectors = np.linalg.eigh(np.cov(flat - mean, rowvar=False))
    whiten = (vectors / np.sqrt(np.maximum(values, 0) + 0.1 * values.mean())) @ vectors.T

    def apply(data: Labelled) -> Labelled:
        flat = np.asarray(as_float(data.images)).reshape(len(data.images), -1)
        return Labelled(((flat - mean) @ whiten).astype(np.float32).reshape(data.images.shape), data.labels)

    return apply(train), apply(test)


def _idx_source(url: str, sums: tuple[str, ...], classes: tuple[str, ...]) -> Source:
    return Source(url, {f"{file}.gz": md5 for file, md5 in zip(IDX, sums, strict=True)}, classes, _read_idx)


SOURCES = {
    "mnist": _idx_source(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        ("f68b3c2dcbeaaa9fbdd348bbdeb94873", "d53e105ee54ea40749a09fcbcd1e9432",
         "9fb629c4189551a2d022fa330f9573f3", "ec29112dd5afa0611ce80d1b7f02629c"),
        NUMERALS,
    ),
    "fashion-mnist": _idx_source(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ("8d4fb7e6c68d591d4c3dfef9ec88bf0d", "25c81989df183df01b3e8a0aad5dffbe",
         "bef4ecab320f06d8554ea6380940ec79", "bb300cfdad3c16e7a12a480ee83cd310"),
        FASHION,
    ),
    "kmnist": _idx_source(
        "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ("bdb82020997e1d708af4cf47b453dcf7", "e144d726b3acfaa3e44228e80efcd344",
         "5c965bf0a639b31b8f53240b1b52f4d7", "7320c461ea6c1c855c0b718fb2a4b134"),
        KUZUSHIJI,
    ),
    "cifar10": Source(
        "https://www.cs.toronto.edu/~kriz/",
        {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"},
        CIFAR,
        _read_cifar,
    ),
    "svhn": Source(
        "http://ufldl.stanford.edu/housenumbers/",
        {"train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373", "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3"},
        NUMERALS,
        _read_svhn,
    ),
}  # fmt: skip
