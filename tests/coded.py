"""Clips whose every frame says which clip and which frame it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vtk.media.writer import VideoWriter

WIDTH, HEIGHT, BLOCK = 96, 64, 8


def coded(clip: int, index: int) -> np.ndarray:
    """Return frame ``index`` of clip number ``clip``, (64, 96, 3) uint8 RGB: black and white blocks of 8 pixels."""
    blocks = np.random.default_rng([clip, index]).integers(0, 2, (HEIGHT // BLOCK, WIDTH // BLOCK, 1)) * 150 + 50
    return np.repeat(np.repeat(blocks, BLOCK, 0), BLOCK, 1).repeat(3, 2).astype(np.uint8)


def code_clip(path: Path, clip: int, frames: int, fps: float, first: float = 0.0) -> Path:
    """Write a clip of coded frames, the first of them at ``first`` seconds, and return its path."""
    with VideoWriter(path, WIDTH, HEIGHT, fps, crf=14, preset="ultrafast") as writer:
        for index in range(frames):
            writer.write(coded(clip, index), first + index / fps)
    return path
