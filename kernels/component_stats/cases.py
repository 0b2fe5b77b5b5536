"""Sizes, inputs and rivals of ``component_stats``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.component_stats import rivals

NAMES = ("component_stats",)


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return a map of ``size`` rows: lines at angles over each other, single pixels, labels that nothing has."""
    height, width = size, size // 3 + int(rng.integers(0, 2))
    labels = lines(height, width, 1 + size // 8, rng, scatter=0.02)
    given: dict[str, Any] = {"labels": labels, "scores": rng.normal(size=(height, width)).astype(np.float32)}
    most = int(labels.max(initial=0))
    if rng.random() < 0.5:
        given["count"] = min(most + int(rng.integers(-1, 3)), labels.size) if most else 0
    return given


def lines(height: int, width: int, count: int, rng: np.random.Generator, scatter: float = 0.0) -> np.ndarray:
    """Return (height, width) int32 labels of ``count`` rotated bars, as lines of text give them, in order."""
    labels = np.zeros((height, width), np.int32)
    side = (height * width / max(count, 1)) ** 0.5
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for k in range(1, count + 1):
        centre, angle = rng.uniform((0, 0), (width, height)), rng.normal(0, 0.3) + (rng.random() < 0.2) * np.pi / 2
        half = max(side * rng.uniform(0.2, 0.6), 0.6), max(side * rng.uniform(0.05, 0.12), 0.6)
        reach = int(half[0] + half[1]) + 1
        top, left = (max(int(each) - reach, 0) for each in centre[::-1])
        place = np.s_[top : top + 2 * reach, left : left + 2 * reach]
        dx, dy = x[place] - centre[0], y[place] - centre[1]
        along, across = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        labels[place][(np.abs(along) <= half[0]) & (np.abs(across) <= half[1])] = k
    chosen = rng.random((height, width)) < scatter
    labels[chosen] = rng.integers(-1, count + 2, int(chosen.sum()))
    return labels


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 16 steps of float64 at the largest coordinate.

    Areas and boxes are whole numbers. Rectangles come of the same whole numbers by up to eight roundings (centre: two
    products, their sum and a quotient; size: root and quotient; an angle of 90 at most: arc tangent and factor), each
    off by half a step in both. Sums of scores are compared as shares of their bound, see ``comparable``.
    """
    return 16 * float(np.spacing(float(max(90, *arguments["labels"].shape))))


def comparable(name: str, arguments: Arguments, result: np.ndarray) -> Any:
    """Return the results with each sum as a share of number times sum of magnitudes, of which rounding takes a step.

    The order of a sum differs, and with it the rounding: by up to half a step of the magnitudes for each number.
    """
    labels, scores = arguments["labels"], np.abs(arguments["scores"].astype(np.float64))
    counts = (labels > 0) & (labels <= len(result))
    numbers = np.bincount(labels[counts], minlength=len(result) + 1)[1:]
    bound = np.bincount(labels[counts], scores[counts], minlength=len(result) + 1)[1:] * numbers
    result = result.copy()
    result[:, 1] /= np.where(np.isfinite(bound) & (bound > 0), bound, 1)
    return result


def _page(height: int, width: int, count: int, rng: np.random.Generator) -> Arguments:
    """Return a text map: components as OpenCV numbers them, of ``count`` lines, some of which touch."""
    import cv2

    found, labels = cv2.connectedComponents((lines(height, width, count, rng) > 0).astype(np.uint8))
    return {"labels": labels, "scores": rng.random((height, width), np.float32), "count": found - 1}


LIBRARIES = {
    "component_stats": {
        "opencv, each contour": rivals.opencv_contours,
        "opencv, each label": rivals.opencv_labels,
        "opencv, components with stats": rivals.opencv_stats,
        "opencv, components alone": partial(rivals.opencv_stats, measured=False),
    }
}

BENCHES = tuple(
    Bench("component_stats", f"{height} x {width}, {count} lines", partial(_page, height, width, count),
          level=int((height, count) != (736, 200)))
    for height, width in ((736, 1280), (1088, 1920)) for count in (20, 200)
)  # fmt: skip
