"""What packets and the container's index tell of frames that are not decoded: their places, which are key frames."""

from __future__ import annotations

import bisect
import math
from typing import Any

from vtk.media.timeline import REORDERED


class Places:
    """Ranks timestamps as they come in storage order, remembering the latest ones alone."""

    def __init__(self) -> None:
        self._recent: list[int] = []  # sorted
        self._passed = 0
        self._floor = -math.inf
        self._widest = 0.0  # interval between those passed

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
            self._widest = max(self._widest, self._recent[0] - self._floor)
        return True

    def widest(self, stamp: int) -> float:
        """Return the widest interval between neighbours up to ``stamp``, one of the latest, in ticks."""
        recent = self._recent[:bisect.bisect_right(self._recent, stamp)]
        return max([self._widest, *(after - before for before, after in zip(recent, recent[1:]))])

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
    keys, count, first, last = [], 0, 0, 0
    for entry in stream.index_entries if stream.frames else ():
        first, last, count = first if count else entry.timestamp, entry.timestamp, count + 1
        if entry.is_keyframe:
            keys.append(last)
    return (keys, first, last) if count and count == stream.frames else None

