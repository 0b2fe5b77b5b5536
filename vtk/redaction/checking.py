"""Looks at what was written beside its source, frame by frame: is all hidden, and is the rest as it was?

Two things are measured in each region to be hidden. *What survives* is how much of the source's detail, finer than a
block, is in the output: the regression of one on the other, 1 where nothing was hidden, near 0 where all was. It says
nothing of how the hiding was done, and so finds what a wrong plan, a frame put in the wrong place or a region left out
would show. *How plain it is*, of fills, is how far pixels are from the fill's colour: a fill holds nothing at all.
Outside all regions the picture has to be the source's as far as the encoder's quantiser lets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vtk.redaction.hiding import BLOCKS, FILL, LEAST_BLOCK, How, box_of, mask_of
from vtk.redaction.plan import Region

# Share of the source's detail in the output from which on a region counts as shown. Between what was measured of
# hidden regions and of shown ones: python -m vtk.redaction.bench.
SURVIVES = 0.35
NOISE = 4.0  # grey levels: detail this weak is what encoding makes of a plain area, and is not told from none
# Pixels around regions that are left out of the comparison of the rest: a macroblock, over which encoders spread.
SPREAD = 16
_EDGE = 3  # pixels inside a region that codecs mix with what is beside it: 4:2:0 and the deblocking filter


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a look at one frame found.

    Attributes:
        survives: the largest share of detail that is left in a region.
        stain: the largest mean distance of a filled region from the fill's colour, in grey levels.
        likeness: of the rest with the source, dB; 100 where it is equal or there is no rest.
    """

    survives: float
    stain: float
    likeness: float


def bounds(crf: int | None) -> tuple[float, float]:
    """Return (least likeness in dB, most mean stain in grey levels) of what is written at ``crf``; None is a JPEG's.

    H.264 doubles its quantiser's step every 6 (Source: ITU-T H.264, 8.5.9: a step of 1 at 4), and adaptive quantisers
    go some 10 above the rate factor where it shows least. A coefficient is off by half a step, or whole where it is
    put to 0: at worst a mean square of a third of the step's square.
    """
    step = 2 ** (((crf if crf is not None else 24) + 10 - 4) / 6)
    return 10 * float(np.log10(255**2 / (step**2 / 3))), max(4.0, step / 3)


def look(source: np.ndarray, made: np.ndarray, regions: Sequence[Region], how: How, margin: float) -> Verdict:
    """Return what is left of ``source`` in ``made``, both (H, W, 3) uint8 RGB."""
    height, width = source.shape[:2]
    before, after = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (source, made))
    rest = np.full((height, width), 255, np.uint8)
    survives, stain = 0.0, 0.0
    for region in regions:
        area = box_of(region, margin, width, height)
        if area is None:
            continue
        x1, y1, x2, y2 = area
        rest[max(0, y1 - SPREAD) : y2 + SPREAD, max(0, x1 - SPREAD) : x2 + SPREAD] = 0
        mask = mask_of(region, area, margin)
        inner = _inside(mask, area, width, height)
        survives = max(survives, survival(before[y1:y2, x1:x2], after[y1:y2, x1:x2], inner))
        if how == "fill" and inner.any():
            stain = max(stain, float(np.abs(after[y1:y2, x1:x2][inner].astype(np.float32) - FILL[0]).mean()))
    return Verdict(survives, stain, _likeness(before, after, rest))


def survival(source: np.ndarray, made: np.ndarray, inside: np.ndarray) -> float:
    """Return the share of a region's detail that is left, from (h, w) uint8 grey and (h, w) bool of what counts."""
    if not inside.any():
        return 0.0
    finest = max(LEAST_BLOCK, max(source.shape) / BLOCKS) / 2
    theirs, mine = (_detail(image, finest)[inside] for image in (source, made))
    return float((theirs * mine).sum() / ((theirs * theirs).sum() + NOISE**2 * theirs.size))


def _detail(image: np.ndarray, finest: float) -> np.ndarray:
    """Return what is left of a picture without all that is coarser than ``finest`` pixels."""
    grey = image.astype(np.float32)
    return grey - cv2.GaussianBlur(grey, (0, 0), finest / 2, borderType=cv2.BORDER_REFLECT)


def _inside(mask: np.ndarray | None, area: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    """Return (h, w) bool of what lies inside a region and is not mixed with what is beside it."""
    x1, y1, x2, y2 = area
    covered = np.pad(mask if mask is not None else np.ones((y2 - y1, x2 - x1), np.uint8), 1)
    # The frame's border is no edge of a region: nothing is beside it.
    for side, at_border in zip((np.s_[:, 0], np.s_[0, :], np.s_[:, -1], np.s_[-1, :]),
                               (x1 == 0, y1 == 0, x2 == width, y2 == height), strict=True):
        covered[side] = at_border
    shrunk = cv2.erode(covered, np.ones((2 * _EDGE + 1, 2 * _EDGE + 1), np.uint8), borderType=cv2.BORDER_CONSTANT,
                       borderValue=1)
    return shrunk[1:-1, 1:-1] > 0


def _likeness(before: np.ndarray, after: np.ndarray, rest: np.ndarray) -> float:
    """Return the peak signal-to-noise ratio in dB where ``rest`` is set."""
    count = cv2.countNonZero(rest)
    if not count:
        return 100.0
    error = cv2.norm(before, after, cv2.NORM_L2SQR, rest) / count
    return min(100.0, 10 * float(np.log10(255**2 / error))) if error else 100.0
