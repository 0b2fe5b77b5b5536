"""Frames of a source described as they come, by a plan.

    footprint = footprint_of("film.mp4", load_descriptor(), FramePlan.parse("uniform:1"))

Frames are read, described and let go in lots: memory is that of a lot and of the vectors, however long the video.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np

from vtk.copies.crops import cut
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.looks import LOOK, Picker, differences
from vtk.copies.looks import STILL as SAME
from vtk.driver.chain import Opening
from vtk.errors import MediaError
from vtk.media.info import MediaInfo
from vtk.media.sampling import NATIVE, Sampling, Size
from vtk.media.video import open_media

Picture = Callable[[Size], np.ndarray]

LEAST = 16  # frames of a source by a uniform plan, however short it is
LOT = 16  # frames that are described at once
# Pixels of the short side: twice what networks take, so that a quadrant has enough. Vectors of 720 and 1080 lines are
# those of the whole frame, by cosines of 0.998 and more, and take a third less time.
TALLEST = 448
# Weights: of a frame that shows what the one before it showed, and of one that shows nothing.
STILL, BLANK = 0.5, 0.0


@dataclass(frozen=True, slots=True)
class Views:
    """What of each frame is described besides the whole.

    Attributes:
        crops: names in ``vtk.copies.crops``, without the whole.
        mirrored: whether the mirrored frame is.
    """

    crops: tuple[str, ...] = ()
    mirrored: bool = False

    @property
    def count(self) -> int:
        """How many vectors a frame has."""
        return 1 + len(self.crops) + self.mirrored


class Collector:
    """The described frames of one source: ask ``wants`` of each frame in order, and give ``take`` those it wants."""

    def __init__(self, descriptor: Descriptor, plan: FramePlan, info: MediaInfo, views: Views = Views(),
                 size: Size | None = None, span: tuple[float, float] | None = None,
                 places: frozenset[int] | None = None) -> None:
        """Begin a source.

        Args:
            descriptor: makes the vectors.
            plan: chooses the frames.
            info: what is known of the source.
            views: what of each frame is described.
            size: of the frames that are described; None: their own, with a short side of ``TALLEST`` at most.
            span: seconds that will come; None: all of the source.
            places: numbers of the frames to take among those that come, in place of what the plan chooses.
        """
        self._descriptor, self._plan, self._info, self._views = descriptor, plan, info, views
        tall = min(info.width, info.height) > TALLEST
        self._size = size or (Size("short", TALLEST) if tall else NATIVE)
        self._places, self._count, self._last = places, 0, 0.0
        self._picker = Picker() if plan.kind == "adaptive" and places is None else None
        first, last = span or (0.0, info.duration or 0.0)
        pace = max(plan.rate, LEAST / (last - first)) if last > first else plan.rate
        self._chooser = self._picker.looks if self._picker is not None else Sampling("fps", fps=pace).chooser()
        self._lot: list[tuple[int, float, np.ndarray, np.ndarray]] = []
        self._before: list[np.ndarray] = []
        self._parts: list[tuple[np.ndarray, ...]] = []

    @property
    def taken(self) -> int:
        """How many frames were described or wait to be."""
        return sum(len(part[0]) for part in self._parts) + len(self._lot)

    @property
    def missing(self) -> frozenset[int] | None:
        """The places of the frames that a uniform plan should have taken, where there were too few; None: all is well.

        The container did not say how long it is, or lied, or its frames lie unevenly.
        """
        wanted = min(LEAST, self._count)
        if self._places is not None or self._plan.kind != "uniform" or self.taken >= wanted \
                or self._info.kind == "stream":  # fmt: skip
            return None
        return frozenset(np.linspace(0, self._count - 1, wanted).round().astype(int).tolist())

    def wants(self, index: int, t: float) -> bool:
        """Return whether the frame ``index`` at ``t`` seconds is wanted."""
        self._count, self._last = self._count + 1, t
        return self._count - 1 in self._places if self._places is not None else self._chooser(index, t)

    def take(self, index: int, t: float, picture: Picture) -> None:
        """Take a frame that was wanted; ``picture`` gives (H, W, 3) uint8 RGB in a size."""
        look = picture(LOOK)
        if self._picker is not None and not self._picker.takes(t, look):
            return
        self._lot.append((index, t, look, picture(self._size)))
        if len(self._lot) == LOT:
            self._describe()

    def footprints(self, source: str) -> Query:
        """Return the footprints, after the last frame.

        Raises:
            MediaError: no frame was taken.
        """
        if self._lot:
            self._describe()
        if not self._parts:
            raise MediaError("no frame could be decoded", code="E_DECODE")
        frames, times, vectors, weights = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        info = self._info
        rate = info.fps or ((self._count - 1) / self._last if self._last else 0.0)
        end = self._last + (1 / rate if rate else 0.0)
        if self._picker is not None:
            # Only while the picture stands still is no frame taken for so long.
            gaps = np.diff(times, append=end)
            weights = np.where(gaps > Picker.LONGEST * 1.5, np.float32(STILL), np.float32(1))
        weights = np.where(vectors[:, 0].any(axis=1), weights, np.float32(BLANK))
        whole = Footprint(source, frames, times, np.ascontiguousarray(vectors[:, 0]), weights, end, info.fps,
                          info.width, info.height, self._descriptor.space, info.fingerprint, str(self._plan))
        others = [replace(whole, vectors=np.ascontiguousarray(vectors[:, view])) for view in range(1, self._views.count)]
        crops = len(self._views.crops)
        return Query(whole, tuple(others[:crops]), others[crops] if self._views.mirrored else None)

    def _describe(self) -> None:
        """Describe the lot and let its pictures go."""
        indices, times, looks, images = zip(*self._lot, strict=True)
        weights = np.ones(len(images), np.float32)
        still = differences([*self._before, *looks]) <= SAME
        weights[len(images) - len(still):][still] = STILL
        seen = [list(images), *([cut(image, name) for image in images] for name in self._views.crops)]
        if self._views.mirrored:
            seen.append([np.ascontiguousarray(image[:, ::-1]) for image in images])
        vectors = np.stack([self._descriptor.describe(each) for each in seen], axis=1)
        self._parts.append((np.array(indices, np.int64), np.array(times, np.float64), vectors, weights))
        self._before, self._lot = list(looks[-1:]), []


def query_of(source: str, descriptor: Descriptor, plan: FramePlan = FramePlan(), opening: Opening = Opening(),
             views: Views = Views(), size: Size | None = None, span: tuple[float | None, float | None] = (None, None),
             places: frozenset[int] | None = None, damage: list[MediaError] | None = None) -> Query:
    """Return the footprints of a source.

    Args:
        source: a path, a URL, ``seq:FOLDER``; the footprints are called so.
        descriptor: makes the vectors.
        plan: chooses the frames.
        opening: how the source is opened.
        views, size, places: see ``Collector``.
        span: first and last second to read; None is open.
        damage: is given what was wrong with frames that could not be decoded.

    Raises:
        MediaError: it cannot be opened, or not one frame can be decoded.
    """
    how = opening
    with closing(open_media(source, how.decoder, how.threads, how.timeout, how.root, how.framerate)) as reader:
        known = reader.info.duration
        seconds = (span[0] or 0.0, span[1] if span[1] is not None else known) if known or span[1] is not None else None
        collector = Collector(descriptor, plan, reader.info, views, size, seconds, places)  # type: ignore[arg-type]
        for frame in reader.frames([LOOK], collector.wants, *span):
            collector.take(frame.index, frame.t, frame.image)
        lost = list(reader.errors)
    again = collector.missing
    if again:
        return query_of(source, descriptor, plan, opening, views, size, span, again, damage)
    if damage is not None:
        damage += lost
    return collector.footprints(source)


def footprint_of(source: str, descriptor: Descriptor, plan: FramePlan = FramePlan(), opening: Opening = Opening(),
                 size: Size | None = None, damage: list[MediaError] | None = None) -> Footprint:
    """Return the footprint of the whole frames of a source; see ``query_of``."""
    return query_of(source, descriptor, plan, opening, size=size, damage=damage).whole
