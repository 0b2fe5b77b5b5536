"""Small clips made on the spot: a bright square that moves over a still, textured background."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

SQUARE = 24


def square_at(index: int, width: int, height: int) -> tuple[int, int, int, int]:
    """Return the square's box in frame ``index``, [x1, y1, x2, y2) in pixels."""
    x = 8 + 3 * index % (width - SQUARE - 16)
    y = height // 2 - SQUARE // 2
    return x, y, x + SQUARE, y + SQUARE


def frame_at(index: int, width: int, height: int) -> np.ndarray:
    """Return frame ``index``, (height, width, 3) uint8 RGB."""
    image = np.random.default_rng(7).integers(60, 90, (height, width, 3), dtype=np.uint8)
    x1, y1, x2, y2 = square_at(index, width, height)
    if index >= 4:  # the first frames show the background alone
        image[y1:y2, x1:x2] = (250, 240, 230)
    return image


def make_clip(path: Path | str, frames: int = 24, width: int = 192, height: int = 128, fps: int = 12) -> Path:
    """Write an H.264 clip and return its path."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "12"}
        for index in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame_at(index, width, height), "rgb24")))
        container.mux(stream.encode())
    return Path(path)
