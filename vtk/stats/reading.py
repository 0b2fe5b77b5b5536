"""Record files by name, folders of them, or stdin, line by line with where each stands."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from vtk.driver.records_in import record_chunks
from vtk.errors import UsageError


def files_of(inputs: Sequence[str]) -> list[str]:
    """Return the record files that are named: of a folder all that end in .jsonl, below it too, in order of names.

    Raises:
        UsageError: a folder holds none.
    """
    found: list[str] = []
    for name in inputs:
        if name == "-" or not os.path.isdir(name):
            found.append(name)
            continue
        inside = sorted(os.path.join(place, file) for place, _, files in os.walk(name, followlinks=True)
                        for file in files if file.endswith(".jsonl"))
        if not inside:
            raise UsageError(f"{name}: no file in it ends in .jsonl, as those of --out-dir do")
        found += inside
    return found


def chunks_of(inputs: Sequence[str]) -> Iterator[tuple[str, int, list[bytes]]]:
    """Yield lists of lines: the name of their file, '' for stdin, how many lines came before them, and they."""
    for name in files_of(inputs) or ["-"]:
        before = 0
        for chunk in record_chunks([name] if name != "-" or inputs else []):
            if chunk:
                yield "" if name == "-" else name, before, chunk
                before += len(chunk)
