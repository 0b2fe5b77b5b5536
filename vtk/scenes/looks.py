"""Small pictures of frames, and what is measured on each: how it differs from the one before, and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vtk.kernels.frame_signature import block_statistics, luminance_difference
from vtk.media.sampling import Size

SIDE = 64
LOOK = Size("exact", SIDE, SIDE)
BLOCK = 4
GRID = SIDE // BLOCK
# Rows and columns of blocks in the middle: even upright films between bars reach over these columns.
CORE = (slice(4, 12), slice(6, 10))
# Mean luminance, of 255, up to which a block at the edge counts as of a black bar: limited-range black with noise.
BAR = 24.0
# Deviation of luminance, of 255, below which a picture shows nothing.
FLAT = 4.0
# Side of the pictures that are laid over each other, and of the middle of one that is looked for in the other: a
# camera that goes by up to an eighth of the picture is followed; or a quarter, in longer stretches.
OVERLAY, MIDDLE, SMALL_MIDDLE = 32, 24, 16


@dataclass(frozen=True, slots=True)
class Look:
    """A frame as it is remembered.

    Attributes:
        index: the frame's number.
        t: its second.
        image: (64, 64, 3) uint8 RGB.
        change: mean absolute difference of all channels from the look before, in [0, 255]; 0 for the first.
        blocks: (16, 16) float32, mean luminance of blocks of 4 × 4 pixels.
        spread: (16, 16) float32, variance of luminance within them.
        core: standard deviation of luminance in the middle of the picture, which no bars reach.
    """

    index: int
    t: float
    image: np.ndarray
    change: float
    blocks: np.ndarray
    spread: np.ndarray
    core: float


def shrink(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 as (64, 64, 3); as it is where it has that size."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image: got {image.dtype} {image.shape}, expected uint8 (H, W, 3)")
    if image.shape[:2] == (SIDE, SIDE):
        return image
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def measure(frames: Sequence[tuple[int, float, np.ndarray]], before: np.ndarray | None) -> list[Look]:
    """Return looks of frames (index, t, image (64, 64, 3) uint8), ``before`` being the image before the first."""
    images = np.stack([before if before is not None else frames[0][2], *(image for _, _, image in frames)])
    # Channels as pixels side by side: what differs in colour alone counts too.
    plain = images.reshape(len(images), SIDE, 3 * SIDE, 1)
    changes = luminance_difference(plain[1:], plain[:-1], SIDE).mean(axis=(1, 2))
    statistics = block_statistics(images[1:], BLOCK)
    middles = statistics[:, CORE[0], CORE[1]]
    cores = np.sqrt(middles[..., 1].mean(axis=(1, 2)) + middles[..., 0].var(axis=(1, 2)))
    return [Look(index, t, image, float(change), each[..., 0], each[..., 1], float(core))
            for (index, t, image), change, each, core in zip(frames, changes, statistics, cores, strict=True)]


Box = tuple[slice, slice]


def picture_area(looks: Sequence[Look]) -> Box:
    """Return the rows and columns of blocks that are not black in all of ``looks``; all where everything is black."""
    bright = looks[0].blocks > BAR
    for look in looks[1:]:
        bright |= look.blocks > BAR
    return _within(bright.any(axis=1)), _within(bright.any(axis=0))


def _within(bright: np.ndarray) -> slice:
    """Return the range from the first to the last bright line; blocks that a bar cuts through are left out."""
    places = np.flatnonzero(bright)
    if not len(places):
        return slice(0, GRID)
    start, end = int(places[0]), int(places[-1]) + 1
    start, end = start + (start > 0), end - (end < GRID)
    return slice(start, end) if end - start > 2 else slice(0, GRID)


def deviations(looks: Sequence[Look], area: Box) -> np.ndarray:
    """Return the standard deviation of luminance (N,), of 255, within an area of each look."""
    blocks, spread = (np.stack([each[area] for each in kind]).reshape(len(looks), -1)
                      for kind in ([look.blocks for look in looks], [look.spread for look in looks]))
    return np.sqrt(blocks.var(axis=1) + spread.mean(axis=1))


def overlay(look: Look, area: Box) -> np.ndarray:
    """Return what is within an area as (32, 32, 3) float32, to be laid over another."""
    rows, columns = (slice(each.start * BLOCK, each.stop * BLOCK) for each in area)
    return cv2.resize(look.image[rows, columns], (OVERLAY, OVERLAY), interpolation=cv2.INTER_AREA).astype(np.float32)


def likeness(one: np.ndarray, other: np.ndarray, middle: int = MIDDLE) -> float:
    """Return the highest correlation of two overlays, one shifted over the other; in [-1, 1].

    ``middle`` is the side of the part of the other that is shifted. Brightness and contrast do not matter. Flat pictures are alike by their level alone.

    Source: normalised cross-correlation, as ``cv2.matchTemplate`` has it.
    """
    flat = [float(each.std()) < FLAT for each in (one, other)]
    if any(flat):
        apart = float(np.abs(one - other).mean())
        return max(0.0, 1 - apart / 32) if all(flat) else 0.0
    edge = (OVERLAY - middle) // 2
    part = other[edge : edge + middle, edge : edge + middle]
    if float(part.std()) < FLAT:
        return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])
    return float(cv2.matchTemplate(one, part, cv2.TM_CCOEFF_NORMED).max())
