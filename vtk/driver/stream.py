"""Records on a stream, grouped by source and frame, with what is wrong named by line number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import orjson

from vtk.driver.lines import IDLE
from vtk.errors import RecordError
from vtk.records import MAX_INTEGER, Record, check, parse

# What indexing a parsed line can raise when it is no record; RecordError comes from the slow checks.
_UNFIT = (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, IndexError, RecordError)


@dataclass(slots=True)
class BadLine:
    """A line that cannot be used, by number from 1; ``source`` where it belongs to one."""

    error: RecordError
    number: int
    source: str | None = None


@dataclass(slots=True)
class Group:
    """Lines of one frame of one source (``frame`` None: before any frame), with their records, in order."""

    source: str
    frame: int | None
    lines: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)


@dataclass(slots=True)
class Close:
    """The end of a source, with its upstream ``end`` records, if any."""

    source: str
    lines: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)


@dataclass(slots=True)
class Loose:
    """A line that belongs to no open source: it concerns the whole run."""

    line: bytes
    record: Record


Event = Group | Close | Loose | BadLine | None


class RecordStream:
    """Reads lines and yields events: the groups of a source in order, its close, loose lines, bad lines, IDLE.

    A source closes at its ``end`` records, when a record of another source arrives, or at the end of input. Records
    of a type in ``reads`` are checked against the vocabulary; all others by their envelope alone.
    """

    def __init__(self, chunks: Iterable[list[bytes] | None], reads: frozenset[str] = frozenset()) -> None:
        self._chunks = chunks
        self._reads = reads
        self._number = 0
        self._group: Group | None = None
        self._closing: Close | None = None
        self._closed: set[str] = set()

    def events(self) -> Iterator[Event]:
        """Yield the stream's events. Raises RecordError (E_VERSION) at a record of a newer vocabulary."""
        loads, reads = orjson.loads, self._reads
        for chunk in self._chunks:
            if chunk is IDLE:
                yield IDLE
                continue
            group = self._group
            for line in chunk:
                self._number += 1
                try:
                    record = loads(line)
                    kind, source, frame = record["type"], record["source"], record.get("frame")
                    # The checks of the envelope written out: this is the hot path of every filter.
                    if (record.get("v", 1) != 1 or kind.__class__ is not str or source.__class__ is not str or not source
                            or not (frame is None or (frame.__class__ is int and 0 <= frame <= MAX_INTEGER))):
                        record = parse(line)
                    if kind in reads:
                        check(record)
                except _UNFIT as error:
                    yield from self._exceptional(line, error)
                    group = self._group
                    continue
                if (group is not None and source == group.source and kind != "end"
                        and (frame is None or frame == group.frame)):
                    group.lines.append(line)
                    group.records.append(record)
                else:
                    yield from self._boundary(line, record)
                    group = self._group
        yield from self._shut()

    def _boundary(self, line: bytes, record: Record) -> list[Event]:
        """Return the events of a record that does not continue the open group."""
        kind, source, frame = record["type"], record["source"], record.get("frame")
        group, closing = self._group, self._closing
        if closing is not None and source == closing.source and kind == "end":
            closing.lines.append(line)
            closing.records.append(record)
            return []
        if group is not None and source == group.source:
            if kind == "end":
                self._group, self._closing = None, Close(source, [line], [record])
                self._closed.add(source)
                return [group]
            if group.frame is None or frame > group.frame:
                self._group = Group(source, frame, [line], [record])
                return [group]
            return self._bad(self._order(f"frame {frame} comes after frame {group.frame}"))
        if source in self._closed:
            if frame is not None or kind in ("media", "end"):
                return self._bad(self._order(f"{kind} record of a source that is closed already"))
            return self._loose(line, record)
        events = self._shut()
        if kind == "end":
            self._closing = Close(source, [line], [record])
            self._closed.add(source)
        else:
            self._group = Group(source, frame, [line], [record])
        return events

    def _shut(self) -> list[Event]:
        """Close what is open and return the events of that."""
        events: list[Event] = []
        if self._group is not None:
            self._closed.add(self._group.source)
            events = [self._group, Close(self._group.source)]
        elif self._closing is not None:
            events = [self._closing]
        self._group = self._closing = None
        return events

    def _exceptional(self, line: bytes, error: Exception) -> list[Event]:
        """Return the events of a line that is blank, bad, or a record without a source."""
        if not line.strip():
            return []
        if not isinstance(error, RecordError):
            try:
                return self._loose(line, parse(line))
            except RecordError as found:
                error = found
        if error.code == "E_VERSION":
            raise RecordError(f"line {self._number}: {error}", code=error.code)
        return self._bad(error)

    def _bad(self, error: RecordError) -> list[Event]:
        found = BadLine(error, self._number)
        if self._group is None:
            return [found]
        found.source = self._group.source
        self._group.bad.append(found)
        return []

    def _loose(self, line: bytes, record: Record) -> list[Event]:
        if self._group is not None:  # it keeps its place among the lines of the open source
            self._group.lines.append(line)
            self._group.records.append(record)
            return []
        return [*self._shut(), Loose(line, record)]

    def _order(self, what: str) -> RecordError:
        return RecordError(f"{what}; vtk sort brings records into order", code="E_ORDER")
