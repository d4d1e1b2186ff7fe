"""Pixels of every depth: read by their own range, or refused."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.helpers import image_task, save_labelled

import hades
from hades.errors import InputError
from hades.tasks.images import as_float
from hades.tasks.pixels import by_range, idx_array, picture

SHADES = np.asarray([[0, 51], [153, 255]], np.uint8)
"""As bytes; a fifth of white is 0.2 in every depth."""
WANTED = np.asarray([[0, 0.2], [0.6, 1]], np.float32)
COLOURS = np.stack([SHADES, SHADES.T, SHADES[::-1]], -1)
KINDS = {8: np.uint8, 9: np.int8, 11: np.int16, 12: np.int32, 13: np.float32, 14: np.float64}
OPAQUE, CLEAR = Image.new("L", (2, 2), 255), Image.fromarray(SHADES)


@pytest.mark.parametrize(
    "images",
    [
        SHADES, SHADES.astype(np.int64), SHADES.astype(np.int16), SHADES.astype(np.uint16) * 257, WANTED,
        (SHADES.astype(np.uint16) * 257).astype(">u2"), WANTED.astype(np.float64), WANTED.astype(np.float16),
    ],
    ids=lambda images: str(images.dtype),
)  # fmt: skip
def test_the_same_image_in_any_type_is_the_same(images: np.ndarray) -> None:
    read = by_range("mine", images)
    assert read.dtype in (np.uint8, np.float32)
    np.testing.assert_allclose(as_float(read), WANTED, atol=3e-4)  # of 16 bits
    np.testing.assert_array_equal(as_float(by_range("mine", images > images.mean())), WANTED > 0.5)


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (SHADES.astype(np.uint16), "uint16 from 0 to 255"),  # bytes, or very dark?
        (SHADES // 255, "uint8 from 0 to 1"),
        (SHADES.astype(np.int32) * 257, "int32 from 0 to 65535"),
        (SHADES.astype(np.int32) - 128, "int32 from -128 to 127"),
        (SHADES.astype(np.float32), "float32 from 0 to 255"),
        (2 * WANTED - 1, "float32 from -1 to 1"),
    ],
)
def test_what_is_white_is_never_guessed(tmp_path: Path, images: np.ndarray, found: str) -> None:
    with pytest.raises(InputError, match=f"mine: pixels are {found}, and what is white is not known; give bytes"):
        by_range("mine", images)
    with pytest.raises(InputError, match=f"mine: pixels are {found}"):
        hades.make(save_labelled(tmp_path, train_images=np.resize(images, (30, 6, 5)).astype(images.dtype)))


@pytest.mark.parametrize("images", [WANTED * np.nan, WANTED.astype(complex), WANTED.astype(str)])
def test_pixels_are_finite_numbers(images: np.ndarray) -> None:
    with pytest.raises(InputError, match=f"finite numbers, not {images.dtype}"):
        by_range("mine", images)


@pytest.mark.parametrize("kind", KINDS)
def test_idx_files_of_every_type(tmp_path: Path, kind: int) -> None:
    array = np.arange(6, dtype=KINDS[kind]).reshape(2, 3)
    header = struct.pack(">HBB2I", 0, kind, 2, 2, 3)
    (tmp_path / "x").write_bytes(header + array.astype(array.dtype.newbyteorder(">")).tobytes())
    np.testing.assert_array_equal(idx_array(tmp_path / "x"), array)
    (tmp_path / "x").write_bytes(header[:2] + b"\x07" + header[3:])
    with pytest.raises(InputError, match="x is damaged, or not an IDX file"):
        idx_array(tmp_path / "x")


def _palette(alpha: Any = None) -> Image.Image:
    image = Image.fromarray(COLOURS).quantize(4)
    if alpha is not None:
        image.info["transparency"] = alpha
    return image


PICTURES: dict[str, tuple[Image.Image, str, np.ndarray | str]] = {
    "grey": (Image.fromarray(SHADES), "png", SHADES),
    "colours": (Image.fromarray(COLOURS), "png", COLOURS),
    "one_bit": (Image.fromarray(SHADES).convert("1", dither=Image.Dither.NONE), "png", 255 * (SHADES > 127)),
    "16_bit": (Image.fromarray(SHADES.astype(np.uint16) * 257), "png", SHADES.astype(np.uint16) * 257),
    "16_bit_tiff": (Image.fromarray(SHADES.astype(np.uint16) * 257), "tiff", SHADES.astype(np.uint16) * 257),
    "32_bit": (Image.fromarray(SHADES.astype(np.int32) * 65537), "tiff", SHADES.astype(np.int32) * 65537),
    "real": (Image.fromarray(WANTED), "tiff", WANTED),
    "palette": (_palette(), "png", COLOURS),
    "cmyk": (Image.fromarray(COLOURS).convert("CMYK"), "tiff", COLOURS),
    "opaque": (Image.merge("LA", [CLEAR, OPAQUE]).convert("RGBA"), "png", np.stack(3 * [SHADES], -1)),
    "opaque_grey": (Image.merge("LA", [CLEAR, OPAQUE]), "png", np.stack(3 * [SHADES], -1)),
    "transparent": (Image.merge("LA", [CLEAR, CLEAR]).convert("RGBA"), "png", "transparent in places"),
    "transparent_grey": (Image.merge("LA", [CLEAR, CLEAR]), "png", "transparent in places"),
    "transparent_palette": (_palette(0), "png", "transparent in places"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_keep_their_depth_and_hide_nothing(tmp_path: Path, name: str) -> None:
    image, suffix, wanted = PICTURES[name]
    file = tmp_path / f"{name}.{suffix}"
    image.save(file)
    if isinstance(wanted, str):
        with pytest.raises(InputError, match=f"{name}.{suffix} is .*{wanted}"):
            picture(file)
        return
    read = picture(file)
    assert read.dtype == (np.uint8 if wanted.dtype == np.int64 else wanted.dtype) and read.dtype.isnative
    np.testing.assert_array_equal(read, wanted)


def test_a_folder_of_16_bits_is_read_by_its_range_and_holds_one_depth(tmp_path: Path) -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, (10, 4, 4), np.uint16)
    for i, image in enumerate(deep):
        (tmp_path / "ab"[i % 2]).mkdir(exist_ok=True)
        Image.fromarray(image).save(tmp_path / "ab"[i % 2] / f"{i}.png")
    task = image_task(hades.make(str(tmp_path)))
    read = np.concatenate([task.train.images, task.held_out.images])
    np.testing.assert_allclose(np.sort(read.ravel()), np.sort(deep.ravel()) / 65535, atol=1e-6)
    Image.fromarray((deep[0] // 256).astype(np.uint8)).save(tmp_path / "b" / "9.png")
    with pytest.raises(InputError, match=r"9.png is uint8 \[4, 4\], the images before it are uint16 \[4, 4\]"):
        hades.make(str(tmp_path))
