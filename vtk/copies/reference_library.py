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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.background import Background
from vtk.copies.calibration import Calibration
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint
from vtk.copies.normalising import normalised, read_norm, write_norm
from vtk.copies.reference_entries import NAME, entry_of, group_of, place_of, reference_in, store
from vtk.copies.reference_place import KNOWN, check_place, clear, command, frames_at, tables_of, turn
from vtk.copies.references import Nearest, Outcome, Reference, References, reference_of
from vtk.copies.union import Union
from vtk.library import Hits, Library, LibraryError, Space, SpaceError
from vtk.library.index import Kind
from vtk.library.index import check as check_index


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
        unindexed: frames that came after it, by the part that has most of them.
        normalised: the parts of which a background normalises scores, and by how many frames each.
        compatible_with: the spaces whose queries may search it besides its own.
    """

    space: str
    references: int
    frames: int
    seconds: float
    bytes: int
    removed: int
    index: str | None
    unindexed: int
    normalised: dict[str, int]
    compatible_with: tuple[str, ...]


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

    def __init__(self, uri: str, tables: str, descriptor: Descriptor, known: Library,
                 frames: Sequence[Library]) -> None:
        super().__init__(descriptor)
        self.uri = uri
        self._tables, self._library, self._frames, self._swept = tables, known, list(frames), False
        self.refresh()

    @classmethod
    def open(cls, uri: str, descriptor: Descriptor | None = None, create: bool = True) -> ReferenceLibrary:
        """Open a library, or make a new one.

        Args:
            uri: a folder, or an address on object storage, its credentials in the environment.
            descriptor: that makes its vectors, or is stated to be compatible; None to list, read and remove alone.
            create: whether to make it where there is none; it needs a descriptor.

        Raises:
            LibraryError: there is none, it is damaged, or something else is there.
            SpaceError: it is of another descriptor.
        """
        check_place(uri, create and descriptor is not None)
        tables = tables_of(uri)
        if descriptor is None:
            return cls._stated(uri, tables)
        asked = Space(descriptor.name, descriptor.sha256, 1)  # a reference itself has no vector
        spaces = [Space(part.name, part.sha256, part.dimensions) for part in References(descriptor).parts]
        try:
            # Last what the others are found by: killed before, there is no library yet.
            known = _existing(f"{tables}/{KNOWN}", asked)
            frames = [Library.open(frames_at(tables, number), space, create) for number, space in enumerate(spaces)]
            known = known or Library.open(f"{tables}/{KNOWN}", asked, create)
        except SpaceError:
            held = Library.open(f"{tables}/{KNOWN}").space
            raise SpaceError(f"library '{uri}' holds {held}, asked for {asked}: they cannot be compared; "
                             f"{command(uri, descriptor)} describes its sources anew") from None
        return cls(uri, tables, descriptor, known, frames)

    @classmethod
    def _stated(cls, uri: str, tables: str) -> ReferenceLibrary:
        """Open a library by what it says of its descriptor."""
        try:
            known = Library.open(f"{tables}/{KNOWN}")
        except LibraryError as error:
            if str(error).startswith("no library at"):
                raise LibraryError(f"no library at '{uri}'; add to it first, or mend the path") from None
            raise
        frames = []
        with contextlib.suppress(_Absent):  # what is missing is noticed below
            while True:
                frames.append(_present(frames_at(tables, len(frames))))
        parts = [_Stated(each.space) for each in frames]
        descriptor = Union(parts) if len(parts) > 1 else (parts or [_Stated(known.space)])[0]
        if descriptor.space != str(known.space) or not parts:
            raise LibraryError(f"library '{uri}' holds {known.space}, and frames of "
                               f"{descriptor.space if parts else 'none'}: files of it are missing; restore it from a "
                               "copy or build it again")
        return cls(uri, tables, descriptor, known, frames)

    @property
    def held(self) -> str:
        """The space of the vectors that are stored; that of the descriptor may be another that is compatible."""
        return str(self._library.space)

    @property
    def compatible_with(self) -> tuple[str, ...]:
        """The spaces whose queries may search it besides its own."""
        return self._library.compatible_with

    def __enter__(self) -> ReferenceLibrary:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is held in memory."""
        for library in (self._library, *self._frames):
            library.close()

    def refresh(self) -> None:
        """See what others added, removed and fitted; rows are numbered anew."""
        self._describe_by(normalised(self.descriptor, read_norm(self._tables, self._library.space)))
        self._number({entry.id: reference_in(entry) for entry in self._library.read(vectors=False)})

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference; when this returns it is committed. See ``References``."""
        self._check(footprint)
        self.check_writable()
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

    def check_writable(self) -> None:
        """Raise SpaceError where it was opened with a descriptor that may only search it."""
        if self.space != self.held:
            raise SpaceError(f"library '{self.uri}' holds {self.held} and may be searched by {self.space}, but not "
                             f"added to; {command(self.uri, self.descriptor)} describes its sources anew")

    def remove(self, source: str) -> int:
        """Remove a reference: nothing finds it any more; its bytes stay until ``compact``. See ``References``."""
        with self._turn():
            known = self._stored(source) or self._known_as(source)
            self._library.remove(ids=[source])
            self._drop(known.group)
            self._number({name: each for name, each in self._known.items() if name != source})
        return len(known)

    def allow(self, descriptor: Descriptor) -> None:
        """State that ``descriptor`` may search it: its networks were trained to be compatible with those here.

        Raises:
            ValueError: it has other parts, or vectors of another length.
        """
        spaces = [Space(part.name, part.sha256, part.dimensions) for part in References(descriptor).parts]
        lengths = [each.space.dim for each in self._frames]
        if [space.dim for space in spaces] != lengths:
            raise ValueError(f"descriptor: got {descriptor.name} of {[space.dim for space in spaces]} dimensions, "
                             f"expected {lengths}")
        for library, space in zip(self._frames, spaces, strict=True):
            if space != library.space:
                library.allow(space)
        self._library.allow(Space(descriptor.name, descriptor.sha256, 1))

    def normalise(self, backgrounds: Sequence[Background]) -> None:
        """Keep backgrounds, by which searches normalise scores from now on; none: normalise no more.

        Raises:
            ValueError: one is of a space that no part has.
        """
        spaces = [str(each.space) for each in self._frames]
        wrong = next((each.space for each in backgrounds if each.space not in spaces), None)
        if wrong is not None:
            raise ValueError(f"backgrounds: got one of {wrong}, expected {', '.join(spaces)}")
        with self._turn():
            write_norm(self._tables, self._library.space, backgrounds)
        self.refresh()

    def compact(self) -> None:
        """Rewrite the files, one of many adds into few, without what was removed; see ``Library.compact``."""
        with self._turn():
            for library in (self._library, *self._frames):
                library.compact()

    def index(self, kind: Kind = "sq") -> None:
        """Build the indexes that searches go by beyond a million frames, and those that find a reference's frames.

        Raises:
            ValueError: there are too few frames, or the kind is unknown.
        """
        for library in self._frames:
            check_index(kind, len(library))
        for library in self._frames:
            library.index(kind)
            library.index_groups()

    @property
    def least(self) -> int:
        """How many frames have a vector by the part that has fewest."""
        return min(map(len, self._frames))

    def stats(self) -> ReferenceStats:
        """Return what the library holds."""
        whole, *parts = [library.stats() for library in (self._library, *self._frames)]
        return ReferenceStats(self.held, len(self), self.rows, sum(each.duration for each in self._ordered),
                              sum(each.bytes for each in (whole, *parts)),
                              sum(each.deleted for each in (whole, *parts)), parts[0].index,
                              max(each.unindexed for each in parts),
                              {space: len(each.bank) for space, each in
                               sorted(read_norm(self._tables, self._library.space).items())}, self.compatible_with)

    def _nearest(self, place: int, queries: np.ndarray, k: int, with_vectors: bool = False) -> Nearest:
        cosines, rows = np.full((len(queries), k), -1, np.float32), np.full((len(queries), k), -1, np.int64)
        vectors = np.zeros((len(queries), k, queries.shape[1]), np.float32) if with_vectors else None
        hits = self._frames[place].search(queries, k, with_vectors=with_vectors)
        counts = [len(each) for each in hits]
        if not sum(counts):
            return cosines, rows, vectors
        filled = np.arange(k) < np.array(counts)[:, None]
        cosines[filled] = np.concatenate([each.scores for each in hits])
        rows[filled] = self._rows_of(hits)
        order = np.argsort(rows < 0, axis=1, kind="stable")  # what is of no reference goes to the end
        if vectors is not None:
            vectors[filled] = np.concatenate([each.vectors for each in hits if each.vectors is not None])
            vectors = _unit(np.take_along_axis(vectors, order[:, :, None], 1))
        return np.take_along_axis(cosines, order, 1), np.take_along_axis(rows, order, 1), vectors

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
            ids, stored = library.members(known.group)
            vectors[[place_of(name) for name in ids]] = stored
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

        Raises:
            LibraryError: it cannot be written, or an upgrade has put other tables in the place of these.
        """
        with turn(self.uri) as alone:
            if tables_of(self.uri) != self._tables:
                raise LibraryError(f"library '{self.uri}' was upgraded by another process: open it again")
            if alone and not self._swept:
                self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove frames that no reference names, and tables that an upgrade has replaced."""
        clear(self.uri)
        self.refresh()
        for library in self._frames:
            for group in library.groups():
                if group.name not in self._bases:
                    library.remove(group=group.name)
        self._swept = True


class _Absent(Exception):
    """There is no table."""


def _existing(uri: str, space: Space) -> Library | None:
    """Return the library at ``uri``; None where there is none yet."""
    try:
        return Library.open(uri, space, create=False)
    except LibraryError as error:
        if str(error).startswith("no library at"):
            return None
        raise


def _present(uri: str) -> Library:
    """Return the library at ``uri``.

    Raises:
        _Absent: there is none.
        LibraryError: it is damaged.
    """
    try:
        return Library.open(uri)
    except LibraryError as error:
        if str(error).startswith("no library at"):
            raise _Absent from None
        raise


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
