"""Signatures of frames on pixels that can be worked out by hand, and against OpenCV and NumPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.kernels.frame_signature import block_statistics, luminance_difference


def _picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def test_statistics_by_hand() -> None:
    gray = np.array([[0, 10, 7], [20, 30, 9], [5, 5, 1]], np.uint8)
    got = block_statistics(gray, 2)
    # Mean 15, squares 225 + 25 + 25 + 225 over 4; 7 and 9; two fives; a single one.
    assert got.dtype == np.float32
    assert got.tolist() == [[[15, 125], [8, 1]], [[5, 0], [1, 0]]]


def test_difference_by_hand() -> None:
    a = np.array([[0, 10, 7], [20, 30, 9]], np.uint8)
    b = np.array([[255, 10, 8], [19, 34, 7]], np.uint8)
    assert luminance_difference(a, b, 2).tolist() == [[(255 + 0 + 1 + 4) / 4, (1 + 2) / 2]]
    assert luminance_difference(b, a, 2).tolist() == luminance_difference(a, b, 2).tolist()
    assert not luminance_difference(a, a, 2).any()


def test_luminance_is_within_a_level_of_opencvs() -> None:
    """Eight bits of weight against its fifteen; gray levels are exact."""
    picture = _picture(64, 96)
    got = block_statistics(picture, 1)
    assert not got[..., 1].any()
    assert np.abs(got[..., 0] - cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).max() <= 1
    levels = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    assert block_statistics(levels, 1)[0, :, 0].tolist() == list(range(256))


@pytest.mark.parametrize("block", [1, 7, 16, 200, 1024])
def test_against_numpy_at_the_edges_too(block: int) -> None:
    gray = _picture(50, 83)[..., 0]
    got = block_statistics(gray, block)
    assert got.shape == (-(-50 // block), -(-83 // block), 2)
    for row, column in np.ndindex(got.shape[:2]):
        piece = gray[row * block : (row + 1) * block, column * block : (column + 1) * block].astype(np.float64)
        # One rounding of values up to 127.5 squared.
        np.testing.assert_allclose(got[row, column], [piece.mean(), piece.var()], rtol=1e-6, atol=1e-6)


def test_a_stack_is_its_pictures() -> None:
    stack = np.stack([_picture(40, 30, seed) for seed in range(4)])
    together = block_statistics(stack)
    changes = luminance_difference(stack[:-1], stack[1:])
    assert together.shape == (4, 3, 2, 2)
    assert changes.shape == (3, 3, 2)
    for index, picture in enumerate(stack):
        np.testing.assert_array_equal(block_statistics(picture), together[index])
    np.testing.assert_array_equal(luminance_difference(stack[1], stack[2]), changes[1])
    gray = stack[..., :1]
    np.testing.assert_array_equal(block_statistics(gray)[2], block_statistics(gray[2, ..., 0]))


def test_the_mean_of_differences_is_opencvs_norm() -> None:
    a, b = _picture(64, 96, 1)[..., 0], _picture(64, 96, 2)[..., 0]
    mean = luminance_difference(a, b).mean(dtype=np.float64)
    assert mean == pytest.approx(cv2.norm(a, b, cv2.NORM_L1) / a.size, rel=1e-6)


def test_a_change_shows_where_it_is_and_a_cut_everywhere() -> None:
    before = cv2.GaussianBlur(_picture(120, 160), (0, 0), 3)
    after = before.copy()
    after[32:48, 64:96] = 255 - after[32:48, 64:96] // 2
    changed = luminance_difference(before, after) > 10
    assert np.argwhere(changed).tolist() == [[2, 4], [2, 5]]
    other = cv2.GaussianBlur(_picture(120, 160, 5), (0, 0), 3)
    assert luminance_difference(before, other).min() > 1


def test_the_largest_sums_are_exact() -> None:
    """A block of 1024 x 1024 at the ends of the range: half 0, half 255 in turns."""
    board = np.indices((1024, 1024)).sum(axis=0) % 2 * np.uint8(255)
    assert block_statistics(board.astype(np.uint8), 1024).tolist() == [[[127.5, 127.5**2]]]
    assert not block_statistics(np.full((1024, 1024, 3), 255, np.uint8), 1024)[..., 1].any()


@pytest.mark.parametrize(("image", "block", "message"), [
    (np.zeros((4, 4, 2), np.uint8), 16, r"image: got a uint8 array of shape \(4, 4, 2\), expected .* \(H, W, 3\)"),
    (np.zeros((4, 4), np.float32), 16, r"image: got a float32 array of shape \(4, 4\), expected a uint8"),
    (np.zeros(4, np.uint8), 16, "image: got .* expected"),
    ([[1]], 16, "image: got list, expected"),
    (np.zeros((4, 4), np.uint8), 0, r"block: got 0, expected a whole number of pixels in \[1, 1024\]"),
    (np.zeros((4, 4), np.uint8), 2.0, "block: got 2.0, expected"),
    (np.zeros((4, 4), np.uint8), 1025, "block: got 1025, expected"),
])  # fmt: skip
def test_refuses(image: object, block: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        block_statistics(image, block)


def test_refuses_pictures_of_different_sizes() -> None:
    with pytest.raises(ValueError, match=r"b: got .* \(4, 5, 3\), expected .* \(4, 4, 3\)"):
        luminance_difference(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5, 3), np.uint8))
