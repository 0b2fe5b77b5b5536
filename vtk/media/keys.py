"""Key frames alone: which packets of a stream have to be decoded for them, and where each frame stands in it."""

from __future__ import annotations

import bisect
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from av.video.frame import PictureType

from vtk.media.decoding import NEW_CLOCK, Decoding, is_hidden
from vtk.media.spacing import Spacing
from vtk.media.timeline import REORDERED

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
    """

    packet: Any
    stamp: int
    t: float
    place: int | None


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

    Attributes:
        decoded: frames decoded so far.
        packets: packets of frames met so far.
        ended: whether the file was read to its end.
    """

    def __init__(self, source: Decoding, origin: int, spacing: Spacing) -> None:
        self._source, self._origin, self._spacing = source, origin, spacing
        self._tick = float(source.stream.time_base)
        self.decoded, self.ended = 0, False
        self._places = Places()
        self._lost = 0  # key frames that never came out
        self._fed: dict[int, Place] = {}  # by timestamp: what went into the decoder and has not come out

    @property
    def packets(self) -> int:
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
            elif item.packet.is_keyframe:
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
            UnmarkedError: timestamps are missing, name two frames or run back; no key frame comes first.
        """
        ahead, keyed = deque[tuple[Any, int, bool]](), False
        for packet in packets:
            if packet is None or not packet.size:
                while ahead:
                    yield self._place(*ahead.popleft())
                yield None
                continue
            keyed |= packet.is_keyframe
            stamp = self._source.stamp_of(packet)
            if stamp is None or (packet.pts is None and not self._source.indexed):
                raise UnmarkedError  # the second field of a frame has none
            shown = stamp >= self._origin and not packet.is_discard and not is_hidden(packet, self._source.stream)
            if shown and not (keyed and self._places.add(stamp, NEW_CLOCK / self._tick)):
                raise UnmarkedError
            ahead.append((packet, stamp, shown))
            if len(ahead) > REORDERED:
                yield self._place(*ahead.popleft())
        self.ended = True

    def _place(self, packet: Any, stamp: int, shown: bool) -> Placed:
        # max: the reader's times never run back below frame 0 either.
        return Placed(packet, stamp, max(0.0, (stamp - self._origin) * self._tick),
                      self._places.of(stamp) if shown else None)


class Places:
    """Ranks timestamps as they come in storage order, remembering the latest ones alone."""

    def __init__(self) -> None:
        self._recent: list[int] = []  # sorted
        self._passed = 0
        self._floor = -math.inf

    def add(self, stamp: int, back: float) -> bool:
        """Count a timestamp; return False where it was there before, or runs back by more than ``back`` ticks."""
        at = bisect.bisect_left(self._recent, stamp)
        known = at < len(self._recent) and self._recent[at] == stamp
        if known or stamp <= self._floor or (self._recent and self._recent[-1] - stamp > back):
            return False
        self._recent.insert(at, stamp)
        if len(self._recent) > 3 * REORDERED:  # those that are asked for, and as many on either side
            self._floor = self._recent.pop(0)
            self._passed += 1
        return True

    @property
    def count(self) -> int:
        """How many timestamps there were."""
        return self._passed + len(self._recent)

    def of(self, stamp: int) -> int:
        """Return how many timestamps lie before ``stamp``, one of the latest."""
        return self._passed + bisect.bisect_left(self._recent, stamp)


def is_refreshing(packet: Any, stream: Any) -> bool:
    """Return whether a key frame makes the decoder forget what came before: not an H.264 one without IDR (type 5).

    To one without, the frames left out are a loss, which the decoder fills in. Other codecs number no frames.

    Source: ITU-T H.264 §7.4.1 (types of NAL units), §8.2.5.2 (gaps in frame_num), Annex B; ISO/IEC 14496-15 §5.3.
    """
    if stream.codec.canonical_name != "h264":
        return True
    data, extra = bytes(packet), stream.codec_context.extradata or b""
    if extra[:1] != b"\x01":
        return any(unit[:1] and unit[0] & 31 == 5 for unit in data.split(b"\0\0\1")[1:])
    width, at = (extra[4] & 3) + 1, 0
    while at + width < len(data):
        if data[at + width] & 31 == 5:
            return True
        at += width + int.from_bytes(data[at:at + width], "big")
    return False


def longest_gap(keys: list[int], first: int, last: int) -> int | None:
    """Return the longest time between two key frames, or between them and either end, in ticks; None without any.

    Args:
        keys: timestamps of key frames, increasing.
        first, last: timestamps of the first and the last frame.
    """
    if not keys:
        return None
    marks = [min(first, keys[0]), *keys, max(last, keys[-1])]
    return max(after - before for before, after in zip(marks, marks[1:]))


def declared_keys(stream: Any) -> tuple[list[int], int, int] | None:
    """Return timestamps of the key frames, of the first frame and of the last, by the container's index.

    None where the index does not hold every frame, as in MPEG-TS, Matroska and fragmented MP4. MP4's index has times
    of decoding: gaps between key frames are the same by them but for reordering.
    """
    entries = list(stream.index_entries)
    if not stream.frames or len(entries) != stream.frames:
        return None
    keys = [entry.timestamp for entry in entries if entry.is_keyframe]
    return keys, entries[0].timestamp, entries[-1].timestamp

