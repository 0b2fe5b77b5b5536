"""Exact search: the vectors in memory while they fit, else read in blocks as they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vtk.library.entries import matrix
from vtk.library.hits import FOUND, Hits

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import LanceTable

HELD = 2 << 30  # bytes of vectors that are kept in memory: 4 million of 256 dimensions in float16
BLOCK = 65536  # rows that are read at once


def nearest(queries: np.ndarray, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows (Q, k) int64 of ``vectors`` (N, D) nearest to each query and their cosines (Q, k) float32."""
    from vtk.kernels.cosine_topk import cosine_topk

    return cosine_topk(queries, vectors, min(k, len(vectors)))


@dataclass(frozen=True)
class Snapshot:
    """All entries of one version of a table.

    Attributes:
        version: of the table.
        addresses: (N,) uint64, where each entry lies, ascending.
        vectors: (N, D) in the table's dtype.
        columns: the columns ``FOUND`` of each.
    """

    version: int
    addresses: np.ndarray
    vectors: np.ndarray
    columns: pa.Table

    def search(self, queries: np.ndarray, k: int, among: np.ndarray | None, vectors: bool = False) -> list[Hits]:
        """Return the k nearest entries of each query; ``among`` are the addresses of those looked at."""
        rows = None if among is None else np.searchsorted(self.addresses, np.sort(among))
        places, scores = nearest(queries, self.vectors if rows is None else self.vectors[rows], k)
        places = places if rows is None else rows[places]
        return [Hits(score, self.columns.take(place), self.vectors[place] if vectors else None)
                for place, score in zip(places, scores, strict=True)]

    def members(self, group: str) -> np.ndarray:
        """Return the rows (n,) int64 of a group's entries, ascending."""
        names, order, codes = self._by_group
        code = names.get(group)
        return order[slice(*np.searchsorted(codes, [code, code + 1]))] if code is not None else order[:0]

    @cached_property
    def _by_group(self) -> tuple[dict[str, int], np.ndarray, np.ndarray]:
        """The number of each group, and the rows and their numbers in the order of these."""
        column = self.columns["group"].combine_chunks().dictionary_encode()
        codes = column.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        return {name: code for code, name in enumerate(column.dictionary.to_pylist())}, order, codes[order]


def snapshot(table: LanceTable, before: Snapshot | None = None) -> Snapshot:
    """Return the entries of the table's version; what ``before`` holds already is not read again.

    A row never changes where it lies: a change moves it to a new fragment. So if all that was there before is still
    counted beside what lies in newer fragments, only that is new.
    """
    if before is not None and before.version == table.version:
        return before
    count = table.count_rows()
    if before is not None and len(before.addresses):
        edge = (int(before.addresses[-1]) >> 32) + 1 << 32
        if count == len(before.addresses) + table.count_rows(f"_rowid >= {edge}"):
            return _extended(table, before, edge)
    return _read(table, count, None)


def streamed(table: LanceTable, queries: np.ndarray, k: int, where: str | None, vectors: bool = False) -> list[Hits]:
    """Return the k nearest entries of each query of all that satisfy ``where``, holding one block."""
    import pyarrow as pa

    best: list[Hits] = []
    for block in blocks(table, where):
        columns = block.select(list(FOUND))
        stored = matrix(block["vector"])
        places, scores = nearest(queries, stored, k)
        found = [Hits(score, columns.take(place), stored[place] if vectors else None)
                 for place, score in zip(places, scores, strict=True)]
        best = [_best(both, k) for both in zip(best, found, strict=True)] if best else found
    empty = Hits(np.empty(0, np.float32), pa.table({name: [] for name in FOUND}))
    return best or [empty] * len(queries)


def blocks(table: LanceTable, where: str | None) -> Iterator[pa.Table]:
    """Yield the entries that satisfy ``where`` with their vectors and addresses, in the order in which they lie."""
    import pyarrow as pa

    query = table.search().with_row_id(True).select([*FOUND, "vector"]).limit(None)
    held: list[pa.RecordBatch] = []
    for batch in (query.where(where) if where else query).to_batches(batch_size=BLOCK):
        held.append(batch)
        if sum(map(len, held)) >= BLOCK:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def addresses(table: LanceTable, where: str) -> np.ndarray:
    """Return where the entries lie that satisfy ``where``, (n,) uint64."""
    query = table.search().with_row_id(True).select(["id"]).where(where).limit(None)
    return query.to_arrow()["_rowid"].to_numpy()


def _read(table: LanceTable, count: int, where: str | None) -> Snapshot:
    import pyarrow as pa

    kind = table.schema.field("vector").type
    vectors = np.empty((count, kind.list_size), kind.value_type.to_pandas_dtype())
    parts: list[pa.Table] = []
    filled = 0
    for block in blocks(table, where):
        vectors[filled : filled + len(block)] = matrix(block["vector"])
        filled += len(block)
        part = block.drop_columns(["vector"])
        for name in ("group", "source"):  # few names for many rows
            part = part.set_column(part.column_names.index(name), name, part[name].dictionary_encode())
        parts.append(part)
    if not parts:
        return Snapshot(table.version, np.empty(0, np.uint64), vectors, _nothing())
    whole = pa.concat_tables(parts).unify_dictionaries().combine_chunks()
    return _ordered(table.version, whole["_rowid"].to_numpy(), vectors, whole.drop_columns(["_rowid"]))


def _extended(table: LanceTable, before: Snapshot, edge: int) -> Snapshot:
    import pyarrow as pa

    where = f"_rowid >= {edge}"
    new = _read(table, table.count_rows(where), where)
    if not len(new.addresses):
        return Snapshot(table.version, before.addresses, before.vectors, before.columns)
    return Snapshot(table.version, np.concatenate([before.addresses, new.addresses]),
                    np.concatenate([before.vectors, new.vectors]),
                    pa.concat_tables([before.columns, new.columns]).unify_dictionaries().combine_chunks())


def _ordered(version: int, places: np.ndarray, vectors: np.ndarray, columns: pa.Table) -> Snapshot:
    if (places[1:] < places[:-1]).any():
        order = np.argsort(places)
        places, vectors, columns = places[order], vectors[order], columns.take(order)
    return Snapshot(version, places, vectors, columns)


def _best(both: tuple[Hits, Hits], k: int) -> Hits:
    import pyarrow as pa

    scores = np.concatenate([hits.scores for hits in both])
    order = np.argsort(-scores, kind="stable")[:k]
    vectors = [hits.vectors for hits in both if hits.vectors is not None]
    return Hits(scores[order], pa.concat_tables([hits.found for hits in both]).take(order),
                np.concatenate(vectors)[order] if vectors else None)


def _nothing() -> pa.Table:
    import pyarrow as pa

    kinds = {"id": pa.string(), "group": pa.string(), "source": pa.string()}
    return pa.table({name: pa.array([], kinds.get(name, pa.float64())) for name in FOUND})
