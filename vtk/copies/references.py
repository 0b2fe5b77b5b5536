"""References: the footprints that queries are looked for in, in memory here, in files by ``reference_library``.

    references = MemoryReferences(load_descriptor())
    references.add(footprint_of("film.mp4", references.descriptor))
    scores, rows = references.search(footprint_of("clip.mp4", references.descriptor).vectors, k=20)
    numbers, places = references.locate(rows[rows >= 0])  # references.list()[number].times[place] seconds

A row is a frame of a reference; rows of one reference follow each other in time. They are numbered anew by each ``add``
and ``remove``.

The vectors of a union of descriptors are kept and searched part by part: a frame that one part alone recognises is
not among the nearest by the mean of all.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from typing import Literal

import numpy as np

from vtk.copies.background import Background, Whitened
from vtk.copies.calibration import PLAIN
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint
from vtk.copies.union import Union
from vtk.errors import UsageError
from vtk.kernels.cosine_topk import cosine_topk
from vtk.library import SpaceError

Outcome = Literal["added", "replaced", "unchanged"]
Nearest = tuple[np.ndarray, np.ndarray, np.ndarray | None]
LOT = 1024  # queries that are searched at once
# Where scores are normalised by a background: so many times the rows that are asked for are compared, of so many
# queries at once, whose rows have vectors of 100 MB.
MORE = 8
NORMALISED_LOT = 128


Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True, eq=False)
class Reference:
    """What is known of a reference besides its vectors; see ``Footprint``.

    Attributes:
        count: of its frames.
        arrays: gives its frames, times and weights: of ten thousand references those of a few are looked at.
        added: when it was added, or replaced last, UTC.
        group: of its frames where they are stored.
        parts: how many vectors each of its frames has.
    """

    source: str
    count: int
    arrays: Callable[[], Arrays]
    duration: float
    fps: float | None
    width: int
    height: int
    fingerprint: str | None
    plan: str | None
    added: datetime
    group: str
    parts: int

    def __len__(self) -> int:
        return self.count

    @property
    def frames(self) -> np.ndarray:
        """(N,) int64; see ``Footprint``."""
        return self._arrays[0]

    @property
    def times(self) -> np.ndarray:
        """(N,) float64; see ``Footprint``."""
        return self._arrays[1]

    @property
    def weights(self) -> np.ndarray:
        """(N,) float32; see ``Footprint``."""
        return self._arrays[2]

    @cached_property
    def _arrays(self) -> Arrays:
        return self.arrays()

    def is_of(self, fingerprint: str | None, plan: str | None) -> bool:
        """Return whether it was made by ``plan`` of the file that has ``fingerprint``."""
        return fingerprint is not None and (self.fingerprint, self.plan) == (fingerprint, plan)


def reference_of(footprint: Footprint, group: str, parts: int) -> Reference:
    """Return what is known of the reference that ``footprint`` becomes now."""
    arrays = footprint.frames, footprint.times, footprint.weights
    return Reference(footprint.source, len(footprint), lambda: arrays, footprint.duration, footprint.fps,
                     footprint.width, footprint.height, footprint.fingerprint, footprint.plan,
                     datetime.now(timezone.utc), group, parts)


class References:
    """What references in memory and in files have in common; see there.

    Attributes:
        descriptor: that made the vectors.
    """

    def __init__(self, descriptor: Descriptor) -> None:
        self._describe_by(descriptor)
        self._number({})

    @property
    def space(self) -> str:
        """The space of the vectors, ``model@hash``."""
        return self.descriptor.space

    @property
    def scoring(self) -> str:
        """What decides scores besides the descriptor: a hash of each background; empty where there is none."""
        return "+".join(part.background.sha256[:12] for part in self.parts if isinstance(part, Whitened))

    def __len__(self) -> int:
        return len(self._known)

    @property
    def rows(self) -> int:
        """How many frames all references have together."""
        return int(self._offsets[-1])

    def list(self) -> Sequence[Reference]:
        """Return the references by name; ``locate`` gives places in it."""
        return self._ordered

    def locate(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of the reference and of the frame in its footprint, int64, of rows (N,); none is -1."""
        numbers = np.searchsorted(self._offsets, rows, side="right") - 1
        return numbers, rows - self._offsets[numbers]

    def get(self, source: str) -> Reference | None:
        """Return what is known of a reference; None where there is none of that name."""
        return self._known.get(source)

    def refresh(self, added: bool = True) -> frozenset[str]:
        """See what others changed, and return which references they replaced or removed; see ``ReferenceLibrary``.

        Args:
            added: whether what is new is seen, too.
        """
        return frozenset()

    def has(self, source: str, fingerprint: str | None, plan: str | None) -> bool:
        """Return whether a source is there as it is now, and need not be described again."""
        return source in self._known and self._known[source].is_of(fingerprint, plan)

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k rows that are most like each query, the best first.

        Args:
            vectors: (Q, D) float32 of the descriptor's space, of unit length, or zeros.
            k: how many.

        Returns:
            (Q, k) float32 in [0, 1]: how alike, as ``Descriptor.scores`` has it; of a union the largest score of the
            parts to which the row is among the k nearest. And (Q, k) int64: the rows. -1, with a score of 0, where
            there are no more, and for queries of zeros.

        Raises:
            ValueError: the vectors are of another length, or k is below 1.
        """
        if vectors.ndim != 2 or vectors.shape[1] != self.descriptor.dimensions or k < 1:
            raise ValueError(f"got vectors {vectors.shape} and k {k}, expected (Q, {self.descriptor.dimensions}) and "
                             "at least 1")
        scores = np.zeros((len(vectors), k), np.float32)
        rows = np.full((len(vectors), k), -1, np.int64)
        for first in range(0, len(vectors), LOT):
            lot = slice(first, first + LOT)
            found = [self._best(place, queries, k) for place, queries in enumerate(self._split(vectors[lot]))]
            scores[lot], rows[lot] = found[0] if len(found) == 1 else merged(found, k)
        return scores, rows

    def footprint(self, source: str) -> Footprint:
        """Return the footprint of a reference, as it was added; its vectors as exact as they are stored.

        Raises:
            UsageError: there is none of that name.
        """
        known = self.known(source)
        return Footprint(source, known.frames, known.times, self._join(self._vectors(known)), known.weights,
                         known.duration, known.fps, known.width, known.height, self.space, known.fingerprint,
                         known.plan)

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference, replace the one of its name where that is of another file or plan, or leave it.

        Raises:
            SpaceError: it is of another space.
            ValueError: its vectors are of another length.
        """
        raise NotImplementedError

    def remove(self, source: str) -> int:
        """Remove a reference; return how many frames it had.

        Raises:
            UsageError: there is none of that name.
        """
        raise NotImplementedError

    def _nearest(self, place: int, queries: np.ndarray, k: int, with_vectors: bool = False) -> Nearest:
        """Return cosines (Q, k) float32, best first, and rows (Q, k) int64 by part ``place``; -1 where there are none.

        No query is zero. ``with_vectors``: and the vectors (Q, k, D) float32 of the rows, zeros where there are none.
        """
        raise NotImplementedError

    def _vectors(self, known: Reference) -> list[np.ndarray]:
        """Return the vectors (N, Dᵢ) float32 of a reference by part, of unit length or zeros."""
        raise NotImplementedError

    def _best(self, place: int, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return scores (Q, k) and rows (Q, k) by part ``place``; see ``search``."""
        scores, rows = np.zeros((len(queries), k), np.float32), np.full((len(queries), k), -1, np.int64)
        shown = np.flatnonzero(queries.any(axis=1))
        if not (len(shown) and self.rows):
            return scores, rows
        part = self.parts[place]
        if isinstance(part, Whitened):
            for first in range(0, len(shown), NORMALISED_LOT):
                lot = shown[first : first + NORMALISED_LOT]
                scores[lot], rows[lot] = self._normalised(place, part.background, queries[lot], k)
            return scores, rows
        cosines, rows[shown], _ = self._nearest(place, queries[shown], k)
        calibration = getattr(part, "calibration", PLAIN)
        scores[shown] = np.where(rows[shown] >= 0, calibration(cosines), np.float32(0))
        return scores, rows

    def _normalised(self, place: int, background: Background, queries: np.ndarray,
                    k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return scores (Q, k) and rows (Q, k) by part ``place``, of which similarities are normalised."""
        _, rows, vectors = self._nearest(place, background.directions(queries), k * MORE, with_vectors=True)
        values = np.where(rows >= 0, background.similarities(queries, vectors), np.float32(-np.inf))
        order = np.lexsort((rows, -values))[:, :k]
        rows, values = np.take_along_axis(rows, order, 1), np.take_along_axis(values, order, 1)
        return np.where(rows >= 0, background.calibration(values), np.float32(0)), rows

    def _describe_by(self, descriptor: Descriptor) -> None:
        self.descriptor = descriptor
        self.parts = tuple(descriptor.parts) if isinstance(descriptor, Union) else (descriptor,)

    def _split(self, vectors: np.ndarray) -> list[np.ndarray]:
        return self.descriptor.split(vectors) if isinstance(self.descriptor, Union) else [vectors]

    def _join(self, parts: Sequence[np.ndarray]) -> np.ndarray:
        return self.descriptor.join(parts) if isinstance(self.descriptor, Union) else parts[0]

    def _check(self, footprint: Footprint) -> None:
        if footprint.space != self.space:
            raise SpaceError(f"{footprint.source} is described by {footprint.space}, the references by {self.space}: "
                             "describe it anew")
        if footprint.vectors.shape[1] != self.descriptor.dimensions:
            raise ValueError(f"vectors of {footprint.source}: got {footprint.vectors.shape}, expected "
                             f"(N, {self.descriptor.dimensions})")

    def _number(self, known: dict[str, Reference]) -> None:
        """Number the rows of ``known`` references, by name."""
        self._known = {name: known[name] for name in sorted(known)}
        self._ordered = tuple(self._known.values())
        self._offsets = np.cumsum([0, *map(len, self._ordered)], dtype=np.int64)

    def known(self, source: str) -> Reference:
        """Return what is known of a reference.

        Raises:
            UsageError: there is none of that name.
        """
        if source not in self._known:
            raise UsageError(f"no reference '{source}': {_hint(source, [*self._known])}")
        return self._known[source]


class MemoryReferences(References):
    """References that are held in memory, for as long as the object is there."""

    def __init__(self, descriptor: Descriptor) -> None:
        """Hold what ``descriptor`` makes."""
        super().__init__(descriptor)
        self._held: dict[str, list[np.ndarray]] = {}
        self._joined: list[tuple[np.ndarray, np.ndarray]] | None = None

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference; see ``References``."""
        self._check(footprint)
        if self.has(footprint.source, footprint.fingerprint, footprint.plan):
            return "unchanged"
        there = footprint.source in self._known
        self._held[footprint.source] = self._split(footprint.vectors)
        # The name stands for its frames: nothing else is stored under it.
        self._number({**self._known,
                      footprint.source: reference_of(footprint, footprint.source, len(self.parts))})
        self._joined = None
        return "replaced" if there else "added"

    def remove(self, source: str) -> int:
        """Remove a reference; see ``References``."""
        count = len(self.known(source))
        del self._held[source]
        self._number({name: each for name, each in self._known.items() if name != source})
        self._joined = None
        return count

    def _nearest(self, place: int, queries: np.ndarray, k: int, with_vectors: bool = False) -> Nearest:
        if self._joined is None:
            self._joined = [self._whole(part) for part in range(len(self.parts))]
        vectors, rows = self._joined[place]
        cosines, found = np.full((len(queries), k), -1, np.float32), np.full((len(queries), k), -1, np.int64)
        there = np.zeros((len(queries), k, vectors.shape[1]), np.float32) if with_vectors else None
        if len(vectors):
            near = min(k, len(vectors))
            places, cosines[:, :near] = cosine_topk(queries, vectors, near)
            found[:, :near] = rows[places]
            if there is not None:
                there[:, :near] = vectors[places]
        return cosines, found, there

    def _whole(self, place: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the vectors by part ``place`` of all frames that show something, and their rows."""
        vectors = np.concatenate([self._held[each.source][place] for each in self._ordered])
        shown = np.flatnonzero(vectors.any(axis=1))
        return vectors[shown], shown

    def _vectors(self, known: Reference) -> list[np.ndarray]:
        return self._held[known.source]


def _hint(source: str, known: Sequence[str]) -> str:
    """Return which of the names that are known may be meant by one that is not: one like it, in any folder."""
    files = {os.path.basename(name): name for name in reversed(known)}
    near = (difflib.get_close_matches(source, known, n=1)
            or [files[name] for name in difflib.get_close_matches(os.path.basename(source), files, n=1)])
    if near:
        return f"did you mean '{near[0]}'?"
    return f"there {'is 1 other' if len(known) == 1 else f'are {len(known)} others'}; vtk library list has their names"


def merged(found: Sequence[tuple[np.ndarray, np.ndarray]], k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k best of several results, scores (Q, n) and rows (Q, n), each row once, with its best score.

    Equal scores stand in the order of their rows; -1 is no row.
    """
    scores = np.concatenate([scores for scores, _ in found], axis=1)
    rows = np.concatenate([rows for _, rows in found], axis=1)
    order = np.lexsort((-scores, rows))
    scores, rows = np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
    again = np.zeros(rows.shape, bool)
    again[:, 1:] = rows[:, 1:] == rows[:, :-1]
    scores, rows = np.where(again, np.float32(0), scores), np.where(again, -1, rows)
    order = np.lexsort((rows, rows < 0, -scores))[:, :k]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
