"""Painting: what lands where, at any size, with any text."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.report.canvas import Canvas, Style
from vtk.report.lettering import fitted, printable, text_width
from vtk.report.palette import PALETTE, colour_of, ink_on

RED = (255, 0, 0)


def blank(width=320, height=240):
    return np.zeros((height, width, 3), np.uint8)


def bounds(image):
    """Return x1, y1, x2, y2 of what is not black, x2 and y2 exclusive."""
    rows, columns = image.any(axis=2).nonzero()
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def test_a_box_lies_on_its_edges():
    image = blank()
    Canvas(image, Style(line=2)).box([50, 60, 150, 200], RED)
    for edge in (image[60, 50:151], image[200, 50:151], image[60:201, 50], image[60:201, 150]):
        assert (edge[:, 0] > 200).all()
    assert not image[64:197, 54:147].any() and not image[:56].any() and not image[:, 155:].any()


@pytest.mark.parametrize("box", [[-50, -50, 400, 300], [300, 200, 1e9, 1e9], [-1e9, -1e9, -1e8, -1e8], [10, 10, 10, 10],
                                 [200, 200, 100, 100]])
def test_a_box_anywhere_is_safe(box):
    canvas = Canvas(blank(), Style())
    canvas.box(box, RED)
    canvas.label("far away", box, RED)
    assert canvas.finish().any()  # at least the label is in the frame


@pytest.mark.parametrize(("width", "height"), [(64, 48), (320, 240), (768, 576), (1080, 1920), (3840, 2160)])
@pytest.mark.parametrize("where", [(-0.2, -0.2), (0.9, 0.95), (0.0, 0.0), (0.4, 0.02), (-0.3, 0.5)])
def test_labels_stay_inside_and_whole(width, height, where):
    line, letters = Style.sizes(width, height)
    canvas = Canvas(blank(width, height), Style(line, letters))
    x, y = where[0] * width, where[1] * height
    canvas.label("7 cat", [x, y, x + 0.3 * width, y + 0.3 * height], RED)
    left, top, right, bottom = bounds(canvas.finish())
    pad = max(3, round(letters / 4))
    assert (right - left, bottom - top) == (min(width, text_width("7 cat", letters) + 2 * pad), letters + 2 * pad)


def test_letters_can_be_read_and_fit_their_plate():
    for width, height in ((320, 240), (768, 576), (1920, 1080), (3840, 2160)):
        line, letters = Style.sizes(width, height)
        assert 9 <= letters <= height / 20 and 1 <= line <= height / 100
        image = blank(width, height)
        canvas = Canvas(image, Style(line, letters))
        canvas.label("Ågjy|8", [width / 2, height / 2, width / 2 + 50, height / 2 + 50], RED)
        canvas.finish()
        left, top, right, bottom = bounds(image)
        ink = (image[top:bottom, left:right] != RED).any(axis=2)
        assert ink.mean() > 0.1
        assert not ink[0].any() and not ink[-1].any() and not ink[:, 0].any() and not ink[:, -1].any()


def test_labels_keep_clear_of_each_other():
    image = blank()
    canvas = Canvas(image, Style())
    canvas.label("one person", [100, 100, 140, 180], (200, 0, 0))
    canvas.label("two person", [110, 102, 150, 182], (0, 200, 0))
    canvas.finish()
    high = 14 + 2 * round(14 / 4)
    for colour in ((200, 0, 0), (0, 200, 0)):
        rows = (image == colour).all(axis=2).any(axis=1)
        assert rows.sum() == high  # neither is covered


def test_captions_stack_in_the_corner():
    canvas = Canvas(blank(), Style())
    canvas.caption("street", RED)
    canvas.caption("Vulpes vulpes 0.80", (0, 255, 0))
    image = canvas.finish()
    left, top, right, bottom = bounds(image)
    assert left < 10 and top < 10 and right < 200 and bottom < 60
    assert (image == RED).all(axis=2).any() and (image == (0, 255, 0)).all(axis=2).any()


def test_a_trail_fades_towards_its_beginning():
    image = blank()
    Canvas(image, Style(line=2)).trail(np.array([[20.0 + 5 * k, 100] for k in range(50)]), RED)
    strength = [image[98:103, x, 0].max() for x in (30, 80, 130, 180, 230, 260)]
    assert strength == sorted(strength) and strength[0] < 80 < 240 < strength[-1]
    assert image[:95].sum() == image[106:].sum() == 0


@pytest.mark.parametrize("points", [np.empty((0, 2)), np.array([[5.0, 5.0]]), np.full((30, 2), 7.0),
                                    np.array([[-1e9, 4.0], [1e9, 8.0]]), np.array([[-50.0, -50.0], [-10.0, -9.0]])])
def test_any_trail_is_safe(points):
    image = blank()
    Canvas(image, Style()).trail(points, RED)
    assert image.shape == (240, 320, 3)


def test_colours_tell_neighbours_apart():
    near = [np.abs(np.subtract(PALETTE[k], PALETTE[(k + 1) % len(PALETTE)])).sum() for k in range(len(PALETTE))]
    assert len(set(PALETTE)) == len(PALETTE) == 21 and min(near) > 100
    assert colour_of(1) == PALETTE[0] and colour_of(22) == colour_of(1) and colour_of("person") == colour_of("person")
    assert len({colour_of(name) for name in ("person", "car", "dog", "bicycle")}) == 4


def test_ink_contrasts():
    assert ink_on((255, 255, 255)) == (0, 0, 0) and ink_on((0, 0, 80)) == (255, 255, 255)


@pytest.mark.parametrize(("text", "shown"), [
    ("person 0.87", "person 0.87"),
    ("Größe Ж 漢字 ありがとう 한국", "Größe Ж 漢字 ありがとう 한국"),
    ("two\nlines\tand\x07bell", "two lines and�bell"),
    ("ไทย", r"\u0e44\u0e17\u0e22"),
    ("half \ud800", "half �"),
    ("what?", "what?"),
    ("", ""),
])
def test_text_becomes_one_line_that_the_font_has(text, shown):
    assert printable(text) == shown


def test_long_text_is_cut():
    assert len(printable("x" * 5000)) == 120
    cut = fitted("a rather long label", 14, 80)
    assert cut.endswith("…") and text_width(cut, 14) <= 80 < text_width("a rather long label", 14)
    assert fitted("short", 14, 80) == "short" and fitted("word", 14, 3) == ""
