"""Boxes of text: quadrilaterals out of a probability map, and upright crops of them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vtk.kernels.component_stats import COLUMNS, component_stats

# What of a component's numbers is used.
AREA, SCORE_SUM, WIDTH, ACROSS, ANGLE = map(COLUMNS.index, ("area", "score_sum", "width", "height", "angle"))
CENTRE = [COLUMNS.index("centre_x"), COLUMNS.index("centre_y")]

MIN_SIDE = 3  # pixels of the map, before a rectangle grows: DBPostProcess of PaddleOCR
VERTICAL = 1.5  # a box this many times as high as wide is vertical text: get_rotate_crop_image of PaddleOCR
HEIGHT = 48  # of the reader's input, in pixels
LEAST_FILLED = 0.2  # share of its rectangle that a component fills: the frame around a sign is no text
MAX_ASPECT = 64  # a longer crop is squeezed to this width over height: 3072 pixels, some 200 letters

# Share of a line's height that a crop has more at its start and at its end: letters there are read better. It was
# chosen, with the sampling of crops, on the ten pictures that the benchmark of spotters also reports.
MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Db:
    """How boxes come out of a probability map.

    Attributes:
        threshold: a pixel above it is text.
        min_score: the least mean probability of a component.
        unclip: a rectangle grows on each side by its area * ``unclip`` / its perimeter.
        dilate: join components that are one pixel apart, as rapidocr does and PaddleOCR does not.
        max_boxes: the most components that are looked at: those of the highest mean probability.

    Source: PP-OCRv6_small_det.yml of PaddleOCR, section PostProcess; the mean is that of its score_mode "slow".
    """

    threshold: float = 0.3
    min_score: float = 0.6
    unclip: float = 1.5
    dilate: bool = False
    max_boxes: int = 1000


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Rotated rectangles in pixels of a map, and the mean probability of what they were drawn around, best first.

    Attributes:
        quads: (N, 4, 2) float32 corners x, y, clockwise from the top left.
        scores: (N,) float32 in [0, 1].
        more: components that may be text and were not looked at, for there were more than ``Db.max_boxes``.
    """

    quads: np.ndarray
    scores: np.ndarray
    more: int = 0

    def __len__(self) -> int:
        """Return the number of rectangles."""
        return len(self.scores)


def find_boxes(probability: np.ndarray, how: Db = Db()) -> Rectangles:
    """Return the boxes of text of a probability map: components, scored, and their rectangles, grown back.

    Args:
        probability: (H, W) float32 in [0, 1].
        how: thresholds and bounds.

    Source: DB (Liao et al., AAAI 2020), section 3.5. One pass over all components: faster than a contour, a rectangle
    and a filled mask for each one on pages of many lines, 0.1 ms slower on a sign of a few words.
    """
    mask = (probability > how.threshold).astype(np.uint8)
    if how.dilate:
        mask = cv2.dilate(mask, np.ones((2, 2), np.uint8))
    count, labels = cv2.connectedComponents(mask, connectivity=8)
    stats = component_stats(labels, probability, count - 1)
    scores = stats[:, SCORE_SUM] / np.maximum(stats[:, AREA], 1)
    width, height = stats[:, WIDTH], stats[:, ACROSS]
    rows = np.flatnonzero((scores >= how.min_score) & (np.minimum(width, height) >= MIN_SIDE)
                          & (stats[:, AREA] >= LEAST_FILLED * width * height))
    rows = rows[np.argsort(-scores[rows], kind="stable")]
    more = max(0, len(rows) - how.max_boxes)
    rows = rows[: how.max_boxes]
    kept = stats[rows]
    width, height = grow(kept[:, WIDTH], kept[:, ACROSS], how.unclip)
    quads = clockwise(rectangles(kept[:, CENTRE], width, height, kept[:, ANGLE]))
    return Rectangles(quads, scores[rows].clip(0, 1).astype(np.float32), more)


def grow(width: np.ndarray, height: np.ndarray, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the sides (N,) of rectangles grown on each side by area * ``ratio`` / perimeter.

    Source: DB, section 3.5, the offset of Vatti clipping; of a rectangle it has this closed form.
    """
    offset = width * height * ratio / np.maximum(2 * (width + height), 1e-12)
    return width + 2 * offset, height + 2 * offset


def rectangles(centre: np.ndarray, width: np.ndarray, height: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Return the corners (N, 4, 2) float32 of rectangles: centre (N, 2), sides (N,), angle (N,) in degrees."""
    along = np.stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))], axis=1)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    u, v = along * width[:, None] / 2, across * height[:, None] / 2
    return np.stack([centre - u - v, centre + u - v, centre + u + v, centre - u + v], axis=1).astype(np.float32)


def clockwise(quads: np.ndarray) -> np.ndarray:
    """Return (N, 4, 2) corners of rectangles in any order as clockwise from the top left, y down."""
    if len(quads) == 0:
        return quads
    byx = np.take_along_axis(quads, np.argsort(quads[:, :, 0], axis=1, kind="stable")[:, :, None], axis=1)
    left, right = byx[:, :2], byx[:, 2:]
    left = np.take_along_axis(left, np.argsort(left[:, :, 1], axis=1, kind="stable")[:, :, None], axis=1)
    right = np.take_along_axis(right, np.argsort(right[:, :, 1], axis=1, kind="stable")[:, :, None], axis=1)
    return np.ascontiguousarray(np.stack([left[:, 0], right[:, 0], right[:, 1], left[:, 1]], axis=1))


def sides(quad: np.ndarray) -> tuple[float, float]:
    """Return (width, height) in pixels of a quad (4, 2): the longer of each two opposite sides."""
    across = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
    return float(max(across[0], across[2])), float(max(across[1], across[3]))


def crop_quad(image: np.ndarray, quad: np.ndarray, height: int = HEIGHT) -> np.ndarray:
    """Return the upright crop (height, w, 3) uint8 of ``quad``; vertical text is turned to the left.

    It reaches MARGIN beyond the quad on both ends. It is sampled at its own size and then resized, averaged where it
    shrinks, as what the reader was trained on.

    Args:
        image: (H, W, 3) uint8.
        quad: (4, 2) x, y in pixels of the image, clockwise from the top left.
        height: of the crop, in pixels.

    Raises:
        ValueError: an argument has another shape or dtype, or a corner is not finite.
    """
    quad = np.asarray(quad, np.float32)
    if quad.shape != (4, 2) or not np.isfinite(quad).all():
        raise ValueError(f"quad: got {quad.tolist()}, expected 4 finite corners x, y")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"image: got {image.shape} {image.dtype}, expected (H, W, 3) uint8")
    across, down = sides(quad)
    if down >= VERTICAL * across:
        quad, across, down = np.roll(quad, -1, axis=0), down, across
    across, down = max(across, 1.0), max(down, 1.0)
    step = MARGIN * down / across
    top, bottom = (quad[1] - quad[0]) * step, (quad[2] - quad[3]) * step
    quad = quad + np.stack([-top, top, bottom, -bottom])
    across += 2 * MARGIN * down
    width = max(1, min(round(across * height / down), MAX_ASPECT * height))
    # Of what is larger than the crop four times its size is enough to be averaged.
    own = max(1, min(round(across), 4 * width)), max(1, min(round(down), 4 * height))
    target = np.array([[0, 0], [own[0], 0], own, [0, own[1]]], np.float32)
    crop = cv2.warpPerspective(image, cv2.getPerspectiveTransform(quad, target), own, flags=cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)
    shrinks = own[1] > 2 * height
    return cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
