"""The work on one source: how many frames go through the stages together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vtk.driver.chain import Opening, Step
from vtk.driver.link import error_record
from vtk.driver.passes import Tally, run_passes
from vtk.driver.run import run
from vtk.driver.source_run import CHUNK_LINES
from vtk.driver.stage import Frame, Record, Stage
from vtk.errors import VtkError
from vtk.records import dump, make


class Count(Stage):
    """Says how many records each frame has, and remembers how many frames came together."""

    name = "count"
    reads = frozenset({"detection"})
    batch = 10_000

    def __init__(self) -> None:
        self.calls: list[list[int]] = []

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return one record a frame."""
        self.calls.append([len(frame.records) for frame in batch])
        return [[make("count", "count", **frame.keys(), objects=len(frame.records))] for frame in batch]


@pytest.mark.parametrize("crowd", [1, 50, CHUNK_LINES + 1])
def test_crowded_frames_go_through_in_smaller_chunks(crowd: int) -> None:
    frames = 2 + 4000 // crowd
    stage = Count()
    came = [make("detection", "x", "a", frame=frame, t=frame / 25, xyxy=[0, 0, 1, 1], score=0.5)
            for frame in range(frames) for _ in range(crowd)]
    made = [(record["frame"], record["objects"]) for record in run([stage], records=came) if record["type"] == "count"]
    assert made == [(frame, crowd) for frame in range(frames)]
    assert all(sum(call[:-1]) < CHUNK_LINES for call in stage.calls), "a chunk ends at the frame that fills it"
    assert len(stage.calls) > 1


class Warn(Stage):
    """Warns at the end of a source, and goes on."""

    name = "warn"
    reads = frozenset({"detection"})

    def end(self, state: Any, ok: bool = True) -> list[Record]:
        """Return a warning."""
        return [error_record(self.by, self.name, VtkError("something was left out", code="E_CROWDED"), "a")]


def test_a_warning_is_told_and_is_no_failure() -> None:
    told: list[tuple[str, str | None, str]] = []
    tally = Tally(hear=lambda stage, source, error: told.append((stage, source, f"{error.code} {error}")))
    came = [make("detection", "x", "a", frame=0, t=0.0, xyxy=[0, 0, 1, 1], score=0.5)]
    made = [line for item in run_passes([Step(Warn())], None, [[dump(record) for record in came]], Opening(), tally)
            if isinstance(item, list) for line in item]
    assert told == [("warn", "a", "E_CROWDED something was left out")]
    assert not tally.troubled and tally.failed == 0
    assert sum(b'"E_CROWDED"' in line for line in made) == 1 and b'"status":"ok"' in made[-1]
