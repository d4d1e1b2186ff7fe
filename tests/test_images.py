"""Labelled images: where they come from, what is refused, and how a classifier is scored."""

import dataclasses
import gzip
import struct
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import hades
from hades.baselines import images as baselines
from hades.errors import InputError
from hades.learner import IMAGES, Learner, init_network, make_network
from hades.tasks.control import identity_normaliser
from hades.tasks.image_suite import IDX, _idx
from hades.tasks.images import SCALES, STARTS, ImageTask, Labelled

RNG = np.random.default_rng(0)


def _arrays(train: int = 30, test: int = 6, classes: int = 3) -> dict[str, np.ndarray]:
    return {
        "train_images": RNG.integers(0, 256, (train, 6, 5), np.uint8),
        "train_labels": np.arange(train) % classes,
        "test_images": RNG.integers(0, 256, (test, 6, 5), np.uint8),
        "test_labels": np.arange(test) % classes,
    }


def _npz(path: Path, **changes: object) -> str:
    np.savez(path / "mine.npz", **{k: v for k, v in (_arrays() | changes).items() if v is not None})  # type: ignore[arg-type]
    return str(path / "mine.npz")


def _idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def _images(task: object) -> ImageTask:
    assert isinstance(task, ImageTask)
    return task


@pytest.fixture
def mine(tmp_path: Path) -> ImageTask:
    return _images(hades.make(_npz(tmp_path)))


def test_digits_work_at_once() -> None:
    task = _images(hades.make("digits"))
    assert task.spec.obs_shape == (8, 8, 1) and task.spec.num_actions == 10
    assert len(task.train.labels) + len(task.held_out.labels) == 1797
    assert np.bincount(task.held_out.labels).min() >= 34


def test_your_own_arrays(mine: ImageTask) -> None:
    assert mine.name == "mine" and mine.spec.obs_shape == (6, 5, 1) and mine.classes == ("0", "1", "2")
    assert len(mine.train.labels) == 30 and len(mine.held_out.labels) == 6


def test_arrays_without_a_test_set_are_split_by_class(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", images=RNG.random((50, 4, 4, 3), np.float32), labels=np.arange(50) % 5)
    task = _images(hades.make(str(tmp_path / "all.npz")))
    assert np.bincount(task.train.labels).tolist() == [8] * 5 and np.bincount(task.held_out.labels).tolist() == [2] * 5


def test_arrays_beside_are_found_by_name_where_no_task_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _npz(tmp_path)
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
    np.testing.assert_array_equal(_idx(path), array)


def test_a_data_dir_of_idx_files_is_the_named_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = _arrays(classes=10)
    for file, array in zip(IDX, arrays.values(), strict=True):
        (tmp_path / f"{file}.gz").write_bytes(gzip.compress(_idx_bytes(array)))
    for task in (hades.make("fashion-mnist", data_dir=tmp_path), hades.make(str(tmp_path))):
        np.testing.assert_array_equal(_images(task).train.images[..., 0], arrays["train_images"])
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
    task = _images(hades.make(str(tmp_path)))
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
        ({"train_images": np.full((30, 6, 5), 300)}, "pixels must be bytes, or real numbers from 0 to 1"),
        ({"train_images": np.full((30, 6, 5), np.nan)}, "finite"),
        ({"train_labels": np.arange(30) % 3 - 1}, "labels must be from 0"),
        ({"train_images": None}, "must hold train_images, train_labels, test_images, test_labels, or images and"),
    ],
)
def test_bad_arrays_are_refused(tmp_path: Path, change: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(InputError, match=message):
        hades.make(_npz(tmp_path, **change))


def test_bad_files_are_refused(tmp_path: Path) -> None:
    path = Path(_npz(tmp_path))
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


def test_sizes_that_do_not_fit_are_refused(mine: ImageTask) -> None:
    with pytest.raises(InputError, match="3 classes, which do not divide size 4"):
        hades.distill(mine, 4)
    with pytest.raises(InputError, match="class '0' of mine has 10 training images, too few for 11 per class"):
        hades.distill(mine, 33)


@pytest.mark.parametrize("kind", [*STARTS, "zero"])
def test_starts_come_in_blocks_of_classes(kind: str) -> None:
    images = np.repeat(np.asarray([0.2, 0.8], np.float32), 12)[:, None, None, None] * np.ones(
        (24, 2, 2, 1), np.float32
    )
    task = ImageTask(
        "two", Labelled(images, np.repeat([0, 1], 12)), Labelled(images, np.repeat([0, 1], 12)), ("a", "b")
    )
    key = jax.random.key(0)
    start = task.start(kind, 6, identity_normaliser(task.spec), key)
    want = 0 * images[:6] if kind == "zero" else images[[0, 0, 0, 12, 12, 12]]
    np.testing.assert_allclose(start, want, atol=1e-6)
    np.testing.assert_array_equal(start, task.start(kind, 6, identity_normaliser(task.spec), key))


def test_herding_keeps_the_running_mean_near_the_classs() -> None:
    images = RNG.random((40, 3, 3, 1), np.float32)
    chosen = STARTS["herding"](images, 8, RNG)
    sampled = [STARTS["sample"](images, 8, np.random.default_rng(i)) for i in range(20)]
    far = [np.linalg.norm(s.mean(0) - images.mean(0)) for s in sampled]
    assert np.linalg.norm(chosen.mean(0) - images.mean(0)) < min(far)


def test_a_score_is_the_loss_on_drawn_images_and_a_test_the_accuracy_on_all(mine: ImageTask) -> None:
    learner = Learner(network="mlp", width=8).over(IMAGES)
    params = jax.vmap(lambda key: init_network(learner, mine.spec, key))(jax.random.split(jax.random.key(0), 2))
    keys = jax.random.split(jax.random.key(1), (2, 7))
    normaliser = identity_normaliser(mine.spec)
    drawn = mine.score(learner, params, normaliser, keys, data=mine.data)
    first: Any = make_network(learner, mine.spec).apply(jax.tree.map(lambda x: x[0], params), mine.train.images / 255)
    losses = jax.nn.log_softmax(first)[np.arange(30), mine.train.labels]
    assert drawn.ret.shape == (2, 7) and np.abs(drawn.ret[0][:, None] - losses).min(1).max() < 1e-4
    test = mine.test
    whole = test.score(learner, params, normaliser, keys, data=test.data)
    assert whole.ret.shape == (2, 1) and np.isin(np.round(np.asarray(whole.ret) * 6, 4), range(7)).all()


def test_a_search_is_validated_on_training_images_that_it_is_not_scored_on() -> None:
    task = _images(hades.make("digits"))
    search, validation = (np.asarray(t.data.images).reshape(-1, 64) for t in (task, task.validation))
    assert len(validation) > 0.09 * len(task.train.labels) and np.bincount(task.validation.data.labels).min() >= 13
    both = np.concatenate([search, validation])
    np.testing.assert_array_equal(np.sort(both, 0), np.sort(np.reshape(task.train.images, (-1, 64)), 0))
    assert len(np.unique(both, axis=0)) == len(both)  # no image twice, so none in both
    assert task.validation.metric == "validation accuracy"


def test_too_few_images_to_hold_some_back_validate_a_search_themselves(tmp_path: Path) -> None:
    few = _images(hades.make(_npz(tmp_path, **_arrays(train=24))))
    assert len(few.data.labels) == len(few.validation.data.labels) == 24


def test_a_calibrated_score_is_the_loss_at_the_best_scale_of_the_logits(mine: ImageTask) -> None:
    learner = Learner(network="mlp", width=8).over(IMAGES)
    params = init_network(learner, mine.spec, jax.random.key(0))
    keys = jax.random.split(jax.random.key(1), (1, 32))

    def score(task: ImageTask, scale: float) -> float:
        head = max(params["params"])
        scaled = {**params["params"], head: jax.tree.map(lambda x: scale * x, params["params"][head])}
        one = jax.tree.map(lambda x: x[None], {"params": scaled})
        return float(task.score(learner, one, identity_normaliser(mine.spec), keys, data=mine.data).ret.mean())

    calibrated = dataclasses.replace(mine, calibrated=True)
    assert score(calibrated, 1) == pytest.approx(max(score(mine, scale) for scale in SCALES), rel=1e-5)
    assert score(mine, 2) != pytest.approx(score(mine, 1), rel=1e-5)


def test_statistics_are_those_of_the_channels(mine: ImageTask) -> None:
    normaliser = mine.measure(jax.random.key(0))
    x = np.asarray(normaliser(jnp.asarray(mine.train.images / 255, jnp.float32)))
    assert abs(x.mean()) < 1e-3 and x.std() == pytest.approx(1, abs=1e-3)


def test_whitened_pixels_are_nearly_uncorrelated(tmp_path: Path) -> None:
    images = np.cumsum(RNG.random((200, 4, 4)), 1)
    images = (255 * images / images.max()).astype(np.uint8)
    path = _npz(tmp_path, train_images=images, train_labels=np.arange(200) % 3, test_images=images[:6])
    plain, white = (_images(hades.make(path, **options)) for options in ({}, {"zca": True}))
    assert white.options == {"zca": True} and plain.options == {}
    correlated = [
        np.abs(np.corrcoef(np.reshape(t.train.images, (200, -1)).T) - np.eye(16)).max() for t in (plain, white)
    ]
    assert correlated[0] > 0.8 and correlated[1] < 0.4 * correlated[0]


def test_baselines_are_real_images_that_train() -> None:
    task = _images(hades.make("digits"))
    learner = Learner(network="mlp", width=32, learning_rate=1.0, epochs=300)
    means, sample = (baselines.baseline(task, kind, 10) for kind in ("mean", "sample"))
    assert hades.evaluate(means, task, 3, learner=learner).mean > 0.75
    assert any((sample.states[0] * 255 == image).all() for image in task.train.images[task.train.labels == 0])
    assert len(baselines.baseline(task, "all", 10)) == len(task.train.labels)
    with pytest.raises(InputError, match="unknown baseline"):
        baselines.baseline(task, "best", 10)


def test_deep_networks_learn_from_small_images() -> None:
    task = _images(hades.make("digits"))
    means = baselines.baseline(task, "mean", 10)
    assert baselines.across(means, task, 1, names=["convnet"])["convnet"].mean > 0.75
