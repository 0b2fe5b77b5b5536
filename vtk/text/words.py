"""Lines of text split into words: where each stands in its line, and its id."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vtk.models.spotter import Reading
from vtk.models.text_boxes import VERTICAL, sides
from vtk.text.alignment import align

# Of the room between two letters, how much of it a word reaches beyond where its last letter was read: readers tell of
# a letter's middle.
BEYOND = 0.5
# What a word on its own costs in an alignment, where two that have nothing in common cost 1: less than twice is more.
ALONE = 0.6


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
    """Ids of words: a word of a line keeps its own as long as the line is on screen, whatever of the line is read.

    The words read are aligned with those known of the line: a word that is misread stands where it stood, one that is
    hidden leaves its place, and one that comes into view gets a place between its neighbours.
    """

    _last: int = 0
    _of: dict[int, list[tuple[str, int]]] = field(default_factory=dict)

    def of(self, line: int, words: Sequence[str]) -> list[int]:
        """Return the id of each of the words of ``line``, new ones from the number after the last."""
        known, ids, merged = self._of.get(line, []), [], []
        for old, new in _aligned([text for text, _ in known], words):
            if new is None:
                merged.append(known[old])
                continue
            if old is None:
                self._last += 1
            text, number = ("", self._last) if old is None else known[old]
            # What is longer is more of it.
            merged.append((max(text, words[new], key=len), number))
            ids.append(number)
        self._of[line] = merged
        return ids

    def close(self, line: int) -> None:
        """Forget a line that has ended."""
        self._of.pop(line, None)


def _aligned(known: Sequence[str], words: Sequence[str]) -> list[tuple[int | None, int | None]]:
    """Return the cheapest pairing (known or None, word or None) of all words of both in order, from the left.

    A pair costs what the two differ by, from 0 to 1, a word on its own ALONE.
    """
    return align([[_apart(old, new) for new in words] for old in known], [ALONE] * len(known), ALONE, len(words))


def _apart(a: str, b: str) -> float:
    """Return by how much two words differ, from 0 to 1, as parts of which one may be hidden."""
    from rapidfuzz.distance import Indel

    if not a or not b:
        return 1.0
    # All of the shorter one is in the longer one, in order.
    return 0.5 * (1 - Indel.similarity(a, b) / 2 / min(len(a), len(b))) + 0.5 * Indel.normalized_distance(a, b)
