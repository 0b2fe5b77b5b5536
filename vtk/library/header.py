"""What a library states of itself, in the metadata of its vectors."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vtk.library.errors import LibraryError, NoLibraryError
from vtk.library.space import Space

if TYPE_CHECKING:
    from lancedb.table import LanceTable

FORMAT = 1
_FORMAT, _SPACE, _COMPATIBLE = "vtk.format_version", "vtk.space", "vtk.compatible_with"


@dataclass(frozen=True, slots=True)
class Header:
    """The space of the vectors, and the spaces, as ``str`` prints them, whose queries may search them."""

    space: Space
    compatible: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: LanceTable, uri: str) -> Header:
        """Return what a table states.

        Raises:
            LibraryError: it is no library, or one that a newer program wrote.
        """
        names = table.schema.names
        stated = (table.schema.field("vector").metadata or {}) if "vector" in names else {}
        values = {key.decode(): value.decode() for key, value in stated.items()}
        try:
            version = int(values[_FORMAT])
        except (KeyError, ValueError):
            raise NoLibraryError(f"'{uri}' is a LanceDB table of another program, with {', '.join(names[:8])}; "
                                 "name a folder of its own") from None
        if version > FORMAT:
            raise LibraryError(f"library '{uri}' has format {version}, this program reads up to {FORMAT}; "
                               "install a newer vtk")
        try:
            return cls(Space.from_json(values[_SPACE]), tuple(json.loads(values[_COMPATIBLE])))
        except (KeyError, ValueError, TypeError) as error:
            raise LibraryError(f"library '{uri}' does not say what space it holds ({error}); restore it from a copy "
                               "or build it again") from error

    def metadata(self) -> dict[str, str]:
        """Return what ``of`` reads."""
        return {_FORMAT: str(FORMAT), _SPACE: self.space.to_json(), _COMPATIBLE: json.dumps(self.compatible)}

    def admits(self, space: Space) -> bool:
        """Return whether queries of ``space`` may search the library."""
        return space == self.space or (str(space) in self.compatible and space.dim == self.space.dim)

    def allowing(self, space: Space) -> Header:
        """Return the header with ``space`` among those that may search."""
        return replace(self, compatible=tuple(sorted({*self.compatible, str(space)})))
