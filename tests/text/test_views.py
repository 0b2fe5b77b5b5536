"""The best views of a text: few, apart in time, the sharper first."""

from __future__ import annotations

import cv2
import numpy as np

from vtk.text.views import APART, VIEWS, View, Views, worth_of


def view(worth, t, frame=None):
    return View(worth, int(t * 25) if frame is None else frame, t, np.zeros((4, 2), np.float32),
                np.zeros((20, 60, 3), np.uint8))


def test_keeps_the_best_and_few():
    views = Views()
    for step in range(20):
        views.add(view(float(step % 7), step * 2 * APART))
    assert len(views.kept) == VIEWS
    assert [each.worth for each in views.kept] == [6, 6, 5, 5, 5]


def test_of_one_moment_one_view_stays():
    views = Views()
    views.add(view(1.0, 0.0))
    views.add(view(3.0, APART / 2))
    views.add(view(2.0, APART / 3))
    assert [each.worth for each in views.kept] == [3.0]
    views.add(view(1.0, 2 * APART))
    assert [each.worth for each in views.kept] == [3.0, 1.0]


def test_a_better_view_takes_the_place_of_all_of_its_moment():
    views = Views()
    views.add(view(1.0, 0.0))
    views.add(view(2.0, 1.2 * APART))
    views.add(view(5.0, 0.6 * APART))
    assert [each.worth for each in views.kept] == [5.0]


def test_sharp_is_worth_more_than_blurred_and_large_more_than_small():
    crop = np.full((48, 200, 3), 255, np.uint8)
    cv2.putText(crop, "HELLO", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3)
    assert worth_of(crop) > worth_of(cv2.GaussianBlur(crop, (9, 9), 3)) > 0
    assert worth_of(crop) > worth_of(cv2.resize(crop, (100, 24), interpolation=cv2.INTER_AREA))
    assert worth_of(np.full((48, 200, 3), 128, np.uint8)) == 0


def test_what_covers_half_a_text_does_not_make_it_worth_more():
    """A bar of noise is sharper than any letter, and a text that it cuts off is found shorter."""
    crop = np.full((48, 200, 3), 255, np.uint8)
    cv2.putText(crop, "HELLO", (10, 38), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (0, 0, 0), 3)
    hidden = crop.copy()
    hidden[:, 130:] = np.random.default_rng(0).integers(0, 256, (48, 70, 3), np.uint8)
    assert worth_of(hidden) < 1.3 * worth_of(crop)
    assert worth_of(hidden[:, :150]) < worth_of(crop)
    upright = np.ascontiguousarray(np.rot90(crop))
    assert worth_of(upright) == worth_of(crop)
