"""``shrink_yuv`` in Numba: rows are added up as wide as they are, then columns by four, and then cut into boxes.

All sums are whole numbers, pixels being cut into as many parts as there are boxes, so that they are exact. What a
compiler turns into vector instructions stands in loops of its own. The sums of two lines run on from column to column
together, one in the upper half of 64 bits: adding up one after the other takes longest. Lines are 16 bits wide for that;
where a plane has too many rows they are 32, and the halves of each are the two.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit, types

# Parts of pixels of which the sum fits a uint16; and so that of a box, of at most 32768 columns of those, 31 bits.
FEW = 65535 // 255
# Columns that are added up at once, before sums run on: those of 16 bits in a word of 64.
FOUR = 4
# Pixels of the result that become RGB in one go.
BLOCK = 1024

_PLANE = types.Array(types.uint8, 2, "A", readonly=True)
Boxes: TypeAlias = "tuple[int, int, float, np.ndarray, np.ndarray]"
_LOW, _EVEN = 0xFFFFFFFF, 0x0000FFFF0000FFFF


def shrink_yuv(
    luma: np.ndarray, blue: np.ndarray, red: np.ndarray, matrix: np.ndarray, height: int, width: int
) -> np.ndarray:
    """Return the RGB picture of means by area; see the package."""
    out = np.empty((height, width, 3), np.uint8)
    if out.size:
        _shrink(luma, blue, red, np.array(matrix, order="C"), out)
    return out


@njit(cache=True, nogil=True, error_model="numpy")
def _add_up(plane: np.ndarray, row: int, tall: int, height: int, line: np.ndarray) -> None:
    """Write the sum of the rows of a plane under a row of boxes into ``line``: ``tall`` of the ``height`` parts of each.

    Each pass has one product, for only then the compiler keeps to as few bits as ``line`` has.
    """
    wide = plane.shape[1]
    start, end = row * tall, (row + 1) * tall
    first, last = start // height, (end - 1) // height
    kind = line.dtype.type
    weight, above, below = kind(height), kind(min((first + 1) * height, end) - start), kind(end - last * height)
    for x in range(wide):
        line[x] = above * kind(plane[first, x])
    if last > first:
        for x in range(wide):
            line[x] += below * kind(plane[last, x])
    y = first + 1
    while y + 2 < last:
        for x in range(wide):
            line[x] += weight * kind(np.uint16(plane[y, x]) + np.uint16(plane[y + 1, x]) + np.uint16(plane[y + 2, x]))
        y += 3
    if y + 1 < last:
        for x in range(wide):
            line[x] += weight * kind(np.uint16(plane[y, x]) + np.uint16(plane[y + 1, x]))
    elif y < last:
        for x in range(wide):
            line[x] += weight * kind(plane[y, x])


@njit(cache=True, nogil=True, error_model="numpy")
def _boxes(tall: int, wide: int, height: int, width: int) -> Boxes:
    """Return how a plane is cut into boxes.

    Returns:
        The parts of rows that are in a box, and those that are in a row, as few as can be, and how many times more
        there are; the whole fours of columns before each box ends (width,) uint64, and the parts that it takes of each
        of the next four (FOUR, width) int64.
    """
    times, rest = tall, height
    while rest:
        times, rest = rest, times % rest
    at, parts = np.zeros(width, np.uint64), np.zeros((FOUR, width), np.int64)
    for box in range(width):
        pixel, part = (box + 1) * wide // width, (box + 1) * wide % width
        at[box] = pixel // FOUR
        for n in range(FOUR):
            x = pixel // FOUR * FOUR + n
            parts[n, box] = width if x < pixel else part if x == pixel else 0
    return tall // times, height // times, float(times), at, parts


@njit(cache=True, nogil=True, error_model="numpy")
def _run(words: np.ndarray, count: int, sums: np.ndarray) -> None:
    """Write the sums of all fours before each, and of all, (count + 1,) int64: of line 0 and of 1, in the upper half."""
    for n in range(count):
        one = (words[0, n] & _EVEN) + ((words[0, n] >> 16) & _EVEN)
        two = (words[1, n] & _EVEN) + ((words[1, n] >> 16) & _EVEN)
        sums[n] = (one & _LOW) + (one >> 32) + (two << 32) + (two & ~_LOW)
    total = np.int64(0)
    for n in range(count):
        own = sums[n]
        sums[n] = total
        total += own
    sums[count] = total


@njit(cache=True, nogil=True, error_model="numpy")
def _total_two(
    lines: np.ndarray, words: np.ndarray, wide: int, boxes: Boxes, sums: np.ndarray, found: np.ndarray,
    low: np.ndarray, high: np.ndarray,
) -> None:  # fmt: skip
    """Write the sums (width,) of boxes of two ``lines`` uint16, as ``words`` int64; ``sums`` and ``found`` are lent.

    What runs on may run over: where a box ends less where it starts is right all the same, for that fits 31 bits.
    """
    _, _, scale, at, parts = boxes
    width, count = len(low), (wide + FOUR - 1) // FOUR
    for x in range(wide, (count + 1) * FOUR):
        lines[0, x] = lines[1, x] = 0
    _run(words, count, sums)
    up_to, one, two = found[0], found[1], found[2]
    for box in range(width):
        up_to[box] = sums[at[box]]
    times = width
    if wide % (FOUR * width):
        for box in range(width):
            one[box] = words[0, at[box]]
        for box in range(width):
            two[box] = words[1, at[box]]
        for box in range(width):
            a, b = one[box], two[box]
            up_to[box] = (up_to[box] * width
                          + ((a & 0xFFFF) + ((b & 0xFFFF) << 32)) * parts[0, box]
                          + ((a >> 16 & 0xFFFF) + ((b >> 16 & 0xFFFF) << 32)) * parts[1, box]
                          + ((a >> 32 & 0xFFFF) + ((b >> 32 & 0xFFFF) << 32)) * parts[2, box]
                          + ((a >> 48 & 0xFFFF) + ((b >> 48 & 0xFFFF) << 32)) * parts[3, box])
        times = 1
    before = np.int64(0)
    for box in range(width):
        total = (up_to[box] - before) * times
        before = up_to[box]
        low[box] = (total & _LOW) * scale
        high[box] = (total >> 32) * scale


@njit(cache=True, nogil=True, error_model="numpy")
def _mix(totals: np.ndarray, weights: np.ndarray, values: np.ndarray, out: np.ndarray) -> None:
    """Write the pixels ``out`` (N, 3) of sums (3, N or more) by ``weights`` (3, 4); ``values`` (3, N) are lent."""
    y, u, v = totals[0], totals[1], totals[2]
    for channel in range(3):
        a, b, c, d = weights[channel, 0], weights[channel, 1], weights[channel, 2], weights[channel, 3]
        for x in range(len(out)):
            value = ((a * y[x] + b * u[x]) + c * v[x]) + d + 0.5
            value = 255.0 if value > 255.0 else value
            values[channel, x] = np.uint8(value if value > 0.0 else 0.0)
    for x in range(len(out)):
        out[x, 0] = values[0, x]
        out[x, 1] = values[1, x]
        out[x, 2] = values[2, x]


@njit(cache=True, nogil=True, error_model="numpy")
def _total_tall(
    plane: np.ndarray, row: int, lines: np.ndarray, words: np.ndarray, boxes: Boxes, sums: np.ndarray,
    found: np.ndarray, totals: np.ndarray,
) -> None:  # fmt: skip
    """Write the sums (width,) of a row of boxes of a plane of so many rows that a line takes 32 bits."""
    wide = plane.shape[1]
    line, high = np.empty(wide, np.int32), np.empty(len(totals))
    _add_up(plane, row, boxes[0], boxes[1], line)
    for x in range(wide):
        lines[0, x] = line[x] & 0xFFFF
    for x in range(wide):
        lines[1, x] = line[x] >> 16
    _total_two(lines, words, wide, boxes, sums, found, totals, high)
    for box in range(len(totals)):
        totals[box] += 65536 * high[box]


@njit(cache=True, nogil=True, error_model="numpy")
def _total_rows(
    luma: np.ndarray, blue: np.ndarray, red: np.ndarray, start: int, rows: int, fine: Boxes, coarse: Boxes,
    lines: np.ndarray, sums: np.ndarray, found: np.ndarray, totals: np.ndarray,
) -> None:  # fmt: skip
    """Write the sums (3, rows or more, width) of rows of boxes from ``start`` on; what is between is lent."""
    words = lines.view(np.int64)
    tall, height = fine[0], fine[1]
    for n in range(0, rows if tall <= FEW else 0, 2):
        m = min(n + 1, rows - 1)
        _add_up(luma, start + n, tall, height, lines[0])
        _add_up(luma, start + m, tall, height, lines[1])
        _total_two(lines, words, luma.shape[1], fine, sums, found, totals[0, n], totals[0, m])
    for n in range(0 if tall <= FEW else rows):
        _total_tall(luma, start + n, lines, words, fine, sums, found, totals[0, n])
    tall, height = coarse[0], coarse[1]
    for n in range(rows):
        if tall <= FEW:
            _add_up(blue, start + n, tall, height, lines[0])
            _add_up(red, start + n, tall, height, lines[1])
            _total_two(lines, words, blue.shape[1], coarse, sums, found, totals[1, n], totals[2, n])
        else:
            _total_tall(blue, start + n, lines, words, coarse, sums, found, totals[1, n])
            _total_tall(red, start + n, lines, words, coarse, sums, found, totals[2, n])


@njit([(_PLANE, _PLANE, _PLANE, types.float64[:, ::1], types.uint8[:, :, ::1])], cache=True, nogil=True,
      error_model="numpy")
def _shrink(luma: np.ndarray, blue: np.ndarray, red: np.ndarray, weights: np.ndarray, out: np.ndarray) -> None:
    """Write the picture ``out`` (height, width, 3) of three planes, some rows at a time; the matrix is changed."""
    height, width = out.shape[:2]
    for channel in range(3):
        for plane, pixels in enumerate((luma.size, blue.size, red.size)):
            weights[channel, plane] /= pixels  # of sums, not of means
    words = max(luma.shape[1], blue.shape[1]) // FOUR + 2
    lines, sums = np.empty((2, FOUR * words), np.uint16), np.empty(words, np.int64)
    found = np.empty((3, width), np.int64)
    fine, coarse = _boxes(*luma.shape, height, width), _boxes(*blue.shape, height, width)
    block = min(height, 2 * max(1, BLOCK // width // 2))
    totals, values = np.empty((3, block, width)), np.empty((3, block * width), np.uint8)
    pixels = out.reshape(-1, 3)
    for start in range(0, height, block):
        rows = min(block, height - start)
        _total_rows(luma, blue, red, start, rows, fine, coarse, lines, sums, found, totals)
        _mix(totals.reshape(3, -1), weights, values, pixels[start * width : (start + rows) * width])
