"""``shrink_yuv`` in Numba: rows are added up as wide as they are, then columns by four, and then cut into boxes.

All sums are whole numbers, pixels being cut into as many parts as there are boxes, so that they are exact. What a
compiler turns into vector instructions stands in loops of its own: adding up one sum after the other takes longest.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Columns that are added up at once, before sums run on from column to column.
FOUR = 4


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
    line, values = np.zeros(longest + FOUR, np.int32), np.empty((3, width))
    fours, sums = np.empty(longest // FOUR + 1, np.int32), np.empty(longest // FOUR + 1, np.int64)
    weights = matrix.copy()  # of sums, not of means
    for channel in range(3):
        for plane, pixels in enumerate((luma.size, blue.size, red.size)):
            weights[channel, plane] /= pixels
    fine, coarse = _edges(luma.shape[1], width), _edges(blue.shape[1], width)
    for row in range(height):
        _total(luma, row, height, fine, line, fours, sums, y)
        _total(blue, row, height, coarse, line, fours, sums, u)
        _total(red, row, height, coarse, line, fours, sums, v)
        for channel in range(3):
            _mix(y, u, v, weights[channel], values[channel])
        for column in range(width):
            out[row, column, 0] = np.uint8(values[0, column])
            out[row, column, 1] = np.uint8(values[1, column])
            out[row, column, 2] = np.uint8(values[2, column])


@njit(cache=True, nogil=True, error_model="numpy")
def _edges(wide: int, width: int) -> np.ndarray:
    """Return where boxes end: (width, 1 + FOUR) int64, whole fours of pixels, and the parts of each of the next four."""
    edges = np.zeros((width, 1 + FOUR), np.int64)
    for box in range(width):
        pixel, part = (box + 1) * wide // width, (box + 1) * wide % width
        four = min(pixel, wide - 1) // FOUR
        edges[box, 0] = four
        for n in range(FOUR):
            at = FOUR * four + n
            edges[box, 1 + n] = width if at < pixel else part if at == pixel else 0
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
    plane: np.ndarray, row: int, height: int, edges: np.ndarray, line: np.ndarray, fours: np.ndarray, sums: np.ndarray,
    totals: np.ndarray,
) -> None:  # fmt: skip
    """Write the sums (width,) of a plane's parts under a row of boxes; ``line``, ``fours`` and ``sums`` are lent."""
    wide, width = plane.shape[1], len(totals)
    _add_up(plane, row, height, line)
    line[wide : wide + FOUR] = 0
    count = (wide + FOUR - 1) // FOUR
    for n in range(count):
        fours[n] = line[FOUR * n] + line[FOUR * n + 1] + line[FOUR * n + 2] + line[FOUR * n + 3]
    total = np.int64(0)
    for n in range(count):
        sums[n] = total
        total += fours[n]
    before = np.int64(0)
    for box in range(width):
        at = edges[box, 0]
        first = FOUR * at
        up_to = (sums[at] * width + line[first] * edges[box, 1] + line[first + 1] * edges[box, 2]
                 + line[first + 2] * edges[box, 3] + line[first + 3] * edges[box, 4])
        totals[box] = up_to - before
        before = up_to


@njit(cache=True, nogil=True, error_model="numpy")
def _add_up(plane: np.ndarray, row: int, height: int, line: np.ndarray) -> None:
    """Write the sum of the rows of a plane under a row of boxes into ``line``, each cut into ``height`` parts."""
    tall, wide = plane.shape
    start, end = row * tall, (row + 1) * tall
    first, last = start // height, (end - 1) // height
    _weigh(plane[first], min((first + 1) * height, end) - start, line[:wide], False)
    y = first + 1
    while y + 2 < last:
        _weigh_three(plane[y], plane[y + 1], plane[y + 2], height, line[:wide])
        y += 3
    while y < last:
        _weigh(plane[y], height, line[:wide], True)
        y += 1
    if last > first:
        _weigh(plane[last], end - last * height, line[:wide], True)


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
def _weigh_three(one: np.ndarray, two: np.ndarray, three: np.ndarray, parts: int, line: np.ndarray) -> None:
    """Add ``parts`` times the sum of three rows (W,) uint8 to ``line`` (W,) int32."""
    weight = np.int32(parts)
    for x in range(len(line)):
        line[x] += weight * np.int32(np.uint16(one[x]) + np.uint16(two[x]) + np.uint16(three[x]))
