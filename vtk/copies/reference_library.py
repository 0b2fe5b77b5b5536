"""References that last: ``films.lance``, a folder or an address on object storage, over ``vtk.library``.

    with ReferenceLibrary.open("films.lance", load_descriptor()) as references:
        if not references.has(name, fingerprint(path), str(plan)):
            references.add(footprint_of(name, references.descriptor, plan))

Under the address stand ``references``, an entry for each with what is known of it, and ``frames`` (``frames-2``, … for
the other parts of a union), an entry for each frame that shows something. Frames are written first, under a name of
their contents, and are there from the moment at which the entry of their reference names them: a process that is
killed leaves an old reference or a new one, never a part. What it left over, the next one that writes clears.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint
from vtk.copies.references import Outcome, Reference, References, reference_of
from vtk.library import Columns, Entry, Hits, Library, LibraryError, Space, SpaceError
from vtk.library.conditions import quoted
from vtk.library.storage import folder_of

KNOWN = "references"
_NAME = 16  # hexadecimal digits that name the frames of a reference
_ARRAYS = {"frames": "<i8", "times": "<f8", "weights": "<f4"}


@dataclass(frozen=True, slots=True)
class ReferenceStats:
    """What a library of references holds.

    Attributes:
        space: of its vectors, ``model@hash``.
        references, frames: how many; ``frames`` counts those, too, that show nothing and have no vector.
        seconds: of all references together.
        bytes: of the data files that are current.
        removed: entries that no search finds and that still stand in the files, until ``compact``.
        index: the kind of its index; None where there is none.
    """

    space: str
    references: int
    frames: int
    seconds: float
    bytes: int
    removed: int
    index: str | None


class ReferenceLibrary(References):
    """A library of references that is open; made by ``ReferenceLibrary.open``. For one thread.

    What others add or remove meanwhile it sees after ``refresh``, and after its own changes.

    Attributes:
        uri: the folder or the address on object storage, as given.
    """

    def __init__(self, uri: str, descriptor: Descriptor, known: Library, frames: Sequence[Library]) -> None:
        super().__init__(descriptor)
        self.uri = uri
        self._library, self._frames, self._swept = known, list(frames), False
        self.refresh()

    @classmethod
    def open(cls, uri: str, descriptor: Descriptor, create: bool = True) -> ReferenceLibrary:
        """Open a library, or make a new one.

        Raises:
            LibraryError: there is none, it is damaged, or something else is there.
            SpaceError: it is of another descriptor.
        """
        _check_place(uri, create)
        asked = Space(descriptor.name, descriptor.sha256, 1)  # a reference itself has no vector
        try:
            known = Library.open(f"{uri}/{KNOWN}", asked, create)
        except SpaceError:
            held = Library.open(f"{uri}/{KNOWN}").space
            raise SpaceError(f"library '{uri}' holds {held}, asked for {asked}: they cannot be compared; "
                             "add its sources anew, to another one") from None
        parts = References(descriptor).parts
        frames = [Library.open(_place(uri, number), Space(part.name, part.sha256, part.dimensions), create)
                  for number, part in enumerate(parts)]
        return cls(uri, descriptor, known, frames)

    def __enter__(self) -> ReferenceLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is held in memory."""
        for library in (self._library, *self._frames):
            library.close()

    def refresh(self) -> None:
        """See what others added and removed; rows are numbered anew."""
        self._number({entry.id: _reference(entry) for entry in self._library.read(vectors=False)})

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference; when this returns it is committed. See ``References``."""
        self._check(footprint)
        group = _group_of(footprint)
        with self._turn():
            before = self._stored(footprint.source)
            if before is not None and (before.is_of(footprint.fingerprint, footprint.plan) or before.group == group):
                self._number({**self._known, footprint.source: before})
                return "unchanged"
            for library, vectors in zip(self._frames, self._split(footprint.vectors), strict=True):
                _store(library, footprint, group, vectors)
            new = reference_of(footprint, group, len(self.parts))
            self._library.add([_entry(new)], replace=True)
            if before is not None:
                self._drop(before.group)
            self._number({**self._known, footprint.source: new})
        return "added" if before is None else "replaced"

    def remove(self, source: str) -> int:
        """Remove a reference: nothing finds it any more; its bytes stay until ``compact``. See ``References``."""
        with self._turn():
            known = self._stored(source) or self._known_as(source)
            self._library.remove(ids=[source])
            self._drop(known.group)
            self._number({name: each for name, each in self._known.items() if name != source})
        return len(known)

    def compact(self) -> None:
        """Rewrite the files, one of many adds into few, without what was removed; see ``Library.compact``."""
        with self._turn():
            for library in (self._library, *self._frames):
                library.compact()

    def index(self, kind: str = "sq") -> None:
        """Build the indexes that searches go by beyond a million frames; see ``Library.index``."""
        for library in self._frames:
            library.index(kind)  # type: ignore[arg-type]

    def stats(self) -> ReferenceStats:
        """Return what the library holds."""
        whole, *parts = [library.stats() for library in (self._library, *self._frames)]
        return ReferenceStats(self.space, len(self), self.rows, sum(each.duration for each in self._ordered),
                              sum(each.bytes for each in (whole, *parts)),
                              sum(each.deleted for each in (whole, *parts)), parts[0].index)

    def _nearest(self, place: int, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        cosines, rows = np.full((len(queries), k), -1, np.float32), np.full((len(queries), k), -1, np.int64)
        hits = self._frames[place].search(queries, k)
        counts = [len(each) for each in hits]
        if not sum(counts):
            return cosines, rows
        filled = np.arange(k) < np.array(counts)[:, None]
        cosines[filled] = np.concatenate([each.scores for each in hits])
        rows[filled] = self._rows_of(hits)
        order = np.argsort(rows < 0, axis=1, kind="stable")  # what is of no reference goes to the end
        return np.take_along_axis(cosines, order, 1), np.take_along_axis(rows, order, 1)

    def _rows_of(self, hits: Sequence[Hits]) -> np.ndarray:
        """Return the rows (n,) int64 of all hits; -1 where a frame is of no reference, or of one that came later."""
        names = [name for each in hits for name in each.ids]
        bases = np.array([self._bases.get(name[:_NAME], -1) for name in names], np.int64)
        places = np.array([int(name[_NAME + 1:]) for name in names], np.int64)
        return np.where(bases < 0, -1, bases + places)

    def _vectors(self, known: Reference) -> list[np.ndarray]:
        parts = []
        for library, part in zip(self._frames, self.parts, strict=True):
            vectors = np.zeros((len(known), part.dimensions), np.float32)
            for entry in library.read(f"`group` = {quoted(known.group)}"):
                vectors[int(entry.id[_NAME + 1:])] = entry.vector
            parts.append(_unit(vectors))
        return parts

    def _part(self, place: int, rows: np.ndarray) -> np.ndarray:
        distinct, inverse = np.unique(rows, return_inverse=True)
        numbers, places = self.locate(distinct)
        names = [f"{self._ordered[number].group}/{at}" for number, at in zip(numbers.tolist(), places.tolist(),
                                                                             strict=True)]
        found = self._frames[place].get(names) if names else {}
        vectors = np.zeros((len(names), self.parts[place].dimensions), np.float32)
        for at, name in enumerate(names):
            if name in found:  # a frame that shows nothing has none
                vectors[at] = found[name].vector
        return _unit(vectors)[inverse]

    def _number(self, known: dict[str, Reference]) -> None:
        super()._number(known)
        self._bases = {each.group: int(self._offsets[number]) for number, each in enumerate(self._ordered)}

    def _stored(self, source: str) -> Reference | None:
        """Return what is stored of a reference now, by whomever."""
        found = self._library.get([source], vectors=False)
        return _reference(found[source]) if source in found else None

    def _drop(self, group: str) -> None:
        for library in self._frames:
            library.remove(group=group)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Hold the library for one change, and the first time clear what killed processes left of theirs.

        On object storage there are no locks, and nothing tells what was left from what is just being written: there
        it stays.
        """
        folder = folder_of(self.uri)
        if folder is None:
            yield
            return
        try:
            file = open(folder / ".turn", "ab")
        except OSError as error:
            raise LibraryError(f"library '{self.uri}' cannot be written: {error.strerror}") from None
        with file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not self._swept:
                self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove frames that no reference names."""
        self.refresh()
        for library in self._frames:
            for group in library.groups():
                if group.name not in self._bases:
                    library.remove(group=group.name)
        self._swept = True


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))


def _check_place(uri: str, create: bool) -> None:
    """Raise LibraryError where there is no library and none may be made."""
    folder = folder_of(uri)
    if folder is None or (folder / KNOWN).is_dir():
        return
    if folder.exists() and not folder.is_dir():
        raise LibraryError(f"'{uri}' is a file; a library is a folder")
    if not create:
        raise LibraryError(f"no library at '{uri}'; add to it first, or mend the path")
    if folder.is_dir() and any(folder.iterdir()):
        raise LibraryError(f"'{uri}' holds other files and no library of references; name a folder that is new or empty")


def _place(uri: str, number: int) -> str:
    return f"{uri}/frames" if number == 0 else f"{uri}/frames-{number + 1}"


def _group_of(footprint: Footprint) -> str:
    """Return the name of a footprint's frames: of all that is stored of them."""
    digest = hashlib.sha256(json.dumps([footprint.source, footprint.fingerprint, footprint.plan,
                                        footprint.space]).encode())
    for array in (footprint.frames, footprint.times, footprint.vectors, footprint.weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:_NAME]


def _store(library: Library, footprint: Footprint, group: str, vectors: np.ndarray) -> None:
    shown = np.flatnonzero(vectors.any(axis=1))
    if len(shown):
        library.add(Columns([f"{group}/{place}" for place in shown], vectors[shown], [group] * len(shown),
                            [footprint.source] * len(shown), t=footprint.times[shown]), batch=len(shown))


def _entry(known: Reference) -> Entry:
    extra = {"frames": len(known), "fps": known.fps, "width": known.width, "height": known.height,
             "fingerprint": known.fingerprint, "plan": known.plan, "parts": known.parts}
    packed = {name: base64.b64encode(zlib.compress(getattr(known, name).astype(kind).tobytes())).decode()
              for name, kind in _ARRAYS.items()}
    return Entry(known.source, np.ones(1, np.float32), known.group, known.source, 0.0, known.duration,
                 added=known.added, extra={**extra, "packed": packed})


def _reference(entry: Entry) -> Reference:
    extra = entry.extra
    frames, times, weights = (np.frombuffer(zlib.decompress(base64.b64decode(extra["packed"][name])), kind)
                              for name, kind in _ARRAYS.items())
    return Reference(entry.id, frames.astype(np.int64), times.astype(np.float64), weights.astype(np.float32),
                     entry.end or 0.0, extra["fps"], extra["width"], extra["height"], extra["fingerprint"],
                     extra["plan"], entry.added, entry.group, extra["parts"])
