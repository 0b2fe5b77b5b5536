"""Lines of record files or stdin, for commands that look at records alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence

from vtk.driver.lines import lines_of
from vtk.errors import UsageError


def record_files(inputs: Sequence[str]) -> Iterator[bytes]:
    """Yield the lines of the named files one after another, or of stdin where none is named.

    Raises:
        UsageError: a file cannot be read, or stdin is a terminal or closed.
    """
    for chunk in record_chunks(inputs):
        yield from chunk or ()


def record_chunks(inputs: Sequence[str]) -> Iterator[list[bytes] | None]:
    """Yield the lines of ``record_files`` in lists as they come, None where a read would wait."""
    if not inputs:
        if sys.stdin is not None and sys.stdin.isatty():
            raise UsageError("no input: name record files, or pipe records in (--help shows how)")
        inputs = ["-"]
    if "-" in inputs and sys.stdin is None:  # its number may by now be another file's
        raise UsageError("stdin is closed: name record files, or pipe records in (--help shows how)")
    for name in inputs:
        if name == "-":
            yield from lines_of(0)
            continue
        try:
            descriptor = os.open(name, os.O_RDONLY)
        except OSError as error:
            raise UsageError(f"cannot read {name}: {error.strerror}") from None
        try:
            yield from lines_of(descriptor)
        except IsADirectoryError:
            raise UsageError(f"cannot read {name}: it is a folder, a file of records is needed") from None
        finally:
            os.close(descriptor)
