"""What can be wrong with a library that its user can mend."""

from __future__ import annotations

from vtk.errors import EXIT_USAGE, VtkError


class LibraryError(VtkError):
    """A library cannot be opened, read or written (E_LIBRARY)."""

    code = "E_LIBRARY"


class NoLibraryError(LibraryError):
    """There is no library where one is named, or something else is: a path to mend (E_LIBRARY)."""

    exit_code = EXIT_USAGE


class SpaceError(VtkError):
    """Vectors of one space are asked of a library of another (E_SPACE)."""

    code = "E_SPACE"
    exit_code = EXIT_USAGE
