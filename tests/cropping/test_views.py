"""What is cut out of a frame: the right pixels, margins, squares, sizes, edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtk.cropping.views import Cut

WIDTH, HEIGHT = 100, 60


def picture() -> np.ndarray:
    """Return (60, 100, 3) uint8: red is 2 × the column, green 4 × the row, blue 255."""
    image = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    image[..., 0] = 2 * np.arange(WIDTH)
    image[..., 1] = 4 * np.arange(HEIGHT)[:, None]
    return image


def test_a_box_is_cut_as_it_is() -> None:
    pixels, window = Cut().of(picture(), [10.2, 20.4, 29.6, 49.7])
    assert window == [10, 20, 30, 50]
    assert np.array_equal(pixels, picture()[20:50, 10:30])


def test_a_margin_is_a_share_of_each_side_and_ends_at_the_frame() -> None:
    assert Cut(margin=0.5).of(picture(), [20, 20, 40, 30])[1] == [10, 15, 50, 35]
    pixels, window = Cut(margin=0.5).of(picture(), [0, 0, 40, 40])
    assert window == [0, 0, 60, 60] and np.array_equal(pixels, picture()[:60, :60])


def test_a_square_lies_around_its_box_and_is_moved_into_the_frame() -> None:
    assert Cut(square=True).of(picture(), [40, 10, 50, 50])[1] == [25, 10, 65, 50]
    assert Cut(square=True).of(picture(), [0, 10, 10, 50])[1] == [0, 10, 40, 50]
    assert Cut(square=True).of(picture(), [95, 10, 100, 50])[1] == [60, 10, 100, 50]


def test_a_square_larger_than_the_frame_is_black_where_nothing_is() -> None:
    pixels, window = Cut(square=True).of(picture(), [10, 20, 90, 40])
    assert window == [10, -10, 90, 70] and pixels.shape == (80, 80, 3)
    assert np.array_equal(pixels[10:70], picture()[:, 10:90])
    assert not pixels[:10].any() and not pixels[70:].any()


@pytest.mark.parametrize(("fit", "shape"), [("long", (40, 20)), ("short", (80, 40)), ("pad", (40, 40)),
                                            ("stretch", (40, 40))])
def test_a_crop_is_scaled_to_a_side(fit: str, shape: tuple[int, int]) -> None:
    pixels, window = Cut(side=40, fit=fit).of(picture(), [40, 20, 50, 40])
    assert pixels.shape == (*shape, 3) and window == [40, 20, 50, 40]
    if fit == "pad":
        assert not pixels[:, :10].any() and not pixels[:, 30:].any() and pixels[:, 10:30, 2].min() > 250


def test_shrinking_takes_means() -> None:
    stripes = np.zeros((40, 40, 3), np.uint8)
    stripes[:, ::2] = 200
    assert np.abs(Cut(side=10).of(stripes, [0, 0, 40, 40])[0].astype(int) - 100).max() <= 1


@pytest.mark.parametrize("square", [False, True])
@pytest.mark.parametrize("box", [[200, 10, 220, 30], [-50, -50, -10, -10], [10, 10, 10.2, 30], [10, 70, 20, 90]])
def test_what_shows_nothing_gives_nothing(box: list[float], square: bool) -> None:
    if square and box[0] == 10 and box[1] == 10:
        assert Cut(square=True).of(picture(), box)[1] == [0, 10, 20, 30], "a line becomes a square"
    else:
        assert Cut(square=square).of(picture(), box) is None


@given(st.lists(st.floats(-150, 250), min_size=4, max_size=4), st.floats(0, 3), st.booleans(),
       st.sampled_from(["long", "short", "pad", "stretch"]), st.sampled_from([None, 1, 16]))
def test_every_window_holds_what_is_cut(corners: list[float], margin: float, square: bool, fit: str,
                                        side: int | None) -> None:
    x1, x2 = sorted(corners[::2])
    y1, y2 = sorted(corners[1::2])
    found = Cut(margin, square, None, fit).of(picture(), [x1, y1, x2, y2])
    if found is None:
        return
    pixels, (left, top, right, bottom) = found
    assert pixels.shape == (bottom - top, right - left, 3) and pixels.size
    assert not square or bottom - top == right - left
    seen = picture()[max(0, top) : max(0, bottom), max(0, left) : max(0, right)]
    x, y = max(0, -left), max(0, -top)
    assert np.array_equal(pixels[y : y + seen.shape[0], x : x + seen.shape[1]], seen)
    if side is not None and fit in ("pad", "stretch"):
        assert Cut(margin, square, side, fit).of(picture(), [x1, y1, x2, y2])[0].shape == (side, side, 3)
