"""Subtitle files read back: SubRip (srt) and WebVTT (vtt), as they are found in the wild.

Taken as they come: byte order marks, UTF-16 that has one, any line ends, numbers that are missing or wrong, hours left
out, points for commas, cues that overlap or are out of order, a blank line too many, settings behind the times. Tags
are stripped, and where a cue would stand on screen is not kept.
"""

from __future__ import annotations

import html
import os
import re

from vtk.errors import MediaError, RecordError
from vtk.export.subtitles import SEPARATOR, Cue
from vtk.export.transcripts import lines_of
from vtk.media.names import source_name

_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
_TIMES = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}(?:\s.*)?")
_SRT_TAGS = re.compile(r"</?(?:b|i|u|s|font)(?:\s[^<>]*)?>|\{\\[^{}]*\}", re.IGNORECASE)
_VTT_TAGS = re.compile(r"<[^<>]*>")
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_cues(path: str | os.PathLike[str]) -> list[Cue]:
    """Return the cues of a SubRip or WebVTT file by start; what says nothing or lasts no time is left out.

    A file is WebVTT where its first line says so, whatever its name.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_SUBTITLES, it is no text, or something in it is wrong; the message names the line.
    """
    where = source_name(os.fspath(path))
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise MediaError(f"cannot read {where}: {error.strerror}", code="E_OPEN") from None
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise _wrong(where, line, f"no text of {encoding.upper()} ({error.reason}); convert it to UTF-8") from None
    lines = lines_of(text)
    is_vtt = re.match(r"WEBVTT(?:\s|$)", lines[0]) is not None
    if not is_vtt and os.fspath(path).lower().endswith(".vtt"):
        raise _wrong(where, 1, f"a WebVTT file begins with WEBVTT, found {lines[0]!r:.40}")
    return sorted(_parsed(lines, is_vtt, where), key=lambda cue: (cue.start, cue.end))


def _parsed(lines: list[str], is_vtt: bool, where: str) -> list[Cue]:
    """Return the cues in the order of the file."""
    found: list[Cue] = []
    blocks = _blocks(lines)
    for first, block in blocks[1:] if is_vtt else blocks:
        times = [place for place, line in enumerate(block) if "-->" in line]
        if is_vtt and (not times or times[0] > 1) and re.match(r"(?:NOTE|STYLE|REGION)(?:\s|$)", block[0]):
            continue
        if not times or times[0] > 1:
            raise _wrong(where, first, f"the times of a cue are needed, such as 00:01:02,500 --> 00:01:04,000, found "
                                       f"{block[0]!r:.40}")
        for place, stop in zip(times, [*times[1:], len(block) + 1], strict=True):
            start, end = _span(block[place], where, first + place)
            # Where the blank line before the next cue is missing, that one's number stands last.
            body = block[place + 1 : stop - (stop <= len(block) and block[stop - 1].strip().isdecimal())]
            said = _said(body, is_vtt)
            if said and end > start:
                found.append(Cue(start, end, said))
    return found


def _blocks(lines: list[str]) -> list[tuple[int, list[str]]]:
    """Return the parts between blank lines, each with the number of its first line."""
    found: list[tuple[int, list[str]]] = []
    blank = True
    for number, line in enumerate(lines, 1):
        if line.strip():
            if blank:
                found.append((number, []))
            found[-1][1].append(line)
        blank = not line.strip()
    return found


def _span(line: str, where: str, number: int) -> tuple[int, int]:
    """Return the start and end of a cue in milliseconds."""
    match = _TIMES.fullmatch(line)
    if match is None:
        raise _wrong(where, number, f"times such as 00:01:02,500 --> 00:01:04,000 are needed, found {line!r:.60}")
    clocks = match.groups()
    if any(int(part) > 59 for part in (clocks[1], clocks[2], clocks[5], clocks[6])):
        raise _wrong(where, number, f"minutes and seconds go to 59, found {line!r:.60}")
    start, end = _milliseconds(clocks[:4]), _milliseconds(clocks[4:])
    if end < start:
        raise _wrong(where, number, f"a cue ends before it starts: {line!r:.60}")
    return start, end


def _milliseconds(clock: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, part = clock
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + int((part or "").ljust(3, "0"))


def _said(lines: list[str], is_vtt: bool) -> tuple[str, ...]:
    """Return the lines of a cue without tags, those that say nothing left out."""
    tags = _VTT_TAGS if is_vtt else _SRT_TAGS
    plain = (tags.sub("", line) for line in lines)
    plain = (html.unescape(line) if is_vtt else re.sub(f"(?<=[<{{]){SEPARATOR}", "", line) for line in plain)
    return tuple(line for line in (" ".join(line.split()) for line in plain) if line)


def _wrong(where: str, line: int, what: str) -> RecordError:
    return RecordError(f"{where}, line {line}: {what}", code="E_SUBTITLES")
