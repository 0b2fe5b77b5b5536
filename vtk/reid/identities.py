"""Who is who: tracklets grouped by what they look like, and never where they cannot be one person.

    labels = identify(tracklets, vectors, threshold, Constraints())
    explain(tracklets, vectors, labels, threshold, Constraints())[0]    # three others near tracklet 0, and why not
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.kernels.cosine_topk import cosine_topk
from vtk.reid.constraints import REASONS, Apartness, Constraints
from vtk.reid.linkage import exact, sparse
from vtk.reid.tracklets import Tracklet

# Up to so many tracklets all pairs are looked at: 16 bytes each, 0.27 GB.
EXACT = 4096
# Beyond, the nearest so many of each.
NEIGHBOURS = 64
# Rows whose likeness is looked at together.
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A tracklet of another identity that looks much like one.

    Attributes:
        row: which one.
        cosine: of the two.
        mean: cosine of their identities, on the mean over all pairs.
        why: what keeps the two identities apart: time (both seen at one time in one source), camera (both of one
            camera, where that is ruled out), travel (no time to go from one camera to the other), threshold (mean is
            below it), search (they were not held against each other: among many alike, others were nearer).
        between: the rows that a constraint keeps apart: the two themselves, or others of their identities; else None.
    """

    row: int
    cosine: float
    mean: float
    why: str
    between: tuple[int, int] | None


def identify(tracklets: Sequence[Tracklet], vectors: np.ndarray, threshold: float,
             constraints: Constraints = Constraints(), *, exact_up_to: int = EXACT,
             neighbours: int = NEIGHBOURS) -> np.ndarray:
    """Return (N,) int64, a label for each tracklet, from 0 by first appearance: the same for those of one person.

    Average linkage on plain cosine distance; of what is equally alike the lower rows are joined first.

    Args:
        tracklets: N of them; their order is that of the labels.
        vectors: (N, D) float32 of unit length, all of one space; may be memory-mapped.
        threshold: the least mean cosine of two groups that are one person, as ``calibration`` has it.
        constraints: what keeps two tracklets apart whatever they look like.
        exact_up_to: number of tracklets up to which all pairs are looked at; ``linkage.sparse`` says what is missed
            beyond, and how much.
        neighbours: of each tracklet that are looked at beyond.

    Raises:
        ValueError: shapes or numbers that are not as said, or a vector without direction.
    """
    _check(tracklets, vectors, threshold)
    apart = Apartness(tracklets, constraints) if constraints.any else None
    if len(tracklets) < 2:
        return np.zeros(len(tracklets), np.int64)
    if len(tracklets) <= exact_up_to:
        return first_seen(exact.cut(exact.tree(vectors, apart), threshold))
    found = sparse.candidates(vectors, apart, threshold, neighbours)
    return first_seen(sparse.Chain(vectors, apart, threshold, found).run())


def explain(tracklets: Sequence[Tracklet], vectors: np.ndarray, labels: np.ndarray, threshold: float,
            constraints: Constraints = Constraints(), rows: Sequence[int] | None = None,
            nearest: int = 3) -> list[list[Neighbour]]:
    """Return for each of ``rows`` the nearest tracklets of other identities, nearest first, and why they are others.

    Args:
        tracklets, vectors, threshold, constraints: as ``identify`` had them.
        labels: (N,) int64, what it returned.
        rows: which to explain; None: all.
        nearest: how many others.

    Raises:
        ValueError: as ``identify``, or labels of another number.
    """
    _check(tracklets, vectors, threshold)
    labels = np.asarray(labels)
    if labels.shape != (len(tracklets),) or labels.dtype.kind not in "iu":
        raise ValueError(f"labels: got {labels.dtype} of shape {labels.shape}, expected whole numbers "
                         f"({len(tracklets)},)")
    wanted = np.arange(len(tracklets)) if rows is None else np.asarray(rows, np.int64)
    apart = Apartness(tracklets, constraints) if constraints.any else None
    members = _members(labels)
    means: dict[int, np.ndarray] = {}

    def mean(label: int) -> np.ndarray:
        if label not in means:
            means[label] = np.asarray(vectors[members[label]], np.float64).mean(axis=0)
        return means[label]

    def neighbour(row: int, other: int, cosine: float) -> Neighbour:
        ours, theirs = int(labels[row]), int(labels[other])
        alike = float(mean(ours) @ mean(theirs))
        reason, between = _kept_apart(apart, row, other, members[ours], members[theirs])
        return Neighbour(other, cosine, alike, reason or ("threshold" if alike < threshold else "search"), between)

    return [[neighbour(int(row), other, cosine) for other, cosine in found]
            for row, found in zip(wanted, _others(vectors, labels, wanted, nearest), strict=True)]


def first_seen(groups: np.ndarray) -> np.ndarray:
    """Return ``groups`` (N,) renamed from 0 in the order in which they first stand there, int64."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first, kind="stable"), kind="stable")[inverse].astype(np.int64)


def _check(tracklets: Sequence[Tracklet], vectors: np.ndarray, threshold: float) -> None:
    """Raise ValueError where the arguments break the contract."""
    if vectors.ndim != 2 or vectors.dtype != np.float32 or len(vectors) != len(tracklets):
        raise ValueError(f"vectors: got {vectors.dtype} of shape {vectors.shape}, expected float32 "
                         f"({len(tracklets)}, D)")
    if not -1 <= threshold <= 1:
        raise ValueError(f"threshold: got {threshold}, expected a cosine from -1 to 1")
    for start in range(0, len(vectors), BLOCK):
        lengths = np.linalg.norm(vectors[start:start + BLOCK], axis=1)
        wrong = np.flatnonzero(~(np.abs(lengths - 1) < 1e-2))
        if len(wrong):
            raise ValueError(f"vectors: got one of length {lengths[wrong[0]]} for tracklet "
                             f"{tracklets[start + int(wrong[0])].key}, expected unit length")


def _members(labels: np.ndarray) -> dict[int, np.ndarray]:
    """Return the rows of each label."""
    order = np.argsort(labels, kind="stable")
    names, starts = np.unique(labels[order], return_index=True)
    ends = np.append(starts[1:], len(labels))[: len(names)]
    return {int(name): order[a:b] for name, a, b in zip(names, starts, ends, strict=True)}


def _others(vectors: np.ndarray, labels: np.ndarray, rows: np.ndarray, nearest: int) -> list[list[tuple[int, float]]]:
    """Return (row, cosine) of the nearest of other labels to each of ``rows``."""
    found: list[list[tuple[int, float]]] = [[] for _ in rows]
    open_, k = np.arange(len(rows)), min(len(vectors), 16 + nearest)
    while len(open_):
        for part in np.array_split(open_, 1 + len(open_) // BLOCK):
            indices, cosines = cosine_topk(np.ascontiguousarray(vectors[rows[part]]), vectors, k)
            for place, mine, scores in zip(part, indices, cosines, strict=True):
                others = np.flatnonzero((mine >= 0) & (labels[mine] != labels[rows[place]]))[:nearest]
                found[place] = [(int(mine[at]), float(scores[at])) for at in others]
        if k == len(vectors):
            break
        # Where most of the nearest are of the same identity, look further.
        open_, k = np.array([place for place in open_ if len(found[place]) < nearest], int), min(len(vectors), 4 * k)
    return found


def _kept_apart(apart: Apartness | None, row: int, other: int, ours: np.ndarray,
                theirs: np.ndarray) -> tuple[str, tuple[int, int] | None]:
    """Return which constraint keeps two identities apart and between which rows; the two themselves come first."""
    if apart is None:
        return "", None
    own = int(apart.why(np.array(row), np.array(other)))
    if own:
        return REASONS[own], (row, other)
    why = apart.why(ours[:, None], theirs)
    if not why.any():
        return "", None
    a, b = np.argwhere(why > 0)[0]
    return REASONS[int(why[a, b])], (int(ours[a]), int(theirs[b]))
