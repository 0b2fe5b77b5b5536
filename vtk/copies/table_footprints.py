"""Footprints of a set of copies, each video decoded once and each frame described once for all descriptors."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from vtk.copies.collecting import LOT, Views, query_of
from vtk.copies.descriptors import Descriptor, load_descriptor
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.references import MemoryReferences
from vtk.copies.search import NEAREST, shown
from vtk.copies.table_distractors import NAME, Distractors
from vtk.copies.union import Union

_SEQUENCE = 2  # of what distractors show: another one where they are drawn otherwise


class Remembered(MemoryReferences):
    """References in memory that search for the same vectors once, and for many queries' at a time."""

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__(descriptor)
        self._answers: dict[tuple[bytes, int], tuple[np.ndarray, np.ndarray]] = {}

    def search(self, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the k rows that are most like each query; see ``References``."""
        key = _key(vectors, k)
        if key not in self._answers:
            self._answers[key] = super().search(vectors, k)
        return self._answers[key]

    def expect(self, footprints: Iterable[Footprint], k: int = NEAREST) -> None:
        """Search for what is about to be searched for: for a few vectors at a time it takes ten times as long."""
        lots = [each.vectors[shown(each)] for each in footprints]
        scores, rows = super().search(np.concatenate(lots), k)
        ends = np.cumsum([len(lot) for lot in lots])[:-1]
        for lot, *answer in zip(lots, np.split(scores, ends), np.split(rows, ends), strict=True):
            self._answers[_key(lot, k)] = answer[0], answer[1]


def _key(vectors: np.ndarray, k: int) -> tuple[bytes, int]:
    return hashlib.sha256(np.ascontiguousarray(vectors).tobytes()).digest(), k


class Describer:
    """Describes by several descriptors at once, and keeps what it did in a folder, if there is one."""

    def __init__(self, parts: Sequence[str], plan: FramePlan, cache: Path | None = None) -> None:
        """Describe by ``parts``, names of two or more descriptors that are no unions."""
        self.union = Union([load_descriptor(part) for part in parts])
        self._places = {part: place for place, part in enumerate(parts)}
        self._plan, self._cache = plan, cache

    def of(self, path: str, views: Views = Views()) -> Query:
        """Return the footprints of a video by all descriptors."""
        stat = os.stat(path)
        key = f"{os.path.realpath(path)} {stat.st_size} {stat.st_mtime_ns} {self._plan} {views}"
        return self._kept(path, key, lambda: query_of(path, self.union, self._plan, views=views))

    def of_distractors(self, distractors: Distractors) -> Iterator[Footprint]:
        """Yield the footprints of distractors, a frame a second."""
        for number in distractors.drawn:
            key = f"{number} {distractors.seed} {_SEQUENCE} {hash_of(distractors.pictures)}"
            name = f"{NAME}{number}"
            drawn = self._kept(name, key, partial(self._of_frames, name, distractors, number)).whole
            for loop, order in distractors.loops(number):
                vectors = drawn.vectors[order]
                if loop != name:
                    vectors = self.union.join([distractors.moved(part, loop) for part in self.union.split(vectors)])
                yield replace(drawn, source=loop, vectors=vectors, weights=drawn.weights[order])

    def only(self, query: Query, name: str) -> Query:
        """Return the footprints by descriptor ``name`` alone, a part or several joined by ``+``."""
        descriptor = self.descriptor(name)
        changed = [self._only(each, name, descriptor) for each in
                   (query.whole, *query.crops, *([query.mirrored] if query.mirrored else []))]  # fmt: skip
        crops = len(query.crops)
        return Query(changed[0], tuple(changed[1 : 1 + crops]), changed[1 + crops] if query.mirrored else None)

    def descriptor(self, name: str) -> Descriptor:
        """Return the descriptor ``name``, of the parts that describe."""
        parts = [self.union.parts[self._places[part]] for part in name.split("+")]
        return parts[0] if len(parts) == 1 else Union(parts)

    def _only(self, footprint: Footprint, name: str, descriptor: Descriptor) -> Footprint:
        split = self.union.split(footprint.vectors)
        vectors = [split[self._places[part]] for part in name.split("+")]
        joined = descriptor.join(vectors) if isinstance(descriptor, Union) else vectors[0]
        weights = np.where(joined.any(axis=1), footprint.weights, np.float32(0))
        return replace(footprint, vectors=joined, weights=weights, space=descriptor.space)

    def _of_frames(self, name: str, distractors: Distractors, number: int) -> Query:
        rest, lots = distractors.frames(number), []
        while lot := list(islice(rest, LOT)):
            lots.append(self.union.describe(lot))
            height, width = lot[0].shape[:2]
        vectors = np.concatenate(lots)
        count = len(vectors)
        return Query(Footprint(name, np.arange(count, dtype=np.int64), np.arange(count, dtype=np.float64), vectors,
                               vectors.any(axis=1).astype(np.float32), float(count), 1.0, width, height,
                               self.union.space))  # fmt: skip

    def _kept(self, name: str, key: str, make: Callable[[], Query]) -> Query:
        """Return what ``make`` gives, from the folder where it was made before."""
        if self._cache is None:
            return make()
        digest = hashlib.sha256(f"{key} {self.union.space}".encode(errors="surrogateescape")).hexdigest()
        path = self._cache / f"{digest[:24]}.npz"
        if not path.exists():
            query = make()
            _write(path, query)
            return query
        return _read(path, name, self.union.space)


def hash_of(pictures: Iterable[Path]) -> str:
    """Return what tells one list of files from another."""
    return hashlib.sha256("\0".join(map(str, pictures)).encode(errors="surrogateescape")).hexdigest()[:12]


def _write(path: Path, query: Query) -> None:
    whole = query.whole
    part = path.with_suffix(f".{os.getpid()}")
    with part.open("wb") as stream:
        np.savez(stream, frames=whole.frames, times=whole.times, weights=whole.weights,
                 vectors=np.stack([each.vectors for each in (whole, *query.crops)]),
                 mirrored=query.mirrored.vectors if query.mirrored else np.zeros(0, np.float32),
                 known=np.array([whole.duration, whole.fps or 0, whole.width, whole.height]),
                 names=np.array([whole.fingerprint or "", whole.plan or ""]))  # fmt: skip
    part.replace(path)


def _read(path: Path, name: str, space: str) -> Query:
    with np.load(path) as file:
        duration, fps, width, height = file["known"].tolist()
        fingerprint, plan = file["names"].tolist()
        vectors, mirrored = file["vectors"], file["mirrored"]
        whole = Footprint(name, file["frames"], file["times"], vectors[0], file["weights"], duration, fps or None,
                          int(width), int(height), space, fingerprint or None, plan or None)  # fmt: skip
    return Query(whole, tuple(replace(whole, vectors=each) for each in vectors[1:]),
                 replace(whole, vectors=mirrored) if len(mirrored) else None)
