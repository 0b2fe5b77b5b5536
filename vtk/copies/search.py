"""Which references may have something in common with a query: the nearest frames, and the votes that they give.

    hits = search(query, references)
    for candidate in candidates(hits, query.weights):
        reference = references.footprint(references.list()[candidate.reference].source)
        matches = align(query, reference, similarity(query, reference, descriptor))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from vtk.copies.similarity import ALIKE, Entries

if TYPE_CHECKING:
    from vtk.copies.footprint import Footprint

# Frames of the query that are searched at once.
LOT = 1024
# Frames of references that are asked for with each frame of the query; where all are alike beyond doubt, ten times as
# many and more: a picture that stands still, or has many copies, fills the first ones.
NEAREST, MOST_NEAR, CROWDED = 20, 2000, 0.7
# Votes that a reference needs, such as two frames of the query that are its copies beyond doubt.
LEAST_VOTES = 1.5
# References that are looked at for a query.
MOST = 100


class Library(Protocol):
    """Frames of many references, in rows; such as ``vtk.copies.references``."""

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (Q, k) float32 scores in [0, 1] and (Q, k) int64 rows, best first, of (Q, D); -1 is no row."""
        ...

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of the reference and of the frame in its footprint, (N,) int64 each, of rows (N,)."""
        ...


class Hits(NamedTuple):
    """Frames of references that are near frames of a query, (N,) each, by frame of the query, best first.

    Attributes:
        frames: int64, of the query, numbers in its footprint.
        references: int64.
        columns: int64, frames of the references, numbers in their footprints.
        scores: float32 in [0, 1], on the scale of all descriptors.
    """

    frames: np.ndarray
    references: np.ndarray
    columns: np.ndarray
    scores: np.ndarray

    def of(self, reference: int, shape: tuple[int, int]) -> Entries:
        """Return the entries of one reference's map, whose shape is the frames of query and reference."""
        own = self.references == reference
        return Entries(self.frames[own], self.columns[own], self.scores[own], shape)


class Candidate(NamedTuple):
    """A reference's number, and what votes it has."""

    reference: int
    votes: float


def search(query: Footprint, library: Library, k: int = NEAREST) -> Hits:
    """Return the ``k`` frames of references that are most like each frame of the query that shows something.

    Where these are all alike beyond doubt there are more, up to ``MOST_NEAR``.

    Raises:
        ValueError: as the library has it.
    """
    places = shown(query)
    parts = [(np.zeros(0, np.int64),) * 3 + (np.zeros(0, np.float32),)]
    for start in range(0, len(places), LOT):
        frames, near = places[start : start + LOT], k
        while len(frames):
            scores, rows = library.search(query.vectors[frames], near)
            crowded = (rows >= 0).all(axis=1) & (scores.min(axis=1) >= CROWDED) & (near < MOST_NEAR)
            there = (rows >= 0) & ~crowded[:, None]
            parts.append((np.repeat(frames, there.sum(axis=1)), *library.locate(rows[there]), scores[there]))
            frames, near = frames[crowded], min(10 * near, MOST_NEAR)
    joined = list(map(np.concatenate, zip(*parts, strict=True)))
    order = np.argsort(joined[0], kind="stable")
    return Hits(*(column[order] for column in joined))


def shown(query: Footprint) -> np.ndarray:
    """Return the numbers (S,) int64 of the frames that show something, for which is searched."""
    return np.flatnonzero(query.vectors.any(axis=1) & (query.weights > 0))


def candidates(hits: Hits, weights: np.ndarray, least: float = LEAST_VOTES, most: int = MOST,
               min_score: float = ALIKE) -> list[Candidate]:
    """Return the references that may have something in common with a query, those with most votes first.

    Each frame of the query gives each reference one vote at most: the score of its best hit times the frame's weight.

    Args:
        hits: of one query.
        weights: (Q,) float32 in [0, 1], of the query's frames.
        least: votes that a reference needs.
        most: references at most.
        min_score: a hit below it gives no vote.
    """
    good = hits.scores >= min_score
    pairs = np.stack([hits.references[good], hits.frames[good]], axis=1)
    if not len(pairs):
        return []
    pairs, places = np.unique(pairs, axis=0, return_inverse=True)
    best = np.zeros(len(pairs), np.float32)
    np.maximum.at(best, places.ravel(), hits.scores[good])
    references, owners = np.unique(pairs[:, 0], return_inverse=True)
    votes = np.bincount(owners, best * weights[pairs[:, 1]])
    order = np.argsort(-votes, kind="stable")[:most]
    return [Candidate(int(references[at]), float(votes[at])) for at in order if votes[at] >= least]
