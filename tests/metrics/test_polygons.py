"""Overlap of polygons: equal to shapely's, right by hand, defined where there is no area."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import shapely

from vtk.metrics.polygons import bounds, checked_polygon, overlap_of_pairs, polygon_overlap

SQUARE = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], dtype=float)
# An L of area 75: the square without its lower right quarter.
CORNER = np.array([[0, 0], [10, 0], [10, 5], [5, 5], [5, 10], [0, 10]], dtype=float)


def stars(random: np.random.Generator, count: int) -> list[np.ndarray]:
    """Return simple polygons of 3 to 8 corners, most of them not convex, either way round."""
    made = []
    while len(made) < count:
        corners = int(random.integers(3, 9))
        angles, radii = np.sort(random.uniform(0, 2 * np.pi, corners)), random.uniform(3, 20, corners)
        polygon = np.c_[np.cos(angles) * radii, np.sin(angles) * radii] + random.uniform(1000, 1025, 2)
        if shapely.Polygon(polygon).is_valid:
            made.append(polygon[:: random.choice([-1, 1])])
    return made


@pytest.mark.parametrize("share_of", ["union", "second"])
def test_every_pair_equals_shapely(share_of: str) -> None:
    """To 1e-12: both clip in float64, near (1000, 1000), where a digit of area is 2e-10 square pixels at most."""
    random = np.random.default_rng(0)
    whole = [random.integers(0, 12, (4, 2)).astype(float) for _ in range(200)]  # edges and corners that coincide
    whole = [polygon for polygon in whole if shapely.Polygon(polygon).is_valid and shapely.Polygon(polygon).area]
    for polygons in (stars(random, 50), whole):
        shapes = [shapely.Polygon(polygon) for polygon in polygons]
        expected = [[a.intersection(b).area / (a.union(b).area if share_of == "union" else b.area) for b in shapes]
                    for a in shapes]
        found = polygon_overlap(polygons, polygons, share_of)
        np.testing.assert_allclose(found, expected, atol=1e-12)
        assert 0.02 < (found > 0.5).mean() < 0.9


def test_overlaps_by_hand() -> None:
    diamond = np.array([[5, 0], [10, 5], [5, 10], [0, 5]], dtype=float)  # half of the square
    shifted = SQUARE + [5, 0]
    assert polygon_overlap([SQUARE, CORNER], [shifted, diamond, CORNER]).tolist() == pytest.approx(
        np.array([[1 / 3, 1 / 2, 3 / 4], [25 / 150, 37.5 / 87.5, 1]]))
    assert polygon_overlap([SQUARE], [shifted, diamond, CORNER[::-1]], "second")[0].tolist() == [0.5, 1, 1]
    assert overlap_of_pairs([SQUARE], [shifted, SQUARE], np.array([0]), np.array([1])).tolist() == [1]


def test_what_touches_or_has_no_area_overlaps_nothing() -> None:
    flat, beside = SQUARE * [1, 0], SQUARE + [10, 0]
    assert not polygon_overlap([SQUARE, flat], [flat, beside]).any()
    assert polygon_overlap([], [SQUARE]).shape == (0, 1)
    assert polygon_overlap([SQUARE], []).shape == (1, 0)
    assert bounds([]).shape == (0, 4)


def test_rectangles_and_polygons_agree() -> None:
    """The quick path of rectangles gives what clipping gives: a corner more makes a polygon of the same area."""
    random = np.random.default_rng(1)
    corner = random.uniform(0, 50, (30, 1, 2))
    rectangles = list(corner + random.uniform(1, 40, (30, 1, 2)) * [[0, 0], [1, 0], [1, 1], [0, 1]])
    fives = [np.insert(one, 1, (one[0] + one[1]) / 2, axis=0) for one in rectangles]
    np.testing.assert_allclose(polygon_overlap(rectangles, rectangles), polygon_overlap(fives, fives), atol=1e-12)


@pytest.mark.parametrize(("points", "message"), [
    ([[0, 0], [1, 1]], r"at least 3 points \(K, 2\) is needed, got shape \(2, 2\)"),
    ([[0, 0, 1, 1, 2, 2]], "got shape"),
    ([[0, 0], [1, 1], [np.nan, 2]], r"within 1e\+09 pixels"),
    ([[0, 0], [1, 1], [1e300, 2]], r"within 1e\+09 pixels"),
])
def test_what_is_no_polygon_is_refused(points: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_polygon(points)


def test_an_unknown_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share_of must be union or second, got 'first'"):
        polygon_overlap([SQUARE], [SQUARE], "first")  # type: ignore[arg-type]


def test_nearly_rectangles_turned_anyhow_equal_shapely() -> None:
    """What texts are: quadrilaterals in a frame, some of them moved a little, some the other way round."""
    random = np.random.default_rng(3)

    def quads(count: int) -> np.ndarray:
        boxes = zip(random.uniform(0, 1280, (count, 2)), random.uniform(5, 200, (count, 2)),
                    random.uniform(0, 360, count), strict=True)
        return np.array([cv2.boxPoints(each) for each in boxes], float) + random.uniform(-2, 2, (count, 4, 2))

    a = quads(60)
    a = a[[shapely.Polygon(quad).is_valid for quad in a]]
    b = np.concatenate([quads(20), a[:30] + random.uniform(-3, 3, (30, 1, 2)), a[:10, ::-1], a[40:50]])
    b = b[[shapely.Polygon(quad).is_valid for quad in b]]
    found = polygon_overlap(a, b)
    shapes = [np.array([shapely.Polygon(quad) for quad in each]) for each in (a, b)]
    shared = shapely.area(shapely.intersection(shapes[0][:, None], shapes[1]))
    union = shapely.area(shapes[0])[:, None] + shapely.area(shapes[1]) - shared
    assert (found > 0.5).sum() >= 30
    np.testing.assert_allclose(found, shared / union, rtol=0, atol=1e-11)
    assert polygon_overlap(np.empty((0, 4, 2)), a[:3]).shape == (0, 3)
