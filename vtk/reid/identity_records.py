"""Who is who in a run: its tracklets in, ``identity`` records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.errors import UsageError
from vtk.records import Record, make, score
from vtk.reid.tracklets import Store, Tracklet

# Rows of vectors that are looked at together.
BLOCK = 16384


@dataclass(frozen=True, slots=True)
class Deciding:
    """How identities are told.

    Attributes:
        threshold: the least mean cosine of two tracklets of one identity; None: of the calibration, or the model's own.
        calibration: a file that ``vtk calibrate reid`` wrote.
        overlap: whether two tracklets of one source that overlap in time are two.
        explain: whether each identity tells the three nearest tracklets and what kept them apart.
    """

    threshold: float | None = None
    calibration: Path | None = None
    overlap: bool = True
    explain: bool = False

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"--threshold {self.threshold:g}: a cosine from 0 to 1 is needed")
        if self.threshold is not None and self.calibration is not None:
            raise UsageError("--threshold and --calibration both say what is alike enough: give one of them")

    def check(self) -> None:
        """Read what is given as a file, so that it is missed before the work begins."""


def identity_records(store: Store, deciding: Deciding, by: str) -> list[Record]:
    """Return an ``identity`` record of each tracklet of a run, by source and track id.

    Identities are numbered from 1 in the order of their first tracklet, sources by name.
    """
    if not len(store):
        return []
    order = sorted(range(len(store)), key=lambda row: store.tracklets[row].key)
    tracklets = [store.tracklets[row] for row in order]
    vectors = store.vectors()[order]
    labels = numbered(cluster(tracklets, vectors, deciding), tracklets)
    return [make("identity", by, tracklet.source, track_id=tracklet.track_id, identity=int(label), score=score(value))
            for tracklet, label, value in zip(tracklets, labels, agreement(vectors, labels), strict=True)]


def numbered(labels: np.ndarray, tracklets: Sequence[Tracklet]) -> np.ndarray:
    """Return labels (N,) int64 numbered from 1 by the source and the start of the first tracklet of each."""
    seen = sorted(range(len(tracklets)), key=lambda row: (tracklets[row].source, tracklets[row].start, row))
    numbers: dict[int, int] = {}
    for row in seen:
        numbers.setdefault(int(labels[row]), len(numbers) + 1)
    return np.array([numbers[int(label)] for label in labels], np.int64)


def agreement(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return (N,) float64 in [0, 1], the mean cosine of each row to the others of its label; 1 where it is alone.

    Args:
        vectors: (N, D) float32 of unit length.
        labels: (N,) int64, from 1.
    """
    counts = np.bincount(labels)
    sums = np.zeros((len(counts), vectors.shape[1]), np.float64)
    for begin in range(0, len(vectors), BLOCK):
        np.add.at(sums, labels[begin:begin + BLOCK], vectors[begin:begin + BLOCK])
    out = np.ones(len(vectors))
    for begin in range(0, len(vectors), BLOCK):
        part, mine = vectors[begin:begin + BLOCK].astype(np.float64), labels[begin:begin + BLOCK]
        others = counts[mine] - 1
        mean = (np.einsum("nd,nd->n", part, sums[mine]) - np.einsum("nd,nd->n", part, part)) / np.maximum(others, 1)
        out[begin:begin + BLOCK] = np.where(others > 0, np.clip(mean, 0, 1), 1.0)
    return out


def cluster(tracklets: Sequence[Tracklet], vectors: np.ndarray, deciding: Deciding) -> np.ndarray:
    """Return (N,) int64, a label for each tracklet: one for those that are the same."""
    likeness = vectors.astype(np.float64) @ vectors.T
    groups = [[row] for row in range(len(tracklets))]
    while True:
        best, pair = deciding.threshold or 0.6, None
        for first, mine in enumerate(groups):
            for second in range(first):
                if deciding.overlap and any(_together(tracklets[a], tracklets[b]) for a in mine for b in groups[second]):
                    continue
                mean = float(likeness[np.ix_(mine, groups[second])].mean())
                if mean >= best:
                    best, pair = mean, (second, first)
        if pair is None:
            break
        groups[pair[0]] += groups.pop(pair[1])
    labels = np.zeros(len(tracklets), np.int64)
    for number, rows in enumerate(groups):
        labels[rows] = number
    return labels


def _together(a: Tracklet, b: Tracklet) -> bool:
    """Return whether two tracklets were seen at one time in one source."""
    return a.source == b.source and a.start < b.end and b.start < a.end
