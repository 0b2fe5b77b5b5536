"""Verdicts along tracks: what is a flip, hand-counted; and that fusing has fewer of them on filmed faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vtk.liveness import bench
from vtk.liveness.flips import Counts, count
from vtk.liveness.replay import Plan, film, truth_path
from vtk.records import Record

SQUARE = [[0, 0], [100, 0], [100, 100], [0, 100]]
TRUTH: dict[str, Any] = {"fps": 25, "takes": [
    {"kind": "live", "start_frame": 0, "end_frame": 10, "corners": [SQUARE] * 10},
    {"kind": "replay", "start_frame": 20, "end_frame": 30, "corners": [SQUARE] * 10}]}


def face(frame: int, score: float, track: int = 1, xyxy: tuple[int, ...] = (40, 40, 60, 60), *reasons: str) -> Record:
    """Return a face record with the verdict of its own score."""
    verdict = "unsure" if reasons or 0.2 <= score < 0.8 else "live" if score >= 0.8 else "spoof"
    return {"type": "face", "frame": frame, "t": frame / 25, "xyxy": list(xyxy), "live_score": score, "track_id": track,
            "verdict": verdict, "thresholds": [0.2, 0.8], **({"reasons": list(reasons)} if reasons else {})}


def test_flips_and_reversals_are_counted_by_hand() -> None:
    counts = Counts()
    counts.add(["live", "unsure", "spoof", "spoof", "live", "live"], "live")
    assert (counts.verdicts, counts.flips, counts.reversals, counts.wrong, counts.unsure) == (6, 3, 2, 2, 1)
    assert counts.wrong_live == 2


def test_fused_verdicts_do_not_reverse_where_single_ones_do() -> None:
    scores = [0.95, 0.95, 0.1, 0.95, 0.5, 0.95]
    tally = count([face(frame, score) for frame, score in enumerate(scores)], TRUTH, window=3)
    assert tally.tracks == {"live": 1}
    assert tally.ways["frame"] == Counts(6, flips=4, reversals=2, wrong=1, wrong_live=1, unsure=1)
    # Log-odds 2.94, -2.20 and 0: of all so far live, live, 0.77 unsure, 0.84 live, 0.79 unsure, 0.83 live; of the
    # last three 0.77 from the third on, once with all three kinds 0.56.
    assert tally.ways["prefix"] == Counts(6, flips=4, reversals=0, wrong=0, unsure=2)
    assert tally.ways["window"] == Counts(6, flips=2, reversals=0, wrong=0, unsure=3)


def test_a_frame_with_reasons_does_not_count_towards_the_fused_verdict() -> None:
    tally = count([face(0, 0.95), face(1, 0.0, 1, (40, 40, 60, 60), "blurred"), face(2, 0.95)], TRUTH, window=9)
    assert tally.ways["frame"] == Counts(3, flips=2, unsure=1)
    assert tally.ways["prefix"] == Counts(3)


def test_faces_beside_the_picture_and_tracks_over_two_takes_do_not_count() -> None:
    beside, between = face(1, 0.0, 2, (140, 40, 160, 60)), face(15, 0.0, 3)
    mixed = [face(2, 0.9, 4), face(25, 0.9, 4)]
    tally = count([beside, between, *mixed, face(21, 0.9, 5), {"type": "face_track"}], TRUTH, window=5)
    assert (tally.outside, tally.mixed, tally.tracks) == (2, 1, {"spoof": 1})
    assert tally.ways["frame"] == Counts(1, wrong=1)


def test_the_verdict_on_a_track_flips_less_than_those_on_frames(shared: Path, tmp_path: Path) -> None:
    folder = shared / "data" / "face-antispoof" / "benchmarks" / "real"
    clip = tmp_path / "clip.mp4"
    truth = film([str(folder / "person91.jpg")], clip, Plan(seconds=2))
    truth_path(clip).write_text(json.dumps(truth))
    rows = {row["gates"] + " " + row["verdict_of"]: row for row in bench.flips([str(clip)], 2, 0)}
    assert rows["on frame"]["tracks"] == {"live": 1, "spoof": 1} and rows["on frame"]["tracks_mixed"] == 0
    assert rows["on prefix"]["flips"] < rows["on frame"]["flips"]
    assert rows["on window"]["flips"] < rows["on frame"]["flips"]
    assert rows["off prefix"]["flips"] <= rows["off frame"]["flips"]
    assert rows["on prefix"]["wrong"] == rows["on frame"]["wrong"] == 0


def test_without_gates_a_verdict_is_of_the_score_alone() -> None:
    assert bench.ungated(face(0, 0.9, 1, (40, 40, 60, 60), "blurred")) == face(0, 0.9)
    assert bench.ungated({"type": "face_track", "reasons": ["dark"]}) == {"type": "face_track", "reasons": ["dark"]}


def test_a_command_that_fails_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["flips", str(tmp_path / "none.jpg")]) == 1
    assert capsys.readouterr().err.startswith("bench: ")
