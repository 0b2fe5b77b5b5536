"""``fold_cdc`` against two convolutions, ``dense_similarity`` against all pairs of positions, both in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from vtk.kernels.fold_cdc import dense_similarity, fold_cdc


def naive(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the convolution of ``x`` (I, H, W) with ``weights`` (O, I, k, k), padded to the same size."""
    outer, _, side, _ = weights.shape
    edge = side // 2
    padded = np.pad(x, ((0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (side, side), axis=(1, 2))
    return np.einsum("ihwkl,oikl->ohw", windows, weights)


def central(x: np.ndarray, weights: np.ndarray, theta: float) -> np.ndarray:
    """Return the definition: the convolution, and theta times that of the weights' sums with the centres off it."""
    return naive(x, weights) - theta * naive(x, weights.sum(axis=(2, 3), keepdims=True))


def test_fold_by_hand() -> None:
    weights = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    folded = fold_cdc(weights, 0.5)
    assert folded.dtype == np.float32 and folded.tolist() == [[[[0, 1, 2], [3, 4 - 18, 5], [6, 7, 8]]]]
    assert weights[0, 0, 1, 1] == 4, "what was given was written to"
    assert (fold_cdc(weights, 0) == weights).all()


@pytest.mark.parametrize("theta", [0.0, 0.3, 0.7, 1.0, -0.5])
@pytest.mark.parametrize("shape", [(5, 3, 9, 11), (1, 1, 1, 1), (2, 4, 2, 30)])
def test_fold_equals_its_definition(theta: float, shape: tuple[int, ...]) -> None:
    """At the edges, too, where the convolution looks at what is not there."""
    rng = np.random.default_rng(1)
    weights, x = rng.normal(size=(shape[0], shape[1], 3, 3)), rng.normal(size=shape[1:])
    np.testing.assert_allclose(naive(x, fold_cdc(weights, theta)), central(x, weights, theta), rtol=0, atol=1e-13)


def test_fold_sees_differences_alone_at_theta_1() -> None:
    """A map of one value has none: the kernel's weights sum to 0."""
    folded = fold_cdc(np.random.default_rng(0).normal(size=(6, 5, 3, 3)), 1.0)
    assert np.abs(folded.sum(axis=(2, 3))).max() < 1e-14


def test_fold_equals_torchs_two_convolutions() -> None:
    torch = pytest.importorskip("torch")
    from torch.nn.functional import conv2d

    generator = torch.Generator().manual_seed(0)
    weights, x = (torch.randn(shape, generator=generator, dtype=torch.float64) for shape in ((7, 4, 3, 3), (2, 4, 8, 9)))
    wanted = conv2d(x, weights, padding=1) - 0.7 * conv2d(x, weights.sum((2, 3), keepdim=True))
    folded = fold_cdc(weights, 0.7)
    assert folded.dtype == torch.float64
    torch.testing.assert_close(conv2d(x, folded, padding=1), wanted, rtol=0, atol=1e-13)


def pairs(a: np.ndarray, b: np.ndarray) -> float:
    """Return the definition for maps (C, H, W): every position of one with every position of the other, one by one."""
    total = 0.0
    for u in a.reshape(len(a), -1).T:
        for v in b.reshape(len(b), -1).T:
            length = np.linalg.norm(u) * np.linalg.norm(v)
            total += u @ v / length if length else 0.0
    return total / (a[0].size * b[0].size)


def test_similarity_equals_its_definition() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(0.3, 1, (2, 3, 6, 4, 5))
    a[0, :, 1, 2], b[1] = 0, a[1]
    wanted = [pairs(*each) for each in zip(a, b, strict=True)]
    np.testing.assert_allclose(dense_similarity(a, b), wanted, rtol=0, atol=1e-14)
    np.testing.assert_allclose(dense_similarity(a.astype(np.float32), b.astype(np.float32)), wanted, rtol=0, atol=1e-6)


def test_similarity_by_hand() -> None:
    """Of two positions that stand at right angles each is alike to one of two: the mean of 1, 0, 0, 1."""
    a = np.array([[[[3.0, 0.0]], [[0.0, 0.1]]]])
    assert dense_similarity(a, a).tolist() == [0.5]
    assert dense_similarity(a, -a).tolist() == [-0.5]
    ones = np.full((1, 4, 3, 3), 2.5, np.float32)
    assert dense_similarity(ones, 1e-20 * ones).tolist() == [1.0], "a length near nothing is a length"


def test_zeros_count_as_0() -> None:
    a, b = np.ones((1, 3, 2, 2)), np.ones((1, 3, 2, 2))
    b[:, :, 0] = 0
    assert dense_similarity(a, b)[0] == pytest.approx(0.5, abs=1e-15)
    assert dense_similarity(a, 0 * b).tolist() == [0]


@pytest.mark.parametrize("shape", [(2, 3, 0, 4), (2, 0, 3, 4), (0, 3, 3, 4)])
def test_nothing_to_compare(shape: tuple[int, ...]) -> None:
    found = dense_similarity(np.ones(shape, np.float32), np.ones(shape, np.float32))
    assert found.dtype == np.float32 and found.tolist() == [0] * shape[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_shows(value: float) -> None:
    a, b = np.ones((2, 3, 2, 2), np.float32), np.zeros((2, 3, 2, 2), np.float32)
    a[1, 0, 0, 0] = value
    assert np.isnan(dense_similarity(a, b)).tolist() == [False, True]


def test_large_float32_do_not_overflow() -> None:
    a = np.full((1, 2, 2, 2), 3e38, np.float32)
    assert dense_similarity(a, a)[0] == 1


@pytest.mark.parametrize(("function", "arguments", "message"), [
    (fold_cdc, (np.zeros((2, 3, 5, 5)), 0.7), r"weights: got a float64 array of shape \(2, 3, 5, 5\), expected"),
    (fold_cdc, (np.zeros((2, 3, 3, 3), np.float16), 0.7), "weights: got a float16 array"),
    (fold_cdc, (np.zeros((2, 3, 3, 3)), np.nan), "theta: got nan, expected a finite number"),
    (dense_similarity, (np.zeros((1, 2, 3, 4)), np.zeros((1, 2, 3, 5))),
     r"b: got a float64 array of shape \(1, 2, 3, 5\), expected a float64 array of shape \(1, 2, 3, 4\)"),
    (dense_similarity, (np.zeros((1, 2, 3, 4)), np.zeros((1, 2, 3, 4), np.float32)), "b: got a float32 array"),
    (dense_similarity, (np.zeros((2, 3, 4)), np.zeros((2, 3, 4))), "a: got a float64 array of shape"),
])  # fmt: skip
def test_refusals(function: Any, arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(*arguments)
