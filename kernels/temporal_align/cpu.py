"""``temporal_align`` in Numba, over the cells that are similar, row by row; ``dtw`` alone passes over all of them.

One thread: every cell waits for those before it, and pairs of videos run beside each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from vtk.kernels.temporal_align import boxes
from vtk.kernels.temporal_align.cells import (
    Cells, Paths, every_cell, hits, lengths, listed, rows_of, unmarked, values_at,
)  # fmt: skip

# Anti-diagonals between two that ``dtw`` remembers: what it keeps and what it computes again are both small then.
STRIDE = 512

# States of a cell in ``dynamic_programming``.
MATCHED, CLOSED = 1, 2


def hough(similarity: np.ndarray | Sequence[Any], *, min_sim: float = 0.2, max_peaks: int = 100,
          max_iou: float = 0.9, whole: bool = False) -> np.ndarray:  # fmt: skip
    """Return the diagonals that most similarity lies on; see the package."""
    return peaks(hits(similarity, min_sim), lengths(similarity), max_peaks, max_iou, whole)


def temporal_network(similarity: np.ndarray | Sequence[Any], *, max_step: int = 10, top_k: int = 5, max_path: int = 10,
                     min_sim: float = 0.2, min_length: int = 5, max_iou: float = 0.3) -> np.ndarray:  # fmt: skip
    """Return the longest paths through each query frame's most similar references; see the package."""
    return network(hits(similarity, min_sim), max_step, top_k, max_path, min_sim, min_length, max_iou)


def dynamic_programming(similarity: np.ndarray | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.0,
                        ave_sim: float = 0.3, min_length: int = 5, max_straight: int = 30,
                        max_paths: int = 100) -> np.ndarray:  # fmt: skip
    """Return the paths that earn most similarity, with few unmatched cells; see the package."""
    queries, refs = lengths(similarity)
    if isinstance(similarity, np.ndarray):
        cells = every_cell(similarity)
    else:
        known, starts = listed(similarity), np.zeros(queries + 1, np.int64)
        reach = min(discontinue, queries + refs)
        none = np.zeros(0, np.int64), np.zeros(0, np.float32)
        _widen(*known, min_sim, reach, refs, starts, *none)
        cells = Cells(starts, np.empty(starts[-1], np.int64), np.empty(starts[-1], np.float32))
        _widen(*known, min_sim, reach, refs, *cells)
    paths = unmarked(cells, min_sim)
    _relax(0, -1, 0, refs, refs, discontinue, *cells, *paths)
    return take(cells, paths, refs, discontinue, min_sim, ave_sim, min_length, max_straight, max_paths)


def dtw(similarity: np.ndarray | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.2,
        min_length: int = 5) -> np.ndarray:  # fmt: skip
    """Return the parts of the cheapest path from corner to corner that are similar; see the package."""
    queries, refs = lengths(similarity)
    if not queries or not refs:
        return boxes.ordered([])
    if isinstance(similarity, np.ndarray):
        known = full = np.ascontiguousarray(similarity)
        rows, values, bounds = np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.int64)
    else:
        known, full = listed(similarity), np.zeros((0, 0), np.float32)
        lines = rows_of(known) + known.columns
        order = np.argsort(lines, kind="stable")
        rows, values = rows_of(known)[order], known.values[order]
        bounds = np.searchsorted(lines[order], np.arange(queries + refs))
    path = _warp(full, rows, values, bounds, queries, refs)
    found = boxes.path_boxes(path, values_at(known, path, refs), min_sim, min_sim, min_length, discontinue)
    return boxes.ordered(found)


def diagonal(similarity: np.ndarray | Sequence[Any], *, min_sim: float = 0.4, slowest: float = 0.4,
             fastest: float = 2.5, speed_step: float = 1.1, band: float = 2.0, max_gap: int = 8,
             gap_cost: float = 0.05, min_length: int = 5, min_score: float = 2.0, min_mean: float = 0.15,
             max_overlap: float = 0.5, max_segments: int = 100) -> np.ndarray:  # fmt: skip
    """Return straight runs of similar frames at any speed that is searched; see the package."""
    found = runs(hits(similarity, min_sim), boxes.speeds(slowest, fastest, speed_step), min_sim, band, max_gap,
                 gap_cost)  # fmt: skip
    return boxes.segments(
        found, slowest, fastest, max_gap, min_length, min_score, min_mean, max_overlap, max_segments
    )  # fmt: skip


def peaks(cells: Cells, frames: tuple[int, int], max_peaks: int, max_iou: float, whole: bool) -> np.ndarray:
    """Return the boxes of the diagonals that the hits ``cells``, of a map of so many ``frames``, lie on."""
    sums, ends = np.zeros(sum(frames)), np.full((2, sum(frames)), -1)
    _vote(*cells, frames[0], sums, ends)
    return boxes.diagonals(sums, ends, frames, max_peaks, max_iou, whole)


def network(cells: Cells, max_step: int, top_k: int, max_path: int, min_sim: float, min_length: int,
            max_iou: float) -> np.ndarray:  # fmt: skip
    """Return the boxes of the longest paths through the ``top_k`` best hits of each row."""
    chosen = _best(cells.starts, cells.values, top_k)
    rows, columns, weights = rows_of(cells)[chosen], cells.columns[chosen], cells.values[chosen].astype(np.float64)
    found: list[boxes.Box] = []
    for _ in range(max_path if len(rows) else 0):
        first, last, score = _longest(rows, columns, weights, max_step)
        if not score > 0:
            break
        box = (*map(float, (rows[first], columns[first], rows[last] + 1, columns[last] + 1)), float(score))
        if boxes.dense_enough(box, min_sim, min_length):
            found = boxes.kept([*found, box], max_iou, max_path)
    return boxes.ordered(found)


def take(cells: Cells, paths: Paths, refs: int, discontinue: int, min_sim: float, ave_sim: float, min_length: int,
         max_straight: int, max_paths: int) -> np.ndarray:  # fmt: skip
    """Return the boxes of the paths, each the best that those before leave."""
    tops = np.full(len(cells.starts) - 1, -1)
    _summits(0, len(tops), cells.starts, paths.totals, paths.states, tops)
    found: list[boxes.Box] = []
    for _ in range(max_paths if len(cells.columns) else 0):
        row = int(np.argmax(np.where(tops >= 0, paths.totals[tops], 0)))
        if tops[row] < 0:
            break
        places = _trace(row, tops[row], cells.starts, cells.columns, paths.ways)
        path = np.stack([np.searchsorted(cells.starts, places, side="right") - 1, cells.columns[places]], axis=1)
        values = cells.values[places].astype(np.float64)
        found += boxes.path_boxes(path, values, min_sim, ave_sim, min_length, max_straight)
        (q0, r0), (q1, r1) = path[0].tolist(), path[-1].tolist()
        stop = _relax(q0, q1, r0, r1, refs, discontinue, *cells, *paths)
        _summits(q0, stop, cells.starts, paths.totals, paths.states, tops)
    return boxes.ordered(found)


def runs(cells: Cells, speeds: Sequence[float], min_sim: float, band: float, max_gap: int,
         gap_cost: float) -> list[boxes.Box]:  # fmt: skip
    """Return the boxes of the runs of three hits or more at each of ``speeds``."""
    gains, rows, found = cells.values.astype(np.float64) - min_sim, rows_of(cells), []
    for speed in speeds:
        totals, before = _chain(cells.starts, cells.columns, gains, speed, band, max_gap, gap_cost)
        ends = np.flatnonzero(before >= 0)
        starts, ends, scores = _runs(ends[np.argsort(-totals[ends], kind="stable")], totals, before)
        found.append(np.stack([rows[starts], cells.columns[starts], rows[ends] + 1, cells.columns[ends] + 1, scores]))
    return list(map(tuple, np.concatenate(found, axis=1).T.tolist()))


@njit(cache=True, nogil=True)
def _vote(starts: np.ndarray, columns: np.ndarray, values: np.ndarray, queries: int, sums: np.ndarray,
          ends: np.ndarray) -> None:  # fmt: skip
    """Add each hit to the sum of its offset, column - row + queries, and note the offset's first and last row."""
    for i in range(len(starts) - 1):
        for h in range(starts[i], starts[i + 1]):
            line = columns[h] - i + queries
            sums[line] += values[h]
            if ends[1, line] < 0:
                ends[0, line] = i
            ends[1, line] = i


@njit(cache=True, nogil=True)
def _best(starts: np.ndarray, values: np.ndarray, top_k: int) -> np.ndarray:
    """Tell for each hit whether it is among the ``top_k`` of its row, of equal ones the first."""
    chosen = np.zeros(len(values), np.bool_)
    for i in range(len(starts) - 1):
        size, count = min(top_k, starts[i + 1] - starts[i]), 0
        best = np.empty(size, np.int64)
        for h in range(starts[i], starts[i + 1]):
            if count == size and values[h] <= values[best[size - 1]]:
                continue
            count = min(count + 1, size)
            at = count - 1
            while at > 0 and values[best[at - 1]] < values[h]:
                best[at] = best[at - 1]
                at -= 1
            best[at] = h
        for h in best:
            chosen[h] = True
    return chosen


@njit(cache=True, nogil=True)
def _longest(rows: np.ndarray, columns: np.ndarray, weights: np.ndarray, max_step: int) -> tuple[int, int, float]:
    """Return first and last node and the weight of the path of greatest weight, and set its weights to 0."""
    totals, before = weights.copy(), np.full(len(weights), -1)
    for a in range(len(rows)):
        # The least column linked in the rows before the target's: nothing beyond it is linked any more.
        nearest, pending, row = columns[a] + max_step, columns[a] + max_step, rows[a]
        for b in range(a + 1, len(rows)):
            if rows[b] - rows[a] >= max_step:
                break
            if rows[b] > row:
                nearest, row = min(nearest, pending), rows[b]
            if rows[b] > rows[a] and 0 < columns[b] - columns[a] < max_step and columns[b] <= nearest:
                pending = min(pending, columns[b])
                if totals[a] > 0 and totals[a] + weights[b] > totals[b]:
                    totals[b], before[b] = totals[a] + weights[b], a
    last = np.argmax(totals)
    first = last
    weights[last] = 0
    while before[first] >= 0:
        first = before[first]
        weights[first] = 0
    return first, last, totals[last]


@njit(cache=True, nogil=True)
def _widen(starts: np.ndarray, columns: np.ndarray, values: np.ndarray, low: float, reach: int, refs: int,
           out_starts: np.ndarray, out_columns: np.ndarray, out_values: np.ndarray) -> None:  # fmt: skip
    """Write the ``Cells`` that paths can reach: up to ``reach`` rows and columns after one above ``low``.

    Without room in ``out_columns`` it only counts, into ``out_starts`` (Q + 1,).
    """
    at = 0
    for i in range(len(starts) - 1):
        near = slice(starts[max(0, i - reach)], starts[i + 1])
        free, entry = 0, starts[i]
        for column in np.sort(columns[near][values[near] > low]):
            for j in range(max(column, free), min(column + reach + 1, refs)):
                if len(out_columns):
                    while entry < starts[i + 1] and columns[entry] < j:
                        entry += 1
                    known = entry < starts[i + 1] and columns[entry] == j
                    out_columns[at], out_values[at] = j, values[entry] if known else 0
                at += 1
            free = max(free, min(column + reach + 1, refs))
        out_starts[i + 1] = at


@njit(cache=True, nogil=True)
def _summits(first: int, stop: int, starts: np.ndarray, totals: np.ndarray, states: np.ndarray,
             tops: np.ndarray) -> None:  # fmt: skip
    """Write the place of the best matched cell of each row from ``first`` to ``stop``, -1 where there is none."""
    for i in range(first, stop):
        tops[i] = -1
        for k in range(starts[i], starts[i + 1]):
            if states[k] == MATCHED and (tops[i] < 0 or totals[k] > totals[tops[i]]):
                tops[i] = k


@njit(cache=True, nogil=True)
def _trace(row: int, place: int, starts: np.ndarray, columns: np.ndarray, ways: np.ndarray) -> np.ndarray:
    """Return the places of the cells of the path that ends at one, from its beginning."""
    places = [place]
    while ways[place]:
        column = columns[place] - (ways[place] != 2)
        row -= ways[place] != 3
        place = starts[row] + np.searchsorted(columns[starts[row] : starts[row + 1]], column)
        places.append(place)
    return np.array(places[::-1])


@njit(cache=True, nogil=True)
def _relax(top: int, bottom: int, left: int, right: int, refs: int, discontinue: int, starts: np.ndarray,
           columns: np.ndarray, values: np.ndarray, totals: np.ndarray, counts: np.ndarray, ways: np.ndarray,
           states: np.ndarray) -> int:  # fmt: skip
    """Close the box top..bottom, left..right and bring the paths up to date; return the row that nothing reaches.

    With a bottom above the top nothing is closed and every row is computed.
    """
    every, low, high = bottom < top, refs, -1
    for i in range(top, len(starts) - 1):
        if i <= bottom or every:
            low, high = (0, refs) if every else (min(low, left), max(high, right))
        elif low > high:
            return i
        start, stop = starts[i], starts[i + 1]
        before = starts[i - 1] if i else start
        above = before + np.searchsorted(columns[before:start], low - 1)
        first, last = refs, -2
        for k in range(start + np.searchsorted(columns[start:stop], low), stop):
            j = columns[k]
            if j > high and j > last + 1:
                break
            if i <= bottom and left <= j <= right:
                states[k] = CLOSED
            while above < start and columns[above] < j - 1:
                above += 1
            corner = above < start and columns[above] == j - 1
            over = above + corner
            beside = k > start and columns[k - 1] == j - 1
            total, count, way = _step(
                np.float64(values[k]) + 1.0, states[k], discontinue,
                totals[above] if corner else 0.0, counts[above] if corner else 0,
                totals[over] if over < start and columns[over] == j else 0.0, counts[over] if over < start else 0,
                totals[k - 1] if beside else 0.0, counts[k - 1] if beside else 0,
            )  # fmt: skip
            if total != totals[k] or count != counts[k] or way != ways[k]:
                totals[k], counts[k], ways[k] = total, count, way
                first, last = min(first, j), j
        low, high = first, last + 1
    return len(starts) - 1


@njit(cache=True, nogil=True)
def _step(own: float, state: int, discontinue: int, corner: float, corners: int, over: float, overs: int,
          beside: float, besides: int) -> tuple[float, int, int]:  # fmt: skip
    """Return what a cell earns, its unmatched cells and its way, from totals and counts of the three before it."""
    if state == CLOSED:
        return 0.0, 0, 0
    half, missed = 0.5 * own, state != MATCHED
    total, count, way = -np.inf, 0, 0
    if corner > 0:
        total, count, way = corner + own, corners + missed, 1
    if over > 0 and over + half > total:
        total, count, way = over + half, overs + missed, 2
    if beside > 0 and beside + half > total:
        total, count, way = beside + half, besides + missed, 3
    if way and count <= discontinue and total > 0:
        return total, count, way
    return 0.0 if missed else own, 0, 0


@njit(cache=True, nogil=True)
def _warp(sims: np.ndarray, rows: np.ndarray, values: np.ndarray, bounds: np.ndarray, queries: int,
          refs: int) -> np.ndarray:  # fmt: skip
    """Return the cheapest path (P, 2) int64 from corner to corner of a map, or of entries by anti-diagonal."""
    lines, costs = np.full((3, queries + 2), np.inf), np.ones(queries)
    kept = np.empty(((queries + refs) // STRIDE + 1, 2, queries + 2))
    ways, unused = np.zeros((STRIDE, STRIDE + 1), np.uint8), np.zeros(0, np.uint8)
    for d in range(queries + refs - 1):
        if d % STRIDE == 0:
            kept[d // STRIDE, 0], kept[d // STRIDE, 1] = lines[(d + 1) % 3], lines[(d + 2) % 3]
        _line(d, max(0, d - refs + 1), min(d, queries - 1), 0, sims, rows, values, bounds, costs, lines, unused)
    path, size, i, j = np.empty((queries + refs, 2), np.int64), 0, queries - 1, refs - 1
    while i >= 0 and j >= 0:
        # In one stride a path can't leave the rows from base to its end, nor does what is wrong below come in.
        first, base, end = (i + j) // STRIDE * STRIDE, max(0, i - STRIDE), i
        lines[(first + 1) % 3], lines[(first + 2) % 3] = kept[first // STRIDE, 0], kept[first // STRIDE, 1]
        for d in range(first, i + j + 1):
            low, high = max(d - refs + 1, base), min(d, end)
            _line(d, low, high, base, sims, rows, values, bounds, costs, lines, ways[d - first])
        while i >= 0 and j >= 0 and i + j >= first:
            path[size] = i, j
            size += 1
            way = ways[i + j - first, i - base] if i + j else 1
            i, j = i - (way != 3), j - (way != 2)
    return path[:size][::-1].copy()


@njit(cache=True, nogil=True)
def _line(d: int, low: int, high: int, base: int, sims: np.ndarray, rows: np.ndarray, values: np.ndarray,
          bounds: np.ndarray, costs: np.ndarray, lines: np.ndarray, ways: np.ndarray) -> None:  # fmt: skip
    """Write what the cheapest paths to rows low..high of anti-diagonal d cost, row i at i + 1; and ways, if wanted."""
    here, near, far = lines[d % 3], lines[(d + 2) % 3], lines[(d + 1) % 3]
    for i in range(low, high + 1 if len(sims) else low):
        costs[i] = 1.0 - np.float64(sims[i, d - i])
    for h in range(bounds[d] if len(bounds) else 0, bounds[d + 1] if len(bounds) else 0):
        costs[rows[h]] = 1.0 - np.float64(values[h])
    for i in range(low, high + 1):
        # Plain comparisons, which become one instruction each.
        best = far[i] if far[i] <= near[i] else near[i]
        best = best if best <= near[i + 1] else near[i + 1]
        here[i + 1] = best + costs[i]
    for i in range(low, high + 1 if len(ways) else low):
        ways[i - base] = 1 if far[i] <= near[i] and far[i] <= near[i + 1] else 2 if near[i] <= near[i + 1] else 3
    here[low] = here[high + 2] = np.inf
    if d == 0:
        here[1] = costs[0]
    for h in range(bounds[d] if len(bounds) else 0, bounds[d + 1] if len(bounds) else 0):
        costs[rows[h]] = 1.0


@njit(cache=True, nogil=True)
def _chain(starts: np.ndarray, columns: np.ndarray, gains: np.ndarray, speed: float, band: float, max_gap: int,
           gap_cost: float) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return what the best run to each hit scores, and the hit before it there, -1 for none; see the package."""
    totals, before, centres = gains.copy(), np.full(len(gains), -1), np.empty(len(gains))
    for i in range(len(starts) - 1):
        for down in range(1, min(max_gap + 1, i) + 1 if starts[i + 1] > starts[i] else 1):
            first, stop = starts[i - down], starts[i - down + 1]
            for h in range(starts[i], starts[i + 1]):
                # A run's last hit is at most a band off its line, and this one another.
                j, offset, middle = columns[h], columns[h] - speed * i, columns[h] - speed * down
                while first < stop and columns[first] < middle - 2 * band - 1:
                    first += 1
                for p in range(first, stop):
                    if columns[p] > j or columns[p] > middle + 2 * band + 1:
                        break
                    off = abs(offset - centres[p])
                    total = gains[h] + (totals[p] - gap_cost * (down - 1 + max(0.0, off - 1.0)))
                    if off <= band and total > totals[h]:
                        totals[h], before[h] = total, p
        for h in range(starts[i], starts[i + 1]):
            p, offset = before[h], columns[h] - speed * i
            centres[h] = offset if p < 0 else centres[p] + (offset - centres[p]) * 0.1
    return totals, before


@njit(cache=True, nogil=True)
def _runs(ends: np.ndarray, totals: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return first hits, last hits and scores of the runs of three hits or more that end at ``ends``, best first."""
    used, firsts, lasts, scores = np.zeros(len(totals), np.bool_), ends.copy(), ends.copy(), np.zeros(len(ends))
    found = 0
    for end in ends:
        at, count, start = end, 0, end
        while at >= 0 and not used[at]:
            used[at], start, count, at = True, at, count + 1, before[at]
        if count >= 3:
            firsts[found], lasts[found] = start, end
            scores[found] = totals[end] - (totals[at] if at >= 0 else 0.0)
            found += 1
    return firsts[:found], lasts[:found], scores[:found]
