"""Bars beside a picture, of one colour: taken off, so that what stands between them is compared, with bars or without.

A film in the frame of another shape, a clip shrunk onto a coloured card: everything is elsewhere in the frame then, and
to a descriptor it is another picture.
"""

from __future__ import annotations

import numpy as np

# Pixels along each line that are looked at: a hundredth of a line that is not of the colour may go unseen.
_SAMPLES = 96
# Levels of 255 that a bar's pixels differ from its colour, all but a few: what encoders leave.
_EVEN, _FEW = 20, 0.05
# Share of a line's pixels that are of another colour where the picture begins, within so many lines after the bar.
_EDGE, _WITHIN = 0.25, 3
# Shares of a side: a bar has at least one, the picture the other.
_LEAST, _PICTURE = 0.02, 0.3


def without_bars(frame: np.ndarray) -> np.ndarray:
    """Return the part of a frame (H, W, 3) uint8 between its bars, a view; all of it where it has none.

    Bars come in pairs, left and right or above and below, of one colour, and end sharply: a sky over a dark ground is
    no pair, and a stage in the dark has no edge.
    """
    height, width = frame.shape[:2]
    if min(height, width) < 16:
        return frame
    columns, rows = _spread(width), _spread(height)
    top, bottom = _pair(frame[:, columns])
    left, right = _pair(frame[rows].swapaxes(0, 1))
    if (top, left) != (0, 0):
        # Beside bars on all sides, the lines that crossed the other pair tell more when looked at between them.
        inner = frame[top : height - bottom, left : width - right]
        more = _pair(inner[:, _spread(inner.shape[1])]), _pair(inner[_spread(inner.shape[0])].swapaxes(0, 1))
        top, bottom, left, right = top + more[0][0], bottom + more[0][1], left + more[1][0], right + more[1][1]
    return frame[top : height - bottom, left : width - right]


def _spread(length: int) -> np.ndarray:
    return np.linspace(0, length - 1, min(_SAMPLES, length)).astype(int)


def _pair(lines: np.ndarray) -> tuple[int, int]:
    """Return how many of (L, S, 3) lines are bars at the beginning and at the end; none where both are not."""
    count = len(lines)
    first, last = np.median(lines[0], axis=0), np.median(lines[-1], axis=0)
    if np.abs(first - last).max() > _EVEN:
        return 0, 0
    share = (np.abs(lines.astype(np.int16) - ((first + last) / 2).astype(np.int16)).max(axis=2) > _EVEN).mean(axis=1)
    begin, end = _bar(share), _bar(share[::-1])
    if not begin or not end or count - begin - end < _PICTURE * count:
        return 0, 0
    return begin, end


def _bar(share: np.ndarray) -> int:
    """Return how many lines a bar has, one more for its soft edge, by each line's share of pixels of another colour."""
    other = np.flatnonzero(share > _FEW)
    if not len(other) or other[0] < max(2, _LEAST * len(share)):
        return 0
    begin = int(other[0])
    return begin + 1 if share[begin : begin + _WITHIN].max() >= _EDGE else 0
