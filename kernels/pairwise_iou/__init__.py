"""Intersection over union of each pair of boxes, and two kin that also tell boxes apart that do not touch."""

from __future__ import annotations

from vtk.kernels.dispatch import Array, call, check_array, check_number


def pairwise_iou(a: Array, b: Array) -> Array:
    """Return the overlap of each pair of boxes, as a share of their union.

    Args:
        a: (N, 4) float32, [x1, y1, x2, y2] in pixels, x1 <= x2, y1 <= y2.
        b: (M, 4) float32, on the same device as ``a``.

    Returns:
        (N, M) float32 in [0, 1]; 0 where the union is empty or a coordinate is NaN.

    Raises:
        ValueError: a shape is not (·, 4), a dtype is not float32, or the devices differ.

    Source: the PASCAL VOC overlap criterion (Everingham et al., IJCV 2010), continuous coordinates: no +1 on widths.
    """
    _check(a, b)
    return call(__name__, "pairwise_iou", a, b)


def pairwise_giou(a: Array, b: Array) -> Array:
    """Return the overlap of each pair of boxes, less the share of their hull that neither covers.

    Args:
        a, b: as in ``pairwise_iou``.

    Returns:
        (N, M) float32 in [-1, 1]: the overlap where the hull is all covered, negative for boxes far apart; -1 where
        it isn't defined: the hull is empty, or a coordinate is NaN.

    Raises:
        ValueError: a shape is not (·, 4), a dtype is not float32, or the devices differ.

    Source: Rezatofighi et al., CVPR 2019, algorithm 1: GIoU = IoU - (hull - union) / hull.
    """
    _check(a, b)
    return call(__name__, "pairwise_giou", a, b)


def buffered_iou(a: Array, b: Array, buffer: float) -> Array:
    """Return the overlap of each pair of boxes grown on each side by a share of their own width and height.

    Args:
        a, b: as in ``pairwise_iou``.
        buffer: the share by which a box grows on each side, >= 0; 0 gives ``pairwise_iou``.

    Returns:
        (N, M) float32 in [0, 1]; 0 where the union is empty or a coordinate is NaN.

    Raises:
        ValueError: a shape is not (·, 4), a dtype is not float32, the devices differ, or ``buffer`` isn't as said.

    Source: C-BIoU (Yang et al., WACV 2023, section 3.1).
    """
    _check(a, b)
    check_number("buffer", buffer, 0)
    return call(__name__, "buffered_iou", a, b, buffer)


def _check(a: Array, b: Array) -> None:
    """Raise ValueError unless both are lists of boxes."""
    check_array("a", a, ("N", 4), ("float32",))
    check_array("b", b, ("M", 4), ("float32",))
