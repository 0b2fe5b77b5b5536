"""What every implementation does to paths and boxes once they are found: cut, compare, join and put in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil, floor, log

import numpy as np

# A path: cells (query, ref) in order. A box: query_start, ref_start, query_end, ref_end, score; ends exclusive.
Box = tuple[float, float, float, float, float]

# Frames that two parts of one segment may share on an axis: as many as two lines that cross a repeated frame do.
SHARED = 2


def ordered(found: Iterable[Box]) -> np.ndarray:
    """Return boxes as (S, 5) float32, best first, of equal ones the earlier."""
    rows = sorted(found, key=lambda box: (-box[4], *box[:4]))
    with np.errstate(over="ignore"):
        return np.array(rows, np.float64).reshape(-1, 5).astype(np.float32)


def kept(found: list[Box], limit: float, most: int, smaller: bool = False) -> list[Box]:
    """Return the boxes, in the order given, that overlap none kept before by more than ``limit``; ``most`` at most.

    The overlap is the shared area over the joint one, or over the smaller one's if ``smaller``.
    """
    rows = np.array(found, np.float64).reshape(-1, 5)
    areas = (rows[:, 2] - rows[:, 0]) * (rows[:, 3] - rows[:, 1])
    chosen: list[int] = []
    corners, sizes = np.empty((4, min(most, len(rows)))), np.empty(min(most, len(rows)))
    for k, (q0, r0, q1, r1) in enumerate(rows[:, :4].tolist()):
        count = len(chosen)
        if count == len(sizes):
            break
        down = np.minimum(corners[2, :count], q1) - np.maximum(corners[0, :count], q0)
        across = np.minimum(corners[3, :count], r1) - np.maximum(corners[1, :count], r0)
        shared = np.maximum(down, 0) * np.maximum(across, 0)
        whole = np.minimum(sizes[:count], areas[k]) if smaller else sizes[:count] + areas[k] - shared
        if not (shared / whole > limit).any():
            corners[:, count], sizes[count] = (q0, r0, q1, r1), areas[k]
            chosen.append(k)
    return [found[k] for k in chosen]


def diagonals(
    sums: np.ndarray, ends: np.ndarray, frames: tuple[int, int], max_peaks: int, max_iou: float, whole: bool
) -> np.ndarray:
    """Return the boxes (S, 5) of the best diagonals.

    sums (Q + R,) float64 and ends (2, Q + R) int64, first and last row, of the hits at each ref - query + Q; ends are
    -1 where there is none. frames: Q and R.
    """
    queries, refs = frames
    lines = np.flatnonzero(ends[1] >= 0)
    found = []
    for line in lines[np.argsort(-sums[lines], kind="stable")][:max_peaks].tolist():
        offset = line - queries
        start, stop = (max(0, -offset), min(queries, refs - offset)) if whole else (ends[0, line], ends[1, line] + 1)
        found.append((*map(float, (start, start + offset, stop, stop + offset)), float(sums[line])))
    return ordered(kept(found, max_iou, max_peaks))


def dense_enough(box: Box, min_sim: float, min_length: int) -> bool:
    """Tell whether a box scores above ``min_sim`` a frame of its mean side, and both sides are above the length."""
    sides = box[2] - box[0], box[3] - box[1]
    return box[4] / (sum(sides) / 2) > min_sim and min(sides) > min_length


def pieces(path: np.ndarray, longest: int) -> Iterator[tuple[int, int]]:
    """Yield start and stop of the parts of a path (P, 2) between runs of over ``longest`` steps along one axis."""
    moves = np.diff(path, axis=0)
    kinds = np.where(moves[:, 1] == 0, 1, np.where(moves[:, 0] == 0, 2, 0))
    turns = np.flatnonzero(np.diff(kinds)) + 1
    first = 0
    for start, stop in zip([0, *turns], [*turns, len(kinds)], strict=True):
        if stop - start > longest and kinds[start]:
            yield first, int(start) + 1
            first = int(stop)
    yield first, len(path)


def path_boxes(
    path: np.ndarray, values: np.ndarray, low: float, least_mean: float, min_length: int, longest: int
) -> Iterator[Box]:
    """Yield the boxes of a path's pieces whose mean is above ``least_mean`` and whose sides are above ``min_length``.

    path (P, 2) int64; values (P,) float64, the similarities on it. A piece begins and ends at a value above ``low``.
    """
    for start, stop in pieces(path, longest):
        good = np.flatnonzero(values[start:stop] > low)
        if not len(good):
            continue
        start, stop = start + int(good[0]), start + int(good[-1]) + 1
        ends, total = path[stop - 1] + 1, float(np.cumsum(values[start:stop])[-1])
        if (ends - path[start]).min() > min_length and total / (stop - start) > least_mean:
            yield (*map(float, path[start]), *map(float, ends), total)


def speeds(slowest: float, fastest: float, step: float) -> list[float]:
    """Return powers of ``step`` in [slowest, fastest], so 1 too where it lies between, and both ends."""
    powers = range(ceil(log(slowest) / log(step)), floor(log(fastest) / log(step)) + 1)
    return sorted({float(slowest), float(fastest), *(float(step) ** power for power in powers)})


def segments(
    candidates: list[Box], slowest: float, fastest: float, max_gap: int, min_length: int, min_score: float,
    min_mean: float, max_overlap: float, max_segments: int,
) -> np.ndarray:  # fmt: skip
    """Return the segments (S, 5) float32 that the lines found at all speeds make, as the package says."""
    straight = [box for box in candidates if _speed_fits(box, slowest, fastest)]
    straight.sort(key=lambda box: (-box[4], *box[:4]))
    found = _joined(kept(straight, max_overlap, max_segments, smaller=True), slowest, fastest, max_gap)
    # A run across two parts lay upon neither, but lies upon what they make.
    found.sort(key=lambda box: (-box[4], *box[:4]))
    frames = [(box, box[2] - box[0]) for box in kept(found, max_overlap, max_segments, smaller=True)]
    return ordered(box for box, side in frames if side >= min_length and box[4] >= max(min_score, min_mean * side))


def _speed_fits(box: Box, slowest: float, fastest: float) -> bool:
    """Tell whether a box's slope, within a frame, is one that is searched."""
    query, ref = box[2] - box[0] - 1, box[3] - box[1] - 1
    return slowest * query - 1 <= ref <= fastest * query + 1


def _joined(found: list[Box], slowest: float, fastest: float, max_gap: int) -> list[Box]:
    """Return the boxes, where one goes on within ``max_gap`` frames after another on both axes made one."""
    found = sorted(found)
    i = 0
    while i < len(found):
        for j in range(len(found)):
            gaps = found[j][0] - found[i][2], found[j][1] - found[i][3]
            joint = (*found[i][:2], *found[j][2:4], found[i][4] + found[j][4])
            later = j != i and found[j][2] > found[i][2] and found[j][3] > found[i][3]
            if later and min(gaps) >= -SHARED and max(gaps) <= max_gap and _speed_fits(joint, slowest, fastest):
                found[i] = joint
                del found[j]
                # The joint one may go on, and one before it may go on into it.
                i = -1
                break
        i += 1
    return found
