"""One file of a whole run, whose parts are put by until the last source came: it appears when it is complete."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vtk.driver.output import OneFile, part_of
from vtk.errors import UsageError, VtkError

STDOUT = Path("-")
LOT = 1024


class WholeFile:
    """The file of a run.

    Args:
        command: the format, for messages.
        path: FILE; - is stdout.
        overwrite: whether it is replaced where it exists.
        tee: whether records go to stdout.

    Raises:
        UsageError: the file and the records would share stdout.
    """

    def __init__(self, command: str, path: Path, overwrite: bool, tee: bool) -> None:
        if path == STDOUT and tee:
            raise UsageError("-o - writes to stdout, where --tee would write records: give -o FILE")
        self._command, self._path, self._overwrite = command, path, overwrite

    def check(self) -> None:
        """Refuse a file that exists or cannot be. Raises UsageError."""
        if self._path == STDOUT:
            return
        if self._path.is_dir():
            raise UsageError(f"-o {self._path}: it is a folder, export {self._command} writes one file")
        if self._path.is_file() and not self._overwrite:
            raise UsageError(f"{self._path} exists: --overwrite replaces it")
        if not self._path.parent.is_dir():
            raise UsageError(f"-o {self._path}: there is no folder {self._path.parent}")

    def write(self, lines: Iterable[bytes]) -> None:
        """Write the whole file, or nothing of it. Raises VtkError."""
        if self._path == STDOUT:
            for line in lines:
                sys.stdout.buffer.write(line + b"\n")
            sys.stdout.flush()
            return
        self.check()
        file = OneFile(self._path, overwrite=True)
        try:
            for lot in lots(lines):
                file.write(lot)
            file.close(True)
        except BaseException:
            with contextlib.suppress(OSError, VtkError):
                file.close(False)
            part_of(self._path).unlink(missing_ok=True)
            raise


class Spool:
    """Lines that are put by on disk, in a file without a name, until they are wanted."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=1 << 20)
        self.count = 0

    def add(self, lines: Sequence[bytes]) -> None:
        """Put lines by, none of which holds a newline. Raises VtkError: the disk is full."""
        try:
            self._file.write(b"".join(line + b"\n" for line in lines))
        except OSError as error:
            raise VtkError(f"cannot write a temporary file: {error.strerror or error}; TMPDIR names the folder",
                           code="E_WRITE") from None
        self.count += len(lines)

    def lines(self) -> Iterator[bytes]:
        """Yield the lines, once."""
        self._file.seek(0)
        for line in self._file:
            yield line[:-1]
        self._file.close()


def listed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Yield lines as the elements of a JSON array, a comma behind each but the last."""
    held: bytes | None = None
    for line in lines:
        if held is not None:
            yield held + b","
        held = line
    if held is not None:
        yield held


def lots(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield lines in lists of 1,024: what orjson gives holds a kilobyte and more, however short it is."""
    lot: list[bytes] = []
    for line in lines:
        lot.append(line)
        if len(lot) >= LOT:
            yield lot
            lot = []
    if lot:
        yield lot
