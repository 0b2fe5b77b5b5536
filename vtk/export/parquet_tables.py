"""Records as Parquet: one table a type, its schema that of the vocabulary, written as records come."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from vtk.driver.output import part_of
from vtk.errors import UsageError, VtkError
from vtk.export.columns import EXTRA, ROW, Column, Cutter, columns_of, table_of, vector_of
from vtk.records import VERSION, Record

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

SUFFIX = ".parquet"
# Records of a table that wait as Python objects, about 1 KB each.
CUT = 4096
# A row group is written at so many rows or so many bytes of columns, whichever comes first. DuckDB works on 122,880
# rows at a time, and by row group in parallel.
GROUP_ROWS, GROUP_BYTES = 122_880, 32 << 20
LONGEST_NAME = 120  # bytes of a space in a file's name, of the 255 that it has
META_TYPE, META_VERSION, META_ORDER = b"vtk.type", b"vtk.version", b"vtk.order"
# Numbers that grow from row to row, which differences pack; and texts, which differences of their beginnings do not.
GROWING = frozenset({ROW, "frame", "pts", "start_frame", "end_frame"})

Key = tuple[str, str | None, int | None]  # the type, and of embeddings the space and the length


def schema_of(kind: str, length: int | None = None) -> pa.Schema:
    """Return the Arrow schema of a type's table.

    Args:
        length: of the vectors, for a table of embeddings of one space: a list of fixed size.
    """
    import pyarrow as pa

    number, text = pa.float64(), pa.string()
    points = pa.list_(pa.list_(number))
    forms = {
        "integer": pa.int64(), "number": number, "corner": number, "norm": number, "text": text, "json": text,
        "flag": pa.bool_(), "numbers": pa.list_(number), "points": points, "names": pa.list_(text),
        "vector": pa.list_(pa.float16(), length or -1),
        "best": pa.struct({"frame": pa.int64(), "xyxy": pa.list_(number), "poly": points}),
        "ranking": pa.list_(pa.struct({"label": text, "score": number})),
        "nearest": pa.list_(pa.struct({"source": text, "track_id": pa.int64(), "score": number, "why": text})),
        "error": pa.struct({"code": text, "stage": text, "message": text, "fatal": pa.bool_()}),
        "ledger": pa.struct({"decoded": pa.int64(), "processed": pa.int64(), "skipped": pa.int64()})}
    fields = [pa.field(ROW, pa.int64()), *(pa.field(column.name, forms[column.form]) for column in columns_of(kind)),
              pa.field(EXTRA, text)]
    return pa.schema(fields, {META_TYPE: kind.encode(), META_VERSION: str(VERSION).encode()})


class Table:
    """One table that is being written: records wait in lots, lots in a row group, groups in FILE.part.

    Args:
        path: FILE, which appears by ``publish``.
        kind: the type, or ``other``.
        length: see ``schema_of``.

    Attributes:
        rows: how many it has.
    """

    def __init__(self, path: Path, kind: str, length: int | None) -> None:
        import pyarrow.parquet as pq

        self.path, self.rows = path, 0
        self._part = part_of(path)
        self._schema, self._cutter = schema_of(kind, length), Cutter(kind)
        self._waiting: list[tuple[int, Record]] = []
        self._lots: list[pa.RecordBatch] = []
        growing = [name for name in self._schema.names if name in GROWING]
        packed = {name: "DELTA_BINARY_PACKED" for name in growing}
        try:
            self._file = pq.ParquetWriter(
                self._part, self._schema, compression="zstd", column_encoding=packed,
                use_dictionary=[name for name in _leaves(self._schema) if name not in packed])
        except OSError as error:
            raise UsageError(f"cannot write {path}: {error.strerror or error}") from None

    def add(self, row: int, record: Record) -> None:
        """Take a record, the ``row``-th of the stream."""
        self._waiting.append((row, record))
        self.rows += 1
        if len(self._waiting) >= CUT:
            self._cut()

    def close(self) -> None:
        """Write what waits, and make it safe. Raises VtkError where it cannot be written."""
        with _told(self.path):
            self._cut()
            self._flush()
            self._file.add_key_value_metadata({META_ORDER: orjson.dumps(self._cutter.order)})
            self._file.close()
            with open(self._part, "rb") as file:
                os.fsync(file.fileno())

    def publish(self) -> None:
        """Give the file its name."""
        os.replace(self._part, self.path)

    def drop(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(Exception):  # a file that could not be written cannot be closed well either
            self._file.close()
        self._part.unlink(missing_ok=True)

    def _cut(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        values, extras = self._cutter.cut([record for _, record in self._waiting])
        arrays = [pa.nulls(len(extras), field.type) if some is None else array_of(column, some, field.type)
                  for column, some, field in zip(self._cutter.columns, values, list(self._schema)[1:-1], strict=True)]
        rows = pa.array([row for row, _ in self._waiting], pa.int64())
        self._waiting = []
        self._lots.append(pa.record_batch([rows, *arrays, pa.array(extras, pa.string())], schema=self._schema))
        if (sum(lot.num_rows for lot in self._lots) >= GROUP_ROWS
                or sum(lot.nbytes for lot in self._lots) >= GROUP_BYTES):
            with _told(self.path):
                self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._lots:
            self._file.write_table(pa.Table.from_batches(self._lots, self._schema), row_group_size=GROUP_ROWS)
            self._lots = []


class Tables:
    """The tables of one run: a file of one type, or a folder with a file for each type that comes.

    A table of embeddings is of one space, and called ``embedding-SPACE.parquet``: its vectors are of one length.

    Args:
        output: a folder, or a name that ends in .parquet, for a single type.
        kinds: the types to write; empty: all that come. Those that are named get a table, though it be empty.
        overwrite: whether tables that exist are replaced; in a folder, those of other types are taken away.

    Raises:
        UsageError: the output is there, or cannot be; or a single file is to hold several types.
    """

    def __init__(self, output: Path, kinds: Sequence[str] = (), overwrite: bool = False) -> None:
        self._single = output.suffix.lower() == SUFFIX
        if self._single and len(kinds) != 1:
            raise UsageError(f"-o {output}: a table holds one type: give --type TYPE, or a folder for all of them")
        self._output, self._kinds = output, frozenset(kinds)
        self._made = not self._single and not output.exists()
        _check_free(output, self._single, overwrite)
        self._tables: dict[Key, Table] = {}
        self._row = 0

    def add(self, record: Record) -> None:
        """Take the next record of the stream, one that was checked. Raises VtkError: it cannot be written."""
        kind = table_of(record["type"])
        if not self._kinds or record["type"] in self._kinds or kind in self._kinds:
            key = _key(kind, record)
            table = self._tables.get(key) or self._open(key)
            table.add(self._row, record)
        self._row += 1

    def close(self) -> dict[str, int]:
        """Write all tables, then give them their names; return how many rows each has. Raises VtkError."""
        for kind in sorted(self._kinds - {kind for kind, _, _ in self._tables}):
            self._open((kind, None, None))
        for table in self._tables.values():
            table.close()
        stale = [] if self._single else _ours(self._output)
        for table in self._tables.values():
            table.publish()
        left = [] if self._single else [*self._output.glob(part_of(Path(f"*{SUFFIX}")).name)]  # of one that was killed
        for path in {*stale, *left} - {table.path for table in self._tables.values()}:
            path.unlink(missing_ok=True)
        return {table.path.name: table.rows for table in self._tables.values()}

    def drop(self) -> None:
        """Take away what is unfinished, after an error or an interrupt; the folder too, where it was made for it."""
        for table in self._tables.values():
            table.drop()
        if self._made:
            with contextlib.suppress(OSError):  # something is in it
                self._output.rmdir()

    def _open(self, key: Key) -> Table:
        kind, space, length = key
        path = self._output
        if not self._single:
            path = path / f"{_name(kind, space)}{SUFFIX}"
            if any(table.path == path for table in self._tables.values()):  # the same space, vectors of another length
                path = path.with_name(f"{_name(kind, space)}-{length}{SUFFIX}")
        elif self._tables:
            raise UsageError(f"-o {path}: embeddings of several spaces or lengths came ({space} of {length}): give a "
                             "folder, for a table of each")
        self._tables[key] = Table(path, kind, length)
        return self._tables[key]


def array_of(column: Column, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return a column's values as an Arrow array."""
    import pyarrow as pa

    if column.form == "vector":
        return _vectors(values, kind)
    try:
        return pa.array(values, kind)
    except (pa.ArrowInvalid, OverflowError):  # a whole number among the fractions that no double holds
        return pa.array([_fractions(value) for value in values], kind)


def _vectors(values: Sequence[bytes | None], kind: pa.DataType) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    if all(value is None for value in values):
        return pa.nulls(len(values), kind)
    if pa.types.is_fixed_size_list(kind):  # one length and none absent: that is what its table is made by
        return pa.FixedSizeListArray.from_arrays(pa.array(np.frombuffer(b"".join(values), "<f2")), type=kind)
    return pa.array([None if value is None else np.frombuffer(value, "<f2") for value in values], kind)


def _fractions(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_fractions(item) for item in value]
    if isinstance(value, dict):
        return {name: _fractions(item) if name in ("xyxy", "poly", "score") else item for name, item in value.items()}
    return float(value) if type(value) is int else value


def _key(kind: str, record: Record) -> Key:
    """Return what a record's table is told by: the space and length of embeddings are columns' own types."""
    if kind != "embedding":
        return kind, None, None
    vector = vector_of(record["embedding"])
    return (kind, None, None) if vector is None else (kind, record["space"], len(vector) // 2)


def _name(kind: str, space: str | None) -> str:
    """Return the name of a table, no two spaces the same; a long name of a space is cut and told by its hash."""
    if space is None:
        return kind
    name = quote(space, safe="@+-_,")
    if len(name) > LONGEST_NAME:
        name = f"{name[:LONGEST_NAME]}-{hashlib.blake2b(space.encode(), digest_size=6).hexdigest()}"
    return f"{kind}-{name}"


def _leaves(schema: pa.Schema) -> list[str]:
    """Return the columns that are worth a dictionary by their paths in Parquet: texts; numbers seldom repeat."""
    import pyarrow as pa

    return [field.name for field in schema if pa.types.is_string(field.type) and field.name != EXTRA]


def _check_free(output: Path, single: bool, overwrite: bool) -> None:
    """Raise UsageError where tables are that may not be replaced, or none can be."""
    if output == Path("-"):
        raise UsageError("-o -: Parquet is no stream, its index stands at its end: name a folder or a .parquet file")
    if single:
        if output.is_dir():
            raise UsageError(f"-o {output}: it is a folder")
        if output.exists() and not overwrite:
            raise UsageError(f"{output} exists: --overwrite replaces it")
        if not output.parent.is_dir():
            raise UsageError(f"-o {output}: there is no folder {output.parent}")
        return
    if output.exists() and not output.is_dir():
        raise UsageError(f"-o {output}: it is no folder; a single table's name ends in {SUFFIX}")
    there = sorted(output.glob(f"*{SUFFIX}"))
    if there and not overwrite:
        raise UsageError(f"{output} has tables already ({there[0].name}): --overwrite replaces them")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"-o {output}: {error.strerror}") from None


def _ours(folder: Path) -> list[Path]:
    """Return the tables in a folder that an export wrote."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = []
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError, pa.ArrowInvalid):
            if META_TYPE in (pq.read_schema(path).metadata or {}):
                found.append(path)
    return found


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn an error of the disk into one line."""
    try:
        yield
    except OSError as error:
        raise VtkError(f"cannot write {path}: {error.strerror or error}", code="E_WRITE") from None


