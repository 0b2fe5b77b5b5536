"""Frames that a stage picks by their records are decoded; the others come to it all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip

from vtk.driver import items
from vtk.driver.run import run
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import RecordError
from vtk.media.sampling import Sampling
from vtk.records import make

FRAMES = 24
FPS = 12


class Pick(Stage):
    """Picks some frames, and says of each that comes whether it has pixels, and when it is."""

    name = "pick"
    reads = frozenset({"detection"})
    writes = frozenset({"seen"})
    batch = 4

    def __init__(self, wants: Callable[[int], bool]) -> None:
        self.wants = wants
        self.asked: list[tuple[int, float, int]] = []

    def sampling(self, source: Source) -> Sampling:
        """Return the frames with detections."""
        return Sampling(mode="records")

    def picks(self, state: Any, frame: Frame) -> bool:
        """Return whether a frame is wanted."""
        self.asked.append((frame.index, frame.t, len(frame.records)))
        return self.wants(frame.index)

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return one record a frame."""
        return [[make("seen", self.by, **frame.keys(), objects=len(frame.records),
                      pixels=frame.image is not None)] for frame in batch]


class Never(Pick):
    """Fails when it is asked."""

    name = "never"

    def picks(self, state: Any, frame: Frame) -> bool:
        """Refuse a frame."""
        raise RecordError(f"frame {frame.index} is not for me")


class Detect(Stage):
    """Makes a detection of each ``seed``, without pixels."""

    name = "detect"
    reads = frozenset({"seed"})
    writes = frozenset({"detection"})

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return one detection a frame."""
        return [[make("detection", self.by, **frame.keys(), xyxy=[0, 0, 1, 1], score=0.5)] for frame in batch]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_clip(tmp_path / "a.mp4", frames=FRAMES, width=96, height=64, fps=FPS)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the frames that readers are asked for by index, as they are."""
    asked: list[int] = []
    at = items.Pixels.at

    def noted(self: items.Pixels, indices: Any) -> Any:
        def note() -> Any:
            for index in indices:
                asked.append(index)
                yield index

        return at(self, note())

    monkeypatch.setattr(items.Pixels, "at", noted)
    return asked


def detections(path: Path, frames: Sequence[int], kind: str = "detection") -> list[Record]:
    return [make(kind, "x", str(path), frame=frame, t=round(frame / FPS, 6), xyxy=[0, 0, 1, 1], score=0.5)
            for frame in frames]


def seen(records: Sequence[Record]) -> dict[int, bool]:
    """Return for each frame that the stage saw whether it had pixels."""
    return {record["frame"]: record["pixels"] for record in records if record["type"] == "seen"}


def test_what_nobody_picks_is_not_decoded_and_keeps_its_place(clip: Path, decoded: list[int]) -> None:
    stage = Pick(lambda frame: frame in (3, 4, 15))
    came = detections(clip, [1, 2, 3, 4, 4, 9, 15, 20])
    found = list(run([stage], records=came))
    assert seen(found) == {1: False, 2: False, 3: True, 4: True, 9: False, 15: True, 20: False}
    assert decoded == [3, 4, 15, 20], "the last one shows that the source has them all"
    assert stage.asked == [(frame, round(frame / FPS, 6), 2 if frame == 4 else 1) for frame in (1, 2, 3, 4, 9, 15, 20)]
    order = [(record["frame"], record["type"]) for record in found if "frame" in record]
    assert order == [(1, "detection"), (1, "seen"), (2, "detection"), (2, "seen"), (3, "detection"), (3, "seen"),
                     (4, "detection"), (4, "detection"), (4, "seen"), (9, "detection"), (9, "seen"),
                     (15, "detection"), (15, "seen"), (20, "detection"), (20, "seen")]
    assert {record["frame"]: record["t"] for record in found if record["type"] == "seen"}[9] == round(9 / FPS, 6)
    [end] = [record for record in found if record["type"] == "end"]
    assert end["status"] == "ok" and end["frames"] == {"decoded": 3, "processed": 7, "skipped": 0}


def test_nothing_picked_asks_for_the_last_frame_alone(clip: Path, decoded: list[int]) -> None:
    found = list(run([Pick(lambda frame: False)], records=detections(clip, range(FRAMES))))
    assert seen(found) == dict.fromkeys(range(FRAMES), False) and decoded == [FRAMES - 1]


@pytest.mark.parametrize("picked", [True, False])
def test_records_beyond_the_end_are_said_whether_picked_or_not(clip: Path, picked: bool) -> None:
    found = list(run([Pick(lambda frame: picked)], records=detections(clip, [FRAMES - 1, FRAMES, FRAMES + 5])))
    [error] = [record["error"] for record in found if record["type"] == "error"]
    assert error["code"] == "E_FRAME" and "beyond the end" in error["message"]
    assert [record["status"] for record in found if record["type"] == "end"] == ["partial"]


def test_a_frame_that_is_missing_in_the_middle_costs_itself_alone(
        clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The decoder goes on to the next one that is wanted; what lies between comes without pixels."""
    at = items.Pixels.at

    def damaged(self: items.Pixels, indices: Any) -> Any:
        return at(self, (index for index in indices if index != 8))

    monkeypatch.setattr(items.Pixels, "at", damaged)
    found = list(run([Pick(lambda frame: frame % 4 == 0)], records=detections(clip, range(14))))
    assert seen(found) == {frame: frame % 4 == 0 for frame in range(14) if frame != 8}
    assert [record["frame"] for record in found if record["type"] == "detection"] == list(range(14))


def test_an_error_while_picking_is_the_stage_s(clip: Path, decoded: list[int]) -> None:
    found = list(run([Never(lambda frame: True)], records=detections(clip, range(3))))
    [error] = [record["error"] for record in found if record["type"] == "error"]
    assert error["stage"] == "never" and error["message"] == "frame 0 is not for me"
    assert decoded == [2] and [record["type"] for record in found].count("detection") == 3


def test_in_a_pipe_the_stage_picks_the_same(clip: Path) -> None:
    """Where an earlier stage makes what it reads nobody can ask ahead: all is decoded, and asked all the same."""
    def wants(frame: int) -> bool:
        return frame in (3, 15)

    stage = Pick(wants)
    found = list(run([Detect(), stage], records=detections(clip, [2, 3, 15], "seed")))
    assert [frame for frame, _, _ in stage.asked] == [2, 3, 15] and seen(found) == {2: True, 3: True, 15: True}
    ends = [record["frames"] for record in found if record["type"] == "end"]
    assert ends[-1] == {"decoded": 2, "processed": 3, "skipped": 0}, "as in a pipe of processes"


def test_what_one_stage_picks_another_may_leave(clip: Path, decoded: list[int]) -> None:
    first, second = Pick(lambda frame: frame == 3), Pick(lambda frame: frame in (3, 9))
    second.name = "second"
    found = list(run([first, second], records=detections(clip, [2, 3, 9])))
    assert decoded == [3, 9]
    assert [record["pixels"] for record in found if record["type"] == "seen"] == [
        False, False, True, True, True, True]
