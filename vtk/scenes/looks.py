"""Small pictures of frames, and what is measured on each: how it differs from the one before, and what is in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from vtk.kernels.frame_signature import block_statistics, luminance_difference
from vtk.kernels.shot_change import shifted_likeness
from vtk.media.sampling import Size

SIDE = 32
LOOK = Size("exact", SIDE, SIDE)
BLOCK = 2
GRID = SIDE // BLOCK
# Rows and columns of blocks in the middle: even upright films between bars reach over these columns.
CORE = (slice(4, 12), slice(6, 10))
# Mean luminance, of 255, up to which a block at the edge counts as of a black bar: limited-range black with noise.
BAR = 24.0
# What each row or column counts in the bits of a look.
BITS = 1 << np.arange(GRID)
# Deviation of luminance, of 255, below which a picture shows nothing.
FLAT = 4.0
# Side of the pictures that are laid over each other, and of the middle of one that is looked for in the other: a
# camera that goes by up to an eighth of the picture is followed; or a quarter, in longer stretches.
OVERLAY, MIDDLE, SMALL_MIDDLE = 32, 24, 16


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A frame as it is remembered; equal to itself alone.

    Attributes:
        index: the frame's number.
        t: its second.
        image: (32, 32, 3) uint8 RGB.
        change: mean absolute difference of all channels from the look before, in [0, 255]; 0 for the first.
        blocks: (16, 16) float32, mean luminance of blocks of 2 × 2 pixels.
        spread: (16, 16) float32, variance of luminance within them.
        core: standard deviation of luminance in the middle of the picture, which no bars reach.
        rows, columns: those that are not all black, a bit for each, the first the lowest.
    """

    index: int
    t: float
    image: np.ndarray
    change: float
    blocks: np.ndarray
    spread: np.ndarray
    core: float
    rows: int
    columns: int


def shrink(image: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 as (32, 32, 3); as it is where it has that size."""
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image: got {image.dtype} {image.shape}, expected uint8 (H, W, 3)")
    if image.shape[:2] == (SIDE, SIDE):
        return image
    return cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def measure(frames: Sequence[tuple[int, float, np.ndarray]], before: np.ndarray | None) -> list[Look]:
    """Return looks of frames (index, t, image (32, 32, 3) uint8), ``before`` being the image before the first."""
    images = np.stack([before if before is not None else frames[0][2], *(image for _, _, image in frames)])
    # Channels as pixels side by side: what differs in colour alone counts too.
    plain = images.reshape(len(images), SIDE, 3 * SIDE, 1)
    changes = luminance_difference(plain[1:], plain[:-1], SIDE).mean(axis=(1, 2))
    statistics = block_statistics(images[1:], BLOCK)
    middles = statistics[:, CORE[0], CORE[1]]
    cores = np.sqrt(middles[..., 1].mean(axis=(1, 2)) + middles[..., 0].var(axis=(1, 2)))
    # Contiguous, for they are read many times.
    blocks, spreads = np.ascontiguousarray(statistics[..., 0]), np.ascontiguousarray(statistics[..., 1])
    bright = blocks > BAR
    rows, columns = bright.any(axis=2) @ BITS, bright.any(axis=1) @ BITS
    measured = zip(changes.tolist(), blocks, spreads, cores.tolist(), rows.tolist(), columns.tolist(), strict=True)
    return [Look(*frame, *each) for frame, each in zip(frames, measured, strict=True)]


Box = tuple[slice, slice]


def picture_area(looks: Sequence[Look]) -> Box:
    """Return the rows and columns of blocks that are not black in all of ``looks``; all where everything is black."""
    rows = columns = 0
    for look in looks:
        rows |= look.rows
        columns |= look.columns
    return _within(rows), _within(columns)


@lru_cache(maxsize=256)
def _within(bright: int) -> slice:
    """Return the range from the first to the last bright line; blocks that a bar cuts through are left out."""
    if not bright:
        return slice(0, GRID)
    start, end = (bright & -bright).bit_length() - 1, bright.bit_length()
    start, end = start + (start > 0), end - (end < GRID)
    return slice(start, end) if end - start > 2 else slice(0, GRID)


def deviations(looks: Sequence[Look], area: Box) -> np.ndarray:
    """Return the standard deviation of luminance (N,), of 255, within an area of each look."""
    spread = np.concatenate([look.spread for look in looks]).reshape(-1, GRID, GRID)[:, area[0], area[1]]
    return np.sqrt(pictures(looks, area).var(axis=1) + spread.mean(axis=(1, 2)))


def pictures(looks: Sequence[Look], area: Box) -> np.ndarray:
    """Return the mean luminance of the blocks of an area in each look, (N, blocks) float32."""
    blocks = np.concatenate([look.blocks for look in looks]).reshape(-1, GRID, GRID)
    return blocks[:, area[0], area[1]].reshape(len(looks), -1)


@dataclass(frozen=True, slots=True, eq=False)
class Overlay:
    """A picture to be laid over others: (32, 32, 3) uint8, and how far its values deviate, in all and in its middles.

    Attributes:
        middles: by the side of a middle, that part and how far its values deviate.
    """

    pixels: np.ndarray
    deviation: float
    middles: dict[int, tuple[np.ndarray, float]]

    def middle(self, side: int) -> tuple[np.ndarray, float]:
        """Return the middle (side, side, 3) and how far its values deviate; that is worked out once."""
        if side not in self.middles:
            edge = (OVERLAY - side) // 2
            part = self.pixels[edge : edge + side, edge : edge + side]
            self.middles[side] = part, _deviation(part)
        return self.middles[side]


def overlay(look: Look, area: Box) -> Overlay:
    """Return what is within an area, to be laid over another."""
    rows, columns = (slice(each.start * BLOCK, each.stop * BLOCK) for each in area)
    return small_overlay(look.image[rows, columns])


def small_overlay(image: np.ndarray) -> Overlay:
    """Return a picture (H, W, 3) uint8 as it is laid over another."""
    small = image if image.shape[:2] == (OVERLAY, OVERLAY) else cv2.resize(
        image, (OVERLAY, OVERLAY), interpolation=cv2.INTER_AREA)
    return Overlay(small, _deviation(small), {})


def likeness(one: Overlay, other: Overlay, middle: int = MIDDLE) -> float:
    """Return the highest correlation of two overlays, one shifted over the other; in [-1, 1].

    ``middle`` is the side of the part of the other that is shifted. Brightness and contrast do not matter. Flat
    pictures are alike by their level alone.

    Source: the kernel ``shifted_likeness``.
    """
    flat = one.deviation < FLAT, other.deviation < FLAT
    if any(flat):
        apart = float(cv2.absdiff(one.pixels, other.pixels).mean())
        return max(0.0, 1 - apart / 32) if all(flat) else 0.0
    part, deviation = other.middle(middle)
    if deviation < FLAT:
        return float(np.corrcoef(one.pixels.ravel(), other.pixels.ravel())[0, 1])
    return float(shifted_likeness(one.pixels[None], part[None])[0])


def _deviation(overlaid: np.ndarray) -> float:
    """Return the standard deviation of all values of an overlay (H, W, 3): OpenCV's takes a fifth of NumPy's time."""
    means, spreads = cv2.meanStdDev(overlaid)
    (red, green, blue), spread = means.ravel().tolist(), spreads.ravel()
    mean = (red + green + blue) / 3
    return math.sqrt(((red - mean) ** 2 + (green - mean) ** 2 + (blue - mean) ** 2 + float(spread @ spread)) / 3)
