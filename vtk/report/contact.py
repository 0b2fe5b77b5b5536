"""A contact sheet: a row of crops for each of many groups, named, on pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.report.lettering import fitted, printable, text_width, write
from vtk.report.palette import Colour

GROUND: Colour = (28, 28, 28)
INK: Colour = (240, 240, 240)
FAINT: Colour = (165, 165, 165)
GAP = 6  # pixels between crops
BAR = 6  # pixels, width of a row's bar of colour


@dataclass(frozen=True, slots=True)
class Row:
    """One group.

    Attributes:
        title: its name.
        notes: what else is to be said of it, one line each.
        colour: that it has wherever it is drawn.
        crops: (h, w, 3) uint8 each, none higher than the sheet's height.
        captions: lines below each crop.
        whole: how many of these, from the first, are never cut short.
    """

    title: str
    notes: Sequence[str]
    colour: Colour
    crops: Sequence[np.ndarray]
    captions: Sequence[Sequence[str]]
    whole: int = 1


def letters_for(height: int) -> int:
    """Return the height of letters in pixels for crops of ``height`` pixels."""
    return max(9, min(18, round(height / 9)))


def pages(rows: Sequence[Row], height: int, a_page: int, font: str = "") -> Iterator[np.ndarray]:
    """Yield pages (H, W, 3) uint8 RGB of at most ``a_page`` rows each; one without rows where there are none.

    Args:
        rows: in order.
        height: of crops, pixels.
        a_page: rows on a page.
        font: a font file for letters that the built-in fonts lack.
    """
    for first in range(0, max(1, len(rows)), a_page):
        yield _page(rows[first : first + a_page], height, font)


def _page(rows: Sequence[Row], height: int, font: str) -> np.ndarray:
    size = letters_for(height)
    texts = [[printable(text, font=font) for text in (row.title, *row.notes)] for row in rows] or [["nothing to show"]]
    column = min(4 * height, max(text_width(text, size, font) for each in texts for text in each))
    left = GAP + BAR + GAP
    begin = left + column + 2 * GAP
    width = max([sum(_cell(row, place, height, font) + GAP for place in range(len(row.crops))) for row in rows],
                default=0)
    lines = max([len(caption) for row in rows for caption in row.captions], default=1)
    step = height + round(1.3 * _small(height) * lines) + 3 * GAP
    page = np.full((GAP + step * max(1, len(rows)), begin + width + GAP, 3), GROUND, np.uint8)
    for place, each in enumerate(texts):
        top = GAP + place * step
        for line, text in enumerate(each):
            write(page, fitted(text, size, column, font), left, top + round((1 + 1.4 * line) * size), size,
                  FAINT if line else INK, font)
        if place < len(rows):
            page[top : top + height, GAP : GAP + BAR] = rows[place].colour
            _fill(page, rows[place], begin, top, height, font)
    return page


def _fill(page: np.ndarray, row: Row, x: int, top: int, height: int, font: str) -> None:
    """Lay a row's crops and captions onto a page from (x, top) on."""
    size = _small(height)
    for place, crop in enumerate(row.crops):
        high, wide = crop.shape[:2]
        page[top + height - high : top + height, x : x + wide] = crop
        wide = _cell(row, place, height, font)
        for line, text in enumerate(row.captions[place], 1):
            write(page, fitted(printable(text, font=font), size, wide, font), x,
                  top + height + round(1.3 * line * size), size, FAINT, font)
        x += wide + GAP


def _cell(row: Row, place: int, height: int, font: str) -> int:
    """Return the width of a crop, or of the lines below it that are not cut short, in pixels."""
    lines = row.captions[place][: row.whole]
    return max(row.crops[place].shape[1],
               *(text_width(printable(line, font=font), _small(height), font) for line in lines), 0)


def _small(height: int) -> int:
    """Return the height of letters in captions, pixels."""
    return max(8, letters_for(height) - 2)
