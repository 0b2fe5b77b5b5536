"""Whether texts and quadrilaterals are the same: by hand, and against shapely."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from rapidfuzz.distance import Indel, Levenshtein

from vtk.text.agreement import disagree, plain, polygon_iou


def quads(count: int, rng: np.random.Generator) -> np.ndarray:
    """Return (count, 4, 2) float64 quadrilaterals, nearly rectangles, turned anyhow, in a frame of 1280 x 1280."""
    rectangles = zip(rng.uniform(0, 1280, (count, 2)), rng.uniform(5, 200, (count, 2)), rng.uniform(0, 360, count),
                     strict=True)
    return np.array([cv2.boxPoints(each) for each in rectangles], np.float64) + rng.uniform(-2, 2, (count, 4, 2))


@pytest.mark.parametrize(("a", "b", "wanted"), [
    ("EXIT", "exit!", False),
    ("fusionopolis", "fusion", False),  # a prefix: half of it may be covered
    ("abcde", "xyzuv", True),
    ("ab", "xy", False),  # a distance of 2 proves nothing
    ("abc", "xyz", True),
    ("Carpark", "Carpenter", False),  # ratio 0.625
    ("???", "anything", False),  # nothing remains of it
    ("漢字認識", "東京都庁", True),
    ("ábc", "Ábc.", False),
])  # fmt: skip
def test_disagreement_by_hand(a: str, b: str, wanted: bool) -> None:
    assert disagree([a], [b]).tolist() == [[wanted]]
    assert disagree([b], [a]).tolist() == [[wanted]]


def test_disagreement_is_the_rule_on_all_pairs() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcABC1-. é"), rng.integers(0, 9))) for _ in range(60)]
    got = disagree(texts[:40], texts[40:])
    assert got.shape == (40, 20)
    assert 0.1 < got.mean() < 0.9
    for i, j in np.ndindex(got.shape):
        a, b = plain(texts[i]), plain(texts[40 + j])
        differ = Indel.normalized_similarity(a, b) < 0.4 and Levenshtein.distance(a, b) >= 3
        assert got[i, j] == (differ and not a.startswith(b) and not b.startswith(a)), (a, b)


def test_plain_text() -> None:
    assert plain(" Genaxis-Theatre, [06] €") == "GENAXISTHEATRE06"
    assert plain("re\u0301sume\u0301") == "RE\u0301SUME\u0301"
    assert plain("«שלום» 漢字。") == "שלום漢字"


def test_nothing_to_compare() -> None:
    assert disagree([], ["a"]).shape == (0, 1)
    assert disagree(["a", "b"], []).shape == (2, 0)
    assert polygon_iou(np.empty((0, 4, 2)), np.zeros((3, 4, 2))).shape == (0, 3)
    assert polygon_iou(np.zeros((2, 4, 2)), np.empty((0, 4, 2))).shape == (2, 0)


def test_overlap_by_hand() -> None:
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10]], float)
    diamond = np.array([[5, 0], [10, 5], [5, 10], [0, 5]], float)
    others = np.array([square, square + [5, 0], square + [10, 0], diamond, square[::-1], square * [1, 0]])
    got = polygon_iou(square[None], others)
    np.testing.assert_allclose(got, [[1, 1 / 3, 0, 0.5, 1, 0]], rtol=0, atol=1e-7)


@pytest.mark.parametrize("whole", [False, True])
def test_overlap_is_shapelys(whole: bool) -> None:
    shapely = pytest.importorskip("shapely")
    rng = np.random.default_rng(3)
    a = quads(60, rng)
    near = a[:30] + rng.uniform(-3, 3, (30, 1, 2))
    b = np.concatenate([quads(20, rng), near, near[:10, ::-1], a[40:50]])
    a, b = (np.round(each) if whole else each for each in (a, b))
    ours = polygon_iou(a, b)
    hulls = [np.array([shapely.Polygon(quad).convex_hull for quad in each]) for each in (a, b)]
    shared = shapely.area(shapely.intersection(hulls[0][:, None], hulls[1]))
    union = shapely.area(hulls[0])[:, None] + shapely.area(hulls[1]) - shared
    assert (ours > 0.5).sum() >= 30
    # OpenCV computes in float32 on coordinates up to some hundreds: 24 bits of an area of at least 25 pixels.
    np.testing.assert_allclose(ours, shared / union, rtol=0, atol=2e-5)


@pytest.mark.parametrize("value", [np.zeros((2, 4)), np.zeros((1, 3, 2)), np.full((1, 4, 2), np.nan)])
def test_refuses(value: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"b: got shape .*, expected finite quadrilaterals \(N, 4, 2\)"):
        polygon_iou(np.zeros((1, 4, 2)), value)
