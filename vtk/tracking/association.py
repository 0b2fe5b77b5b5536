"""Which box belongs to which track, as SORT and its kin have it; vtk.kernels.association has the quick forms."""

from __future__ import annotations

import numpy as np


def overlaps(tracks: np.ndarray, track_classes: np.ndarray, boxes: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the IoU of each track with each box, 0 where their classes differ.

    Args:
        tracks: (T, 4) float64 xyxy in pixels.
        track_classes: (T,) int64.
        boxes: (N, 4) float64 xyxy in pixels, of positive area.
        classes: (N,) int64.

    Returns:
        (T, N) float64 in [0, 1].

    Source: the PASCAL VOC overlap criterion (Everingham et al., IJCV 2010), continuous coordinates. Float64, because
    the rows of SORT's program are reproduced to the printed digit; no +1 on widths.
    """
    low = np.maximum(tracks[:, None, :2], boxes[None, :, :2])
    size = np.minimum(tracks[:, None, 2:], boxes[None, :, 2:])
    size -= low
    np.maximum(size, 0, out=size)
    shared = size[..., 0] * size[..., 1]
    union = _areas(tracks)[:, None] + _areas(boxes) - shared
    shared[track_classes[:, None] != classes] = 0
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def centres(boxes: np.ndarray) -> np.ndarray:
    """Return the centres (…, 2) of boxes (…, 4) xyxy, pixels."""
    return (boxes[..., :2] + boxes[..., 2:]) / 2


def assign_overlaps(iou: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return SORT's pairs: the greatest total overlap, then those below ``least`` dropped.

    Args:
        iou: (T, N) float64 in [0, 1].
        least: overlap that a pair must reach.

    Returns:
        rows and columns of the pairs, (K,) int64 each.

    Source: the SORT authors' program: where the overlaps above ``least`` already are one-to-one they are taken as
    they stand; else every overlap, small ones too, enters the assignment.
    """
    if not iou.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    above = iou > least
    if above.sum(0).max() == 1 and above.sum(1).max() == 1:
        return np.nonzero(above)
    # Boxes first: between assignments of equal worth the solver's choice depends on the orientation.
    columns, rows = solve(-iou.T)
    made = iou[rows, columns] >= least
    return rows[made], columns[made]


def solve(cost: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the complete assignment of least total cost, rows and columns; cost (T, N) float64, finite."""
    # Importing scipy.optimize costs 0.36 s: paid at the first pairing, not by `vtk track --help`.
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment(cost)
