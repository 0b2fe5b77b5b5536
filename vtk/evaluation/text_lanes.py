"""Text records gathered by source and maker, each text with the transcript of its track."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vtk.errors import RecordError, UsageError
from vtk.evaluation.lanes import BadRecord, records_of
from vtk.export.icdar import TextRows
from vtk.metrics.polygons import checked_polygon
from vtk.metrics.text import voted
from vtk.records import Record

KINDS = ("text", "text_track")


@dataclass(slots=True)
class TextLane:
    """The texts of one source by one maker.

    Attributes:
        rows: frames from 1; ids are track_id, or of texts without one numbers below 0.
        tracked: whether every text has a track_id.
        transcripts: of each track that a text_track record tells of.
    """

    rows: TextRows = field(default_factory=TextRows)
    tracked: bool = True
    transcripts: dict[int, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take a text record."""
        track = record.get("track_id")
        self.tracked = self.tracked and track is not None
        number = -1 - len(self.rows.id) if track is None else int(track)
        try:
            polygon = checked_polygon(record["poly"])
        except ValueError as error:
            raise RecordError(f"{record['source']}, frame {record['frame']}: {error}") from None
        self.rows.add(record["frame"] + 1, number, polygon, record["text"])

    def voted(self) -> TextRows:
        """Return the rows, each with its track's transcript: that of its text_track, else the most frequent."""
        readings: dict[int, list[str]] = {}
        for number, text in zip(self.rows.id, self.rows.text, strict=True):
            readings.setdefault(number, []).append(text)
        texts = {number: voted(some) for number, some in readings.items()} | self.transcripts
        return TextRows(self.rows.frame, self.rows.id, self.rows.polygon, [texts[number] for number in self.rows.id],
                        self.rows.ignored)


class TextLanes:
    """Takes streams of records and gives the texts of each source.

    Attributes:
        bad: the lines that are no records: number from 1, file, what is wrong.
        unfinished: (source, status) of the sources that a command did not finish.

    Args:
        by: the maker whose texts count; None where each source has one alone.
    """

    def __init__(self, by: str | None = None) -> None:
        self.bad: list[BadRecord] = []
        self.unfinished: dict[str, str] = {}
        self._by = by
        self._lanes: dict[str, dict[str, TextLane]] = {}
        self._types: set[str] = set()

    def read(self, name: str | None) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-`` or None; raises what ``records_of`` does."""
        for record in records_of(name, KINDS, self.bad):
            self._take(record)

    def sources(self) -> Iterator[tuple[str, TextLane]]:
        """Yield each source with its texts, maybe none.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: there are records and no texts, a source has texts of several makers, or none has ``by``'s.
        """
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if "text_track" in self._types and "text" not in self._types:
            raise UsageError("the records are text_track without text, which says where: leave out --tracks-only")
        if "text" not in self._types and self._types & {"detection", "track"}:
            raise UsageError("the records are detections or tracks without text: pipe vtk spot-text in first")
        makers = {by for lanes in self._lanes.values() for by in lanes}
        if self._by is not None and makers and self._by not in makers:
            raise UsageError(f"--by {self._by}: no texts of this maker; there are those by {', '.join(sorted(makers))}")
        for source, lanes in self._lanes.items():
            if self._by is not None:
                lanes = {by: lane for by, lane in lanes.items() if by == self._by}
            if len(lanes) > 1:
                raise UsageError(f"{source} has texts by {' and by '.join(sorted(lanes))}: choose with --by, or with jq")
            yield source, next(iter(lanes.values())) if lanes else TextLane()

    def _take(self, record: Record) -> None:
        kind, source = record["type"], record.get("source")
        self._types.add(kind)
        if source is None:
            return
        lanes = self._lanes.setdefault(source, {})
        if kind == "end" and record.get("status", "ok") != "ok":
            self.unfinished[source] = str(record["status"])
        if kind not in KINDS:
            return
        lane = lanes.setdefault(record["by"], TextLane())
        if kind == "text":
            lane.add(record)
        else:
            lane.transcripts[int(record["track_id"])] = record["text"]
