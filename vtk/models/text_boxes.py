"""Boxes of text: quadrilaterals out of a probability map, and upright crops of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

MIN_SIDE = 3  # pixels of the map, before a rectangle grows; 2 more after: DBPostProcess of PaddleOCR
VERTICAL = 1.5  # a box this many times as high as wide is vertical text: get_rotate_crop_image of PaddleOCR
HEIGHT = 48  # of the reader's input, in pixels
MAX_ASPECT = 64  # a longer crop is squeezed to this width over height: 3072 pixels, some 200 letters


@dataclass(frozen=True, slots=True)
class Db:
    """How boxes come out of a probability map.

    Attributes:
        threshold: a pixel above it is text.
        min_score: the least mean probability inside a rectangle, before it grows.
        unclip: a rectangle grows on each side by its area * ``unclip`` / its perimeter.
        dilate: join components that are one pixel apart, as rapidocr does and PaddleOCR does not.
        max_boxes: the most components that are looked at: those of the highest mean probability.

    Source: PP-OCRv6_small_det.yml of PaddleOCR, section PostProcess.
    """

    threshold: float = 0.3
    min_score: float = 0.6
    unclip: float = 1.5
    dilate: bool = False
    max_boxes: int = 1000


@dataclass(frozen=True, slots=True)
class Rectangles:
    """Rotated rectangles in pixels of a map, and the mean probability inside, best first.

    Attributes:
        quads: (N, 4, 2) float32 corners x, y, clockwise from the top left.
        scores: (N,) float32 in [0, 1].
    """

    quads: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        """Return the number of rectangles."""
        return len(self.scores)


def find_boxes(probability: np.ndarray, how: Db = Db()) -> Rectangles:
    """Return the boxes of text of a probability map: components, their rectangles, scored and grown back.

    Args:
        probability: (H, W) float32 in [0, 1].
        how: thresholds and bounds.

    Source: DB (Liao et al., AAAI 2020), section 3.5.
    """
    mask = (probability > how.threshold).astype(np.uint8)
    if how.dilate:
        mask = cv2.dilate(mask, np.ones((2, 2), np.uint8))
    quads, scores = [], []
    for points in components(mask, probability, how.max_boxes):
        rectangle = cv2.minAreaRect(points)
        if min(rectangle[1]) < MIN_SIDE:
            continue
        corners = cv2.boxPoints(rectangle)
        score = mean_inside(probability, corners)
        grown = grow(rectangle, how.unclip)
        if score >= how.min_score and min(grown[1]) >= MIN_SIDE + 2:
            quads.append(cv2.boxPoints(grown))
            scores.append(score)
    order = np.argsort(-np.array(scores), kind="stable")
    found = clockwise(np.array(quads, np.float32).reshape(-1, 4, 2)[order])
    return Rectangles(found, np.array(scores, np.float32)[order])


def components(mask: np.ndarray, probability: np.ndarray, most: int) -> list[np.ndarray]:
    """Return the outline, (P, 1, 2) int32 x, y, of each 8-connected component, at most ``most``, of the best mean.

    Args:
        mask: (H, W) uint8, 0 outside.
        probability: (H, W) float32, whose mean over a component ranks it.
    """
    outlines, tree = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [outline for outline, links in zip(outlines, tree[0], strict=True) if links[3] < 0] if outlines else []
    if len(outer) <= most:
        return outer
    _, labels = cv2.connectedComponents(mask, connectivity=8)
    sums = np.bincount(labels.ravel(), weights=probability.ravel())
    means = sums / np.maximum(np.bincount(labels.ravel()), 1)
    firsts = np.array([outline[0, 0] for outline in outer])
    rank = np.argsort(-means[labels[firsts[:, 1], firsts[:, 0]]], kind="stable")[:most]
    return [outer[index] for index in np.sort(rank)]


def mean_inside(probability: np.ndarray, corners: np.ndarray) -> float:
    """Return the mean of ``probability`` (H, W) inside ``corners`` (4, 2), x, y in pixels."""
    height, width = probability.shape
    low = np.clip(np.floor(corners.min(axis=0)), 0, (width - 1, height - 1)).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)), 0, (width - 1, height - 1)).astype(int)
    mask = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - low).astype(np.int32)], 1)
    return cv2.mean(probability[low[1] : high[1] + 1, low[0] : high[0] + 1], mask)[0]


def grow(rectangle: Sequence, ratio: float) -> tuple[Sequence[float], tuple[float, float], float]:
    """Return OpenCV's rotated ``rectangle`` grown on each side by area * ``ratio`` / perimeter.

    Source: DB, section 3.5, the offset of Vatti clipping; of a rectangle it has this closed form.
    """
    centre, (width, height), angle = rectangle
    offset = width * height * ratio / (2 * (width + height))
    return centre, (width + 2 * offset, height + 2 * offset), angle


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

    What is higher than ``height`` is sampled at a whole multiple of it and averaged, so that large letters do not
    break up.

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
    width = max(1, min(round(across * height / down), MAX_ASPECT * height))
    fold = max(1, min(int(down / height), 8))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) * fold
    matrix = cv2.getPerspectiveTransform(quad, target)
    large = cv2.warpPerspective(image, matrix, (width * fold, height * fold), flags=cv2.INTER_CUBIC,
                                borderMode=cv2.BORDER_REPLICATE)
    return large if fold == 1 else cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
