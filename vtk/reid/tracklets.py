"""Tracklets with their embeddings: as records, and as one matrix that a run fills and spills to disk."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass, replace
from typing import IO, Any

import numpy as np

from vtk.errors import RecordError
from vtk.records import Record, check, make

# Bytes of vectors that are kept in memory before they go to disk: 250,000 of 256 values.
IN_MEMORY = 1 << 28
# Rows that are copied together.
BLOCK = 16384
# A record carries the vector itself up to this length (vtk.records: lines stay under 4,096 bytes).
LONGEST = 1024


@dataclass(frozen=True, slots=True)
class Tracklet:
    """One track of one source, as far as telling people apart needs it.

    Attributes:
        source: as the user named it.
        track_id: unique within the source.
        start, end: when it was seen, seconds from the source's first frame, end exclusive.
        camera: the camera that the source is of, where that is known; sources of one camera share its clock only if
            they are the same source.
        vector: (D,) float32 of unit length; None where a store holds it.
        space: what made the vector, ``model@hash``.
        label: what the tracker says that it is.
        crops: how many crops the vector is the mean of.
    """

    source: str
    track_id: int
    start: float
    end: float
    camera: str | None = None
    vector: np.ndarray | None = None
    space: str = ""
    label: str | None = None
    crops: int = 1

    @property
    def key(self) -> tuple[str, int]:
        """What names it in a run."""
        return self.source, self.track_id


def to_record(tracklet: Tracklet, by: str) -> Record:
    """Return the ``embedding`` record of a tracklet.

    Raises:
        ValueError: it has no vector, or one of more than LONGEST values.
    """
    if tracklet.vector is None or not 1 <= tracklet.vector.size <= LONGEST:
        raise ValueError(f"tracklet {tracklet.key}: expected a vector of 1 to {LONGEST} values, got "
                         f"{None if tracklet.vector is None else tracklet.vector.shape}")
    known = {"label": tracklet.label, "camera": tracklet.camera}
    return make("embedding", by, tracklet.source, track_id=tracklet.track_id, start=round(tracklet.start, 6),
                end=round(tracklet.end, 6), **{key: value for key, value in known.items() if value is not None},
                crops=tracklet.crops, space=tracklet.space, embedding=pack(tracklet.vector))


def pack(vector: np.ndarray) -> dict[str, Any]:
    """Return (D,) float values as what stands under ``embedding`` in a record: half precision, little-endian."""
    half = vector.astype("<f2")
    return {"dtype": "f16", "shape": [half.size], "norm": round(float(np.linalg.norm(vector)), 4),
            "b64": base64.b64encode(half.tobytes()).decode()}


def unpack(embedding: dict[str, Any]) -> np.ndarray:
    """Return the values of what stands under ``embedding`` in a record, (D,) float32.

    Raises:
        RecordError: they cannot be read, or are not finite, or not as many as stated.
    """
    text = embedding.get("b64")
    if embedding.get("dtype") not in ("f16", "float16") or not isinstance(text, str):
        raise RecordError(f"embedding has dtype {embedding.get('dtype')!r:.20} and keys {', '.join(embedding)}: "
                          "f16 in b64 is needed")
    try:
        vector = np.frombuffer(base64.b64decode(text, validate=True), "<f2").astype(np.float32)
    except ValueError as error:
        raise RecordError(f"embedding cannot be read: {error}") from None
    if list(vector.shape) != embedding.get("shape"):
        raise RecordError(f"embedding has {vector.size} values and shape {embedding.get('shape')!r:.40}")
    if not np.isfinite(vector).all() or not vector.any():
        raise RecordError("embedding has no direction: its values are NaN, infinite or all zero")
    return vector


def from_record(record: Record) -> Tracklet:
    """Return the tracklet of an ``embedding`` record, its vector of unit length.

    Raises:
        RecordError: the record is of no tracklet, or is not of the vocabulary.
    """
    check(record)
    missing = [key for key in ("track_id", "start", "end") if key not in record]
    if missing:
        raise RecordError(f"embedding record has no {', '.join(map(repr, missing))}: one of a tracklet is needed, "
                          "as vtk reid writes it")
    vector = unpack(record["embedding"])
    return Tracklet(record["source"], int(record["track_id"]), float(record["start"]), float(record["end"]),
                    record.get("camera"), vector / np.linalg.norm(vector), record["space"], record.get("label"),
                    int(record.get("crops", 1)))


class Store:
    """The tracklets of a run: their vectors in memory, and on disk where they are many.

    Args:
        in_memory: bytes of vectors from which they are kept on disk, in a file that goes with the store.
    """

    def __init__(self, in_memory: int = IN_MEMORY) -> None:
        self.tracklets: list[Tracklet] = []
        self.space: str | None = None
        self._keys: set[tuple[str, int]] = set()
        self._most = in_memory
        self._fresh: list[np.ndarray] = []
        self._bytes = 0
        self._file: IO[bytes] | None = None

    def __len__(self) -> int:
        return len(self.tracklets)

    def add(self, tracklet: Tracklet) -> None:
        """Take a tracklet with its vector.

        Raises:
            RecordError: it is of another space or length than those before, or there is one of its name.
        """
        vector = tracklet.vector
        if vector is None:
            raise ValueError(f"tracklet {tracklet.key}: expected a vector, got None")
        if tracklet.key in self._keys:
            raise RecordError(f"two embeddings of track {tracklet.track_id} of {tracklet.source}: give each source "
                              "once, and the tracks of one tracker")
        if self.tracklets and (tracklet.space != self.space or vector.size != self._length):
            first = self.tracklets[0]
            raise RecordError(f"embeddings of two spaces: {first.source} is of {self.space} ({self._length} values), "
                              f"{tracklet.source} of {tracklet.space} ({vector.size}): embed both with one model")
        self.space, self._length = tracklet.space, vector.size
        self._keys.add(tracklet.key)
        self.tracklets.append(replace(tracklet, vector=None))
        self._fresh.append(vector.astype(np.float32))
        self._bytes += 4 * vector.size
        if self._bytes > self._most:
            self._spill()

    def vectors(self) -> np.ndarray:
        """Return (N, D) float32, one row a tracklet, of unit length; a read-only memory map where they are on disk."""
        if self._file is None:
            return np.stack(self._fresh) if self._fresh else np.zeros((0, 1), np.float32)
        self._spill()
        return np.memmap(self._file, np.float32, "r", shape=(len(self), self._length))

    def by_key(self) -> tuple[list[Tracklet], np.ndarray]:
        """Return the tracklets by source and track id, and their vectors as ``vectors`` does: however they came."""
        order = sorted(range(len(self)), key=lambda row: self.tracklets[row].key)
        vectors, tracklets = self.vectors(), [self.tracklets[row] for row in order]
        if not isinstance(vectors, np.memmap):
            return tracklets, vectors[order]
        with tempfile.TemporaryFile(prefix="vtk-reid-") as file:
            for begin in range(0, len(order), BLOCK):
                file.write(vectors[order[begin:begin + BLOCK]].tobytes())
            file.flush()
            return tracklets, np.memmap(file, np.float32, "r", shape=vectors.shape)

    def close(self) -> None:
        """Forget everything."""
        if self._file is not None:
            self._file.close()
        self.__init__(self._most)  # type: ignore[misc]

    def _spill(self) -> None:
        """Bring what is in memory to disk."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="vtk-reid-")
        self._file.writelines(vector.tobytes() for vector in self._fresh)
        self._file.flush()
        self._fresh, self._bytes = [], 0
