"""The stage: media, detections, tracks or people in; faces and tracks of faces out."""

from __future__ import annotations

import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from vtk.driver.run import run
from vtk.driver.stage import Record
from vtk.errors import UsageError
from vtk.liveness import stage as stages
from vtk.liveness.calibration import Calibration, Maker
from vtk.liveness.decision import Thresholds
from vtk.liveness.stage import LivenessStage
from vtk.media.sampling import Size
from vtk.models.detector import Boxes
from vtk.models.liveness import Face
from vtk.records import check, make

FPS, SIDE = 10, 60
GREEN = (0, 200, 0)


class Squares:
    """A detector of green squares, in pictures of half the size."""

    name, sha256, labels, batch, precision = "rfb-320", "ab" * 32, ("face",), 4, "fp32"
    size = Size("long", 160)

    def start(self) -> Squares:
        return self

    def __call__(self, images: Sequence[np.ndarray]) -> list[Boxes]:
        return [self._boxes(image) for image in images]

    def _boxes(self, image: np.ndarray) -> Boxes:
        green = ((image[..., 1] > 130) & (image[..., 0] < 90)).astype(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(green)
        rows = [stats[row] for row in range(1, count) if stats[row][4] > 100]
        found = np.array([[x, y, x + w, y + h] for x, y, w, h, _ in rows], np.float32).reshape(-1, 4)
        return Boxes(found, np.full(len(rows), 0.95, np.float32), np.zeros(len(rows), np.int64))


class Blue:
    """A network whose score is the mean of blue in the box: 51 is a score of 0.2."""

    name, sha256, batch, precision = "minifasnet", "cd" * 32, 8, "fp32"

    def scores(self, faces: Sequence[Face]) -> np.ndarray:
        means = []
        for face in faces:
            x1, y1, x2, y2 = (int(max(side, 0)) for side in face.xyxy)
            means.append(face.image[y1 + 5:y2 - 5, x1 + 5:x2 - 5, 2].mean() / 255)
        return np.array(means, np.float32)


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have green squares for faces, blue for life."""
    monkeypatch.setattr(stages, "load_detector", lambda **_: Squares())
    monkeypatch.setattr(stages, "load_liveness", lambda *_: Blue())


def picture(faces: Sequence[tuple[int, int, float]]) -> np.ndarray:
    """Return (160, 320, 3) uint8 RGB with faces at (x, y) that score so much."""
    image = np.full((160, 320, 3), 128, np.uint8)
    for x, y, live in faces:
        image[y:y + SIDE, x:x + SIDE] = (*GREEN[:2], round(255 * live))
    return image


def film(path: Path, scores: Sequence[Sequence[float]]) -> Path:
    """Write a video in which faces side by side score ``scores``, a row a frame; NaN where one is not to be seen."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 160, "yuv444p"
        stream.options = {"preset": "ultrafast", "crf": "4"}
        for index, row in enumerate(scores):
            image = picture([(20 + 150 * place + index % 3, 40, live) for place, live in enumerate(row)
                             if not np.isnan(live)])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    return path


def stage(**keys: Any) -> LivenessStage:
    return LivenessStage(**{"gates": None, **keys})


def of_type(records: Sequence[Record], kind: str) -> list[Record]:
    return [record for record in records if record["type"] == kind]


def boxes(path: Path, kind: str, label: str | None, frames: Sequence[int], **keys: Any) -> list[Record]:
    """Return records of the first face of ``film``; of a person, of the body below it, too."""
    made = []
    for frame in frames:
        x = 20.0 + frame % 3
        xyxy = [x, 40.0, x + SIDE, 40.0 + SIDE] if label != "person" else [x - 10, 30.0, x + SIDE + 10, 155.0]
        record = make(kind, f"{kind}/truth", str(path), frame=frame, t=frame / FPS, xyxy=xyxy, score=0.9, **keys)
        made.append(record | ({"label": label} if label else {}))
    return made


def test_a_picture_has_a_record_a_face_the_largest_first(tmp_path: Path) -> None:
    image = picture([(20, 40, 0.9), (200, 20, 0.1)])
    image[20:20 + 80, 200:200 + 80] = (*GREEN[:2], 25)
    cv2.imwrite(str(tmp_path / "two.png"), image[..., ::-1])
    found = list(run([stage()], [str(tmp_path / "two.png")]))
    for record in found:
        check(record)
    faces = of_type(found, "face")
    assert [(record["verdict"], record["frame"], record["thresholds"]) for record in faces] == [
        ("spoof", 0, [0.2, 0.8]), ("live", 0, [0.2, 0.8])]
    assert [round(record["live_score"], 1) for record in faces] == [0.1, 0.9]
    assert all(record["by"] == "face-antispoof/rfb-320+minifasnet" and "track_id" not in record for record in faces)
    assert not of_type(found, "face_track") and of_type(found, "end")[0]["records"] == 2


def test_a_video_has_one_verdict_a_face(tmp_path: Path) -> None:
    """One frame of another opinion changes none; the frame by frame verdicts are told only if asked for."""
    rows = [[0.95, 0.05] for _ in range(20)]
    rows[7] = [0.1, 0.9]
    path = film(tmp_path / "film.mp4", rows)
    found = list(run([stage()], [str(path)]))
    tracks = of_type(found, "face_track")
    for record in found:
        check(record)
    assert [record["verdict"] for record in tracks] == ["live", "spoof"]
    assert [(record["start"], record["end"], record["observations"], record["used"]) for record in tracks] == [
        (0.0, 2.0, 20, 20)] * 2
    assert not of_type(found, "face")
    each = list(run([stage(frames=True)], [str(path)]))
    faces = of_type(each, "face")
    assert of_type(each, "face_track") == tracks and len(faces) == 40
    by_id = {track["track_id"]: [face["verdict"] for face in faces if face["track_id"] == track["track_id"]]
             for track in tracks}
    assert [verdicts.count("live") for verdicts in by_id.values()] == [19, 1]


def test_what_left_the_picture_is_told_while_the_rest_goes_on(tmp_path: Path) -> None:
    rows = [[0.9, 0.9] if frame < 5 else [0.9, np.nan] for frame in range(60)]
    found = list(run([stage(frames=True)], [str(film(tmp_path / "film.mp4", rows))]))
    kinds = [(record["type"], record.get("end")) for record in found]
    assert kinds.index(("face_track", 0.5)) < kinds.index(("face_track", 6.0)) - 10


@pytest.mark.parametrize(("gap", "verdicts"), [(3, ["unsure"]), (10, ["live", "spoof"])])
def test_what_comes_after_a_pause_is_another_face(tmp_path: Path, gap: int, verdicts: list[str]) -> None:
    """A live face is gone for 0.3 s, for 1 s, then a spoof is in its place: long enough to put it there."""
    rows = [[0.95]] * 15 + [[np.nan]] * gap + [[0.05]] * 15
    tracks = of_type(list(run([stage()], [str(film(tmp_path / "film.mp4", rows))])), "face_track")
    assert [track["verdict"] for track in tracks] == verdicts


@pytest.mark.parametrize("label", ["face", None])
def test_detections_of_faces_are_followed(tmp_path: Path, label: str | None) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 12)
    found = list(run([stage(frames=True)], records=boxes(path, "detection", label, range(12))))
    assert len(of_type(found, "face")) == 12
    [track] = of_type(found, "face_track")
    assert (track["verdict"], track["observations"], track["by"]) == ("live", 12, "face-antispoof/truth+minifasnet")
    assert of_type(found, "end")[-1]["by"] == track["by"]


def test_tracks_of_people_have_the_face_in_their_box(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.05]] * 12)
    found = list(run([stage(frames=True)], records=boxes(path, "track", "person", range(12), track_id=41)))
    faces = of_type(found, "face")
    assert len(faces) == 12 and {face["track_id"] for face in faces} == {41}
    assert np.allclose([face["xyxy"] for face in faces[:1]], [[20, 40, 80, 100]], atol=1.5), "in pixels of the frame"
    [track] = of_type(found, "face_track")
    assert (track["track_id"], track["verdict"]) == (41, "spoof")
    assert track["by"] == "face-antispoof/truth+rfb-320+minifasnet"


def test_people_without_tracks_are_followed_by_their_faces(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 6)
    found = list(run([stage()], records=boxes(path, "detection", "person", range(6))))
    assert [track["observations"] for track in of_type(found, "face_track")] == [6]


def test_tracks_are_followed_by_their_ids_and_the_detections_behind_them_left(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 12)
    tracks = boxes(path, "track", "face", range(2, 12), track_id=7, det_xyxy=[20.0, 40.0, 80.0, 100.0])
    both = sorted([*boxes(path, "detection", "face", range(12)), *tracks], key=lambda record: record["frame"])
    found = list(run([stage()], records=both))
    [track] = of_type(found, "face_track")
    assert (track["track_id"], track["observations"], track["start_frame"]) == (7, 10, 2)
    assert track["best"]["xyxy"] == [20.0, 40.0, 80.0, 100.0], "scores depend on the box: the detector's is taken"


def test_a_tracklet_closes_its_face_once_its_last_frame_is_through(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 30)
    ends = make("tracklet", "track/truth", str(path), track_id=7, start=0.0, end=0.5, start_frame=0, end_frame=5,
                score=0.9, observations=5, best={"frame": 0})
    first, rest = (boxes(path, "track", "face", frames, track_id=number)
                   for number, frames in ((7, range(5)), (8, range(5, 30))))
    for place in (0, 5):
        records = [*first[:place], ends, *first[place:], *rest]
        found = list(run([stage()], records=records))
        kinds = [(record["type"], record.get("track_id"), record.get("frame")) for record in found]
        assert kinds.index(("face_track", 7, None)) < kinds.index(("track", 8, 29))
        assert [track["observations"] for track in of_type(found, "face_track")] == [5, 25]


def test_boxes_outside_and_of_other_things_are_told(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 3)
    outside = [record | {"xyxy": [400.0, 10.0, 460.0, 70.0]} for record in boxes(path, "detection", "face", range(3))]
    found = list(run([stage(frames=True)], records=outside))
    [error] = of_type(found, "error")
    assert "3 boxes of faces lie outside" in error["error"]["message"] and not of_type(found, "face")
    found = list(run([stage()], records=boxes(path, "detection", "car", range(3))))
    [error] = of_type(found, "error")
    assert "there are car" in error["error"]["message"] and not error["error"]["fatal"]


def test_thresholds_and_calibrations(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.6]] * 6)
    assert of_type(list(run([stage()], [str(path)])), "face_track")[0]["verdict"] == "unsure"
    found = list(run([stage(thresholds=Thresholds(0.3, 0.5), frames=True)], [str(path)]))
    assert {record["verdict"] for record in found if "verdict" in record} == {"live"}
    file = tmp_path / "own.json"
    maker = Maker("rfb-320@" + "ab" * 6, "minifasnet@" + "cd" * 6, "fp32")
    own = Calibration(maker, Thresholds(0.7, 0.9), Thresholds(0.1, 0.65), 2.0)
    file.write_text(json.dumps(own.to_json()))
    found = list(run([stage(calibration=file, frames=True)], [str(path)]))
    assert {record["verdict"] for record in of_type(found, "face")} == {"spoof"}
    [track] = of_type(found, "face_track")
    assert track["verdict"] == "live" and track["thresholds"] == [0.1, 0.65]
    assert track["live_score"] == pytest.approx(0.36 / (0.36 + 0.16), abs=0.02), "log-odds count twice"
    for key, value in (("detector", "rfb-320@ffffffffffff"), ("model", "cdcn"), ("precision", "bf16")):
        file.write_text(json.dumps(own.to_json() | {key: value}))
        with pytest.raises(UsageError, match=f"thresholds are for {key} {value}"):
            list(run([stage(calibration=file)], [str(path)]))
    with pytest.raises(UsageError, match="give one of them"):
        stage(calibration=file, thresholds=Thresholds(0.1, 0.2))


def test_a_calibration_knows_detectors_of_records_by_name(tmp_path: Path) -> None:
    path = film(tmp_path / "film.mp4", [[0.95]] * 3)
    file = tmp_path / "own.json"
    maker = Maker("truth@0123456789ab", "minifasnet@" + "cd" * 6, "fp32")
    file.write_text(json.dumps(Calibration(maker, Thresholds(0.1, 0.2), Thresholds(0.1, 0.2)).to_json()))
    records = boxes(path, "detection", "face", range(3))
    assert [track["verdict"] for track in of_type(list(run([stage(calibration=file)], records=records)),
                                                  "face_track")] == ["live"]
    others = [record | {"by": "detect/yunet"} for record in records]
    [end] = of_type(list(run([stage(calibration=file)], records=others)), "end")
    assert end["status"] == "failed"


def test_options_that_choose_frames_are_for_media(tmp_path: Path) -> None:
    from vtk.media.sampling import Sampling

    path = film(tmp_path / "film.mp4", [[0.95]] * 3)
    found = list(run([stage(sampling=Sampling("every", every=2))], records=boxes(path, "detection", "face", range(3))))
    assert "choose frames of media" in of_type(found, "error")[0]["error"]["message"]


def test_a_stage_travels_without_its_networks() -> None:
    made = stage()
    made.prepare()
    again = pickle.loads(pickle.dumps(made))
    assert again._loaded is None and again._finder is None and again.options() == made.options()
