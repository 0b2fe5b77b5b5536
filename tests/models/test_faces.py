"""Detectors of faces: hand-worked values, OpenCV's own program, and real pictures with somebody else's boxes."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from yunet_file import write_yunet

from vtk.errors import WeightsError
from vtk.kernels.pairwise_iou.reference import pairwise_iou
from vtk.models import rfb, yunet
from vtk.models.detector import Settings, load_detector, own_score
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.openvino import core
from vtk.models.runtime import RuntimeOptions
from vtk.models.zoo import Input

EXACT = RuntimeOptions("cpu", "fp32")


def picture(path: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


def test_rfb_hand_worked() -> None:
    scores = np.array([[0.1, 0.9], [0.6, 0.4], [0.3, 0.7]], np.float32)
    boxes = np.array([[0.25, 0.5, 0.5, 1.0], [0, 0, 1, 1], [-0.1, 0.1, 0.2, 0.3]], np.float32)
    found = rfb.decode([scores, boxes], (240, 320), 0.7)
    np.testing.assert_allclose(found.xyxy, [[80, 120, 160, 240], [-32, 24, 64, 72]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.9, 0.7])
    assert found.class_ids.tolist() == [0, 0] and found.points is None
    # The makers' own counts of what the networks for 320 x 240 and 640 x 480 give.
    assert rfb.anchors(240, 320) == 4420 and rfb.anchors(480, 640) == 17640


def test_rfb_finds_the_faces_that_another_detector_found(shared: Path) -> None:
    """149 boxes that another detector drew on 148 pictures: its edges lie elsewhere, by a twelfth of a face or so.

    Of the ways to fill the canvas, to sort the channels and to resize none comes nearer than the makers' own stretch:
    no setting of this network made them. Measured: mean IoU 0.885, 146 of 149 at 0.5, in bf16 0.884 and 146; of two
    tilted faces on a telephone it boxes a part, and one half hidden in the background it misses. The floors leave room
    for two pictures more.
    """
    folder = shared / "data" / "face-antispoof"
    rows = json.loads((folder / "expected_minifasnet_scores.json").read_text())
    detect = load_detector("rfb-320", min_score=own_score("rfb-320"), runtime=EXACT).start()
    best = []
    for kind, name, xyxy, _ in rows:
        found = detect([picture(folder / "benchmarks" / kind / name)])[0]
        best.append(pairwise_iou(np.array([xyxy], np.float32), found.xyxy).max(initial=0))
    assert len(best) == 149
    matched = sum(iou >= 0.5 for iou in best)
    assert matched >= 144 and np.mean(best) >= 0.875, (matched, np.mean(best))


def test_rfb_equals_its_makers_program(shared: Path) -> None:
    """predict of detect_imgs_onnx.py, written as it is there, on the same resized picture: the same boxes."""
    folder = shared / "data" / "face-antispoof" / "benchmarks" / "real"
    model = core().compile_model(shared / "models" / "version-RFB-320.onnx", "CPU",
                                 {"INFERENCE_PRECISION_HINT": "f32"})
    detect = load_detector("rfb-320", min_score=0.7, runtime=EXACT).start()
    for name in ("person101.jpg", "14742_person.jpg", "person13.jpg"):
        image = picture(folder / name)
        height, width = image.shape[:2]
        blob = (cv2.resize(image, (320, 240)) - np.array([127, 127, 127])) / 128
        confidences, boxes = model(blob.transpose(2, 0, 1)[None].astype(np.float32)).values()
        mask = confidences[0, :, 1] > 0.7
        left = sorted(zip(confidences[0, mask, 1], boxes[0, mask], strict=True), key=lambda pair: -pair[0])
        picked = []
        while left:
            picked.append(left[0])
            left = [pair for pair in left[1:] if pairwise_iou(picked[-1][1][None], pair[1][None])[0, 0] <= 0.3]
        found = detect([image])[0]
        assert len(found) == len(picked) >= 1
        np.testing.assert_allclose(found.scores, [score for score, _ in picked], atol=1e-5)  # sums in another order
        expected = np.clip([box * [width, height, width, height] for _, box in picked], 0, [width, height] * 2)
        np.testing.assert_allclose(found.xyxy, expected, atol=0.05)


@pytest.mark.parametrize("name, file, words", [
    ("rfb-320", "yolox_nano.onnx", r"not an RFB face detector: its outputs are \(1, 3549, 85\), expected scores"),
    ("rfb-320", "pedestrian-detection-adas-0002.xml", r"not an RFB face detector: its outputs are \(1, 1, 200, 7\)"),
    ("yunet", "version-RFB-320.onnx", r"its input is \(1, 3, 240, 320\), expected .* sides that 32 divides"),
    ("yunet", "yolox_nano.onnx", r"not a YuNet export: its 1 outputs are \(1, 3549, 85\), expected 12"),
    ("yolox-nano", "version-RFB-320.onnx", "not a YOLOX export"),
])
def test_file_of_another_architecture(shared: Path, name: str, file: str, words: str) -> None:
    with pytest.raises(WeightsError, match=words) as caught:
        load_detector(name, weights=shared / "models" / file)
    assert "\n" not in str(caught.value)


def test_rfb_of_another_size(tmp_path: Path) -> None:
    """A file of the right input whose outputs belong to something else."""
    path = write_yunet(tmp_path / "other.onnx", 240, 320, outputs=("cls", "bbox"))
    with pytest.raises(WeightsError, match=r"expected scores \(1, 4420, 2\) and boxes \(1, 4420, 4\)"):
        load_detector("rfb-320", weights=path)


def test_yunet_hand_worked() -> None:
    """Canvas 32 x 32: 16 cells of stride 8, 4 of 16, 1 of 32. Row 6 is column 2, row 1 of stride 8."""
    cls, obj, box, kps = ([np.zeros((cells, width), np.float32) for cells in (16, 4, 1)] for width in (1, 1, 4, 10))
    for each in obj:
        each[:] = 1
    cls[0][6], obj[0][6] = 0.9, 0.4
    box[0][6] = [0.5, 0.25, np.log(2), np.log(3)]
    kps[0][6] = [0.25, 0.5, 0.75, 0.5, 0.5, 1, -0.25, 1.5, 1.25, 1.5]
    cls[2][0], obj[2][0] = 1.5, 0.81  # cut to 1
    cls[1][3], obj[1][3] = -0.5, -0.5  # no face, although the product is one
    found = yunet.decode([*cls, *obj, *box, *kps], (32, 32), 0.5)
    # Centre (2.5, 1.25) * 8 = (20, 10), size (16, 24); centre (0, 0), size 32.
    np.testing.assert_allclose(found.xyxy, [[12, -2, 28, 22], [-16, -16, 16, 16]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.6, 0.9], rtol=1e-6)
    np.testing.assert_allclose(found.points[0], [[18, 12], [22, 12], [20, 16], [14, 20], [26, 20]])
    assert (found.points[1] == 0).all() and found.class_ids.tolist() == [0, 0]
    order = [*kps[::-1], *box, *obj, *cls[::-1]]
    np.testing.assert_array_equal(yunet.decode(order, (32, 32), 0.5).xyxy, found.xyxy)
    none = yunet.decode([*cls, *obj, *box, *kps], (32, 32), 0.95)
    assert none.xyxy.shape == (0, 4) and none.points.shape == (0, 5, 2)


def test_yunet_equals_opencv(tmp_path: Path) -> None:
    """FaceDetectorYN on the same file: all its faces, boxes cut to the picture, points as they are."""
    path = write_yunet(tmp_path / "random.onnx")
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    opencv = cv2.FaceDetectorYN.create(str(path), "", (96, 64), 0.6, 1.0, 5000)
    rows = opencv.detect(np.ascontiguousarray(image[:, :, ::-1]))[1]
    expected = np.clip(np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1), 0, [96, 64, 96, 64])
    detector = load_detector("yunet", path, min_score=0.6, iou=1.0, runtime=EXACT)
    found = detector.start()([image])[0]
    order = np.argsort(-rows[:, 14], kind="stable")
    assert detector.labels == ("face",) and 20 < len(found) == len(rows) < 96 // 8 * 64 // 8 + 30
    # float32 sums in another order, times up to 32 pixels
    np.testing.assert_allclose(found.scores, rows[order, 14], atol=1e-5)
    np.testing.assert_allclose(found.xyxy, expected[order], atol=1e-3)
    np.testing.assert_allclose(found.points, rows[order, 4:14].reshape(-1, 5, 2), atol=1e-3)
    fewer = load_detector("yunet", path, min_score=0.6, runtime=EXACT).start()([image])[0]
    assert 0 < len(fewer) < len(found) and fewer.points.shape == (len(fewer), 5, 2)


def test_points_follow_their_boxes() -> None:
    """Through selection of classes, suppression, the order by score, clipping and the number of boxes."""
    xyxy = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [20, 0, 30, 9], [200, 0, 210, 9], [40, 20, 50, 30]], np.float32)
    points = np.arange(50, dtype=np.float32).reshape(5, 5, 2)
    found = Candidates(xyxy, np.array([0.5, 0.8, 0.9, 0.95, 0.7], np.float32), np.array([1, 1, 1, 1, 0]), points)

    class Net:
        shape, batch, precision, metadata, device = (1, 3, 64, 64), 1, "fp32", {}, "cpu"

        def __call__(self, images: np.ndarray) -> list[np.ndarray]:
            return [np.zeros((len(images), 1), np.float32)]

    def detect(fit: str, **settings: object) -> tuple[np.ndarray, np.ndarray]:
        made = NetworkDetector("told", None, ("cat", "face"), Net(), lambda *_: found, Input(64, 64, fit),
                               Settings(**settings), 0.5)
        boxes = made([np.zeros((64, 128, 3), np.uint8)])[0]
        return boxes.xyxy, boxes.points

    boxes, kept = detect("corner", classes=("face",))  # twice the size; the fourth lies beside the picture
    np.testing.assert_array_equal(boxes, [[40, 0, 60, 18], [0, 0, 20, 20]])
    np.testing.assert_array_equal(kept, points[[2, 0]] * 2)
    boxes, kept = detect("centre", classes=("cat",))  # 16 rows of padding above
    np.testing.assert_array_equal(boxes, [[80, 8, 100, 28]])
    np.testing.assert_array_equal(kept, (points[[4]] - [0, 16]) * 2)
    boxes, kept = detect("stretch", max_boxes=2)
    np.testing.assert_array_equal(boxes, [[40, 0, 60, 9], [80, 20, 100, 30]])
    np.testing.assert_array_equal(kept, points[[2, 4]] * [2, 1])
