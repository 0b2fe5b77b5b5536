"""From scores to verdicts: two thresholds with ``unsure`` between, and reasons that make any face unsure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from vtk.errors import UsageError

Verdict = Literal["live", "spoof", "unsure"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores below ``spoof_below`` are spoofs, from ``live_from`` on live, between them unsure; both in [0, 1].

    Raises:
        UsageError: they are out of range or the wrong way round.
    """

    spoof_below: float
    live_from: float

    def __post_init__(self) -> None:
        if not 0 <= self.spoof_below <= self.live_from <= 1:
            raise UsageError(f"thresholds {self.spoof_below:g},{self.live_from:g}: two scores from 0 to 1 are needed, "
                             "the lower one first: spoof below, live from")

    def verdict(self, score: float, reasons: Sequence[str] = ()) -> Verdict:
        """Return the verdict on a face of ``score``; with ``reasons`` against judging it at all it is unsure."""
        if reasons or self.spoof_below <= score < self.live_from:
            return "unsure"
        return "live" if score >= self.live_from else "spoof"


# Odds of four to one for either answer. Not calibrated on anything: ``vtk calibrate face-antispoof`` does that.
DEFAULT = Thresholds(0.2, 0.8)


def read_thresholds(text: str) -> Thresholds:
    """Return the thresholds in ``LOW,HIGH``.

    Raises:
        UsageError: it is something else.
    """
    parts = text.split(",")
    try:
        low, high = (float(part) for part in parts)
    except ValueError:
        raise UsageError(f"--thresholds {text}: expected LOW,HIGH, two scores from 0 to 1 such as 0.2,0.8") from None
    return Thresholds(low, high)
