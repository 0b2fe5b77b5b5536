"""What copies are looked for in: a library, files that are described for the run, or the run's own sources."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field

from vtk.copies.adding import add_sources
from vtk.copies.descriptors import DEFAULT, Descriptor, load_descriptor
from vtk.copies.footprint import FramePlan
from vtk.copies.matches import Match
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.reference_opening import known_at
from vtk.copies.reference_place import check_place, tables_of
from vtk.copies.references import MemoryReferences, References
from vtk.driver.chain import Opening
from vtk.driver.progress import counted
from vtk.errors import MediaError, UsageError
from vtk.library import LibraryError
from vtk.models.embedder import EmbedderOptions

# How often references that are replaced while they are looked for are looked for again: alone, which takes no time.
AGAIN = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where references are.

    Attributes:
        library: a folder or an address on object storage; None: none.
        files: sources that are described for this run.
        descriptor: its name; None: that of the library, else the default.
        options: of its network.
        plan: chooses the frames of ``files`` and of queries; None: what most references of the library have.
        opening: how files are opened.
        quiet: whether nothing shows on a terminal how far describing has come.
    """

    library: str | None = None
    files: tuple[str, ...] = ()
    descriptor: str | None = None
    options: EmbedderOptions = EmbedderOptions()
    plan: FramePlan | None = None
    opening: Opening = Opening()
    quiet: bool = True

    def __post_init__(self) -> None:
        if self.library is not None and self.files:
            raise UsageError("--library and --refs both say where copies are looked for: give one of them, "
                             "and vtk library add puts files into a library")

    def check(self) -> None:
        """Raise LibraryError where there is no library, or it is damaged, as far as it tells without its descriptor."""
        if self.library is not None:
            ReferenceLibrary.open(self.library, create=False).close()

    def descriptor_name(self) -> str:
        """Return the name of the descriptor.

        Raises:
            LibraryError: there is no library.
        """
        if self.descriptor is not None:
            return self.descriptor
        if self.library is None:
            return DEFAULT
        return _stated_name(self.library)


@dataclass(slots=True)
class Sought:
    """References that are open.

    Attributes:
        references: see there.
        plan: by which queries are described.
        name: of the descriptor.
        lost: files that could not be read, and why.
    """

    references: References
    plan: FramePlan
    name: str
    lost: list[tuple[str, MediaError]] = field(default_factory=list)

    def digest(self) -> str:
        """Return a short hash of what there is to be found: of names, files and plans."""
        told = hashlib.blake2b(f"{self.references.space} {self.references.scoring}".encode(), digest_size=8)
        for each in self.references.list():
            told.update(f"\n{each.source}\t{each.fingerprint}\t{each.plan}\t{each.group}".encode())
            if each.fingerprint is None and isinstance(self.references, MemoryReferences):  # a folder of images, say
                told.update(self.references.footprint(each.source).vectors.tobytes())
        return told.hexdigest()

    def find(self, look: Callable[[Container[str]], list[Match]], skip: Container[str] = (),
             again: Callable[[Iterable[str]], None] | None = None) -> list[Match]:
        """Return what ``look`` finds in the references as they are now, of which ``list`` then tells.

        What others add while it looks is not among them. What they replace or remove is: nothing is said of it as it
        was, and what is there in its place is looked for by itself.

        Args:
            look: finds matches in ``references``, without those that it is given.
            skip: references to leave out.
            again: told of those that are looked for again.
        """
        self.references.refresh()
        found = look(skip)
        for _ in range(AGAIN):
            other = self.references.refresh(added=False)
            if not other:
                break
            if again is not None:
                again(other)
            found = [match for match in found if match.ref not in other or match.ref in skip]
            found += [match for match in look(_AllBut(other, skip)) if match.ref in other and match.ref not in skip]
        return found


@dataclass(frozen=True, slots=True)
class _AllBut:
    """All names but some; and those of them, too, that are left out anyway."""

    names: frozenset[str]
    skip: Container[str]

    def __contains__(self, name: object) -> bool:
        return name not in self.names or name in self.skip


def open_references(place: Place) -> Sought:
    """Open the library, or describe the files.

    Raises:
        UsageError: the descriptor is none, or not one of the files can be read.
        LibraryError: there is no library, or it is damaged.
        SpaceError: the library is of another descriptor.
        WeightsError: a network cannot be had.
    """
    if place.library is not None:
        library = _opened(place, place.library)
        return Sought(library, place.plan or _usual(library), place.descriptor or library.held.rsplit("@", 1)[0])
    name = place.descriptor or DEFAULT
    sought = Sought(MemoryReferences(load_descriptor(name, place.options)), place.plan or FramePlan(), name)
    with counted(len(place.files), "reference", place.quiet) as count:
        for _ in add_sources(sought.references, place.files, sought.plan, place.opening,
                             lambda source, error: sought.lost.append((source, error))):
            count(1)
    if place.files and not len(sought.references):
        source, error = sought.lost[0]
        raise UsageError(f"none of {len(place.files)} references can be read; the first, {source}: {error}")
    return sought


def held_descriptor(uri: str) -> str | None:
    """Return the name of the descriptor that a library is by; None where there is no library that can be read."""
    try:
        return _stated_name(uri)
    except LibraryError:  # said where it is opened to write
        return None


def same_file(one: str, other: str, root: str | None) -> bool:
    """Return whether two names, relative ones in ``root``, are of one file."""
    if one == other:
        return True
    folder = root or ""
    try:
        return os.path.samefile(os.path.join(folder, one), os.path.join(folder, other))
    except (OSError, ValueError):
        return False


def _stated_name(uri: str) -> str:
    """Return the name of the descriptor that a library is by, and read no more of it."""
    check_place(uri, create=False)
    return known_at(uri, tables_of(uri)).space.model


def _opened(place: Place, uri: str) -> ReferenceLibrary:
    """Return the library, by the descriptor that is asked for, else by its own."""
    if place.descriptor is not None:
        return ReferenceLibrary.open(uri, load_descriptor(place.descriptor, place.options), create=False)

    def load(name: str) -> Descriptor:
        try:
            return load_descriptor(name, place.options)
        except UsageError as error:
            raise UsageError(f"library '{uri}' is by {name}, of a file of weights: say --descriptor NAME --weights "
                             f"FILE as it was made ({error})") from None

    return ReferenceLibrary.open_by(uri, load)


def _usual(references: References) -> FramePlan:
    """Return the plan by which most references were made."""
    plans = [each.plan for each in references.list() if each.plan is not None]
    return FramePlan.parse(max(sorted(set(plans)), key=plans.count)) if plans else FramePlan()
