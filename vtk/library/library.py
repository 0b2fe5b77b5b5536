"""The library: a table of embeddings of one space."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from vtk.library import conditions, index, search, storage
from vtk.library.compaction import compact, tidy
from vtk.library.entries import NAMES, Columns, Dtype, Entry, batches, directions, entries_of, matrix, schema
from vtk.library.errors import LibraryError, NoLibraryError, SpaceError
from vtk.library.header import Header
from vtk.library.hits import Hits
from vtk.library.space import Space

if TYPE_CHECKING:
    from lancedb.table import LanceTable

EXACT = 1_000_000  # entries up to which a search looks at all; beyond, it goes by the index where there is one
BATCH = 8192  # entries of one commit

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its name, how many entries and sources it has, when the first and the last were added (UTC)."""

    name: str
    entries: int
    sources: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Stats:
    """What a library holds.

    Attributes:
        version: number of its last commit.
        versions: commits whose files are still there.
        entries, groups: how many.
        bytes: of the data files that are current.
        deleted: entries that no search finds and that still stand in current files, until ``compact``.
        index: the kind of its index; None where there is none.
        unindexed: entries that the index does not hold yet.
    """

    version: int
    versions: int
    entries: int
    groups: int
    bytes: int
    deleted: int
    index: str | None
    unindexed: int


class Library:
    """A library that is open; made by ``Library.open``. For one thread; open it once in each.

    Attributes:
        uri: the folder or the address on object storage, as given.
        space: the space of its vectors.
    """

    def __init__(self, uri: str, table: LanceTable, header: Header, asked: Space | None, upgrade: str) -> None:
        self.uri = uri
        self._table = table
        self._header = header
        self._asked = asked
        self._upgrade = upgrade
        self._snapshot: search.Snapshot | None = None

    @classmethod
    def open(
        cls, uri: str, space: Space | None = None, create: bool = True, *, dtype: Dtype = "float16",
        upgrade: str = "", options: Mapping[str, str] | None = None,
    ) -> Library:  # fmt: skip
        """Open a library, or make a new one.

        Args:
            uri: a folder, or an address on object storage (s3://, gs://, az://), its credentials in the environment.
            space: of the vectors that will be added or searched; None to list, remove or read alone.
            create: whether to make it where there is none.
            dtype: of the vectors of a new one.
            upgrade: the command that embeds the library's sources anew, for the message of a SpaceError.
            options: of the object storage, as LanceDB's ``storage_options``.

        Raises:
            NoLibraryError: there is none, or something else.
            LibraryError: it is damaged, or a newer program wrote it.
            SpaceError: it is of another space, and not stated to be compatible.
        """
        if dtype not in ("float16", "float32"):
            raise ValueError(f"dtype: got {dtype!r}, expected float16 or float32")
        if space is None or not create:
            folder = storage.folder_of(uri)
            if folder is not None and not folder.exists():
                raise NoLibraryError(f"no library at '{uri}'; add to it first, or mend the path")
        connection = storage.connect(uri, options)
        table = storage.open_table(connection, uri)
        if table is None:
            if space is None or not create:
                raise NoLibraryError(f"no library at '{uri}'; add to it first, or mend the path")
            table = storage.create_table(connection, uri, schema(space.dim, dtype, Header(space).metadata()))
        library = cls(uri, table, Header.of(table, uri), space, upgrade)
        if space is not None and not library._header.admits(space):
            raise library._other_space(space)
        return library

    @property
    def space(self) -> Space:
        """The space of the vectors."""
        return self._header.space

    @property
    def compatible_with(self) -> tuple[str, ...]:
        """The spaces, as ``str`` prints them, whose queries may search this library besides its own."""
        return self._header.compatible

    @property
    def version(self) -> int:
        """The number of the last commit, whoever made it."""
        return self._read(lambda: int(self._table.version))

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of what is held in memory."""
        self._snapshot = None

    def __len__(self) -> int:
        return self._read(self._table.count_rows)

    def add(self, entries: Iterable[Entry] | Columns, *, replace: bool = False, batch: int = BATCH) -> int:
        """Add entries and return how many were new (or, with ``replace``, written).

        They are committed ``batch`` by batch: when this returns all are, and when it is killed all of a batch or
        none. An id that is there stays as it is, its group and the time at which it was added too, unless
        ``replace``.

        Raises:
            ValueError: an entry is not as ``Entry`` says.
            SpaceError: the library was opened for another space, which may only search it.
        """
        if self._asked is not None and self._asked != self.space:
            raise SpaceError(f"library '{self.uri}' holds {self.space} and may be searched by {self._asked}, "
                             f"but not added to{self._remedy()}")
        if batch < 1:
            raise ValueError(f"batch: got {batch}, expected at least 1")
        written = 0
        for table in batches(entries, batch, self._table.schema):
            merge = self._table.merge_insert("id").when_not_matched_insert_all()
            merge = merge.when_matched_update_all() if replace else merge
            done = self._write(lambda merge=merge, table=table: merge.execute(table))
            written += done.num_inserted_rows + done.num_updated_rows
        return written

    def search(
        self, vectors: np.ndarray, k: int = 10, where: str | None = None, *,
        method: Literal["auto", "exact", "index"] = "auto", probes: int | None = None, refine: int = 10,
        with_vectors: bool = False,
    ) -> list[Hits]:  # fmt: skip
        """Return the entries most similar to each query by cosine, best first; equal ones as they were added.

        Args:
            vectors: (Q, D) of any float dtype and length.
            k: how many for each; fewer where there are fewer.
            where: an SQL condition on an entry's columns, ``group <> 'x' AND t < 60`` for instance.
            method: "exact" looks at all entries, "index" at those that the index suggests (see ``index``), "auto" at
                all up to ``EXACT`` entries and beyond where there is no index.
            probes: partitions of the index that are looked at; None for a share of them, ``index.SHARE``.
            refine: how many times k of what they suggest are compared exactly.
            with_vectors: whether hits have their vectors.

        Raises:
            ValueError: a query has another dimension or no direction, k < 1, ``where`` cannot be understood, or
                there is no index to search by.
        """
        queries = directions(vectors, self.space.dim, "vectors")
        if k < 1 or method not in ("auto", "exact", "index"):
            raise ValueError(f"k: got {k}, expected at least 1; method: got {method!r}, expected auto, exact or index")
        if method == "index" and self._read(lambda: index.kind_of(self._table)) is None:
            raise ValueError("method: got 'index', but the library has none; build it first, or search exactly")
        if not len(queries):
            return []
        return self._read(lambda: self._search(queries, k, where, method, probes, refine, with_vectors))

    def index(self, kind: index.Kind = "sq") -> None:
        """Build the approximate index, of all entries that are there; what is added later is looked at one by one.

        Raises:
            ValueError: there are too few entries, or the kind is unknown.
        """
        index.check(kind, len(self))
        self._write(lambda: index.build(self._table, kind))

    def index_groups(self) -> None:
        """Build the index by which ``members`` and ``remove`` find a group; what is added later is looked at in full.

        It holds the names of groups, also of those that were removed, until ``compact``.
        """
        self._write(lambda: index.build_groups(self._table))

    def read(self, where: str | None = None, *, vectors: bool = True) -> Iterator[Entry]:
        """Yield the entries that satisfy ``where``, all of them where it is None; vectors have length 1."""
        names = [*NAMES, "vector"] if vectors else list(NAMES)
        with storage.speaking(self.uri):
            self._table.checkout_latest()
            query = self._table.search().select(names).limit(None)
            rows = (query.where(where) if where else query).to_batches(batch_size=BATCH)
        import pyarrow as pa

        while True:
            with storage.speaking(self.uri):
                batch = next(rows, None)
            if batch is None:
                return
            yield from entries_of(pa.Table.from_batches([batch]))

    def get(self, ids: Sequence[str], *, vectors: bool = True) -> dict[str, Entry]:
        """Return those of the named entries that are there."""
        return {entry.id: entry for where in conditions.one_of("id", ids)
                for entry in self.read(where, vectors=vectors)}

    def members(self, group: str) -> tuple[list[str], np.ndarray]:
        """Return the ids and the vectors (n, D), as they are stored, of a group's entries.

        They come out of memory where an exact search has brought the vectors there, else by the index of groups (see
        ``index_groups``) or by a look at all entries.
        """
        def found() -> tuple[list[str], np.ndarray]:
            if self._snapshot is not None:
                self._snapshot = search.snapshot(self._table, self._snapshot)
                rows = self._snapshot.members(group)
                return self._snapshot.columns["id"].take(rows).to_pylist(), self._snapshot.vectors[rows]
            where = f"`group` = {conditions.quoted(group)}"
            table = self._table.search().where(where).select(["id", "vector"]).limit(None).to_arrow()
            return table["id"].to_pylist(), matrix(table["vector"])

        return self._read(found)

    def groups(self) -> list[Group]:
        """Return all groups by name."""
        def table() -> list[dict[str, object]]:
            rows = self._table.search().select(["group", "source", "added"]).limit(None).to_arrow()
            return rows.group_by("group").aggregate(
                [([], "count_all"), ("source", "count_distinct"), ("added", "min"), ("added", "max")]).to_pylist()

        found = [Group(*(row[name] for name in ("group", "count_all", "source_count_distinct", "added_min",
                                                "added_max"))) for row in self._read(table)]
        return sorted(found, key=lambda group: group.name)

    def rename(self, group: str, into: str, ids: Sequence[str] | None = None) -> int:
        """Call ``group`` ``into``, which may be there already; with ``ids`` those of its entries alone.

        Returns:
            How many entries changed.
        """
        if not into:
            raise ValueError("into: got an empty name")
        mine = f"`group` = {conditions.quoted(group)}"
        wheres = [mine] if ids is None else [f"{mine} AND {some}" for some in conditions.one_of("id", ids)]
        return sum(self._write(lambda where=where: self._table.update(where, {"group": into})).rows_updated
                   for where in wheres)

    def remove(self, *, ids: Sequence[str] | None = None, group: str | None = None,
               older_than: timedelta | datetime | None = None) -> int:
        """Remove the named entries, or those of a group, or those added before a time or longer ago than so long.

        No search finds them again; from the files they are gone after ``compact``.

        Returns:
            How many were removed.

        Raises:
            ValueError: not exactly one of the three is given.
        """
        if sum(value is not None for value in (ids, group, older_than)) != 1:
            raise ValueError("got none or several of ids, group and older_than, expected one")
        if ids is not None:
            wheres = list(conditions.one_of("id", ids))
        elif group is not None:
            wheres = [f"`group` = {conditions.quoted(group)}"]
        else:
            now = datetime.now().astimezone()
            wheres = [conditions.before(now - older_than if isinstance(older_than, timedelta) else older_than)]
        return sum(self._write(lambda where=where: self._table.delete(where)).num_deleted_rows for where in wheres)

    def compact(self, *, alone: bool = False) -> None:
        """Rewrite the library without what was removed and delete all versions but the last.

        Afterwards what was removed or renamed stands in no file any more. In a folder this waits until no other
        process writes; what killed processes left behind goes as well. Object storage has no locks: there such
        leftovers stay for a week, unless the caller knows that nobody else writes and says ``alone``.
        An index is built anew where something was removed.
        """
        compact(self._table, self.uri, alone)
        self._snapshot = None

    def tidy(self) -> None:
        """Merge the files of many small commits, where there are many, and delete versions of minutes ago.

        Each commit writes the names of all files: without this ten thousand commits take a hundred million of them.
        Call it after commits: it looks first, which takes a millisecond.
        """
        tidy(self._table, self.uri)

    def stats(self) -> Stats:
        """Return what the library holds."""
        def measured() -> Stats:
            versions = self._table.list_versions()
            counts = versions[-1]["metadata"]
            names = self._table.search().select(["group"]).limit(None).to_arrow()["group"]
            kind = index.kind_of(self._table)
            return Stats(self._table.version, len(versions), self._table.count_rows(), len(names.unique()),
                         int(counts["total_files_size"]), int(counts["total_deletion_file_rows"]), kind,
                         index.unindexed(self._table) if kind else 0)

        return self._read(measured)

    def allow(self, space: Space) -> None:
        """State that queries of ``space`` may search this library: its model was trained to be backward compatible.

        Raises:
            ValueError: its vectors have another length.
        """
        if space.dim != self.space.dim:
            raise ValueError(f"space: got {space} of {space.dim} dimensions, expected {self.space.dim}")
        self._header = Header.of(self._table, self.uri).allowing(space)
        change = {"path": "vector", "metadata": self._header.metadata()}
        self._write(lambda: self._table.update_field_metadata(change))

    def _search(self, queries: np.ndarray, k: int, where: str | None, method: str,
                probes: int | None, refine: int, with_vectors: bool) -> list[Hits]:
        many = self._table.count_rows() > EXACT
        indexed = (many or method == "index") and method != "exact" and index.kind_of(self._table) is not None
        if indexed:
            return index.search(self._table, queries, k, where, probes, refine, with_vectors)
        width = self.space.dim * self._table.schema.field("vector").type.value_type.bit_width // 8
        if self._table.count_rows() * width > search.HELD:
            return search.streamed(self._table, queries, k, where, with_vectors)
        self._snapshot = search.snapshot(self._table, self._snapshot)
        among = search.addresses(self._table, where) if where else None
        return self._snapshot.search(queries, k, among, with_vectors)

    def _read(self, read: Callable[[], Result]) -> Result:
        """Return what ``read`` finds in the last version, once more where that was compacted away meanwhile."""
        for attempt in (1, 2):
            try:
                with storage.speaking(self.uri):
                    self._table.checkout_latest()
                    return read()
            except LibraryError as error:
                if attempt == 2 or not storage.is_stale(error):
                    raise
        raise LibraryError(f"library '{self.uri}' cannot be read")

    def _write(self, write: Callable[[], Result]) -> Result:
        return storage.commit(self._table, self.uri, write)

    def _other_space(self, space: Space) -> SpaceError:
        return SpaceError(f"library '{self.uri}' holds {self.space} ({self.space.dim} dimensions), asked for {space} "
                          f"({space.dim}): they cannot be compared{self._remedy()}")

    def _remedy(self) -> str:
        return f"; {self._upgrade} embeds it anew" if self._upgrade else "; embed its sources anew, into another one"
