"""Intersection over union of each pair of boxes."""

from __future__ import annotations

from vtk.kernels.dispatch import Array, call, check_array


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
    check_array("a", a, ("N", 4), ("float32",))
    check_array("b", b, ("M", 4), ("float32",))
    return call(__name__, "pairwise_iou", a, b)
