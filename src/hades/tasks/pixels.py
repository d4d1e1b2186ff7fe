"""Pixels as files have them, in any depth.

They are read by the range of their type: bytes from 0 to 255, 16 bits from 0 to 65535, black and white as 0 and 1,
real numbers from 0 to 1. What has no range of its own, or goes beyond it, is refused: nobody else knows its white.
"""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np

from hades.errors import InputError

IDX = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}
"""Types of numbers, by their code in the format's header."""
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
"""What pictures' names end in."""


def by_range(name: str, images: np.ndarray) -> np.ndarray:
    """Images of any type as bytes, or as float32 from 0 to 1.

    Raises:
        InputError: where it cannot be known what is white.
    """
    kind, bits = images.dtype.kind, 8 * images.dtype.itemsize
    if kind == "b":
        return images * np.uint8(255)
    if kind not in "uif" or not np.isfinite(images).all():
        raise InputError(f"{name}: images must be finite numbers, not {images.dtype}")
    low, high = images.min(), images.max()
    if kind == "f" and low >= 0 and high <= 1:
        return images.astype(np.float32)
    if kind in "ui" and low >= 0 and high != 1:  # whole numbers up to 1 are black and white, which bytes are not
        if high > 255 and (kind, bits) == ("u", 16):
            return images / np.float32(65535)
        if high <= 255 and (kind, bits) != ("u", 16):
            return images.astype(np.uint8)
    raise InputError(
        f"{name}: pixels are {images.dtype} from {low:g} to {high:g}, and what is white is not known; give bytes "
        "(uint8), 16 bits (uint16, white at 65535), real numbers from 0 to 1, or True and False"
    )


def idx_array(path: Path) -> np.ndarray:
    """One array of LeCun's IDX format, compressed or not.

    Raises:
        InputError: for any other file.
    """
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        zeros, kind, ndim = struct.unpack_from(">HBB", data)
        shape = struct.unpack_from(f">{ndim}I", data, 4)
        values = np.frombuffer(data, IDX[kind], offset=4 + 4 * ndim)
        if zeros or len(values) != np.prod(shape):
            raise ValueError
        return values.reshape(shape)
    except (OSError, EOFError, ValueError, KeyError, struct.error, zlib.error):
        raise InputError(f"{path} is damaged, or not an IDX file") from None


def picture(file: Path) -> np.ndarray:
    """``[H, W]`` of grey or ``[H, W, 3]`` of colours, in its own depth; palettes and CMYK as they are shown, and
    colours in 8 bits, however many they have.

    Raises:
        InputError: for what cannot be read, or is transparent somewhere: what would be seen there is not in the file.
    """
    from PIL import Image

    try:
        with Image.open(file) as opened:
            if opened.mode.startswith(("I", "F")):
                image = np.asarray(opened)
                return image.astype(image.dtype.newbyteorder("="))
            opaque = not opened.has_transparency_data or opened.convert("RGBA").getchannel("A").getextrema() == (
                255,
                255,
            )
            image = np.asarray(opened.convert("L" if opened.mode in ("1", "L") else "RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InputError(f"{file} is damaged, or not an image that can be read") from None
    if not opaque:
        raise InputError(f"{file} is transparent in places; save it on the background that it is to be seen on")
    return image
