"""``shrink_yuv`` in Numba: rows are added up as wide as they are, sixteen bits a column, and then cut into boxes.

All sums are whole numbers, pixels being cut into as many parts as there are boxes, so that they are exact.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Rows of 255 whose sum fits sixteen bits.
ROWS = 257


def shrink_yuv(
    luma: np.ndarray, blue: np.ndarray, red: np.ndarray, matrix: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Return the RGB picture of means by area; see the package."""
    out = np.empty((height, width, 3), np.uint8)
    if out.size:
        _shrink(_rows(luma), _rows(blue), _rows(red), np.ascontiguousarray(matrix), out)
    return out


def _rows(plane: np.ndarray) -> np.ndarray:
    """Return a read-only view whose type is the same whatever is given: one version is compiled."""
    plane = plane[:, :]
    plane.flags.writeable = False
    return plane


@njit(cache=True, nogil=True, error_model="numpy")
def _shrink(luma: np.ndarray, blue: np.ndarray, red: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """Write the picture ``out`` (height, width, 3) of three planes, a row at a time."""
    height, width = out.shape[:2]
    y, u, v = np.empty(width), np.empty(width), np.empty(width)
    longest = max(luma.shape[1], blue.shape[1])
    few, line, values = np.empty(longest, np.uint16), np.empty(longest + 1, np.int32), np.empty((3, width))
    sums = np.empty(longest + 1, np.int64)
    weights = matrix.copy()  # of sums, not of means
    for channel in range(3):
        for plane, pixels in enumerate((luma.size, blue.size, red.size)):
            weights[channel, plane] /= pixels
    fine, coarse = _edges(luma.shape[1], width), _edges(blue.shape[1], width)
    for row in range(height):
        _total(luma, row, height, fine, few, line, sums, y)
        _total(blue, row, height, coarse, few, line, sums, u)
        _total(red, row, height, coarse, few, line, sums, v)
        for channel in range(3):
            _mix(y, u, v, weights[channel], values[channel])
        for column in range(width):
            out[row, column, 0] = np.uint8(values[0, column])
            out[row, column, 1] = np.uint8(values[1, column])
            out[row, column, 2] = np.uint8(values[2, column])


@njit(cache=True, nogil=True, error_model="numpy")
def _edges(wide: int, width: int) -> np.ndarray:
    """Return where the boxes begin and end: (width + 1, 2) int64, whole pixels and parts of ``width`` of the next."""
    edges = np.empty((width + 1, 2), np.int64)
    for box in range(width + 1):
        edges[box, 0] = box * wide // width
        edges[box, 1] = box * wide - edges[box, 0] * width
    return edges


@njit(cache=True, nogil=True, error_model="numpy")
def _mix(y: np.ndarray, u: np.ndarray, v: np.ndarray, row: np.ndarray, values: np.ndarray) -> None:
    """Write one channel's values (width,), whole numbers in [0, 255], by a row (4,) of the matrix."""
    a, b, c, d = row[0], row[1], row[2], row[3]
    for x in range(len(values)):
        value = np.floor(((a * y[x] + b * u[x]) + c * v[x]) + d + 0.5)
        value = 255.0 if value > 255.0 else value
        values[x] = value if value > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def _total(
    plane: np.ndarray, row: int, height: int, edges: np.ndarray, few: np.ndarray, line: np.ndarray, sums: np.ndarray,
    totals: np.ndarray,
) -> None:  # fmt: skip
    """Write the sums (width,) of a plane's parts under a row of boxes; ``few``, ``line`` and ``sums`` are lent."""
    wide = plane.shape[1]
    width = len(totals)
    _add_up(plane, row, height, few, line)
    line[wide] = 0
    total = np.int64(0)
    sums[0] = 0
    for x in range(wide):
        total += line[x]
        sums[x + 1] = total
    before = np.int64(0)
    for box in range(width):
        pixel, part = edges[box + 1, 0], edges[box + 1, 1]
        up_to = sums[pixel] * width + line[pixel] * part
        totals[box] = up_to - before
        before = up_to


@njit(cache=True, nogil=True, error_model="numpy")
def _add_up(plane: np.ndarray, row: int, height: int, few: np.ndarray, line: np.ndarray) -> None:
    """Write the sum of the rows of a plane under a row of boxes into ``line``, each cut into ``height`` parts."""
    tall, wide = plane.shape
    start, end = row * tall, (row + 1) * tall
    first, last = start // height, (end - 1) // height
    _weigh(plane[first], min((first + 1) * height, end) - start, line[:wide], False)
    if last > first:
        _weigh(plane[last], end - last * height, line[:wide], True)
    y = first + 1
    while y < last:
        stop = min(last, y + ROWS)
        _sum_rows(plane[y:stop], few[:wide])
        _weigh_sums(few[:wide], height, line[:wide])
        y = stop


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh(pixels: np.ndarray, parts: int, line: np.ndarray, more: bool) -> None:
    """Write or add ``parts`` times the pixels (W,) uint8 to ``line`` (W,) int32."""
    weight = np.int32(parts)
    if more:
        for x in range(len(line)):
            line[x] += weight * np.int32(pixels[x])
    else:
        for x in range(len(line)):
            line[x] = weight * np.int32(pixels[x])


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh_sums(few: np.ndarray, parts: int, line: np.ndarray) -> None:
    """Add ``parts`` times the sums (W,) uint16 to ``line`` (W,) int32."""
    weight = np.int32(parts)
    for x in range(len(line)):
        line[x] += weight * np.int32(few[x])


@njit(cache=True, nogil=True, error_model="numpy")
def _sum_rows(rows: np.ndarray, few: np.ndarray) -> None:
    """Write the sum of up to ROWS rows (N, W) uint8 into ``few`` (W,) uint16."""
    few[:] = 0
    for y in range(len(rows)):
        for x in range(len(few)):
            few[x] += np.uint16(rows[y, x])
