"""Small RGB pictures of decoded frames: planes of YUV averaged by area, then made RGB, in one go."""

from __future__ import annotations

import math

import numpy as np
from vtk.kernels.dispatch import Array, call, check_array

# So that 255 times a plane's pixels times those of the picture fit an int64, and 255 times its rows an int32.
LARGEST = 1 << 15

_BYTES, _FLOATS = np.dtype(np.uint8), np.dtype(np.float64)


def shrink_yuv(luma: Array, blue: Array, red: Array, matrix: Array, height: int, width: int) -> Array:
    """Return the RGB picture of ``height`` x ``width`` pixels, each the mean of what lies under it.

    Each plane is averaged over the box that a pixel of the result covers, parts of pixels by their area; so planes may
    have any size each, as chroma is stored at half the size of luma. Means are not rounded before they become RGB.

    Args:
        luma: (H, W) uint8, the plane Y. Rows may be any number of bytes apart.
        blue: (H', W') uint8, the plane Cb.
        red: (H', W') uint8, the plane Cr.
        matrix: (3, 4) float64, finite: red, green and blue are its products with (Y, Cb, Cr, 1).
        height, width: of the result in pixels, from 0 to 32768, as the sides of the planes; planes may be empty only
            if the result is.

    Returns:
        (height, width, 3) uint8 RGB: rounded to the nearest, halves up, and limited to [0, 255].

    Raises:
        ValueError: an argument is not as said.

    Source: area averaging, as OpenCV's ``INTER_AREA`` has it; the matrix is that of ITU-T H.273.
    """
    if not _is_usual(luma, blue, red, matrix, height, width):
        _check(luma, blue, red, matrix, height, width)
    return call(__name__, "shrink_yuv", luma, blue, red, matrix, int(height), int(width))


def _is_usual(luma: Array, blue: Array, red: Array, matrix: Array, height: int, width: int) -> bool:
    """Tell at once that nothing is wrong with what frames give: all checks take as long as averaging some rows does."""
    if not (type(luma) is type(blue) is type(red) is type(matrix) is np.ndarray and type(height) is type(width) is int):
        return False
    if not (luma.dtype is blue.dtype is red.dtype is _BYTES and matrix.dtype is _FLOATS and matrix.shape == (3, 4)):
        return False
    return (luma.ndim == blue.ndim == 2 and red.shape == blue.shape and 0 < height <= LARGEST and 0 < width <= LARGEST
            and 0 < min(luma.shape) and 0 < min(blue.shape) and max(luma.shape) <= LARGEST
            and max(blue.shape) <= LARGEST and math.isfinite(np.vdot(matrix, matrix)))


def _check(luma: Array, blue: Array, red: Array, matrix: Array, height: int, width: int) -> None:
    """Raise ValueError unless the arguments are as ``shrink_yuv`` has them."""
    check_array("luma", luma, ("H", "W"), ("uint8",))
    check_array("blue", blue, ("H'", "W'"), ("uint8",))
    check_array("red", red, tuple(blue.shape), ("uint8",))
    check_array("matrix", matrix, (3, 4), ("float64",))
    _check_side("height", height)
    _check_side("width", width)
    for name, plane in (("luma", luma), ("blue", blue)):
        if max(plane.shape) > LARGEST or (height and width and 0 in plane.shape):
            raise ValueError(f"{name}: got shape {tuple(plane.shape)}, expected sides from 1 to {LARGEST}")
    if not abs(matrix).max() < np.inf:
        raise ValueError("matrix: got NaN or an infinity, expected finite numbers")


def _check_side(name: str, side: int) -> None:
    """Raise ValueError unless a side is a whole number from 0 to LARGEST."""
    if not isinstance(side, (int, np.integer)) or isinstance(side, bool) or not 0 <= side <= LARGEST:
        raise ValueError(f"{name}: got {side!r}, expected a whole number from 0 to {LARGEST}")
