"""A video as copies are looked for in it: the vectors of some of its frames, and when these are shown.

    footprint = footprint_of("film.mp4", load_descriptor(), FramePlan.parse("uniform:1"))

Frames are read, described and let go in lots: memory is that of a lot and of the vectors, however long the video.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

import numpy as np

from vtk.copies.descriptors import Descriptor
from vtk.copies.looks import LOOK, Picker, differences
from vtk.copies.looks import STILL as SAME
from vtk.driver.chain import Opening
from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.sampling import NATIVE, Sampling, Size
from vtk.media.video import Reader, open_media

Choose = Callable[[int, float], bool]
Pick = Callable[[Reader, Callable[[Choose], Choose]], Iterator[Decoded]]

LEAST = 16  # frames of a source by a uniform plan, however short it is
# Frames that are described at once: as pictures of 1080 lines they take 100 MB.
LOT = 16
TALLEST = 1080  # pixels of the short side: of more, descriptors see nothing, and lots of them fill the memory
# Weights: of a frame that shows what the one before it showed, and of one that shows nothing.
STILL, BLANK = 0.5, 0.0


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
        found = re.fullmatch(r"uniform(?::(\d+(?:\.\d+)?|\.\d+))?", text)
        if not found or float(found[1] or 1) <= 0:
            raise UsageError(f"--frames {text}: uniform:RATE, frames a second above 0, or adaptive is needed")
        return cls("uniform", float(found[1] or 1))

    def __str__(self) -> str:
        return f"uniform:{self.rate:g}" if self.kind == "uniform" else "adaptive"


def footprint_of(source: str, descriptor: Descriptor, plan: FramePlan = FramePlan(), opening: Opening = Opening(),
                 size: Size | None = None) -> Footprint:
    """Return the footprint of a source.

    Args:
        source: a path, a URL, ``seq:FOLDER``; the footprint is called so.
        descriptor: makes the vectors.
        plan: chooses the frames.
        opening: how the source is opened.
        size: of the frames that are described; None is their own, with a short side of ``TALLEST`` at most.

    Raises:
        MediaError: it cannot be opened, or not one frame can be decoded.
    """
    reading = _Reading(descriptor, opening, size)
    parts = reading.of(source, _uniform(plan.rate) if plan.kind == "uniform" else _adaptive)
    taken = sum(len(part[0]) for part in parts)
    if plan.kind == "uniform" and taken < min(LEAST, reading.count) and reading.info.kind != "stream":
        # The container does not say how long it is, or lies, or its frames lie unevenly.
        places = np.linspace(0, reading.count - 1, min(LEAST, reading.count)).round().astype(int)
        parts = reading.of(source, _placed(frozenset(places.tolist())))
    if not parts:
        raise MediaError("no frame could be decoded", code="E_DECODE")
    frames, times, vectors, weights = (np.concatenate(column) for column in zip(*parts, strict=True))
    if plan.kind == "adaptive":
        # Only while the picture stands still is no frame taken for so long.
        gaps = np.diff(times, append=reading.end)
        weights = np.where(gaps > Picker.LONGEST * 1.5, np.float32(STILL), np.float32(1))
    weights = np.where(vectors.any(axis=1), weights, np.float32(BLANK))
    info = reading.info
    return Footprint(source, frames, times, vectors, weights, reading.end, info.fps, info.width, info.height,
                     descriptor.space, info.fingerprint, str(plan))


class _Reading:
    """One source being read.

    Attributes:
        info: what is known of it.
        count: frames that were decoded.
        end: seconds from the first frame to the end of the last one.
    """

    info: MediaInfo
    count: int
    end: float

    def __init__(self, descriptor: Descriptor, opening: Opening, size: Size | None) -> None:
        self._descriptor, self._opening, self._size = descriptor, opening, size

    def of(self, source: str, pick: Pick) -> list[tuple[np.ndarray, ...]]:
        """Return frames, times, vectors and weights of the frames that ``pick`` yields, lot by lot."""
        how = self._opening
        parts: list[tuple[np.ndarray, ...]] = []
        before: list[np.ndarray] = []
        with closing(open_media(source, how.decoder, how.threads, how.timeout, how.root, how.framerate)) as reader:
            self.info, self.count, last = reader.info, 0, 0.0
            size = self._size or (Size("short", TALLEST) if min(reader.info.width, reader.info.height) > TALLEST
                                  else NATIVE)

            def counted(choose: Choose) -> Choose:
                def chosen(index: int, t: float) -> bool:
                    nonlocal last
                    self.count, last = self.count + 1, t
                    return choose(index, t)

                return chosen

            picked = pick(reader, counted)
            while lot := list(islice(picked, LOT)):
                looks = [frame.image(LOOK) for frame in lot]
                parts.append(self._described(lot, [frame.image(size) for frame in lot], [*before, *looks]))
                before = looks[-1:]
        rate = self.info.fps or ((self.count - 1) / last if last else 0.0)
        self.end = last + (1 / rate if rate else 0.0)
        return parts

    def _described(self, lot: list[Decoded], images: list[np.ndarray],
                   looks: list[np.ndarray]) -> tuple[np.ndarray, ...]:
        """Return what is known of a lot; ``looks`` begin with the one before it, where there is one."""
        weights = np.ones(len(lot), np.float32)
        still = differences(looks) <= SAME
        weights[len(lot) - len(still):][still] = STILL
        return (np.array([frame.index for frame in lot], np.int64), np.array([frame.t for frame in lot], np.float64),
                self._descriptor.describe(images), weights)


def _uniform(rate: float) -> Pick:
    def pick(reader: Reader, counted: Callable[[Choose], Choose]) -> Iterator[Decoded]:
        known = reader.info.duration
        pace = max(rate, LEAST / known) if known else rate
        return reader.frames([LOOK], counted(Sampling(mode="fps", fps=pace).chooser()))

    return pick


def _adaptive(reader: Reader, counted: Callable[[Choose], Choose]) -> Iterator[Decoded]:
    picker = Picker()
    for frame in reader.frames([LOOK], counted(picker.looks)):
        if picker.takes(frame.t, frame.image(LOOK)):
            yield frame


def _placed(places: frozenset[int]) -> Pick:
    """Pick frames by their number among those that can be decoded."""

    def pick(reader: Reader, counted: Callable[[Choose], Choose]) -> Iterator[Decoded]:
        numbers = count()
        return reader.frames([LOOK], counted(lambda index, t: next(numbers) in places))

    return pick
