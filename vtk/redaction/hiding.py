"""Hides regions of a picture: filled, in blocks, or blurred."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from vtk.redaction.plan import Region

How = Literal["fill", "pixelate", "blur"]
HOWS: tuple[How, ...] = ("fill", "pixelate", "blur")
# Blocks on the longer side of what is hidden. A face of so few is not told from others by eye; a film gives many
# pictures of it, and a model that was trained on blocks may still match it (McPherson et al., Defeating Image
# Obfuscation with Deep Learning, 2016, section 5), which is why nothing but a fill is the default.
BLOCKS = 6
LEAST_BLOCK = 6  # pixels
LEAST_MARGIN = 2.0  # pixels: half a block of colour, which is stored for 2 × 2 pixels
FILL = (16, 16, 16)


def hidden(image: np.ndarray, regions: Sequence[Region], how: How, margin: float) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB with ``regions`` hidden; ``image`` stays as it is.

    Args:
        image: the picture.
        regions: what to hide.
        how: ``fill`` with one colour; ``pixelate`` and ``blur`` keep nothing finer than a sixth of the longer side of
            the region, or 6 pixels: the means of so many blocks, as squares or with smooth ways between them.
        margin: what a region is larger by on each side, as a share of its width and height.
    """
    painted = image.copy()
    height, width = image.shape[:2]
    for region in regions:
        area = box_of(region, margin, width, height)
        if area is None:
            continue
        x1, y1, x2, y2 = area
        inside = image[y1:y2, x1:x2]
        cover = np.full_like(inside, FILL) if how == "fill" else coarse(inside, how)
        mask = mask_of(region, area, margin)
        if mask is None:
            painted[y1:y2, x1:x2] = cover
        else:
            np.copyto(painted[y1:y2, x1:x2], cover, where=mask[..., None] > 0)
    return painted


def coarse(image: np.ndarray, how: How) -> np.ndarray:
    """Return a picture of the same size that holds the means of a few blocks and nothing else."""
    height, width = image.shape[:2]
    block = max(LEAST_BLOCK, max(height, width) / BLOCKS)
    few = cv2.resize(image, (max(1, int(width / block)), max(1, int(height / block))), interpolation=cv2.INTER_AREA)
    return cv2.resize(few, (width, height), interpolation=cv2.INTER_NEAREST if how == "pixelate" else cv2.INTER_LINEAR)


def box_of(region: Region, margin: float, width: int, height: int) -> tuple[int, int, int, int] | None:
    """Return x1, y1, x2, y2 in whole pixels of a region with its margin, inside the frame; None where it is outside."""
    x1, y1, x2, y2 = region.box
    wide, high = (max(LEAST_MARGIN, margin * (x2 - x1)), max(LEAST_MARGIN, margin * (y2 - y1)))
    if region.outline is not None:
        wide = high = outline_margin(region, margin)
    left, top = max(0, int(np.floor(x1 - wide))), max(0, int(np.floor(y1 - high)))
    right, bottom = min(width, int(np.ceil(x2 + wide))), min(height, int(np.ceil(y2 + high)))
    return (left, top, right, bottom) if left < right and top < bottom else None


def outline_margin(region: Region, margin: float) -> float:
    """Return pixels that an outline is larger by: a share of its shorter side, the height of a line of text."""
    shorter = min(cv2.minAreaRect(np.asarray(region.outline, np.float32))[1])
    return max(LEAST_MARGIN, margin * float(shorter))


def mask_of(region: Region, area: tuple[int, int, int, int], margin: float) -> np.ndarray | None:
    """Return (h, w) uint8 of ``area``, 1 inside the region's outline and its margin; None where all of it is."""
    if region.outline is None:
        return None
    x1, y1, x2, y2 = area
    mask = np.zeros((y2 - y1, x2 - x1), np.uint8)
    corners = np.round(np.asarray(region.outline, np.float64) - (x1, y1)).astype(np.int32)
    cv2.fillPoly(mask, [corners], 1)
    thick = int(np.ceil(2 * outline_margin(region, margin))) + 1
    cv2.polylines(mask, [corners], True, 1, thick)
    return mask
