"""Edit decision lists in CMX 3600's form: an event a piece, cuts alone, labels as comments.

Each piece goes onto the timeline where it is in the film, from 00:00:00:00 on; ``packed`` lays pieces end to end. A
dissolve of the film is no dissolve of the list, which would mix what is mixed already: it is a comment. The reel is AX,
as for any file, which FROM CLIP NAME names. From event 1000 on numbers have four digits, which some readers refuse.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from vtk.errors import RecordError
from vtk.export.timeline import Event, is_timecode_rate, one_line, timecode

_TITLE = 70  # letters of a title, as CMX has it


def edl_lines(title: str, clip: str, events: Sequence[Event], rate: Fraction, drop: bool,
              packed: bool = False) -> list[str]:
    """Return the lines of a list.

    Args:
        title, clip: what it is called, and what the film's file is.
        events: in order.
        rate: frames a second.
        drop: whether timecodes leave numbers out; see ``timecode``.
        packed: whether pieces follow each other without gaps.

    Raises:
        RecordError: the rate is none of timecodes, or the film is longer than a day.
    """
    if not is_timecode_rate(rate):
        raise RecordError(f"{float(rate):.3f} frames a second cannot be timecodes: give --fps 25, 29.97 or the like, "
                          "the rate of the timeline", code="E_RATE")
    lines = [f"TITLE: {one_line(title)[:_TITLE]}", f"FCM: {'DROP FRAME' if drop else 'NON-DROP FRAME'}", ""]
    place = 0
    for number, event in enumerate(events, 1):
        begin = place if packed else event.start
        place = begin + event.end - event.start
        try:
            codes = " ".join(timecode(frame, rate, drop) for frame in (event.start, event.end, begin, place))
        except ValueError:
            raise RecordError(f"an event ends after {float(event.end / rate / 3600):.1f} hours: a list has 24",
                              code="E_RATE") from None
        lines.append(f"{number:03d}  AX       V     C        {codes}")
        lines.append(f"* FROM CLIP NAME: {one_line(clip)}")
        lines.append(f"* COMMENT: {event.name}{f' ({event.comment})' if event.comment else ''}")
    return lines
