"""``component_stats`` on shapes whose rectangle can be worked out by hand, and against OpenCV on maps and pictures."""

from __future__ import annotations

from math import sqrt
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.kernels.component_stats import COLUMNS, component_stats
from vtk.kernels.component_stats.cases import lines


def _stats(picture: list[str], **options: int) -> np.ndarray:
    """Return the statistics of a picture of digits, each pixel scoring its column."""
    labels = np.array([[int(c) for c in line] for line in picture], np.int32)
    scores = np.broadcast_to(np.arange(labels.shape[1], dtype=np.float32), labels.shape)
    return component_stats(labels, scores, **options)


@pytest.mark.parametrize(
    ("picture", "wanted"),
    [
        # area, sum, x1, y1, x2, y2, centre, size, angle
        (["00000", "01110", "01110"], [6, 12, 1, 1, 3, 2, 2, 1.5, 2, 1, 0]),
        (["000", "001"], [1, 2, 2, 1, 2, 1, 2, 1, 0, 0, 0]),
        (["1111"], [4, 6, 0, 0, 3, 0, 1.5, 0, 3, 0, 0]),
        # A quarter turn from the least angle: the width runs along x, so the line is high.
        (["01", "01", "01"], [3, 3, 1, 0, 1, 2, 1, 1, 0, 2, 0]),
        (["100", "010", "001"], [3, 3, 0, 0, 2, 2, 1, 1, sqrt(8), 0, 45]),
        (["001", "010", "100"], [3, 3, 0, 0, 2, 2, 1, 1, 0, sqrt(8), 45]),
        # A diamond: 2 x 2 upright or sqrt(2) squared at 45 degrees, which is half of it.
        (["010", "111", "010"], [5, 5, 0, 0, 2, 2, 1, 1, sqrt(2), sqrt(2), 45]),
        # A triangle: both sides of the right angle and the long side give an area of 4; the least angle wins.
        (["100", "110", "111"], [6, 4, 0, 0, 2, 2, 1, 1, 2, 2, 0]),
        # Two pieces of one label have one hull.
        (["10001"], [2, 4, 0, 0, 4, 0, 2, 0, 4, 0, 0]),
    ],
)
def test_by_hand(picture: list[str], wanted: list[float]) -> None:
    got = _stats(picture)
    assert got.shape == (1, len(COLUMNS)) and got.dtype == np.float64
    assert got[0] == pytest.approx(wanted, abs=1e-12)


def test_labels_that_nothing_has_and_that_nobody_asked_for() -> None:
    got = _stats(["1103"])
    assert got[:, 0].tolist() == [2, 0, 1] and got[:, 1].tolist() == [1, 0, 3]
    assert np.isnan(got[1, 2:]).all() and not np.isnan(got[[0, 2]]).any()
    np.testing.assert_array_equal(_stats(["1103"], count=1), got[:1])
    assert _stats(["1103"], count=4)[3, 0] == 0
    assert _stats(["0000"]).shape == (0, 11)
    labels = np.array([[-1, 0, 1, -(2**31)]], np.int32)
    assert component_stats(labels, np.ones((1, 4), np.float32)).tolist()[0][:3] == [1, 1, 2]


def test_a_score_that_is_no_number_stays_with_its_label() -> None:
    labels = np.array([[1, 1, 0, 2, 3, 3]], np.int32)
    scores = np.array([[np.nan, 1, np.inf, 2, -np.inf, 1]], np.float32)
    np.testing.assert_array_equal(component_stats(labels, scores)[:, 1], [np.nan, 2, -np.inf])


def _against_opencv(labels: np.ndarray, scores: np.ndarray, stats: np.ndarray) -> None:
    """Hold every label's row against OpenCV on the label's own pixels."""
    for k, row in enumerate(stats, 1):
        points = cv2.findNonZero((labels == k).astype(np.uint8)).reshape(-1, 2).astype(np.float32)
        (_, _), (width, height), _ = cv2.minAreaRect(points)
        # OpenCV computes in float32, at coordinates of a thousand.
        assert row[8] * row[9] == pytest.approx(width * height, rel=1e-3, abs=0.01)
        assert sorted(row[8:10]) == pytest.approx(sorted((width, height)), abs=0.01) or row[8] * row[9] > 0
        angle = np.radians(row[10])
        away = points - row[6:8]
        along = away @ [np.cos(angle), np.sin(angle)], away @ [-np.sin(angle), np.cos(angle)]
        for distance, size in zip(along, row[8:10], strict=True):
            assert distance.max() == pytest.approx(size / 2, abs=1e-9)
            assert distance.min() == pytest.approx(-size / 2, abs=1e-9)
        corners = cv2.boxPoints((tuple(row[6:8]), tuple(row[8:10]), row[10]))
        assert cv2.contourArea(corners) == pytest.approx(row[8] * row[9], rel=1e-3, abs=0.05)
        assert row[1] == pytest.approx(float(scores[labels == k].sum(dtype=np.float64)), rel=1e-12)


def test_same_as_opencv() -> None:
    rng = np.random.default_rng(1)
    drawn = (lines(400, 600, 60, rng, scatter=0.001) > 0).astype(np.uint8)
    found, labels, theirs, _ = cv2.connectedComponentsWithStats(drawn)
    scores = rng.random(labels.shape, np.float32)
    stats = component_stats(labels, scores, found - 1)
    assert found > 100 and 0 < np.max(stats[:, 10]) < 90
    np.testing.assert_array_equal(stats[:, 0], theirs[1:, cv2.CC_STAT_AREA])
    box = np.concatenate([theirs[1:, :2], theirs[1:, :2] + theirs[1:, 2:4] - 1], axis=1)
    np.testing.assert_array_equal(stats[:, 2:6], box)
    _against_opencv(labels, scores, stats)
    np.testing.assert_array_equal(stats, component_stats(labels, scores))


def test_a_photograph(shared: Path) -> None:
    """Bright areas of a street picture: a hundred shapes that nobody drew."""
    paths = sorted((shared / "data" / "spot-text" / "ic15_train10" / "imgs").rglob("*.jpg"))
    if not paths:
        pytest.skip("needs the pictures of ic15_train10")
    grey = cv2.imread(str(paths[0]), cv2.IMREAD_GRAYSCALE)[:400, :700]
    found, labels = cv2.connectedComponents((grey > np.median(grey)).astype(np.uint8))
    assert found > 50
    scores = grey.astype(np.float32) / 255
    _against_opencv(labels, scores, component_stats(labels, scores, found - 1))


def test_as_many_labels_as_pixels() -> None:
    """Every pixel its own label, and a checkerboard of two: more rows and runs than any text gives."""
    labels = np.arange(1, 3001, dtype=np.int32).reshape(50, 60)
    stats = component_stats(labels, labels.astype(np.float32))
    assert (stats[:, 0] == 1).all() and (stats[:, 1] == np.arange(1, 3001)).all() and (stats[:, 8:] == 0).all()
    board = (np.indices((50, 60)).sum(axis=0) % 2 + 1).astype(np.int32)
    stats = component_stats(board, np.ones((50, 60), np.float32))
    assert stats[:, :2].tolist() == [[1500, 1500]] * 2 and stats[0, 8:].tolist() == [59, 49, 0]


def test_refuses_what_are_no_labels() -> None:
    scores = np.zeros((2, 3), np.float32)
    with pytest.raises(ValueError, match=r"labels: got a int64 array of shape \(2, 3\), expected a int32 array"):
        component_stats(np.zeros((2, 3), np.int64), scores)
    with pytest.raises(ValueError, match=r"scores: got a float32 array of shape \(2, 3\), expected .* \(3, 3\)"):
        component_stats(np.zeros((3, 3), np.int32), scores)
    with pytest.raises(ValueError, match="count: got 7 labels, expected a whole number from 0 to 6"):
        component_stats(np.full((2, 3), 7, np.int32), scores)
    for count in (-1, 1.0, True, "2"):
        with pytest.raises(ValueError, match="count: got .* labels, expected a whole number"):
            component_stats(np.zeros((2, 3), np.int32), scores, count)
