"""What copies are looked for in: a library, files that are described for the run, or the run's own sources."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from vtk.copies.adding import add_sources
from vtk.copies.descriptors import DEFAULT, Descriptor, load_descriptor
from vtk.copies.footprint import FramePlan
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.references import MemoryReferences, References
from vtk.driver.chain import Opening
from vtk.driver.progress import counted
from vtk.errors import MediaError, UsageError
from vtk.library import LibraryError
from vtk.models.embedder import EmbedderOptions


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

    def descriptor_name(self) -> str:
        """Return the name of the descriptor.

        Raises:
            LibraryError: there is no library.
        """
        if self.descriptor is not None:
            return self.descriptor
        if self.library is None:
            return DEFAULT
        return _descriptor_of(self.library)


@dataclass(slots=True)
class Sought:
    """References that are open.

    Attributes:
        references: see there.
        plan: by which queries are described.
        lost: files that could not be read, and why.
    """

    references: References
    plan: FramePlan
    lost: list[tuple[str, MediaError]] = field(default_factory=list)

    def digest(self) -> str:
        """Return a short hash of what there is to be found: of names, files and plans."""
        told = hashlib.blake2b(f"{self.references.space} {self.references.scoring}".encode(), digest_size=8)
        for each in self.references.list():
            told.update(f"\n{each.source}\t{each.fingerprint}\t{each.plan}\t{each.group}".encode())
            if each.fingerprint is None and isinstance(self.references, MemoryReferences):  # a folder of images, say
                told.update(self.references.footprint(each.source).vectors.tobytes())
        return told.hexdigest()


def open_references(place: Place) -> Sought:
    """Open the library, or describe the files.

    Raises:
        UsageError: the descriptor is none, or not one of the files can be read.
        LibraryError: there is no library, or it is damaged.
        SpaceError: the library is of another descriptor.
        WeightsError: a network cannot be had.
    """
    name = place.descriptor_name()
    try:
        descriptor: Descriptor = load_descriptor(name, place.options)
    except UsageError as error:
        if place.descriptor is not None or place.library is None:
            raise
        raise UsageError(f"library '{place.library}' is by {name}, of a file of weights: say --descriptor NAME "
                         f"--weights FILE as it was made ({error})") from None
    if place.library is not None:
        library = ReferenceLibrary.open(place.library, descriptor, create=False)
        return Sought(library, place.plan or _usual(library))
    sought = Sought(MemoryReferences(descriptor), place.plan or FramePlan())
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
        return _descriptor_of(uri)
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


def _descriptor_of(uri: str) -> str:
    return ReferenceLibrary.open(uri, create=False).space.rsplit("@", 1)[0]


def _usual(references: References) -> FramePlan:
    """Return the plan by which most references were made."""
    plans = [each.plan for each in references.list() if each.plan is not None]
    return FramePlan.parse(max(sorted(set(plans)), key=plans.count)) if plans else FramePlan()
