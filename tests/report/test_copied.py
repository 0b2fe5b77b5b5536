"""Which copy is shown at a moment, and where the reference is then."""

from __future__ import annotations

from typing import Any

import pytest

from vtk.report.beside import clock, short_names
from vtk.report.copied import Copied, Copy


def copy(ref: str = "r.mp4", span: tuple[float, float] = (0, 4), ref_span: tuple[float, float] = (10, 14),
         score: float = 0.9, **keys: Any) -> Copy:
    found = Copy.of({"ref": ref, "start": span[0], "end": span[1], "ref_start": ref_span[0], "ref_end": ref_span[1],
                     "score": score, **keys})
    assert found is not None
    return found


def test_the_line_leads_from_one_end_to_the_other() -> None:
    fast = copy(span=(2, 6), ref_span=(10, 18))
    assert [fast.opposite(t) for t in (2, 3, 6)] == [10, 12, 18] and fast.speed == 2 and not fast.hflip
    told = copy(transform={"speed": 1.5, "hflip": True})
    assert told.speed == 1.5 and told.hflip and told.opposite(4) == 14, "where the ends lie is for the line to say"
    for odd in ({}, {"speed": 0}, {"speed": "fast", "hflip": "no"}, {"speed": None}):
        assert copy(transform=odd).speed == 1 and not copy(transform=odd).hflip


@pytest.mark.parametrize(("span", "ref_span"), [((4, 4), (0, 4)), ((5, 4), (0, 4)), ((0, 4), (4, 4)), ((0, 4), (9, 4))])
def test_a_side_that_lasts_no_time_is_no_copy(span: tuple[float, float], ref_span: tuple[float, float]) -> None:
    assert Copy.of({"ref": "r", "start": span[0], "end": span[1], "ref_start": ref_span[0], "ref_end": ref_span[1],
                    "score": 1}) is None


def test_the_best_is_shown_and_the_others_follow() -> None:
    found = Copied([copy("a", (0, 10), score=0.5), copy("b", (2, 6), score=0.9), copy("c", (4, 8), score=0.7),
                    copy("c", (4, 8), score=0.7), copy("d", (12, 13), score=0.3)])
    assert ["".join(each.ref for each in found.at(t)) for t in (-1, 0, 2, 4, 5.9, 6, 8, 10, 12, 13)] == [
        "", "a", "ba", "bca", "bca", "ca", "a", "", "d", ""]
    assert found.at(1.9999995)[0].ref == "b", "a time that was rounded down"
    assert [(start, end, each.ref) for start, end, each in found.spans()] == [
        (0, 2, "a"), (2, 4, "b"), (4, 6, "b"), (6, 8, "c"), (8, 10, "a"), (12, 13, "d")]
    assert (found.most, found.end, found.refs) == (3, 13, ("a", "b", "c", "d"))
    assert len({found.colour(ref) for ref in "abcd"}) == 4


def test_without_copies_there_is_nothing() -> None:
    none = Copied([])
    assert (none.at(0), none.spans(), none.most, none.end, none.refs) == ((), [], 0, 0.0, ())


@pytest.mark.parametrize(("t", "text"), [
    (0, "0:00.00"), (59.999, "1:00.00"), (61.236, "1:01.24"), (3599.994, "59:59.99"), (3600, "1:00:00.00"),
    (36_061.5, "10:01:01.50")])
def test_clocks(t: float, text: str) -> None:
    assert clock(t) == text


def test_names_are_as_short_as_tells_them_apart() -> None:
    names = ["films/a.mp4", "clips/a.mp4", "b.mp4", "a.mp4", "https://host/x/c.mp4", "films/a.mp4"]
    assert list(short_names(names).values()) == ["films/a.mp4", "clips/a.mp4", "b.mp4", "a.mp4", "c.mp4"]
    assert short_names(["/one/day/a.mp4", "/two/day/a.mp4"]) == {
        "/one/day/a.mp4": "one/day/a.mp4", "/two/day/a.mp4": "two/day/a.mp4"}
