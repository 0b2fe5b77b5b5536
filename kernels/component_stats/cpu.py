"""``component_stats`` in Numba: runs of equal labels, the ends of each label's rows, their hull, calipers around it.

One thread: a map takes a millisecond or two, of which most is reading it.
"""

from __future__ import annotations

from math import atan2, degrees, sqrt

import numpy as np
from numba import njit

# Labels looked at together, of background or of one run; a constant length becomes one comparison of vectors.
BLOCK = 16


def component_stats(labels: np.ndarray, scores: np.ndarray, count: int | None = None) -> np.ndarray:
    """Return area, sum of scores, box and rectangle of each label; see the package."""
    if count is None:
        count = max(int(labels.max(initial=0)), 0)
    stats = np.full((count, 11), np.nan)
    stats[:, :2] = 0
    labels, scores = np.ascontiguousarray(labels), np.ascontiguousarray(scores)
    owners, rows = _scan(labels, scores, stats)
    rectangles(*_by_label(owners, rows, count), stats)
    return stats


@njit(cache=True, nogil=True)
def _scan(labels: np.ndarray, scores: np.ndarray, stats: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill area, sum and box of ``stats`` (K, 11); return the label - 1 (N,) and (N, 3) y, first x, last x of its rows.

    A label's rows come in order of y. labels (H, W) int32, scores (H, W) float32.
    """
    height, width = labels.shape
    count = len(stats)
    owners, rows = np.empty(1024, np.int32), np.empty((1024, 3), np.int32)
    used = 0
    latest = np.full(count, -1, np.int64)  # where a label's latest row stands
    for y in range(height):
        line, values = labels[y], scores[y]
        x = _next(line, 0)
        while x < width:
            label, start = line[x], x
            x = _end(line, x)
            total = _sum(values[start:x])
            stop, x = x, _next(line, x)
            if label > count:
                continue
            k = label - 1
            own = stats[k]
            own[0] += stop - start
            own[1] += total
            at = latest[k]
            if at >= 0 and rows[at, 0] == y:
                rows[at, 2] = stop - 1
                continue
            if used == len(owners):
                owners, rows = _grown(owners, rows)
            owners[used], rows[used, 0], rows[used, 1], rows[used, 2] = k, y, start, stop - 1
            latest[k] = used
            used += 1
    return owners[:used], rows[:used]


@njit(cache=True, nogil=True)
def _next(line: np.ndarray, x: int) -> int:
    """Return the first place from ``x`` with a label, the length of ``line`` (W,) if there is none."""
    while x + BLOCK <= len(line):
        block = line[x : x + BLOCK]
        some = np.int32(0)
        for k in range(BLOCK):
            some |= np.int32(block[k] > 0)
        if some:
            break
        x += BLOCK
    while x < len(line) and line[x] <= 0:
        x += 1
    return x


@njit(cache=True, nogil=True)
def _end(line: np.ndarray, x: int) -> int:
    """Return the first place from ``x`` with another label than there, the length of ``line`` (W,) if there is none."""
    label = line[x]
    while x + BLOCK <= len(line):
        block = line[x : x + BLOCK]
        other = np.int32(0)
        for k in range(BLOCK):
            other |= block[k] ^ label
        if other:
            break
        x += BLOCK
    while x < len(line) and line[x] == label:
        x += 1
    return x


# In any order, so that the compiler sums vectors; NaN and inf keep their meaning.
@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum(values: np.ndarray) -> float:
    """Return the sum of ``values`` (N,) float32 in float64."""
    total = 0.0
    for value in values:
        total += np.float64(value)
    return total


@njit(cache=True, nogil=True)
def _grown(owners: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both arrays with twice the room."""
    more, longer = np.empty(2 * len(owners), np.int32), np.empty((2 * len(rows), 3), np.int32)
    more[: len(owners)], longer[: len(rows)] = owners, rows
    return more, longer


@njit(cache=True, nogil=True)
def _by_label(owners: np.ndarray, rows: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return where each label's rows start (K + 1,), and the rows (N, 3) by label, else in the order they were in."""
    starts = np.zeros(count + 1, np.int64)
    for owner in owners:
        starts[owner + 1] += 1
    starts = np.cumsum(starts)
    free, ordered = starts.copy(), np.empty_like(rows)
    for i in range(len(owners)):
        ordered[free[owners[i]]] = rows[i]
        free[owners[i]] += 1
    return starts, ordered


@njit(cache=True, nogil=True)
def rectangles(starts: np.ndarray, rows: np.ndarray, stats: np.ndarray) -> None:
    """Fill box and rectangle of ``stats`` (K, 11) from rows (N, 3): y, first x, last x, by label and y.

    Label k has rows starts[k] to starts[k + 1]; one without any keeps what it has.
    """
    longest = 0
    for k in range(len(stats)):
        longest = max(longest, starts[k + 1] - starts[k])
    hull, left = np.empty((2 * longest, 2), np.int64), np.empty((longest, 2), np.int64)
    for k in range(len(stats)):
        own = rows[starts[k] : starts[k + 1]]
        if len(own):
            stats[k, 2], stats[k, 4] = own[:, 1].min(), own[:, 2].max()
            stats[k, 3], stats[k, 5] = own[0, 0], own[-1, 0]
            _rectangle(hull[: _hull(own, hull, left)], stats[k, 6:])


@njit(cache=True, nogil=True)
def _hull(rows: np.ndarray, hull: np.ndarray, left: np.ndarray) -> int:
    """Write the hull's corners into ``hull``, the right side downwards and the left side up; return how many."""
    right_count = _side(rows, 2, 1, hull)
    left_count = _side(rows, 1, -1, left)
    count = right_count
    for i in range(left_count - 1, -1, -1):
        # The first or last row may be one pixel, a corner of both sides.
        shared = 0 if i == 0 else right_count - 1
        if (i == 0 or i == left_count - 1) and left[i, 0] == hull[shared, 0] and left[i, 1] == hull[shared, 1]:
            continue
        hull[count] = left[i]
        count += 1
    return count


@njit(cache=True, nogil=True)
def _side(rows: np.ndarray, column: int, turn: int, side: np.ndarray) -> int:
    """Write the corners (x, y) of one side of the hull into ``side``, by y; return how many. turn: 1 right, -1 left."""
    count = 0
    for i in range(len(rows)):
        x, y = np.int64(rows[i, column]), np.int64(rows[i, 0])
        while count > 1:
            ax, ay = side[count - 2, 0], side[count - 2, 1]
            bx, by = side[count - 1, 0], side[count - 1, 1]
            if turn * ((bx - ax) * (y - by) - (by - ay) * (x - bx)) > 0:
                break
            count -= 1
        side[count, 0], side[count, 1] = x, y
        count += 1
    return count


@njit(cache=True, nogil=True)
def _rectangle(hull: np.ndarray, out: np.ndarray) -> None:
    """Write centre x, centre y, width, height, angle of the rectangle of least area around ``hull`` (N, 2) into out.

    The corner farthest along, across and back only moves on as the edges turn. Whole numbers but for the last
    division, so that equal areas are equal.
    """
    count = len(hull)
    if count == 1:
        out[0], out[1], out[2:] = hull[0, 0], hull[0, 1], 0.0
        return
    least, best_dx, best_dy = np.inf, np.int64(1), np.int64(0)
    far, high, back = 1, 1, 1
    for i in range(count):
        following = (i + 1) % count
        dx, dy = hull[following, 0] - hull[i, 0], hull[following, 1] - hull[i, 1]
        while _step(hull, far, dx, dy) > 0:
            far = (far + 1) % count
        high = far if i == 0 else high
        while _step(hull, high, -dy, dx) > 0:
            high = (high + 1) % count
        back = high if i == 0 else back
        while _step(hull, back, dx, dy) < 0:
            back = (back + 1) % count
        along = (hull[far, 0] - hull[back, 0]) * dx + (hull[far, 1] - hull[back, 1]) * dy
        across = (hull[high, 1] - hull[i, 1]) * dx - (hull[high, 0] - hull[i, 0]) * dy
        area = np.float64(along) * np.float64(across) / np.float64(dx * dx + dy * dy)
        while dx <= 0 or dy < 0:
            dx, dy = -dy, dx
        if area < least or (area == least and dy * best_dx < best_dy * dx):
            least, best_dx, best_dy = area, dx, dy
    _measure(hull, best_dx, best_dy, out)


@njit(cache=True, nogil=True)
def _step(hull: np.ndarray, i: int, dx: int, dy: int) -> int:
    """Return how far the next corner after ``i`` lies along (dx, dy)."""
    following = (i + 1) % len(hull)
    return (hull[following, 0] - hull[i, 0]) * dx + (hull[following, 1] - hull[i, 1]) * dy


@njit(cache=True, nogil=True)
def _measure(hull: np.ndarray, dx: int, dy: int, out: np.ndarray) -> None:
    """Write the rectangle around ``hull`` (N, 2) whose width runs along (dx, dy) into ``out`` (5,)."""
    along, across = hull[:, 0] * dx + hull[:, 1] * dy, hull[:, 1] * dx - hull[:, 0] * dy
    square = np.float64(dx * dx + dy * dy)
    u, v = (along.max() + along.min()) / 2, (across.max() + across.min()) / 2
    out[0], out[1] = (u * dx - v * dy) / square, (u * dy + v * dx) / square
    out[2], out[3] = (along.max() - along.min()) / sqrt(square), (across.max() - across.min()) / sqrt(square)
    out[4] = degrees(atan2(np.float64(dy), np.float64(dx)))
