"""Key frames alone: which packets of a stream have to be decoded for them, and where each frame stands in it."""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from av.video.frame import PictureType

from vtk.media.decoding import NEW_CLOCK, Decoding, is_hidden
from vtk.media.marks import Places, declared_keys, is_refreshing
from vtk.media.spacing import Spacing
from vtk.media.timeline import REORDERED

HOLE = 1.5  # intervals: frames may be missing where so many, by the average rate, lie between two
HELD_MOST = 2_000  # packets, so that a group without end is not held in memory
PREDICTED = frozenset((PictureType.P, PictureType.B, PictureType.S, PictureType.SP))  # they build on other frames


class UnmarkedError(Exception):
    """The packets do not tell which frames are key frames, or at which places frames are shown."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet whose place among the frames is known.

    Attributes:
        packet: PyAV's.
        stamp: when its frame is shown, in ticks.
        t: the same in seconds from frame 0.
        place: index of its frame; None where it is never shown.
        key: whether it is marked as a key frame.
    """

    packet: Any
    stamp: int
    t: float
    place: int | None
    key: bool


@dataclass(frozen=True, slots=True)
class Place:
    """What the packet of a frame said that is being decoded.

    Attributes:
        index: None where it is never shown.
        t: seconds from frame 0.
        key: whether it is a key frame.
        taken: whether the frame is known to be wanted, and decoded for that alone.
    """

    index: int | None
    t: float
    key: bool
    taken: bool


class KeyFrames:
    """Decodes the key frames of a file and, where they lie too far apart, what is between them.

    Packets between key frames are read and never decoded; counting them tells the indices. The decoder's own skip is
    not used: it takes some of the key frames of open groups of pictures for others (H.264 without IDR), and saves
    nothing where the packets do not reach it.

    Args:
        source: the file, which is read from its beginning.
        origin: timestamp of frame 0.
        spacing: which frames are wanted.
        has_holes: whether damage may have taken frames of which nothing else tells; asked once, at the first interval
            that looks so.

    Attributes:
        decoded: frames decoded so far.
        ended: whether the file was read to its end.
    """

    def __init__(self, source: Decoding, origin: int, spacing: Spacing, has_holes: Callable[[], bool]) -> None:
        self._source, self._origin, self._spacing = source, origin, spacing
        self._has_holes: Callable[[], bool] | None = has_holes
        self._tick = float(source.stream.time_base)
        rate = source.stream.average_rate
        self._wide = HOLE / float(rate) / self._tick if rate else 0.0  # ticks
        self.decoded, self.ended = 0, False
        self._places = Places()
        self._lost = 0  # key frames that never came out
        self._fed: dict[int, Place] = {}  # by timestamp: what went into the decoder and has not come out

    @property
    def packets(self) -> int:
        """How many packets of frames were met."""
        return self._places.count

    def frames(self) -> Iterator[tuple[Place, int, Any]]:
        """Yield (place, timestamp, frame) for every frame that is wanted, in order.

        Raises:
            UnmarkedError: as soon as the packets prove not to tell.
        """
        for stamp, frame in self._source.picked(self._picked):
            self.decoded += 1
            place = self._fed.pop(stamp, None)
            if place is None or place.index is None:
                continue  # nothing of ours, or decoded for the sake of what follows
            self._forget(stamp)
            if place.key and frame.pict_type in PREDICTED:
                raise UnmarkedError
            if place.taken or self._spacing.takes(place.t, place.key):
                yield place, stamp, frame
            if self._spacing.ends(place.t):
                return
        self._forget(math.inf)

    def _forget(self, stamp: float) -> None:
        """Forget what was to come out before ``stamp``; the decoding has noted that it is lost."""
        early = [fed for fed in self._fed if fed < stamp]
        self._lost += sum(self._fed.pop(fed).key for fed in early)
        if self._lost > self._source.refused:
            raise UnmarkedError  # it was not damaged: the decoder could not begin there

    def _picked(self, packets: Iterator[Any]) -> Iterator[Any]:
        """Yield the packets to decode; None empties the decoder.

        A key frame's packet is held until it is known whether the next comes soon enough; if not, all from it on
        are yielded. So no more is held than the packets of ``spacing.furthest`` seconds, and HELD_MOST.
        """
        held: list[Placed] = []
        whole = False
        for item in self._placed(packets):
            if item is None:
                yield from self._emptied()
                held, whole = [] if whole else held, False
            elif item.key:
                yield from self._ended(held, whole)
                if self._spacing.ends(item.t):
                    held, whole = [], False
                    break
                held, whole = [item], False
                if math.isinf(self._spacing.furthest):
                    yield from self._ended(held, whole)
                    held = []
            elif whole:
                yield from self._feed(item, held[0])
            elif held:
                held.append(item)
                if self._spacing.is_far(held[0].t, item.t) or len(held) > HELD_MOST:
                    yield from self._emptied()
                    for each in held:
                        yield from self._feed(each, held[0])
                    held, whole = held[:1], True
            elif self._spacing.ends(item.t):
                break
        yield from self._ended(held, whole)
        yield None

    def _ended(self, held: list[Placed], whole: bool) -> Iterator[Any]:
        """Yield the key frame that was held, where it is wanted; after a group that was decoded, empty the decoder."""
        if whole:
            yield from self._emptied()
        elif held and held[0].place is not None and self._spacing.takes(held[0].t, key=True):
            if not is_refreshing(held[0].packet, self._source.stream):
                yield from self._emptied()
            yield from self._feed(held[0], held[0], taken=True)

    def _emptied(self) -> Iterator[None]:
        yield None
        self._source.stream.codec_context.flush_buffers()

    def _feed(self, item: Placed, key: Placed, taken: bool = False) -> Iterator[Any]:
        """Yield a packet, unless its frame comes before the key frame and builds on what was not decoded."""
        if item.stamp >= key.stamp:
            self._fed[item.stamp] = Place(item.place, item.t, item is key, taken)
            yield item.packet

    def _placed(self, packets: Iterator[Any]) -> Iterator[Placed | None]:
        """Yield the packets with their places, each when so many more were read that none shown before it can come.

        None stands where the demuxer has come to an end, from which it may go on, and empty the decoder for that.

        Raises:
            UnmarkedError: timestamps are missing, name two frames or run back; no key frame comes first; frames may
                be missing.
        """
        ahead, keyed = deque[tuple[Any, int, bool, bool]](), False
        self._all = [stamp for stamp in self._source.indexed() if stamp >= self._origin]
        marked = self._doubly_marked()
        for packet in packets:
            if packet is None or not packet.size:
                while ahead:
                    yield self._place(*ahead.popleft())
                yield None
                continue
            key = packet.is_keyframe or packet.dts in marked
            keyed |= key
            stamp = self._source.stamp_of(packet)
            if stamp is None or (packet.pts is None and not self._all):
                raise UnmarkedError  # the second field of a frame has none
            shown = stamp >= self._origin and not packet.is_discard and not is_hidden(packet, self._source.stream)
            if shown and not (keyed and self._places.add(stamp, NEW_CLOCK / self._tick)):
                raise UnmarkedError
            ahead.append((packet, stamp, shown, key))
            if len(ahead) > REORDERED:
                yield self._place(*ahead.popleft())
        self.ended = True

    def _place(self, packet: Any, stamp: int, shown: bool, key: bool) -> Placed:
        place = self._places.of(stamp) if shown else None
        if shown and self._all and bisect.bisect_left(self._all, stamp) != place:
            raise UnmarkedError  # the index knows of frames whose packets were not found
        if key and shown and not self._all:
            self._look_for_holes(stamp)
        # max: the reader's times never run back below frame 0 either.
        return Placed(packet, stamp, max(0.0, (stamp - self._origin) * self._tick), place, key)

    def _look_for_holes(self, stamp: int) -> None:
        """Raise UnmarkedError where frames before ``stamp`` may be missing of which neither packet nor index tells."""
        if self._has_holes is None or self._places.widest(stamp) <= self._wide:
            return
        if self._has_holes():
            raise UnmarkedError
        self._has_holes = None

    def _doubly_marked(self) -> frozenset[int]:
        """Return when packets are decoded that the index marks: FFmpeg takes the mark from damaged ones."""
        known = declared_keys(self._source.stream)
        every = known is None or len(known[0]) == self._source.stream.frames  # an MP4 without marks marks all
        return frozenset() if every else frozenset(known[0])
