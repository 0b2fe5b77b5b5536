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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vtk.copies.background import Background
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint
from vtk.copies.normalising import norm_version, normalised, read_norm, write_norm
from vtk.copies.reference_entries import NAME, entry_of, group_of, place_of, reference_in, store
from vtk.copies.reference_opening import asked_for, known_at, stated
from vtk.copies.reference_place import called, check_place, clear, command, tables_of, turn
from vtk.copies.references import Nearest, Outcome, Reference, References, reference_of
from vtk.library import Hits, Library, LibraryError, Space, SpaceError
from vtk.library.index import Kind
from vtk.library.index import check as check_index
from vtk.library.storage import folder_of


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


class ReferenceLibrary(References):
    """A library of references that is open; made by ``ReferenceLibrary.open``. For one thread.

    What others add, replace or remove meanwhile it sees after ``refresh``.

    Attributes:
        uri: the folder or the address on object storage, as given.
        method, probes: how searches go; see ``Library.search``.
    """

    def __init__(self, uri: str, tables: str, descriptor: Descriptor, known: Library,
                 frames: Sequence[Library]) -> None:
        super().__init__(descriptor)
        self.uri = uri
        self._tables, self._library, self._frames, self._swept = tables, known, list(frames), False
        self.method: Literal["auto", "exact", "index"] = "auto"
        self.probes: int | None = None
        # What was read last, by versions, and whether all of it is seen.
        self._read: tuple[tuple[int, int], dict[str, Reference]] = (0, 0), {}
        self._whole = False
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
        with called(uri):
            found = stated(uri, tables) if descriptor is None else asked_for(uri, tables, descriptor, create)
            return cls(uri, tables, *found)

    @classmethod
    def open_by(cls, uri: str, load: Callable[[str], Descriptor]) -> ReferenceLibrary:
        """Open a library with the descriptor that ``load`` gives for the name that the library states.

        Raises:
            LibraryError: there is none, or it is damaged.
            SpaceError: ``load`` gives another one.
        """
        check_place(uri, create=False)
        tables = tables_of(uri)
        with called(uri):
            known = known_at(uri, tables)
            return cls(uri, tables, *asked_for(uri, tables, load(known.space.model), False, known))

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

    def refresh(self, added: bool = True) -> frozenset[str]:
        """See what others added, replaced, removed and fitted, where they did; rows are numbered anew.

        Args:
            added: without, what is new stays unseen: references that are known become what they are now, or go.

        Returns:
            The names that were known of references that were replaced or removed.

        Raises:
            LibraryError: an upgrade has put other tables in the place of these.
        """
        self._check_current()
        there = self._library.version, norm_version(self._tables, self._library.space)
        if there == self._read[0] and (self._whole or not added):
            return frozenset()
        if there != self._read[0]:
            self._read = there, {entry.id: reference_in(entry) for entry in self._library.read(vectors=False)}
        if added:
            self._describe_by(normalised(self.descriptor, read_norm(self._tables, self._library.space)))
        before = self._known
        known = {name: each for name, each in self._read[1].items() if added or name in before}
        self._number(known)
        self._whole = added
        return frozenset(name for name, each in before.items()
                         if name not in known or known[name].group != each.group)

    def add(self, footprint: Footprint) -> Outcome:
        """Add a reference; when this returns it is committed. See ``References``."""
        return self.add_all([footprint])[0]

    def add_all(self, footprints: Sequence[Footprint]) -> list[Outcome]:
        """Add references in one commit, which many short ones take no longer for than one; see ``add``.

        Raises:
            ValueError: two have one name.
        """
        if len({each.source for each in footprints}) < len(footprints):
            raise ValueError(f"footprints: got {len(footprints)} with a name that is there twice, expected each once")
        for each in footprints:
            self._check(each)
        self.check_writable()
        with self._turn():
            there = self._stored([each.source for each in footprints])
            new = [each for each in footprints if not _is_there(each, there.get(each.source))]
            groups = [group_of(each) for each in new]
            split = [self._split(each.vectors) for each in new]
            for place, library in enumerate(self._frames):
                store(library, new, groups, [parts[place] for parts in split])
            known = [reference_of(each, group, len(self.parts)) for each, group in zip(new, groups, strict=True)]
            if known:
                self._library.add([entry_of(each) for each in known], replace=True, batch=len(known))
            for each in known:
                if each.source in there:
                    self._drop(there[each.source].group)
            self._number({**self._known, **there, **{each.source: each for each in known}})
            self._tidy()
        added = {each.source for each in known}
        return ["unchanged" if each.source not in added else "replaced" if each.source in there else "added"
                for each in footprints]

    def check_writable(self) -> None:
        """Raise SpaceError where it was opened with a descriptor that may only search it."""
        if self.space != self.held:
            raise SpaceError(f"library '{self.uri}' holds {self.held} and may be searched by {self.space}, but not "
                             f"added to; {command(self.uri, self.descriptor)} describes its sources anew")

    def remove(self, source: str) -> int:
        """Remove a reference: nothing finds it any more; its bytes stay until ``compact``. See ``References``."""
        with self._turn():
            known = self._stored([source]).get(source) or self.known(source)
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
        hits = self._frames[place].search(queries, k, method=self.method, probes=self.probes, with_vectors=with_vectors)
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

    def _stored(self, sources: Sequence[str]) -> dict[str, Reference]:
        """Return what is stored of references now, by whomever, of those that are there."""
        return {name: reference_in(entry) for name, entry in self._library.get(sources, vectors=False).items()}

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
            self._check_current()
            if alone and not self._swept:
                self._sweep()
            yield

    def _check_current(self) -> None:
        if tables_of(self.uri) != self._tables:
            raise LibraryError(f"library '{self.uri}' was upgraded by another process: open it again, in a new run")

    def _tidy(self) -> None:
        """Merge the files of many adds; on object storage ``compact`` does."""
        if folder_of(self.uri) is not None:
            for library in (self._library, *self._frames):
                library.tidy()

    def _sweep(self) -> None:
        """Remove frames that no reference names, and tables that an upgrade has replaced."""
        clear(self.uri)
        self.refresh()
        for library in self._frames:
            for group in library.groups():
                if group.name not in self._bases:
                    library.remove(group=group.name)
        self._swept = True


def _is_there(footprint: Footprint, known: Reference | None) -> bool:
    """Return whether a footprint need not be stored beside what is known of a reference of its name."""
    return known is not None and (known.is_of(footprint.fingerprint, footprint.plan)
                                  or known.group == group_of(footprint))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-12))
