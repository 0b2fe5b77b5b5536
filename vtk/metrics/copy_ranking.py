"""Copies ranked by score: average precision of pairs, of covered time, and of segments one to one.

    pair_precision(scores, copied, total)   # µAP: which pairs of videos, whatever the seconds
    cover_precision(found, truth)           # VSC22's matching track: which seconds, blind to order and to doubles
    match_precision(found, truth, (0.5,))   # which segments, each found once: what VCSL's protocol cannot tell apart

Equal scores are taken together, so the order of what is given never matters. Nothing is interpolated: an average
precision is the sum, over scores from the highest, of the precision times the rise of the recall.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from vtk.metrics.copies import checked_boxes, union_length

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))  # Source: COCO's, 0.50 to 0.95


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of many pairs of videos.

    Attributes:
        pair: (N,) int64, which pair of videos each is of.
        boxes: (N, 4) float64 [q0, r0, q1, r1] in seconds.
        score: (N,) float64, finite, higher is surer; of labelled ones it counts for nothing.

    Raises:
        ValueError: lengths that do not agree, a score that is not finite, or what ``checked_boxes`` refuses.
    """

    pair: np.ndarray
    boxes: np.ndarray
    score: np.ndarray

    def __post_init__(self) -> None:
        boxes, score = checked_boxes(self.boxes), np.asarray(self.score, dtype=np.float64)
        pair = np.asarray(self.pair, dtype=np.int64)
        if not pair.shape == score.shape == (len(boxes),):
            raise ValueError(f"got pair of shape {pair.shape}, score of {score.shape}, expected ({len(boxes)},) each")
        if not np.isfinite(score).all():
            raise ValueError("score: got NaN or infinity, expected finite numbers")
        for name, value in (("pair", pair), ("boxes", boxes), ("score", score)):
            object.__setattr__(self, name, value)


def pair_precision(scores: np.ndarray, copied: np.ndarray, total: int) -> float:
    """Return µAP: the average precision of query–reference pairs ranked by score over all queries; NaN of no copies.

    Args:
        scores: (P,) finite, of each pair that was found, the highest of its segments.
        copied: (P,) bool, whether it is labelled.
        total: labelled pairs, found or not.

    Raises:
        ValueError: lengths that do not agree, a score that is not finite, or fewer labelled pairs than were found.

    Source: Pizzi et al., The 2023 Video Similarity Dataset and Challenge, arXiv:2306.09489, the descriptor track's
    metric. Their program takes equal scores as they come.
    """
    scores, copied = np.asarray(scores, dtype=np.float64), np.asarray(copied, dtype=bool)
    if scores.ndim != 1 or scores.shape != copied.shape:
        raise ValueError(f"got scores of shape {scores.shape} and copied of {copied.shape}, expected (P,) each")
    if not np.isfinite(scores).all():
        raise ValueError("scores: got NaN or infinity, expected finite numbers")
    if copied.sum() > total:
        raise ValueError(f"total: got {total}, expected {copied.sum()} or more, the labelled pairs that were found")
    return _area(scores, copied, total)


def cover_precision(found: Segments, truth: Segments) -> float:
    """Return the segment AP of VSC22's matching track: precision and recall of covered seconds; NaN of none labelled.

    Segments come by score. On each axis, and over all pairs together, recall is the time that those so far share with
    labelled ones over all labelled time, precision the same over the time of those so far; both count a second of a
    pair once. A labelled segment is shared in only once a found one overlaps it on both axes. Recall and precision are
    the geometric means of both axes. Like VCSL's, it is blind to doubles, to cuts and to swapped halves.

    Source: Pizzi et al., The 2023 Video Similarity Dataset and Challenge, arXiv:2306.09489, the matching track's
    metric, and its program.
    """
    labelled = {pair: truth.boxes[rows] for pair, rows in _rows_of(truth.pair)}
    length = sum((_lengths(boxes) for boxes in labelled.values()), np.zeros(2))
    if not (length > 0).all():
        return float("nan")
    taken: dict[int, np.ndarray] = {}
    parts: dict[int, np.ndarray] = {}  # of a pair: (2, 2), shared and found time by axis
    shared, area, recall = np.zeros((2, 2)), 0.0, 0.0
    for rows in _by_score(found.score):
        for pair in np.unique(found.pair[rows]).tolist():
            new = found.boxes[rows[found.pair[rows] == pair]]
            taken[pair] = mine = np.concatenate([taken[pair], new]) if pair in taken else new
            part = np.stack([_shared(mine, labelled.get(pair, np.empty((0, 4)))), _lengths(mine)])
            shared, parts[pair] = shared + part - parts.get(pair, 0.0), part
        reached = sqrt(np.prod(np.maximum(shared[0], 0) / length))
        precision = sqrt(np.prod(np.maximum(shared[0], 0) / shared[1])) if (shared[1] > 0).all() else 0.0
        area, recall = area + precision * (reached - recall), reached
    return area


def match_precision(found: Segments, truth: Segments, thresholds: Sequence[float] = THRESHOLDS) -> np.ndarray:
    """Return the average precision of segments one to one, at each threshold of overlap; NaN of none labelled.

    By score, each found segment takes of the labelled ones of its pair that are still free the one that it overlaps
    most, where the overlap reaches the threshold, and is right; else it is false. The overlap is the lesser of the
    intersection over union on the query's axis and on the reference's. Of equal scores the better overlap comes first.
    A half overlaps its whole by 0.5, so swapped halves of one labelled segment are false from above 0.5 on alone; a
    double costs only what ranks below it.

    Args:
        thresholds: in (0, 1].

    Returns:
        (T,) float64 in [0, 1].

    Raises:
        ValueError: a threshold outside.

    Source: average precision by temporal overlap as in ActivityNet (Caba Heilbron et al., CVPR 2015), here on both axes
    at once; the ranking over all pairs as in Pizzi et al., arXiv:2306.09489, whose own metric is ``cover_precision``.
    """
    for threshold in thresholds:
        if not 0 < threshold <= 1:
            raise ValueError(f"thresholds: got {threshold}, expected above 0 and up to 1")
    rows_of = dict(_rows_of(truth.pair))
    overlaps = [axis_overlaps(found.boxes[row : row + 1], truth.boxes[rows_of.get(pair, [])])[0]
                for row, pair in enumerate(found.pair.tolist())]  # fmt: skip
    best = np.array([each.max(initial=0.0) for each in overlaps])
    order = np.lexsort((*found.boxes.T, -best, -found.score))
    areas = []
    for threshold in thresholds:
        free, right = np.ones(len(truth.pair), dtype=bool), np.zeros(len(found.pair), dtype=bool)
        for row in order[best[order] >= threshold].tolist():
            places = rows_of[found.pair.item(row)]
            overlap = np.where(free[places], overlaps[row], 0.0)
            if overlap.max() >= threshold:
                right[row] = True
                free[places[overlap.argmax()]] = False
        areas.append(_area(found.score, right, len(truth.pair)))
    return np.array(areas)


def axis_overlaps(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return of segments (N, 4) and (M, 4) the lesser intersection over union of the two axes, (N, M) in [0, 1]."""
    shared = np.minimum(found[:, None, 2:], truth[None, :, 2:]) - np.maximum(found[:, None, :2], truth[None, :, :2])
    shared = np.maximum(shared, 0.0)
    both = (found[:, 2:] - found[:, :2])[:, None] + (truth[:, 2:] - truth[:, :2])[None] - shared
    return np.divide(shared, both, out=np.zeros_like(shared), where=both > 0).min(axis=2)


def _area(scores: np.ndarray, right: np.ndarray, total: int) -> float:
    """Return the average precision of what is ``right`` (N,) bool, equal scores together; NaN where ``total`` is 0."""
    if not total:
        return float("nan")
    area, seen, correct = 0.0, 0, 0
    for rows in _by_score(scores):
        gained = int(right[rows].sum())
        seen, correct = seen + len(rows), correct + gained
        area += correct / seen * gained / total
    return area


def _by_score(scores: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the rows of each score, from the highest."""
    order = np.argsort(-scores, kind="stable")
    if len(order):
        yield from np.split(order, np.flatnonzero(np.diff(scores[order])) + 1)


def _rows_of(pairs: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each pair with its rows."""
    order = np.argsort(pairs, kind="stable")
    if len(order):
        for rows in np.split(order, np.flatnonzero(np.diff(pairs[order])) + 1):
            yield pairs.item(rows[0]), rows


def _lengths(boxes: np.ndarray) -> np.ndarray:
    """Return what segments cover together on each axis, (2,) seconds."""
    return np.array([union_length(boxes[:, [axis, axis + 2]]) for axis in range(2)])


def _shared(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return what found segments share on each axis with the labelled ones that one of them overlaps, (2,) seconds."""
    meet = (np.minimum(found[:, None, 2:], truth[None, :, 2:])
            > np.maximum(found[:, None, :2], truth[None, :, :2])).all(axis=2)  # fmt: skip
    met = truth[meet.any(axis=0)]
    return _lengths(found) + _lengths(met) - _lengths(np.concatenate([found, met]))
