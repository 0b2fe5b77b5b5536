"""Tables of labelled files: csv with the columns file and label, and others that their readers know."""

from __future__ import annotations

import codecs
import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path, PurePath

from vtk.errors import UsageError

TABLE = "labels.csv"
# What spreadsheets write before a text that is not UTF-8.
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


def rows_of(table: Path, *columns: str, label: str = "label",
            once: bool = True) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (where it stands, its cells by column, stripped) for each row of a table of labelled files.

    Args:
        table: UTF-8, or UTF-16 with its mark; its paths are relative to it, with forward slashes.
        columns: those that it needs beside file and label.
        label: the column that has the labels; in the cells it is ``label``, too.
        once: whether a file may stand in one row alone; rows of spans of a film are several.

    Raises:
        UsageError: it cannot be read, lacks a column or lists nothing; or a row has no file or label, or a file that
            an earlier row has. The message names the line.
    """
    lines: dict[str, int] = {}
    rows = csv.DictReader(io.StringIO(_text(table), newline=""))
    try:
        known = rows.fieldnames or []
        for column in ("file", label, *columns):
            if column not in known:
                raise UsageError(f"{table} has no column {column}: there is {', '.join(known) or 'nothing'}")
        for cells in rows:
            where = f"{table}, line {rows.line_num}"
            row = {key: (value or "").strip() for key, value in cells.items()
                   if isinstance(key, str) and not isinstance(value, list)}
            for column in ("file", label):
                if not row.get(column):
                    raise UsageError(f"{where}: {column} is empty")
            row["label"] = row[label]
            row["file"] = PurePath(row["file"]).as_posix()
            file = os.path.normpath(table.parent / row["file"])
            if (first := lines.setdefault(file, rows.line_num)) != rows.line_num and once:
                raise UsageError(f"{where}: {row['file']} is listed in line {first} already")
            yield where, row
    except csv.Error as error:
        raise UsageError(f"{table}, line {rows.line_num}: {error}") from None
    if not lines:
        raise UsageError(f"{table} lists no file")


def _text(table: Path) -> str:
    """Return the text of a table; of one that is neither UTF-8 nor marked the line is named that shows it."""
    try:
        data = table.read_bytes()
    except OSError as error:
        raise UsageError(f"{table}: {error.strerror}") from None
    if b"\0" in data and not data.startswith(tuple(mark for mark, _ in _MARKS)):
        raise UsageError(f"{table}: it is no text, or UTF-16 without its mark; save it as UTF-8")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{table}, line {line}: byte 0x{data[error.start]:02x} is not {encoding.upper()}; save it as "
                         "UTF-8, such as by iconv -f latin1 -t utf-8") from None
