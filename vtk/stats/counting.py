"""Counts of everything that records say, in memory that grows with sources and names alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from vtk.errors import RecordError
from vtk.records import MAX_COORDINATE, VERSION, Record, check, check_envelope
from vtk.stats.bins import SCORES, Boxes, Lengths, score_bin, size_bin, span_of
from vtk.stats.names import Names, Pairs
from vtk.stats.sources import SourceRow
from vtk.stats.summing import summary_of

_FAR = MAX_COORDINATE
# What counting a record can raise that is not of the vocabulary.
_UNFIT = (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError)


class Statistics:
    """Counts records, one after another.

    It holds a row for each source, for each label of a type, each error code and each maker; at most
    vtk.stats.names.MOST texts, identities and copied pairs; and the tracks of one source at a time. Of a source that
    comes in several parts, other sources between them, a track without tracklet counts once in each part.
    """

    def __init__(self) -> None:
        self.loose: Counter[str] = Counter()  # records of no source, by type
        self.sources: dict[str, SourceRow] = {}
        self.boxes: dict[tuple[str, Any], Boxes] = {}
        self.lengths: dict[tuple[str, str], Lengths] = {}
        self.errors: dict[str, dict[str, Any]] = {}
        self.makers: dict[str, Counter[str]] = {}
        self.texts, self.identities, self.copies = Names(), Names(), Pairs()
        self.verdicts: dict[str, Counter[str]] = {}
        self.transitions: Counter[str] = Counter()
        self._name: str | None = None  # of the open source
        self._row = SourceRow()
        self._types = self.loose  # where records of the open source are counted
        self._frame: int | None = None
        self._tracks: dict[tuple[str, int], list[Any]] = {}  # of the open source: first and last second, label
        self._whole: set[str] = set()  # makers of its tracklets
        self._takers: dict[str, Callable[[Record], None]] = {
            "detection": self._box, "track": self._track, "face": self._face, "text": self._box,
            "species": self._species, "tracklet": self._tracklet, "text_track": self._text_track,
            "face_track": self._face_track, "scene": self._scene, "shot": self._shot, "identity": self._identity,
            "copy": self._copy, "media": self._media, "error": self._error, "end": self._end}

    def take(self, record: Record) -> None:
        """Count a record.

        Raises:
            RecordError: what is counted of it is not of the vocabulary, which it is not looked through for beyond that.
        """
        try:
            kind, source, frame = record["type"], record.get("source"), record.get("frame")
            if record.get("v", VERSION) != VERSION or kind.__class__ is not str:
                check_envelope(record)
            if source != self._name:
                self._open(source)
            taker = self._takers.get(kind)
            if taker is not None:
                taker(record)
        except _UNFIT as error:
            check_envelope(record)
            check(record)
            raise RecordError(f"{record['type']} record cannot be counted: {error}") from None
        self._types[kind] += 1
        if frame is not None and frame != self._frame:
            self._frame = frame
            self._row.frames += 1

    def summary(self, top: int = 10) -> dict[str, Any]:
        """Return all counts, of long lists the ``top`` first ones; JSON types."""
        self._open(None)
        return summary_of(self, top)

    def _open(self, source: str | None) -> None:
        """Go on with another source, and count the tracks of the one before."""
        if source is not None and (source.__class__ is not str or not source):
            raise ValueError("source: expected a name")
        for (by, _), (first, last, label) in self._tracks.items():
            if by not in self._whole:
                self._length("track", label).take(last - first)
        self._tracks, self._whole, self._frame, self._name = {}, set(), None, source
        if source is None:
            self._row, self._types = SourceRow(), self.loose
            return
        if source not in self.sources:
            self.sources[source] = SourceRow()
        self._row = self.sources[source]
        self._types = self._row.types

    def _length(self, kind: str, label: str) -> Lengths:
        found = self.lengths.get((kind, label))
        if found is None:
            if label.__class__ is not str:
                raise TypeError("label: expected a text")
            found = self.lengths[kind, label] = Lengths()
        return found

    def _box(self, record: Record) -> None:
        """Count a record of a frame by its label, score and size."""
        for name in ("by", "frame", "t", "xyxy"):
            record[name]
        self._boxed(record, record.get("label"), record["score"])

    def _boxed(self, record: Record, label: Any, score: Any) -> None:
        box = record.get("xyxy")
        scored = None if score is None else score_bin(score)
        sized = None if box is None else size_bin(box)
        counts = self.boxes.get((record["type"], label)) or self._counts(record["type"], label)
        counts.records += 1
        if scored is not None:
            counts.scored += 1
            counts.total += score
            counts.scores[scored] += 1
        if sized is not None:
            counts.boxed += 1
            counts.sizes[sized] += 1

    def _track(self, record: Record) -> None:
        """Count a box of a track: most records are some, so nothing is called where it is as it should be."""
        t, score, label = record["t"], record["score"], record.get("label")
        x1, y1, x2, y2 = record["xyxy"]
        if not (t >= 0 <= score <= 1 and -_FAR <= x1 <= x2 <= _FAR and -_FAR <= y1 <= y2 <= _FAR):
            check(record)
        key = record["by"], record["track_id"]
        if key in self._tracks:
            self._tracks[key][1] = t
        else:
            self._tracks[key] = [t, t, "" if label is None else label]
        counts = self.boxes.get(("track", label)) or self._counts("track", label)
        counts.records += 1
        counts.scored += 1
        counts.total += score
        counts.scores[int(score * SCORES)] += 1
        counts.boxed += 1
        counts.sizes[int((x2 - x1) * (y2 - y1)).bit_length() + 1 >> 1] += 1

    def _counts(self, kind: str, label: Any) -> Boxes:
        """Return the counts of a label that is new."""
        if label is not None and label.__class__ is not str:
            raise TypeError("label: expected a text")
        return self.boxes.setdefault((kind, label), Boxes())

    def _tracklet(self, record: Record) -> None:
        self._length("track", record.get("label", "")).take(span_of(record["start"], record["end"]))
        self._whole.add(record["by"])

    def _text_track(self, record: Record) -> None:
        seconds, text = span_of(record["start"], record["end"]), str(record["text"])
        self._length("text", "").take(seconds)
        self.texts.take(text, record["source"], seconds)

    def _face(self, record: Record) -> None:
        self._verdict("face", record["verdict"])
        self._boxed(record, record["verdict"], record["live_score"])

    def _face_track(self, record: Record) -> None:
        seconds = span_of(record["start"], record["end"])
        self._verdict("face_track", record["verdict"])
        self._length("face", record["verdict"]).take(seconds)

    def _verdict(self, kind: str, verdict: str) -> None:
        self.verdicts.setdefault(kind, Counter())[verdict] += 1

    def _species(self, record: Record) -> None:
        topk = record["topk"]
        score = record.get("score", topk[0]["score"] if topk else None)
        self._boxed(record, record.get("label"), score)

    def _scene(self, record: Record) -> None:
        seconds, score = span_of(record["start"], record["end"]), record["score"]
        self._boxed(record, record["label"], score)
        self._length("scene", record["label"]).take(seconds)
        self._transition(record)

    def _shot(self, record: Record) -> None:
        self._length("shot", "").take(span_of(record["start"], record["end"]))
        self._transition(record)

    def _transition(self, record: Record) -> None:
        if "transition" in record:
            self.transitions[str(record["transition"])] += 1

    def _identity(self, record: Record) -> None:
        self.identities.take(str(record["identity"]), record["source"], 0.0)

    def _copy(self, record: Record) -> None:
        self.copies.take(record["source"], str(record["ref"]), span_of(record["start"], record["end"]))

    def _media(self, record: Record) -> None:
        check(record)
        self._row.media(record)

    def _error(self, record: Record) -> None:
        check(record)
        error = record["error"]
        known = self.errors.setdefault(error["code"], {"count": 0, "fatal": 0, "sources": set(), "message": error[
            "message"]})
        known["count"] += 1
        known["fatal"] += bool(error.get("fatal"))
        if "source" in record:
            known["sources"].add(record["source"])
            self._row.errors += 1

    def _end(self, record: Record) -> None:
        check(record)
        frames, status = record["frames"], record["status"]
        self._row.end(status, frames)
        maker = self.makers.setdefault(record["by"], Counter())
        maker.update({"sources": 1, status: 1, "records": record["records"], **frames})
