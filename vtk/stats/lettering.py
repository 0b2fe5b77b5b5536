"""Columns of text for a terminal: names of any script cut to a width, bars, numbers, times."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

WIDTH = 80
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_STEPS = "▁▂▃▄▅▆▇█"


def columns_of(text: str) -> int:
    """Return how many columns of a terminal a text takes: two for wide letters, none for marks that combine."""
    return sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def shown(text: str, width: int) -> str:
    """Return a text in exactly ``width`` columns: filled with blanks, or cut in its middle; one line of it."""
    plain = "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    if (length := columns_of(plain)) <= width:
        return plain + " " * (width - length)
    left = _front(plain, (width - 1) // 2)
    right = _front(plain[::-1], width - 1 - columns_of(left))[::-1]
    return f"{left}…{right}" + " " * (width - 1 - columns_of(left) - columns_of(right))


def _front(text: str, width: int) -> str:
    """Return as much of the beginning of ``text`` as ``width`` columns show."""
    taken = 0
    for place, char in enumerate(text):
        taken += _columns(char)
        if taken > width:
            return text[:place]
    return text


def bar(share: float, width: int) -> str:
    """Return a bar that takes ``share`` in [0, 1] of ``width`` columns, to an eighth; what is not 0 shows."""
    eighths = max(round(share * width * 8), 1 if share > 0 else 0)
    return _EIGHTHS[8] * (eighths // 8) + (_EIGHTHS[eighths % 8] if eighths % 8 else "")


def steps(counts: Sequence[int]) -> str:
    """Return a line of bars that stand side by side, one column each; a blank is 0."""
    most = max(counts, default=0)
    return "".join(_STEPS[min(7, count * 8 // (most + 1))] if count else " " for count in counts)


def table(rows: Sequence[Sequence[str]], left: int = 1, width: int = WIDTH, indent: str = "  ") -> Iterator[str]:
    """Yield rows as lines of at most ``width`` columns: the first ``left`` cells to the left, the others to the right.

    What is too wide is taken from the widest of the left cells.
    """
    if not rows:
        return
    wide = [max(columns_of(shown(row[place], 10_000).rstrip()) for row in rows) for place in range(len(rows[0]))]
    while sum(wide) + 2 * (len(wide) - 1) + len(indent) > width and max(wide[:left]) > 8:
        wide[wide.index(max(wide[:left]))] -= 1
    for row in rows:
        cells = [shown(cell, room) if place < left else " " * (room - columns_of(cell)) + cell
                 for place, (cell, room) in enumerate(zip(row, wide, strict=True))]
        yield (indent + "  ".join(cells)).rstrip()


def counted(number: float) -> str:
    """Return a whole number with commas."""
    return f"{number:,.0f}"


def lasting(seconds: float) -> str:
    """Return a span as people write it: 4.2 s, 3:05, 2:03:05."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours:,}:{rest // 60:02}:{rest % 60:02}" if hours else f"{whole // 60}:{whole % 60:02}"


def sized(count: int) -> str:
    """Return a number of bytes."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
