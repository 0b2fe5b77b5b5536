"""Who is who in a run: its tracklets in, ``identity`` records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vtk.errors import UsageError
from vtk.records import Record, make, score
from vtk.reid.tracklets import Store, Tracklet

if TYPE_CHECKING:
    from vtk.reid.constraints import Constraints

# Rows of vectors that are looked at together.
BLOCK = 16384


@dataclass(frozen=True, slots=True)
class Deciding:
    """How identities are told.

    Attributes:
        threshold: the least mean cosine of two groups of one identity; None: the calibration's, or the model's own.
        calibration: a file that ``vtk calibrate reid`` wrote.
        overlap: whether two tracklets of one source that overlap in time are two.
        constraints: a file of cameras, clocks and the times that people need between cameras.
        explain: whether each identity tells the three nearest tracklets and what kept them apart.
        gallery: where identities of earlier runs are, which are searched and added to; None: nowhere.
        retention: days after which what was added to it is forgotten; None: never.
    """

    threshold: float | None = None
    calibration: Path | None = None
    overlap: bool = True
    constraints: Path | None = None
    explain: bool = False
    gallery: str | None = None
    retention: float | None = None

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"--threshold {self.threshold:g}: a cosine from 0 to 1 is needed")
        if self.threshold is not None and self.calibration is not None:
            raise UsageError("--threshold and --calibration both say what is alike enough: give one of them")
        if self.retention is not None and self.gallery is None:
            raise UsageError("--retention goes with --gallery")

    def rules(self) -> Constraints:
        """Return what keeps tracklets apart whatever they look like. Raises UsageError: the file is no such file."""
        from vtk.reid.constraints import Constraints, read_constraints

        if self.constraints is None:
            return Constraints(overlap=self.overlap)
        return read_constraints(self.constraints, self.overlap)

    def check(self, space: str, precision: str | None = None) -> None:
        """Raise UsageError where no threshold is known for vectors of ``space``, or a file cannot be used."""
        self.least((), self.rules(), space, precision)

    def least(self, tracklets: Sequence[Tracklet], rules: Constraints, space: str,
              precision: str | None = None) -> float:
        """Return the threshold for tracklets of ``space``, made by a model that ran in ``precision``.

        Raises:
            UsageError: none is known for them.
        """
        if self.threshold is not None:
            return self.threshold
        from vtk.reid.calibration import read_calibration, threshold_for

        found = read_calibration(self.calibration, space, precision) if self.calibration is not None else None
        return threshold_for(tracklets, rules, space, found)


def identity_records(store: Store, deciding: Deciding, by: str, precision: str | None = None) -> list[Record]:
    """Return an ``identity`` record of each tracklet of a run, by source and track id.

    Without a gallery identities are numbered from 1 in the order of their first tracklet, sources by name.

    Raises:
        VtkError: no threshold is known, or a file or the gallery cannot be used.
    """
    from vtk.reid.identities import identify

    if not len(store):
        return []
    tracklets, vectors = store.by_key()
    rules = deciding.rules()
    least = deciding.least(tracklets, rules, tracklets[0].space, precision)
    labels = identify(tracklets, vectors, least, rules)
    names: Sequence[int | str]
    if deciding.gallery is None:
        numbers = numbered(labels, tracklets)
        names, scores = numbers.tolist(), agreement(vectors, numbers)
    else:
        from vtk.reid.people import assign_people

        names, scores = assign_people(deciding.gallery, tracklets, vectors, labels, least, rules, deciding.retention)
    records = [make("identity", by, tracklet.source, track_id=tracklet.track_id, identity=name, score=score(value))
               for tracklet, name, value in zip(tracklets, names, scores, strict=True)]
    if deciding.explain:
        for record, near in zip(records, _explained(tracklets, vectors, labels, least, rules), strict=True):
            record["nearest"] = near
    return records


def _explained(tracklets: Sequence[Tracklet], vectors: np.ndarray, labels: np.ndarray, least: float,
               rules: Constraints) -> list[list[Record]]:
    """Return what stands under ``nearest`` of each tracklet."""
    from vtk.reid.identities import explain

    return [[{"source": tracklets[other.row].source, "track_id": tracklets[other.row].track_id,
              "score": score(min(1.0, max(0.0, other.cosine))), "why": other.why} for other in others]
            for others in explain(tracklets, vectors, labels, least, rules)]


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
