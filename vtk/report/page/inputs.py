"""What the user named, as files of records."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from vtk.errors import UsageError
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, suffix

RECORDS = ".jsonl"


def record_names(names: Sequence[str]) -> list[str]:
    """Return files of records: those named, and of folders all that end in .jsonl, in order of their names.

    Raises:
        UsageError: a name is of media, or a folder holds no records.
    """
    return [found for name in names for found in _expanded(name)]


def _expanded(name: str) -> Iterator[str]:
    if not os.path.isdir(name):
        if suffix(name) in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
            raise UsageError(f"{name} is no file of records, as its name ends: pipe its records in, such as vtk track "
                             f"{name} | vtk report -o report.html")
        yield name
        return
    count = 0
    for folder, below, files in os.walk(name):
        below.sort()
        for file in sorted(files):
            if file.endswith(RECORDS):
                count += 1
                yield os.path.join(folder, file)
    if not count:
        raise UsageError(f"{name}: no file in it ends in {RECORDS}; vtk … --out-dir {name} writes such")
