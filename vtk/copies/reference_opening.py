"""How libraries of references are opened: as what they state, or as what is asked of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.copies.calibration import Calibration
from vtk.copies.descriptors import Descriptor
from vtk.copies.reference_place import KNOWN, command, frames_at
from vtk.copies.references import References
from vtk.copies.union import Union
from vtk.library import Library, LibraryError, NoLibraryError, Space, SpaceError

Tables = tuple[Descriptor, Library, list[Library]]


class Stated:
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


def asked_for(uri: str, tables: str, descriptor: Descriptor, create: bool, known: Library | None = None) -> Tables:
    """Return ``descriptor`` and the tables of the library at ``uri``, of references and of the frames by each part.

    Args:
        uri, tables: the library, and where its tables are.
        descriptor: that makes its vectors.
        create: whether to make it where there is none.
        known: its table of references, where that is open.

    Raises:
        LibraryError: there is none, or it is damaged.
        SpaceError: it is of another descriptor, which is not stated to be compatible.
    """
    asked = Space(descriptor.name, descriptor.sha256, 1)  # a reference itself has no vector
    spaces = [Space(part.name, part.sha256, part.dimensions) for part in References(descriptor).parts]
    try:
        if known is not None and str(asked) not in (str(known.space), *known.compatible_with):
            raise SpaceError(f"{known.space}: got {asked}")
        # Last what the others are found by: killed before, there is no library yet.
        known = known or _existing(f"{tables}/{KNOWN}", asked)
        make = create and known is None
        frames = [Library.open(frames_at(tables, number), space, make) for number, space in enumerate(spaces)]
        return descriptor, known or Library.open(f"{tables}/{KNOWN}", asked, create), frames
    except SpaceError:
        there = _existing(f"{tables}/{KNOWN}")
        if there is None:
            raise LibraryError(f"'{uri}' holds what a process left that was killed while it made a library of another "
                               "descriptor, and no reference; delete it") from None
        held = there.space
        raise SpaceError(f"library '{uri}' holds {held}, asked for {asked}: they cannot be compared; "
                         f"{command(uri, descriptor)} describes its sources anew") from None
    except LibraryError as error:
        if known is None or not str(error).startswith("no library at"):
            raise
        raise LibraryError(f"library '{uri}' holds {known.space}, and not the frames of its references: files of it "
                           "are missing; restore it from a copy or build it again") from None


def stated(uri: str, tables: str) -> Tables:
    """Return what a library says of its descriptor, and its tables.

    Raises:
        LibraryError: there is none, or it is damaged.
    """
    known = known_at(uri, tables)
    frames: list[Library] = []
    while (one := _existing(frames_at(tables, len(frames)))) is not None:
        frames.append(one)
    parts = [Stated(each.space) for each in frames]
    descriptor = Union(parts) if len(parts) > 1 else (parts or [Stated(known.space)])[0]
    if descriptor.space != str(known.space) or not parts:
        raise LibraryError(f"library '{uri}' holds {known.space}, and frames of "
                           f"{descriptor.space if parts else 'none'}: files of it are missing; restore it from a copy "
                           "or build it again")
    return descriptor, known, frames


def known_at(uri: str, tables: str) -> Library:
    """Return the table of references of a library, whose space's model is the name of the library's descriptor.

    Raises:
        LibraryError: there is none, or it is damaged.
    """
    known = _existing(f"{tables}/{KNOWN}")
    if known is None:
        raise NoLibraryError(f"no library at '{uri}'; add to it first, or mend the path")
    return known


def _existing(uri: str, space: Space | None = None) -> Library | None:
    """Return the library at ``uri``; None where there is none yet."""
    try:
        return Library.open(uri, space, create=False)
    except LibraryError as error:
        if str(error).startswith("no library at"):
            return None
        raise
