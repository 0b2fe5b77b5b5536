"""Where records go: stdout, one file that appears when it is complete, or a file a source."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import IO, Protocol

from vtk.driver.inputs import output_path
from vtk.errors import UsageError, VtkError

FLUSH_BYTES = 1 << 16
FLUSH_SECONDS = 0.2

RUN_FILE = "_run.jsonl"


class Output(Protocol):
    """Takes the lines of a run, source by source."""

    def begin(self, source: str) -> None: ...
    def write(self, lines: Sequence[bytes]) -> None: ...
    def aside(self, lines: Sequence[bytes]) -> None: ...
    def flush(self) -> None: ...
    def done(self, source: str) -> None: ...
    def close(self, complete: bool) -> None: ...


class Lines:
    """Buffers lines for a file object and hands them on after 64 KiB or 200 ms."""

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._buffer: list[bytes] = []
        self._bytes = 0
        self._since = time.monotonic()

    def write(self, lines: Sequence[bytes]) -> None:
        """Add lines; pass the buffer on where it is large or old enough."""
        if lines:
            self._buffer.extend(lines)
            self._bytes += sum(map(len, lines))
        if self._bytes >= FLUSH_BYTES or time.monotonic() - self._since >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._since = time.monotonic()
        if not self._buffer:
            return
        self._buffer.append(b"")
        data = b"\n".join(self._buffer)
        self._buffer, self._bytes = [], 0
        try:
            rest = memoryview(data)
            while rest:  # an unbuffered write may take only a part
                rest = rest[self._file.write(rest):]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise VtkError(f"cannot write {self._name}: {error.strerror or error}", code="E_WRITE") from None


class Stdout:
    """Records on the process's own stdout, which libraries cannot reach while it is claimed."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise VtkError("cannot write stdout: it is closed; -o FILE writes elsewhere", code="E_WRITE")
        sys.stdout.flush()
        self._saved = os.dup(1)
        # What a library prints, from Python or from C, goes to stderr; records alone go to the real stdout.
        os.dup2(2, 1)
        self._lines = Lines(os.fdopen(os.dup(self._saved), "wb", buffering=0), "stdout")
        self.aside = self._lines.write
        self.write, self.flush = self._lines.write, self._lines.flush

    def begin(self, source: str) -> None:
        """Nothing: sources follow each other on one stream."""

    def done(self, source: str) -> None:
        """Nothing: sources follow each other on one stream."""

    def close(self, complete: bool) -> None:
        """Flush, and give stdout back."""
        try:
            self.flush()
        finally:
            sys.stdout.flush()
            os.dup2(self._saved, 1)
            os.close(self._saved)


class OneFile:
    """Records in FILE: written to FILE.part, synced, then renamed. A device or a pipe is written to directly.

    Args:
        path: FILE.
        overwrite: whether it is replaced where it exists.
        finished: sources of an earlier run that are kept, with their lines.
        resumable: whether a later run could go on with it.

    Attributes:
        kept: sources taken over from an earlier run.
    """

    def __init__(self, path: Path, overwrite: bool, finished: Iterable[tuple[str, list[bytes]]] | None = None,
                 resumable: bool = True) -> None:
        self._path = path
        special = path.exists() and not path.is_file()
        self._part = path if special else part_of(path)
        check_target(path, overwrite, resumable)
        # What is kept may come out of the part file itself, so a new one is written beside it and takes its place.
        fresh = self._part.with_name(self._part.name + ".new") if finished is not None and not special else self._part
        self._file = _create(fresh)
        self._lines = Lines(self._file, str(path))
        self.aside = self._lines.write
        self.write, self.flush = self._lines.write, self._lines.flush
        self._rename = not special
        self.kept: set[str] = set()
        for source, lines in finished or ():
            if source not in self.kept:
                self.write(lines)
                self.kept.add(source)
        self.flush()
        if fresh != self._part:
            os.replace(fresh, self._part)

    def begin(self, source: str) -> None:
        """Nothing: sources follow each other in the file."""

    def done(self, source: str) -> None:
        """Make the finished source safe, for a later --resume."""
        self.flush()

    def close(self, complete: bool) -> None:
        """Sync and rename when the run is complete; else leave the part file for --resume."""
        try:
            self.flush()
            if complete and self._rename:
                os.fsync(self._file.fileno())
        except OSError as error:
            raise VtkError(f"cannot write {self._path}: {error.strerror or error}", code="E_WRITE") from None
        finally:
            self._file.close()
        if complete and self._rename:
            os.replace(self._part, self._path)


class Folder:
    """One file a source below a folder, and what concerns the whole run in _run.jsonl."""

    def __init__(self, folder: Path, overwrite: bool, resumable: bool = True) -> None:
        self._folder = folder
        self._overwrite = overwrite
        self._resumable = resumable
        self._open: OneFile | None = None
        self._run: OneFile | None = None

    def path(self, source: str) -> Path:
        """Return the file of ``source``."""
        return self._folder / f"{output_path(source)}.jsonl"

    def begin(self, source: str) -> None:
        """Open the file of ``source``."""
        path = self.path(source)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VtkError(f"cannot make folder {path.parent}: {error.strerror}", code="E_WRITE") from None
        self._open = OneFile(path, self._overwrite, resumable=self._resumable)

    def write(self, lines: Sequence[bytes]) -> None:
        """Write to the open source's file, or to the run's."""
        if self._open is None:
            self.aside(lines)
        else:
            self._open.write(lines)

    def aside(self, lines: Sequence[bytes]) -> None:
        """Write to the run's file, whatever source is open."""
        if lines and self._run is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._run = OneFile(self._folder / RUN_FILE, True)
        if self._run is not None:
            self._run.write(lines)

    def flush(self) -> None:
        """Hand what is buffered to the operating system."""
        for file in (self._open, self._run):
            if file is not None:
                file.flush()

    def done(self, source: str) -> None:
        """Complete the file of ``source``."""
        if self._open is not None:
            self._open.close(True)
            self._open = None

    def close(self, complete: bool) -> None:
        """Complete the run's file; an unfinished source leaves its part file."""
        if self._open is not None:
            self._open.close(False)
        if self._run is not None:
            self._run.close(complete)


class Nowhere:
    """No output: a sink without --tee."""

    def begin(self, source: str) -> None:
        """Nothing."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Nothing."""

    def aside(self, lines: Sequence[bytes]) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""

    def done(self, source: str) -> None:
        """Nothing."""

    def close(self, complete: bool) -> None:
        """Nothing."""


def part_of(path: Path) -> Path:
    """Return the path that an unfinished output has."""
    return path.with_name(path.name + ".part")


def check_target(path: Path, overwrite: bool, resumable: bool = True) -> None:
    """Raise UsageError where a file exists that may not be replaced, or a folder stands in its place."""
    if path.is_file() and not overwrite:
        raise _there(path, resumable)
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder; --out-dir writes into folders")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write {path}: there is no folder {path.parent}")


def check_targets(folder: Path | str, sources: Sequence[str], overwrite: bool, resumable: bool = True,
                  there: Container[str] | None = None) -> None:
    """Raise UsageError where two sources share a file, or a file exists that may not be replaced.

    Args:
        there: the files that exist, by their names below ``folder``; None: the disk is looked at.
    """
    seen: dict[str, str] = {}
    for source in sources:
        path = output_path(source)
        if path in seen:
            raise UsageError(f"{seen[path]} and {source} would both be written to {folder}/{path}.jsonl: "
                             "name both in the same way, or run them apart")
        seen[path] = source
        name = f"{path}.jsonl"
        if not overwrite and (Path(folder, name).exists() if there is None else name in there):
            raise _there(f"{folder}/{name}", resumable)


def _there(path: Path | str, resumable: bool) -> UsageError:
    """Return what is said of an output that exists: what can be done with it."""
    return UsageError(f"{path} exists: --overwrite replaces it" + (", --resume goes on with it" if resumable else ""))


def _create(path: Path) -> IO[bytes]:
    try:
        return open(path, "wb", buffering=0)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from None
