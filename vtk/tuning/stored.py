"""Stored detections as arrays, source by source, as ``vtk track`` would take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.driver.lines import IDLE
from vtk.driver.records_in import record_chunks
from vtk.driver.stage import Source
from vtk.driver.stream import BadLine, Close, Group, Loose, RecordStream
from vtk.errors import RecordError, UsageError
from vtk.records import Record
from vtk.tracking.detections import Classes, Looks, arrays, check_detection
from vtk.tracking.stage import described


@dataclass(frozen=True, slots=True)
class Detections:
    """The detections of one source as a tracker takes them: F frames that were looked at, N boxes.

    Attributes:
        source: its name.
        frame: (F,) int64, index from 0, increasing.
        t: (F,) float64, seconds, six decimals.
        step: (F,) int64, frames since the one that was looked at before.
        interval: (F,) float64, seconds from a frame to the next as far as it is known there, 0 where it is not.
        first: (F + 1,) int64, where the boxes of each frame begin, then N.
        boxes: (N, 4) float64 xyxy in pixels, of positive area in float32 too.
        scores: (N,) float32 in [0, 1].
        class_ids: (N,) int64.
        features: (N, D) float32, what the boxes show, zeros where unknown; D is 0 without embeddings.
        looks: (F,) bool, whether a box of the frame has features.
        size: width and height of the frame in pixels, where known.
    """

    source: str
    frame: np.ndarray
    t: np.ndarray
    step: np.ndarray
    interval: np.ndarray
    first: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray
    features: np.ndarray
    looks: np.ndarray
    size: tuple[int, int] | None


@dataclass(slots=True)
class _Open:
    """A source that is being read, a list a column."""

    source: Source
    classes: Classes = field(default_factory=Classes)
    looks: Looks = field(default_factory=Looks)
    frame: list[int] = field(default_factory=list)
    t: list[float] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    interval: list[float] = field(default_factory=list)
    first: list[int] = field(default_factory=lambda: [0])
    found: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    features: list[np.ndarray | None] = field(default_factory=list)
    makers: set[str] = field(default_factory=set)

    def add(self, frame: int, records: Sequence[Record], all_makers: Sequence[Record], mine: Sequence[Record]) -> None:
        """Add a frame.

        Args:
            records: its detections, as the driver gives them to the tracking stage, with its time and step.
            all_makers: those that are tracked.
            mine: those that are tracked here.

        Raises:
            RecordError: embeddings are not of one space and length.
        """
        first = next((record for record in records if "t" in record), {})
        t = round(first.get("t", 0.0), 6)
        fps = described(self.source)[2]
        interval = 1 / fps if fps else self.interval[-1] if self.interval else 0.0
        if all_makers and not fps and frame > 0:
            interval = t / frame
        self.frame.append(frame)
        self.t.append(t)
        self.step.append(first.get("step", 1))
        self.interval.append(interval)
        self.makers |= {record.get("by", "detect") for record in mine}
        narrow, scores, class_ids = arrays(mine, self.classes)
        whole = (narrow[:, 2:] > narrow[:, :2]).all(axis=1)  # a box of no area is passed over
        # Not the float32 of ``arrays``: records keep the detector's own numbers.
        boxes = np.array([record["xyxy"] for record in mine], np.float64).reshape(-1, 4)
        self.found.append((boxes[whole], scores[whole], class_ids[whole]))
        self.first.append(self.first[-1] + int(whole.sum()))
        self.features.append(self.looks.of([mine[row] for row in np.flatnonzero(whole)]))

    def closed(self) -> Detections:
        """Return the source as arrays."""
        boxes, scores, class_ids = map(np.concatenate, zip(*self.found, strict=True))
        width, height, _ = described(self.source)
        return Detections(
            self.source.name, np.array(self.frame, np.int64), np.array(self.t, np.float64),
            np.array(self.step, np.int64), np.array(self.interval, np.float64), np.array(self.first, np.int64),
            boxes, scores, class_ids, self._features(), np.array([one is not None for one in self.features]),
            (width, height) if width and height else None)

    def _features(self) -> np.ndarray:
        features = np.zeros((self.first[-1], self.looks.length), np.float32)
        for begin, one in zip(self.first, self.features, strict=False):
            if one is not None:
                features[begin:begin + len(one)] = one
        return features


class Stored:
    """Takes files of records and gives the detections of each source, as ``vtk track`` would take them.

    Attributes:
        bad: the lines that are no records: number from 1, file, what is wrong.
        unfinished: (source, status) of the sources that a command did not finish.
        labels: the labels among the detections that are tracked.

    Args:
        classes: the labels that are tracked; none is all.
        by: the maker whose detections count; None where each source has one alone.
    """

    def __init__(self, classes: Sequence[str] = (), by: str | None = None) -> None:
        self.bad: list[tuple[int, str, RecordError]] = []
        self.unfinished: dict[str, str] = {}
        self.labels: set[str] = set()
        self._classes, self._by = frozenset(classes), by
        self._sources: dict[str, tuple[str, _Open]] = {}  # with the file that each is in
        self._types: set[str] = set()

    def read(self, name: str) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-``.

        Raises:
            RecordError: a detection cannot be tracked, or the records are of a newer vocabulary (E_VERSION).
            UsageError: the file cannot be read, or has a source that another file had.
        """
        where = "stdin" if name == "-" else name
        for event in RecordStream(record_chunks([name]), frozenset({"detection"})).events():
            if event is IDLE or isinstance(event, Loose):
                continue
            if isinstance(event, BadLine):
                self._spoilt(where, event)
                continue
            opened = self._opened(event.source, where)
            for entry in event.before:
                if isinstance(entry, BadLine):
                    self._spoilt(where, entry)
                else:
                    self._hear(opened, entry[1])
            if isinstance(event, Close):
                for record in event.records:
                    self._hear(opened, record)
            elif event.frame is not None:
                self._take(opened, event, where)

    def sources(self) -> list[Detections]:
        """Return the detections of each source that has any.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: there are no detections, or a source has those of several makers.
        """
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        for name, (_, opened) in self._sources.items():
            if len(opened.makers) > 1:
                raise UsageError(f"{name} has detections by {' and by '.join(sorted(opened.makers))}, which are "
                                 "tracked apart; choose with --by, or with jq")
        found = [opened.closed() for _, opened in self._sources.values() if opened.first[-1]]
        if not found:
            if "detection" in self._types:
                raise UsageError("no detection has an area and is of --classes and --by: there is nothing to track")
            raise UsageError(f"there are no detections (there are {', '.join(sorted(self._types)) or 'no'} records): "
                             "vtk detect and vtk import make them")
        return found

    def _opened(self, source: str, where: str) -> _Open:
        earlier, opened = self._sources.setdefault(source, (where, _Open(Source(source, "records"))))
        if earlier != where:
            raise UsageError(f"{source} is in {earlier} and in {where}: give one file with all of its records")
        return opened

    def _hear(self, opened: _Open, record: Record) -> None:
        """Take a record without a frame."""
        self._types.add(record["type"])
        if record["type"] == "media" and not opened.frame and opened.source.media is None:
            opened.source.media = record
        if record["type"] == "end" and record.get("status", "ok") != "ok":
            self.unfinished[opened.source.name] = str(record["status"])

    def _take(self, opened: _Open, group: Group, where: str) -> None:
        self._types |= {record["type"] for record in group.records}
        records = [record for record in group.records if record["type"] == "detection"]
        if not records:
            return
        try:
            for record in records:
                check_detection(record)
            tracked = [record for record in records if not self._classes or record.get("label") in self._classes]
            mine = [record for record in tracked if self._by is None or record.get("by") == self._by]
            opened.add(group.frame or 0, records, tracked, mine)
            self.labels |= {record["label"] for record in mine if "label" in record}
        except RecordError as error:
            raise RecordError(f"{where}: {group.source}, frame {group.frame}: {error}", code=error.code) from None

    def _spoilt(self, where: str, line: BadLine) -> None:
        self.bad.append((line.number, where, line.error))
