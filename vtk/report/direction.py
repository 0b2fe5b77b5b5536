"""The order in which a line of text is written: letters of right-to-left scripts among others.

A simple form of the Unicode bidirectional algorithm (UAX #9) for writers that put one letter after the other: runs of
one direction, no nesting, numbers from the left. Pillow with raqm does all of it and is asked first.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")


@lru_cache(maxsize=4096)
def direction(sign: str) -> int:
    """Return -1 for a letter that is written from the right, 1 for one from the left or a digit, 0 for others."""
    kind = unicodedata.bidirectional(sign)
    return -1 if kind in ("R", "AL") else 1 if kind in ("L", "EN", "AN") else 0


def runs_backwards(text: str) -> bool:
    """Return whether some letter of ``text`` is written from the right."""
    return not text.isascii() and any(direction(sign) < 0 for sign in text)


def first_direction(text: str) -> int:
    """Return the direction of a line, that of its first letter that has one: -1 from the right, else 1."""
    letters = (direction(sign) for sign in text if unicodedata.bidirectional(sign) not in ("EN", "AN"))
    return next((way for way in letters if way), 1)


def visual(text: str) -> str:
    """Return the signs of a line in the order in which they stand from left to right; letters are not joined."""
    if not runs_backwards(text):
        return text
    found = [part if way > 0 else "".join(_clusters(part.translate(_MIRRORED))) for part, way in runs(text)]
    return "".join(found if first_direction(text) > 0 else reversed(found))


def runs(text: str) -> list[tuple[str, int]]:
    """Return (part, direction) of a line: signs without one go with both neighbours, or with the line."""
    line = first_direction(text)
    ways = [direction(sign) for sign in text]
    found: list[tuple[str, int]] = []
    for place, sign in enumerate(text):
        way = ways[place]
        if not way:
            before = next((one for one in reversed(ways[:place]) if one), line)
            after = next((one for one in ways[place:] if one), line)
            way = before if before == after or unicodedata.combining(sign) else line
        if found and found[-1][1] == way:
            found[-1] = (found[-1][0] + sign, way)
        else:
            found.append((sign, way))
    return found


def _clusters(text: str) -> Iterator[str]:
    """Yield the letters of ``text``, each with the marks that stand on it, the last one first."""
    end = len(text)
    for place in range(len(text) - 1, -1, -1):
        if not unicodedata.combining(text[place]) or place == 0:
            yield text[place:end]
            end = place
