"""Subtitles: cues by hand, reading order, times, and texts of every script as they are."""

from __future__ import annotations

from typing import Any

import pytest

from vtk.export.subtitles import Cue, Line, cues, in_reading_order, joined, line_of, srt_lines, vtt_lines


def line(start: int, end: int, text: str, x: float = 0, y: float = 0) -> Line:
    return Line(start, end, text, (x, y, x + 50, y + 10))


def track(start: float, end: float, text: str = "x", **keys: Any) -> dict[str, Any]:
    return {"type": "text_track", "start": start, "end": end, "text": text, "track_id": 1, **keys}


def test_a_cue_begins_where_a_text_comes_or_goes() -> None:
    found = cues([line(0, 3000, "above"), line(1000, 2000, "below", y=40), line(5000, 6000, "later")])
    assert found == [Cue(0, 1000, ("above",)), Cue(1000, 2000, ("above", "below")), Cue(2000, 3000, ("above",)),
                     Cue(5000, 6000, ("later",))]


def test_cues_never_overlap_and_hold_each_text_all_its_time() -> None:
    lines = [line(start * 137 % 5000, start * 137 % 5000 + 1 + start * 61 % 900, f"text {start}", y=start)
             for start in range(60)]
    found = cues(lines)
    assert all(a.end <= b.start and a.start < a.end for a, b in zip(found, found[1:], strict=False))
    for one in lines:
        assert sum(cue.end - cue.start for cue in found if one.text in cue.lines) == one.end - one.start


def test_an_equal_text_that_follows_goes_on() -> None:
    assert cues([line(0, 1000, "NEWS"), line(1000, 2500, "NEWS", x=3)]) == [Cue(0, 2500, ("NEWS",))]
    assert len(cues([line(0, 1000, "NEWS"), line(1001, 2500, "NEWS")])) == 2
    assert cues([]) == []


@pytest.mark.parametrize(("spans", "expected"), [
    ([(0, 300), (500, 3000)], [(0, 3000)]),                      # a short one, and the same again at once
    ([(0, 2000), (2400, 2500)], [(0, 2500)]),
    ([(0, 200), (400, 600), (900, 1000)], [(0, 1000)]),          # a chain of them
    ([(0, 300), (801, 3000)], [(0, 300), (801, 3000)]),          # half a second and more is a pause
    ([(0, 500), (600, 1100)], [(0, 500), (600, 1100)]),          # both can be read
])
def test_a_text_that_flickers_is_one(spans: list[tuple[int, int]], expected: list[tuple[int, int]]) -> None:
    found = cues([line(start, end, "NEWS") for start, end in spans])
    assert [(cue.start, cue.end) for cue in found] == expected
    around = cues([line(0, 5000, "above"), *(line(start, end, "NEWS", y=40) for start, end in spans)])
    assert [(cue.start, cue.end) for cue in around if "NEWS" in cue.lines] == expected


def test_another_text_or_another_place_at_once_is_not_joined() -> None:
    lines = [line(0, 300, "NEWS"), line(400, 700, "WEATHER")]
    assert joined(lines) == lines
    twice = [line(0, 300, "EXIT"), line(100, 400, "EXIT", x=500), line(450, 3000, "EXIT")]
    assert [(one.start, one.end) for one in joined(twice)] == [(0, 3000), (100, 400)]


def test_reading_order_is_by_rows_then_from_the_left() -> None:
    places = {"c": (0, 30), "b": (200, 4), "a": (10, 0), "d": (90, 33), "e": (0, 60)}
    lines = [line(0, 1, text, *place) for text, place in places.items()] + [Line(0, 1, "somewhere")]
    assert [one.text for one in in_reading_order(lines)] == ["a", "b", "c", "d", "e", "somewhere"]


@pytest.mark.parametrize(("start", "end", "span"), [
    (0, 1.5, (0, 1500)), (1.23449, 1.2346, (1234, 1235)), (-0.5, 0.25, (0, 250)), (-2, -1, (0, 1)), (3, 3, (3000, 3001)),
    (2, 1, (2000, 2001))])
def test_times_are_whole_milliseconds_from_0_and_ends_come_after_starts(
        start: float, end: float, span: tuple[int, int]) -> None:
    found = line_of(track(start, end))
    assert found is not None
    assert (found.start, found.end) == span


def test_the_box_is_that_of_the_best_view() -> None:
    poly = {"frame": 3, "poly": [[5, 1], [9, 2], [8, 6], [4, 5]]}
    boxes = [line_of(track(0, 1, best=best)) for best in (poly, {"frame": 3, "xyxy": [1, 2, 3, 4]}, {"frame": 3})]
    assert [one.box for one in boxes if one] == [(4, 1, 9, 6), (1, 2, 3, 4), None]


def test_nothing_readable_makes_no_line() -> None:
    assert [line_of(track(0, 1, text)) for text in ("", "  \n", "\0")] == [None, None, None]


TEXTS = ["שלום עולם", "مرحبا (1)", "你好，世界", "日本語 テスト", "cafe\u0301", "a --> b", "<i>&amp;", "two\n\n lines"]


def test_srt() -> None:
    found = [line_of(track(place, place + 1, text)) for place, text in enumerate(TEXTS)]
    written = "\n".join(srt_lines(cues([one for one in found if one])))
    blocks = [block.split("\n") for block in written.split("\n\n")]
    assert [block[0] for block in blocks] == [str(number) for number in range(1, 9)]
    assert [block[2] for block in blocks] == [*TEXTS[:5], "a → b", "<\u2060i>&amp;", "two lines"]
    assert blocks[1][1] == "00:00:01,000 --> 00:00:02,000"
    assert all(len(block) == 3 and block[1].count("-->") == 1 for block in blocks)


def test_vtt() -> None:
    found = [line_of(track(place, place + 1, text)) for place, text in enumerate(TEXTS)]
    head, *blocks = "\n".join(vtt_lines(cues([one for one in found if one]))).split("\n\n")
    assert head == "WEBVTT"
    assert [block.split("\n")[1] for block in blocks] == [
        *TEXTS[:5], "a --&gt; b", "&lt;i&gt;&amp;amp;", "two lines"]
    assert blocks[0].split("\n")[0] == "00:00:00.000 --> 00:00:01.000"


def test_hours_go_past_a_hundred_and_nothing_is_a_file() -> None:
    [_, times, _] = srt_lines([Cue(0, 360_000_000 + 61_001, ("x",))])
    assert times == "00:00:00,000 --> 100:01:01,001"
    assert list(srt_lines([])) == []
    assert list(vtt_lines([])) == ["WEBVTT"]
