"""Area, score, box and rectangle of every labelled component of a picture, in one pass over its pixels."""

from __future__ import annotations

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array

COLUMNS = ("area", "score_sum", "x1", "y1", "x2", "y2", "centre_x", "centre_y", "width", "height", "angle")


def component_stats(labels: Array, scores: Array, count: int | None = None) -> Array:
    """Return for each label its area, sum of scores, box and rectangle of least area.

    All coordinates are those of pixel centres, as in OpenCV's minAreaRect on pixel coordinates: the box and the
    rectangle run through the outermost centres, so that a block of 5 x 3 pixels has x2 - x1 = 4 and is 4 by 2.
    ``cv2.boxPoints(((centre_x, centre_y), (width, height), angle))`` gives the rectangle's corners.

    Args:
        labels: (H, W) int32, 1 to K as cv2.connectedComponents numbers them; 0 and below: background. What has a
            label need not be connected.
        scores: (H, W) float32, any range, such as a text map in [0, 1]; only that of labelled pixels counts.
        count: how many labels, one less than OpenCV returns; pixels of higher ones are left out. None: the highest
            there is, which costs another pass.

    Returns:
        (count, 11) float64, label k in row k - 1, by COLUMNS: area in pixels; sum of scores; x1, y1, x2, y2 of the
        first and last column and row; centre, width and height of the rectangle in pixels, and its angle in [0, 90)
        degrees: its width runs along (cos, sin), y pointing down. Of rectangles of one area that of the least angle.
        A label without pixels has area and sum 0 and NaN otherwise.

    Raises:
        ValueError: a shape or dtype is not as said, or there are more labels than pixels.

    Source: a rectangle of least area has a side on the convex hull (Freeman and Shapira, CACM 1975), and the hull of a
    component is that of the first and last pixel of each row; rotating calipers (Toussaint, MELECON 1983).
    """
    check_array("labels", labels, ("H", "W"), ("int32",))
    check_array("scores", scores, tuple(labels.shape), ("float32",))
    pixels = labels.shape[0] * labels.shape[1]
    if count is None:
        count = max(int(labels.max()), 0) if pixels else 0
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or not 0 <= count <= pixels:
        raise ValueError(f"count: got {count!r} labels, expected a whole number from 0 to {pixels}, one for each pixel")
    return call(__name__, "component_stats", labels, scores, int(count))
