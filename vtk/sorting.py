"""Records brought into the order that commands need, in bounded memory."""

from __future__ import annotations

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO

from vtk.errors import RecordError
from vtk.records import OF_RUN, Record, announced, parse

RUN = 500_000  # lines held in memory; more are sorted in runs on disk and merged

_MEDIA, _SPANS, _FRAMES, _SOURCE, _END = range(5)  # the order within a source
_PLACES = {"media": _MEDIA, "end": _END, "copy": _SPANS, "scene": _SPANS, "species": _SPANS}

Key = tuple[int, int, int, int]


class Sorter:
    """Collects lines and yields them sorted: sources as they first came, frames rising, ends last, the run's after all.

    ``run`` records come first, those with a status last: they say what comes after all, and that it has come. Behind
    the first ones stand errors of lines that could not be used, of no source that is known. Copies
    that no run announced, scenes, and species of spans stand before the frames of their source: who draws it wants them
    first.

    Lines of one place keep the order in which they came.
    """

    def __init__(self, run: int = RUN) -> None:
        self._run = run
        self._rank: dict[str, int] = {}
        self._lines: list[tuple[Key, bytes]] = []
        self._spilled: list[IO[bytes]] = []
        self._count = 0
        self._of_run = OF_RUN
        self.bad: list[tuple[int, RecordError]] = []

    def add(self, line: bytes) -> None:
        """Take a line; one that is no record is kept in ``bad`` with its number, a blank one is dropped."""
        self._count += 1
        if not line.strip():
            return
        try:
            self._lines.append((self._key(parse(line)), line))
        except RecordError as error:
            self.bad.append((self._count, error))
        if len(self._lines) >= self._run:
            self._spill()

    def sorted(self) -> Iterator[bytes]:
        """Yield all lines in order."""
        self._lines.sort(key=lambda pair: pair[0])
        runs: list[Iterable[tuple[Key, bytes]]] = [_read(file) for file in self._spilled]
        for _, line in heapq.merge(*runs, self._lines, key=lambda pair: pair[0]):
            yield line

    def close(self) -> None:
        """Remove what lies on disk."""
        for file in self._spilled:
            file.close()

    def _key(self, record: Record) -> Key:
        source, kind, frame = record.get("source"), record["type"], record.get("frame")
        if kind == "run" and "status" not in record:
            self._of_run |= announced(record)
            return -1, 0, 0, self._count
        if source is None and kind == "error" and "line" in record:  # what it said is missing from what follows
            return -1, 1, 0, self._count
        if source is None or kind in self._of_run:
            return 2**62, 0, 0, self._count
        rank = self._rank.setdefault(source, len(self._rank))
        if kind in _PLACES and (frame is None or kind in ("media", "end", "copy")):
            place = _PLACES[kind]
        else:
            place = _SOURCE if frame is None else _FRAMES
        return rank, place, frame or 0, self._count

    def _spill(self) -> None:
        file = tempfile.TemporaryFile(prefix="vtk-sort-")  # noqa: SIM115  # closed by close()
        self._lines.sort(key=lambda pair: pair[0])
        for key, line in self._lines:
            file.write(b"%d %d %d %d %s\n" % (*key, line))
        file.seek(0)
        self._spilled.append(file)
        self._lines = []


def _read(file: IO[bytes]) -> Iterator[tuple[Key, bytes]]:
    for row in file:
        *key, line = row.rstrip(b"\n").split(b" ", 4)
        yield tuple(map(int, key)), line  # type: ignore[misc]
