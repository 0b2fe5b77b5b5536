"""The best views of a track: what they are worth, how they are spread, what is cut out."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.reid.views import APART, LONGEST_SIDE, Choice, View, Views, cut, plain_worths, sharpness


def worth_of(box: list[float], *others: list[float], score: float = 1.0) -> float:
    boxes = np.array([box, *others], np.float64)
    return float(plain_worths(boxes, np.full(len(boxes), score), 1000, 1000)[0])


def test_what_a_view_is_worth_by_hand() -> None:
    assert worth_of([100, 100, 228, 356]) == 1, "128 × 256, alone, inside"
    assert worth_of([100, 100, 356, 612]) == 1, "more pixels than enough are not worth more"
    assert worth_of([100, 100, 164, 228]) == 0.5, "half the side of enough"
    assert worth_of([100, 100, 228, 356], score=0.3) == pytest.approx(0.3)
    assert worth_of([100, 100, 228, 356], [100, 100, 228, 164]) == pytest.approx(0.75), "a quarter is covered"
    assert worth_of([100, 100, 228, 356], [300, 100, 428, 356]) == 1, "touching nothing"
    assert worth_of([-128, 100, 128, 356]) == pytest.approx(0.25), "half of it is cut off, which counts twice"
    assert 0 < worth_of([100, 100, 228, 356], [0, 0, 900, 900]) < 0.05, "covered whole: better than none"


@pytest.mark.parametrize("box", [[-50, 0, -10, 100], [1000, 0, 1100, 100], [1e5, 1e5, 1e6, 1e6], [5, 5, 5, 90],
                                 [5, 5, 8, 90], [998, 5, 1100, 90]])
def test_boxes_that_show_nothing_are_worth_nothing(box: list[float]) -> None:
    assert worth_of(box) == 0
    assert worth_of([100, 100, 228, 356], box) == 1, "and cover nothing"


def test_no_boxes_are_no_worths() -> None:
    assert plain_worths(np.zeros((0, 4)), np.zeros(0), 10, 10).shape == (0,)


def test_blur_shows() -> None:
    sharp = np.random.default_rng(1).integers(0, 256, (120, 50, 3), dtype=np.uint8)
    found = [sharpness(image) for image in (sharp, cv2.GaussianBlur(sharp, (0, 0), 1), cv2.GaussianBlur(sharp, (0, 0), 3))]
    assert 1 > found[0] > found[1] > found[2] > 0
    assert sharpness(np.full((20, 9, 3), 77, np.uint8)) == 0
    wide = cv2.resize(cv2.GaussianBlur(sharp, (0, 0), 1), (400, 960))
    assert sharpness(wide) == pytest.approx(found[1], abs=0.25), "size alone makes no view sharp"


def test_a_crop_is_what_lies_inside_and_is_no_view_of_the_frame() -> None:
    image = np.arange(40 * 30 * 3, dtype=np.int64).reshape(40, 30, 3).astype(np.uint8)
    crop = cut(image, [-5.4, 9.6, 7.5, 100])
    assert np.array_equal(crop, image[10:, :8])
    crop[:] = 0
    assert image[20, 3].any()
    large = cut(np.zeros((2000, 1500, 3), np.uint8), [0, 0, 1500, 2000])
    assert large.shape == (LONGEST_SIDE, LONGEST_SIDE * 3 // 4, 3)
    with pytest.raises(ValueError, match="something inside 30 × 40"):
        cut(image, [31, 0, 35, 5])


def fill(views: Views, most: int, worths: np.ndarray, fps: float = 25.0) -> int:
    """Show views one after another, and return how many were cut out."""
    looked, choice = 0, Choice(most)
    for frame, worth in enumerate(worths.tolist()):
        if choice.takes(worth, frame / fps):
            looked += 1
            views.add(View(worth, frame, frame / fps))
    return looked


@pytest.mark.parametrize("seconds", [0.04, 0.5, 1.6, 10, 300])
@pytest.mark.parametrize("most", [1, 8])
def test_views_are_few_good_and_apart(seconds: float, most: int) -> None:
    worths = np.random.default_rng(3).random(max(1, round(25 * seconds)))
    views = Views(most)
    looked = fill(views, most, worths)
    best = views.best()
    assert 1 <= len(best) <= most
    assert [view.frame for view in views.settle()] == [view.frame for view in best]
    assert views.best() == best
    assert [view.frame for view in best] == sorted({view.frame for view in best})
    if seconds >= 10 and most == 8:
        assert len(best) == 8
        parts = {int(view.t / seconds * 4) for view in best}
        assert len(parts) >= 3, "not all of one part of the track"
        assert np.mean([view.worth for view in best]) > 0.75 and looked < 300
    assert looked <= len(worths)


def test_the_best_of_a_moment_is_kept_and_of_equals_the_first() -> None:
    views = Views(8)
    for frame, worth in enumerate((0.4, 0.9, 0.6)):
        views.add(View(worth, frame, frame * APART / 4))
    assert [view.frame for view in views.best()] == [1]
    equal = Views(2)
    fill(equal, 2, np.ones(100))
    assert equal.best()[0].frame == 0


def test_a_look_is_worth_it_once_a_moment_and_for_what_is_clearly_better() -> None:
    choice = Choice(8)
    assert choice.takes(0.4, 0.0) and choice.takes(0.9, APART / 4)
    assert not choice.takes(0.6, APART / 2) and not choice.takes(0.95, APART / 2) and choice.takes(1.0, APART / 2)
    assert choice.takes(0.01, 1.5 * APART), "the next moment has none yet"
    assert not choice.takes(0.0, 2.5 * APART), "nothing is shown there"


def test_moments_grow_with_the_track() -> None:
    choice = Choice(1)
    taken = [frame for frame in range(1000) if choice.takes(0.5, frame * APART / 2)]
    assert taken[:3] == [0, 2, 4] and len(taken) < 12, "two moments, twice as long each time they are too few"


def test_what_was_no_sharper_is_not_kept() -> None:
    """A view whose pixels turned out blurred leaves the earlier one."""
    views = Views(1)
    views.add(View(0.5, 0, 0.0))
    views.add(View(0.1, 1, 0.04))
    assert views.best()[0].frame == 0
