"""Which spans of a source are cut: those that records tell of, chosen, merged, widened and bounded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from vtk.records import Record

# Record types that are about a span of their source.
SPANNED = ("scene", "shot", "tracklet", "text_track", "face_track", "copy", "species")


@dataclass(frozen=True, slots=True)
class Span:
    """A span to cut.

    Attributes:
        start, end: seconds from the source's first frame, half-open; ``end`` may be infinite.
        frames: the same in frames, where a record says it and nothing changed it.
        type, label, track_id: of the record that it comes from; of several that were merged, the first one's.
    """

    start: float
    end: float
    frames: tuple[int, int] | None = None
    type: str = ""
    label: str = ""
    track_id: int | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """What is cut of what is told.

    Attributes:
        types, classes: record types and labels; none is all.
        margin: seconds added before and after each span.
        least, most: seconds that spans last; shorter ones are left out, of longer ones the first part is taken.
        merge: seconds; spans of a type and label no further apart are one. None merges none.
        start, end: what is outside is left out, in seconds.
    """

    types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    margin: float = 0.0
    least: float = 0.0
    most: float | None = None
    merge: float | None = None
    start: float | None = None
    end: float | None = None

    def spans(self, told: Iterable[Span]) -> list[Span]:
        """Return the spans to cut, in order of time, each once."""
        wanted = [span for span in dict.fromkeys(told) if not self.classes or span.label in self.classes]
        wanted = merged(wanted, self.merge) if self.merge is not None else wanted
        return sorted((span for span in map(self._bounded, wanted) if span is not None),
                      key=lambda span: (span.start, span.end))

    def _bounded(self, span: Span) -> Span | None:
        """Return the span widened and bounded; None where it is too short, or outside."""
        if span.end - span.start < self.least:
            return None
        start, end = span.start - self.margin, span.end + self.margin
        end = min(end, start + self.most) if self.most is not None else end
        start = max(start, self.start or 0.0)
        end = min(end, self.end) if self.end is not None else end
        if end <= start:
            return None
        kept = (start, end) == (span.start, span.end)
        return span if kept else replace(span, start=start, end=end, frames=None)


def span_of(record: Record) -> Span | None:
    """Return the span of a record; None where it is about a frame, or lasts no time."""
    start, end = record.get("start"), record.get("end")
    if start is None or end is None or not end > start:
        return None
    frames = (record["start_frame"], record["end_frame"]) if {"start_frame", "end_frame"} <= record.keys() else None
    if frames is not None and frames[1] <= frames[0]:
        frames = None
    return Span(float(start), float(end), frames, record["type"], label_of(record), record.get("track_id"))


def label_of(record: Record) -> str:
    """Return what a span is named by: its label, text or verdict, of a copy the reference's file name."""
    for key in ("label", "text", "verdict"):
        if isinstance(record.get(key), str):
            return record[key]
    return os.path.basename(record["ref"]) if isinstance(record.get("ref"), str) else ""


def merged(spans: Sequence[Span], gap: float) -> list[Span]:
    """Return spans with those of a type and label joined that lie no further than ``gap`` seconds apart."""
    latest: dict[tuple[str, str], int] = {}
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        place = latest.get((span.type, span.label))
        if place is not None and span.start - found[place].end <= gap + 1e-9:
            before = found[place]
            found[place] = replace(before, end=max(before.end, span.end), frames=None, track_id=(
                before.track_id if before.track_id == span.track_id else None))
        else:
            latest[span.type, span.label] = len(found)
            found.append(span)
    return found


def clip_name(span: Span, suffix: str, taken: set[str]) -> str:
    """Return a file name for a span that is none of ``taken``, and add it: times, label, number of the track.

    Whatever a label holds, the name stays inside its folder, and below what file systems take.
    """
    said = span.label or span.type
    letters = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in said)
    while len(letters.encode("utf-8", "replace")) > 100:
        letters = letters[:-1]
    end = f"{span.end:010.3f}" if math.isfinite(span.end) else "end"
    parts = [f"{span.start:010.3f}", end, letters, str(span.track_id) if span.track_id is not None else ""]
    stem = "-".join(part for part in parts if part)
    name, number = stem + suffix, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{suffix}"
    taken.add(name)
    return name
