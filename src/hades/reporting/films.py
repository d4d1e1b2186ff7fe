"""Pictures one after the other as one file: GIF, which everything shows, or MP4, where ffmpeg is there."""

import io
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hades.errors import InputError
from hades.extras import installed

COLOURS, SAMPLES = 96, 12
"""Of a GIF, and the pictures that they are chosen from."""
BYTES = 1_500_000
"""Of a GIF, about, at most."""
STILL = 1.0
"""Seconds that the last picture stays before it begins anew."""


def gif(frames: Sequence[np.ndarray], fps: float, most: int = BYTES) -> bytes:
    """An animated GIF of pictures ``[H, W, 3]``, with one palette; fewer of them where that is above `most` bytes."""
    data = _gif(frames, fps)
    while len(data) > most and len(frames) > 3:
        fewer = [frames[i] for i in np.linspace(0, len(frames) - 1, -(-3 * len(frames) // 4)).round().astype(int)]
        frames, fps = fewer, fps * len(fewer) / len(frames)
        data = _gif(frames, fps)
    return data


def _gif(frames: Sequence[np.ndarray], fps: float) -> bytes:
    from PIL import Image

    chosen = np.linspace(0, len(frames) - 1, min(SAMPLES, len(frames))).astype(int)
    palette = Image.fromarray(np.concatenate([frames[i] for i in chosen])).quantize(COLOURS)
    pictures = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    # A GIF counts in hundredths of a second: rounded so that the whole takes as long as it should.
    ends = np.round(np.arange(len(frames) + 1) * 100 / fps).astype(int)
    durations = [int(each) * 10 for each in np.diff(ends)]
    durations[-1] += int(STILL * 1000)
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return buffer.getvalue()


def mp4(frames: Sequence[np.ndarray], fps: float) -> bytes:
    """An MP4 of pictures ``[H, W, 3]`` with even sides.

    Raises:
        InputError: where there is no ffmpeg, or it fails.
    """
    height, width = frames[0].shape[:2]
    still = [frames[-1]] * round(STILL * fps)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "film.mp4"
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", f"{fps:.6g}", "-i", "-"]
        how = ["-an", "-pix_fmt", "yuv420p", "-movflags", "+faststart", str(out)]
        command = [ffmpeg(), "-v", "error", "-y", *raw, *how]
        done = subprocess.run(command, input=b"".join(map(np.ndarray.tobytes, [*frames, *still])), capture_output=True)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or [f"exit code {done.returncode}"]
            raise InputError(f"ffmpeg makes no MP4 ({said[-1]}); take a .gif")
        return out.read_bytes()


def ffmpeg() -> str:
    """Where ffmpeg is: the system's, as matplotlib is told, or imageio-ffmpeg's.

    Raises:
        InputError: where there is none.
    """
    import matplotlib

    if found := shutil.which(matplotlib.rcParams["animation.ffmpeg_path"]):
        return found
    if installed("imageio_ffmpeg"):
        import imageio_ffmpeg  # pyright: ignore[reportMissingImports]

        return imageio_ffmpeg.get_ffmpeg_exe()
    raise InputError("an .mp4 needs ffmpeg, which is not found: pip install imageio-ffmpeg, or take a .gif")
