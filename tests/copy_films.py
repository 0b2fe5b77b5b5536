"""Films for tests of copies, made on the spot: cameras that go over landscapes of blots, shot after shot."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from vtk.copies.matches import Match

FPS, WIDTH, HEIGHT = 12.5, 128, 72
SHOT = 4.0  # seconds


def shot(seed: int, start: float, seconds: float) -> list[np.ndarray]:
    """Return pictures of a camera that goes over a landscape of blots, from its second ``start`` on."""
    blots = np.random.default_rng(seed).normal(size=(9, 16, 3)).astype(np.float32)
    land = cv2.resize(blots, (WIDTH * 3, HEIGHT * 2), interpolation=cv2.INTER_CUBIC)
    land = np.clip(128 + 60 * land, 0, 255).astype(np.uint8)
    lefts = (np.arange(round(start * FPS), round((start + seconds) * FPS)) / (SHOT * FPS) * WIDTH / 3).astype(int)
    return [land[HEIGHT // 2 : HEIGHT // 2 + HEIGHT, left : left + WIDTH] for left in lefts]


def write(path: Path, pictures: list[np.ndarray], mirrored: bool = False,
          group: int = round(SHOT * FPS)) -> Path:
    """Write a film that has a key frame every ``group`` frames, at cuts or not."""
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "superfast", "x264-params": f"keyint={group}:min-keyint={group}:scenecut=0"}
        for picture in pictures:
            picture = np.ascontiguousarray(picture[:, ::-1]) if mirrored else picture
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


def shots(seeds: range) -> list[np.ndarray]:
    return [picture for seed in seeds for picture in shot(seed, 0.0, SHOT)]


def near(match: Match, start: float, end: float, ref_start: float, ref_end: float, within: float) -> bool:
    return max(abs(match.start - start), abs(match.end - end), abs(match.ref_start - ref_start),
               abs(match.ref_end - ref_end)) <= within  # fmt: skip
