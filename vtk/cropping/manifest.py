"""The table of all crops of a folder: rows come as crops do, and are its own once a run is whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from vtk.cropping.names import MANIFEST, TABLE, is_crop
from vtk.errors import UsageError, VtkError

_COLUMNS = ("file", "label", "source", "frame", "t", "track_id", "score", "text")


class Manifest:
    """The rows of a folder of crops: of this run, and of those before it.

    A run adds its sources to what is there. It holds the names of sources that are listed, and of crops that it wrote
    of such.

    Args:
        folder: of the crops.
        overwrite: whether a source may take the place of what an earlier run made of it. What that one made and this
            one does not make again is removed when this run is whole, if the source was.
        table: whether labels.csv is written beside it.
    """

    def __init__(self, folder: Path, overwrite: bool = False, table: bool = False) -> None:
        self._folder, self._overwrite, self._table = folder, overwrite, table
        self._path, self._part = folder / MANIFEST, folder / f"{MANIFEST}.part"
        self._file: IO[bytes] | None = None
        self._listed: set[str] | None = None  # sources of earlier runs
        self._again: set[str] = set()  # those of them that this run did, and that were whole
        self._written: set[str] = set()  # crops that this run wrote of them

    def check(self) -> None:
        """Refuse a folder that is none, in which a run broke off, or that has a table of somebody else.

        Raises:
            UsageError: see there.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(f"--out-dir {self._folder}: it is no folder")
        if self._overwrite:
            return
        if self._part.exists():
            raise UsageError(f"{self._part} is of a run that broke off, or is still at work: --overwrite does its "
                             "sources anew")
        if self._table and (self._folder / TABLE).exists() and not self._own_table():
            raise UsageError(f"{self._folder / TABLE} exists: --overwrite replaces it")

    def expect(self, sources: Sequence[str]) -> None:
        """Refuse sources that are listed, unless they may be replaced.

        Raises:
            UsageError: one is.
        """
        if not self._overwrite and (there := [source for source in sources if source in self._known()]):
            raise UsageError(self._there(there[0]) + (f", and those of {len(there) - 1} more" if there[1:] else ""))

    def begin(self, source: str) -> None:
        """Begin a source.

        Raises:
            VtkError: it is listed, and may not be replaced.
        """
        if not self._overwrite and source in self._known():
            raise VtkError(self._there(source), code="E_WRITE")

    def write(self, row: dict[str, Any], data: bytes) -> None:
        """Write a crop and its row.

        Raises:
            VtkError: the crop is there and may not be replaced, or it cannot be written.
        """
        self.open()
        path = self._folder / row["file"]
        if not self._overwrite and path.exists():
            raise VtkError(f"{path} exists: --overwrite replaces it", code="E_WRITE")
        part = path.with_name(f"{path.name}.part")
        try:
            path.parent.mkdir(exist_ok=True)
            part.write_bytes(data)
            os.replace(part, path)
            self._file.write(orjson.dumps(row) + b"\n")  # type: ignore[union-attr]
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            raise VtkError(f"cannot write {path}: {error.strerror or error}", code="E_WRITE") from None
        if row["source"] in self._known():
            self._written.add(row["file"])

    def done(self, source: str) -> None:
        """Take note that a source was whole, and hand what is buffered to the operating system; see ``flush``."""
        if source in self._known():
            self._again.add(source)
        self.flush()

    def failed(self, source: str) -> None:
        """Take note that a source failed further up: what there is of it stays."""
        self._again.discard(source)

    def flush(self) -> None:
        """Hand what is buffered to the operating system.

        Raises:
            VtkError: it cannot be written.
        """
        try:
            if self._file is not None:
                self._file.flush()
        except OSError as error:
            raise self._unwritten(error) from None

    def open(self) -> None:
        """Begin, where that was not done yet."""
        if self._file is not None:
            return
        self._known()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh = self._part.with_name(f"{self._part.name}.new")
            with open(fresh, "wb") as file:  # should this run break off as well, the next one still knows what is there
                file.writelines(orjson.dumps(row | {"former": True}) + b"\n" for row in rows_of(self._part))
            os.replace(fresh, self._part)
            self._file = open(self._part, "ab")
        except OSError as error:
            raise UsageError(f"cannot write {self._part}: {error.strerror}") from None

    def finish(self) -> None:
        """Give the table its name, and remove what earlier runs made of sources that this one did again.

        Raises:
            VtkError: it cannot be written.
        """
        self.open()
        tabulated = self._table or self._own_table()
        fresh = self._part.with_name(f"{self._part.name}.new")
        gone: list[str] = []
        try:
            self._file.close()  # type: ignore[union-attr]
            with open(fresh, "wb") as file:
                for row in self._rows(gone):
                    file.write(orjson.dumps(row) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if tabulated:
                self._tabulate(fresh)
            os.replace(fresh, self._path)
            self._part.unlink()
        except OSError as error:
            raise self._unwritten(error) from None
        self._remove(gone)

    def _rows(self, gone: list[str]) -> Iterator[dict[str, Any]]:
        """Yield the rows of the whole table: those before this run that still hold, then its own; note what is gone."""
        former = {row["file"]: row for row in rows_of(self._part) if row.pop("former", False)}
        earlier = (row for row in rows_of(self._path) if row["file"] not in former)
        for rows in (earlier, former.values()):
            for row in rows:
                if row["file"] in self._written:
                    continue
                if row.get("source") in self._again:
                    gone.append(row["file"])
                else:
                    yield row
        yield from (row for row in rows_of(self._part) if "former" not in row)

    def _known(self) -> set[str]:
        """Return the sources that are listed."""
        if self._listed is None:
            self._listed = {row.get("source", "") for path in (self._path, self._part) for row in rows_of(path)}
        return self._listed

    def _unwritten(self, error: OSError) -> VtkError:
        return VtkError(f"cannot write {self._path}: {error.strerror or error}", code="E_WRITE")

    def _there(self, source: str) -> str:
        return f"{self._folder} has crops of {source} already: --overwrite replaces them"

    def _own_table(self) -> bool:
        """Return whether there is a labels.csv that a run of this command wrote."""
        try:
            with open(self._folder / TABLE, "rb") as file:
                return file.readline().strip() == ",".join(_COLUMNS).encode() and self._path.exists()
        except OSError:
            return False

    def _tabulate(self, rows: Path) -> None:
        """Write labels.csv, as ``vtk scene fit-head`` reads it."""
        part = self._folder / f"{TABLE}.part"
        with open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"label": row.get("group", row.get("label"))} for row in rows_of(rows))
        os.replace(part, self._folder / TABLE)

    def _remove(self, files: Sequence[str]) -> None:
        """Remove crops, and folders that are empty then."""
        for file in files:
            path = self._folder / file
            with suppress(OSError):
                if path.parent == self._folder or not path.parent.is_symlink():
                    path.unlink()
            if path.parent != self._folder:
                with suppress(OSError):  # it is not empty
                    path.parent.rmdir()


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of crops; none where there is no table, and not what is no row of a crop."""
    if not path.is_file():
        return
    with open(path, "rb") as file:
        for line in file:
            with suppress(orjson.JSONDecodeError):
                row = orjson.loads(line)
                if isinstance(row, dict) and is_crop(row.get("file")):
                    yield row
