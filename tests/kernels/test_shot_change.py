"""What tells shots apart, on pictures that can be worked out by hand, and beside OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.kernels.shot_change import LARGEST, carry, shares_between, shifted_likeness, transition_fit


def row(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


def bytes_of(*values: int) -> np.ndarray:
    return np.array(values, np.uint8).reshape(1, 1, -1, 1)


class TestShiftedLikeness:
    def test_by_hand(self) -> None:
        """The part lies under the last three, brighter and with twice the contrast; upside down it is nowhere."""
        picture = bytes_of(9, 9, 9, 1, 4, 2)
        assert shifted_likeness(picture, bytes_of(11, 17, 13)).tolist() == [1.0]
        assert shifted_likeness(bytes_of(1, 4, 2), bytes_of(9, 6, 8)).tolist() == [-1.0]

    def test_what_is_flat_is_like_nothing(self) -> None:
        assert shifted_likeness(bytes_of(5, 5, 5), bytes_of(1, 2)).tolist() == [0.0]
        assert shifted_likeness(bytes_of(1, 2, 9), bytes_of(7, 7)).tolist() == [0.0]
        assert shifted_likeness(bytes_of(1, 2, 9), bytes_of(7)).tolist() == [0.0], "one pixel is flat"

    def test_the_mean_of_each_channel_is_taken_off(self) -> None:
        picture = np.array([[[[10, 200], [30, 220]]]], np.uint8)
        assert shifted_likeness(picture, picture - np.array([5, 100], np.uint8)).tolist() == [1.0]

    @pytest.mark.parametrize("shape", [(32, 32, 24, 24, 3), (7, 19, 7, 3, 1), (32, 20, 1, 20, 4)])
    def test_it_is_what_opencv_finds(self, shape: tuple[int, ...]) -> None:
        height, width, tall, wide, channels = shape
        random = np.random.default_rng(3)
        pictures = random.integers(0, 256, (5, height, width, channels), np.uint8)
        parts = random.integers(0, 256, (5, tall, wide, channels), np.uint8)
        wanted = [cv2.matchTemplate(*pair, cv2.TM_CCOEFF_NORMED).max() for pair in zip(pictures, parts, strict=True)]
        # OpenCV sums in float32.
        assert np.allclose(shifted_likeness(pictures, parts), wanted, atol=1e-5)

    def test_the_largest_pictures_do_not_overflow(self) -> None:
        """All sums are at their highest: of a white picture but for one pixel."""
        side = int(LARGEST**0.5)
        picture = np.full((1, side, side, 1), 255, np.uint8)
        picture[0, 0, 0, 0] = 254
        assert shifted_likeness(picture, picture).tolist() == [1.0]

    def test_refusals(self) -> None:
        with pytest.raises(ValueError, match="expected 32768 values each at most"):
            shifted_likeness(np.zeros((1, 200, 200, 1), np.uint8), np.zeros((1, 1, 1, 1), np.uint8))
        with pytest.raises(ValueError, match="expected none higher or wider than 1 x 2"):
            shifted_likeness(bytes_of(1, 2), bytes_of(1, 2, 3))
        with pytest.raises(ValueError, match="parts: got"):
            shifted_likeness(bytes_of(1, 2), np.zeros((2, 1, 1, 1), np.uint8))


class TestCarry:
    def test_by_hand(self) -> None:
        got = carry(row(0, 8, 4), 0.5, 0.0, np.array([0, 1, -2, 9]))
        assert got[:, 0].tolist() == [[0, 8, 4], [0, 4, 6], [8, 4, 4], [0, 0, 0]]

    def test_downwards(self) -> None:
        assert carry(row(0, 8).T, 0.0, 1.0, np.array([1, -1]))[..., 0].tolist() == [[0, 0], [8, 8]]

    def test_it_is_what_opencv_makes(self) -> None:
        """Its shares are rounded to 32nds, so speeds are of 32nds."""
        picture = np.random.default_rng(5).normal(100, 40, (16, 12)).astype(np.float32)
        across, down = np.meshgrid(np.arange(12, dtype=np.float32), np.arange(16, dtype=np.float32))
        for step in (-40, -3, 0, 7):
            wanted = cv2.remap(picture, across - np.float32(0.375 * step), down + np.float32(0.125 * step),
                               cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
            assert np.allclose(carry(picture, 0.375, -0.125, np.array([step]))[0], wanted, atol=1e-4)

    @pytest.mark.parametrize(("right", "down"), [(np.nan, 0.0), (0.0, np.inf)])
    def test_speeds_are_finite(self, right: float, down: float) -> None:
        with pytest.raises(ValueError, match="expected a finite number"):
            carry(row(1), right, down, np.array([1]))


class TestSharesBetween:
    def test_by_hand(self) -> None:
        """What is beside the way does not count; of four places over three pictures two are one picture."""
        pictures = np.float32([[9, 9], [0, 0], [1, 7], [4, 0]])
        assert shares_between(pictures, np.array([[1, 3], [3, 1]]), 3).tolist() == [[0, 0.25, 1], [0, 0.75, 1]]
        assert shares_between(pictures, np.array([[1, 3]]), 4).tolist() == [[0, 0, 0.25, 1]]

    def test_the_same_at_both_ends(self) -> None:
        assert np.isnan(shares_between(np.ones((3, 2), np.float32), np.array([[0, 2], [1, 1]]), 3)).all()

    @pytest.mark.parametrize("ends", [[[0, 3]], [[-1, 2]]])
    def test_ends_are_pictures(self, ends: list[list[int]]) -> None:
        with pytest.raises(ValueError, match="expected numbers from 0 to below 3"):
            shares_between(np.ones((3, 2), np.float32), np.array(ends), 3)

    @pytest.mark.parametrize("count", [1, 2.0, True, None])
    def test_places_are_two_or_more(self, count: object) -> None:
        with pytest.raises(ValueError, match="count: got .* expected a whole number"):
            shares_between(np.ones((3, 2), np.float32), np.array([[0, 1]]), count)


class TestTransitionFit:
    def test_a_mix(self) -> None:
        first, last = row(0, 10, 20, 30), row(40, 50, 0, 30)
        (share, left, of_last, missed), (changed, once) = transition_fit(
            first + np.float32(0.25) * (last - first), first, last, 0.5)
        assert np.allclose([share[0], left[0]], [0.25, 0], atol=1e-7)
        assert [of_last[0], missed[0]] == [0.0, 0.25], "each is nearer to the first, a quarter of the way from it"
        assert [changed, once] == [0.75, 1.0]

    def test_parts(self) -> None:
        first, last = row(0, 0, 0, 0), row(10, 10, 10, 30)
        fits, _ = transition_fit(row(10, 10, 1, 0), first, last, 0.5)
        assert fits[2:, 0].tolist() == [20 / 60, 1 / 60]
        assert fits[0, 0] == 210 / 1200 and fits[1, 0] == pytest.approx(np.sqrt(201 / 1200 - (210 / 1200) ** 2))

    def test_what_goes_back_does_not_go_over_once(self) -> None:
        """The first pixel goes over and back, the second over alone, the third not at all; they count as 4, 2, and 1."""
        first, last = np.zeros((3, 3), np.float32), np.repeat(row(4, 2, 1), 3, axis=0)
        pictures = np.concatenate([row(0, 0, 0), row(4, 0, 0), row(0, 2, 0)])
        assert transition_fit(pictures, first, last, 1.0)[1].tolist() == [1 / 3, 3 / 7]

    def test_nothing_changes(self) -> None:
        fits, figures = transition_fit(row(1, 2), row(3, 4), row(3, 4), 0.5)
        assert np.isnan(fits[[0, 2]]).all() and figures[0] == 0 and np.isnan(figures[1])

    def test_no_pictures_and_no_pixels(self) -> None:
        for shape in ((0, 3), (2, 0)):
            empty = np.zeros(shape, np.float32)
            fits, figures = transition_fit(empty, empty, empty, 0.5)
            assert fits.shape == (4, shape[0]) and np.isnan(fits).all() and np.isnan(figures).all()
