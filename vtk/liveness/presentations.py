"""Presentations of faces: what records say of each labelled picture or video, one answer each.

    lanes = FaceLanes(); lanes.read("faces.jsonl")
    found = gather(lanes, labels)           # found.presentations, found.silent, found.failed, …
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from vtk.errors import RecordError, UsageError
from vtk.evaluation.lanes import BadRecord, records_of
from vtk.liveness.decision import Thresholds
from vtk.liveness.labelled import Labelled, match
from vtk.media.names import is_image
from vtk.records import Record, check_whole, score

MAKER = "face-antispoof"
Unit = Literal["face", "face_track", "mean of faces"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in a frame, or over a track, as its record has it.

    Attributes:
        score: that it is live, [0, 1].
        verdict: live, spoof or unsure.
        thresholds: spoof below, live from.
        gated: whether reasons made it unsure, whatever its score.
        size: area in pixels of a face, observations of a track: the greatest is meant where one is.
        frame: of a face; -1 of a track.
    """

    score: float
    verdict: str
    thresholds: tuple[float, float]
    gated: bool
    size: float
    frame: int = -1


@dataclass(frozen=True, slots=True)
class Presentation:
    """One answer about one labelled file.

    Attributes:
        label: what is known of it.
        source: as records name it.
        unit: what the answer is about.
        seen: the answer.
    """

    label: Labelled
    source: str
    unit: Unit
    seen: Seen


@dataclass(slots=True)
class SourceFaces:
    """What records say of one source.

    Attributes:
        faces, tracks: in the order of the records.
        video: whether it is one, by its media record; None where there is none.
        ended: status of the end record of who looked for faces.
        failed: whether it could not be read.
    """

    faces: list[Seen] = field(default_factory=list)
    tracks: list[Seen] = field(default_factory=list)
    video: bool | None = None
    ended: str | None = None
    failed: bool = False

    def is_video(self, name: str) -> bool:
        """Return whether it is one: by its tracks or its media record, else by its name and its frames."""
        if self.tracks or self.video is not None:
            return bool(self.tracks) or bool(self.video)
        return not is_image(name) or len({face.frame for face in self.faces}) > 1

    def largest(self) -> list[Seen]:
        """Return the largest face of each frame that has some."""
        found: dict[int, Seen] = {}
        for face in self.faces:
            if face.frame not in found or face.size > found[face.frame].size:
                found[face.frame] = face
        return list(found.values())

    def longest(self) -> Seen | None:
        """Return the face track of the most observations, the first of several; None where there is none."""
        return max(self.tracks, key=lambda track: track.size, default=None)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Labelled files by what records say of them.

    Attributes:
        presentations: those with an answer.
        silent: those that were looked at without a face found: no response.
        failed: those that could not be read.
        missing: those that no record names, or whose records end too early.
        unlabelled: sources of records without a label.
        ledgered: whether records say which sources were looked at, so that ``silent`` is known.
    """

    presentations: list[Presentation]
    silent: list[Labelled]
    failed: list[Labelled]
    missing: list[Labelled]
    unlabelled: list[str]
    ledgered: bool


class FaceLanes:
    """Takes streams of records and gives the faces and face tracks of each source.

    Attributes:
        bad: the lines that are no records: number from 1, file, what is wrong.
        sources: by name, in the order of the records.

    Args:
        by: the maker whose faces count; None where there is one alone.
    """

    def __init__(self, by: str | None = None) -> None:
        self.bad: list[BadRecord] = []
        self.sources: dict[str, SourceFaces] = {}
        self._by = by
        self._makers: dict[str, None] = {}
        # One object for what all faces of a run share: an hour of frames has a hundred thousand.
        self._shared: dict[Any, Any] = {}
        self._types: dict[str, None] = {}

    def read(self, name: str | None) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-`` or None; raises what ``records_of`` does."""
        self.take(records_of(name, ("face", "face_track"), self.bad, check_whole))

    def take(self, records: Iterable[Record]) -> None:
        """Take records that are of the vocabulary."""
        for record in records:
            self._types.setdefault(record["type"])
            if record.get("source") is not None:
                self._take(record, self.sources.setdefault(record["source"], SourceFaces()))

    @property
    def maker(self) -> str | None:
        """What made the faces; None where there is none.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: nobody looked for faces, or several did, or not the one that is wanted.
        """
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if self._by is not None:
            if self._by not in self._makers:
                raise UsageError(f"--made-by {self._by}: no faces of this maker; there are those by "
                                 f"{', '.join(sorted(self._makers)) or 'nobody'}")
            return self._by
        if len(self._makers) > 1:
            raise UsageError(f"there are faces by {' and by '.join(sorted(self._makers))}: choose with --made-by")
        if not self._makers and not any(source.ended for source in self.sources.values()):
            raise UsageError(f"there is no face among the records ({', '.join(self._types) or 'none'}): pipe vtk "
                             f"{MAKER} in first")
        return next(iter(self._makers), None)

    def _take(self, record: Record, source: SourceFaces) -> None:
        kind, by = record["type"], str(record.get("by", ""))
        if kind == "media":
            source.video = record.get("kind") != "image"
        elif kind == "error":
            error = record.get("error")
            source.failed = source.failed or bool(isinstance(error, dict) and error.get("fatal"))
        elif kind == "end":
            status = str(record.get("status", "ok"))
            source.failed = source.failed or status == "failed"
            if by.split("/")[0] == MAKER:
                source.ended = status
        elif kind in ("face", "face_track"):
            self._makers.setdefault(by)
            if self._by in (None, by):
                (source.faces if kind == "face" else source.tracks).append(self._seen(record))

    def _seen(self, record: Record) -> Seen:
        """Return what a record of a face or a face track says."""
        below, start = record["thresholds"]
        size, frame = float(record.get("observations", 0)), -1
        if record["type"] == "face":
            x1, y1, x2, y2 = record["xyxy"]
            size, frame = (x2 - x1) * (y2 - y1), record["frame"]
        verdict, bounds = (self._shared.setdefault(value, value)
                           for value in (record["verdict"], (float(below), float(start))))
        return Seen(float(record["live_score"]), verdict, bounds, bool(record.get("reasons")), size, frame)


def gather(lanes: FaceLanes, labels: Sequence[Labelled], every: bool = False) -> Gathered:
    """Return what ``lanes`` have of each labelled file.

    A picture's answer is that about its largest face; a video's that about its face track of the most observations, or
    without tracks about the mean score of each frame's largest face, those that quality made unsure left out where
    there are others.

    Args:
        labels: the files that count.
        every: whether each face and each track is a presentation of its own.

    Raises:
        UsageError: no source of the records has a label, or as ``FaceLanes.maker`` and ``match``.
    """
    maker = lanes.maker
    found = match(labels, lanes.sources)
    if not found and lanes.sources:
        raise UsageError("no source of the records is labelled: the labels have "
                         f"{_some(each.name for each in labels)}, the records are about {_some(lanes.sources)}; name "
                         "them alike")
    ledgered = maker is None or any(lanes.sources[name].ended for name in found)
    named = {label.name for label in found.values()}
    missing = [label for label in labels if label.name not in named]
    presentations, silent, failed = [], [], []
    for name, label in found.items():
        source = lanes.sources[name]
        answers = _answers(source, source.is_video(name), every)
        presentations += [Presentation(label, name, unit, seen) for unit, seen in answers]
        if not answers:
            (failed if source.failed else silent if source.ended else missing).append(label)
    return Gathered(presentations, silent, failed, missing, [name for name in lanes.sources if name not in found],
                    ledgered)


def _answers(source: SourceFaces, video: bool, every: bool) -> list[tuple[Unit, Seen]]:
    """Return what a source's answers are about, and the answers: one, or none, or with ``every`` all."""
    if video and (longest := source.longest()) is not None:
        return [("face_track", seen) for seen in (source.tracks if every else [longest])]
    if not source.faces:
        return []
    if every:
        return [("face", seen) for seen in source.faces]
    return [("mean of faces", _mean(source.largest()))] if video else [("face", source.largest()[0])]


def _mean(largest: list[Seen]) -> Seen:
    """Return the mean of the faces of several frames."""
    some = [face for face in largest if not face.gated]
    # As records have it: a mean of equal scores may else fall short of them, and of a threshold, by its last digit.
    mean = score(np.mean([face.score for face in some or largest]))
    thresholds = largest[0].thresholds
    verdict = Thresholds(*thresholds).verdict(mean) if some else "unsure"
    return Seen(mean, verdict, thresholds, not some, len(largest))


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")
