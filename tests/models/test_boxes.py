"""From a network's raw numbers to boxes of the picture: hand-worked values, and the official programs' formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError, WeightsError
from vtk.models import ssd, ultralytics, yolox
from vtk.models.detector import Settings, load_detector, model_name, wanted
from vtk.models.network import Candidates, NetworkDetector
from vtk.models.zoo import Input


def test_yolox_hand_worked() -> None:
    """Canvas 32 x 32: 16 cells of stride 8, 4 of 16, 1 of 32. Row 5 is cell (1, 1) of stride 8."""
    raw = np.zeros((21, 5 + 2), np.float32)
    raw[5] = [0.5, 0.25, np.log(2), np.log(1), 0.8, 0.1, 0.5]
    raw[20] = [0.5, 0.5, 0, 0, 0.5, 0.9, 0.2]
    found = yolox.decode([raw], (32, 32), 0.3)
    # Centre (1.5, 1.25) * 8 = (12, 10), size (16, 8); centre (0.5, 0.5) * 32, size 32.
    np.testing.assert_allclose(found.xyxy, [[4, 6, 20, 14], [0, 0, 32, 32]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.4, 0.45], rtol=1e-6)
    assert found.class_ids.tolist() == [1, 0]
    assert len(yolox.decode([raw], (32, 32), 0.42).scores) == 1 and len(yolox.decode([raw], (32, 32), 0.5).scores) == 0


def test_yolox_equals_the_demo() -> None:
    """demo_postprocess of the official repository, written as it is there, on random numbers."""
    rng = np.random.default_rng(0)
    height, width = 96, 64
    raw = rng.uniform(0, 1, (126, 85)).astype(np.float32)
    outputs, grids, strides = raw[None].copy(), [], []
    for stride in (8, 16, 32):
        hsize, wsize = height // stride, width // stride
        xv, yv = np.meshgrid(np.arange(wsize), np.arange(hsize))
        grid = np.stack((xv, yv), 2).reshape(1, -1, 2)
        grids.append(grid)
        strides.append(np.full((*grid.shape[:2], 1), stride))
    grids, strides = np.concatenate(grids, 1), np.concatenate(strides, 1)
    outputs[..., :2] = (outputs[..., :2] + grids) * strides
    outputs[..., 2:4] = np.exp(outputs[..., 2:4]) * strides
    boxes, scores = outputs[0, :, :4], outputs[0, :, 4:5] * outputs[0, :, 5:]
    expected = np.stack([boxes[:, 0] - boxes[:, 2] / 2, boxes[:, 1] - boxes[:, 3] / 2,
                         boxes[:, 0] + boxes[:, 2] / 2, boxes[:, 1] + boxes[:, 3] / 2], axis=1)
    keep = scores.max(1) >= 0.7
    found = yolox.decode([raw], (height, width), 0.7)
    assert 10 < keep.sum() < 126
    np.testing.assert_allclose(found.xyxy, expected[keep], rtol=1e-5, atol=1e-4)  # float32 sums in another order
    np.testing.assert_array_equal(found.class_ids, scores.argmax(1)[keep])


def test_dense_head_hand_worked() -> None:
    raw = np.zeros((6, 7), np.float32)  # 7 boxes, 2 classes
    raw[:, 2] = [10, 20, 4, 8, 0.2, 0.6]
    raw[:, 5] = [1, 2, 3, 4, 0.5, 0.1]
    found = ultralytics.dense([raw], (32, 32), 0.3)
    np.testing.assert_allclose(found.xyxy, [[8, 16, 12, 24], [-0.5, 0, 2.5, 4]])
    np.testing.assert_allclose(found.scores, [0.6, 0.5])
    assert found.class_ids.tolist() == [1, 0]


def test_end_to_end_head_hand_worked() -> None:
    rows = np.array([[1, 2, 3, 4, 0.9, 7], [5, 6, 7, 8, 0.2, 1]], np.float32)
    found = ultralytics.end_to_end([rows], (32, 32), 0.25)
    assert found.xyxy.tolist() == [[1, 2, 3, 4]] and found.class_ids.tolist() == [7]


def test_ssd_hand_worked() -> None:
    rows = np.array([[0, 1, 0.9, 0.25, 0.5, 0.5, 1.0], [0, 0, 0.9, 0, 0, 1, 1], [0, 1, 0.1, 0, 0, 1, 1],
                     [-1, 1, 0.9, 0, 0, 1, 1]], np.float32)[None]
    found = ssd.decode([rows], (384, 672), 0.25)
    np.testing.assert_allclose(found.xyxy, [[168, 192, 336, 384]])


class Told:
    """A net that keeps what it was given, and says what it was told to."""

    device, precision, channels_last, batch, metadata = "cpu", "fp32", False, 1, {}
    shape = (1, 3, 64, 64)

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        self.images = images.copy()
        return [np.zeros((len(images), 1), np.float32)]


def detector(found: Candidates, takes: Input, stride: int | None = None, iou: float | None = 0.5,
             **settings: object) -> tuple[NetworkDetector, Told]:
    net = Told()
    return NetworkDetector("told", None, ("cat", "dog"), net, lambda *_: found, takes, Settings(**settings), iou,
                           stride), net


@pytest.mark.parametrize("fit, box", [("centre", [16, 24, 48, 40]), ("corner", [16, 8, 48, 24]),
                                      ("stretch", [16, 16, 48, 48])])
@pytest.mark.parametrize("size", [(100, 200), (32, 64), (8, 16)])
def test_box_returns_to_the_picture(fit: str, box: list[float], size: tuple[int, int]) -> None:
    """The middle half of a picture twice as wide as high, in the canvas of each fit, at any size of the picture."""
    found = Candidates(np.array([box], np.float32), np.array([0.9], np.float32), np.array([0]))
    made, net = detector(found, Input(64, 64, fit, pad=0))
    height, width = size
    image = np.zeros((height, width, 3), np.uint8)
    image[height // 4 : -(height // 4), width // 4 : -(width // 4)] = 255
    boxes = made([image])[0]
    np.testing.assert_allclose(boxes.xyxy, [[width / 4, height / 4, width * 3 / 4, height * 3 / 4]], rtol=1e-6)
    x1, y1, x2, y2 = box
    inside = net.images[0, :, y1 + 6 : y2 - 6, x1 + 6 : x2 - 6]  # 6: enlarging blurs the edge
    assert net.images.shape == (1, 3, 64, 64)
    assert inside.min() == 1 and net.images[0, :, : y1 - 6].sum() == 0, "the picture lies elsewhere on the canvas"


def test_smallest_canvas_of_the_stride() -> None:
    nothing = Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64))
    made, net = detector(nothing, Input(640, 640), stride=32)
    assert made.size.of(1920, 1080) == (640, 360)
    made([np.zeros((1080, 1920, 3), np.uint8)])
    assert net.images.shape == (1, 3, 384, 640)
    made([np.zeros((360, 640, 3), np.uint8), np.zeros((640, 480, 3), np.uint8)])
    assert net.images.shape == (1, 3, 640, 480), "each picture has its own canvas"


def test_suppression_selection_order_and_clipping() -> None:
    xyxy = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 9.5], [-5, 50, 90, 99], [70, 0, 80, 9]], np.float32)
    found = Candidates(xyxy, np.array([0.5, 0.9, 0.8, 0.6, 0.95], np.float32), np.array([0, 0, 1, 1, 0]))
    image = np.zeros((64, 64, 3), np.uint8)
    boxes = detector(found, Input(64, 64))[0]([image])[0]
    np.testing.assert_allclose(boxes.scores, [0.9, 0.8, 0.6])
    assert boxes.class_ids.tolist() == [0, 1, 1] and boxes.xyxy[2].tolist() == [0, 50, 64, 64]
    assert detector(found, Input(64, 64), classes=("dog",))[0]([image])[0].class_ids.tolist() == [1, 1]
    assert len(detector(found, Input(64, 64), iou=None)[0]([image])[0]) == 4
    assert len(detector(found, Input(64, 64), max_boxes=1)[0]([image])[0]) == 1
    assert detector(found, Input(64, 64))[0]([]) == []


def test_classes_by_name() -> None:
    assert wanted(("cat", "dog"), ()) is None
    assert wanted(("cat", "dog"), ("dog",)).tolist() == [False, True]
    with pytest.raises(UsageError, match="no class 'Person': did you mean 'person'"):
        wanted(("person", "car"), ("Person",))
    with pytest.raises(UsageError, match="no class 'zzz': the model knows 2: person, car"):
        wanted(("person", "car"), ("zzz",))


@pytest.mark.parametrize("settings, words", [({"min_score": 1.5}, "--min-score 1.5"), ({"iou": -1.0}, "--iou -1"),
                                             ({"min_score": float("nan")}, "--min-score nan"),
                                             ({"max_boxes": 0}, "--max-boxes 0")])
def test_settings_out_of_range(settings: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Settings(**settings)


def test_names_of_models() -> None:
    assert model_name("yolox-nano") == "yolox-nano"
    assert model_name("yolo11n", Path("runs/best.pt")) == "best" and model_name("runs/best.onnx") == "best"
    with pytest.raises(UsageError, match="did you mean 'yolo11n'"):
        model_name("yolov11n")


def test_file_of_another_architecture(shared: Path) -> None:
    tflite, onnx = shared / "models" / "yolov8n_int8.tflite", shared / "models" / "yolox_nano.onnx"
    with pytest.raises(WeightsError, match=r"outputs are \(1, 3549, 85\), expected \(1, 4 \+ classes, boxes\)"):
        load_detector(weights=onnx)
    with pytest.raises(WeightsError, match=r"not a YOLOX export: its outputs are \(1, 84, 8400\)"):
        load_detector("yolox-nano", weights=tflite)
    with pytest.raises(WeightsError, match=r"its input is \(1, 3, 416, 416\), expected \(1, 3, 384, 672\)"):
        load_detector("pedestrian-adas", weights=onnx)


