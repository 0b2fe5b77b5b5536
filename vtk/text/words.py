"""Lines of text split into words: where each stands in its line, and its id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.models.spotter import Reading
from vtk.models.text_boxes import VERTICAL, sides

# Of the room between two letters, how much of it a word reaches beyond where its last letter was read: readers tell of
# a letter's middle.
BEYOND = 0.5


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a line.

    Attributes:
        text: without spaces.
        start, end: where it stands along the line, in [0, 1].
        score: mean of its characters', in [0, 1].
    """

    text: str
    start: float
    end: float
    score: float


def words_of(text: str, score: float, reading: Reading | None) -> list[Word]:
    """Return the words of a line, in the order in which they are read.

    Args:
        text: what the line says, words apart by spaces.
        score: of the line, for words of which nothing better is known.
        reading: a reading of the line; where it says the same, its spans tell where each word stands, else every
            character is taken to be as wide as the others.
    """
    known = reading is not None and reading.text == text and len(reading.spans) == len(text)
    spans = reading.spans if known else np.linspace(0, 1, len(text) + 1)[np.arange(len(text))[:, None] + [0, 1]]
    scores = reading.characters if known else np.full(len(text), score)
    found = [each.span() for each in re.finditer(r"\S+", text)]
    if not found:
        return []
    reach = BEYOND / len(text)
    words = []
    for number, (first, last) in enumerate(found):
        start = 0.0 if number == 0 else float(spans[first][0])
        end = 1.0 if number == len(found) - 1 else float(spans[last - 1][1])
        if known and number > 0:
            start = max(start - reach, (start + float(spans[found[number - 1][1] - 1][1])) / 2)
        if known and number < len(found) - 1:
            end = min(end + reach, (end + float(spans[found[number + 1][0]][0])) / 2)
        words.append(Word(text[first:last], start, max(start, end), float(np.mean(scores[first:last]))))
    return words


def part(quad: np.ndarray, start: float, end: float) -> np.ndarray:
    """Return the part of a line's quad (4, 2), corners clockwise from the top left, from ``start`` to ``end`` along it.

    Its corners come in the same order as the line's.
    """
    first, second, third, fourth = reading_order(quad)
    corners = np.array([first + start * (second - first), first + end * (second - first),
                        fourth + end * (third - fourth), fourth + start * (third - fourth)], quad.dtype)
    return np.roll(corners, _turns(quad), axis=0)


def reading_order(quad: np.ndarray) -> np.ndarray:
    """Return the corners of a quad (4, 2) from where its text begins: the first two are its upper edge.

    A quad ``VERTICAL`` times as high as wide is read from the top down, as the readers do.
    """
    return np.roll(quad, -_turns(quad), axis=0)


def _turns(quad: np.ndarray) -> int:
    across, down = sides(quad)
    return 1 if down >= VERTICAL * across else 0


@dataclass(slots=True)
class WordIds:
    """Ids of words: the k-th word of a line keeps its own as long as the line is on screen, whatever is read."""

    _last: int = 0
    _of: dict[int, list[int]] = field(default_factory=dict)

    def of(self, line: int, count: int) -> Sequence[int]:
        """Return the ids of the ``count`` words of ``line``, new ones from the number after the last."""
        ids = self._of.setdefault(line, [])
        while len(ids) < count:
            self._last += 1
            ids.append(self._last)
        return ids[:count]

    def close(self, line: int) -> None:
        """Forget a line that has ended."""
        self._of.pop(line, None)
