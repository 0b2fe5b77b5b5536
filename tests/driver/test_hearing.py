"""Records that belong to no frame are heard between the frames where they stood, however many come at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from vtk.driver.link import Item, Link
from vtk.driver.stage import Frame, Record, Source, Stage


class Diary(Stage):
    """Notes what it is given, in order."""

    name = "diary"
    reads = frozenset({"track", "tracklet"})
    batch = 8

    def start(self, source: Source) -> list[Any]:
        return []

    def frames(self, state: list[Any], batch: Sequence[Frame]) -> list[list[Record]]:
        state += [frame.index for frame in batch]
        return [[] for _ in batch]

    def unframed(self, state: list[Any], records: Sequence[Record]) -> list[Record]:
        state += [record["type"] for record in records]
        return [{"type": "note", "after": len(state)}]


def items() -> list[Item]:
    """Return six frames; a tracklet stands before the fourth, made upstream, and one before the sixth, made here."""
    made = [Item(index, records=[{"type": "track", "frame": index}]) for index in range(6)]
    made[3].before = [(b"{}", {"type": "tracklet"})]
    made[5].ahead = [(-1, {"type": "tracklet"})]
    made[4].before = [(b"{}", {"type": "scene"})]  # read by nobody
    return made


@pytest.mark.parametrize("lot", [1, 2, 4, 6])
def test_the_place_between_frames_does_not_follow_the_lots(lot: int) -> None:
    link = Link(0, Diary(), Source("a.mp4"), "records")
    link.start()
    come = items()
    for begin in range(0, len(come), lot):
        link.take(come[begin:begin + lot])
    assert link._state == [0, 1, 2, "tracklet", 3, 4, "tracklet", 5]
    assert [[record["after"] for _, record in item.ahead if record["type"] == "note"] for item in come] == [
        [], [], [], [4], [], [7]]
