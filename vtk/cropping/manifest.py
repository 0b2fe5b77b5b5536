"""The table of all crops: written as they come, named when it is whole."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from vtk.cropping.names import MANIFEST, TABLE, is_crop
from vtk.errors import UsageError, VtkError

_COLUMNS = ("file", "label", "source", "frame", "t", "track_id", "score", "text")


class Manifest:
    """The rows of a folder of crops, and what an earlier run left there.

    Args:
        folder: of the crops.
        overwrite: whether a run may take the place of an earlier one. What that one wrote and this one does not write
            again is removed when this one is done.
        table: whether labels.csv is written beside it.
    """

    def __init__(self, folder: Path, overwrite: bool = False, table: bool = False) -> None:
        self._folder, self._overwrite, self._table = folder, overwrite, table
        self._path, self._part = folder / MANIFEST, folder / f"{MANIFEST}.part"
        self._file: IO[bytes] | None = None
        self._former: set[str] = set()  # what an earlier run wrote and this one did not, yet

    def check(self) -> None:
        """Refuse a folder that holds the crops of an earlier run, or is none.

        Raises:
            UsageError: see there.
        """
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(f"--out-dir {self._folder}: it is no folder")
        if self._overwrite:
            return
        if self._path.exists():
            raise UsageError(f"{self._path} exists: --overwrite replaces the crops that it lists")
        if self._part.exists():
            raise UsageError(f"{self._part} is of a run that broke off, or is still at work: --overwrite begins anew")
        if self._table and (self._folder / TABLE).exists():
            raise UsageError(f"{self._folder / TABLE} exists: --overwrite replaces it")

    def write(self, row: dict[str, Any], data: bytes) -> None:
        """Write a crop and its row.

        Raises:
            VtkError: the crop is there and no earlier run of this command wrote it, or it cannot be written.
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
        self._former.discard(row["file"])

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        if self._file is not None:
            self._file.flush()

    def open(self) -> None:
        """Begin, where that was not done yet."""
        if self._file is not None:
            return
        if self._overwrite:
            self._former = {row["file"] for path in (self._path, self._part) for row in rows_of(path)
                            if is_crop(row.get("file"))}
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._former:  # should this run break off, the next one still knows them
                kept = b"".join(orjson.dumps({"file": file, "former": True}) + b"\n" for file in sorted(self._former))
                fresh = self._part.with_name(f"{self._part.name}.new")
                fresh.write_bytes(kept)
                os.replace(fresh, self._part)
            self._file = open(self._part, "ab" if self._former else "wb")
        except OSError as error:
            raise UsageError(f"cannot write {self._part}: {error.strerror}") from None

    def finish(self) -> None:
        """Give the table its name, and remove what an earlier run wrote and this one did not.

        Raises:
            VtkError: it cannot be written.
        """
        self.open()
        self.close()
        fresh = self._part.with_name(f"{self._part.name}.new")
        try:
            with open(fresh, "wb") as file:
                for row in rows_of(self._part):
                    if "former" not in row:
                        file.write(orjson.dumps(row) + b"\n")
                file.flush()
                os.fsync(file.fileno())
            if self._table:
                self._tabulate(fresh)
            os.replace(fresh, self._path)
            self._part.unlink()
        except OSError as error:
            raise VtkError(f"cannot write {self._path}: {error.strerror or error}", code="E_WRITE") from None
        self._remove()

    def close(self) -> None:
        """Close the file; one that is not whole stays, for the next run to know what is there."""
        if self._file is not None:
            self._file.close()

    def _tabulate(self, rows: Path) -> None:
        """Write labels.csv, as ``vtk scene fit-head`` reads it."""
        part = self._folder / f"{TABLE}.part"
        with open(part, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS, extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(row | {"label": row.get("group", row["label"])} for row in rows_of(rows))
        os.replace(part, self._folder / TABLE)

    def _remove(self) -> None:
        """Remove what an earlier run wrote and this one did not, and folders that are empty then."""
        for file in sorted(self._former):
            path = self._folder / file
            with suppress(OSError):
                if path.parent == self._folder or not path.parent.is_symlink():
                    path.unlink()
            if path.parent != self._folder:
                with suppress(OSError):  # it is not empty
                    path.parent.rmdir()
        self._former = set()


def rows_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a table of crops; none where there is no table, and not what is no row."""
    if not path.is_file():
        return
    with open(path, "rb") as file:
        for line in file:
            with suppress(orjson.JSONDecodeError):
                row = orjson.loads(line)
                if isinstance(row, dict):
                    yield row
