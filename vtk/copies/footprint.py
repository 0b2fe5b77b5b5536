"""A video as copies are looked for in it: the vectors of some of its frames, and when these are shown."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vtk.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class Footprint:
    """The described frames of a source.

    Attributes:
        source: its name, as users and records state it.
        frames: (N,) int64, indices in the original stream, ascending.
        times: (N,) float64, seconds from the first frame, ascending.
        vectors: (N, D) float32 of unit length, or zeros where a frame shows nothing.
        weights: (N,) float32 in [0, 1]: 1, less for what stands still, 0 for what shows nothing.
        duration: seconds from the first frame to the end of the last one.
        fps: average frames a second; None for images.
        width, height: pixels of the displayed frame.
        space: of the vectors, ``model@hash``.
        fingerprint: of the file; None for streams.
        plan: by which the frames were chosen, as ``str(FramePlan)``; None where that is not known.
    """

    source: str
    frames: np.ndarray
    times: np.ndarray
    vectors: np.ndarray
    weights: np.ndarray
    duration: float
    fps: float | None
    width: int
    height: int
    space: str
    fingerprint: str | None = None
    plan: str | None = None

    def __post_init__(self) -> None:
        shapes = {"frames": (self.frames, "int64"), "times": (self.times, "float64"),
                  "weights": (self.weights, "float32")}  # fmt: skip
        if self.vectors.ndim != 2 or self.vectors.dtype != np.float32:
            raise ValueError(f"vectors: got {self.vectors.shape} {self.vectors.dtype}, expected (N, D) float32")
        for name, (array, kind) in shapes.items():
            if array.shape != (len(self),) or array.dtype != kind:
                raise ValueError(f"{name}: got {array.shape} {array.dtype}, expected ({len(self)},) {kind}")
        if (np.diff(self.frames) <= 0).any() or (np.diff(self.times) < 0).any():
            raise ValueError("frames and times: got some that do not ascend")
        if not ((self.weights >= 0) & (self.weights <= 1)).all():
            raise ValueError(f"weights: got {self.weights.min()} to {self.weights.max()}, expected [0, 1]")
        if not (np.isfinite(self.times).all() and math.isfinite(self.duration) and self.duration >= 0):
            raise ValueError(f"duration and times: got {self.duration} and {self.times}, expected finite seconds")

    def __len__(self) -> int:
        return len(self.vectors)


@dataclass(frozen=True, slots=True)
class FramePlan:
    """Which frames of a source are described.

    ``uniform`` takes ``rate`` frames a second, and at least ``LEAST`` of a source. ``adaptive`` takes what changed:
    one of each shot at least and two a second at most; what stands still and what shows nothing once.
    """

    kind: Literal["uniform", "adaptive"] = "uniform"
    rate: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in ("uniform", "adaptive"):
            raise ValueError(f"kind: got {self.kind!r}, expected uniform or adaptive")
        if not 0 < self.rate < math.inf:
            raise ValueError(f"rate: got {self.rate}, expected frames a second above 0")

    @classmethod
    def parse(cls, text: str) -> FramePlan:
        """Return the plan that ``uniform``, ``uniform:RATE`` or ``adaptive`` stands for.

        Raises:
            UsageError: it is something else.
        """
        if text == "adaptive":
            return cls("adaptive")
        found = re.fullmatch(r"uniform(?::(\d+(?:\.\d+)?(?:e-?\d+)?|\.\d+))?", text)
        if not found or float(found[1] or 1) <= 0:
            raise UsageError(f"--frames {text}: uniform:RATE, frames a second above 0, or adaptive is needed")
        return cls("uniform", float(found[1] or 1))

    def __str__(self) -> str:
        return f"uniform:{self.rate:g}" if self.kind == "uniform" else "adaptive"


@dataclass(frozen=True, slots=True)
class Query:
    """A source as it is looked for: what is seen of its frames in several ways.

    Attributes:
        whole: of its frames.
        crops: of parts of them; the same frames, times and weights.
        mirrored: of its frames mirrored left to right; None where that is not looked for.
    """

    whole: Footprint
    crops: tuple[Footprint, ...] = ()
    mirrored: Footprint | None = None

    def __post_init__(self) -> None:
        for other in (*self.crops, *([self.mirrored] if self.mirrored is not None else [])):
            if other.space != self.whole.space or not np.array_equal(other.frames, self.whole.frames):
                raise ValueError(f"{other.source}: got views of {len(other)} frames by {other.space}, expected the "
                                 f"{len(self.whole)} of the whole by {self.whole.space}")
