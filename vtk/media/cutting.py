"""Cuts a span out of a video without encoding anything: packets are copied, from a key frame on."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av

from vtk.errors import MediaError
from vtk.media.container import open_error, video_stream
from vtk.media.packing import PacketWriter
from vtk.media.timeline import Timeline, read_timeline

TOLERANCE = 1e-6  # seconds: a timestamp rounded to the six digits of records still counts


@dataclass(frozen=True, slots=True)
class Cut:
    """What a file shows of its source.

    Attributes:
        start, end: seconds from the source's first frame; ``end`` is where its last frame ends.
        frames: how many they are.
        copied: how many of them are packets of the source, byte for byte.
        head: how many stand before those.
    """

    start: float
    end: float
    frames: int
    copied: int = 0
    head: int = 0


@dataclass(frozen=True)
class Track:
    """The video stream of an open file, and when its frames are shown.

    Attributes:
        origin: timestamp of frame 0, in ticks.
        tick: seconds.
    """

    container: Any
    stream: Any
    timeline: Timeline
    origin: int
    tick: float

    def span(self, start: float, end: float, frames: tuple[int, int] | None = None) -> tuple[int, int]:
        """Return [first, last) of the frames of [``start``, ``end``) seconds, as places in the timeline.

        Args:
            start, end: seconds from the first frame; ``end`` may be infinite.
            frames: the same in frames, half-open, where that is known: it says which.

        Raises:
            MediaError: E_SPAN, there are none.
        """
        stamps, zero = self.timeline.stamps, self.timeline.rank(self.origin)
        first, last = ((zero + frame for frame in frames) if frames is not None else
                       (bisect.bisect_left(stamps, self.origin + (t - TOLERANCE) / self.tick) for t in (start, end)))
        first, last = max(first, zero), min(last, len(stamps))
        if first >= last:
            raise MediaError(f"no frame is shown from {start:g} to {end:g} s: the source ends at "
                             f"{self.seconds(self.past(len(stamps))):.3f} s", code="E_SPAN")
        return first, last

    def past(self, last: int) -> int:
        """Return the timestamp at which the frame before place ``last`` ends."""
        stamps = self.timeline.stamps
        if last < len(stamps):
            return stamps[last]
        gap = stamps[-1] - stamps[-2] if len(stamps) > 1 else round(1 / ((self.stream.average_rate or 25) * self.tick))
        return stamps[-1] + int(gap)

    def seconds(self, stamp: int) -> float:
        """Return a timestamp as seconds from the first frame."""
        return (stamp - self.origin) * self.tick

    def packets(self, key: int) -> Iterator[Any]:
        """Yield packets in decoding order from the key frame shown at ``key`` on, without those shown before it."""
        # MPEG-TS has no index: a seek may end behind what was sought.
        for target in (key, key - round(1 / self.tick), self.timeline.stamps[0]):
            self.container.seek(target, stream=self.stream, backward=True)
            found = (packet for packet in self.container.demux(self.stream)
                     if packet.size and stamp_of(packet) is not None)
            first = next((packet for packet in found if packet.is_keyframe and stamp_of(packet) >= key), None)
            if first is not None and stamp_of(first) == key:
                yield first
                # What is decoded behind a key frame and shown before it builds on what is left out.
                yield from (packet for packet in found if stamp_of(packet) > key)
                return


def stamp_of(packet: Any) -> int | None:
    """Return when a packet's frame is shown, in ticks; AVI says when it is decoded."""
    return packet.pts if packet.pts is not None else packet.dts


def open_track(path: str) -> Track:
    """Open the video of the file ``path`` for cutting.

    Raises:
        MediaError: it cannot be opened, or its timestamps do not tell which frame is which.
    """
    try:
        container = av.open(path, metadata_errors="replace")
        stream = video_stream(container)
        timeline = read_timeline(path, stream.index) if stream is not None else None
    except (av.error.FFmpegError, ValueError) as error:
        raise open_error(error) from None
    if timeline is None or not timeline.keys or not timeline.sound:
        container.close()
        raise MediaError("its packets do not tell which frame is shown when, so they cannot be copied: --cut exact",
                         code="E_COPY")
    return Track(container, stream, timeline, timeline.keys[0], float(stream.time_base))


def copy_span(path: str, target: str, start: float, end: float, frames: tuple[int, int] | None = None,
              sound: bool = True) -> Cut:
    """Copy what is shown from ``start`` to ``end`` into a new file, from the key frame at or before ``start`` on.

    Where a frame before ``end`` builds on one after it, that one is in the file as well: at most the few frames that
    the codec reorders.

    Args:
        path: the source, a file.
        target: the new file, in a container that takes the source's codec.
        start, end, frames: the span, as ``Track.span`` takes it.
        sound: whether its sound goes along.

    Raises:
        MediaError: no frame is in the span, or it cannot be read or written.
    """
    track = open_track(path)
    try:
        first, last = track.span(start, end, frames)
        stamps = track.timeline.stamps
        key = track.timeline.key_before(stamps[first])
        begin = track.timeline.rank(key)
        writer = PacketWriter(target, track.stream, path if sound else None, track.seconds(key))
        copied, final = 0, last
        try:
            for packet in track.packets(key):
                copied += 1
                final = max(final, bisect.bisect_right(stamps, stamp_of(packet)))
                _moved(packet, key)
                writer.put(packet)
                if copied == final - begin:  # no hole is left
                    break
            if not copied:
                raise MediaError(f"nothing could be read at {start:g} s: --cut exact reads it another way",
                                 code="E_COPY")
            until = track.seconds(track.past(final))
            writer.close(until - track.seconds(key))
        except BaseException:
            writer.abort()
            raise
    finally:
        track.container.close()
    return Cut(track.seconds(key), until, copied, copied)


def _moved(packet: Any, by: int) -> None:
    """Move a packet's times, in ticks."""
    if packet.pts is not None:
        packet.pts -= by
    if packet.dts is not None:
        packet.dts -= by
