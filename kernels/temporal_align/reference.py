"""``temporal_align`` as its sources say it, cell by cell over the whole map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vtk.kernels.temporal_align import boxes

# Where a path may come from: rows and columns back, and the share of the cell's similarity that such a step earns.
STEPS = ((1, 1, 1.0), (1, 0, 0.5), (0, 1, 0.5))


def hough(similarity: np.ndarray | Sequence[Any], *, min_sim: float = 0.2, max_peaks: int = 100,
          max_iou: float = 0.9, whole: bool = False) -> np.ndarray:  # fmt: skip
    """Return the diagonals that most similarity lies on; see the package."""
    sims = _dense(similarity)
    queries, refs = sims.shape
    peaks = []
    for offset in range(1 - queries, refs):
        diagonal, first = np.diagonal(sims, offset), max(0, -offset)
        hits = np.flatnonzero((diagonal >= min_sim) & (diagonal > 0))
        if len(hits):
            start, stop = (0, len(diagonal)) if whole else (hits[0], hits[-1] + 1)
            box = (first + start, first + start + offset, first + stop, first + stop + offset)
            peaks.append((*map(float, box), float(np.cumsum(diagonal[hits])[-1])))
    peaks.sort(key=lambda box: (-box[4], box[1] - box[0]))
    return boxes.ordered(boxes.kept(peaks[:max_peaks], max_iou, max_peaks))


def temporal_network(similarity: np.ndarray | Sequence[Any], *, max_step: int = 10, top_k: int = 5, max_path: int = 10,
                     min_sim: float = 0.2, min_length: int = 5, max_iou: float = 0.3) -> np.ndarray:  # fmt: skip
    """Return the longest paths through each query frame's most similar references; see the package."""
    sims = _dense(similarity)
    nodes = []
    for i, row in enumerate(sims):
        best = np.sort(np.argsort(-row, kind="stable")[:top_k])
        nodes += [(i, int(j)) for j in best if row[j] >= min_sim and row[j] > 0]
    weights = np.array([sims[node] for node in nodes])
    links = _links(nodes, max_step)
    found: list[boxes.Box] = []
    for _ in range(max_path):
        path, score = _longest_path(weights, links)
        if not path:
            break
        weights[path] = 0
        (q0, r0), (q1, r1) = nodes[path[-1]], nodes[path[0]]
        sides = q1 + 1 - q0, r1 + 1 - r0
        if score / (sum(sides) / 2) > min_sim and min(sides) > min_length:
            found = boxes.kept([*found, (q0, r0, q1 + 1, r1 + 1, score)], max_iou, max_path)
    return boxes.ordered(found)


def _links(nodes: list[tuple[int, int]], max_step: int) -> list[tuple[int, int]]:
    """Return the edges of the network as numbers of nodes, by source, then target."""
    links = []
    for a, (i, j) in enumerate(nodes):
        # The least column linked in the rows before the target's: nothing beyond it is linked any more.
        nearest, pending, row = np.inf, np.inf, i
        for b in range(a + 1, len(nodes)):
            q, r = nodes[b]
            if q - i >= max_step:
                break
            if q > row:
                nearest, row = min(nearest, pending), q
            if q > i and 0 < r - j < max_step and r <= nearest:
                links.append((a, b))
                pending = min(pending, r)
    return links


def _longest_path(weights: np.ndarray, links: list[tuple[int, int]]) -> tuple[list[int], float]:
    """Return the nodes of the path of greatest weight, from its end, and the weight; none where all weights are 0."""
    total, before = weights.copy(), np.full(len(weights), -1)
    # A node's own links come after all links into it, for nodes and links are in order of rows.
    for a, b in links:
        if total[a] > 0 and total[a] + weights[b] > total[b]:
            total[b], before[b] = total[a] + weights[b], a
    if not (total > 0).any():
        return [], 0.0
    at = int(np.argmax(total))
    score, path = float(total[at]), [at]
    while before[at] >= 0:
        at = int(before[at])
        path.append(at)
    return path, score


def dynamic_programming(similarity: np.ndarray | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.0,
                        ave_sim: float = 0.3, min_length: int = 5, max_straight: int = 30,
                        max_paths: int = 100) -> np.ndarray:  # fmt: skip
    """Return the paths that earn most similarity, with few unmatched cells; see the package."""
    sims = _dense(similarity)
    closed = np.zeros(sims.shape, bool)
    found: list[boxes.Box] = []
    for _ in range(max_paths):
        totals, ways = _forward(sims, (sims > min_sim) & ~closed, closed, discontinue)
        ends = np.where((sims > min_sim) & ~closed, totals, 0)
        if not (ends > 0).any():
            break
        path = _back(ways, *map(int, np.unravel_index(np.argmax(ends), ends.shape)))
        closed[path[0][0] : path[-1][0] + 1, path[0][1] : path[-1][1] + 1] = True
        found += boxes.path_boxes(path, sims[path[:, 0], path[:, 1]], min_sim, ave_sim, min_length, max_straight)
    return boxes.ordered(found)


def _forward(sims: np.ndarray, matched: np.ndarray, closed: np.ndarray, discontinue: int) -> tuple[np.ndarray, ...]:
    """Return what the best path to each cell earns, 0 where there is none, and the number of its last step."""
    totals, counts, ways = np.zeros(sims.shape), np.zeros(sims.shape, int), np.zeros(sims.shape, np.uint8)
    for i, j in np.ndindex(sims.shape):
        own, total = sims[i, j] + 1, -np.inf
        for way, (down, right, share) in enumerate(STEPS, 1):
            q, r = i - down, j - right
            if closed[i, j] or q < 0 or r < 0 or not totals[q, r] > 0:
                continue
            if totals[q, r] + share * own > total:
                total, ways[i, j], counts[i, j] = totals[q, r] + share * own, way, counts[q, r] + (not matched[i, j])
        if ways[i, j] and counts[i, j] <= discontinue and total > 0:
            totals[i, j] = total
        else:
            totals[i, j], counts[i, j], ways[i, j] = own if matched[i, j] else 0, 0, 0
    return totals, ways


def _back(ways: np.ndarray, i: int, j: int) -> np.ndarray:
    """Return the path (P, 2) int64 that ends at a cell, from its beginning."""
    path = [(i, j)]
    while ways[i, j]:
        down, right, _ = STEPS[ways[i, j] - 1]
        i, j = i - down, j - right
        path.append((i, j))
    return np.array(path[::-1])


def dtw(similarity: np.ndarray | Sequence[Any], *, discontinue: int = 3, min_sim: float = 0.2,
        min_length: int = 5) -> np.ndarray:  # fmt: skip
    """Return the parts of the cheapest path from corner to corner that are similar; see the package."""
    sims = _dense(similarity)
    if not sims.size:
        return boxes.ordered([])
    costs, ways = np.full(sims.shape, np.inf), np.zeros(sims.shape, np.uint8)
    for i, j in np.ndindex(sims.shape):
        for way, (down, right, _) in enumerate(STEPS, 1):
            q, r = i - down, j - right
            if q >= 0 and r >= 0 and costs[q, r] < costs[i, j]:
                costs[i, j], ways[i, j] = costs[q, r], way
        costs[i, j] = (costs[i, j] if ways[i, j] else 0.0) + (1 - sims[i, j])
    path = _back(ways, sims.shape[0] - 1, sims.shape[1] - 1)
    values = sims[path[:, 0], path[:, 1]]
    return boxes.ordered(boxes.path_boxes(path, values, min_sim, min_sim, min_length, discontinue))


def diagonal(similarity: np.ndarray | Sequence[Any], *, min_sim: float = 0.4, slowest: float = 0.4,
             fastest: float = 2.5, speed_step: float = 1.1, band: float = 2.0, max_gap: int = 8,
             gap_cost: float = 0.05, min_length: int = 5, min_score: float = 2.0, min_mean: float = 0.15,
             max_overlap: float = 0.5, max_segments: int = 100) -> np.ndarray:  # fmt: skip
    """Return straight runs of similar frames at any speed that is searched; see the package."""
    sims = _dense(similarity)
    hits = np.argwhere((sims >= min_sim) & (sims > 0))
    gains = sims[hits[:, 0], hits[:, 1]] - min_sim
    found: list[boxes.Box] = []
    for speed in boxes.speeds(slowest, fastest, speed_step):
        totals, before = _chain(hits, gains, speed, band, max_gap, gap_cost)
        found += _runs(hits, totals, before)
    return boxes.segments(
        found, slowest, fastest, max_gap, min_length, min_score, min_mean, max_overlap, max_segments
    )  # fmt: skip


def _chain(hits: np.ndarray, gains: np.ndarray, speed: float, band: float, max_gap: int, gap_cost: float) -> tuple:
    """Return what the best run to each hit scores, and the hit before it there, -1 for none; see the package."""
    totals, before, centres = gains.copy(), np.full(len(hits), -1), np.zeros(len(hits))
    rows: dict[int, list[int]] = {}
    for h, (i, j) in enumerate(hits.tolist()):
        offset = j - speed * i
        for down in range(1, max_gap + 2):
            for p in rows.get(i - down, ()):
                off = abs(offset - centres[p])
                if hits[p, 1] > j or off > band:
                    continue
                total = gains[h] + (totals[p] - gap_cost * (down - 1 + max(0.0, off - 1.0)))
                if total > totals[h]:
                    totals[h], before[h] = total, p
        p = before[h]
        centres[h] = offset if p < 0 else centres[p] + (offset - centres[p]) * 0.1
        rows.setdefault(i, []).append(h)
    return totals, before


def _runs(hits: np.ndarray, totals: np.ndarray, before: np.ndarray) -> list[boxes.Box]:
    """Return the boxes of the runs of three hits or more, the best first; no hit is in two of them."""
    found, used = [], np.zeros(len(hits), bool)
    for end in sorted(np.flatnonzero(before >= 0).tolist(), key=lambda h: -totals[h]):
        at, count, start = end, 0, end
        while at >= 0 and not used[at]:
            used[at], start, count, at = True, at, count + 1, before[at]
        if count >= 3:
            score = totals[end] - (totals[at] if at >= 0 else 0.0)
            found.append((*map(float, hits[start]), *(float(stop) + 1 for stop in hits[end]), float(score)))
    return found


def _dense(similarity: np.ndarray | Sequence[Any]) -> np.ndarray:
    """Return a map, or its entries with 0 between them, as (Q, R) float64."""
    if isinstance(similarity, np.ndarray):
        return similarity.astype(np.float64)
    rows, columns, values, shape = similarity
    sims = np.zeros(tuple(map(int, shape)))
    np.maximum.at(sims, (rows, columns), values.astype(np.float64))
    return sims
