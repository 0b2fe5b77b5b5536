"""What the tracking stage does beside plain boxes: the camera, embeddings, options, and input that is odd."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.errors import RecordError, UsageError
from vtk.records import check
from vtk.tracking import TRACKERS, TrackStage
from vtk.tracking.stage import FLOW

FPS = 10.0


def detection(frame, x, y=100.0, **more):
    return {"v": 1, "type": "detection", "by": "detect/x", "source": "a.mp4", "frame": frame, "t": frame / FPS,
            "xyxy": [x, y, x + 40, y + 80], "score": 0.9, "label": "person", "class_id": 0, **more}


def embedding(*values):
    vector = np.array(values, "<f2")
    return {"dtype": "float16", "shape": [len(vector)], "norm": 1.0, "b64": base64.b64encode(vector.tobytes()).decode()}


def drive(stage, frames, images=None, scale=(1.0, 1.0)):
    """Return the track ids of each frame's detections, in order, of detection records by frame."""
    source = Source("a.mp4", "records")
    stage.sampling(source)
    state = stage.start(source)
    ids = []
    for index, records in frames.items():
        image = images[index] if images is not None else None
        made = stage.frames(state, [Frame(source, index, index / FPS, None, 1, image, scale, list(records))])[0]
        for record in made:
            check(record)
        ids.append([record["track_id"] for record in made if record["type"] == "track"])
    return ids, stage.end(state)


def panned(count, shift, seed=5):
    """Return ``count`` views (240, 320, 3) of one texture, each ``shift`` pixels further right."""
    from scipy.ndimage import gaussian_filter

    scene = gaussian_filter(np.random.default_rng(seed).uniform(0, 255, (240, 320 + shift * count)), 2)
    scene = np.clip((scene - scene.mean()) * 6 + 128, 0, 255).astype(np.uint8)
    return [np.repeat(scene[:, index * shift:index * shift + 320, None], 3, axis=2) for index in range(count)]


@pytest.mark.parametrize("scale", [(1.0, 1.0), (2.0, 2.0)])
def test_a_panning_camera_is_taken_out(scale):
    """A walker stands in a scene that moves 25 pixels a frame from frame 4 on: the boxes jump, the ids stay."""
    views = panned(12, 25)
    images = [views[0]] * 4 + views[1:9]
    spots = [250.0 - 25 * max(0, index - 3) for index in range(12)]
    frames = {index: [detection(index, scale[0] * spots[index], width=8)] for index in range(12)}
    with_motion, _ = drive(TrackStage(gmc=True, set_options={"wide": 0.0, "grown": 0.0}), frames, images, scale)
    without, _ = drive(TrackStage(set_options={"wide": 0.0, "grown": 0.0}), frames)
    assert with_motion == [[1]] * 12
    assert without != with_motion


def test_the_camera_needs_small_pictures_of_frames_with_detections():
    sampling = TrackStage(gmc=True).sampling(Source("a.mp4", "records"))
    assert (sampling.mode, sampling.size) == ("records", FLOW)
    assert TrackStage().sampling(Source("a.mp4", "records")).mode == "none"


def test_embeddings_tell_apart_what_boxes_do_not():
    first, second = embedding(1, 0, 0), embedding(0, 1, 0)
    frames = {index: [detection(index, 0.0, embedding=first), detection(index, 20.0, embedding=second)]
              for index in range(5)}
    frames[8] = [detection(8, 8.0, embedding=second), detection(8, 12.0, embedding=first)]
    assert drive(TrackStage(), frames)[0][-1] == [2, 1]
    plain = {index: [{key: value for key, value in record.items() if key != "embedding"} for record in records]
             for index, records in frames.items()}
    assert drive(TrackStage(), plain)[0][-1] == [1, 2]


def test_embeddings_travel_on_and_may_be_missing():
    frames = {0: [detection(0, 0.0, embedding=embedding(1, 0)), detection(0, 200.0)], 1: [detection(1, 0.0)]}
    assert drive(TrackStage(), frames)[0] == [[1, 2], [1]]
    stage, source = TrackStage(), Source("a.mp4", "records")
    made = stage.frames(stage.start(source), [Frame(source, 0, 0.0, records=frames[0])])[0]
    assert made[0]["embedding"] == embedding(1, 0) and "embedding" not in made[1]


@pytest.mark.parametrize(("more", "words"), [
    ({"embedding": {"dtype": "float16", "shape": [2], "b64": "?"}}, "cannot be read"),
    ({"embedding": {"dtype": "float16", "shape": [3], "b64": "AAAAAA=="}}, "2 values and shape"),
    ({"embedding": {"dtype": "float32", "shape": [1], "b64": "AAAAAA=="}}, "float16 in b64 is needed"),
    ({"embedding": {"dtype": "float16", "shape": [1], "ref": "x", "row": 1}}, "float16 in b64 is needed"),
    ({"embedding": embedding(1, 0, 0)}, "spaces are not mixed"),
    ({"embedding": embedding(1, 0), "space": "other@1"}, "spaces are not mixed"),
])
def test_refuses_embeddings_that_do_not_fit(more, words):
    first = {"embedding": embedding(1, 0), "space": "net@0"}
    with pytest.raises(RecordError, match=words):
        drive(TrackStage(), {0: [detection(0, 0.0, **first)], 1: [detection(1, 0.0, **more)]})


@pytest.mark.parametrize("options", [{"nonsense": 1.0}, {"high": "x"}])
def test_refuses_options_before_anything_is_read(options):
    with pytest.raises(UsageError, match="vtk"):
        TrackStage(set_options=options)


def test_options_change_the_hash_and_defaults_do_not():
    plain = TrackStage().options("records")
    assert TrackStage(set_options={}).options("records") == plain
    for given in ({"set_options": {"high": 0.3}}, {"refine": True}, {"gmc": True}, {"keep_detections": True}):
        assert TrackStage(**given).options("records") != plain


@pytest.mark.parametrize("tracker", TRACKERS)
def test_scores_that_are_all_equal(tracker):
    """A walker scored the same throughout is one track; where the score is too low for the tracker, none."""
    for score in (1.0, 0.0):
        frames = {index: [detection(index, 3.0 * index, score=score)] for index in range(10)}
        ids, _ = drive(TrackStage(tracker=tracker), frames)
        assert {track for here in ids for track in here} == ({1} if score or tracker == "sort" else set())


@pytest.mark.parametrize("tracker", TRACKERS)
def test_boxes_outside_the_frame_are_tracked_and_cut(tracker):
    media = {"width": 320, "height": 240, "fps": FPS}
    stage, source = TrackStage(tracker=tracker), Source("a.mp4", "records", media=media)
    state = stage.start(source)
    for index in range(12):
        records = [detection(index, 250.0 + 10 * index)]
        for track in stage.frames(state, [Frame(source, index, index / FPS, records=records)])[0]:
            if track["type"] == "track" and 250 + 10 * index < 300:
                assert 0 <= track["xyxy"][0] < track["xyxy"][2] <= 320
    assert stage.end(state)


@pytest.mark.parametrize("tracker", TRACKERS)
def test_five_thousand_detections_in_a_frame(tracker):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, (8000, 8000), (5000, 2))
    frames = {index: [detection(index, *(corner + index).round(2).tolist()) for corner in corners]
              for index in range(2)}
    ids, _ = drive(TrackStage(tracker=tracker), frames)
    # Equal boxes in a crowd: nearly all keep their id; what overlaps may be a duplicate.
    assert len(set(ids[0]) & set(ids[1])) > 4000


@pytest.mark.parametrize("tracker", TRACKERS)
def test_an_hour_of_nothing_ends_every_track(tracker):
    frames = {index: [detection(index, 5.0 * index)] for index in range(6)}
    frames |= {36000 + index: [detection(36000 + index, 5.0 * index)] for index in range(6)}
    ids, end = drive(TrackStage(tracker=tracker), frames)
    assert set(sum(ids[:6], [])) == {1} and 1 not in sum(ids[6:], [])


def test_bad_lines_are_named_and_the_rest_is_tracked(vtk):
    """NaN, negative sizes, a coordinate beyond reason, a frame twice: named by line, exit 1, nothing else lost."""
    lines = [json.dumps(detection(index, 5.0 * index)) for index in range(8)]
    lines[2] = lines[2].replace('"score": 0.9', '"score": NaN')
    lines[4] = json.dumps(detection(4, 0.0, xyxy=[60, 100, 20, 180]))
    lines[5] = json.dumps(detection(5, 0.0, xyxy=[0, 0, 1e9, 180]))
    lines.append(json.dumps(detection(3, 15.0)))
    result = vtk("track", "--only", stdin="\n".join(lines).encode() + b"\n")
    assert result.returncode == 1
    for number, words in ((3, b"NaN"), (5, b"x1 <= x2"), (6, b"x1 <= x2"), (9, b"E_ORDER")):
        assert any(f"line {number}".encode() in line and (words in line or number == 3)
                   for line in result.stderr.splitlines()), result.stderr
    tracks = [record for record in map(json.loads, result.stdout.splitlines()) if record["type"] == "track"]
    assert [record["frame"] for record in tracks] == [0, 1, 3, 6, 7]
    assert {record["track_id"] for record in tracks} == {1}


def test_other_classes_are_tracked_apart_or_left_out(vtk):
    lines = "\n".join(json.dumps(detection(index, 5.0 * index, **more)) for index in range(6)
                      for more in ({}, {"label": "car", "class_id": 2}))
    both = [json.loads(line) for line in vtk("track", "--only", stdin=lines.encode()).stdout.splitlines()]
    assert {(record["track_id"], record["label"]) for record in both if record["type"] == "track"} == {
        (1, "person"), (2, "car")}
    cars = vtk("track", "--only", "--classes", "car", stdin=lines.encode()).stdout
    assert {json.loads(line)["label"] for line in cars.splitlines() if b'"type":"track"' in line} == {"car"}
