"""Texts out of maps: ideal ones of known texts, and maps that nobody would wish for."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from cotext_pictures import ideal, quad
from vtk.errors import UsageError
from vtk.metrics.polygons import polygon_overlap
from vtk.models.cotext_regions import Growth, grow, rectangles

SIZE = (96, 160)  # of the maps, which are 384 x 640 pixels
TEXTS = np.stack([
    quad(120, 60, 180, 36), quad(430, 70, 300, 40, 8), quad(130, 220, 150, 30, -35), quad(400, 220, 28, 160),
    quad(560, 260, 90, 24), quad(560, 292, 90, 24), quad(500, 350, 120, 20, 3),
])  # fmt: skip


def test_ideal_maps_give_the_texts_back() -> None:
    region, kernel, labels = ideal(TEXTS, *SIZE)
    found = grow(region, kernel)
    overlap = polygon_overlap(TEXTS, found.quads)
    best = overlap.argmax(axis=1)
    print("IoU of ideal maps:", overlap.max(axis=1).round(3).tolist())
    assert len(found.quads) == len(TEXTS) and sorted(best.tolist()) == list(range(len(TEXTS)))
    assert overlap.max(axis=1).min() > 0.8
    for number, row in enumerate(best, 1):  # every cell of a region has the label of its own text
        assert (found.labels[labels == number] == found.ids[row]).all()
    assert found.quads.dtype == found.scores.dtype == np.float32 and found.ids.dtype == np.int64
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-4.0)), rtol=1e-6)
    assert found.more == 0


def test_texts_that_touch_are_told_apart_by_their_kernels() -> None:
    texts = np.stack([quad(100, 52, 120, 32), quad(100, 84, 120, 32)])  # of whole cells, so nothing is rounded
    region, kernel, _ = ideal(texts, 32, 50)
    assert cv2.connectedComponents((region > 0).astype(np.uint8), connectivity=4)[0] == 2  # one, and the ground
    found = grow(region, kernel)
    np.testing.assert_allclose(found.quads[np.argsort(found.quads[:, 0, 1])], texts, atol=1e-3)


def test_corners_by_hand() -> None:
    """5 x 2 cells from column 3, row 4 are 20 x 8 pixels from (12, 16); the first corner is the top left."""
    region, kernel = np.full((2, 12, 16), -3, np.float32)
    region[4:6, 3:8] = 3
    kernel[4, 4] = 3
    found = grow(region, kernel, how=Growth(min_area=0))
    np.testing.assert_allclose(found.quads, [[[12, 16], [32, 16], [32, 24], [12, 24]]], atol=1e-4)
    turned = rectangles(np.array([[10.0, 10, 7, 1, 45]]), 4)[0]
    across = turned[1] - turned[0]
    np.testing.assert_allclose(turned.mean(axis=0), 42, atol=1e-4)
    np.testing.assert_allclose(across, np.array([1, 1]) * 32 / np.sqrt(2), atol=1e-4)


def test_thresholds() -> None:
    """Seven cells of 16 pixels exceed 100, six do not; logits of 2 are a probability of 0.88, of 1.7 of 0.846."""
    region, kernel = np.full((2, 40, 40), -3, np.float32)
    for row, (cells, logit) in enumerate([(7, 2.0), (6, 2.0), (12, 1.7), (12, 5.0)]):
        region[5 * row + 2, 2 : 2 + cells] = logit
        kernel[5 * row + 2, 4] = 1
    region[30, 2:20] = 5  # no kernel
    kernel[35, 2:20] = 5  # no region
    found = grow(region, kernel)
    assert found.quads[:, 0, 1].tolist() == [68.0, 8.0] and (np.diff(found.scores) < 0).all()
    assert len(grow(region, kernel, how=Growth(min_area=96, min_score=0.5)).quads) == 3
    assert len(grow(region, kernel, how=Growth(min_area=0, min_score=0)).quads) == 4
    np.testing.assert_allclose(found.scores, [1 / (1 + np.exp(-5)), 1 / (1 + np.exp(-2))], rtol=1e-6)


def test_ten_thousand_texts_are_bounded_and_counted() -> None:
    region = np.full((400, 800), -3, np.float32)
    region.reshape(100, 4, 100, 8)[:, :3, :, :6] = 6
    region[0:3, 8:14] = 9
    found = grow(region, region)
    assert len(found.quads) == 1000 and found.more == 9000
    assert found.quads[0, 0].tolist() == [32, 0] and (np.diff(found.scores) <= 0).all()
    assert grow(region, region, how=Growth(max_boxes=7)).more == 9993


@pytest.mark.parametrize("seed", range(3))
def test_noise_everywhere_takes_little_time(seed: int) -> None:
    """Full HD at stride 4, smooth noise with thousands of blobs; a second is some hundred times what it takes."""
    rng = np.random.default_rng(seed)
    region, kernel = (cv2.GaussianBlur(rng.normal(0, 60, (272, 480)), (0, 0), 1 + seed).astype(np.float32)
                      for _ in range(2))
    grow(region, kernel)
    start = time.process_time()
    found = grow(region, kernel, how=Growth(min_score=0))
    assert time.process_time() - start < 5 and len(found.quads) > 100
    assert np.isfinite(found.quads).all()


@pytest.mark.parametrize("shape", [(1, 1), (8, 1), (1, 8)])
def test_maps_of_a_cell_and_of_a_line(shape: tuple[int, int]) -> None:
    assert len(grow(np.full(shape, 5, np.float32), np.full(shape, 5, np.float32)).quads) == (8 in shape)
    found = grow(np.full(shape, -5, np.float32), np.full(shape, 5, np.float32))
    assert found.quads.shape == (0, 4, 2) and found.scores.shape == (0,) and found.more == 0


def test_what_are_no_maps() -> None:
    good = np.zeros((4, 5), np.float32)
    for region, kernel in ((good[:0], good[:0]), (good, good[:3]), (good.astype(float), good), (good[0], good[0])):
        with pytest.raises(ValueError, match="expected"):
            grow(region, kernel)


@pytest.mark.parametrize(("options", "words"), [({"min_area": -1}, "least area"), ({"min_score": 1.5}, "from 0 to 1"),
                                                ({"min_score": float("nan")}, "from 0 to 1"),
                                                ({"max_boxes": 0}, "expected 1 or more")])
def test_thresholds_out_of_range(options: dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Growth(**options)
