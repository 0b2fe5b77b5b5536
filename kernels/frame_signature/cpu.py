"""Signatures of frames in Numba: one pass over the pixels, a row of sums at a time."""

from __future__ import annotations

import numpy as np
from numba import njit


def luminance_difference(a: np.ndarray, b: np.ndarray, block: int = 16) -> np.ndarray:
    """Return the mean absolute difference of luminance of each block; see the package."""
    stack = _stack(a)
    out = np.empty(_grid(stack, block), np.float32)
    _differences(stack, _stack(b), block, out)
    return out if a.ndim == 4 else out[0]


def block_statistics(image: np.ndarray, block: int = 16) -> np.ndarray:
    """Return mean and variance of the luminance of each block; see the package."""
    stack = _stack(image)
    out = np.empty((*_grid(stack, block), 2), np.float32)
    _moments(stack, block, out)
    return out if image.ndim == 4 else out[0]


def _stack(image: np.ndarray) -> np.ndarray:
    """Return pictures as (N, H, W, C), contiguous, so that one compiled version serves."""
    image = image[..., None] if image.ndim == 2 else image
    return np.ascontiguousarray(image if image.ndim == 4 else image[None])


def _grid(stack: np.ndarray, block: int) -> tuple[int, int, int]:
    """Return how many pictures, rows and columns of blocks there are."""
    return len(stack), -(-stack.shape[1] // block), -(-stack.shape[2] // block)


@njit(cache=True, nogil=True)
def _luminance(pixels: np.ndarray, luminance: np.ndarray) -> None:
    """Write the luminance (W,) int32 of a row of ``pixels`` (W, C) uint8."""
    width, channels = pixels.shape
    flat = pixels.reshape(width * channels)
    if channels == 1:
        for x in range(width):
            luminance[x] = flat[x]
    else:
        # 32-bit arithmetic: twice as many at once as with Numba's 64.
        for x in range(width):
            red, green, blue = np.int32(flat[3 * x]), np.int32(flat[3 * x + 1]), np.int32(flat[3 * x + 2])
            luminance[x] = (red * np.int32(77) + green * np.int32(150) + blue * np.int32(29) + np.int32(128)) >> 8


@njit(cache=True, nogil=True)
def _add_difference(one: np.ndarray, other: np.ndarray, sums: np.ndarray) -> None:
    """Add to ``sums`` (W,) int32 how far two rows of luminance (W,) are apart."""
    for x in range(len(sums)):
        sums[x] += abs(np.int32(one[x]) - np.int32(other[x]))


@njit(cache=True, nogil=True)
def _differences(a: np.ndarray, b: np.ndarray, block: int, out: np.ndarray) -> None:
    """Write the mean difference of each block of ``a`` and ``b`` (N, H, W, C) to ``out`` (N, rows, columns)."""
    count, height, width = a.shape[:3]
    one, other = np.empty(width, np.int32), np.empty(width, np.int32)
    sums = np.empty(width, np.int32)  # of a column: 1024 differences of at most 255
    for n in range(count):
        for row in range(out.shape[1]):
            top, bottom = row * block, min(height, (row + 1) * block)
            sums[:] = 0
            for y in range(top, bottom):
                if a.shape[3] == 1:  # no luminance to be worked out first: a third of the time
                    _add_difference(a[n, y, :, 0], b[n, y, :, 0], sums)
                    continue
                _luminance(a[n, y], one)
                _luminance(b[n, y], other)
                _add_difference(one, other, sums)
            for column in range(out.shape[2]):
                left, right = column * block, min(width, (column + 1) * block)
                total = np.int64(0)
                for x in range(left, right):
                    total += sums[x]
                out[n, row, column] = total / ((bottom - top) * (right - left))


@njit(cache=True, nogil=True)
def _moments(images: np.ndarray, block: int, out: np.ndarray) -> None:
    """Write mean and variance of each block of ``images`` (N, H, W, C) to ``out`` (N, rows, columns, 2)."""
    count, height, width = images.shape[:3]
    luminance = np.empty(width, np.int32)
    sums, squares = np.empty(width, np.int32), np.empty(width, np.int32)  # of a column: 1024 · 255² fits
    for n in range(count):
        for row in range(out.shape[1]):
            top, bottom = row * block, min(height, (row + 1) * block)
            sums[:] = 0
            squares[:] = 0
            for y in range(top, bottom):
                _luminance(images[n, y], luminance)
                for x in range(width):
                    sums[x] += luminance[x]
                    squares[x] += luminance[x] * luminance[x]
            for column in range(out.shape[2]):
                left, right = column * block, min(width, (column + 1) * block)
                pixels, total, square = (bottom - top) * (right - left), np.int64(0), np.int64(0)
                for x in range(left, right):
                    total += sums[x]
                    square += squares[x]
                out[n, row, column, 0] = total / pixels
                out[n, row, column, 1] = (pixels * square - total * total) / (pixels * pixels)
