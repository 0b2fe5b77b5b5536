"""Timecodes by hand-worked values and against OpenTimelineIO's, and spans as events."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.errors import RecordError
from vtk.export.edl import edl_lines
from vtk.export.timeline import drops, events, is_timecode_rate, rate_of, timecode

NTSC = Fraction(30000, 1001)
DOUBLE = Fraction(60000, 1001)


@pytest.mark.parametrize(("fps", "rate"), [
    (29.97, NTSC), (29.97003, NTSC), (30, 30), (23.976, Fraction(24000, 1001)), (23.98, Fraction(24000, 1001)),
    (59.94, DOUBLE), (25.0004, 25), (12.5, Fraction(25, 2)), (0.5, Fraction(1, 2)), (119.88, Fraction(120000, 1001)),
    (1 / 3600, Fraction(1, 3600)),
])
def test_rates_are_those_that_were_meant(fps: float, rate: Fraction) -> None:
    assert rate_of(fps) == rate


def test_a_rate_is_above_nothing() -> None:
    for fps in (0.0, -25.0, float("nan")):
        with pytest.raises(ValueError, match="more than 0"):
            rate_of(fps)


@pytest.mark.parametrize(("frame", "rate", "drop", "expected"), [
    (0, Fraction(25), False, "00:00:00:00"), (90024, Fraction(25), False, "01:00:00:24"),
    # SMPTE's: the numbers 0 and 1 of a minute are left out, but of every tenth minute.
    (1799, NTSC, True, "00:00:59;29"), (1800, NTSC, True, "00:01:00;02"), (17981, NTSC, True, "00:09:59;29"),
    (17982, NTSC, True, "00:10:00;00"), (107892, NTSC, True, "01:00:00;00"), (1800, NTSC, False, "00:01:00:00"),
    (3599, DOUBLE, True, "00:00:59;59"), (3600, DOUBLE, True, "00:01:00;04"), (35964, DOUBLE, True, "00:10:00;00"),
])
def test_timecodes(frame: int, rate: Fraction, drop: bool, expected: str) -> None:
    assert timecode(frame, rate, drop) == expected


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2_589_407), st.sampled_from([(NTSC, True), (NTSC, False), (Fraction(24000, 1001), False),
                                                   (Fraction(25), False), (DOUBLE, True)]))
def test_timecodes_are_those_of_opentimelineio(frame: int, choice: tuple[Fraction, bool]) -> None:
    opentime = pytest.importorskip("opentimelineio").opentime
    rate, drop = choice
    theirs = opentime.RationalTime(frame, float(rate))
    if frame < 2_000_000 or rate > 25:  # the first day
        assert timecode(frame, rate, drop) == opentime.to_timecode(theirs, float(rate), drop)


def test_what_timecodes_cannot_number_is_refused() -> None:
    assert drops(NTSC) and drops(DOUBLE) and not drops(Fraction(24000, 1001)) and not drops(Fraction(30))
    assert not is_timecode_rate(Fraction(25, 2)) and not is_timecode_rate(Fraction(120)) and is_timecode_rate(NTSC)
    for frame, rate, drop in ((0, Fraction(25, 2), False), (0, Fraction(25), True), (-1, Fraction(25), False),
                              (24 * 3600 * 25, Fraction(25), False), (2_589_408, NTSC, True)):
        with pytest.raises(ValueError, match="expected"):
            timecode(frame, rate, drop)
    assert timecode(2_589_407, NTSC, True) == "23:59:59;29"


def scene(start: float, end: float, **keys: Any) -> dict[str, Any]:
    return {"v": 1, "type": "scene", "by": "recognize-scene/x", "source": "a.mp4", "start": start, "end": end, **keys}


def test_numbers_of_frames_count_before_seconds_unless_the_rate_is_another() -> None:
    spans = [scene(2.0, 3.0, label="b", start_frame=51, end_frame=75), scene(0.0, 2.0, label="a")]
    assert [(each.start, each.end, each.name) for each in events(spans, Fraction(25), False)] == [
        (0, 50, "a"), (51, 75, "b")]
    assert [(each.start, each.end) for each in events(spans, Fraction(50), True)] == [(0, 100), (100, 150)]


def test_what_lasts_less_than_a_frame_is_left_out_and_names_are_one_line() -> None:
    made = events([scene(0, 0.01, label="x"), scene(0.04, 1, label="a\r\n\tb\x07", score=0.5, indoor=True,
                                                    transition="fade")], Fraction(25), True)
    assert [(each.name, each.comment) for each in made] == [("a b", "0.50, indoors, after a fade")]
    [shot] = events([{**scene(0, 1, transition="cut"), "type": "shot"}], Fraction(25), True)
    assert (shot.name, shot.comment) == ("shot 1", "")


def test_two_at_a_time_are_refused() -> None:
    with pytest.raises(RecordError, match=r"scene from 1 s begins before that from 0 s ends"):
        events([scene(0, 2, label="a"), scene(1, 3, label="b")], Fraction(25), True)


def test_a_list_keeps_places_or_packs_them() -> None:
    made = events([scene(1, 2, label="a"), scene(3, 5, label="b")], Fraction(25), True)
    rows = [line.split()[4:] for line in edl_lines("t", "c", made, Fraction(25), False) if line[:1].isdigit()]
    assert rows == [["00:00:01:00", "00:00:02:00"] * 2, ["00:00:03:00", "00:00:05:00"] * 2]
    rows = [line.split()[6:] for line in edl_lines("t", "c", made, Fraction(25), False, True) if line[:1].isdigit()]
    assert rows == [["00:00:00:00", "00:00:01:00"], ["00:00:01:00", "00:00:03:00"]]


def test_what_a_list_cannot_hold_is_said() -> None:
    with pytest.raises(RecordError, match=r"12\.500 frames a second cannot be timecodes: give --fps"):
        edl_lines("t", "c", [], Fraction(25, 2), False)
    late = events([scene(0, 90000, label="a")], Fraction(25), True)
    with pytest.raises(RecordError, match=r"25\.0 hours: a list has 24"):
        edl_lines("t", "c", late, Fraction(25), False)
