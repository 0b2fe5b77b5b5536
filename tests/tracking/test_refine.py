"""Hindsight: gaps filled, first boxes kept, boxes smoothed, frames in order and a fixed number late."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.records import check
from vtk.tracking import TrackStage
from vtk.tracking.refine import LAG, MAX_FILL, Observation, Refiner, smooth

MEDIA = {"v": 1, "type": "media", "by": "probe", "source": "a.mp4", "kind": "video", "width": 2000, "height": 500,
         "fps": 10.0}


def place(frame, **more):
    return {"source": "a.mp4", "frame": frame, "pts": frame * 512, "t": frame / 10, **more}


def walked(frames, noise=0.0, seed=0, **more):
    """Return a refiner that saw a walker of 5 pixels a frame in ``frames``, reported as track 3."""
    rng = np.random.default_rng(seed)
    refiner = Refiner()
    for frame in frames:
        refiner.see(place(frame, **more))
        x = 5.0 * frame + rng.normal(0, noise) if noise else 5.0 * frame
        refiner.add(9, place(frame, **more), [x, 50.0, x + 40, 150.0], 0.8, {"xyxy": [x, 50.0, x + 40, 150.0]})
    refiner.report(9, 3)
    return refiner


def all_of(refiner):
    refiner.end([3], [])
    told, complete = refiner.final(None)
    assert complete == [3]
    return told


@pytest.mark.parametrize(("missing", "filled"), [(1, True), (MAX_FILL, True), (MAX_FILL + 1, False)])
def test_fills_short_gaps_alone(missing, filled):
    frames = [*range(10), *range(10 + missing, 20 + missing)]
    told = all_of(walked(frames))
    assert [seen.frame for _, seen, _ in told] == (list(range(20 + missing)) if filled else frames)
    assert [seen.frame for _, seen, _ in told if seen.others is None] == (
        list(range(10, 10 + missing)) if filled else [])
    for _, seen, box in told:  # the walk is a straight line: smoothed or filled, boxes lie on it
        assert box == pytest.approx([5 * seen.frame, 50, 5 * seen.frame + 40, 150], abs=0.011)
        assert seen.place["t"] == pytest.approx(seen.frame / 10)


def test_fills_frames_that_were_looked_at_alone():
    told = all_of(walked([0, 5, 20, 25], step=5))
    assert [seen.frame for _, seen, _ in told] == [0, 5, 10, 15, 20, 25]
    assert told[2][1].place == {"source": "a.mp4", "frame": 10, "t": 1.0, "step": 5}


def test_a_frame_that_was_seen_keeps_its_timestamp():
    refiner = walked([0, 1])
    refiner.see(place(2))
    refiner.add(9, place(3), [15.0, 50.0, 55.0, 150.0], 0.4, {"xyxy": [15.0, 50.0, 55.0, 150.0]})
    told = all_of(refiner)
    assert told[2][1].place == place(2)
    assert told[2][1].score == pytest.approx(0.6)


def test_smoothing_halves_the_noise_and_keeps_the_motion():
    told = all_of(walked(range(200), noise=3.0))
    error = np.array([box[0] - 5 * seen.frame for _, seen, box in told[10:-10]])
    # Tricube weights over 13 boxes leave about 0.35 of the deviation; half leaves room for the draw.
    assert error.std() < 0.5 * 3.0
    assert abs(error.mean()) < 0.5


def test_smoothing_of_one_box_is_that_box():
    alone = Observation(place(4), np.array([30.0, 100, 40, 100]), 0.0, {})
    assert smooth([alone], 0) == [10.0, 50.0, 50.0, 150.0]


def test_frames_are_final_after_a_fixed_lag():
    refiner = walked(range(60))
    told, complete = refiner.final(59)
    assert [seen.frame for _, seen, _ in told] == list(range(60 - LAG)) and complete == []
    assert [seen.frame for _, seen, _ in refiner.final(60)[0]] == [60 - LAG]


def test_what_is_never_reported_is_never_told():
    refiner = Refiner()
    refiner.see(place(0))
    refiner.add(1, place(0), [0.0, 0.0, 9.0, 9.0], 0.9, {"xyxy": [0.0, 0.0, 9.0, 9.0]})
    refiner.end([], [1])
    assert refiner.final(None) == ([], [])


def detection(frame, x, score=0.9, **more):
    return {"v": 1, "type": "detection", "by": "detect/x", "source": "a.mp4", "frame": frame, "pts": frame * 512,
            "t": frame / 10, "xyxy": [x, 50.0, x + 40, 150.0], "score": score, "label": "person", "class_id": 0, **more}


def drive(stage, frames):
    """Return the records of each call, and those of the end, of a stage fed one frame a call."""
    source = Source("a.mp4", "records", media=MEDIA)
    assert stage.sampling(source).mode == "none"
    state = stage.start(source)
    made, horizons = [], []
    for index, records in frames.items():
        made.append(stage.frames(state, [Frame(source, index, index / 10, index * 512, records=records)])[0])
        horizons.append(stage.horizon(state))
    return made, horizons, stage.end(state)


def test_the_stage_tells_refined_tracks_in_order():
    frames = {index: [] if 20 <= index < 26 else [detection(index, 5.0 * index)] for index in range(60)}
    frames[3].append(detection(3, 600.0))  # a track of its own from frame 3 to 6
    frames |= {index: [*frames[index], detection(index, 600.0)] for index in (4, 5, 6)}
    made, horizons, end = drive(TrackStage(refine=True), frames)
    for records, horizon, frame in zip(made, horizons, frames, strict=True):
        assert horizon == frame - LAG + 1
        assert all(record["frame"] < horizon for record in records if record["type"] == "track")
    records = [record for part in (*made, end) for record in part]
    for record in records:
        check(record)
    walker = [record for record in records if record["type"] == "track" and record["track_id"] == 1]
    assert [record["frame"] for record in walker] == list(range(60))
    assert [record["frame"] for record in walker if record.get("filled")] == list(range(20, 26))
    assert {record["label"] for record in walker} == {"person"} and all("det_xyxy" not in record for record in walker)
    # The other's first box came before it was confirmed: online it is not told.
    other = [record["frame"] for record in records if record["type"] == "track" and record["track_id"] == 2]
    assert other == [3, 4, 5, 6]
    tracklets = {record["track_id"]: record for record in records if record["type"] == "tracklet"}
    assert (tracklets[1]["observations"], tracklets[1]["start_frame"], tracklets[1]["end_frame"]) == (54, 0, 60)
    assert (tracklets[2]["observations"], tracklets[2]["start_frame"]) == (4, 3)
    plain = drive(TrackStage(), frames)[0]
    assert [record["frame"] for part in plain for record in part
            if record["type"] == "track" and record["track_id"] == 2] == [4, 5, 6]


def test_keeps_detections_where_there_are_any():
    frames = {index: [detection(index, 5.0 * index)] if index != 5 else [] for index in range(12)}
    made, _, end = drive(TrackStage(refine=True, keep_detections=True), frames)
    tracks = [record for part in (*made, end) for record in part if record["type"] == "track"]
    assert [record.get("det_xyxy") for record in tracks] == [
        None if frame == 5 else [5.0 * frame, 50.0, 5.0 * frame + 40, 150.0] for frame in range(12)]


def test_with_tracklets_only_no_track_is_told():
    frames = {index: [detection(index, 5.0 * index)] for index in range(40)}
    made, _, end = drive(TrackStage(refine=True, tracklets_only=True), frames)
    assert not any(made) and [record["type"] for record in end] == ["tracklet"]
