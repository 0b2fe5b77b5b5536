"""``association`` in Numba, and the assignment's hard part in scipy.

One thread: a frame's pairs take microseconds, less than waking a second thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import inf

import numpy as np
from numba import njit

_NONE = np.empty(0)
_NO_MASK = np.empty(0, np.bool_)
_NO_FEATURES = np.empty((0, 0), np.float32)
_NO_SPREAD = np.empty((0, 4))

# Costs looked at in one step. A constant length lets the compiler compare them without a remainder.
BLOCK = 32


def gated_cost(
    tracks: np.ndarray,
    boxes: np.ndarray,
    track_groups: np.ndarray,
    box_groups: np.ndarray,
    *,
    buffer: float = 0.0,
    height_power: float = 0.0,
    scores: np.ndarray | None = None,
    track_features: np.ndarray | None = None,
    box_features: np.ndarray | None = None,
    max_cosine: float = 0.25,
    min_overlap: float = 0.0,
    spread: np.ndarray | None = None,
    max_motion: float = inf,
) -> np.ndarray:
    """Return what it costs to give each box to each track; see the package."""
    cost = np.empty((len(tracks), len(boxes)))
    tracks, boxes = np.ascontiguousarray(tracks), np.ascontiguousarray(boxes)
    track_groups, box_groups = np.ascontiguousarray(track_groups), np.ascontiguousarray(box_groups)
    _overlaps(tracks, boxes, track_groups, box_groups, float(buffer), float(height_power), cost)
    weights = _NONE if scores is None else np.ascontiguousarray(scores)
    if track_features is None or box_features is None:
        track_features = box_features = _NO_FEATURES
    if spread is None and track_features is _NO_FEATURES:
        _weigh(weights, cost)
        return cost
    _gate(
        tracks, boxes, weights, np.ascontiguousarray(track_features), np.ascontiguousarray(box_features),
        float(max_cosine), float(min_overlap), _NO_SPREAD if spread is None else np.ascontiguousarray(spread),
        float(max_motion), cost,
    )  # fmt: skip
    return cost


def assign(
    cost: np.ndarray, limit: float, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> np.ndarray:
    """Return the pairs of least total cost; see the package."""
    pairs, left_rows, left_columns, left = _alone(*_contiguous(cost, limit, rows, columns))
    if len(left):
        _scatter(*_solver()(left), left, float(limit), left_rows, left_columns, pairs)
    return pairs


def assign_greedy(
    cost: np.ndarray, limit: float, rows: np.ndarray | None = None, columns: np.ndarray | None = None
) -> np.ndarray:
    """Return pairs made one by one, the cheapest left first; see the package."""
    return _greedy(*_contiguous(cost, limit, rows, columns))


@cache
def _solver() -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Return scipy's solver. Importing it costs 0.36 s: paid at the first pairing that needs it."""
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment


def _contiguous(
    cost: np.ndarray, limit: float, rows: np.ndarray | None, columns: np.ndarray | None
) -> tuple[np.ndarray, float, np.ndarray, np.ndarray]:
    """Return the arguments in one memory layout; an empty mask stands for none."""
    rows = _NO_MASK if rows is None else np.ascontiguousarray(rows)
    columns = _NO_MASK if columns is None else np.ascontiguousarray(columns)
    return np.ascontiguousarray(cost), float(limit), rows, columns


@njit(cache=True, nogil=True, error_model="numpy")
def _overlaps(
    tracks: np.ndarray, boxes: np.ndarray, track_groups: np.ndarray, box_groups: np.ndarray, buffer: float,
    height_power: float, out: np.ndarray,
) -> None:  # fmt: skip
    """Write the overlaps of ``tracks`` (T, 4) and ``boxes`` (N, 4) into ``out`` (T, N); NaN for pairs that are out."""
    left, top, right, bottom, area = np.empty((5, len(boxes)))
    for j in range(len(boxes)):
        left[j], top[j], right[j], bottom[j] = _grown(boxes[j], buffer)
        area[j] = (right[j] - left[j]) * (bottom[j] - top[j])
    for i in range(len(tracks)):
        x1, y1, x2, y2 = _grown(tracks[i], buffer)
        own, group, row = (x2 - x1) * (y2 - y1), track_groups[i], out[i]
        for j in range(len(boxes)):
            # Plain comparisons, not min and max: these become one instruction each. A NaN reaches the areas anyway.
            width = (x2 if x2 < right[j] else right[j]) - (x1 if x1 > left[j] else left[j])
            height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
            shared = (width if width > 0.0 else 0.0) * (height if height > 0.0 else 0.0)
            union = own + area[j] - shared
            overlap = shared / union if union > 0.0 else 0.0
            row[j] = overlap if abs(union) < np.inf and group == box_groups[j] else np.nan
        if height_power == 1.0:
            for j in range(len(boxes)):
                height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
                joint = (y2 if y2 > bottom[j] else bottom[j]) - (y1 if y1 < top[j] else top[j])
                row[j] *= height / joint if height > 0.0 else 0.0
        elif height_power == 0.5:
            for j in range(len(boxes)):
                height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
                joint = (y2 if y2 > bottom[j] else bottom[j]) - (y1 if y1 < top[j] else top[j])
                row[j] *= np.sqrt(height / joint if height > 0.0 else 0.0)
        elif height_power:
            # A power costs more than all the rest, so only where there is an overlap.
            for j in range(len(boxes)):
                if row[j] > 0:
                    height = (y2 if y2 < bottom[j] else bottom[j]) - (y1 if y1 > top[j] else top[j])
                    joint = (y2 if y2 > bottom[j] else bottom[j]) - (y1 if y1 < top[j] else top[j])
                    row[j] *= (height / joint) ** height_power


@njit(cache=True, nogil=True, error_model="numpy")
def _grown(box: np.ndarray, buffer: float) -> tuple[float, float, float, float]:
    """Return the corners of ``box`` (4,) grown on each side by ``buffer`` times its own width and height."""
    wide, high = buffer * (box[2] - box[0]), buffer * (box[3] - box[1])
    return box[0] - wide, box[1] - high, box[2] + wide, box[3] + high


@njit(cache=True, nogil=True, error_model="numpy")
def _weigh(weights: np.ndarray, cost: np.ndarray) -> None:
    """Turn overlaps into costs in ``cost`` (T, N): times ``weights`` (N,) where there are any, inf for what is out."""
    weights = weights if len(weights) else np.ones(cost.shape[1])
    for i in range(len(cost)):
        row = cost[i]
        for j in range(len(row)):
            value = 1.0 - row[j] * weights[j]
            row[j] = value if abs(value) < np.inf else np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _gate(
    tracks: np.ndarray, boxes: np.ndarray, weights: np.ndarray, track_features: np.ndarray, box_features: np.ndarray,
    max_cosine: float, min_overlap: float, spread: np.ndarray, max_motion: float, cost: np.ndarray,
) -> None:  # fmt: skip
    """Turn overlaps into costs in ``cost`` (T, N), by motion and by appearance where there are any."""
    # A row stays in the cache from one pass to the next.
    overlap, shapes, known = np.empty(len(boxes)), np.empty((4, len(boxes))), np.empty(len(box_features), np.bool_)
    for j in range(len(boxes)):
        shapes[0, j], shapes[1, j], shapes[2, j], shapes[3, j] = _shape(boxes[j])
    for j in range(len(known)):
        known[j] = _has_some(box_features[j])
    for i in range(len(tracks)):
        overlap[:] = cost[i]
        _weigh(weights, cost[i : i + 1])
        if len(spread):
            _move(_shape(tracks[i]), shapes, spread[i], max_motion, cost[i])
        if len(known) and _has_some(track_features[i]):
            _resemble(track_features[i], box_features, known, max_cosine, overlap, min_overlap, cost[i])


@njit(cache=True, nogil=True, error_model="numpy")
def _move(
    track: tuple[float, float, float, float], shapes: np.ndarray, spread: np.ndarray, max_motion: float, row: np.ndarray
) -> None:
    """Set ``row`` (N,) to inf where centre, width and height of ``shapes`` (4, N) are too far from the track's."""
    x, y, width, height = track
    first, second, third, fourth = 1 / spread[0], 1 / spread[1], 1 / spread[2], 1 / spread[3]
    for j in range(len(row)):
        right, down, wide, high = x - shapes[0, j], y - shapes[1, j], width - shapes[2, j], height - shapes[3, j]
        distance = right * right * first + down * down * second + wide * wide * third + high * high * fourth
        row[j] = row[j] if distance <= max_motion else np.inf


@njit(cache=True, nogil=True, error_model="numpy")
def _shape(box: np.ndarray) -> tuple[float, float, float, float]:
    """Return centre x, centre y, width and height of ``box`` (4,)."""
    width, height = box[2] - box[0], box[3] - box[1]
    return box[0] + width / 2, box[1] + height / 2, width, height


@njit(cache=True, nogil=True)
def _has_some(features: np.ndarray) -> bool:
    """Tell whether a row (D,) is not all zeros; mostly its first number says so."""
    for value in features:
        if value != 0:
            return True
    return False


@njit(cache=True, nogil=True)
def _resemble(
    features: np.ndarray, box_features: np.ndarray, known: np.ndarray, max_cosine: float, overlap: np.ndarray,
    min_overlap: float, row: np.ndarray,
) -> None:  # fmt: skip
    """Lower ``row`` (N,) to the cosine distance of the track's ``features`` (D,) where the gates let it."""
    for j in range(len(row)):
        if overlap[j] >= min_overlap and known[j] and row[j] < np.inf:
            distance = (1.0 - np.float64(np.float32(_dot(features, box_features[j])))) / 2
            distance = 0.0 if distance < 0.0 else 1.0 if distance > 1.0 else distance
            if distance <= max_cosine and distance < row[j]:
                row[j] = distance


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _dot(a: np.ndarray, b: np.ndarray) -> float:
    """Return the dot product of float32 rows (D,) in float64: exact products, summed in the machine's order."""
    total = 0.0
    for k in range(len(a)):
        total += np.float64(a[k]) * np.float64(b[k])
    return total


@njit(cache=True, nogil=True)
def _edges(cost: np.ndarray, limit: float, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns, (E,) int64 each, of the pairs of ``cost`` (T, N) that can be made, row by row."""
    count, across = 0, cost.shape[1]
    whole = across - across % BLOCK
    found = np.empty((2, 4 * len(cost) + across), np.int64)
    for i in range(len(cost)):
        if len(rows) and not rows[i]:
            continue
        if found.shape[1] < count + across:
            larger = np.empty((2, 2 * found.shape[1] + across), np.int64)
            larger[:, :count] = found[:, :count]
            found = larger
        for start in range(0, across, BLOCK):
            if start < whole:
                # Most costs are above the limit: a block without one below goes at once.
                block, below = cost[i, start : start + BLOCK], np.int32(0)
                for k in range(BLOCK):
                    below += np.int32(block[k] < limit)
                if not below:
                    continue
            for j in range(start, min(start + BLOCK, across)):
                if cost[i, j] < limit and (not len(columns) or columns[j]):
                    found[0, count], found[1, count] = i, j
                    count += 1
    return found[0, :count], found[1, :count]


@njit(cache=True, nogil=True)
def _alone(
    cost: np.ndarray, limit: float, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return (T,) pairs of rows and columns that nothing else can pair with, and rows, columns and costs of the rest.

    A row and a column with one another alone are a pair; a row with several columns that are its alone takes the
    cheapest, and so does a column. The rest's costs (R, C) are capped at ``limit``.
    """
    at, to = _edges(cost, limit, rows, columns)
    # Of each row and column: how many it can pair with, whether one of these can pair with others, its place in the
    # rest from 1 on.
    row, column = np.zeros((3, cost.shape[0]), np.int64), np.zeros((3, cost.shape[1]), np.int64)
    for e in range(len(at)):
        if cost[at[e], to[e]] == -np.inf:
            raise ValueError("cost: got -inf, expected numbers above it")
        row[0, at[e]] += 1
        column[0, to[e]] += 1
    for e in range(len(at)):
        row[1, at[e]] |= column[0, to[e]] > 1
        column[1, to[e]] |= row[0, at[e]] > 1
    pairs, owner = np.full(cost.shape[0], -1), np.full(cost.shape[1], -1)
    for e in range(len(at)):
        i, j = at[e], to[e]
        if row[1, i] and column[1, j]:
            row[2, i] = column[2, j] = 1
        elif (pairs[i] < 0 or cost[i, j] < cost[i, pairs[i]]) and (owner[j] < 0 or cost[i, j] < cost[owner[j], j]):
            if owner[j] >= 0:
                pairs[owner[j]] = -1
            if pairs[i] >= 0:
                owner[pairs[i]] = -1
            pairs[i], owner[j] = j, i
    left_rows, left_columns = _numbered(row[2]), _numbered(column[2])
    left = np.full((len(left_rows), len(left_columns)), limit)
    for e in range(len(at)):
        if row[2, at[e]]:
            left[row[2, at[e]] - 1, column[2, to[e]] - 1] = cost[at[e], to[e]]
    return pairs, left_rows, left_columns, left


@njit(cache=True, nogil=True)
def _numbered(marks: np.ndarray) -> np.ndarray:
    """Return where ``marks`` are 1, and number those from 1 on in place."""
    found = np.empty(marks.sum(), np.int64)
    count = 0
    for index in range(len(marks)):
        if marks[index]:
            found[count] = index
            count += 1
            marks[index] = count
    return found


@njit(cache=True, nogil=True)
def _scatter(
    at: np.ndarray, to: np.ndarray, left: np.ndarray, limit: float, rows: np.ndarray, columns: np.ndarray,
    pairs: np.ndarray,
) -> None:  # fmt: skip
    """Write the pairs (at, to) of ``left`` (R, C) that cost less than ``limit`` into ``pairs`` (T,)."""
    for k in range(len(at)):
        if left[at[k], to[k]] < limit:
            pairs[rows[at[k]]] = columns[to[k]]


@njit(cache=True, nogil=True)
def _greedy(cost: np.ndarray, limit: float, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the column (T,) of each row, the cheapest pairs first."""
    at, to = _edges(cost, limit, rows, columns)
    costs = np.empty(len(at))
    for e in range(len(at)):
        costs[e] = cost[at[e], to[e]]
    pairs, taken = np.full(cost.shape[0], -1), np.zeros(cost.shape[1], np.bool_)
    # The pairs come row by row, so a stable sort leaves equal costs in the order of row, then column.
    for e in np.argsort(costs, kind="mergesort"):
        if pairs[at[e]] < 0 and not taken[to[e]]:
            pairs[at[e]] = to[e]
            taken[to[e]] = True
    return pairs
