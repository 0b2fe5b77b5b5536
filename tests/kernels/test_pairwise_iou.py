"""``pairwise_iou`` on boxes whose overlap can be worked out by hand, and what holds for all boxes."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.kernels.pairwise_iou import pairwise_iou
from vtk.kernels.pairwise_iou.cases import boxes


def _boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        ((0, 0, 10, 10), 1.0),
        ((0, 0, 10, 5), 0.5),
        ((5, 0, 15, 10), 50 / 150),
        ((5, 5, 15, 15), 25 / 175),
        ((2, 2, 4, 4), 4 / 100),
        ((10, 0, 20, 10), 0.0),
        ((30, 30, 40, 40), 0.0),
        ((5, 5, 5, 5), 0.0),
        ((9, 0, 1, 10), 0.0),
        ((np.nan, 0, 10, 10), 0.0),
        ((0, 0, np.inf, 10), 0.0),
    ],
)
def test_by_hand(other: tuple[float, float, float, float], overlap: float) -> None:
    got = pairwise_iou(_boxes((0, 0, 10, 10)), _boxes(other))
    assert got.dtype == np.float32
    assert got[0, 0] == np.float32(overlap)


def test_two_empty_boxes_do_not_overlap() -> None:
    assert pairwise_iou(_boxes((3, 3, 3, 3)), _boxes((3, 3, 3, 3)))[0, 0] == 0


def test_properties() -> None:
    rng = np.random.default_rng(1)
    a, b = boxes(80, rng), boxes(61, rng)
    overlaps = pairwise_iou(a, b)
    assert overlaps.shape == (80, 61)
    assert overlaps.min() >= 0 and overlaps.max() <= 1
    assert 0.02 < (overlaps > 0).mean() < 0.98, "the boxes show both cases"
    np.testing.assert_array_equal(overlaps.T, pairwise_iou(b, a))
    np.testing.assert_array_equal(np.diag(pairwise_iou(a, a)), np.ones(80, np.float32))
    # Scaling by a power of two is exact in float32.
    np.testing.assert_array_equal(overlaps, pairwise_iou(a * 4, b * 4))


def test_agrees_with_torchvision() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import box_iou

    rng = np.random.default_rng(2)
    a, b = boxes(63, rng), boxes(100, rng)
    wanted = box_iou(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    # Both round each of the same few float32 operations; they may order the sums of areas differently.
    np.testing.assert_allclose(pairwise_iou(a, b), wanted, rtol=0, atol=4 * np.finfo(np.float32).eps)


def test_refuses_what_is_no_box() -> None:
    with pytest.raises(ValueError, match=r"a: got a float32 array of shape \(2, 5\), expected a float32 array"):
        pairwise_iou(np.zeros((2, 5), np.float32), _boxes())
    with pytest.raises(ValueError, match=r"b: got a float64 array of shape \(0, 4\), expected a float32"):
        pairwise_iou(_boxes(), np.zeros((0, 4)))
