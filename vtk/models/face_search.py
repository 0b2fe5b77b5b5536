"""Faces inside regions of a picture, such as the boxes of people: the detector looks at each region enlarged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.models.detector import Boxes, Detect
from vtk.models.tiling import crop, merge, windows

GROWN = 0.1  # of a region's sides, at each: a person's box often ends within the hair
IOU = 0.3  # of two faces the makers of the detectors let overlap no more
CHUNK = 16  # pictures a call: what the detector prepares stays within some ten megabytes


def find_in(detect: Detect, image: np.ndarray, regions: np.ndarray) -> list[Boxes]:
    """Return the faces in each of ``regions``, in pixels of ``image``, best score first.

    Each region, a little grown, is looked at as a whole and, where it is long, in squares as wide as its short side:
    a standing person's face is a small part of the box, and a canvas of another shape would squash it. A face counts
    where its centre lies in the region; one in two regions is given in both.

    Args:
        detect: of a detector that keeps nothing of a source, as the networks do.
        image: (H, W, 3) uint8 RGB.
        regions: (N, 4) x1, y1, x2, y2 in pixels; they may reach beyond the picture.

    Raises:
        ValueError: ``regions`` is not (N, 4).
    """
    regions = np.asarray(regions, np.float64)
    if regions.ndim != 2 or regions.shape[1] != 4:
        raise ValueError(f"regions: got the shape {regions.shape}, expected (N, 4)")
    grown = [_grown(region, image.shape[1], image.shape[0]) for region in regions]
    cuts = [_cut(region) for region in grown]
    pictures = [crop(image, window) for cut in cuts for window in cut]
    parts = [pictures[start : start + CHUNK] for start in range(0, len(pictures), CHUNK)]
    found = iter([boxes for part in parts for boxes in detect(part)])
    return [_inside([next(found) for _ in cut], cut, region) for cut, region in zip(cuts, regions, strict=True)]


def _grown(region: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return (4,) int64, the region grown and cut to the picture; without area where it lies beside it."""
    margin = np.tile((region[2:] - region[:2]) * GROWN, 2) * [-1, -1, 1, 1]
    low, high = np.floor(region + margin), np.ceil(region + margin)
    return np.clip([*low[:2], *high[2:]], 0, [width, height, width, height]).astype(np.int64)


def _cut(region: np.ndarray) -> np.ndarray:
    """Return (K, 4) int64, what is looked at of a region, in pixels of the picture: itself first."""
    width, height = region[2:] - region[:2]
    if width <= 0 or height <= 0:
        return np.empty((0, 4), np.int64)
    return windows(width, height, min(width, height)) + np.tile(region[:2], 2)


def _inside(found: Sequence[Boxes], cut: np.ndarray, region: np.ndarray) -> Boxes:
    """Return what was found in the windows ``cut`` of a region and has its centre in it."""
    if not len(cut):
        return Boxes(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
    boxes = merge(found, cut, IOU)
    centre = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
    return boxes.taken(((centre >= region[:2]) & (centre <= region[2:])).all(axis=1))
