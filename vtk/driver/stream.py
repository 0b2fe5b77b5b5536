"""Records on a stream, grouped by source and frame, with what is wrong named by line number."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from vtk.driver.lines import IDLE
from vtk.errors import RecordError
from vtk.records import MAX_INTEGER, OF_RUN, Record, announced, check, parse

MOST_UNFRAMED = 4096  # lines between two frames; more are passed on before the next frame comes
_NOWHERE = object()  # equals the frame of no record

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
    """The lines of one frame of one source with their records, in order.

    Attributes:
        before: what came since the previous frame and belongs to no frame: records with their lines, and bad lines.
        frame: None where so much came between two frames that it is passed on early.
    """

    source: str
    frame: int | None
    lines: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    before: list[Unframed] = field(default_factory=list)


@dataclass(slots=True)
class Close:
    """The end of a source: what came after its last frame, and its upstream ``end`` records, if any."""

    source: str
    lines: list[bytes] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    before: list[Unframed] = field(default_factory=list)


@dataclass(slots=True)
class Loose:
    """A line that belongs to no open source: it concerns the whole run."""

    line: bytes
    record: Record


Unframed = tuple[bytes, Record] | BadLine
Event = Group | Close | Loose | BadLine | None


class RecordStream:
    """Reads lines and yields events: the groups of a source in order, its close, loose lines, bad lines, IDLE.

    A source closes at its ``end`` records, when a record of another source arrives, or at the end of input. Records
    of a type in ``reads`` must pass ``test``; all others are checked by their envelope alone. Types of OF_RUN, and
    those that a ``run`` record announced, open no source.
    """

    def __init__(self, chunks: Iterable[list[bytes] | None], reads: frozenset[str] = frozenset(),
                 test: Callable[[Record], None] = check) -> None:
        self._chunks = chunks
        self._reads = reads
        self._test = test
        self._number = 0
        self._source: str | None = None  # the open one
        self._group: Group | None = None  # its frame that is being collected
        self._before: list[Unframed] = []  # what came after that frame
        self._closing: Close | None = None  # the source whose end records are being collected
        self._closed: set[str] = set()
        self._of_run = OF_RUN

    def events(self) -> Iterator[Event]:
        """Yield the stream's events. Raises RecordError (E_VERSION) at a record of a newer vocabulary."""
        loads, reads, test = orjson.loads, self._reads, self._test
        for chunk in self._chunks:
            if chunk is IDLE:
                yield IDLE
                continue
            before = self._number
            group, at, of = self._open()
            for number, line in enumerate(chunk, before + 1):
                try:
                    record = loads(line)
                    kind, source, frame = record["type"], record["source"], record.get("frame")
                    if record.get("v", 1) != 1 or kind.__class__ is not str:
                        record = parse(line)
                    if kind in reads:
                        test(record)
                    # The rest of the envelope's checks is spared where the line continues the open frame: this is
                    # the hot path of every filter.
                    if frame == at and source == of and frame.__class__ is int and kind != "end":
                        group.lines.append(line)
                        group.records.append(record)
                        continue
                    self._number = number
                    if (source.__class__ is not str or not source
                            or not (frame is None or (frame.__class__ is int and 0 <= frame <= MAX_INTEGER))):
                        record = parse(line)
                except _UNFIT as error:
                    self._number = number
                    yield from self._exceptional(line, error)
                else:
                    yield from self._boundary(line, record)
                group, at, of = self._open()
            self._number = before + len(chunk)
        yield from self._shut()

    def _open(self) -> tuple[Any, Any, str]:
        """Return the open frame with its index and its source; an index that no record has where none is open."""
        group = self._group
        return (None, _NOWHERE, "") if group is None else (group, group.frame, group.source)

    def _boundary(self, line: bytes, record: Record) -> list[Event]:
        """Return the events of a record that does not continue the open frame."""
        kind, source, frame = record["type"], record["source"], record.get("frame")
        closing = self._closing
        if closing is not None and source == closing.source and kind == "end":
            closing.lines.append(line)
            closing.records.append(record)
            return []
        if source in self._closed:
            if frame is not None or kind in ("media", "end"):
                return self._bad(self._order(f"{kind} record of a source that is closed already"))
            return self._loose(line, record)
        if kind in self._of_run and source != self._source:
            return self._loose(line, record)
        events: list[Event] = []
        if source != self._source:
            events = self._shut()
            self._source = source
        if kind == "end":
            events += self._flush()
            self._closing = Close(source, [line], [record], self._before)
            self._closed.add(source)
            self._source, self._before = None, []
        elif frame is None:
            events += self._unframed((line, record))
        elif self._group is not None and frame < self._group.frame:  # type: ignore[operator]
            events += self._bad(self._order(f"frame {frame} comes after frame {self._group.frame}"))
        else:
            events += self._flush()
            self._group = Group(source, frame, [line], [record], self._before)
            self._before = []
        return events

    def _flush(self) -> list[Event]:
        """Return the frame that is complete now."""
        events: list[Event] = [self._group] if self._group is not None else []
        self._group = None
        return events

    def _shut(self) -> list[Event]:
        """Close what is open and return the events of that."""
        events = self._flush()
        if self._source is not None:
            self._closed.add(self._source)
            events.append(Close(self._source, before=self._before))
        elif self._closing is not None:
            events.append(self._closing)
        self._source, self._closing, self._before = None, None, []
        return events

    def _unframed(self, entry: Unframed) -> list[Event]:
        """Take what belongs to the open source and to no frame."""
        self._before.append(entry)
        if len(self._before) < MOST_UNFRAMED:
            return []
        events = [*self._flush(), Group(self._source or "", None, before=self._before)]
        self._before = []
        return events

    def _exceptional(self, line: bytes, error: Exception) -> list[Event]:
        """Return the events of a line that is blank, bad, or a record without a source."""
        if not line.strip():
            return []
        if not isinstance(error, RecordError):
            try:
                record = parse(line)
                if record["type"] in self._reads:
                    self._test(record)
                self._of_run |= announced(record)
                return self._loose(line, record)
            except RecordError as found:
                error = found
        if error.code == "E_VERSION":
            raise RecordError(f"line {self._number}: {error}", code=error.code)
        return self._bad(error)

    def _bad(self, error: RecordError) -> list[Event]:
        found = BadLine(error, self._number, self._source)
        return [found] if self._source is None else self._unframed(found)

    def _loose(self, line: bytes, record: Record) -> list[Event]:
        if self._source is not None:  # it keeps its place among the lines of the open source
            return self._unframed((line, record))
        return [*self._shut(), Loose(line, record)]

    def _order(self, what: str) -> RecordError:
        return RecordError(f"{what}; vtk sort brings records into order", code="E_ORDER")
