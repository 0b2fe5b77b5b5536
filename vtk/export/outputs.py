"""Where an exporter writes: one file of one source, stdout, or a folder with one file a source; whole or not at all."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vtk.driver.inputs import output_path
from vtk.driver.output import OneFile, part_of
from vtk.errors import UsageError, VtkError
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES

STDOUT = Path("-")


class Outputs:
    """The files of one run of ``vtk export FORMAT``.

    Args:
        command: the format, for messages.
        suffix: what the files of a folder end with.
        output: the file to write, for one source; - is stdout.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        tee: whether records go to stdout.

    Raises:
        UsageError: no output or two are named, or the file and the records would share stdout.
    """

    def __init__(self, command: str, suffix: str, output: Path | None, out_dir: Path | None, overwrite: bool,
                 tee: bool) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError(f"export {command} needs either -o FILE, for one source, or --out-dir DIR, for one file a "
                             "source")
        if output == STDOUT and tee:
            raise UsageError("-o - writes rows to stdout, where --tee would write records: give -o FILE")
        self._suffix, self._output, self._out_dir, self._overwrite = suffix, output, out_dir, overwrite
        self._taken: dict[Path, str] = {}

    def prepare(self) -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        if self._output is not None and self._output != STDOUT:
            self.check_free(self._output)
            if not self._output.parent.is_dir():
                raise UsageError(f"{self._output}: there is no folder {self._output.parent}")

    def place(self, source: str) -> Path:
        """Return the file of a source. Raises UsageError where it exists, or has another source in it."""
        path = self._output
        if path is None:
            path = (self._out_dir or Path()) / output_name(source, self._suffix)
        if path in self._taken:
            mend = "--out-dir DIR for several sources" if self._output is not None else "-o FILE for each of them"
            raise UsageError(f"{path} holds {self._taken[path]} already, and {source} came too: give {mend}")
        if path != STDOUT:
            self.check_free(path)
        self._taken[path] = source
        return path

    def write(self, path: Path, lines: Sequence[bytes]) -> None:
        """Write a whole file, or nothing of it."""
        if path == STDOUT:
            sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
            sys.stdout.flush()
            return
        if self._out_dir is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise VtkError(f"cannot make folder {path.parent}: {error.strerror}", code="E_WRITE") from None
        file = OneFile(path, overwrite=True)  # whether it may be replaced was asked at the start
        try:
            file.write(lines)
            file.close(True)
        except VtkError:
            with contextlib.suppress(OSError, VtkError):
                file.close(False)
            part = part_of(path)
            if part.is_file():
                part.unlink()
            raise

    def check_free(self, path: Path) -> None:
        """Raise UsageError where ``path`` may not be written; a device or a pipe always may."""
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if path.is_file() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")


def output_name(source: str, suffix: str) -> str:
    """Return the relative path of a source's file: its own, with ``suffix`` for that of media or an imported file."""
    path = output_path(source)
    stem, old = os.path.splitext(path)
    return (stem if old.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES | {suffix} else path) + suffix
