"""Records as CSV: one file a type, its columns those of the table in Parquet, lists and objects as JSON."""

from __future__ import annotations

import contextlib
import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from vtk.driver.output import OneFile, part_of
from vtk.errors import UsageError, VtkError
from vtk.export.columns import EXTRA, Column, Cutter, columns_of, table_of
from vtk.records import Record

SUFFIX = ".csv"
STDOUT = Path("-")
CUT = 1024
NESTED = frozenset({"points", "numbers", "names", "best", "ranking", "nearest", "error", "ledger", "vector"})


class CsvTable:
    """One file that is being written.

    Args:
        path: FILE, which appears by ``close``; - is stdout.
        kind: the type, or ``other``.
    """

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self._cutter, self._waiting = path, Cutter(kind), list[Record]()
        self._columns = [column for column in columns_of(kind) if column.form != "norm"]
        self._file = None if path == STDOUT else OneFile(path, overwrite=True)
        self._put([[*(column.name for column in self._columns), EXTRA]])

    def add(self, record: Record) -> None:
        """Take a record. Raises VtkError: it cannot be written."""
        self._waiting.append(record)
        if len(self._waiting) >= CUT:
            self._flush()

    def close(self, complete: bool = True) -> None:
        """Write what waits and give the file its name; else leave nothing of it."""
        if complete:
            self._flush()
        if self._file is not None:
            with contextlib.nullcontext() if complete else contextlib.suppress(OSError, VtkError):
                self._file.close(complete)
            if not complete:
                part_of(self.path).unlink(missing_ok=True)

    def _flush(self) -> None:
        values, extras = self._cutter.cut(self._waiting)
        cells = [[""] * len(extras) if some is None else [_cell(column, value) for value in some]
                 for column, some in zip(self._cutter.columns, values, strict=True) if column.form != "norm"]
        for place, column in enumerate(self._columns):
            if column.form == "vector":  # as it stands in the record
                cells[place] = [_json(record.get(column.key)) for record in self._waiting]
        self._waiting = []
        self._put([*zip(*cells, [extra or "" for extra in extras], strict=True)])

    def _put(self, rows: Sequence[Sequence[Any]]) -> None:
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        data = text.getvalue().encode()
        if not data:
            return
        if self._file is None:
            sys.stdout.buffer.write(data)
            sys.stdout.flush()
        else:
            self._file.write([data[:-1]])  # a newline is written behind it


class CsvTables:
    """The files of one run.

    Args:
        output: the file of a single type; - is stdout.
        out_dir: a folder with a file for each type that comes.
        kinds: the types to write; empty: all that come. Those that are named get a file, though it be empty.
        overwrite: whether files that exist are replaced.
        tee: whether records go to stdout.

    Raises:
        UsageError: no output or two are named, one file is to hold several types, or it is there.
    """

    def __init__(self, output: Path | None, out_dir: Path | None, kinds: Sequence[str] = (), overwrite: bool = False,
                 tee: bool = False) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError("export csv needs either -o FILE with --type TYPE, or --out-dir DIR for one file a type")
        if output is not None and len(kinds) != 1:
            raise UsageError(f"-o {output}: a file holds one type: give --type TYPE, or --out-dir DIR for all of them")
        if output == STDOUT and tee:
            raise UsageError("-o - writes rows to stdout, where --tee would write records: give -o FILE")
        self._output, self._out_dir, self._kinds, self._overwrite = output, out_dir, frozenset(kinds), overwrite
        self._tables: dict[str, CsvTable] = {}
        for kind in kinds:  # what is in the way is said before any work
            self._check(self._path(table_of(kind)))
        self._made = out_dir is not None and not out_dir.exists()
        if out_dir is not None:
            try:
                out_dir.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise UsageError(f"--out-dir {out_dir}: {error.strerror}") from None

    def add(self, record: Record) -> None:
        """Take the next record. Raises UsageError: its file is there; VtkError: it cannot be written."""
        kind = table_of(record["type"])
        if not self._kinds or kind in self._kinds or record["type"] in self._kinds:
            (self._tables.get(kind) or self._open(kind)).add(record)

    def close(self) -> None:
        """Write all files whole. Raises VtkError: one cannot be."""
        for kind in sorted({table_of(kind) for kind in self._kinds} - self._tables.keys()):
            self._open(kind)
        for table in self._tables.values():
            table.close()

    def drop(self) -> None:
        """Take away what is unfinished, and the folder where it was made for it and is empty."""
        for table in self._tables.values():
            table.close(complete=False)
        if self._made and self._out_dir is not None:
            with contextlib.suppress(OSError):
                self._out_dir.rmdir()

    def _path(self, kind: str) -> Path:
        return self._output if self._output is not None else (self._out_dir or Path()) / f"{kind}{SUFFIX}"

    def _open(self, kind: str) -> CsvTable:
        self._check(self._path(kind))
        self._tables[kind] = CsvTable(self._path(kind), kind)
        return self._tables[kind]

    def _check(self, path: Path) -> None:
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if path.is_file() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        if path != STDOUT and self._output is not None and not path.parent.is_dir():
            raise UsageError(f"{path}: there is no folder {path.parent}")


def _json(value: Any) -> str:
    return "" if value is None else orjson.dumps(value).decode()


def _cell(column: Column, value: Any) -> Any:
    """Return what stands in a cell: numbers as in the record, lists and objects as JSON, absent as empty."""
    if value is None:
        return ""
    if column.form in NESTED:
        return "" if column.form == "vector" else _json(value)
    if column.form == "flag":
        return "true" if value else "false"
    return value
