"""Conversion of decoded frames to RGB in the size that is wanted, by swscale."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter


class Scalers:
    """Converts frames to RGB by swscale, one scaler a size, safe to use from several threads."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], Scaler] = {}
        self._lock = threading.Lock()

    def of(self, frame: Any, rotation: int) -> Callable[[int, int], np.ndarray]:
        """Return what converts ``frame``, stored rotated by ``-rotation`` degrees, to (width, height) as displayed."""

        def convert(width: int, height: int) -> np.ndarray:
            stored = (height, width) if rotation % 180 else (width, height)
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
    """

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._scale, self._convert = VideoReformatter(), VideoReformatter()
        self._lock = threading.Lock()

    def rgb(self, frame: Any) -> np.ndarray:
        """Return a PyAV video frame as (height, width, 3) uint8 RGB."""
        shrinks = self._width * self._height < frame.width * frame.height
        # One thread: slices of several could differ at their seams, and the cores are the decoder's.
        how = {"interpolation": Interpolation.AREA if shrinks else Interpolation.BILINEAR, "threads": 1}
        with self._lock:
            if shrinks and _is_plain_yuv(frame.format):
                frame = self._scale.reformat(frame, self._width, self._height, **how)
            return self._convert.reformat(frame, self._width, self._height, format="rgb24", **how).to_ndarray()


def _is_plain_yuv(form: Any) -> bool:
    """Return whether a pixel format is planar YUV or grey, without alpha."""
    return (form.is_planar and not form.is_rgb and len(form.components) == 3) or form.name.startswith("gray")
