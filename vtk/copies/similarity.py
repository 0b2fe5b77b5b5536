"""How alike the frames of two videos are: as a whole map where it is small, as its greatest entries where it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from vtk.copies.union import Union
from vtk.kernels.cosine_topk import cosine_topk

if TYPE_CHECKING:
    from vtk.copies.descriptors import Descriptor
    from vtk.copies.footprint import Footprint

# Cells of a map that is compared as a whole: half an hour against half an hour, a frame a second, 16 MB.
DENSE = 1 << 22
# Least value that is listed of them; no aligner looks at less.
LISTED = 0.2
# Least value of two frames that aligners take for a copy: three strangers in 10,000 reach it.
ALIKE = 0.4
# References to each frame of the query where the map is larger.
NEAREST = 20
# Query frames whose entries are scored at once: all pairs of their references are, so few.
LOT = 16


class Entries(NamedTuple):
    """Entries of a map, as ``vtk.kernels.temporal_align`` takes them; what is not listed is 0.

    Attributes:
        rows, columns: (N,) int64, frames of the query and of the reference, numbers in their footprints.
        values: (N,) float32 in [0, 1].
        shape: frames of both.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]


def similarity(query: Footprint, reference: Footprint, descriptor: Descriptor, dense: int = DENSE,
               nearest: int = NEAREST) -> Entries:
    """Return how alike the frames of two footprints are, on the scale of all descriptors.

    Args:
        query, reference: of the descriptor's space.
        dense: cells up to which all pairs of frames are compared; beyond, each frame of the query is with the
            ``nearest`` ones by cosine; of a union with those of each part.
        nearest: at least 1.

    Raises:
        ValueError: a footprint is of another space.
    """
    for footprint in (query, reference):
        if footprint.space != descriptor.space:
            raise ValueError(f"{footprint.source}: got vectors of {footprint.space}, expected {descriptor.space}")
    shape = len(query), len(reference)
    if shape[0] * shape[1] <= dense:
        values = descriptor.scores(query.vectors, reference.vectors)
        seen = query.vectors.any(axis=1)[:, None] & reference.vectors.any(axis=1)
        rows, columns = np.nonzero((values >= LISTED) & seen)
        return Entries(rows, columns, values[rows, columns], shape)
    rows, columns = _nearest(query.vectors, reference.vectors, min(nearest, shape[1]), descriptor)
    return Entries(rows, columns, entry_scores(query.vectors, reference.vectors, rows, columns, descriptor), shape)


def _nearest(queries: np.ndarray, references: np.ndarray, k: int,
             descriptor: Descriptor) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and columns (N,) int64, in order and each pair once, of the references nearest to each query."""
    united = isinstance(descriptor, Union)
    sides = [descriptor.split(each) if united else [each] for each in (queries, references)]
    places = []
    for some, others in zip(*sides, strict=True):
        found = cosine_topk(some, others, k)[0]
        rows = np.broadcast_to(np.arange(len(queries))[:, None], found.shape)
        places.append((rows * len(references) + found)[found >= 0])
    return np.divmod(np.unique(np.concatenate(places)), len(references))


def entry_scores(queries: np.ndarray, references: np.ndarray, rows: np.ndarray, columns: np.ndarray,
                 descriptor: Descriptor) -> np.ndarray:
    """Return the descriptor's scores (N,) float32 of pairs of vectors; 0 where one of them is of zeros.

    Args:
        queries, references: (Q, D) and (R, D) float32.
        rows, columns: (N,) int64, which of them; rows ascend.
    """
    out = np.zeros(len(rows), np.float32)
    edges = np.searchsorted(rows, np.arange(0, len(queries) + LOT, LOT))
    for at, (start, stop) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        if start == stop:
            continue
        some = queries[at * LOT : (at + 1) * LOT]
        others, places = np.unique(columns[start:stop], return_inverse=True)
        values = descriptor.scores(some, references[others])
        seen = some.any(axis=1)[:, None] & references[others].any(axis=1)
        out[start:stop] = np.where(seen, values, 0)[rows[start:stop] - at * LOT, places]
    return out


def weighted(entries: Entries, query: Footprint, reference: Footprint) -> Entries:
    """Return the entries times the geometric mean of both frames' weights: what stands still says little."""
    weights = np.sqrt(query.weights[entries.rows] * reference.weights[entries.columns])
    return entries._replace(values=(entries.values * weights).astype(np.float32))


def later(entries: Entries, video: Footprint, apart: float) -> Entries:
    """Return what of a video's map with itself may be a span that comes back later.

    These are the entries whose second frame is ``apart`` seconds or more after the first, where some frame between
    them is unlike the first: else it is one scene that goes on. The rest is the main diagonal and what mirrors this.

    Args:
        entries: each place once.
        video: both sides of the map.
        apart: at least 0.
    """
    order = np.lexsort((entries.columns, entries.rows))
    order = order[(entries.values[order] >= ALIKE) & (entries.columns[order] > entries.rows[order])]
    rows, columns = entries.rows[order], entries.columns[order]
    # The n-th entry of a row after the diagonal is n columns after it as long as no frame is left out.
    rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
    kept = order[(columns - rows - 1 > rank) & (video.times[columns] - video.times[rows] >= apart)]
    return entries._replace(rows=entries.rows[kept], columns=entries.columns[kept], values=entries.values[kept])
