"""What a run gives at its end, announced at its head and told to who wants it before its first source."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from naming import NameTracks

from vtk.driver.chain import OfRun, Opening, Step
from vtk.driver.late import LOT, Late
from vtk.driver.lines import IDLE
from vtk.driver.passes import Begin, Tally, run_passes, split, told
from vtk.driver.stage import Stage
from vtk.errors import RecordError, VtkError
from vtk.sorting import Sorter

RUN = {"v": 1, "type": "run", "by": "name-tracks", "late": ["identity"]}


class Reader(Stage):
    """Lets all pass and keeps what it was told and what it saw, in order."""

    name = "reader"
    reads = frozenset({"track"})
    late = frozenset({"identity"})
    sink = tee = True
    opens_media = False

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def told(self, records: Any) -> None:
        """Keep who is who."""
        self.heard += [(record["source"], record["track_id"], record["identity"]) for record in records]

    def frames(self, state: Any, batch: Any) -> list[list[Any]]:
        """Keep what came."""
        self.heard += [f"{frame.source.name}{frame.index}" for frame in batch]
        return [[] for _ in batch]


class Plain(Stage):
    """Reads tracks and adds nothing."""

    name = "plain"
    reads = frozenset({"track"})
    opens_media = False


def line(kind: str, source: str | None = None, /, **keys: Any) -> bytes:
    record = {"v": 1, "type": kind, "by": keys.pop("by", "x"), "source": source, **keys}
    return json.dumps({key: value for key, value in record.items() if value is not None}, separators=(",", ":")).encode()


def tracks(source: str, frames: int = 2, ids: Iterable[int] = (1, 2)) -> list[bytes]:
    """Return the lines of a source: media, tracks, end."""
    return [line("media", source, kind="video", width=9, height=9),
            *(line("track", source, frame=frame, t=frame / 10, xyxy=[0, 0, 9, 9], score=0.5, track_id=track_id)
              for frame in range(frames) for track_id in ids),
            line("end", source, status="ok", frames={"decoded": 0, "processed": 0, "skipped": 0}, records=4)]


def through(*stages: Stage | Step, given: Iterable[list[bytes] | None], tally: Tally | None = None) -> list[bytes]:
    """Return the lines that come out of a pipe."""
    steps = [stage if isinstance(stage, Step) else Step(stage) for stage in stages]
    items = run_passes(steps, None, given, Opening(), tally or Tally(), internal=False)
    return [line for item in items if isinstance(item, list) for line in item]


def said(lines: Iterable[bytes]) -> list[Any]:
    """Return lines in short: type, with the source and frame, or with what a run announces."""
    records = [json.loads(line) for line in lines]
    return [(record["type"], *record["late"], *(record[key] for key in ("status", "records") if key in record)) if record["type"] == "run" else
            f"{record['type']} {record.get('source', '')}{record.get('frame', '')}".rstrip() for record in records]


def named(*sources: str) -> list[bytes]:
    """Return what ``name-tracks`` makes of sources."""
    return through(NameTracks(), given=[[each for source in sources for each in tracks(source)]])


def complaints() -> tuple[Tally, list[str]]:
    heard: list[str] = []
    return Tally(hear=lambda stage, source, error: heard.append(f"{stage}: {error.code} {error}")), heard


# How it is announced.

def test_a_run_is_announced_once_behind_the_media_record() -> None:
    out = said(named("a", "b"))
    assert out[:4] == ["media a", ("run", "identity"), "track a0", "track a0"]
    assert [each for each in out if isinstance(each, tuple)] == [("run", "identity"), ("run", "identity", "ok", 4)]
    assert out[-3:] == ["identity b", "identity b", ("run", "identity", "ok", 4)] and out.index("identity a") > out.index("end b")
    assert json.loads(named("a")[1]) == RUN


def test_it_comes_before_a_frame_never_in_it() -> None:
    out = said(through(NameTracks(), given=[tracks("a")[1:]]))
    assert out[:3] == [("run", "identity"), "track a0", "track a0"]


def test_nothing_is_announced_where_nothing_will_come() -> None:
    other = [line("media", "a", kind="image", width=1, height=1), line("weather", "a", frame=3)]
    assert through(NameTracks(), given=[other]) == other
    assert through(NameTracks(), given=[]) == [] == through(NameTracks(), given=[IDLE, []])
    out = said(through(NameTracks(), given=[[*other, *tracks("b")]]))
    assert out.index(("run", "identity")) == 3, "after a source in which there is nothing to name"


def test_only_keeps_what_is_ones_own() -> None:
    assert said(through(Step(NameTracks(), only=True), given=[tracks("a")]))[0] == ("run", "identity")
    out = said(through(Step(NameTracks()), Step(Plain(), only=True), given=[tracks("a")]))
    assert out == ["end a"]


def test_it_concerns_the_whole_run_whatever_source_is_open() -> None:
    items = list(run_passes([Step(NameTracks())], None, [tracks("a")], Opening(), Tally()))
    [aside] = [item for item in items if isinstance(item, OfRun)]
    assert json.loads(aside[0]) == RUN
    assert items.index(aside) > items.index(Begin("a"))


def test_other_commands_announce_nothing() -> None:
    given = [each for source in "ab" for each in tracks(source)]
    assert not [each for each in through(Plain(), given=[given]) if b'"run"' in each]


# How it is told.

def test_it_is_told_before_the_first_frame_and_all_passes_as_it_was() -> None:
    reader, given = Reader(), named("a", "b")
    given[3:3] = [b'{"type":"weather","source":"a","frame":0,"sky":[1,  2.50]}']
    given[5:5] = [b'{"type":"mood"}']
    tally, heard = complaints()
    out = through(reader, given=[given[:4], IDLE, given[4:9], given[9:]], tally=tally)
    assert reader.heard == [("a", 1, 7), ("a", 2, 7), ("b", 1, 7), ("b", 2, 7), "a0", "a1", "b0", "b1"]
    assert [each for each in out if b'"reader"' not in each] == given
    assert not tally.troubled and not heard


def test_in_one_process_it_is_the_same() -> None:
    given = [each for source in "abc" for each in tracks(source)]
    apart, fused, other = Reader(), Reader(), Reader()
    lines = through(apart, given=[through(NameTracks(), given=[given])])
    assert through(NameTracks(), fused, given=[given]) == lines
    assert through(NameTracks(), Plain(), other, given=[given[:5], IDLE, given[5:]])
    assert apart.heard == fused.heard == other.heard
    assert apart.heard[0] == ("a", 1, 7) and apart.heard[6] == "a0"


def test_passes_begin_where_something_is_told() -> None:
    namer, plain, reader = Step(NameTracks()), Step(Plain()), Step(Reader())
    assert split([plain, namer, plain, reader, plain]) == [[plain, namer, plain], [reader, plain]]
    assert split([plain, reader]) == [[plain, reader]]
    assert split([namer, Step(Plain(), only=True), reader])[1:] == [], "it drops what would be told"
    only = Step(NameTracks(), only=True)
    assert split([only, reader]) == [[only], [reader]]
    assert told([plain, namer, reader]) == [frozenset(), frozenset(), frozenset({"identity"})]


def test_behind_a_step_that_drops_it_nothing_is_told() -> None:
    """In the shell it would not come that far."""
    reader = Reader()
    through(Step(Plain(), only=True), reader, given=[named("a")])
    assert not [each for each in reader.heard if isinstance(each, tuple)]
    through(Step(Plain()), reader, given=[named("a")])
    assert ("a", 1, 7) in reader.heard


def watched(chunks: Iterable[list[bytes] | None], taken: list[int]) -> Iterator[list[bytes] | None]:
    for number, chunk in enumerate(chunks):
        taken.append(number)
        yield chunk


@pytest.mark.parametrize("announced", [False, True])
def test_without_the_announcement_it_streams(announced: bool) -> None:
    given = [each for each in named("a", "b", "c") if announced or b'"run"' not in each]
    taken: list[int] = []
    items = run_passes([Step(Reader())], None, watched([[each] for each in given], taken), Opening(), Tally())
    next(item for item in items if isinstance(item, list) and any(b'"track"' in each for each in item))
    assert len(taken) == len(given) if announced else len(taken) < len(given) / 2


def test_two_runs_one_after_the_other() -> None:
    reader, (tally, heard) = Reader(), complaints()
    given = [*named("a", "b"), *named("c")]
    out = through(reader, given=[given], tally=tally)
    assert reader.heard == [("a", 1, 7), ("a", 2, 7), ("b", 1, 7), ("b", 2, 7), "a0", "a1", "b0", "b1",
                            ("c", 1, 7), ("c", 2, 7), "c0", "c1"]
    assert [each for each in out if b'"reader"' not in each] == given
    assert not heard and not tally.troubled
    for cut in range(0, len(given), 7):  # however it comes in
        other = Reader()
        assert through(other, given=[given[:cut], IDLE, given[cut:]]) == out and other.heard == reader.heard
    again = Reader()
    through(again, given=[[*tracks("z"), *given]], tally=tally)
    assert again.heard[:3] == ["z0", "z1", ("a", 1, 7)] and not tally.troubled, "what no run is about streams"


def test_who_is_who_may_come_first() -> None:
    reader = Reader()
    lines = named("a", "b")
    mine = [json.dumps(json.loads(each)).encode() for each in lines
            if b'"type":"run"' in each or b'"type":"identity"' in each]
    lines = [each for each in lines if b'"type":"run"' not in each and b'"type":"identity"' not in each]
    assert len(mine) == 6
    tally, heard = complaints()
    taken: list[int] = []
    items = run_passes([Step(Reader())], None, watched([[each] for each in [*mine, *lines]], taken), Opening(), Tally())
    next(item for item in items if isinstance(item, list) and any(b'"track"' in each for each in item))
    assert len(taken) < len([*mine, *lines]) - 6, "then nothing is to be waited for"
    through(reader, given=[[*mine, *lines]], tally=tally)
    assert reader.heard[:4] == [("a", 1, 7), ("a", 2, 7), ("b", 1, 7), ("b", 2, 7)] and not heard


BROKE = "name-tracks broke off before the identity records that it announced for its end: going on without them"


@pytest.mark.parametrize(("cut", "what"), [
    (lambda lines: lines[:4], BROKE),
    (lambda lines: lines[:-5], BROKE),
    (lambda lines: lines[:-2], BROKE),
    (lambda lines: [*lines, *named("c", "d")[:-5]], BROKE),
    (lambda lines: [*named("c")[:3], *lines], BROKE),
    (lambda lines: [*lines[:-5], lines[-1].replace(b'"ok","records":4', b'"failed","records":0')], BROKE),
    (lambda lines: [each for each in lines if b'"type":"identity"' not in each],
     "none of 4 identity records came: something dropped them on the way; going on without them"),
])
def test_what_does_not_come_is_said_in_one_line(cut: Callable[[list[bytes]], list[bytes]], what: str) -> None:
    reader, (tally, heard) = Reader(), complaints()
    given = cut(named("a", "b"))
    out = through(reader, given=[given], tally=tally)
    assert heard == [f"reader: E_LATE {what}"]
    assert tally.troubled and "a0" in reader.heard
    assert [each for each in out if b'"reader"' not in each] == given
    assert [json.loads(each)["error"]["code"] for each in out if b'"error"' in each] == ["E_LATE"]


def test_a_run_without_anything_to_name_is_whole() -> None:
    nobody = [line("media", "a", kind="image", width=1, height=1),
              line("end", "a", by="track", status="ok", frames={"decoded": 1, "processed": 1, "skipped": 0}, records=0,
                   types=["track"])]
    given = through(NameTracks(), given=[nobody])
    assert said(given) == ["media a", ("run", "identity"), "end a", "end a", ("run", "identity", "ok", 0)]
    tally, heard = complaints()
    through(Reader(), given=[given], tally=tally)
    assert not heard and not tally.troubled


def test_an_announcement_that_comes_too_late_is_said() -> None:
    lines = named("a", "b")
    mine = [each for each in lines if b'"run"' in each or b'"type":"identity"' in each]
    reader, (tally, heard) = Reader(), complaints()
    through(reader, given=[[*(each for each in lines if each not in mine), *mine]], tally=tally)
    assert reader.heard[:4] == ["a0", "a1", "b0", "b1"]
    assert len(heard) == 1 and "2 sources, the first a, came before the run record" in heard[0] and "sort" in heard[0]
    sorter = Sorter()
    for each in [*(each for each in lines if each not in mine), *mine]:
        sorter.add(each)
    ordered = list(sorter.sorted())
    assert said(ordered)[:2] == [("run", "identity"), "media a"]
    assert said(ordered)[-2:] == ["identity b", ("run", "identity", "ok", 4)]
    again, (tally, heard) = Reader(), complaints()
    through(again, given=[ordered], tally=tally)
    assert again.heard[:5] == [("a", 1, 7), ("a", 2, 7), ("b", 1, 7), ("b", 2, 7), "a0"] and not heard


def test_bad_lines_keep_their_numbers_and_are_not_told() -> None:
    given = [*tracks("a")[:1], b'{"v":1,"type":"run","by":"x","late":"identity"}', b"oops", *named("b"),
             line("identity", "b", track_id=1, identity=-7, score=0.5)]
    reader, (tally, heard) = Reader(), complaints()
    out = through(reader, given=[given], tally=tally)
    errors = [json.loads(each) for each in out if b'"type":"error"' in each]
    assert [error["line"] for error in errors] == [2, 3, len(given)] and len(heard) == 3
    assert [each for each in reader.heard if isinstance(each, tuple)] == [("b", 1, 7), ("b", 2, 7)]


def test_an_upstream_of_other_late_records_is_not_waited_for() -> None:
    taken: list[int] = []
    given = [line("run", by="detect-copy", late=["copy"]), *tracks("a"), *tracks("b")]
    items = run_passes([Step(Reader())], None, watched([[each] for each in given], taken), Opening(), Tally())
    next(item for item in items if isinstance(item, list) and any(b'"track"' in each for each in item))
    assert len(taken) < len(given)


# What it costs, and what stays behind.

def late(chunks: Iterable[list[bytes] | None], stage: Stage | None = None) -> Late:
    def refuse(error: RecordError) -> None:
        raise error

    return Late(chunks, [stage or Reader()], refuse)


def test_memory_is_bounded_and_lots_are_handed_over() -> None:
    """40,000 names and 30 MB of lines: what stays are the sources and a lot at a time."""
    lots: list[int] = []

    class Counting(Reader):
        def told(self, records: Any) -> None:
            lots.append(len(records))

    pad = "x" * 3000

    def chunks() -> Iterator[list[bytes]]:
        yield [line("run", by="reid", late=["identity"])]
        for _ in range(100):
            yield [line("weather", "a", frame=0, pad=pad) for _ in range(100)]
        for begin in range(0, 40_000, 500):
            yield [line("identity", "a", track_id=begin + more, identity=1, score=0.5) for more in range(500)]
        yield [line("run", by="reid", late=["identity"], status="ok", records=40_000)]

    tracemalloc.start()
    count = sum(len(chunk) for chunk in late(chunks(), Counting()).chunks() if chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2 + 10_000 + 40_000
    assert sum(lots) == 40_000 and max(lots) == LOT
    assert peak < 16 << 20, "a lot of 4,096 small records, and what is written or read at a time"


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("end", ["close", "error", "interrupt", "done"])
def test_nothing_stays_behind(end: str) -> None:
    before = open_files()

    def chunks() -> Iterator[list[bytes] | None]:
        yield named("a")[:-1]
        yield IDLE
        if end in ("error", "interrupt"):
            raise VtkError("gone") if end == "error" else KeyboardInterrupt
        yield named("a")[-1:]

    spool = late(chunks()).chunks()
    assert next(spool) == named("a")[:1]
    assert next(spool) is IDLE
    assert next(spool) is IDLE
    assert open_files() == before + 1
    if end == "close":
        spool.close()
    elif end == "done":
        assert sum(spool, []) == named("a")[1:]
    else:
        with pytest.raises(VtkError if end == "error" else KeyboardInterrupt):
            next(spool)
    assert open_files() == before


def test_lines_come_out_as_they_went_in() -> None:
    """Blank ones, long ones, ones without end, chunks of none."""
    odd = [b"", b" ", b'{"type":"weather"}', b"\xff\xfe", b"x" * 600_000, b"\r", b'"identity"', b'"end"']
    chunks = [[line("run", by="reid", late=["identity"])], [], odd, IDLE, [b""], odd[::-1],
              [line("identity", "a", track_id=1, identity="anna", score=1)],
              [line("run", by="reid", late=["identity"], status="ok", records=1), b'{"last"']]
    out = [each for chunk in late(chunks).chunks() for each in chunk or ()]
    assert out == [each for chunk in chunks for each in chunk or ()]


def test_no_room_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/proc/nowhere")
    with pytest.raises(VtkError, match="cannot put records by in /proc/nowhere .*: No such file.*TMPDIR") as caught:
        list(late([named("a")]).chunks())
    assert caught.value.code == "E_SPOOL"
