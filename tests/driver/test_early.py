"""What is known of a whole source, and wanted before its first frame."""

from __future__ import annotations

import errno
import json
from typing import Any

import pytest

from vtk.driver import passes
from vtk.driver.chain import Opening, Step
from vtk.driver.passes import Tally, run_passes, split
from vtk.driver.stage import Stage
from vtk.errors import VtkError
from vtk.records import make
from vtk.sorting import Sorter


class Finder(Stage):
    """Reads tracks and gives a copy at a source's end."""

    name = "finder"
    reads = frozenset({"track"})
    writes = frozenset({"copy"})
    opens_media = False

    def end(self, state: Any, ok: bool = True) -> list[Any]:
        """Return the copy."""
        return [make("copy", self.by, "a", ref="r", start=0, end=1, ref_start=0, ref_end=1, score=1)]


class Shower(Stage):
    """Keeps what it saw, in order."""

    name = "shower"
    reads = frozenset({"copy", "weather"})
    early = frozenset({"copy"})
    sink = tee = True
    opens_media = False

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def unframed(self, state: Any, records: Any) -> list[Any]:
        """Keep what came."""
        self.seen += [record["type"] for record in records]
        return []

    def frames(self, state: Any, batch: Any) -> list[list[Any]]:
        """Keep what came."""
        self.seen += [frame.index for frame in batch]
        return [[] for _ in batch]


def line(kind: str, source: str | None = "a", /, **keys: Any) -> bytes:
    return json.dumps({"v": 1, "type": kind, "by": "x", **({"source": source} if source else {}), **keys}).encode()


COPY = line("copy", ref="r", start=0, end=1, ref_start=0, ref_end=1, score=1)
FRAMES = [line("weather", frame=frame, t=frame / 10) for frame in range(3)]
TRACK = line("track", frame=0, t=0, xyxy=[0, 0, 9, 9], score=1, track_id=1)


def test_a_pass_begins_where_it_is_wanted_and_something_gives_it() -> None:
    finder, shower, plain = Step(Finder()), Step(Shower()), Step(Stage())
    assert split([plain, finder, plain, shower, plain]) == [[plain, finder, plain], [shower, plain]]
    assert split([plain, shower, finder]) == [[plain, shower, finder]]
    assert split([finder, shower, shower]) == [[finder], [shower, shower]]
    only = Step(Stage(), only=True)
    assert split([finder, only, shower]) == [[finder, only, shower]], "it is dropped on the way"


def test_it_is_heard_before_the_frames_wherever_it_stands_before_them() -> None:
    media = line("media", kind="video", width=9, height=9)
    for lines in ([COPY, *FRAMES], [media, COPY, *FRAMES], [COPY, media, *FRAMES]):
        shower = Shower()
        out = [each for item in run_passes([Step(shower)], None, [lines], Opening(), Tally()) if isinstance(item, list)
               for each in item]
        assert shower.seen == ["copy", 0, 1, 2] and sorted(out[:len(lines)]) == sorted(lines)


def test_in_one_process_it_is_as_in_two() -> None:
    """What one stage gives at a source's end and the other wants first is sorted in between, as by vtk sort."""
    fused, piped = Shower(), Shower()
    quiet = [TRACK]
    tally = Tally()
    one = [each for item in run_passes([Step(Finder()), Step(fused)], None, [quiet], Opening(), tally)
           if isinstance(item, list) for each in item]
    first = [each for item in run_passes([Step(Finder())], None, [quiet], Opening(), tally)
             if isinstance(item, list) for each in item]
    sorter = Sorter()
    for each in first:
        sorter.add(each)
    two = [each for item in run_passes([Step(piped)], None, [list(sorter.sorted())], Opening(), tally)
           if isinstance(item, list) for each in item]
    assert one == two and fused.seen == piped.seen == ["copy"] and not tally.troubled


def test_sort_puts_copies_before_the_frames_of_their_source_unless_they_are_of_a_run() -> None:
    def ordered(*lines: bytes) -> list[bytes]:
        sorter = Sorter()
        for each in lines:
            sorter.add(each)
        return list(sorter.sorted())

    media, end = line("media", kind="video", width=9, height=9), line("end", status="ok")
    text = line("text_track", start=0, end=1, track_id=1, text="x", score=1, observations=1)
    other = line("weather", "b", frame=0)
    assert ordered(other, text, *FRAMES, COPY, end, media) == [other, media, COPY, *FRAMES, text, end]
    run, came = line("run", None, late=["copy"]), line("run", None, late=["copy"], status="ok", records=1)
    assert ordered(run, *FRAMES, COPY, end, media, came) == [run, media, *FRAMES, end, COPY, came]


def test_what_is_wanted_early_comes_before_the_frames_of_the_next_pass() -> None:
    shower = Shower()
    stages = [Step(Finder()), Step(shower)]
    lines = [line("media", kind="video", width=9, height=9), TRACK, *FRAMES[1:],
             line("weather", "b", frame=0, t=0.0)]
    out = [json.loads(each) for item in run_passes(stages, None, [lines], Opening(), Tally())
           if isinstance(item, list) for each in item]
    assert shower.seen == ["copy", 1, 2, 0]
    assert [(record["type"], record.get("frame")) for record in out if record["source"] == "a"][:4] == [
        ("media", None), ("copy", None), ("track", 0), ("weather", 1)]


def test_a_full_disk_between_passes_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full:
        def __init__(self, *given: object, **named: object) -> None: ...
        def __enter__(self) -> Full:
            return self
        def __exit__(self, *error: object) -> None: ...
        def write(self, data: bytes) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(passes, "SpooledTemporaryFile", Full)
    with pytest.raises(VtkError, match="No space left.*TMPDIR") as error:
        list(run_passes([Step(Finder()), Step(Shower())], None, [[TRACK]], Opening(), Tally()))
    assert error.value.code == "E_SPOOL"
