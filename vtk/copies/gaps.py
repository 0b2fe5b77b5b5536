"""A source read by its key frames, and between them where that is asked for.

    gaps = Gaps.read("film.mp4", load_descriptor())
    gaps.decode([3, 4])  # what lies between the fourth key frame and the sixth
    gaps.between()  # a footprint for each stretch that was decoded, a frame a second
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import groupby

import numpy as np

from vtk.copies.collecting import Collector, Views
from vtk.copies.descriptors import Descriptor
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.looks import LOOK
from vtk.driver.chain import Opening
from vtk.errors import MediaError
from vtk.media.info import MediaInfo
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import Reader, open_media

Span = tuple[float | None, float | None]  # first and last second; None is open
# Seconds between key frames at least; what a uniform plan takes.
CLOSEST = 1.0
# Seconds between them at most: encoders' own 250 or 300 frames are less. Where there are more, all is decoded there.
FURTHEST = 15.0
# Of what is described, the short side in pixels at most: twice what networks take. From 720 lines on, a frame takes
# two thirds of the time.
SIZE = 448
LEAST = 16  # key frames; with fewer there is little to save


class Gaps:
    """What is known of a source: its key frames, and the frames between some of them.

    Gap ``n`` lies between key frame ``n - 1`` and key frame ``n``; the first one before all key frames, the last one
    behind them.

    Attributes:
        keys: the key frames, described.
        edges: (G + 1,) float64, seconds at which gaps begin and end.
        decoded: how many frames the decoder gave.
        damage: what was wrong with frames that it could not give.
    """

    def __init__(self, source: str, descriptor: Descriptor, opening: Opening, views: Views, keys: Query,
                 info: MediaInfo, decoded: int, span: Span = (None, None)) -> None:
        """Begin with the key frames; see ``read``."""
        self._source, self._descriptor, self._opening, self._views = source, descriptor, opening, views
        self.keys, self._info, self.decoded = keys, info, decoded
        times = keys.whole.times
        last = max(keys.whole.duration + 1.0 if span[1] is None else span[1], float(times[-1]))
        self.edges = np.concatenate([[min(span[0] or 0.0, float(times[0]))], times, [last]])
        self.known = np.diff(self.edges) <= 0  # by gap: whether there is nothing in it that is not known
        self._parts: list[Query] = []
        self.damage: list[MediaError] = []

    @classmethod
    def read(cls, source: str, descriptor: Descriptor, opening: Opening = Opening(),
             views: Views = Views(), span: Span = (None, None)) -> Gaps | None:
        """Return a source by its key frames; None where they are not known, or fewer than ``LEAST``.

        Args:
            source: a path; a URL has no key frames that are known beforehand.
            descriptor: makes the vectors.
            opening: how the source is opened.
            views: what of each frame is described.
            span: that is read.

        Raises:
            MediaError: it cannot be opened, or not one frame can be decoded.
        """
        with closing(_opened(source, opening)) as reader:
            spacing, info = reader.key_spacing(), reader.info
            if spacing is None or (info.duration or 0.0) < LEAST * CLOSEST:
                return None
            collector = Collector(descriptor, FramePlan(), info, views, _size(info))
            for frame in reader.key_frames([LOOK], *span, closest=CLOSEST, furthest=FURTHEST):
                collector.wants(frame.index, frame.t)
                collector.take(frame.index, frame.t, frame.image)
                last = frame.t
            if collector.taken < LEAST:
                return None
            keys = collector.footprints(source)
            found = cls(source, descriptor, opening, views, lasting(keys, max(last, info.duration or 0.0)), info,
                        reader.decoded, span)
            found.damage += reader.errors
            return found

    def around(self, start: float, end: float) -> range:
        """Return the numbers of the gaps that a span of seconds touches."""
        count = len(self.edges) - 1
        first = int(np.clip(np.searchsorted(self.edges, start, side="right") - 1, 0, count - 1))
        last = int(np.clip(np.searchsorted(self.edges, end, side="left") - 1, first, count - 1))
        return range(first, last + 1)

    def decode(self, wanted: Iterable[int]) -> bool:
        """Decode gaps, a frame a second of them; return whether any of them was not known."""
        new = sorted(number for number in set(wanted) if not self.known[number])
        if not new:
            return False
        self.known[new] = True
        # Without a duration the pace is the plan's own, whatever the source's length.
        collector = Collector(self._descriptor, FramePlan(), replace(self._info, duration=None), self._views,
                              _size(self._info))  # fmt: skip
        with closing(_opened(self._source, self._opening)) as reader:
            before = reader.decoded
            for first, last in _stretches(new):
                # From the next whole second on: what is taken is what a frame a second of the whole source takes.
                start, end = math.ceil(self.edges[first] - 1e-6), float(self.edges[last + 1])
                for frame in reader.frames([LOOK], collector.wants, start, end) if start < end else ():
                    collector.take(frame.index, frame.t, frame.image)
            self.decoded += reader.decoded - before
            self.damage += reader.errors
        if collector.taken:
            self._parts.append(lasting(collector.footprints(self._source), self.keys.whole.duration))
        return True

    def all(self) -> Query:
        """Return all frames that were described."""
        return joined([self.keys, *self._parts])

    def between(self) -> Iterator[tuple[tuple[int, int], Query]]:
        """Yield the first and the last gap of each stretch that was decoded, and its frames, a second apart."""
        if not self._parts:
            return
        frames = joined(self._parts)
        for first, last in _stretches(np.flatnonzero(self.known).tolist()):
            times = frames.whole.times
            own = (times >= self.edges[first] - 1e-6) & (times < self.edges[last + 1] - 1e-6)
            if own.any():
                yield (first, last), picked(frames, own)


def joined(queries: Sequence[Query]) -> Query:
    """Return the frames of several queries of one source as one, each frame once."""
    frames = np.concatenate([query.whole.frames for query in queries])
    kept = np.unique(frames, return_index=True)[1]

    def one(parts: Sequence[Footprint]) -> Footprint:
        times, vectors, weights = (np.concatenate([getattr(part, name) for part in parts])[kept]
                                   for name in ("times", "vectors", "weights"))
        return replace(parts[0], frames=frames[kept], times=times, vectors=vectors, weights=weights)

    mirrored = [query.mirrored for query in queries if query.mirrored is not None]
    crops = zip(*(query.crops for query in queries), strict=True)
    return Query(one([query.whole for query in queries]), tuple(map(one, crops)), one(mirrored) if mirrored else None)


def picked(query: Query, own: np.ndarray) -> Query:
    """Return the frames of a query of which ``own``, (N,) bool, is true."""
    return _each(query, lambda part: replace(part, frames=part.frames[own], times=part.times[own],
                                             vectors=part.vectors[own], weights=part.weights[own]))


def lasting(query: Query, seconds: float) -> Query:
    """Return a query of which it is said that its source lasts ``seconds``, by frames that some other plan chose."""
    return _each(query, lambda part: replace(part, duration=seconds, plan=None))


def _each(query: Query, change: Callable[[Footprint], Footprint]) -> Query:
    return Query(change(query.whole), tuple(map(change, query.crops)),
                 change(query.mirrored) if query.mirrored is not None else None)


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and the last of each stretch of ascending numbers without a hole."""
    for _, stretch in groupby(enumerate(numbers), lambda each: each[1] - each[0]):
        own = [number for _, number in stretch]
        yield own[0], own[-1]


def _size(info: MediaInfo) -> Size:
    return Size("short", SIZE) if min(info.width, info.height) > SIZE else NATIVE


def _opened(source: str, how: Opening) -> Reader:
    return open_media(source, how.decoder, how.threads, how.timeout, how.root, how.framerate)
