"""Subtitles of text tracks: what is on screen at the same time in one cue, as SubRip (srt) or WebVTT (vtt)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from vtk.export.transcripts import one_line
from vtk.records import Record

FORMATS = ("srt", "vtt")
SEPARATOR = "\u2060"  # word joiner: no picture, no width
SHORT, GAP = 500, 500  # milliseconds: what nobody can read, and a pause that nobody takes for one
# What players take for a tag of SubRip and leave out.
_TAG = re.compile(r"(?<=<)(?=/?(?:b|i|u|s|font)[\s>])|(?<=\{)(?=\\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """A text and when it is on screen.

    Attributes:
        start, end: milliseconds, start below end.
        text: one line, not empty.
        box: [x1, y1, x2, y2] in pixels, where it is known.
    """

    start: int
    end: int
    text: str
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Cue:
    """A span and the lines that are on screen all through it, in reading order; start and end in milliseconds."""

    start: int
    end: int
    lines: tuple[str, ...]


def line_of(record: Record) -> Line | None:
    """Return the line of a ``text_track`` record, or None where nothing can be read.

    Times are rounded to milliseconds, never below 0, and the end is at least one after the start. White space, line
    ends too, becomes single spaces: a blank line would end a cue.
    """
    text = one_line(str(record["text"]))
    if not text:
        return None
    start = max(0, round(record["start"] * 1000))
    return Line(start, max(start + 1, round(record["end"] * 1000)), text, _box(record.get("best") or {}))


def cues(lines: Iterable[Line]) -> list[Cue]:
    """Return cues that do not overlap: a new one whenever a line comes or goes.

    Lines are ``joined`` first. Where nothing but the place of a line in time changes, that is one line follows an equal
    one without a gap, the cue goes on.
    """
    lines = sorted(joined(lines), key=lambda line: (line.start, line.end, line.text))
    edges = sorted({edge for line in lines for edge in (line.start, line.end)})
    found: list[Cue] = []
    active: list[Line] = []
    place = 0
    for start, end in zip(edges, edges[1:], strict=False):
        active = [line for line in active if line.end > start]
        while place < len(lines) and lines[place].start <= start:
            active.append(lines[place])
            place += 1
        texts = tuple(line.text for line in in_reading_order(active))
        if not texts:
            continue
        if found and found[-1].end == start and found[-1].lines == texts:
            found[-1] = Cue(found[-1].start, end, texts)
        else:
            found.append(Cue(start, end, texts))
    return found


def joined(lines: Iterable[Line]) -> list[Line]:
    """Return lines with those made one that flicker: the same text again within ``GAP``, one of the two ``SHORT``.

    The box is that of the longer one. Other short lines stay as they are.
    """
    found: list[Line] = []
    latest: dict[str, list[int]] = {}
    for line in sorted(lines, key=lambda line: (line.start, line.end)):
        for place in latest.setdefault(line.text, []):
            before = found[place]
            if 0 <= line.start - before.end <= GAP and min(_length(before), _length(line)) < SHORT:
                box = max(before, line, key=_length).box
                found[place] = Line(before.start, line.end, line.text, box)
                break
        else:
            latest[line.text] = [*(place for place in latest[line.text] if found[place].end >= line.start - GAP),
                                 len(found)]
            found.append(line)
    return found


def in_reading_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines top to bottom, and left to right in a row; those without a box come last, as they came.

    A line stands in the row of the one above it when its middle is not below that one's lower edge.
    """
    placed = sorted((line for line in lines if line.box is not None), key=lambda line: (_middle(line), line.box[0]))
    rows: list[list[Line]] = []
    for line in placed:
        if rows and _middle(line) < rows[-1][0].box[3]:
            rows[-1].append(line)
        else:
            rows.append([line])
    ordered = [line for row in rows for line in sorted(row, key=lambda line: line.box[0])]
    return [*ordered, *(line for line in lines if line.box is None)]


def srt_lines(some: Iterable[Cue]) -> Iterator[str]:
    """Yield the lines of a SubRip file.

    It cannot escape: an arrow of two dashes in a text becomes →, and an invisible joiner keeps players from taking
    ``<b>`` for a tag.
    """
    for number, cue in enumerate(some, 1):
        yield from (*([""] if number > 1 else []), str(number), f"{_clock(cue.start, ',')} --> {_clock(cue.end, ',')}")
        yield from (_TAG.sub(SEPARATOR, text.replace("-->", "→")) for text in cue.lines)


def vtt_lines(some: Iterable[Cue]) -> Iterator[str]:
    """Yield the lines of a WebVTT file; &, < and > of a text are escaped, and with them its arrows."""
    yield "WEBVTT"
    for cue in some:
        yield from ("", f"{_clock(cue.start, '.')} --> {_clock(cue.end, '.')}")
        yield from (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for text in cue.lines)


def _clock(milliseconds: int, point: str) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds:02d}{point}{milliseconds:03d}"


def _box(best: Record) -> tuple[float, float, float, float] | None:
    """Return the box of a track's best view, from its polygon where that is what there is."""
    if "xyxy" in best:
        x1, y1, x2, y2 = best["xyxy"]
        return x1, y1, x2, y2
    if "poly" not in best:
        return None
    xs, ys = zip(*best["poly"], strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _length(line: Line) -> int:
    return line.end - line.start


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2 if line.box is not None else 0.0
