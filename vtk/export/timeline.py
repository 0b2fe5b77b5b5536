"""Spans of a film as events on a timeline: frame rates, timecodes, and what lies where.

    rate = rate_of(29.97)                               # Fraction(30000, 1001)
    timecode(1800, rate, drops(rate))                   # 00:01:00;02
    events(scenes, rate, by_time=False)                 # [Event(0, 57, "beach", …), …]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from vtk.errors import RecordError
from vtk.records import Record

DAY = 24 * 3600  # seconds; a timecode starts anew after them
MOST_RATE = 99  # frames a second that two digits can number
_NEAR = 2e-4  # by which an average may be off the rate that was meant: 30 and 30000/1001 differ by five times that


@dataclass(frozen=True, slots=True)
class Event:
    """A piece of a film.

    Attributes:
        start, end: frames of the film from 0, at the timeline's rate; the end is exclusive.
        name: its label, or which shot it is; in one line.
        comment: what else is known of it, in one line; may be empty.
        record: what it was made of.
    """

    start: int
    end: int
    name: str
    comment: str
    record: Record


def rate_of(fps: float) -> Fraction:
    """Return the frame rate that a number stands for: 29.97 is 30000/1001, 25.0001 is 25.

    Raises:
        ValueError: it is not above 0.
    """
    if not fps > 0:
        raise ValueError(f"frames a second: got {fps}, expected more than 0")
    whole = Fraction(max(1, round(fps)))
    for rate in (whole, whole * 1000 / 1001):
        if abs(fps / rate - 1) < _NEAR:
            return rate
    return Fraction(fps).limit_denominator(1001) or Fraction(1, round(1 / fps))  # a picture an hour, say


def is_timecode_rate(rate: Fraction) -> bool:
    """Return whether timecodes can number frames of this rate: whole, or 1000/1001 of it, and of two digits."""
    nominal = -(-rate.numerator // rate.denominator)
    return rate in (nominal, Fraction(nominal * 1000, 1001)) and nominal <= MOST_RATE


def drops(rate: Fraction) -> bool:
    """Return whether timecodes of this rate leave numbers out to keep step with the clock: those of 29.97 and 59.94."""
    return rate in (Fraction(30000, 1001), Fraction(60000, 1001))


def timecode(frame: int, rate: Fraction, drop: bool) -> str:
    """Return the timecode of a frame from 0, HH:MM:SS:FF; with ``drop`` HH:MM:SS;FF.

    Dropping leaves out the first two numbers of each minute (four at 59.94), but of every tenth: no frame is lost.

    Raises:
        ValueError: timecodes cannot number such a rate, or not that far, or nothing is dropped at it.

    Source: SMPTE ST 12-1:2014, section 5.2.
    """
    if not is_timecode_rate(rate) or (drop and not drops(rate)):
        raise ValueError(f"rate: got {float(rate):g}, drop {drop}: expected a rate of timecodes, 29.97 or 59.94 to drop")
    nominal = -(-rate.numerator // rate.denominator)
    number = frame
    if drop:
        left_out = nominal // 15
        minute = 60 * nominal - left_out
        tens, rest = divmod(frame, 10 * minute + left_out)
        number += left_out * (9 * tens + max(0, (rest - left_out) // minute))
    if frame < 0 or number >= DAY * nominal:
        raise ValueError(f"frame: got {frame}, expected one of the first 24 hours")
    seconds, part = divmod(number, nominal)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02d}:{minute:02d}:{second:02d}{';' if drop else ':'}{part:02d}"


def events(records: Sequence[Record], rate: Fraction, by_time: bool) -> list[Event]:
    """Return the pieces of a film in order; one that is shorter than a frame is left out.

    Args:
        records: scenes or shots of one maker.
        rate: of the timeline.
        by_time: whether frames are counted from seconds; else records' own numbers of frames count where they have any.

    Raises:
        RecordError: two of them overlap; one track cannot hold both.
    """
    found = []
    for record in records:
        start, end = (record[f"{side}_frame"] if not by_time and f"{side}_frame" in record
                      else round(record[side] * rate) for side in ("start", "end"))
        if end > start:
            found.append((start, end, record))
    found.sort(key=lambda each: each[:2])
    made: list[Event] = []
    for start, end, record in found:
        if made and start < made[-1].end:
            raise RecordError(f"the {record['type']} from {record['start']:g} s begins before that from "
                              f"{made[-1].record['start']:g} s ends: one track cannot hold both; pick with --by, or jq")
        name = one_line(record.get("label", "")) or f"{record['type']} {len(made) + 1}"
        made.append(Event(start, end, name, _comment(record), record))
    return made


def one_line(text: str) -> str:
    """Return a text without line ends, tabs and what cannot be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _comment(record: Record) -> str:
    """Return what is said of an event beside its label."""
    parts = [f"{record['score']:.2f}" if "score" in record else "",
             {True: "indoors", False: "outdoors"}.get(record.get("indoor"), ""),  # type: ignore[arg-type]
             f"after a {one_line(record['transition'])}" if record.get("transition", "cut") != "cut" else ""]
    return ", ".join(part for part in parts if part)
