"""A library of references described anew by another descriptor, from the sources as they are named.

    done = upgrade("films.lance", load_descriptor("sscd"))

The new tables grow beside the old ones, which are searched and added to meanwhile, and take their place in one moment,
when they are whole; a run that was killed is gone on with by the next one.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from vtk.copies.adding import add_sources
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import FramePlan
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.reference_place import called, point, turn, upgrade_of
from vtk.copies.references import Outcome
from vtk.driver.chain import Opening
from vtk.errors import MediaError, UsageError
from vtk.library import LibraryError
from vtk.library.storage import folder_of


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade did.

    Attributes:
        references: that are described anew.
        lost: those that cannot be read, and why.
        whole: whether the new tables are in the place of the old ones; with ``output``, whether nothing is lost.
    """

    references: int
    lost: dict[str, str]
    whole: bool


def upgrade(uri: str, descriptor: Descriptor, opening: Opening = Opening(), output: str | None = None,
            leave_out: bool = False, told: Callable[[str, Outcome], None] | None = None,
            failed: Callable[[str, MediaError], None] | None = None) -> Upgraded:
    """Describe the references of a library by ``descriptor``, each by the plan that it was added by.

    Args:
        uri: the library, a folder; on object storage with ``output``.
        descriptor: of another space than the library's.
        opening: how sources are opened.
        output: a new library, or one that was begun; None: ``uri`` itself becomes it, once it is whole.
        leave_out: let go of references that cannot be read; else the library stays what it was while there are any.
        told: of each that is described, once it is committed.
        failed: told of each that cannot be read.

    Raises:
        LibraryError: there is no library, it is damaged, or it cannot be written.
        UsageError: it is of that descriptor already, or on object storage without ``output``.
    """
    old = ReferenceLibrary.open(uri)
    if old.held == descriptor.space:
        raise UsageError(f"library '{uri}' is of {old.held} already: there is nothing to upgrade")
    if output is None and folder_of(uri) is None:
        raise UsageError(f"library '{uri}' is on object storage, where nothing takes its place in one moment: "
                         "name a new one with --output")
    with called(uri):
        new = ReferenceLibrary.open(output, descriptor) if output is not None else _begun(uri, descriptor)
        return _upgraded(uri, _Upgrading(old, new, opening, told, failed), output, leave_out)


def _upgraded(uri: str, work: _Upgrading, output: str | None, leave_out: bool) -> Upgraded:
    """Do the work, and put the new tables in the place of the old ones where that is asked for and nothing is lost."""
    old, new = work.old, work.new
    work.catch_up()
    kept = leave_out or not work.lost
    if output is not None or not kept:
        return Upgraded(len(work.done) - len(work.lost), work.lost, kept and not work.lost)
    while True:
        with turn(uri):
            old.refresh()
            if not work.left():
                for name in {each.source for each in new.list()} - {each.source for each in old.list()}:
                    new.remove(name)
                point(uri, new.uri)
                return Upgraded(len(new), work.lost, True)
        work.catch_up()


def _begun(uri: str, descriptor: Descriptor) -> ReferenceLibrary:
    """Return the new tables of an upgrade in place: new ones, or those that a run before left.

    Raises:
        LibraryError: those are damaged.
    """
    tables = upgrade_of(uri, descriptor.space)
    try:
        return ReferenceLibrary.open(tables, descriptor)
    except LibraryError as error:
        if not os.path.exists(tables):
            raise
        raise LibraryError(f"library '{uri}' is whole, but its upgrade, which was begun before, cannot be gone on with: "
                           f"delete {tables} to begin anew ({error})") from error


class _Upgrading:
    """References on their way from one library to another.

    Attributes:
        old, new: the libraries.
        done: those that were described or tried, and when the old library got them.
        lost: those of them that cannot be read, and why.
    """

    def __init__(self, old: ReferenceLibrary, new: ReferenceLibrary, opening: Opening,
                 told: Callable[[str, Outcome], None] | None,
                 failed: Callable[[str, MediaError], None] | None) -> None:
        self.old, self.new, self._opening, self._told, self._failed = old, new, opening, told, failed
        self.done: dict[str, datetime] = {}
        self.lost: dict[str, str] = {}

    def left(self) -> list[str]:
        """Return what the old library has and nobody has tried yet, as it is there now."""
        return [each.source for each in self.old.list() if self.done.get(each.source) != each.added]

    def catch_up(self) -> None:
        """Describe what is left."""
        known = {each.source: each for each in self.old.list()}
        for source in self.left():
            self.lost.pop(source, None)
            self.done[source] = known[source].added
            plan = FramePlan.parse(known[source].plan) if known[source].plan else FramePlan()
            if self.new.has(source, known[source].fingerprint, str(plan)):
                continue  # by a run before, whatever became of the file meanwhile
            for name, outcome in add_sources(self.new, [source], plan, self._opening, self._not_read):
                self.lost.pop(name, None)  # a damaged one is there, without the frames that are lost
                if self._told is not None:
                    self._told(name, outcome)

    def _not_read(self, source: str, error: MediaError) -> None:
        self.lost[source] = str(error)
        if self._failed is not None:
            self._failed(source, error)
