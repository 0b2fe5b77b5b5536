"""What users call for the same: OpenCV, contour by contour, or its components with what it measures of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def opencv_contours(arguments: Arguments) -> Run | None:
    """Return the way of PaddleOCR and rapidocr: contours, each one's rectangle and mean score under its filled mask."""
    import cv2

    labels, scores = arguments["labels"], arguments["scores"]
    if not isinstance(labels, np.ndarray):
        return None
    bitmap = (labels > 0).astype(np.uint8)

    def run() -> list[Any]:
        contours, _ = cv2.findContours(bitmap, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        found = []
        for contour in contours:
            x, y, width, height = cv2.boundingRect(contour)
            mask = np.zeros((height, width), np.uint8)
            cv2.fillPoly(mask, [contour - (x, y)], 1)
            score = cv2.mean(scores[y : y + height, x : x + width], mask)[0]
            found.append((cv2.minAreaRect(contour), score))
        return found

    return run


def opencv_labels(arguments: Arguments) -> Run | None:
    """Return OpenCV on each label's own pixels: mask, points, rectangle, sum; the box alone is looked at."""
    import cv2

    labels, scores = arguments["labels"], arguments["scores"]
    if not isinstance(labels, np.ndarray):
        return None
    boxes = cv2.connectedComponentsWithStats((labels > 0).astype(np.uint8))[2][1:, :4].tolist()

    def run() -> list[Any]:
        found = []
        for k, (x, y, width, height) in enumerate(boxes, 1):
            place = np.s_[y : y + height, x : x + width]
            mask = (labels[place] == k).astype(np.uint8)
            points = cv2.findNonZero(mask)
            found.append((len(points), cv2.minAreaRect(points), float(scores[place][mask > 0].sum())))
        return found

    return run


def opencv_stats(arguments: Arguments, measured: bool = True) -> Run | None:
    """Return OpenCV's components, with area and box of each (``measured``) or the labels alone: what comes first."""
    import cv2

    if not isinstance(arguments["labels"], np.ndarray):
        return None
    bitmap = (arguments["labels"] > 0).astype(np.uint8)
    return partial(cv2.connectedComponentsWithStats if measured else cv2.connectedComponents, bitmap)
