"""Parquet tables as records again: what ``vtk import parquet`` gives."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from vtk.driver.chain import Outcome
from vtk.driver.link import error_record
from vtk.errors import RecordError, UsageError, VtkError
from vtk.export.columns import CORNERS, EXTRA, OTHER, ROW, Column, columns_of, joined
from vtk.export.parquet_tables import META_ORDER, META_TYPE, META_VERSION, SUFFIX
from vtk.media.names import source_name
from vtk.records import TYPES, VERSION, Record, dump

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

NAME = "import"
BY = "import/parquet"
LOT = 4096  # rows that are made into records together


class ParquetTable:
    """A table that is open for reading.

    Args:
        path: the file.
        kind: the type of its records, where the file does not say it; empty: its name does.

    Attributes:
        kind: the type of its records.

    Raises:
        VtkError: E_PARQUET, the file is no table of records.
    """

    def __init__(self, path: Path, kind: str = "") -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.path = path
        try:
            self._file = pq.ParquetFile(path, memory_map=False)
        except (OSError, pa.ArrowInvalid) as error:
            why = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise VtkError(f"{path} cannot be read as Parquet: {why:.120}", code="E_PARQUET") from None
        schema = self._file.schema_arrow
        said = schema.metadata or {}
        version = int(said.get(META_VERSION, b"1"))
        if version > VERSION:
            raise VtkError(f"{path} has records of version {version}, this vtk reads version {VERSION}: upgrade vidtk",
                           code="E_VERSION")
        self.kind = said.get(META_TYPE, b"").decode() or kind or _type_by_name(path)
        self._order = orjson.loads((self._file.metadata.metadata or {}).get(META_ORDER, b"[]"))
        self._columns, self._others = _columns(self.kind, schema)

    def rows(self) -> Iterator[tuple[int, Record]]:
        """Yield the records with their places in the stream that they came from, or in the table.

        Raises:
            VtkError: E_PARQUET, the file is damaged.
        """
        import pyarrow as pa

        begin = 0
        try:
            for lot in self._file.iter_batches(batch_size=LOT):
                rows = lot.column(ROW).to_pylist() if ROW in lot.schema.names else range(begin, begin + lot.num_rows)
                begin += lot.num_rows
                yield from zip(rows, self._records(lot), strict=True)
        except (OSError, pa.ArrowInvalid) as error:
            raise VtkError(f"{self.path} is damaged: {str(error).splitlines()[0]:.120}", code="E_PARQUET") from None

    def _records(self, lot: pa.RecordBatch) -> list[Record]:
        columns = [(column, values_of(lot.column(column.name), column)) for column in self._columns
                   if lot.column(column.name).null_count < lot.num_rows]
        extras = lot.column(EXTRA).to_pylist() if EXTRA in lot.schema.names else [None] * lot.num_rows
        records = joined(self.kind, columns, extras, self._order)
        for name in self._others:
            for record, value in zip(records, lot.column(name).to_pylist(), strict=True):
                if value is not None:
                    record[name] = value
        return records


def parquet_records(names: Sequence[str], kind: str = "", outcomes: list[Outcome] | None = None) -> Iterator[Record]:
    """Yield the records of tables, those of a folder in the order of the stream that they were written from.

    Args:
        names: files, each read by itself, and folders, whose tables are read side by side.
        kind: the type of tables that neither say it themselves nor by their names.
        outcomes: gets one for each table, and what cannot be read is passed over; None: it is raised.

    Raises:
        UsageError: a folder has no tables, or a type is unknown.
        VtkError: E_PARQUET, a file cannot be read; without ``outcomes``.
    """
    for name in names:
        path = Path(name)
        files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not files:
            raise UsageError(f"{name} has no {SUFFIX} files in it")
        rows = [_rows(file, kind, outcomes) for file in files]
        for _, record in heapq.merge(*rows, key=lambda row: row[0]):
            yield record


def parquet_lines(names: Sequence[str], kind: str, outcomes: list[Outcome]) -> Iterator[list[bytes]]:
    """Yield the lines of ``parquet_records`` in lots, and an error record for each table that cannot be read whole."""
    lot: list[bytes] = []
    for record in parquet_records(names, kind, outcomes):
        lot.append(orjson.dumps(record))
        if len(lot) >= LOT:
            yield lot
            lot = []
    yield lot
    yield [dump(error_record(BY, NAME, error, source_name(outcome.source), fatal=outcome.status == "failed"))
           for outcome in outcomes for _, error in outcome.errors]


def _rows(path: Path, kind: str, outcomes: list[Outcome] | None) -> Iterator[tuple[int, Record]]:
    """Yield a table's rows, as far as they can be read."""
    outcome = Outcome(str(path))
    if outcomes is not None:
        outcomes.append(outcome)
    count = 0
    try:
        for row in ParquetTable(path, kind).rows():
            count += 1
            yield row
    except UsageError:
        raise
    except VtkError as error:
        if outcomes is None:
            raise
        outcome.status = "partial" if count else "failed"
        outcome.errors.append((NAME, error))


def values_of(array: pa.Array, column: Column) -> list[Any]:
    """Return a column's values as Python's, None where absent; a vector as bytes of little-endian float16."""
    import pyarrow as pa

    if column.form == "vector":
        import numpy as np

        return [None if not vector.is_valid else np.asarray(vector.values).astype("<f2").tobytes() for vector in array]
    if array.null_count == 0 and (pa.types.is_integer(array.type) or pa.types.is_floating(array.type)):
        return array.to_numpy(zero_copy_only=False).tolist()
    return array.to_pylist()


def _type_by_name(path: Path) -> str:
    stem = path.stem if path.stem in TYPES else path.stem.partition("-")[0]
    if stem not in TYPES:
        raise VtkError(f"{path} does not say of what type its records are: --type TYPE does, or a name such as "
                       f"detection{SUFFIX}", code="E_PARQUET")
    return stem


def _columns(kind: str, schema: pa.Schema) -> tuple[list[Column], list[str]]:
    """Return the columns of a type that a file has, and the names of others: somebody's own, keys of the record."""
    known = {column.name: column for column in columns_of(kind)} if kind in TYPES or kind == OTHER else {}
    if not known:
        raise UsageError(f"--type is '{kind}': it is one of {', '.join(TYPES)}")
    names = set(schema.names)
    for corner in ("", "det_"):
        box = {corner + name for name in CORNERS} & known.keys()
        if box & names and box - names:
            raise RecordError(f"the table has no column {', '.join(sorted(box - names))} of a box's four",
                              code="E_PARQUET")
    found = [column for name, column in known.items() if name in names]
    others = [name for name in schema.names if name not in known and name not in (ROW, EXTRA)]
    return found, others
