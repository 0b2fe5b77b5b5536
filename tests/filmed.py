"""Films of made-up scenes, any second of which can be shown again: copies whose times are known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from vtk.media.writer import VideoWriter

WIDTH, HEIGHT, SCENE = 128, 72, 4.0


class Part(NamedTuple):
    """Seconds of a film that are shown.

    Attributes:
        film: its number; None is black.
        start, end: seconds of it.
        speed: its seconds a second.
        hflip: whether it is shown mirrored.
    """

    film: int | None
    start: float
    end: float
    speed: float = 1.0
    hflip: bool = False


def picture(film: int | None, t: float) -> np.ndarray:
    """Return what a film shows at ``t`` seconds, (72, 128, 3) uint8 RGB: a scene of four seconds, panned slowly."""
    if film is None:
        return np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    scene, within = divmod(t + 1e-9, SCENE)
    coarse = np.random.default_rng([film, int(scene)]).integers(20, 236, (7, 15, 3)).astype(np.uint8)
    wide = cv2.resize(coarse, (WIDTH * 3 // 2, HEIGHT), interpolation=cv2.INTER_CUBIC)
    left = within / SCENE * (wide.shape[1] - WIDTH)
    shift = np.array([[1, 0, -left], [0, 1, 0]], np.float32)
    return cv2.warpAffine(wide, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def film(path: Path, parts: Sequence[Part], fps: float = 10.0) -> Path:
    """Write a video of ``parts``, one after the other, and return its path."""
    number = 0
    with VideoWriter(path, WIDTH, HEIGHT, fps, crf=18, preset="ultrafast") as writer:
        for part in parts:
            for index in range(round((part.end - part.start) / part.speed * fps)):
                image = picture(part.film, part.start + index * part.speed / fps)
                image = np.ascontiguousarray(image[:, ::-1]) if part.hflip else image
                writer.write(image, number / fps)
                number += 1
    return path
