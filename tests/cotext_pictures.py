"""Texts whose places are known: their pictures, and the maps that a perfect network would give."""

from __future__ import annotations

import cv2
import numpy as np

from vtk.models.text_boxes import clockwise

SHRINK = 0.5  # of a text's kernel, as CoText trains it


def quad(x: float, y: float, width: float, height: float, angle: float = 0.0) -> np.ndarray:
    """Return the corners (4, 2) float32 of a rectangle by its centre, sides and angle in degrees."""
    return clockwise(cv2.boxPoints(((x, y), (width, height), angle))[None])[0]


def shrunk(corners: np.ndarray) -> np.ndarray:
    """Return a rectangle (4, 2) moved in by area * (1 - SHRINK^2) / perimeter on each side, as PSENet does it."""
    centre, (width, height), angle = cv2.minAreaRect(corners)
    offset = width * height * (1 - SHRINK**2) / (2 * (width + height))
    return cv2.boxPoints((centre, (width - 2 * offset, height - 2 * offset), angle))


def painted(corners: np.ndarray, height: int, width: int, stride: int = 4) -> np.ndarray:
    """Return the cells (height, width) bool of which more than half lies inside ``corners``, in input pixels."""
    fine = np.zeros((height * stride * 4, width * stride * 4), np.uint8)
    cv2.fillPoly(fine, [np.round(corners * 4).astype(np.int32)], 1)
    return cv2.resize(fine.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) > 0.5


def ideal(quads: np.ndarray, height: int, width: int, logit: float = 4.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return region and kernel (height, width) float32, ±``logit``, and labels int32, 1 for the first text."""
    labels, kernel = np.zeros((height, width), np.int32), np.zeros((height, width), bool)
    for number, corners in enumerate(quads, 1):
        labels[painted(corners, height, width)] = number
        kernel |= painted(shrunk(corners), height, width)
    region, kernel = (np.where(mask, logit, -logit).astype(np.float32) for mask in (labels > 0, kernel))
    return region, kernel, labels


def picture(words: list[str], quads: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a picture (height, width, 3) uint8 with each word in its quad (N, 4, 2)."""
    image = np.full((height, width, 3), (70, 110, 150), np.uint8)
    for word, corners in zip(words, quads, strict=True):
        (across, up), low = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1, 2)
        card = np.full((up + low, across, 3), (40, 60, 90), np.uint8)
        cv2.putText(card, word, (0, up), cv2.FONT_HERSHEY_SIMPLEX, 1, (250, 250, 240), 2, cv2.LINE_AA)
        source = np.array([[0, 0], [across, 0], [across, up + low], [0, up + low]], np.float32)
        matrix = cv2.getPerspectiveTransform(source, corners)
        inside = cv2.warpPerspective(np.full(card.shape[:2], 255, np.uint8), matrix, (width, height)) > 0
        image[inside] = cv2.warpPerspective(card, matrix, (width, height))[inside]
    return image
