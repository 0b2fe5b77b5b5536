"""Tables as people and GBIF have them: tabs, commas or semicolons, plain, gzipped or zipped, row by row.

    with open_table(path, bad) as table:
        for number, row in table.rows: ...

A table with tabs has no quotes, as GBIF writes it: a quotation mark is a letter. Bytes that are no UTF-8 come as
surrogates, since one bad letter in a remark is no reason to lose a row; ``is_text`` tells.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from vtk.errors import UsageError

LONGEST = 1 << 20  # letters of a line; a longer one is no row of any table that we know
_SUFFIXES = (".csv", ".tsv", ".txt")
Bad = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is being read.

    Attributes:
        path: of the file.
        columns: names of the columns as written, without a prefix such as ``dwc:``.
        rows: (line number, fields), as many fields as columns.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]

    def place(self, *names: str) -> int:
        """Return where the first column of these names is, letter case aside; -1 where none is.

        Raises:
            UsageError: two columns have the name.
        """
        known = [column.casefold() for column in self.columns]
        for name in map(str.casefold, names):
            if known.count(name) > 1:
                raise UsageError(f"{self.path}: two columns are called {name}: leave one")
            if name in known:
                return known.index(name)
        return -1


@contextmanager
def open_table(path: Path, bad: Bad | None = None) -> Iterator[Table]:
    """Open a table whose first line names its columns.

    Args:
        path: of the file; a zip archive has one table in it, or the ``occurrence.txt`` of a Darwin Core Archive.
        bad: takes the line number of a row that is none and what is wrong with it; without, such a row is an error.

    Raises:
        UsageError: it cannot be read, is empty, or is in UTF-16 or UTF-32.
    """
    with ExitStack() as stack:
        try:
            stream = io.BufferedReader(_Raw(_bytes_of(path, stack)), LONGEST)
            _check_encoding(path, stream.peek(4096))
            yield _table(path, stream, bad or _refuse(path))
        except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise UsageError(f"{path}: cannot be read: {reason}") from None


def is_text(field: str) -> bool:
    """Return whether a field was UTF-8."""
    return field.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in field)


class _Raw(io.RawIOBase):
    """Any binary stream as a raw one, so that one kind of buffer can look ahead in all of them."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill ``buffer``, as far as there is something."""
        data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _bytes_of(path: Path, stack: ExitStack) -> IO[bytes]:
    """Return the file's bytes, unpacked where it is packed."""
    plain = stack.enter_context(path.open("rb"))
    start = plain.read(4)
    plain.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return stack.enter_context(gzip.open(plain))  # type: ignore[return-value]
    if start != b"PK\x03\x04":
        return plain
    archive = stack.enter_context(zipfile.ZipFile(plain))
    names = [name for name in archive.namelist() if name.lower().endswith(_SUFFIXES)]
    names = [name for name in names if name.rpartition("/")[2] == "occurrence.txt"] or names
    if len(names) != 1:
        raise UsageError(f"{path}: the archive has {len(names)} tables, one is needed: unpack it and name the table")
    return stack.enter_context(archive.open(names[0]))


def _check_encoding(path: Path, start: bytes) -> None:
    """Raise UsageError where what a file begins with is not UTF-8 text."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")) or b"\0" in start:
        raise UsageError(f"{path}: not UTF-8 (it looks like UTF-16 or is no text): iconv -f UTF-16 -t UTF-8 turns it")
    if not start.strip():
        raise UsageError(f"{path}: empty: a table begins with the names of its columns")


def _table(path: Path, stream: io.BufferedReader, bad: Bad) -> Table:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
    lines = iter(partial(text.readline, LONGEST), "")
    header = next(lines, "")
    if not is_text(header):
        raise UsageError(f"{path}: the names of its columns are not UTF-8: iconv -f LATIN1 -t UTF-8 turns Latin-1")
    delimiter = max("\t,;", key=header.count)
    if delimiter == "\t":
        names, rows = _fields(header), _tabbed(lines, bad)
    else:
        reader = csv.reader(chain([header], lines), delimiter=delimiter)
        names, rows = next(reader), _quoted(reader, bad)
    columns = tuple(name.strip().removeprefix("dwc:") for name in names)
    return Table(path, columns, _whole(rows, len(columns), bad))


def _fields(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _tabbed(lines: Iterator[str], bad: Bad) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(lines, 2):
        if len(line) >= LONGEST and line[-1] not in "\r\n":
            bad(number, f"longer than {LONGEST} letters")
            while len(line) >= LONGEST and line[-1] not in "\r\n":
                line = next(lines, "")
            continue
        yield number, line.rstrip("\r\n").split("\t")


def _quoted(reader: Iterator[list[str]], bad: Bad) -> Iterator[tuple[int, list[str]]]:
    while True:
        number = reader.line_num + 1  # type: ignore[attr-defined]
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad(number, str(error))


def _whole(rows: Iterator[tuple[int, list[str]]], width: int, bad: Bad) -> Iterator[tuple[int, list[str]]]:
    for number, row in rows:
        if len(row) == width:
            yield number, row
        elif any(row):
            bad(number, f"{len(row)} fields, expected {width}")


def _refuse(path: Path) -> Bad:
    def refuse(number: int, why: str) -> None:
        raise UsageError(f"{path}, line {number}: {why}")

    return refuse
