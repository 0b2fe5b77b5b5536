"""Compaction: what was removed goes from the files, and small files become large ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vtk.library import index, storage

if TYPE_CHECKING:
    from lancedb.table import LanceTable

# Files of a commit each from which on they are merged: a commit writes the names of all, and a version of them stays.
MANY = 256
OLD = timedelta(minutes=5)  # of versions that nobody reads any more


def compact(table: LanceTable, uri: str, alone: bool) -> None:
    """Rewrite what has removed rows among it, merge small files, delete old versions; see ``Library.compact``.

    Raises:
        LibraryError: it cannot be read or written.
    """
    with storage.locked(uri, alone=True) as locked, storage.speaking(uri):
        table.checkout_latest()
        kind = index.kind_of(table)
        # LanceDB leaves removed rows where they are less than a tenth of a file. An update moves the rows, all of
        # them, to new files.
        removed = int(table.list_versions()[-1]["metadata"]["total_deletion_file_rows"])
        if removed:
            table.update("_rowid >= 0", values_sql={"group": "`group`"})
        else:
            # Where all of a file was removed nothing is left to rewrite, but the removal, with the name of what it
            # removed, is still the last commit: this one, of no row, is the last instead.
            table.update("id = ''", {"group": ""})
        if kind and (removed or index.unindexed(table)):
            _rebuild(table, kind)
        if index.has_groups(table):
            index.build_groups(table)
        table.optimize(cleanup_older_than=timedelta(0), delete_unverified=locked or alone)


def tidy(table: LanceTable, uri: str) -> None:
    """Merge small files where there are ``MANY``, and delete versions older than ``OLD``; see ``Library.tidy``.

    Raises:
        LibraryError: it cannot be read or written.
    """
    with storage.speaking(uri):
        table.checkout_latest()
        many = table.stats()["fragment_stats"]["num_small_fragments"] >= MANY
    if many:
        storage.commit(table, uri, lambda: table.optimize(cleanup_older_than=OLD))


def _rebuild(table: LanceTable, kind: index.Kind) -> None:
    # It holds removed vectors, if coarsely: an index that is replaced by none goes too.
    if table.count_rows() < index.FEWEST:
        table.drop_index(index.NAME)
        return
    index.build(table, kind)
