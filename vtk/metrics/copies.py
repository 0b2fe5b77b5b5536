"""Copied segments against the truth, pair by pair, as VCSL scores them.

    scores = [score_pair(found[pair], truth[pair]) for pair in pairs]
    micro(scores)                           # Overlaps(precision, recall, f), the mean over pairs
    macro(scores, queries)                  # the mean over queries of their means
    rejection(scores)                       # Rejection(frr, far)

It cannot tell these answers apart, since it adds up lengths on each axis alone: a segment, the same twice, the same cut
in two, and its two halves swapped (the first seconds of the query with the last of the reference). What ranks segments
by their overlap one to one does: ``vtk.metrics.copy_ranking``.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

NOT_ZERO = 1e-6  # seconds, added to what is divided by. Source: VCSL's metric


@dataclass(frozen=True, slots=True)
class PairScore:
    """What one pair of videos came to.

    Attributes:
        precision: in [0, 1]; 1 where nothing was found, which then counts for no mean of ``micro``.
        recall: in [0, 1]; 1 where nothing is labelled, the same.
        found, labelled: number of segments.
    """

    precision: float
    recall: float
    found: int
    labelled: int


class Overlaps(NamedTuple):
    """Shares in [0, 1], NaN where there is nothing to take a mean of; ``f`` is the harmonic mean of the two means."""

    precision: float
    recall: float
    f: float


class Rejection(NamedTuple):
    """Pairs of videos as a whole: shares in [0, 1], NaN of no pairs, and what they are shares of.

    Attributes:
        frr: false rejection rate, the share of copied pairs in which nothing was found.
        far: false alarm rate, the share of other pairs in which something was found.
        missed, copied: pairs of the first share.
        false, others: pairs of the second.
    """

    frr: float
    far: float
    missed: int
    copied: int
    false: int
    others: int


def checked_boxes(boxes: np.ndarray) -> np.ndarray:
    """Return segments as (N, 4) float64 [q0, r0, q1, r1] in seconds, a copy of its own.

    Raises:
        ValueError: another shape, a number that is not finite, or an end before its start.
    """
    boxes = np.array(boxes, dtype=np.float64)
    boxes = boxes.reshape(-1, 4) if boxes.size == 0 else boxes
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise ValueError(f"boxes: got shape {boxes.shape}, expected (N, 4), [q0, r0, q1, r1] in seconds")
    for row in np.flatnonzero(~np.isfinite(boxes).all(axis=1))[:1]:
        raise ValueError(f"boxes: got {boxes[row].tolist()} in row {row}, expected finite numbers")
    for row in np.flatnonzero((boxes[:, 2:] < boxes[:, :2]).any(axis=1))[:1]:
        raise ValueError(f"boxes: got {boxes[row].tolist()} in row {row}, expected q0 <= q1 and r0 <= r1")
    return boxes


def score_pair(found: np.ndarray, truth: np.ndarray) -> PairScore:
    """Return how well the segments found in a pair of videos cover the copied ones.

    On each axis, query time and reference time, the precision is the length that found segments share with labelled
    ones over the length of the found ones; a found segment counts what any labelled one overlaps, once. The precision
    is the product of both axes. Recall is the mirror image. A box and a labelled one meet where both axes do. Lengths
    are float64; VCSL's program has them in float32, which moves a value of segments up to 400 s by some 1e-7.

    Args:
        found: (N, 4) [q0, r0, q1, r1] in seconds.
        truth: (M, 4), the same.

    Raises:
        ValueError: as ``checked_boxes``.

    Source: He et al., CVPR 2022 (VCSL), section 5.1, with the values of its program where a side is empty.
    """
    found, truth = checked_boxes(found), checked_boxes(truth)
    if not len(found) or not len(truth):
        return PairScore(float(not len(found)), float(not len(truth)), len(found), len(truth))
    low = np.maximum(found[:, None, :2], truth[None, :, :2])  # (N, M, 2)
    high = np.minimum(found[:, None, 2:], truth[None, :, 2:])
    meet = (high > low).all(axis=2)
    return PairScore(_share(low, high, meet, found), _share(low.swapaxes(0, 1), high.swapaxes(0, 1), meet.T, truth),
                     len(found), len(truth))  # fmt: skip


def micro(scores: Sequence[PairScore]) -> Overlaps:
    """Return the means over pairs, of precision where something was found, of recall where something is labelled.

    VCSL's program leaves out the values that are exactly 1; NOT_ZERO keeps all others below, so these are the same.

    Source: He et al., CVPR 2022 (VCSL), section 5.1, and its program.
    """
    return _overlaps([score.precision for score in scores if score.found],
                     [score.recall for score in scores if score.labelled])  # fmt: skip


def macro(scores: Sequence[PairScore], sets: Sequence[Hashable]) -> Overlaps:
    """Return the means over query sets of the means over their pairs, those with nothing found or labelled included.

    Args:
        sets: of each score, the set that its pair is of.

    Raises:
        ValueError: lengths that do not agree.

    Source: He et al., CVPR 2022 (VCSL), section 5.1, and its program.
    """
    if len(scores) != len(sets):
        raise ValueError(f"sets: got {len(sets)}, expected one for each of {len(scores)} scores")
    grouped: dict[Hashable, list[PairScore]] = {}
    for score, name in zip(scores, sets, strict=True):
        grouped.setdefault(name, []).append(score)
    means = [np.mean([(score.precision, score.recall) for score in group], axis=0) for group in grouped.values()]
    return _overlaps([float(mean[0]) for mean in means], [float(mean[1]) for mean in means])


def rejection(scores: Sequence[PairScore]) -> Rejection:
    """Return the shares of pairs that are wrong as a whole, whatever the seconds."""
    copied = [score for score in scores if score.labelled]
    missed = sum(not score.found for score in copied)
    others, false = len(scores) - len(copied), sum(score.found > 0 and not score.labelled for score in scores)
    nan = float("nan")
    return Rejection(missed / len(copied) if copied else nan, false / others if others else nan, missed, len(copied),
                     false, others)  # fmt: skip


def union_length(spans: np.ndarray) -> float:
    """Return the length that spans (N, 2), [start, end], cover together."""
    if len(spans) < 2:
        return float((spans[:, 1] - spans[:, 0]).sum())
    spans = spans[np.argsort(spans[:, 0], kind="stable")]
    reached = np.maximum.accumulate(spans[:, 1])
    starts = np.maximum(spans[1:, 0], reached[:-1])
    return float(spans[0, 1] - spans[0, 0] + np.maximum(spans[1:, 1] - starts, 0).sum())


def _share(low: np.ndarray, high: np.ndarray, meet: np.ndarray, boxes: np.ndarray) -> float:
    """Return what of ``boxes`` (N, 4) the others cover: low and high (N, M, 2) bound overlaps where ``meet`` (N, M)."""
    share = 1.0
    for axis in range(2):
        covered = sum(union_length(np.stack([low[row, mask, axis], high[row, mask, axis]], axis=1))
                      for row, mask in enumerate(meet) if mask.any())  # fmt: skip
        share *= covered / (float((boxes[:, axis + 2] - boxes[:, axis]).sum()) + NOT_ZERO)
    return share


def _overlaps(precisions: Sequence[float], recalls: Sequence[float]) -> Overlaps:
    precision, recall = (float(np.mean(values)) if values else float("nan") for values in (precisions, recalls))
    both = precision + recall
    return Overlaps(precision, recall, 0.0 if both == 0 else 2 * precision * recall / both)
