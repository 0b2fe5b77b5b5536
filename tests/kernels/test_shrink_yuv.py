"""``shrink_yuv`` on planes that can be worked out by hand, and beside OpenCV's area averages."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from vtk.kernels.shrink_yuv import shrink_yuv
from vtk.kernels.shrink_yuv.cases import MATRIX
from vtk.kernels.shrink_yuv.reference import shrink_yuv as by_definition

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


SHAPES = [  # of luma and chroma, and the picture: whole boxes of columns are fours, of pixels, or neither
    ((91, 64), (45, 32), (8, 8)), ((91, 80), (45, 40), (8, 8)), ((91, 60), (46, 30), (9, 4)), ((17, 61), (9, 31), (5, 6)),
    ((16, 64), (9, 31), (8, 8)), ((15, 63), (8, 32), (8, 8)),  # one of them whole
    ((1, 640), (1, 320), (1, 32)), ((272, 1), (136, 1), (32, 1)), ((1, 1), (1, 1), (1, 1)), ((3, 2), (2, 1), (7, 9)),
    ((257, 40), (129, 20), (2, 4)), ((259, 41), (129, 21), (2, 4)), ((523, 40), (262, 20), (4, 3)),  # rows by parts
    ((1080, 64), (540, 32), (64, 4)), ((1081, 33), (1081, 33), (50, 3)), ((3, 5), (3000, 7), (7, 3)),
    ((40, 2100), (20, 1050), (5, 1300)), ((40, 90), (20, 45), (37, 64))]  # more than is made RGB at once


@pytest.mark.parametrize(("luma", "chroma", "size"), SHAPES)
@pytest.mark.parametrize("bright", [False, True])
def test_every_way_to_cut_gives_what_the_definition_does(
    luma: tuple[int, int], chroma: tuple[int, int], size: tuple[int, int], bright: bool
) -> None:
    """Planes lie in wider ones, every other row of them; the brightest have the largest sums that there are."""
    random = np.random.default_rng(4)
    whole = [random.integers(255 * bright, 256, (2 * tall, wide + 5), np.uint8) for tall, wide in (luma, chroma, chroma)]
    planes = [each[::2, 2:-3] for each in whole]
    assert (shrink_yuv(*planes, MATRIX, *size) == by_definition(*planes, MATRIX, *size)).all()


@pytest.mark.parametrize("turned", [np.s_[::-1], np.s_[:, ::-1], np.s_[:, ::2]])
def test_planes_may_lie_in_any_order_and_be_read_only(turned: object) -> None:
    planes = [np.random.default_rng(5).integers(0, 256, (20, 24), np.uint8)[turned] for _ in range(3)]
    for each in planes:
        each.flags.writeable = False
    assert (shrink_yuv(*planes, MATRIX, 3, 4) == by_definition(*planes, MATRIX, 3, 4)).all()


def test_the_longest_lines_do_not_run_over() -> None:
    bright = np.full((257, 1 << 15), 255, np.uint8)
    assert (shrink_yuv(bright, bright, bright, PLAIN, 1, 1) == 255).all()
    assert (shrink_yuv(bright, bright, bright, PLAIN, 2, 3) == 255).all()


def test_the_matrix_stays_as_it_is_and_may_be_large() -> None:
    matrix = MATRIX.copy()
    matrix.flags.writeable = False
    shrink_yuv(plane([1, 2]), plane([3]), plane([4]), matrix, 1, 1)
    assert (matrix == MATRIX).all()
    assert shrink_yuv(plane([1, 2]), plane([3]), plane([4]), np.full((3, 4), 1e300), 1, 1).tolist() == [[[255] * 3]]


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
