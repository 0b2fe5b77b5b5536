"""Conversion of decoded frames to RGB in the size that is wanted: by swscale, much smaller ones by a kernel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter


# How many times smaller in both directions, at least, a picture is that a kernel makes: below, swscale is as fast.
SMALL = 8
# Rows that are averaged, about, of luma and of each chroma, under a pixel of the result or of as many as of FEW rows:
# where there are two or more times as many some are left out, for reading them takes longer than adding them up.
ROWS, FEW = (3.0, 1.5, 1.5), 32
# Formats of three planes of bytes, and those among them whose range is full by their name.
PLANES = frozenset(("yuv420p", "yuv422p", "yuv440p", "yuv444p", "yuv411p", "yuv410p"))
FULL = frozenset(("yuvj420p", "yuvj422p", "yuvj440p", "yuvj444p", "yuvj411p"))
# Shares of red and blue in luma by H.273's number of a matrix; BT.601's for those that say nothing, as in swscale.
LUMA = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 7: (0.212, 0.087), 9: (0.2627, 0.0593), 10: (0.2627, 0.0593)}
BT601 = (0.299, 0.114)


class Scalers:
    """Converts frames to RGB, one scaler a size, safe to use from several threads."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], Scaler] = {}
        self._lock = threading.Lock()

    def of(self, frame: Any, rotation: int) -> Callable[[int, int], np.ndarray]:
        """Return what converts ``frame``, stored rotated by ``-rotation`` degrees, to (width, height) as displayed."""

        def convert(width: int, height: int) -> np.ndarray:
            stored = (height, width) if rotation % 180 else (width, height)
            scaler = self._made.get(stored)
            if scaler is None:
                with self._lock:
                    scaler = self._made.setdefault(stored, Scaler(*stored))
            image = scaler.rgb(frame)
            return np.rot90(image, k=-rotation // 90) if rotation else image

        return convert


class Scaler:
    """Converts frames to RGB in one size, averaging the pixels that fall together when it shrinks them.

    YUV shrinks as it is and becomes RGB after that: 0.9 ms from 1080p to 640 × 360 on one core where swscale's single
    step takes 2.0 ms (2.9 ms bilinear), and nearer to averaging the full RGB frame, by a mean of 0.65 levels against
    0.86 (1.36). RGB and what has alpha shrink faster in the single step. Measured: x86-64 with AVX-512, PyAV 18.1.
    Much smaller pictures are averaged by the kernel ``shrink_yuv``: nearer still, and faster for large frames.
    """

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._scale, self._convert = VideoReformatter(), VideoReformatter()
        self._lock = threading.Lock()

    def rgb(self, frame: Any) -> np.ndarray:
        """Return a PyAV video frame as (height, width, 3) uint8 RGB."""
        width, height = frame.width, frame.height
        if SMALL * self._width <= width and SMALL * self._height <= height:
            name = frame.format.name
            planes = _planes(frame, self._height) if name in PLANES or name in FULL else None
            if planes is not None:
                full = name in FULL or frame.color_range == 2
                return _kernel()(*planes, _matrix(int(frame.colorspace), full), self._height, self._width)
        shrinks = self._width * self._height < width * height
        # One thread: slices of several could differ at their seams, and the cores are the decoder's.
        how = {"interpolation": Interpolation.AREA if shrinks else Interpolation.BILINEAR, "threads": 1}
        with self._lock:
            if shrinks and _is_plain_yuv(frame.format):
                frame = self._scale.reformat(frame, self._width, self._height, **how)
            return self._convert.reformat(frame, self._width, self._height, format="rgb24", **how).to_ndarray()


@cache
def _kernel() -> Callable[..., np.ndarray]:
    """Return the kernel; it takes Numba, which few need here, and an import takes time even when it is done."""
    from vtk.kernels.shrink_yuv import shrink_yuv

    return shrink_yuv


def _is_plain_yuv(form: Any) -> bool:
    """Return whether a pixel format is planar YUV or grey, without alpha."""
    return (form.is_planar and not form.is_rgb and len(form.components) == 3) or form.name.startswith("gray")


def _planes(frame: Any, height: int) -> list[np.ndarray] | None:
    """Return three planes (H, W) uint8 of a frame to be shrunk to ``height``, or None where it is stored upside down."""
    found = []
    for plane, rows in zip(frame.planes, ROWS, strict=True):
        step, wide = plane.line_size, plane.width
        if step < wide:
            return None
        first, skip, count = _read(plane.height, rows, height)
        # One array made of the bytes, not views of views: that takes longer than a small plane takes to be averaged.
        found.append(np.ndarray((count, wide), np.uint8, plane, first * step, (skip * step, 1)))
    return found


@lru_cache(64)
def _read(tall: int, rows: float, height: int) -> tuple[int, int, int]:
    """Return the first of ``tall`` rows that is read, every how many one is, and how many are."""
    # Odd, so that what is read lies in the middle of what it stands for: with every other row all is half a row off.
    skip = int(tall / (rows * max(FEW, height)) / 2) * 2 + 1
    first = skip // 2
    return first, skip, -((first - tall) // skip)


@cache
def _matrix(colours: int, full: bool) -> np.ndarray:
    """Return what makes RGB of (Y, Cb, Cr, 1), (3, 4) float64, by H.273's number of the matrix and the range.

    Source: ITU-T H.273, equations 23 to 26 and 38 to 40.
    """
    red, blue = LUMA.get(colours, BT601)
    green = 1 - red - blue
    scale, black, span = (1.0, 0, 255) if full else (255 / 219, 16, 224)
    to_red, to_blue = 255 / span * 2 * (1 - red), 255 / span * 2 * (1 - blue)
    mix = np.array([[scale, 0, to_red], [scale, -to_blue * blue / green, -to_red * red / green], [scale, to_blue, 0]])
    return np.concatenate([mix, -(mix @ (black, 128, 128))[:, None]], axis=1)
