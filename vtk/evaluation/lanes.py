"""Track records gathered by source and maker: several sources in one stream, in any order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

import numpy as np

from vtk.driver.records_in import record_chunks
from vtk.errors import RecordError, UsageError
from vtk.metrics.mot import Boxes
from vtk.records import Record, check, parse


BadRecord = tuple[int, str, RecordError]  # the line's number from 1, its file, what is wrong


def records_of(name: str | None, kinds: Collection[str], bad: list[BadRecord],
               test: Callable[[Record], None] = check) -> Iterator[Record]:
    """Yield the records of a file, or of stdin where ``name`` is ``-`` or None, those of ``kinds`` checked.

    Args:
        bad: is told of the lines that are no records.
        test: what a record has to pass; raises RecordError.

    Raises:
        RecordError: E_VERSION, the records are of a newer vocabulary.
        UsageError: the file cannot be read, or stdin is a terminal.
    """
    number, where = 0, "stdin" if name in (None, "-") else str(name)
    for chunk in record_chunks([] if name is None else [name]):
        for line in chunk or ():
            number += 1
            if not line.strip():
                continue
            try:
                record = parse(line)
                if record["type"] in kinds:
                    test(record)
            except RecordError as error:
                if error.code == "E_VERSION":
                    raise
                bad.append((number, where, error))
                continue
            yield record


@dataclass(slots=True)
class _Lane:
    """The tracks of one source by one maker, a list a column; frames from 0."""

    frame: list[int] = field(default_factory=list)
    id: list[int] = field(default_factory=list)
    xyxy: list[list[float]] = field(default_factory=list)

    def boxes(self) -> Boxes:
        """Return the lane as arrays, frames from 1."""
        return Boxes(np.array(self.frame, dtype=np.int64) + 1, np.array(self.id, dtype=np.int64),
                     np.array(self.xyxy, dtype=np.float64).reshape(-1, 4))


class Lanes:
    """Takes streams of records and gives the tracks of each source.

    Attributes:
        bad: the lines that are no records: number from 1, file, what is wrong.
        unfinished: (source, status) of the sources that a command did not finish.
        labels: the labels among the tracks that are kept.

    Args:
        classes: the labels or class numbers that count; None is all.
        by: the maker whose tracks count; None where each source has one alone.
    """

    def __init__(self, classes: frozenset[str] | None = None, by: str | None = None) -> None:
        self.bad: list[BadRecord] = []
        self.unfinished: dict[str, str] = {}
        self.labels: set[str] = set()
        self._classes, self._by = classes, by
        self._lanes: dict[str, dict[str, _Lane]] = {}  # source to maker to its tracks
        self._types: set[str] = set()

    def read(self, name: str | None) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-`` or None.

        Raises:
            RecordError: E_VERSION, the records are of a newer vocabulary.
            UsageError: the file cannot be read, or stdin is a terminal.
        """
        for record in records_of(name, ("track",), self.bad):
            self._take(record)

    def sources(self) -> Iterator[tuple[str, Boxes]]:
        """Yield each source with its tracks, maybe none, frames from 1.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: detections came and no tracks, a source has tracks of several makers, or none has ``by``'s.
        """
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if "detection" in self._types and "track" not in self._types:
            raise UsageError("the records are detections without tracks: pipe vtk track in first")
        makers = {by for lanes in self._lanes.values() for by in lanes}
        if self._by is not None and makers and self._by not in makers:
            raise UsageError(f"--by {self._by}: no tracks of this maker; there are those by "
                             f"{', '.join(sorted(makers))}")
        for source, lanes in self._lanes.items():
            if self._by is not None:
                lanes = {by: lane for by, lane in lanes.items() if by == self._by}
            if len(lanes) > 1:
                raise UsageError(f"{source} has tracks by {' and by '.join(sorted(lanes))}: their ids are not of one "
                                 "numbering; choose with --by, or with jq")
            yield source, (next(iter(lanes.values())) if lanes else _Lane()).boxes()

    def _take(self, record: Record) -> None:
        kind, source = record["type"], record.get("source")
        self._types.add(kind)
        if source is None:
            return
        lanes = self._lanes.setdefault(source, {})
        if kind == "end" and record.get("status", "ok") != "ok":
            self.unfinished[source] = str(record["status"])
        if kind != "track":
            return
        lane = lanes.setdefault(record["by"], _Lane())
        if self._counts(record):
            lane.frame.append(record["frame"])
            lane.id.append(int(record["track_id"]))
            lane.xyxy.append(record["xyxy"])

    def _counts(self, record: Record) -> bool:
        """Return whether the track is of a class that counts; labels that do are noted."""
        label = record.get("label")
        if self._classes is not None and self._classes.isdisjoint((label, str(record.get("class_id")))):
            return False
        if label is not None:
            self.labels.add(label)
        return True
