"""What tells one shot from another: pictures laid over each other, carried on, and fitted by a mix of two."""

from __future__ import annotations

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number

# So that products of sums over a picture's values, each 255² at most, fit an int64.
LARGEST = 1 << 15


def shifted_likeness(pictures: Array, parts: Array) -> Array:
    """Return the highest correlation of each part with any place of its picture where it lies within.

    The mean of each channel is taken off the part and what lies under it, so brightness and contrast do not matter.
    Sums are whole numbers. Where either is flat the correlation is 0.

    Args:
        pictures: (N, H, W, C) uint8, of ``LARGEST`` values each at most.
        parts: (N, h, w, C) uint8, not higher or wider than the pictures.

    Returns:
        (N,) float64 in [-1, 1].

    Raises:
        ValueError: shapes or types are others.

    Source: the normalised correlation coefficient, as OpenCV's ``matchTemplate`` has it.
    """
    check_array("pictures", pictures, ("N", "H", "W", "C"), ("uint8",))
    count, height, width, channels = pictures.shape
    check_array("parts", parts, (count, "h", "w", channels), ("uint8",))
    if height * width * channels > LARGEST:
        raise ValueError(f"pictures: got shape {tuple(pictures.shape)}, expected {LARGEST} values each at most")
    if parts.shape[1] > height or parts.shape[2] > width:
        raise ValueError(f"parts: got shape {tuple(parts.shape)}, expected none higher or wider than {height} x {width}")
    return call(__name__, "shifted_likeness", pictures, parts)


def carry(picture: Array, right: float, down: float, steps: Array) -> Array:
    """Return a picture as it is after each number of steps, going on at a steady speed.

    Values between pixels are interpolated linearly, and what comes in from outside is the nearest pixel at the edge.

    Args:
        picture: (H, W) float32.
        right, down: pixels a step, finite.
        steps: (N,) int64, also below zero.

    Returns:
        (N, H, W) float32.

    Raises:
        ValueError: shapes or types are others, or a speed is no finite number.

    Source: bilinear interpolation with a repeated edge, as OpenCV's ``remap`` has it.
    """
    check_array("picture", picture, ("H", "W"), ("float32",))
    check_number("right", right)
    check_number("down", down)
    check_array("steps", steps, ("N",), ("int64",))
    return call(__name__, "carry", picture, float(right), float(down), steps)


def shares_between(pictures: Array, ends: Array, count: int) -> Array:
    """Return how far pictures between two have gone from the first to the last.

    The share of picture n is (n - first) . (last - first) / |last - first|^2: 0 for the first, 1 for the last, and for
    a mix of both the share of the last.

    Args:
        pictures: (M, P) float32, pictures of P pixels, in their order.
        ends: (N, 2) int64, from the first picture to the last, both within [0, M).
        count: of places from the first to the last, spread evenly, downwards where they are between two pictures; 2 or
            more. Some are the same picture where there are fewer.

    Returns:
        (N, count) float64. NaN where first and last are the same, and where values are not finite.

    Raises:
        ValueError: shapes, types or numbers are others.

    Source: a dissolve is a linear mix (Lienhart, Comparison of automatic shot boundary detection algorithms, 1999).
    """
    check_array("pictures", pictures, ("M", "P"), ("float32",))
    check_array("ends", ends, ("N", 2), ("int64",))
    if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or not 2 <= count <= LARGEST:
        raise ValueError(f"count: got {count!r}, expected a whole number from 2 to {LARGEST}")
    if len(ends) and not (0 <= ends.min() and ends.max() < len(pictures)):
        raise ValueError(f"ends: got {int(ends.min())} to {int(ends.max())}, expected numbers from 0 to below "
                         f"{len(pictures)}")
    return call(__name__, "shares_between", pictures, ends, int(count))


def transition_fit(pictures: Array, first: Array, last: Array, least: float) -> tuple[Array, Array]:
    """Return how well a row of pictures goes from one to another: as a mix of both, or as parts of one and the other.

    A mix is first + share (last - first), with the share that leaves least; otherwise each pixel is of that picture
    which it is nearer to, and counts by how far both are apart there.

    Args:
        pictures: (N, P) float32, N pictures of P pixels.
        first: (N, P) float32, what it would be were it the one alone; another for each, as things move.
        last: (N, P) float32, what it would be were it the other alone.
        least: share of the mean difference of first and last from which on a pixel counts as changed; finite.

    Returns:
        (4, N) float64: the share of the last in a mix, the root mean square that the mix leaves as a share of that of
        last - first, the share of the last in parts, and the mean difference to the nearer one as a share of that of
        both. NaN where first and last are the same, also where they are infinite.
        (2,) float64: the share of pixels, of all N P, that have changed, and, counted by how far first and last are
        apart, of the pixels that are never nearer to the first again after they were nearer to the last, or the other
        way round: they go over once at most. NaN where there are none.

    Raises:
        ValueError: shapes or types are others, or ``least`` is no finite number.

    Source: a dissolve is a linear mix (Lienhart, Comparison of automatic shot boundary detection algorithms, 1999); a
    wipe has each pixel of one picture or the other.
    """
    check_array("pictures", pictures, ("N", "P"), ("float32",))
    check_array("first", first, tuple(pictures.shape), ("float32",))
    check_array("last", last, tuple(pictures.shape), ("float32",))
    check_number("least", least)
    return call(__name__, "transition_fit", pictures, first, last, float(least))
