"""Records on a stream: groups, closes, and what is wrong by line number."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtk.driver.lines import IDLE, lines_of
from vtk.driver.stream import BadLine, Close, Group, Loose, RecordStream
from vtk.errors import RecordError


def line(source: str | None, frame: int | None = None, kind: str = "detection", **keys: object) -> bytes:
    record = {"type": kind, "source": source, "frame": frame, **keys}
    return json.dumps({key: value for key, value in record.items() if value is not None}).encode()


def events(*lines: bytes, reads: frozenset[str] = frozenset()) -> list[object]:
    return list(RecordStream([list(lines)], reads).events())


def shape(found: list[object]) -> list[object]:
    """Return events in short: (source, frame, lines), "close a+ends", "bad number code", "loose"."""
    short: list[object] = []
    for event in found:
        match event:
            case Group():
                short += between(event.before)
                short.append((event.source, event.frame, len(event.lines)))
            case Close():
                short += between(event.before)
                short.append(f"close {event.source}+{len(event.lines)}")
            case BadLine():
                short.append(f"bad {event.number} {event.error.code}")
            case Loose():
                short.append("loose")
    return short


def between(entries: list[object]) -> list[str]:
    return [f"bad {entry.number} {entry.error.code}" if isinstance(entry, BadLine) else entry[1]["type"]  # type: ignore[index]
            for entry in entries]


def test_groups_by_frame_and_source() -> None:
    found = events(line("a", kind="media"), line("a", 0), line("a", 0), line("a", 4), line("a", kind="end"), line("b", 0))
    assert shape(found) == ["media", ("a", 0, 2), ("a", 4, 1), "close a+1", ("b", 0, 1), "close b+0"]


def test_a_record_without_a_frame_stays_between_frames() -> None:
    found = events(line("a", 0), line("a", kind="tracklet"), line("a", 1), line("a", kind="tracklet"))
    assert shape(found) == [("a", 0, 1), "tracklet", ("a", 1, 1), "tracklet", "close a+0"]


def test_many_lines_between_frames_do_not_pile_up() -> None:
    found = events(line("a", 0), *[line("a", kind="tracklet")] * 5000, line("a", 0), line("a", 1))
    sizes = [len(event.before) for event in found if isinstance(event, Group)]
    assert sizes == [0, 4096, 904, 0]




def test_several_ends_close_a_source_once() -> None:
    found = events(line("a", 0), line("a", kind="end"), line("a", kind="end"), line("b", kind="end"))
    assert shape(found) == [("a", 0, 1), "close a+2", "close b+1"]


@pytest.mark.parametrize("late", [line("a", 9), line("a", kind="media")])
def test_a_closed_source_takes_no_more(late: bytes) -> None:
    assert shape(events(line("a", 0), line("a", kind="end"), line("b", 0), late)) == [
        ("a", 0, 1), "close a+1", ("b", 0, 1), "bad 4 E_ORDER", "close b+0"]
    assert shape(events(line("a", 0), line("b", 0), late)) == [("a", 0, 1), "close a+0", ("b", 0, 1), "bad 3 E_ORDER", "close b+0"]


def test_what_concerns_the_run_may_follow_a_closed_source() -> None:
    assert shape(events(line("a", 0), line("a", kind="end"), line("a", kind="identity"))) == [
        ("a", 0, 1), "close a+1", "loose"]


def test_a_copy_opens_its_source_unless_a_run_announced_it() -> None:
    copies = [line("a", kind="copy"), line("b", kind="copy"), line("b", kind="end"), line("a", kind="copy")]
    opened = ["close a+0", "copy", "close b+1", "loose"]
    assert shape(events(*copies)) == ["copy", *opened]
    for late in (["copy"], ["cluster", "copy"]):
        run = line(None, kind="run", late=late)
        assert shape(events(run, *copies[:2], line("a", 0), copies[1])) == [
            "loose", "loose", "loose", ("a", 0, 1), "copy", "close a+0"]
    for odd in ("copy", [1, None], {"copy": 1}, None):
        run = line(None, kind="run", late=odd)
        assert shape(events(run, *copies)) == ["loose", "copy", *opened]


def test_frames_never_run_back() -> None:
    found = events(line("a", 5), line("a", 3), line("a", 5), line("a", 6))
    assert shape(found) == [("a", 5, 2), "bad 2 E_ORDER", ("a", 6, 1), "close a+0"]


def test_bad_lines_are_named_and_passed_over() -> None:
    found = events(b"oops", line("a", 0), b"[]", line(None, 1), b"", line("a", 0), line("a", "x"))  # type: ignore[arg-type]
    assert shape(found) == ["bad 1 E_JSON", ("a", 0, 2), "bad 3 E_RECORD", "bad 4 E_RECORD", "bad 7 E_RECORD", "close a+0"]


def test_lines_are_numbered_over_all_chunks() -> None:
    a = line("a", 0)
    found = RecordStream([[a, a, b""], [a, b"{bad", a], [line("a", 1), a, b"[]"]]).events()
    assert shape(list(found)) == [("a", 0, 4), "bad 5 E_JSON", ("a", 1, 1), "bad 8 E_ORDER", "bad 9 E_RECORD", "close a+0"]


def test_a_type_that_is_read_is_checked_whole() -> None:
    found = events(line("a", 0), reads=frozenset({"detection"}))
    assert shape(found) == ["bad 1 E_RECORD"]
    assert "'by', 't', 'xyxy', 'score'" in str(found[0].error)  # type: ignore[attr-defined]


def test_a_newer_vocabulary_stops_the_stream() -> None:
    with pytest.raises(RecordError, match="line 2: record of version 9") as found:
        events(line("a", 0), line("a", 1, v=9))
    assert found.value.code == "E_VERSION"


def test_records_without_a_source_keep_their_place() -> None:
    assert shape(events(line(None, kind="weather"), line("a", 0), line(None, kind="weather"), line("a", 1))) == [
        "loose", ("a", 0, 1), "weather", ("a", 1, 1), "close a+0"]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.one_of(st.none(), st.integers(0, 3)),
                          st.sampled_from(["detection", "media", "end", "tracklet"])), max_size=30),
       st.lists(st.integers(0, 30), max_size=4))
def test_no_line_is_lost_and_chunks_do_not_matter(rows: list[tuple[str, int | None, str]], cuts: list[int]) -> None:
    lines = [line(*row) for row in rows]
    whole = events(*lines)
    parts, begin = [], 0
    for cut in [*sorted(cuts), len(lines)]:
        parts += [lines[begin:cut], IDLE]
        begin = max(begin, cut)
    chunked = [event for event in RecordStream(parts).events() if event is not IDLE]
    assert shape(chunked) == shape(whole)
    kept = [text for event in whole if isinstance(event, (Group, Close)) for text in event.lines]
    kept += [event.line for event in whole if isinstance(event, Loose)]
    unframed = [entry for event in whole if isinstance(event, (Group, Close)) for entry in event.before]
    kept += [entry[0] for entry in unframed if isinstance(entry, tuple)]
    bad = sum(isinstance(entry, BadLine) for entry in [*unframed, *whole])
    assert len(kept) + bad == len(lines)
    opened = [event.source for event in whole if isinstance(event, Close)]
    assert len(opened) == len(set(opened)), "a source closes once"


def test_lines_come_whole_however_they_are_written() -> None:
    read, write = os.pipe()
    os.write(write, b"one\ntw")
    stream = lines_of(read)
    assert next(stream) == [b"one"]
    assert next(stream) is IDLE
    os.write(write, b"o\nlast")
    os.close(write)
    assert [chunk for chunk in stream if chunk is not IDLE] == [[b"two"], [b"last"]]
    os.close(read)
