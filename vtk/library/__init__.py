"""Vectors that last: a library of embeddings of one space, on LanceDB, in a folder or on object storage.

    from vtk.library import Entry, Library, Space

    with Library.open("films.lance", Space("dinov3", sha256, 384)) as library:
        library.add([Entry("film-1/0", vector, group="film-1", source="film-1.mp4", t=0.0)])
        for hits in library.search(queries, k=10):
            print(hits.ids, hits.groups, hits.scores)

What ``add`` has returned from is committed: a process that is killed loses nothing that was acknowledged, and several
may write at once. An entry's id is its identity: adding it again changes nothing. ``compact`` makes what was deleted
be gone from the files.
"""

from vtk.library.entries import Columns, Entry
from vtk.library.errors import LibraryError, NoLibraryError, SpaceError
from vtk.library.hits import Hits
from vtk.library.library import Group, Library, Stats
from vtk.library.space import Space

__all__ = ["Columns", "Entry", "Group", "Hits", "Library", "LibraryError", "NoLibraryError", "Space", "SpaceError",
           "Stats"]
