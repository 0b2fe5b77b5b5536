"""The spotter on pictures that nobody would choose, and the geometry of its boxes."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from vtk.models import ppocr_detection
from vtk.models.ppocr import PpOcr, crop_quad, load_ppocr
from vtk.models.ppocr_detection import MAX_PIECES, STRIDE, layout
from vtk.models.text_boxes import MAX_ASPECT, Db, clockwise, find_boxes


@pytest.fixture(scope="module")
def spotter() -> PpOcr:
    return load_ppocr(long_side=320)


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 300, 3), (300, 8, 3), (1, 5000, 3), (720, 1280, 3)])
def test_pictures_without_text(spotter: PpOcr, shape: tuple[int, int, int]) -> None:
    found = spotter.detector.find([np.full(shape, 90, np.uint8)])[0]
    quads, scores = found.quads, found.scores
    assert quads.shape == (0, 4, 2) and scores.shape == (0,) and quads.dtype == scores.dtype == np.float32


def test_noise(spotter: PpOcr) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    found = spotter.detector.find([noise])[0]
    quads, scores = found.quads, found.scores
    assert len(quads) == len(scores) <= Db().max_boxes
    for reading in spotter.reader.read([noise, noise[:8, :8], noise[:1, :1], noise[:2], noise[:, :2]]):
        assert np.isfinite(reading.feature).all() and 0 <= reading.score <= 1


def test_nothing_asked_nothing_given(spotter: PpOcr) -> None:
    assert spotter.detector.find([]) == [] and spotter.reader.read([]) == []


@pytest.mark.parametrize("image", [np.zeros((20, 30), np.uint8), np.zeros((20, 30, 1), np.uint8),
                                   np.zeros((20, 30, 4), np.uint8), np.zeros((20, 30, 3), np.float32),
                                   np.zeros((0, 30, 3), np.uint8)])
def test_what_is_no_picture_is_refused(spotter: PpOcr, image: np.ndarray) -> None:
    good = np.zeros((48, 60, 3), np.uint8)
    with pytest.raises(ValueError, match=r"images\[1\]: got .*expected \(H, W, 3\) uint8"):
        spotter.detector.find([good, image])
    with pytest.raises(ValueError, match=r"crops\[1\]: got .*expected \(h, w, 3\) uint8"):
        spotter.reader.read([good, image])
    with pytest.raises(ValueError, match="expected"):
        crop_quad(image, np.array([[0, 0], [10, 0], [10, 10], [0, 10]]))


def test_a_very_long_picture_is_read_in_pieces(spotter: PpOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    """30,000 x 200: words all along it, one of them across each cut; none is lost, doubled or broken."""
    image = np.full((200, 30000, 3), 255, np.uint8)
    words = [f"WORD{index:03d}" for index in range(60)]
    for index, word in enumerate(words):
        cv2.putText(image, word, (500 * index + 60, 130), cv2.FONT_HERSHEY_SIMPLEX, 2.4, (0, 0, 0), 6, cv2.LINE_AA)
    calls = []
    inner = ppocr_detection.find_boxes
    monkeypatch.setattr(ppocr_detection, "find_boxes", lambda *a: calls.append(a[0].shape) or inner(*a))
    quads = spotter.detector.find([image])[0].quads
    quads = quads[np.argsort(quads[:, 0, 0])]
    assert len(quads) == len(words) and len(calls) == 1 and calls[0][1] <= 20000
    got = [reading.text for reading in spotter.reader.read([crop_quad(image, quad) for quad in quads])]
    assert sum(a == b for a, b in zip(got, words, strict=True)) >= 54, got
    upright = np.ascontiguousarray(image[:, :6000].swapaxes(0, 1))
    assert len(spotter.detector.find([upright])[0].quads) >= 10


def test_a_long_line_stays_one_box_across_the_cuts(spotter: PpOcr) -> None:
    image = np.full((60, 2400, 3), 255, np.uint8)
    text = "the quick brown fox jumps over the lazy dog and runs into the dark green wood behind the house"
    cv2.putText(image, text, (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 2, cv2.LINE_AA)
    assert len(layout(2400, 60, 320).starts) > 3
    quads = spotter.detector.find([image])[0].quads
    assert len(quads) == 1 and 1700 < quads[0, 1, 0] - quads[0, 0, 0] < 1850


@pytest.mark.parametrize("size", [(1, 1), (1, 30000), (30000, 1), (30000, 200), (7, 9), (3840, 2160), (100000, 100000),
                                  (641, 160), (2560, 640), (2561, 640), (2600, 640), (3000, 640)])
@pytest.mark.parametrize("long_side", [32, 320, 640, 1280])
def test_layouts_are_bounded_and_cover(size: tuple[int, int], long_side: int) -> None:
    plan = layout(*size, long_side)
    length = max(plan.width, plan.height)
    assert plan.width % STRIDE == plan.height % STRIDE == 0 < min(plan.width, plan.height)
    assert 1 <= len(plan.starts) <= MAX_PIECES and plan.window <= long_side
    assert plan.starts[0] == 0 and plan.starts[-1] + plan.window == length
    gaps = np.diff(plan.starts)
    assert (gaps > 0).all() and (gaps <= plan.window).all()
    assert max(plan.canvas) <= max(long_side, STRIDE)


def blobs(count: int) -> np.ndarray:
    """Return a map of ``count`` blots of 6 x 4 pixels, each surer than the one before."""
    columns = 100
    rows = -(-count // columns)
    probability = np.zeros((rows * 8, columns * 10), np.float32)
    for index in range(count):
        row, column = divmod(index, columns)
        probability[row * 8 + 1 : row * 8 + 6, column * 10 + 1 : column * 10 + 8] = 0.7 + 0.3 * index / count
    return probability


def test_ten_thousand_boxes_are_bounded_to_the_surest() -> None:
    """They cost time once each; those beyond the bound cost no rectangle, no crop and no reading."""
    find_boxes(blobs(10))  # loads the kernel
    begin = time.process_time()
    found = find_boxes(blobs(10_000))
    assert time.process_time() - begin < 1
    assert len(found) == Db().max_boxes == 1000 and found.more == 9000
    assert found.scores.min() >= 0.7 + 0.3 * 0.9 - 1e-6 and (np.diff(found.scores) <= 0).all()
    few = find_boxes(blobs(50), Db(max_boxes=7))
    assert len(few) == 7 and few.more == 43 and find_boxes(blobs(50)).more == 0


def test_what_is_left_out_is_told(spotter: PpOcr, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ppocr_detection, "find_boxes", lambda *a: find_boxes(blobs(1200)))
    found = spotter.spotter().find([np.zeros((96, 1000, 3), np.uint8)])[0]
    assert len(found.quads) == 1000 and found.more == 200


def test_a_map_of_specks_is_no_text() -> None:
    probability = np.zeros((704, 1280), np.float32)
    probability[::2, ::2] = 0.9
    assert len(find_boxes(probability)) == 0


def test_boxes_of_a_map_by_hand() -> None:
    """A block of 41 x 11 pixels: its rectangle is 40 x 10, its offset 400 * 1.5 / 100 = 6."""
    probability = np.zeros((64, 96), np.float32)
    probability[20:31, 20:61] = 0.9
    probability[50:52, 5:90] = 0.9  # too flat
    probability[5:12, 70:90] = 0.5  # not sure enough
    found = find_boxes(probability)
    np.testing.assert_allclose(found.quads, [[[14, 14], [66, 14], [66, 36], [14, 36]]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [0.9], atol=1e-6)
    assert len(find_boxes(np.zeros((32, 32), np.float32))) == 0


def test_a_component_inside_a_ring_is_found() -> None:
    probability = np.zeros((128, 128), np.float32)
    cv2.rectangle(probability, (10, 10), (118, 118), 0.9, 2)
    probability[60:70, 40:90] = 0.9
    found = find_boxes(probability)
    assert len(found) == 1 and found.quads[0, 0, 1] > 40


@pytest.mark.parametrize("angle", [-40, -10, 0, 10, 40])
def test_corners_run_clockwise_from_the_top_left(angle: int) -> None:
    corners = cv2.boxPoints(((50, 50), (40, 10), angle))
    for order in ([0, 1, 2, 3], [2, 0, 3, 1], [3, 2, 1, 0]):
        quad = clockwise(corners[order][None])[0]
        edges = np.roll(quad, -1, axis=0) - quad
        assert (edges[:, 0] * np.roll(edges, -1, axis=0)[:, 1] > edges[:, 1] * np.roll(edges, -1, axis=0)[:, 0]).all()
        assert np.linalg.norm(edges[0]) == pytest.approx(40, abs=1e-3) and edges[0, 0] > 0


def test_crops() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    image[20:44, 30:90] = (200, 100, 50)
    crop = crop_quad(image, np.array([[30, 20], [90, 20], [90, 44], [30, 44]]))
    assert crop.shape == (48, 125, 3) and (np.abs(crop[4:-4, 8:-8].astype(int) - (200, 100, 50)) <= 1).all()
    vertical = crop_quad(image, np.array([[30, 20], [40, 20], [40, 44], [30, 44]]))
    assert vertical.shape == (48, 120, 3)
    big = cv2.resize(image, None, fx=10, fy=10)
    folded = crop_quad(big, np.array([[300, 200], [900, 200], [900, 440], [300, 440]]))
    assert folded.shape == (48, 125, 3) and (np.abs(folded[4:-4, 8:-8].astype(int) - (200, 100, 50)) <= 1).all()
    assert crop_quad(image, np.zeros((4, 2))).shape == (48, 53, 3)
    thin = crop_quad(np.zeros((4, 30000, 3), np.uint8), np.array([[0, 0], [30000, 0], [30000, 4], [0, 4]]))
    assert thin.shape == (48, 48 * MAX_ASPECT, 3)
    with pytest.raises(ValueError, match="expected 4 finite corners"):
        crop_quad(image, np.full((4, 2), np.nan))
    with pytest.raises(ValueError, match="expected 4 finite corners"):
        crop_quad(image, np.zeros((3, 2)))
