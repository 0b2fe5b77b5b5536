"""Letters of every script: which font writes them, in which order, and how lines are wrapped."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.report import fonts
from vtk.report.direction import visual
from vtk.report.fonts import OpenCvFace, PillowFace, parts
from vtk.report.lettering import printable, text_width, wrapped, write

ARABIC, HEBREW = "مرحبا", "שלום"


def drawn(text: str, **how) -> np.ndarray:
    image = np.full((60, 500, 3), 128, np.uint8)
    write(image, text, 10, 40, 30, (255, 255, 255), **how)
    return image


@pytest.mark.parametrize(("text", "expected"), [
    ("abc", "abc"),
    ("אבג", "גבא"),
    ("אב 12 גד", "דג 12 בא"),
    ("abc אבג def", "abc גבא def"),
    ("(אב)", "(בא)"),
    ("אב abc", "abc בא"),
    ("א\u05b8ב", "בא\u05b8"),
    ("", ""),
])
def test_the_order_of_letters(text, expected):
    assert visual(text) == expected


def test_scripts_find_their_font():
    assert isinstance(parts("Größe Ж 漢字 한국")[0][0], OpenCvFace) and len(parts("Größe Ж 漢字 한국")) == 1
    [(face, said)] = parts(f"exit {ARABIC} 12")
    assert isinstance(face, PillowFace) and face.orders and said == f"exit {ARABIC} 12"
    mixed = parts(f"漢字 {ARABIC} abc")
    assert [type(face) for face, _ in mixed] == [OpenCvFace, PillowFace, OpenCvFace]
    assert "".join(said for _, said in mixed) == f"漢字 {ARABIC} abc"
    assert [said for _, said in parts(f"{ARABIC} 漢字")] == ["漢字", f"{ARABIC} "]


@pytest.mark.parametrize("text", [ARABIC, HEBREW, "你好", "Привет", "日本語", "한국어"])
def test_no_script_becomes_question_marks(text):
    ink = drawn(printable(text))
    assert printable(text) == text
    assert (ink != 128).any() and (ink != drawn("?" * len(text))).any()


def test_arabic_letters_are_joined_and_from_the_right():
    """Joined, the word is narrower than its letters side by side; its first letter stands at the right."""
    assert text_width(ARABIC, 30) < sum(text_width(sign, 30) for sign in ARABIC)
    first, whole = drawn(HEBREW[0]), drawn(HEBREW)
    right = np.flatnonzero((whole != 128).any(axis=(0, 2))).max()
    wide = np.ptp(np.flatnonzero((first != 128).any(axis=(0, 2)))) + 1
    ink = (whole != 128).any(axis=2)[:, right - wide + 1:right + 1]
    alone = (first != 128).any(axis=2)
    left = np.flatnonzero(alone.any(axis=0)).min()
    assert (ink ^ alone[:, left:left + wide]).mean() < 0.05  # the same letter, to a pixel of its place


def test_without_raqm_letters_stand_in_order_unjoined(monkeypatch):
    monkeypatch.setattr(fonts.features, "check", lambda name: False)
    fonts.faces.cache_clear()
    fonts.parts.cache_clear()
    try:
        [(face, said)] = parts(f"exit {HEBREW}")
        assert not face.orders and said == f"exit {HEBREW[::-1]}"
    finally:
        monkeypatch.undo()
        fonts.faces.cache_clear()
        fonts.parts.cache_clear()


def test_what_no_font_has_is_escaped_unless_one_is_named():
    assert printable("ไทย") == r"\u0e44\u0e17\u0e22"
    assert printable("न\u094d") == r"\u0928\u094d"
    latin = fonts._dejavu()
    assert printable("ไ", font=latin) == r"\u0e44" and printable("ʯ", font=latin) == "ʯ"


def test_directions_and_joiners_have_no_picture():
    assert printable("a\u200fb\u200dc\u2060\ufeff") == "abc"
    assert printable("cafe\u0301") == "café"


@pytest.mark.parametrize(("text", "count"), [
    ("one two three four five six seven", 3), ("你好世界你好世界你好世界你好世界你好", 3), ("x" * 40, 3), ("", 0), ("short", 1),
])
def test_lines_are_wrapped(text, count):
    lines = wrapped(text, 20, 170)
    assert len(lines) == count
    assert all(0 < text_width(line, 20) <= 170 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_an_outline_lies_around_the_letters():
    plain, outlined = drawn("Text"), drawn("Text", outline=3)
    assert plain.min() == 128 and outlined.min() == 0
    white = (plain == 255).all(axis=2)
    assert white.sum() > 200 and (outlined[white] >= 254).all()  # rounding of nearly full ink


@pytest.mark.parametrize("where", [(-2000, 40), (490, 40), (10, -500), (10, 5000), (-30, 2)])
def test_text_beyond_the_edge_is_cut(where):
    image = np.zeros((60, 500, 3), np.uint8)
    write(image, "somewhere", *where, 30, (255, 0, 0), outline=2)
    assert image.shape == (60, 500, 3)
