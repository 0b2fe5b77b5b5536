"""Pictures of an evaluation of faces: the errors against each other (DET), and the scores of each class.

    write_plots(folder, presentations, rule)        # det.png, scores.png
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from vtk.errors import UsageError
from vtk.evaluation.liveness import Rule, Sample, sample_of
from vtk.liveness.presentations import Presentation
from vtk.media.image import write_image
from vtk.metrics import liveness as metric
from vtk.metrics.liveness import LIVE
from vtk.report.lettering import fitted, printable, text_width, write
from vtk.report.palette import PALETTE, Colour

WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
GRID: Colour = (225, 225, 225)
LINE: Colour = (120, 120, 120)
LIVE_COLOUR: Colour = (0, 114, 178)
# Lines on white: of the palette those that are dark enough to be seen on it.
LINES: tuple[Colour, ...] = tuple(colour for colour in PALETTE if sum(colour) < 480 and colour != LIVE_COLOUR)
LETTERS = 15
SIDE = 560  # pixels of the square of the curves
WIDE, HIGH = 720, 96  # of the bars of a class
BINS = 50
MOST = len(LINES)  # types that are drawn, each in a colour of its own
LEAST_BAR = 3  # pixels: one face of thousands is seen
# Percent that the axes of a DET curve name. Source: Martin et al., "The DET curve", Eurospeech 1997.
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 60, 80, 90, 95, 98, 99)


FILES = ("det.png", "scores.png")


def check_plots(folder: Path) -> None:
    """Refuse to replace pictures: before the work.

    Raises:
        UsageError: one of them is there; the message names it.
    """
    if exists := [name for name in FILES if (folder / name).exists()]:
        raise UsageError(f"--plots {folder}: {' and '.join(exists)} would be replaced: give --overwrite for that, or "
                         "another folder")


def write_plots(folder: Path, presentations: Sequence[Presentation], rule: Rule = Rule()) -> None:
    """Write det.png where there are both classes, and scores.png.

    Raises:
        UsageError: the folder cannot be made.
        MediaError: a file cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--plots {folder}: {error.strerror}") from None
    sample = sample_of(presentations, rule)
    if sample.types and LIVE in sample.kinds:
        write_image(folder / "det.png", det(sample))
    pairs = {rule.thresholds or each.seen.thresholds for each in presentations}
    write_image(folder / "scores.png", histograms(sample, sorted({each for pair in pairs for each in pair})))


def det(sample: Sample) -> np.ndarray:
    """Return the DET curves of the types of attack, (H, W, 3) uint8 RGB, and where the answers stand.

    Axes are in normal deviates, from the percentage that the number of presentations can tell from none; what is less
    lies on the edge.
    """
    curve = sample.curve()
    counts = [int(curve.counts.sum()), int((sample.kinds == LIVE).sum())]
    axes = [_Axis(count) for count in counts]
    left, top = 90, 30 + LETTERS
    out = np.full((top + SIDE + 70, left + SIDE + 290, 3), WHITE, np.uint8)
    _frame(out, axes, left, top)
    rows = [(kind, colour, curve.apcer[:, number], 2) for kind, number, colour in _shown(sample)]
    if len(sample.types) > 1:
        rows.append(("worst type", INK, curve.worst, 5))
    for _, colour, apcer, thick in reversed(rows):  # the worst below the types that it runs along
        x, y = left + axes[0].place(apcer), top + SIDE - axes[1].place(curve.bpcer)
        # From a threshold to the next one error falls, then the other rises: corners, no slopes.
        corners = np.stack([np.repeat(x, 2)[1:], np.repeat(y, 2)[:-1]], 1)
        cv2.polylines(out, [corners.round().astype(np.int32).reshape(-1, 1, 2)], False, colour, thick, cv2.LINE_AA)
    found = metric.rates(sample.told, sample.kinds, len(sample.types))
    for _, number, colour in _shown(sample):
        at = left + axes[0].at(found.apcer[number]), top + SIDE - axes[1].at(found.bpcer)
        cv2.circle(out, at, 6, WHITE, -1, cv2.LINE_AA)
        cv2.circle(out, at, 5, colour, -1, cv2.LINE_AA)
    _legend(out, rows, counts, max(len(sample.types) - MOST, 0), (left + SIDE + 16, top + LETTERS))
    return out


def histograms(sample: Sample, thresholds: Sequence[float]) -> np.ndarray:
    """Return bars of the scores of live faces and of each type of attack, (H, W, 3) uint8 RGB, with the thresholds.

    Of more than MOST types those of most attacks.
    """
    classes = [("live", LIVE_COLOUR, sample.scores[sample.kinds == LIVE])]
    classes += [(kind, colour, sample.scores[sample.kinds == number]) for kind, number, colour in _shown(sample)]
    classes = [each for each in classes if len(each[2])]
    left, top, step = 64, 2 * LETTERS + 16, HIGH + 34
    out = np.full((top + step * len(classes) + 44, left + WIDE + 24, 3), WHITE, np.uint8)
    for number, (name, colour, scores) in enumerate(classes):
        base = top + step * number + HIGH + 22
        _bars(out, scores, colour, left, base)
        title = fitted(printable(f"{name}, {len(scores)}"), LETTERS, WIDE)
        write(out, title, left, base - HIGH - 6, LETTERS, colour)
    bottom = top + step * len(classes)
    for place in range(6):
        text = f"{place / 5:g}"
        write(out, text, left + WIDE * place // 5 - text_width(text, LETTERS) // 2, bottom + 18, LETTERS, INK)
    name = "score, the higher the more live; beside each row the faces of its tallest bar"
    write(out, name, left + (WIDE - text_width(name, LETTERS)) // 2, bottom + 38, LETTERS, INK)
    _thresholds(out, thresholds, left, top, bottom - 12)
    return out


def _shown(sample: Sample) -> list[tuple[str, int, Colour]]:
    """Return the types that are drawn, their numbers and colours: of too many those of most attacks."""
    counts = np.bincount(sample.kinds[sample.kinds != LIVE], minlength=len(sample.types))
    numbers = sorted(np.argsort(-counts, kind="stable")[:MOST].tolist())
    return [(sample.types[number], number, colour) for number, colour in zip(numbers, LINES, strict=False)]


class _Axis:
    """An axis of a DET curve: shares by their normal deviates, over SIDE pixels."""

    def __init__(self, count: int) -> None:
        self.ticks = [tick for tick in TICKS if tick >= max((t for t in TICKS if t <= 50 / max(count, 1)), default=0.1)]
        self._low, self._high = (self._deviate(np.array([tick / 100]))[0] for tick in (self.ticks[0], self.ticks[-1]))

    def place(self, shares: np.ndarray) -> np.ndarray:
        """Return pixels from the axis' start, float64, for shares in [0, 1]; what is beyond its ends is on them."""
        known = np.clip(np.nan_to_num(shares), self.ticks[0] / 100, self.ticks[-1] / 100)
        return (self._deviate(known) - self._low) / (self._high - self._low) * SIDE

    def named(self, tick: float) -> str:
        """Return what a tick is called: the first stands for all that is less."""
        return f"≤{tick:g}" if tick == self.ticks[0] else f"{tick:g}"

    def at(self, share: float) -> int:
        """Return the whole pixel of one share."""
        return round(float(self.place(np.array([share]))[0]))

    @staticmethod
    def _deviate(shares: np.ndarray) -> np.ndarray:
        from scipy.special import ndtri

        return np.asarray(ndtri(shares), np.float64)


def _frame(out: np.ndarray, axes: Sequence[_Axis], left: int, top: int) -> None:
    """Draw the grid, the ticks and the names of both axes."""
    bottom = top + SIDE
    free = 0
    for tick in axes[0].ticks:
        x, text = left + axes[0].at(tick / 100), axes[0].named(tick)
        out[top:bottom, min(x, left + SIDE - 1)] = GRID
        start = x - text_width(text, LETTERS) // 2
        if start >= free:
            write(out, text, start, bottom + LETTERS + 6, LETTERS, INK)
            free = start + text_width(text, LETTERS) + 4
    for tick in axes[1].ticks:
        y, text = bottom - axes[1].at(tick / 100), axes[1].named(tick)
        out[min(y, bottom - 1), left:left + SIDE] = GRID
        write(out, text, left - 8 - text_width(text, LETTERS), y + LETTERS // 3, LETTERS, INK)
    cv2.rectangle(out, (left - 1, top - 1), (left + SIDE, bottom), LINE, 1)
    name = "APCER: attacks taken for live, %"
    write(out, name, left + (SIDE - text_width(name, LETTERS)) // 2, bottom + 2 * LETTERS + 18, LETTERS, INK)
    name = "BPCER: live faces not taken for live, %"
    side = np.full((LETTERS + 12, SIDE, 3), WHITE, np.uint8)
    write(side, name, (SIDE - text_width(name, LETTERS)) // 2, LETTERS + 2, LETTERS, INK)
    out[top:bottom, 8:8 + side.shape[0]] = np.rot90(side)


def _legend(out: np.ndarray, rows: Sequence[tuple[str, Colour, np.ndarray, int]], counts: Sequence[int], hidden: int,
            place: tuple[int, int]) -> None:
    """Write what the lines are, and what the points."""
    (x, y), step = place, LETTERS + 10
    write(out, f"{counts[0]} attacks, {counts[1]} live", x, y, LETTERS, INK)
    for name, colour, _, thick in rows:
        y += step
        cv2.line(out, (x, y - LETTERS // 3), (x + 22, y - LETTERS // 3), colour, thick, cv2.LINE_AA)
        write(out, fitted(printable(name), LETTERS, out.shape[1] - x - 38), x + 30, y, LETTERS, INK)
    y += step
    cv2.circle(out, (x + 11, y - LETTERS // 3), 5, LINE, -1, cv2.LINE_AA)
    write(out, "the answers scored", x + 30, y, LETTERS, INK)
    if hidden:
        write(out, f"{hidden} types are not shown", x, y + step, LETTERS, INK)


def _bars(out: np.ndarray, scores: np.ndarray, colour: Colour, left: int, base: int) -> None:
    """Draw how many of ``scores`` lie in each of BINS parts of [0, 1]; the highest bar has all the room."""
    counts = np.histogram(scores, BINS, (0, 1))[0]
    edges = (left + np.arange(BINS + 1) * WIDE / BINS).round().astype(int)
    for place in range(0, 11):
        out[base - HIGH:base, left + WIDE * place // 10] = GRID
    for number, count in enumerate(counts.tolist()):
        if count:
            high = max(LEAST_BAR, round(count / counts.max() * HIGH))
            out[base - high:base, edges[number] + 1:edges[number + 1]] = colour
    out[base, left:left + WIDE + 1] = LINE
    text = f"{counts.max()}"
    write(out, text, left - 6 - text_width(text, LETTERS), base - HIGH + LETTERS - 4, LETTERS, INK)


def _thresholds(out: np.ndarray, thresholds: Sequence[float], left: int, top: int, bottom: int) -> None:
    """Draw the thresholds through all bars, and write each where there is room beside the last."""
    free = 0
    for threshold in [each for each in thresholds if 0 <= each <= 1]:
        x = left + round(threshold * WIDE)
        for y in range(top - 4, bottom, 8):
            cv2.line(out, (x, y), (x, min(y + 4, bottom)), INK, 1)
        text = f"{threshold:.4g}"
        start = max(x - text_width(text, LETTERS) // 2, free)
        write(out, text, start, top - 10, LETTERS, INK)
        free = start + text_width(text, LETTERS) + 10
