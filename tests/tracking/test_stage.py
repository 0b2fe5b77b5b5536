"""``TrackStage`` driven by hand: detections in, tracks and tracklets out."""

from __future__ import annotations

import pickle

import pytest

from vtk.driver.stage import Frame, Source
from vtk.errors import RecordError, UsageError
from vtk.media.info import MediaInfo
from vtk.media.sampling import Sampling
from vtk.records import check
from vtk.tracking import TrackStage
from vtk.tracking.lanes import clipped

MEDIA = {"v": 1, "type": "media", "by": "detect/x", "source": "a.mp4", "kind": "video", "width": 200, "height": 120,
         "fps": 10.0}


def detection(frame, x, score=0.9, label="person", by="detect/x", **keys):
    return {"v": 1, "type": "detection", "by": by, "source": "a.mp4", "frame": frame, "pts": frame * 512,
            "t": frame / 10, "xyxy": [x, 20.0, x + 20, 80.0], "score": score, "label": label, "class_id": 0, **keys}


def frame_of(source, index, records):
    return Frame(source, index, index / 10, index * 512, 1, records=list(records))


def drive(stage, frames, media=None):
    """Return the records of each frame, and those of the end; ``frames`` is a dict of index to detections."""
    source = Source("a.mp4", "records", media=media)
    assert stage.sampling(source).mode == "none"
    state = stage.start(source)
    made = stage.frames(state, [frame_of(source, index, records) for index, records in frames.items()])
    return made, stage.end(state)


def test_tracks_keep_what_detections_hold():
    walk = {index: [detection(index, 10.0 + 4 * index, note="mine")] for index in range(5)}
    made, end = drive(TrackStage(keep_detections=True), walk)
    first = made[0][0]
    assert first == {"v": 1, "type": "track", "by": "track/x+vtk", "source": "a.mp4", "frame": 0, "pts": 0,
                     "t": 0.0, "track_id": 1, "xyxy": [10.0, 20.0, 30.0, 80.0], "score": 0.9, "label": "person",
                     "class_id": 0, "note": "mine", "det_xyxy": [10.0, 20.0, 30.0, 80.0]}
    for records in [*made, end]:
        for record in records:
            check(record)
    assert [len(records) for records in made] == [1] * 5
    assert {record["track_id"] for records in made for record in records} == {1}


def test_a_tracklet_sums_its_track_up():
    walk = {index: [detection(index, 10.0 + 4 * index, score=0.8 + index / 100)] for index in range(5)}
    made, (tracklet,) = drive(TrackStage(), walk, MEDIA)
    best = made[4][0]
    assert tracklet == {
        "v": 1, "type": "tracklet", "by": "track/x+vtk", "source": "a.mp4", "track_id": 1, "start": 0.0,
        "end": 0.5, "start_frame": 0, "end_frame": 5, "label": "person", "class_id": 0, "score": 0.82, "observations": 5,
        "best": {"frame": 4, "xyxy": best["xyxy"]}}


def test_without_media_the_interval_is_measured():
    made, (tracklet,) = drive(TrackStage(), {index: [detection(index, 10.0)] for index in range(3, 6)})
    assert tracklet["start"] == 0.3 and tracklet["end"] == pytest.approx(0.6)


def test_the_best_frame_keeps_clear_of_the_border():
    leaving = {index: [detection(index, 160.0 + 4 * index, score=0.7 + index / 50)] for index in range(6)}
    _, (tracklet,) = drive(TrackStage(), leaving, MEDIA)
    assert tracklet["end_frame"] == 6 and tracklet["best"]["frame"] == 4
    _, (unknown,) = drive(TrackStage(), leaving)
    assert unknown["best"]["frame"] == 5


def test_a_tracklet_comes_once_its_track_has_expired():
    frames = {index: [detection(index, 10.0)] for index in range(3)} | {40: [detection(40, 100.0)]}
    made, end = drive(TrackStage(), frames)
    assert [record["type"] for record in made[3]] == ["tracklet"]
    assert [record["type"] for records in made[:3] for record in records] == ["track"] * 3
    assert end == []  # the second walker was seen once: it was never reported


def test_tracklets_come_by_last_frame_then_id():
    """Ids 1, 2, 3 by first report; 3 leaves first, then 2, and 1 stays: the order of the ends, then of ids."""
    frames = {index: [detection(index, x) for x, last in ((0.0, 9), (60.0, 7), (120.0, 5)) if index <= last]
              for index in range(10)}
    _, end = drive(TrackStage(), frames)
    assert [record["track_id"] for record in end] == [3, 2, 1]
    _, together = drive(TrackStage(), {index: [detection(index, x) for x in (0.0, 60.0, 120.0)] for index in range(3)})
    assert [record["track_id"] for record in together] == [1, 2, 3]


def test_tracklets_only():
    walk = {index: [detection(index, 10.0)] for index in range(3)}
    made, end = drive(TrackStage(tracklets_only=True), walk)
    assert made == [[], [], []] and [record["type"] for record in end] == ["tracklet"]


def test_classes_and_scores_choose():
    frames = {index: [detection(index, 0.0), detection(index, 60.0, label="car"), detection(index, 120.0, score=0.65)]
              for index in range(3)}
    made, _ = drive(TrackStage(classes=("car",)), frames)
    assert {record["label"] for records in made for record in records} == {"car"}
    made, _ = drive(TrackStage(min_score=0.7), frames)
    assert [len(records) for records in made] == [2, 2, 2]


def test_detections_of_two_makers_are_tracked_apart():
    frames = {index: [detection(index, 0.0), detection(index, 1.0, by="detect/y"), detection(index, 60.0)]
              for index in range(3)}
    made, end = drive(TrackStage(), frames)
    assert [(record["by"], record["track_id"]) for record in made[0]] == [
        ("track/x+vtk", 1), ("track/y+vtk", 1), ("track/x+vtk", 2)]
    assert len(end) == 3


def test_ids_restart_and_sources_do_not_mix():
    stage = TrackStage()
    states = [stage.start(Source(name, "records")) for name in ("a.mp4", "b.mp4")]
    for index in range(3):
        for state in states:
            (records,) = stage.frames(state, [frame_of(state.source, index, [detection(index, 10.0)])])
            assert [record["track_id"] for record in records] == [1]
            assert records[0]["source"] == state.source.name


def test_batches_change_nothing():
    frames = {index: [detection(index, 10.0 + 4 * index)] for index in range(0, 40, 3)}
    whole = drive(TrackStage(), frames)
    stage, source = TrackStage(), Source("a.mp4", "records")
    state = stage.start(source)
    single = [stage.frames(state, [frame_of(source, index, records)])[0] for index, records in frames.items()]
    assert (single, stage.end(state)) == whole


def test_a_box_without_area_is_passed_over():
    frames = {index: [detection(index, 10.0), detection(index, 60.0, xyxy=[60, 20, 60, 80])] for index in range(3)}
    made, _ = drive(TrackStage(), frames)
    assert [len(records) for records in made] == [1, 1, 1]


@pytest.mark.parametrize(("keys", "words"), [
    ({"xyxy": None}, "'xyxy' is None"),
    ({"xyxy": [1, 2, 3]}, "four numbers"),
    ({"xyxy": [1, 2, "3", 4]}, "four numbers"),
    ({"xyxy": [1, 2, True, 4]}, "four numbers"),
    ({"xyxy": [30, 20, 10, 80]}, "x1 <= x2"),
    ({"xyxy": [0, 0, 1e12, 80]}, "beyond 1000000 pixels"),
    ({"xyxy": [0, 0, float("inf"), 80]}, "four numbers"),
    ({"score": 93.7}, "from 0 to 1"),
    ({"score": "high"}, "from 0 to 1"),
    ({"score": float("nan")}, "from 0 to 1"),
    ({"label": 7}, "'label' is 7"),
    ({"class_id": "person"}, "'class_id' is 'person'"),
    ({"t": "0:01"}, "'t' is '0:01'"),
    ({"step": 0}, "'step' is 0"),
    ({"by": ["detect"]}, "'by' is"),
])
def test_refuses_what_cannot_be_tracked(keys, words):
    with pytest.raises(RecordError, match=words.replace("(", r"\(")):
        drive(TrackStage(), {0: [detection(0, 10.0, **keys)]})


@pytest.mark.parametrize("name", ["xyxy", "score", "t"])
def test_says_what_a_detection_lacks(name):
    record = detection(0, 10.0)
    del record[name]
    with pytest.raises(RecordError, match=rf"no '{name}' \(it has v, type, by"):
        drive(TrackStage(), {0: [record]})


def test_label_and_class_may_be_absent():
    records = [{name: value for name, value in detection(index, 10.0).items() if name not in ("label", "class_id")}
               for index in range(3)]
    made, (tracklet,) = drive(TrackStage(), {index: [record] for index, record in enumerate(records)})
    assert [len(found) for found in made] == [1, 1, 1] and "label" not in tracklet


@pytest.mark.parametrize(("given", "words"), [
    ({"tracker": "deepsort"}, "no tracker 'deepsort'"),
    ({"detector": "yolo11"}, "did you mean 'yolo11n'"),
    ({"min_score": 1.5}, "min-score 1.5"),
    ({"max_lost": -1.0}, "max-lost -1"),
    ({"max_lost": float("nan")}, "max-lost nan"),
])
def test_refuses_options_before_anything_is_read(given, words):
    with pytest.raises(UsageError, match=words):
        TrackStage(**given)


def test_sampling_is_for_media():
    stage = TrackStage(sampling=Sampling("every", every=2))
    with pytest.raises(UsageError, match="give them to the detector"):
        stage.sampling(Source("a.mp4", "records"))


def test_travels_to_other_processes():
    stage = pickle.loads(pickle.dumps(TrackStage(detector="yolox-nano", classes=("person",))))
    assert stage.by == "track/yolox-nano+vtk" and stage.options() == TrackStage(
        detector="yolox-nano", classes=("person",)).options()


def test_clipping_keeps_boxes_inside():
    assert clipped([-3.0, 5.0, 50.0, 130.0], [0.0, 5.0, 50.0, 120.0], (200, 120)) == [0.0, 5.0, 50.0, 120]
    assert clipped([-30.0, 5.0, -3.0, 80.0], [0.0, 5.0, 5.0, 80.0], (200, 120)) == [0.0, 5.0, 5.0, 80.0]
    assert clipped([-3.0, 5.0, 50.0, 130.0], [0.0, 5.0, 50.0, 120.0], None) == [-3.0, 5.0, 50.0, 130.0]


def test_a_detector_inside_gives_the_tracks_of_the_pipe(shared, monkeypatch):
    """Real pixels: tracking with the detector inside equals detecting first, empty frames and all."""
    cv2 = pytest.importorskip("cv2")
    from vtk.detection import DetectStage

    monkeypatch.setenv("VTK_MIRROR", str(shared / "models"))
    folder = shared / "data" / "track" / "TUD-Campus" / "img1"
    pictures = [cv2.imread(str(path))[:, :, ::-1].copy() for path in sorted(folder.iterdir())[:24]]
    for index in (9, 10, 11):
        pictures[index][:] = 90  # nobody there
    info = MediaInfo("video", 640, 480, fps=25.0)
    detect = DetectStage("yolox-nano", classes=("person",), min_score=0.1)
    track = TrackStage("yolox-nano", classes=("person",))
    source = Source("a.mp4", "media", info)
    width, height = track.sampling(source).size.of(640, 480)
    scale = (640 / width, 480 / height)
    frames = [Frame(source, index, index / 25, index, 1, cv2.resize(picture, (width, height)), scale)
              for index, picture in enumerate(pictures)]
    state = track.start(source)
    inside = [record for frame in frames for record in track.frames(state, [frame])[0]] + track.end(state)
    finder = detect.start(source)
    found = [detect.frames(finder, [frame])[0] for frame in frames]
    media = {"width": 640, "height": 480, "fps": 25.0}
    piped = TrackStage("yolo11n")
    state = piped.start(Source("a.mp4", "records", media=media))
    outside = []
    for frame, records in zip(frames, found, strict=True):
        if records:
            again = Frame(state.source, frame.index, records[0]["t"], frame.pts, 1, records=records)
            outside += piped.frames(state, [again])[0]
    outside += piped.end(state)
    assert inside == outside
    assert len(inside) > 60 and {record["type"] for record in inside} == {"track", "tracklet"}
