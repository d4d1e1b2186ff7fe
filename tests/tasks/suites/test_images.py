"""Labelled images: where they come from, and what is refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.helpers import TINY_IMAGES, image_task, labelled, save_labelled

import hades
from hades.baselines.images import baseline
from hades.errors import InputError
from hades.tasks.images import ImageTask
from hades.tasks.pixels import idx_array
from hades.tasks.suites.images import IDX

RNG = np.random.default_rng(0)


def _idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def test_digits_work_at_once(digits: ImageTask) -> None:
    task = digits
    assert task.spec.obs_shape == (8, 8, 1) and task.spec.num_actions == 10
    assert len(task.train.labels) + len(task.held_out.labels) == 1797
    assert np.bincount(task.held_out.labels).min() >= 34


def test_your_ownlabelled(mine: ImageTask) -> None:
    assert mine.name == "mine" and mine.spec.obs_shape == (6, 5, 1) and mine.classes == ("0", "1", "2")
    assert len(mine.train.labels) == 30 and len(mine.held_out.labels) == 6


def test_arrays_without_a_test_set_are_split_by_class(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", images=RNG.random((50, 4, 4, 3), np.float32), labels=np.arange(50) % 5)
    task = image_task(hades.make(str(tmp_path / "all.npz")))
    assert np.bincount(task.train.labels).tolist() == [8] * 5 and np.bincount(task.held_out.labels).tolist() == [2] * 5


def test_arrays_beside_are_found_by_name_where_no_task_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_labelled(tmp_path)
    for name in ("ours", "cartpole"):
        Path(f"{name}.npz").write_bytes(Path("mine.npz").read_bytes())
    assert hades.make("ours").name == "ours"
    assert hades.make("cartpole").name == "CartPole-v1"
    assert hades.make("cartpole.npz").name == "cartpole"


@settings(max_examples=20)
@given(hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5)), st.booleans())
def test_idx_files_come_back(tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, compressed: bool) -> None:
    path = tmp_path_factory.mktemp("idx") / ("x.gz" if compressed else "x")
    path.write_bytes(gzip.compress(_idx_bytes(array)) if compressed else _idx_bytes(array))
    np.testing.assert_array_equal(idx_array(path), array)


def test_a_data_dir_of_idx_files_is_the_named_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = labelled(classes=10)
    for file, array in zip(IDX, arrays.values(), strict=True):
        (tmp_path / f"{file}.gz").write_bytes(gzip.compress(_idx_bytes(array)))
    for task in (hades.make("fashion-mnist", data_dir=tmp_path), hades.make(str(tmp_path))):
        np.testing.assert_array_equal(image_task(task).train.images[..., 0], arrays["train_images"])
    assert hades.make("fashion-mnist", data_dir=tmp_path).classes[9] == "ankle boot"  # type: ignore[union-attr]
    monkeypatch.setenv("HADES_DATA_DIR", str(tmp_path))
    assert hades.make("kmnist").name == "kmnist"
    (tmp_path / f"{IDX[1]}.gz").unlink()
    with pytest.raises(InputError, match="only a part of mnist; it lacks train-labels"):
        hades.make("mnist", data_dir=tmp_path)
    damaged = (tmp_path / f"{IDX[0]}.gz").read_bytes()[:-30]
    (tmp_path / f"{IDX[0]}.gz").write_bytes(damaged)
    (tmp_path / f"{IDX[1]}.gz").write_bytes(gzip.compress(_idx_bytes(arrays["train_labels"])))
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte.gz is damaged"):
        hades.make("mnist", data_dir=tmp_path)


def test_a_folder_of_pictures(tmp_path: Path) -> None:
    from PIL import Image

    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(5):
            Image.fromarray(RNG.integers(0, 256, (8, 8, 3), np.uint8)).save(tmp_path / name / f"{i}.png")
    task = image_task(hades.make(str(tmp_path)))
    assert task.classes == ("cat", "dog") and task.spec.obs_shape == (8, 8, 3) and len(task.train.labels) == 8
    (tmp_path / "dog" / "0.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match=r"0.png is damaged, or not an image"):
        hades.make(str(tmp_path))


def test_without_a_network_both_ways_out_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("HADES_DATA_DIR", raising=False)
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    with pytest.raises(
        InputError, match=r"mnist could not be downloaded .*try again with a network, or give --data-dir"
    ):
        hades.make("mnist")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"train_labels": np.arange(29)}, r"labels must be whole numbers \[30\]"),
        ({"train_labels": np.arange(30) / 2}, "labels must be whole numbers"),
        ({"test_images": np.zeros((6, 7, 7), np.uint8)}, r"training images are \[6, 5, 1\], test images \[7, 7, 1\]"),
        ({"train_images": np.zeros((30, 8), np.uint8)}, r"images must be \[M, H, W\]"),
        ({"train_images": np.full((30, 6, 5), np.nan)}, "finite"),
        ({"train_labels": np.arange(30) % 3 - 1}, "labels must be from 0"),
        ({"train_images": None}, "must hold train_images, train_labels, test_images, test_labels, or images and"),
    ],
)
def test_bad_arrays_are_refused(tmp_path: Path, change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hades.make(save_labelled(tmp_path, **change))


def test_bad_files_are_refused(tmp_path: Path) -> None:
    path = Path(save_labelled(tmp_path))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"damaged, or not an .npz file of plain arrays"):
        hades.make(str(path))
    np.savez(tmp_path / "objects.npz", images=np.asarray([{}]), labels=np.zeros(1, int))
    with pytest.raises(InputError, match="plain arrays"):
        hades.make(str(tmp_path / "objects.npz"))
    with pytest.raises(InputError, match="no file at"):
        hades.make(str(tmp_path / "none.npz"))
    (tmp_path / "one").mkdir()
    with pytest.raises(InputError, match="a folder of images for each of two or more classes; it has 1"):
        hades.make(str(tmp_path) + "/")
    with pytest.raises(InputError, match="is not a folder"):
        hades.make("mnist", data_dir=tmp_path / "none")
    with pytest.raises(InputError, match="holds no mnist: put train-images"):
        hades.make("mnist", data_dir=tmp_path)


def test_whitened_pixels_are_nearly_uncorrelated(tmp_path: Path) -> None:
    images = np.cumsum(RNG.random((200, 4, 4)), 1)
    images = (255 * images / images.max()).astype(np.uint8)
    path = save_labelled(tmp_path, train_images=images, train_labels=np.arange(200) % 3, test_images=images[:6])
    plain, white = (image_task(hades.make(path, **options)) for options in ({}, {"zca": True}))
    assert white.options == {"zca": True} and plain.options == {}
    correlated = [
        np.abs(np.corrcoef(np.reshape(t.train.images, (200, -1)).T) - np.eye(16)).max() for t in (plain, white)
    ]
    assert correlated[0] > 0.8 and correlated[1] < 0.4 * correlated[0]


def test_a_dataset_is_scored_and_gone_on_from_with_its_own_preparation_alone(tmp_path: Path) -> None:
    path = save_labelled(tmp_path)
    plain, white = (hades.make(path, zca=zca) for zca in (False, True))
    for dataset_task, other, message in (
        (white, plain, r"made with zca, and this mine was not; make it with zca=True \(--zca\)"),
        (plain, white, "made without zca, and this mine was not; make it without it"),
    ):
        dataset = baseline(dataset_task, "mean", 3)
        with pytest.raises(InputError, match=message):
            hades.evaluate(dataset, other, inits=1)
        with pytest.raises(InputError, match=message):
            hades.distill(other, 3, start=str(dataset.save(tmp_path / "start.safetensors")), **TINY_IMAGES)
    with pytest.raises(InputError, match="made with zca"):
        hades.evaluate(baseline(white, "mean", 3), path, inits=1)
