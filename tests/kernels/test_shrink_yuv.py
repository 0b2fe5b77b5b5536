"""``shrink_yuv`` on planes that can be worked out by hand, and beside OpenCV's area averages."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from vtk.kernels.shrink_yuv import shrink_yuv
from vtk.kernels.shrink_yuv.cases import MATRIX

PLAIN = np.eye(3, 4)


def plane(*rows: list[int]) -> np.ndarray:
    return np.array(rows, np.uint8)


def test_by_hand() -> None:
    """Three pixels on two: each takes one and a half; chroma of one pixel serves both."""
    got = shrink_yuv(plane([0, 30, 90]), plane([7]), plane([200]), PLAIN, 1, 2)
    assert (got.dtype, got.tolist()) == (np.uint8, [[[10, 7, 200], [70, 7, 200]]])


def test_halves_are_rounded_up_and_colours_limited() -> None:
    got = shrink_yuv(plane([1, 2]), plane([0]), plane([255]), np.array([[1, 0, 0, 0], [0, 1, 0, -3], [0, 0, 2, 0.0]]), 1, 1)
    assert got.tolist() == [[[2, 0, 255]]]


def test_a_picture_may_grow() -> None:
    assert shrink_yuv(plane([10], [20]), plane([0]), plane([0]), PLAIN, 4, 1)[:, 0, 0].tolist() == [10, 10, 20, 20]


@pytest.mark.parametrize("size", [(64, 64), (31, 57), (1, 1)])
def test_planes_are_averaged_as_opencv_does_it(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    planes = [random.integers(0, 256, shape, np.uint8) for shape in ((360, 640), (180, 320), (180, 320))]
    got = shrink_yuv(*planes, PLAIN, *size)
    wanted = np.stack([cv2.resize(each, size[::-1], interpolation=cv2.INTER_AREA) for each in planes], 2)
    assert np.abs(got.astype(int) - wanted).max() <= 1, "OpenCV's weights are float32"


def test_rows_may_lie_apart_and_many_under_a_pixel() -> None:
    wide = np.random.default_rng(2).integers(0, 256, (1400, 40), np.uint8)
    got = shrink_yuv(wide[::2, 5:25], wide[::2, 5:25], wide[::2, 5:25], PLAIN, 1, 4)
    means = wide[::2, 5:25].reshape(700, 4, 5).mean(axis=(0, 2))
    assert np.abs(got[0, :, 0] - means).max() <= 0.5
    assert (shrink_yuv(*[np.full((1400, 40), 255, np.uint8)] * 3, PLAIN, 2, 2) == 255).all()


def test_grey_stays_grey() -> None:
    got = shrink_yuv(plane([16, 126, 235]), plane([128]), plane([128]), MATRIX, 1, 3)
    assert np.abs(got[0].astype(int) - [[0] * 3, [128] * 3, [255] * 3]).max() <= 1


@pytest.mark.parametrize(("change", "message"), [
    ({"luma": np.zeros((2, 2, 1), np.uint8)}, r"luma: got a uint8 array of shape \(2, 2, 1\)"),
    ({"red": np.zeros((1, 2), np.uint8)}, r"red: got a uint8 array of shape \(1, 2\), expected a uint8 array of shape \(1, 1\)"),
    ({"luma": np.zeros((0, 2), np.uint8)}, r"luma: got shape \(0, 2\), expected sides from 1 to 32768"),
    ({"matrix": PLAIN.astype(np.float32)}, "matrix: got a float32 array"),
    ({"matrix": PLAIN * np.nan}, "matrix: got NaN"),
    ({"height": -1}, "height: got -1"), ({"width": 2.0}, "width: got 2.0"), ({"width": 1 << 16}, "width: got 65536")])
def test_what_cannot_be_is_said(change: dict[str, object], message: str) -> None:
    given = {"luma": plane([1, 2]), "blue": plane([1]), "red": plane([1]), "matrix": PLAIN, "height": 1, "width": 1}
    with pytest.raises(ValueError, match=message):
        shrink_yuv(**(given | change))
