"""The spotter on real pictures: against rapidocr's own program, and against what stands there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from shapely.geometry import Polygon

from vtk.errors import UsageError, WeightsError
from vtk.models import weights, zoo
from vtk.models.ppocr import PpOcr, crop_quad, load_ppocr
from vtk.models.spotters import load_spotter
from vtk.models.ppocr_detection import TextDetector, layout
from vtk.models.ppocr_recognition import PARTS, decode, visual_cue
from vtk.models.runtime import RuntimeOptions, load
from vtk.models.text_boxes import Db

FP32 = RuntimeOptions("cpu", "fp32")
ROWS = ("ppocr-v6-det-small", "ppocr-v6-rec-small")


@pytest.fixture(scope="module")
def spotter() -> PpOcr:
    return load_ppocr(runtime=FP32)


@pytest.fixture(scope="module")
def rapidocr() -> Any:
    """Return rapidocr's own program on OpenVINO, in fp32 as ours, at our long side."""
    from rapidocr import EngineType, RapidOCR
    from rapidocr.inference_engine.openvino import main

    from vtk.models.openvino import core

    main.Core = core  # one of its own for each network would take a signal's stack away
    engines = {f"{part}.engine_type": EngineType.OPENVINO for part in ("Det", "Cls", "Rec")}
    own = RapidOCR(params={**engines, "Det.limit_type": "max", "Det.limit_side_len": 640,
                           "Det.score_mode": "slow", "Global.log_level": "error"})
    own._load_det_model()
    own._load_rec_model()
    for part in (own.text_det, own.text_rec):  # the engine has no option for it
        compiled = core().compile_model(part.session.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        part.session.session = compiled.create_infer_request()
    return own


def picture(path: Path) -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(path), cv2.IMREAD_COLOR)[:, :, ::-1])


def pictures(shared: Path) -> list[np.ndarray]:
    folder = shared / "data" / "spot-text"
    paths = [*sorted((folder / "ic15_train10" / "imgs" / "test").glob("*.jpg")),
             folder / "tesseract_pages" / "phototest.tif"]
    return [picture(path) for path in paths]


def page(lines: list[str], scale: float = 1.2) -> np.ndarray:
    """Return a white page with ``lines`` of black letters."""
    image = np.full((60 * len(lines) + 40, 640, 3), 255, np.uint8)
    for index, line in enumerate(lines):
        cv2.putText(image, line, (30, 60 * index + 60), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 2, cv2.LINE_AA)
    return image


def iou(a: np.ndarray, b: np.ndarray) -> float:
    one, other = Polygon(a), Polygon(b)
    return one.intersection(other).area / one.union(other).area


def test_boxes_equal_rapidocrs_with_its_constants(shared: Path, rapidocr: Any) -> None:
    """IoU 0.8: it rounds a box to whole pixels of the map before it grows and of the picture after, ours are exact.

    A box that scores just the least score may be there on one side alone.
    """
    row = zoo.get(ROWS[0])
    takes = replace(row.input, mean=(0.5,) * 3, std=(0.5,) * 3)
    how = Db(min_score=0.5, unclip=1.6, dilate=True)
    detector = TextDetector(load(weights.resolve(row).paths[0], FP32), takes, 640, how)
    theirs = ours = same = 0
    images = pictures(shared)
    for image in images:
        plan = layout(image.shape[1], image.shape[0], 640)  # resized as it does; ours averages what shrinks so much
        found = detector.find([cv2.resize(image, (plan.width, plan.height))])[0]
        quads, scores = found.quads, found.scores
        quads = quads * np.array([image.shape[1] / plan.width, image.shape[0] / plan.height], np.float32)
        own = rapidocr.text_det(np.ascontiguousarray(image[:, :, ::-1]))
        boxes = [] if own.boxes is None else own.boxes
        theirs, ours = theirs + len(boxes), ours + len(quads)
        same += sum(max((iou(box, quad) for quad in quads), default=0) >= 0.8 for box in boxes)
        if len(boxes) == len(quads) > 0:  # it sorts its boxes and leaves their scores as they were
            np.testing.assert_allclose(scores, sorted(own.scores, reverse=True), atol=0.01)
    print(f"boxes: rapidocr {theirs}, ours {ours}, the same {same}")
    assert theirs >= 20 and same >= 0.95 * theirs and ours <= 1.1 * theirs


def test_transcripts_of_the_same_crops_equal_rapidocrs(shared: Path, spotter: PpOcr, rapidocr: Any) -> None:
    """They differ where it pads a crop to the longest of six, and we to the next width of a list."""
    from rapidocr.ch_ppocr_rec.typings import TextRecInput

    images = pictures(shared)
    crops = [crop_quad(image, quad) for image, found in zip(images, spotter.detector.find(images), strict=True)
             for quad in found.quads]
    bgr = [np.ascontiguousarray(crop[:, :, ::-1]) for crop in crops]
    theirs = rapidocr.text_rec(TextRecInput(img=bgr, return_word_box=False))
    ours = spotter.reader.read(crops)
    differ = [(theirs.txts[index], reading.text) for index, reading in enumerate(ours)
              if theirs.txts[index] != reading.text]
    print(f"transcripts: {len(ours)}, different: {differ}")
    assert len(ours) >= 20 and len(differ) <= 0.1 * len(ours)
    scores = [(reading.score, score) for reading, score, text in zip(ours, theirs.scores, theirs.txts, strict=True)
              if reading.text == text]
    assert np.median([abs(a - b) for a, b in scores]) < 1e-3


def test_a_page_is_read_right(shared: Path, spotter: PpOcr) -> None:
    image = picture(shared / "data" / "spot-text" / "tesseract_pages" / "phototest.tif")
    found = spotter.detector.find([image])[0]
    quads, scores = found.quads, found.scores
    order = np.argsort(quads[:, 0, 1])
    got = [reading.text for reading in spotter.reader.read([crop_quad(image, quads[index]) for index in order])]
    truth = (shared / "data" / "spot-text" / "tesseract_pages" / "phototest.txt").read_text().split("\n")
    right = sum(line.strip() == found for line, found in zip([line for line in truth if line.strip()], got))
    assert len(got) == 8 and right >= 7, got
    assert (np.diff(scores) <= 0).all() and scores.min() >= 0.6


def test_drawn_lines_are_found_and_read(spotter: PpOcr) -> None:
    lines = ["Platform 9", "Exit to Main Street", "OPEN 24 HOURS"]
    image = page(lines)
    quads = spotter.detector.find([image])[0].quads
    quads = quads[np.argsort(quads[:, 0, 1])]
    readings = spotter.reader.read([crop_quad(image, quad) for quad in quads])
    assert [reading.text for reading in readings] == lines
    for reading in readings:
        assert len(reading.characters) == len(reading.text) and reading.characters.dtype == np.float32
        assert reading.score == pytest.approx(reading.characters.mean()) and reading.score > 0.9
    assert quads.dtype == np.float32 and quads.min() >= 0 and (quads <= [640, image.shape[0]]).all()
    assert abs(quads[1, 0] - [28, 88]).max() < 15 and abs(quads[0, 2] - [205, 70]).max() < 15


def test_vertical_and_turned_text(spotter: PpOcr) -> None:
    line = page(["DEPARTURES"])
    turned = np.ascontiguousarray(np.rot90(line, -1))
    quads = spotter.detector.find([turned])[0].quads
    assert spotter.reader.read([crop_quad(turned, quads[0])])[0].text == "DEPARTURES"
    matrix = cv2.getRotationMatrix2D((320, 50), 20, 1)
    tilted = cv2.warpAffine(line, matrix, (640, 400), borderValue=(255, 255, 255))
    quads = spotter.detector.find([tilted])[0].quads
    assert spotter.reader.read([crop_quad(tilted, quads[0])])[0].text == "DEPARTURES"


def test_the_answer_does_not_depend_on_company(spotter: PpOcr) -> None:
    images = [page(["one", "two"]), page(["a much longer line of text"]), page(["three"], 2.0)[:, :300]]
    together = spotter.detector.find(images)
    for image, found in zip(images, together, strict=True):
        alone = spotter.detector.find([image])[0]
        np.testing.assert_array_equal(found.quads, alone.quads)
        np.testing.assert_array_equal(found.scores, alone.scores)
    crops = [crop_quad(image, found.quads[0]) for image, found in zip(images, together, strict=True)]
    for crop, reading in zip(crops, spotter.reader.read(crops), strict=True):
        alone = spotter.reader.read([crop])[0]
        assert alone.text == reading.text
        np.testing.assert_array_equal(alone.feature, reading.feature)


def test_batches_give_what_single_crops_give(spotter: PpOcr) -> None:
    """fp32 in another order of sums: 1e-3 on scores in [0, 1]."""
    batched = load_ppocr(runtime=replace(FP32, batch=4))
    crops = [page([text])[20:90, 20:400] for text in ("alpha", "beta", "gamma", "delta", "epsilon")]
    for one, other in zip(spotter.reader.read(crops), batched.reader.read(crops), strict=True):
        assert one.text == other.text and abs(one.score - other.score) < 1e-3
        assert one.feature @ other.feature > 0.999


def test_the_same_text_looks_alike_and_others_do_not(spotter: PpOcr) -> None:
    texts = ["HOTEL", "EXIT 12", "Main Street", "PHARMACY", "taxi"]
    crops = [crop_quad(image, spotter.detector.find([image])[0].quads[0]) for image in (page([text]) for text in texts)]
    worse = [cv2.GaussianBlur(cv2.resize(crop, None, fx=0.6, fy=0.6), (3, 3), 1)[2:-2, 3:] for crop in crops]
    a = np.stack([reading.feature for reading in spotter.reader.read(crops)])
    b = np.stack([reading.feature for reading in spotter.reader.read([*map(np.ascontiguousarray, worse)])])
    np.testing.assert_allclose(np.linalg.norm(a, axis=1), 1, atol=1e-5)
    alike = a @ b.T
    others = alike[~np.eye(5, dtype=bool)]
    assert a.shape == (5, spotter.reader.dimensions)
    assert alike.diagonal().min() > 0.85 > 0.8 > others.max()


def test_visual_cue_of_few_steps() -> None:
    features = np.array([[1, 0], [0, 1], [0, 1]], np.float32)
    for steps in (1, 2, 3):
        cue = visual_cue(features[:steps])
        assert cue.shape == (2 * PARTS,) and np.linalg.norm(cue) == pytest.approx(1)
    np.testing.assert_allclose(visual_cue(features[[0, 1, 1, 0]]), np.array([1, 0, 0, 1, 0, 1, 1, 0]) / 2)
    assert np.isfinite(visual_cue(np.zeros((3, 2), np.float32))).all()


def test_the_best_path_by_hand() -> None:
    """Classes 0 1 1 0 1 2 2: the repeat within a run goes, that across a blank stays."""
    steps = [0, 1, 1, 0, 1, 2, 2]
    probabilities = np.full((7, 3), 0.05, np.float32)
    probabilities[range(7), steps] = [0.9, 0.5, 0.8, 0.7, 0.6, 0.75, 0.95]
    classes, scores, steps = decode(probabilities)
    assert classes.tolist() == [1, 1, 2]
    np.testing.assert_allclose(scores, [0.5, 0.6, 0.75])
    assert steps.tolist() == [[1, 3], [4, 5], [5, 7]]
    assert [len(part) for part in decode(probabilities[:1])] == [0, 0, 0]


def test_weights_come_from_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    monkeypatch.delenv("VTK_MIRROR", raising=False)
    for name in ROWS:
        row = zoo.get(name)
        assert weights.locate(row.files[0]).origin == "package"
        assert weights.resolve(row, offline=True).official
    assert list(tmp_path.glob("weights/*")) == []


def test_vtk_models_knows_packaged_weights(vtk: Any, tmp_path: Path) -> None:
    env = {"VTK_HOME": str(tmp_path), "VTK_MIRROR": "", "VTK_OFFLINE": "1"}
    path = vtk("models", "path", ROWS[0], **env).stdout.decode().strip()
    assert path.endswith("PP-OCRv6_det_small.onnx") and Path(path).is_file()
    assert vtk("models", "verify", *ROWS, **env).stdout.decode().count("ok ") == 2
    assert path in vtk("models", "pull", ROWS[0], **env).stdout.decode()
    listed = {line.split()[0]: line for line in vtk("models", "list", **env).stdout.decode().splitlines()}
    assert all(listed[name].endswith("package") for name in ROWS)


def test_loading_runs_no_code_of_rapidocr_nor_torch() -> None:
    code = ("import sys; from vtk.models.ppocr import load_ppocr; load_ppocr();"
            "print([name for name in ('rapidocr', 'torch', 'omegaconf', 'onnxruntime') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_wrong_options_and_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no text spotter 'easyocr': there is ppocr"):
        load_spotter("easyocr")
    with pytest.raises(UsageError, match="long side 650: expected a multiple of 32"):
        load_ppocr(long_side=650)
    with pytest.raises(UsageError, match="1.5: expected a number from 0 to 1"):
        load_ppocr(how=Db(min_score=1.5))
    detector = weights.resolve(zoo.get(ROWS[0])).paths[0]
    with pytest.raises(WeightsError, match="not a PP-OCR reader"):
        load_ppocr(reader_weights=detector)
    broken = tmp_path / "reader.onnx"
    broken.write_bytes(b"not a model")
    with pytest.raises(WeightsError, match="damaged, or no .onnx model"):
        load_ppocr(reader_weights=broken)
    with pytest.raises(WeightsError, match="expected an .onnx file"):
        load_ppocr(reader_weights=Path(__file__))
