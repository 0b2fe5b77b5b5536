"""Frames held back for records that come late."""

from __future__ import annotations

import json

from vtk.driver.chain import Opening, Step
from vtk.driver.hold import Hold
from vtk.driver.link import Item
from vtk.driver.passes import Tally, run_passes, split
from vtk.driver.stage import Stage


class Hindsight(Stage):
    """Notes each frame of detections two frames late, with the number of boxes that the next frame had."""

    name = "hindsight"
    reads = frozenset({"detection"})
    writes = frozenset({"note"})
    opens_media = False
    holds = True
    batch = 1

    def __init__(self, breaks_at=None):
        self.breaks_at = breaks_at

    def start(self, source):
        return []

    def horizon(self, state):
        return state[-1][0]["frame"] - 1 if state else 0

    def frames(self, state, batch):
        out = []
        for frame in batch:
            if frame.index == self.breaks_at:
                raise ValueError("broken")
            out.append([self.note(keys, boxes) for keys, boxes in state[-2:-1]])
            state.append((frame.keys(), len(frame.records)))
        return out

    def end(self, state, ok=True):
        return [self.note(*each) for each in state[-2:]] if ok else []

    @staticmethod
    def note(keys, boxes):
        return {"v": 1, "type": "note", "by": "hindsight", **keys, "boxes": boxes}


def lines(*frames):
    return [json.dumps({"v": 1, "type": "detection", "by": "x", "source": "a.mp4", "frame": frame, "t": frame / 10,
                        "xyxy": [0, 0, 9, 9], "score": 0.5, "label": "dog", "class_id": 1}).encode()
            for frame in frames]


def run(stage, given, internal=False):
    tally = Tally()
    out = []
    for item in run_passes([Step(stage)], None, [given], Opening(), tally, internal=internal):
        if isinstance(item, list):
            out += [json.loads(line) for line in item]
    return out


def test_late_records_stand_with_their_frames():
    out = run(Hindsight(), lines(0, 1, 1, 2, 3, 5, 6))
    assert [(record["type"], record.get("frame")) for record in out[:-1]] == [
        ("detection", 0), ("note", 0), ("detection", 1), ("detection", 1), ("note", 1), ("detection", 2), ("note", 2),
        ("detection", 3), ("note", 3), ("detection", 5), ("note", 5), ("detection", 6), ("note", 6)]
    assert out[4]["boxes"] == 2
    assert (out[-1]["type"], out[-1]["records"]) == ("end", 6)


def test_what_is_held_comes_out_where_the_stage_breaks():
    out = run(Hindsight(breaks_at=5), lines(0, 1, 2, 3, 5, 6), internal=True)
    assert [record["frame"] for record in out if record["type"] == "detection"] == [0, 1, 2, 3, 5, 6]
    assert [record["frame"] for record in out if record["type"] == "note"] == [0, 1]
    assert [record["type"] for record in out[-2:]] == ["error", "end"]


def test_a_frame_without_an_item_gets_one_in_its_place():
    hold = Hold()
    first = [Item(4), Item(-1), Item(7)]
    assert hold.put(first) == []
    hold.add([(0, {"frame": 5}), (0, {"frame": 4}), (0, {"frame": 5}), (0, {"frame": 8}), (0, {"frame": 3})])
    assert [(item.index, len(item.made)) for item in hold.rest()] == [(3, 1), (4, 1), (5, 2), (-1, 0), (7, 0), (8, 1)]
    assert hold.rest() == []


def test_frames_before_the_horizon_are_let_go():
    hold = Hold()
    hold.put([Item(index) for index in range(5)])
    last = Item(5)
    last.horizon = 4
    assert [item.index for item in hold.put([last])] == [0, 1, 2, 3]
    assert [item.index for item in hold.rest()] == [4, 5]


def test_what_follows_a_stage_that_holds_is_another_pass():
    plain, late = Step(Stage()), Step(Hindsight())
    assert split([plain, late, plain, plain]) == [[plain, late], [plain, plain]]
    assert split([late, late]) == [[late], [late]]
