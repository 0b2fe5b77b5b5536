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
        self._made: dict[tuple[int, int], tuple[threading.Lock, VideoReformatter]] = {}
        self._lock = threading.Lock()

    def of(self, frame: Any, rotation: int) -> Callable[[int, int], np.ndarray]:
        """Return what converts ``frame``, stored rotated by ``-rotation`` degrees, to (width, height) as displayed."""

        def convert(width: int, height: int) -> np.ndarray:
            stored = (height, width) if rotation % 180 else (width, height)
            with self._lock:
                lock, scaler = self._made.setdefault(stored, (threading.Lock(), VideoReformatter()))
            with lock:
                rgb = scaler.reformat(frame, *stored, format="rgb24", interpolation=Interpolation.BILINEAR, threads=1)
                image = rgb.to_ndarray()
            return np.rot90(image, k=-rotation // 90) if rotation else image

        return convert
