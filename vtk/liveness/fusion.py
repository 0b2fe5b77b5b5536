"""The scores of one face over time, made into one: a trimmed mean of log-odds over its good frames."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.liveness.quality import REASONS

TRIM = 0.1
# Odds of 10,000 to one, either way. Scores are written with four decimals, so that beyond it they could not be read
# back; and a frame that is surer than that must not weigh more than the ones that are merely sure.
MOST = math.log(1e4)

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Fused:
    """What is known of a face after all frames of it.

    Attributes:
        score: probability in [0, 1] that it is live.
        used: frames whose scores count: the good ones; 0 where there are none, and then ``score`` is of all frames.
        observations: frames in which it was seen.
        best_frame, best_xyxy, best_t: the largest of its good faces, of all where none is good: index of the frame,
            box in pixels, seconds. The earliest of equally large ones.
        reasons: why it cannot be judged; empty where any frame is good.
    """

    score: float
    used: int
    observations: int
    best_frame: int
    best_xyxy: Box
    reasons: tuple[str, ...]
    best_t: float


class Fusion:
    """The frames of one face; in which order they are added makes no difference. Takes four bytes a frame."""

    def __init__(self) -> None:
        self._good, self._bad = array("f"), array("f")
        self._against: Counter[str] = Counter()
        self._observations = 0
        self._best: tuple[bool, float, int, float, Box] | None = None

    def __len__(self) -> int:
        """Return the number of frames added."""
        return self._observations

    def add(self, score: float, reasons: Sequence[str], frame: int, t: float, xyxy: Sequence[float]) -> None:
        """Take a frame.

        Args:
            score: probability in [0, 1] that the face is live.
            reasons: what speaks against judging it there; none makes it a good frame.
            frame, t: index and seconds of the frame.
            xyxy: the face's box, [x1, y1, x2, y2] in pixels.

        Raises:
            ValueError: the score is no probability.
        """
        if not 0 <= score <= 1:
            raise ValueError(f"expected a score in [0, 1], got {score}")
        (self._bad if reasons else self._good).append(log_odds(score))
        self._against.update(set(reasons))
        self._observations += 1
        x1, y1, x2, y2 = map(float, xyxy)
        seen = (not reasons, (x2 - x1) * (y2 - y1), frame, float(t), (x1, y1, x2, y2))
        if self._best is None or _rank(seen) > _rank(self._best):
            self._best = seen
        if self._good and self._bad:
            self._bad = array("f")  # never counts again

    def fused(self, scale: float = 1.0) -> Fused:
        """Return what all frames together say.

        Args:
            scale: of a calibration; see ``scaled``.

        Raises:
            ValueError: no frame was added.
        """
        if self._best is None:
            raise ValueError("expected at least one frame, got none")
        mean = trimmed_mean(np.frombuffer(self._good or self._bad, np.float32))
        _, _, frame, t, box = self._best
        return Fused(scaled(1 / (1 + math.exp(-mean)), scale), len(self._good), self._observations, frame, box,
                     () if self._good else self._most_frequent(), t)

    def _most_frequent(self) -> tuple[str, ...]:
        """Return the reasons that are at least half as frequent as the most frequent one, in their fixed order."""
        most = max(self._against.values())
        known = {reason: place for place, reason in enumerate(REASONS)}
        return tuple(sorted((reason for reason, count in self._against.items() if 2 * count >= most),
                            key=lambda reason: (known.get(reason, len(known)), reason)))


def scaled(score: float, scale: float) -> float:
    """Return the probability whose log-odds are ``scale`` times those of ``score``; ``score`` itself for 1.

    Frames of one face err together, and calibration says by how much their mean is too sure. It saw scores of four
    decimals, as records have them, and near 0 and 1 these are far apart as log-odds: so they are rounded first.
    """
    return score if scale == 1 else 1 / (1 + math.exp(-scale * log_odds(round(score, 4))))


def log_odds(score: float) -> float:
    """Return the log-odds of a probability in [0, 1], between those of 10,000 to one against and for."""
    if score <= 0 or score >= 1:
        return MOST if score >= 1 else -MOST
    return max(-MOST, min(MOST, math.log(score) - math.log1p(-score)))


def trimmed_mean(values: np.ndarray, trim: float = TRIM) -> float:
    """Return the mean of numbers without the share ``trim`` of them at either end, rounded down to whole numbers.

    Args:
        values: (N,) of any order, N >= 1.

    Source: Tukey, "The future of data analysis", 1962. A tenth lets nine bad frames in a hundred say what they will,
    and costs next to nothing where all are good.
    """
    ordered = np.sort(np.asarray(values, np.float64))
    cut = int(trim * len(ordered))
    return float(ordered[cut:len(ordered) - cut].mean())


def _rank(seen: tuple[bool, float, int, float, Box]) -> tuple[bool, float, int, Box]:
    """Return what makes one view of a face better than another: good, large, early."""
    good, area, frame, _, box = seen
    return good, area, -frame, box
