"""Texts out of CoText's maps: kernels grown inside regions, and the rectangle of each."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vtk.errors import UsageError
from vtk.kernels.component_stats import component_stats
from vtk.kernels.dispatch import check_array
from vtk.kernels.pixel_aggregation import pixel_aggregation
from vtk.models.text_boxes import clockwise


@dataclass(frozen=True, slots=True)
class Growth:
    """Which texts count.

    Attributes:
        min_area: pixels of the input that a text must exceed.
        min_score: mean probability of its region that a text must exceed, in [0, 1].
        max_boxes: the most texts of a picture: those of the highest score.

    Source: Wu et al., CoText, 2022, as released: 100 pixels and 0.85.
    """

    min_area: float = 100.0
    min_score: float = 0.85
    max_boxes: int = 1000

    def __post_init__(self) -> None:
        if not 0 <= self.min_area < float("inf"):
            raise UsageError(f"least area of a text {self.min_area:g}: expected pixels, 0 or more")
        if not 0 <= self.min_score <= 1:
            raise UsageError(f"least score of a text {self.min_score:g}: expected a number from 0 to 1")
        if self.max_boxes < 1:
            raise UsageError(f"most texts of a picture {self.max_boxes}: expected 1 or more")


@dataclass(frozen=True, slots=True)
class Grown:
    """The texts of a picture's maps, best score first.

    Attributes:
        quads: (N, 4, 2) float32, x, y in pixels of the input, clockwise from the top left.
        scores: (N,) float32 in [0, 1].
        labels: (h, w) int32, the text that each cell belongs to, 0 for none.
        ids: (N,) int64, the label of each text.
        more: texts that are left out, since a picture has a bound.
    """

    quads: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    more: int


def grow(region: np.ndarray, kernel: np.ndarray, stride: int = 4, how: Growth = Growth()) -> Grown:
    """Return the texts of two maps: 4-connected kernels grown inside the region, and their least rectangles.

    Args:
        region: (h, w) float32, logits of being text.
        kernel: (h, w) float32, logits of being in the middle of one.
        stride: pixels of the input per cell.
        how: thresholds.

    Raises:
        ValueError: the maps are not float32 of one shape, or empty.

    Source: Wu et al., CoText, 2022, inference; the rectangle is measured on the map's cells, each of which is
    ``stride`` pixels wide, and not after the labels are enlarged.
    """
    check_array("region", region, ("h", "w"), ("float32",))
    check_array("kernel", kernel, region.shape, ("float32",))
    if not region.size:  # OpenCV's components would end the interpreter
        raise ValueError(f"region: got shape {region.shape}, expected at least one cell")
    inside = region > 0
    kernels = (inside & (kernel > 0)).astype(np.uint8)
    count, seeds = cv2.connectedComponents(kernels, connectivity=4, ltype=cv2.CV_32S)
    labels = pixel_aggregation(seeds, inside)
    # From 20 on the float32 nearest to the probability is 1; exp does not overflow.
    probability = (1 / (1 + np.exp(-np.clip(region, -80, 80)))).astype(np.float32)
    stats = component_stats(labels, probability, count - 1)
    scores = stats[:, 1] / stats[:, 0]  # a kernel lies inside the region, so that no label is empty
    rows = np.flatnonzero((stats[:, 0] * stride**2 > how.min_area) & (scores > how.min_score))
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    kept = rows[: how.max_boxes]
    return Grown(rectangles(stats[kept, 6:], stride), np.minimum(scores[kept], 1).astype(np.float32), labels,
                 kept.astype(np.int64) + 1, len(rows) - len(kept))


def rectangles(found: np.ndarray, stride: int) -> np.ndarray:
    """Return the corners (N, 4, 2) float32, clockwise from the top left, in pixels of the input.

    Args:
        found: (N, 5) centre x, y, width, height and angle in degrees, through the centres of the outermost cells; half
            a cell is added on each side.
        stride: pixels of the input per cell.
    """
    centre, sides, angle = found[:, None, :2] + 0.5, found[:, 2:4] + 1, np.radians(found[:, 4])
    across = np.stack([np.cos(angle), np.sin(angle)], axis=1) * sides[:, :1] / 2
    down = np.stack([-np.sin(angle), np.cos(angle)], axis=1) * sides[:, 1:] / 2
    corners = np.stack([-across - down, across - down, across + down, down - across], axis=1)
    return clockwise(((centre + corners) * stride).astype(np.float32))
