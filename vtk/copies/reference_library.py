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

import contextlib
import fcntl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.calibration import Calibration
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint
from vtk.copies.reference_entries import NAME, entry_of, group_of, place_of, reference_in, store
from vtk.copies.references import Outcome, Reference, References, reference_of
from vtk.copies.union import Union
from vtk.library import Hits, Library, LibraryError, Space, SpaceError
from vtk.library.conditions import quoted
from vtk.library.storage import folder_of

KNOWN = "references"


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


class _Stated:
    """A descriptor of which a library says what it is called, and nothing can be described or scored by."""

    def __init__(self, space: Space) -> None:
        self.name, self.sha256, self.dimensions, self.space = space.model, space.sha256, space.dim, str(space)

    @property
    def calibration(self) -> Calibration:
        """None is known."""
        raise ValueError(f"the library was opened without its descriptor {self.space}: open it with that to search")

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Raise ValueError."""
        raise ValueError(f"there is no descriptor {self.space} to describe {len(frames)} frames by")

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Raise ValueError."""
        raise ValueError(f"there is no descriptor {self.space} to score {len(queries)} x {len(references)} pairs by")


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
    def open(cls, uri: str, descriptor: Descriptor | None = None, create: bool = True) -> ReferenceLibrary:
        """Open a library, or make a new one.

        Args:
            uri: a folder, or an address on object storage, its credentials in the environment.
            descriptor: that makes its vectors; None to list, read and remove alone.
            create: whether to make it where there is none; it needs a descriptor.

        Raises:
            LibraryError: there is none, it is damaged, or something else is there.
            SpaceError: it is of another descriptor.
        """
        _check_place(uri, create and descriptor is not None)
        if descriptor is None:
            return cls._stated(uri)
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

    @classmethod
    def _stated(cls, uri: str) -> ReferenceLibrary:
        """Open a library by what it says of its descriptor."""
        try:
            known = Library.open(f"{uri}/{KNOWN}")
        except LibraryError as error:
            if str(error).startswith("no library at"):
                raise LibraryError(f"no library at '{uri}'; add to it first, or mend the path") from None
            raise
        frames = [Library.open(_place(uri, 0))]
        with contextlib.suppress(LibraryError):  # there is none: what is damaged is missed below
            while True:
                frames.append(Library.open(_place(uri, len(frames))))
        parts = [_Stated(each.space) for each in frames]
        descriptor = parts[0] if len(parts) == 1 else Union(parts)
        if descriptor.space != str(known.space):
            raise LibraryError(f"library '{uri}' holds {known.space}, and frames of {descriptor.space}: files of it are "
                               "missing; restore it from a copy or build it again")
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
        self._number({entry.id: reference_in(entry) for entry in self._library.read(vectors=False)})

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference; when this returns it is committed. See ``References``."""
        self._check(footprint)
        group = group_of(footprint)
        with self._turn():
            before = self._stored(footprint.source)
            if before is not None and (before.is_of(footprint.fingerprint, footprint.plan) or before.group == group):
                self._number({**self._known, footprint.source: before})
                return "unchanged"
            for library, vectors in zip(self._frames, self._split(footprint.vectors), strict=True):
                store(library, footprint, group, vectors)
            new = reference_of(footprint, group, len(self.parts))
            self._library.add([entry_of(new)], replace=True)
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
        bases = np.array([self._bases.get(name[:NAME], -1) for name in names], np.int64)
        places = np.array([place_of(name) for name in names], np.int64)
        return np.where(bases < 0, -1, bases + places)

    def _vectors(self, known: Reference) -> list[np.ndarray]:
        parts = []
        for library, part in zip(self._frames, self.parts, strict=True):
            vectors = np.zeros((len(known), part.dimensions), np.float32)
            for entry in library.read(f"`group` = {quoted(known.group)}"):
                vectors[place_of(entry.id)] = entry.vector
            parts.append(_unit(vectors))
        return parts

    def _number(self, known: dict[str, Reference]) -> None:
        super()._number(known)
        self._bases = {each.group: int(self._offsets[number]) for number, each in enumerate(self._ordered)}

    def _stored(self, source: str) -> Reference | None:
        """Return what is stored of a reference now, by whomever."""
        found = self._library.get([source], vectors=False)
        return reference_in(found[source]) if source in found else None

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
        raise LibraryError(f"'{uri}' holds other files and no library of references; name a new or empty folder")


def _place(uri: str, number: int) -> str:
    return f"{uri}/frames" if number == 0 else f"{uri}/frames-{number + 1}"
