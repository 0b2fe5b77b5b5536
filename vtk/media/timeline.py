"""When the frames of a stream are shown: the timestamps that its packets carry, read without decoding."""

from __future__ import annotations

import bisect
import statistics
from dataclasses import dataclass
from typing import Any

import av

from vtk.media.demuxing import packets

REGULAR = 0.9  # share of equal intervals from which on a stream's frames come at a steady rate
REORDERED = 16  # no codec stores a frame further than this from its place


@dataclass(frozen=True)
class Timeline:
    """All frames of a stream in presentation order: timestamps in ticks, and those of key frames.

    Attributes:
        stamps, keys: increasing.
        sound: whether each timestamp names one frame; not where the clock starts again in the middle.
    """

    stamps: list[int]
    keys: list[int]
    sound: bool = True

    def rank(self, stamp: int) -> int:
        """Return the index of the frame that is shown at ``stamp``."""
        return bisect.bisect_left(self.stamps, stamp)

    def key_before(self, stamp: int) -> int:
        """Return the timestamp of the last key frame at or before ``stamp``."""
        return self.keys[max(0, bisect.bisect_right(self.keys, stamp) - 1)] if self.keys else self.stamps[0]

    def filled(self) -> Timeline:
        """Return the timeline with holes filled, where frames come at a steady rate: what damage took."""
        gaps = [after - before for before, after in zip(self.stamps, self.stamps[1:])]
        step = statistics.median(gaps) if gaps else 0
        if not step or sum(is_near(gap, step) for gap in gaps) < REGULAR * len(gaps):
            return self
        stamps = self.stamps[:1]
        for before, gap in zip(self.stamps, gaps):
            missing = round(gap / step) - 1
            stamps += [before + round(gap * (k + 1) / (missing + 1)) for k in range(missing)] + [before + gap]
        return Timeline(stamps, self.keys, self.sound)

    @property
    def varies(self) -> bool:
        """Whether the intervals between frames differ by more than rounding."""
        gaps = [after - before for before, after in zip(self.stamps, self.stamps[1:])]
        step = statistics.median(gaps) if gaps else 0
        return any(not is_near(gap, step) for gap in gaps)


def is_near(gap: float, step: float) -> bool:
    """Return whether two intervals are equal but for rounding to ticks; jitter of a tenth counts as equal."""
    return abs(gap - step) <= max(1.0, 0.1 * step)


def read_timeline(path: str, stream: int, limit: int | None = None) -> Timeline:
    """Return the timeline of stream number ``stream`` of a file, or of its first ``limit`` packets."""
    with av.open(path, metadata_errors="replace") as container:
        found = container.streams[stream]
        entries = chunks(container, found)
        if entries:
            return Timeline(sorted(entries.values()), sorted(
                entry.timestamp for entry in found.index_entries if entry.is_keyframe))
        return _of_packets(container, found, limit)


def _of_packets(container: Any, stream: Any, limit: int | None) -> Timeline:
    stamps: list[int] = []
    keys: list[int] = []
    sound, second = True, round(1 / stream.time_base)
    before: int | None = None
    for packet in packets(container, stream, lambda damage: None):  # it is reported where it is decoded
        stamp = (packet.pts if packet.pts is not None else packet.dts) if packet is not None else None
        if stamp is None or packet.is_discard:
            continue
        order = packet.dts if packet.dts is not None else before
        sound &= before is None or order is None or order > before - second
        before = order
        stamps.append(stamp)
        if packet.is_keyframe:
            keys.append(stamp)
        if len(stamps) == limit:
            stamps = sorted(stamps)[:-REORDERED]  # those between the last ones are still to come
            break
    different = sorted(set(stamps))
    return Timeline(different, sorted(keys), sound and len(different) == len(stamps))


def chunks(container: Any, stream: Any) -> dict[int, int]:
    """Return file position → timestamp of an AVI's frames by its index, which outlives damage."""
    if container.format.name != "avi":
        return {}
    # FFmpeg gives a packet the position of its bytes, and an entry that of the eight bytes of header before them.
    return {entry.pos + 8: entry.timestamp for entry in stream.index_entries if entry.size > 0}
