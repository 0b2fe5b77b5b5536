"""``pairwise_iou`` and its kin on boxes whose overlap can be worked out by hand, and what holds for all boxes."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.kernels.pairwise_iou import buffered_iou, pairwise_giou, pairwise_iou
from vtk.kernels.pairwise_iou.cases import LIBRARIES, boxes


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


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ((0, 0, 10, 10), 1.0),
        ((0, 0, 10, 5), 0.5),  # the hull is the larger box: nothing is left uncovered
        ((10, 0, 20, 10), 0.0),  # side by side
        ((30, 0, 40, 10), -0.5),  # 200 of a hull of 400
        ((10, 10, 20, 20), -0.5),
        ((5, 5, 15, 15), 25 / 175 - 50 / 225),
        ((990, 990, 1000, 1000), -1 + 200 / 1e6),
        ((5, 5, 5, 5), 0.0),
        ((20, 0, 20, 10), -0.5),
        ((np.nan, 0, 10, 10), -1.0),
        ((0, 0, np.inf, 10), -1.0),
    ],
)
def test_generalised_by_hand(other: tuple[float, float, float, float], value: float) -> None:
    got = pairwise_giou(_boxes((0, 0, 10, 10)), _boxes(other))
    assert got.dtype == np.float32
    # Three float32 operations, each rounded, of numbers up to 1.
    np.testing.assert_allclose(got, [[value]], rtol=0, atol=2 * np.finfo(np.float32).eps)


def test_generalised_properties() -> None:
    assert pairwise_giou(_boxes((3, 3, 3, 3)), _boxes((3, 3, 3, 3)))[0, 0] == -1
    rng = np.random.default_rng(3)
    a, b = boxes(80, rng), boxes(61, rng)
    generalised, overlaps = pairwise_giou(a, b), pairwise_iou(a, b)
    assert -1 <= generalised.min() < -0.5 and generalised.max() <= 1
    assert (generalised <= overlaps + np.finfo(np.float32).eps).all()
    np.testing.assert_array_equal(generalised.T, pairwise_giou(b, a))
    np.testing.assert_array_equal(np.diag(pairwise_giou(a, a)), np.ones(80, np.float32))
    # Further apart is less, where the overlap is 0 all along.
    row = _boxes(*((20 * k, 0, 20 * k + 10, 10) for k in range(1, 30)))
    assert (np.diff(pairwise_giou(_boxes((0, 0, 10, 10)), row)[0]) < 0).all()


def test_buffered_by_hand() -> None:
    a, b = _boxes((0, 0, 10, 10)), _boxes((15, 0, 25, 10), (12, 2, 14, 4))
    np.testing.assert_array_equal(buffered_iou(a, b, 0.0), pairwise_iou(a, b))
    # Grown by half: -5..15 against 10..30, 20 high; and against 11..15 x 1..5, which lies within.
    np.testing.assert_allclose(buffered_iou(a, b, 0.5), [[5 / 35, 16 / 400]], rtol=1e-6)
    np.testing.assert_array_equal(buffered_iou(a, _boxes((np.nan, 0, 1, 1), (5, 5, 5, 5)), 0.5), [[0, 0]])


def test_buffered_boxes_reach_further() -> None:
    rng = np.random.default_rng(5)
    a, b = boxes(80, rng), boxes(61, rng)
    shares = [(buffered_iou(a, b, buffer) > 0).mean() for buffer in (0.0, 0.1, 0.3, 1.0)]
    assert (np.diff(shares) > 0).all()
    # A box grown by a half on each side is twice as wide and high, around the same centre.
    doubled = [1.5 * each - 0.5 * each[:, [2, 3, 0, 1]] for each in (a, b)]
    np.testing.assert_allclose(buffered_iou(a, b, 0.5), pairwise_iou(*doubled), rtol=0, atol=1e-5)


def test_kin_agree_with_torchvision() -> None:
    torch = pytest.importorskip("torch")
    from torchvision.ops import generalized_box_iou

    rng = np.random.default_rng(6)
    a, b = boxes(63, rng), boxes(100, rng)
    wanted = generalized_box_iou(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(pairwise_giou(a, b), wanted, rtol=0, atol=4 * np.finfo(np.float32).eps)
    # They have no buffer: what is timed grows the boxes first.
    grown = LIBRARIES["buffered_iou"]["torchvision"]({"a": a, "b": b, "buffer": 0.3})().numpy()
    np.testing.assert_allclose(buffered_iou(a, b, 0.3), grown, rtol=0, atol=4 * np.finfo(np.float32).eps)


def test_refuses_what_is_no_box() -> None:
    with pytest.raises(ValueError, match=r"a: got a float32 array of shape \(2, 5\), expected a float32 array"):
        pairwise_iou(np.zeros((2, 5), np.float32), _boxes())
    with pytest.raises(ValueError, match=r"b: got a float64 array of shape \(0, 4\), expected a float32"):
        pairwise_iou(_boxes(), np.zeros((0, 4)))
    with pytest.raises(ValueError, match="buffer: got -0.5, expected a finite number"):
        buffered_iou(_boxes(), _boxes(), -0.5)
