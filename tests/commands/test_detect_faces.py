"""``vtk detect`` on faces: real ones, small ones by tiles, five points, and pictures with none."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from said import streamer
from small_faces import small_faces
from yunet_file import write_yunet

from vtk.detection import DetectStage, detections
from vtk.driver.stage import Frame, Source
from vtk.models.detector import Boxes, load_detector
from vtk.records import Record

Detect = Callable[..., tuple[int, list[Record], str]]


@pytest.fixture
def detect(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Detect:
    """Return a function that runs ``vtk detect`` here and returns its code, detections and stderr."""

    run = streamer(capfdbinary, monkeypatch, "detect")

    def found(*words: object) -> tuple[int, list[Record], str]:
        code, records, err = run(*words)
        return code, [record for record in records if record["type"] == "detection"], err

    return found


@pytest.fixture
def face(shared: Path) -> Path:
    return shared / "data" / "face-antispoof" / "benchmarks" / "real" / "person101.jpg"


def save(path: Path, image: np.ndarray) -> Path:
    cv2.imwrite(str(path), image)
    return path


def test_a_face(detect: Detect, face: Path) -> None:
    """By eye and by somebody else's detector: a face at 90, 41, 174, 153."""
    code, [record], _ = detect(face, "--model", "rfb-320", "--precision", "fp32")
    np.testing.assert_allclose(record["xyxy"], [90, 41, 174, 153], atol=6)
    assert code == 0 and (record["label"], record["class_id"], record["by"]) == ("face", 0, "detect/rfb-320")
    assert "points" not in record


def test_the_makers_threshold_unless_told(detect: Detect, shared: Path) -> None:
    crowd = shared / "data" / "face-antispoof" / "benchmarks" / "real" / "14742_person.jpg"
    plain = [record["score"] for record in detect(crowd, "--model", "rfb-320")[1]]
    low = [record["score"] for record in detect(crowd, "--model", "rfb-320", "--min-score", "0.3")[1]]
    assert min(plain) >= 0.7 > min(low) >= 0.3 and len(low) > len(plain)
    assert len(detect(crowd, "--model", "rfb-320", "--min-score", "0.3", "--max-boxes", "1")[1]) == 1
    assert len(detect(crowd, "--model", "rfb-320", "--min-score", "0.3", "--iou", "1")[1]) > len(low)
    assert detect(crowd, "--model", "rfb-320", "--classes", "face")[1]


@pytest.mark.parametrize("words, message", [
    (["--model", "rfb-320", "--classes", "person"], "no class 'person': the model knows 1: face"),
    (["--model", "rfb-320", "--tile", "16"], "--tile 16: expected 32 pixels or more, or 0 for none"),
    (["--model", "rfb-320", "--tile", "-320"], "--tile -320: expected 32 pixels or more"),
    (["--model", "rfb-32"], "no detect model 'rfb-32': did you mean 'rfb-320'"),
])
def test_usage(detect: Detect, face: Path, words: list[str], message: str) -> None:
    code, records, said = detect(face, *words)
    assert (code, records) == (2, []) and message in said and said.count("\n") == 1


def test_a_file_of_something_else(detect: Detect, face: Path, shared: Path) -> None:
    code, records, said = detect(face, "--model", "rfb-320", "--weights", shared / "models" / "yolox_nano.onnx")
    assert (code, records) == (2, []) and "not an RFB face detector" in said and said.count("\n") == 1


def test_yunet_says_where_its_weights_come_from(detect: Detect, face: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_OFFLINE", "1")
    code, _, said = detect(face, "--model", "yunet")
    assert code == 2 and "face_detection_yunet_2023mar.onnx, 0.2 MB" in said and "vtk models pull yunet" in said


def test_points(detect: Detect, tmp_path: Path) -> None:
    """A random network of YuNet's signature, a picture twice its canvas: boxes and points in pixels of the picture."""
    weights = write_yunet(tmp_path / "random.onnx")
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    path = save(tmp_path / "noise.png", image[:, :, ::-1])
    code, records, _ = detect(path, "--model", "yunet", "--weights", weights, "--precision", "fp32")
    small = load_detector("yunet", weights, min_score=0.6).start()([image])[0]
    assert code == 0 and len(records) == len(small) > 3
    for record in records:
        assert record["by"] == "detect/random" and len(record["points"]) == 5
        assert all(len(point) == 2 and round(value, 2) == value for point in record["points"] for value in point)
        centre = np.mean(record["points"], axis=0)
        box = np.array(record["xyxy"])
        # The points lie about the middle of a cell that is at most 64 pixels wide, its box about it.
        assert np.abs(centre - (box[:2] + box[2:]) / 2).max() < 64


def test_points_in_source_pixels() -> None:
    found = Boxes(np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.float32), np.array([0.9, 0.8], np.float32),
                  np.array([0, 0]), np.arange(20, dtype=np.float32).reshape(2, 5, 2) / 3)
    frame = Frame(Source("a.jpg"), 0, 0.0, scale=(2.0, 3.0))
    first, second = detections(frame, found, ("face",), "detect/yunet")
    assert first["points"] == [[0.0, 1.0], [1.33, 3.0], [2.67, 5.0], [4.0, 7.0], [5.33, 9.0]]
    assert second["points"][0] == [6.67, 11.0] and first["xyxy"] == [2.0, 6.0, 6.0, 12.0]


def test_two_hundred_faces(detect: Detect, shared: Path, tmp_path: Path) -> None:
    """In one picture, 20 to 40 pixels wide: 300 boxes are room enough. Which are true: tests/models/test_tiling.py."""
    crowd, _ = small_faces(shared)
    path = save(tmp_path / "crowd.png", crowd[:, :, ::-1])
    assert len(detect(path, "--model", "rfb-320")[1]) < 100
    code, records, _ = detect(path, "--model", "rfb-320", "--tile", "320", "--precision", "fp32")
    assert code == 0 and 197 <= len(records) <= 204
    scores = [record["score"] for record in records]
    assert scores == sorted(scores, reverse=True)


def test_tiles_of_a_clip_without_weights(detect: Detect, clip: Path) -> None:
    """Motion learns one background for each tile: the square is found, at the same places as without tiles."""
    whole, tiled = detect(clip, "--model", "motion")[1], detect(clip, "--model", "motion", "--tile", "128")[1]
    assert whole and tiled and {record["label"] for record in tiled} == {"motion"}
    by_frame = {record["frame"]: record["xyxy"] for record in whole}
    same = [np.abs(np.array(record["xyxy"]) - by_frame[record["frame"]]).max() < 12 for record in tiled
            if record["frame"] in by_frame]
    assert np.mean(same) >= 0.5


def test_pictures_without_a_face(detect: Detect, tmp_path: Path) -> None:
    grey = np.full((240, 320, 3), 128, np.uint8)
    cartoon = grey.copy()
    cv2.circle(cartoon, (160, 120), 60, (0, 220, 255), -1)
    cv2.circle(cartoon, (140, 105), 6, (0, 0, 0), -1)
    cv2.circle(cartoon, (180, 105), 6, (0, 0, 0), -1)
    for name, image in (("grey", grey), ("dot", np.zeros((1, 1, 3), np.uint8)),
                        ("noise", np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8))):
        assert detect(save(tmp_path / f"{name}.png", image), "--model", "rfb-320", "--tile", "64")[:2] == (0, []), name
    # A drawn face may count as one: it is a box in the picture with a score, or none.
    code, records, _ = detect(save(tmp_path / "cartoon.png", cartoon), "--model", "rfb-320")
    assert code == 0 and len(records) <= 1


def test_faces_that_are_hard(detect: Detect, face: Path, tmp_path: Path) -> None:
    """Greyscale: found as in colour. Cut by the frame: the box ends at the edge. Upside down: not trained for."""
    image = cv2.imread(str(face))
    grey = save(tmp_path / "grey.png", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    np.testing.assert_allclose(detect(grey, "--model", "rfb-320")[1][0]["xyxy"], [90, 41, 174, 153], atol=8)
    half = detect(save(tmp_path / "half.png", image[60:]), "--model", "rfb-320")[1]
    assert half and half[0]["xyxy"][1] <= 6 and abs(half[0]["xyxy"][3] - 93) <= 10
    code, turned, _ = detect(save(tmp_path / "turned.png", image[::-1]), "--model", "rfb-320")
    assert code == 0 and all(record["score"] >= 0.7 for record in turned)


def test_the_ledger_knows_tiles_and_the_threshold(shared: Path) -> None:
    plain, tiled = DetectStage("rfb-320"), DetectStage("rfb-320", tile=320)
    assert plain.options()["min_score"] == 0.7 and "tile" not in plain.options()
    assert pickle.loads(pickle.dumps(tiled)).options() == {**plain.options(), "tile": 320}
    assert DetectStage("motion").options()["min_score"] == 0.25
