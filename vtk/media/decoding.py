"""Packets of a video stream turned into frames: a try per packet."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator
from typing import Any

import av

from vtk.media.container import open_video, reason
from vtk.media.demuxing import packets
from vtk.media.timeline import chunks

Stamped = tuple[int | None, Any]

# A clock that goes back by more seconds than this begins anew; less is disorder.
NEW_CLOCK = 1.0


class Decoding:
    """Decodes one file, packet by packet, each frame with its timestamp in stream ticks.

    Attributes:
        container, stream: PyAV's.
        counted: whether timestamps say only in which order packets are stored, as in AVI and raw streams; frames
            then take them in the order in which they are shown.
        first_key: timestamp of the first key frame met; frames before it cannot be whole.
        refused: packets so far that the decoder took for damaged.
    """

    def __init__(self, path: str, threads: int | None, timeout: float | None, options: dict[str, str],
                 note: Callable[[str], object]) -> None:
        self._path, self._threads, self._timeout, self._options = path, threads, timeout, options
        self._tell = note
        self.refused = 0
        self.first_key: int | None = None
        self._open()

    def _open(self) -> None:
        self.container, self.stream = open_video(self._path, self._threads, self._timeout, self._options)
        self._chunks = chunks(self.container, self.stream)
        self.counted = self.container.format.name == "avi" and self.stream.codec_context.has_b_frames
        self._restart()

    def _restart(self) -> None:
        self._keyed = False  # whether a key frame was met: what comes before it is no damage where it fails
        self._quiet = False
        self._fed: int | None = None  # the latest timestamp of the packets that went in
        self._waiting: list[int] = []  # timestamps of packets whose frames have not come out, the earliest first
        self._pairs = self._decoded(self._packets())
        self._failed = 0  # packets that failed and whose frames have not been missed yet
        self._sought: float = -math.inf  # frames before it may lack what they build on

    def frames(self) -> Iterator[Stamped]:
        """Yield (timestamp, frame) for every frame that can be decoded from here to the end."""
        last = None
        for stamp, frame in self._pairs:
            last = stamp if last is None or stamp is None else max(last, stamp)
            yield stamp, frame
        lost = last is not None and self._fed is not None and self._fed > last and not self.counted
        if lost and self._threads != 1 and not self._options:  # a URL is not opened again for a few frames
            yield from self._tail(last)

    def seek(self, stamp: int) -> Stamped | None:
        """Go to ``stamp`` and return the first frame at or after it; None where seeking fails."""
        self._restart()
        self._sought = stamp
        try:
            self.container.seek(stamp, stream=self.stream, backward=True, any_frame=False)
        except av.error.FFmpegError:
            return None
        self._quiet = True
        found = next((pair for pair in self._pairs if pair[0] is not None and pair[0] >= stamp), None)
        self._quiet = False
        return found

    def picked(self, pick: Callable[[Iterator[Any]], Iterator[Any]]) -> Iterator[Stamped]:
        """Begin again at the start and yield (timestamp, frame) for the packets that ``pick`` yields of all.

        A None among them empties the decoder, and a frame comes for each before the next is asked for.
        """
        self.rewind()
        yield from self._decoded(pick(self._packets()))
        lost = len(self._waiting) - self._failed  # those that failed were noted
        if lost > 0:
            self._note("a frame is lost" if lost == 1 else f"{lost} frames are lost")

    def rewind(self) -> None:
        """Begin again at the start of the file."""
        self.container.close()
        self._open()

    def close(self) -> None:
        """Close the file and let its decoder go, threads and frames: else they wait for the garbage collector."""
        if self.container is not None:
            self.container.close()
        self.container = self.stream = None
        self._pairs, self._tell = iter(()), _unheard

    def _tail(self, last: int) -> Iterator[Stamped]:
        """Yield the frames after ``last`` that several threads lost when one of them met damage at the end."""
        self.container.close()
        threads, self._threads = self._threads, 1
        self._open()
        first = self.seek(last)
        self._threads, self._quiet = threads, True
        for pair in self._pairs if first is not None else ():
            if pair[0] is not None and pair[0] > last:
                self._quiet = False
                yield pair

    def _packets(self) -> Iterator[Any]:
        for packet in packets(self.container, self.stream, self._note):
            if packet is not None and packet.size:
                self._keyed |= packet.is_keyframe
                if packet.is_corrupt:
                    self._note("a packet is damaged")
            yield packet

    def _decoded(self, wanted: Iterator[Any]) -> Iterator[Stamped]:
        for packet in wanted:
            if packet is not None and packet.size:
                self._enter(packet)
            try:
                frames = packet.decode() if packet is not None else self.stream.codec_context.decode(None)
            except EOFError:  # it was drained before
                continue
            except av.error.FFmpegError as error:
                self.refused += 1
                self._failed += self._note(f"a packet cannot be decoded: {reason(error)}")
                if self.counted and packet is not None and packet.size:
                    self._waiting.remove(self.stamp_of(packet))
                    heapq.heapify(self._waiting)
                continue
            for frame in frames:
                yield self._leave(frame), frame

    def _enter(self, packet: Any) -> None:
        stamp = self.stamp_of(packet)
        if packet.is_keyframe and self.first_key is None:
            self.first_key = stamp
        if self._chunks and not self.counted:
            packet.pts = packet.dts = stamp  # the demuxer counts what it finds, and so miscounts after damage
        if stamp is not None and not packet.is_discard and not is_hidden(packet, self.stream):
            if self._fed is not None and (self._fed - stamp) * self.stream.time_base > NEW_CLOCK:
                self._sought = math.inf  # files put one behind the other: from here on timestamps cannot tell of losses
            self._fed = stamp if self._fed is None else max(self._fed, stamp)
            heapq.heappush(self._waiting, stamp)

    def _leave(self, frame: Any) -> int | None:
        """Return a frame's timestamp, and note the frames before it that never came."""
        if self.counted:
            return heapq.heappop(self._waiting) if self._waiting else None
        if frame.pts is None:
            return None
        lost = 0
        while self._waiting and self._waiting[0] <= frame.pts:
            stamp = heapq.heappop(self._waiting)
            lost += stamp < frame.pts and self.first_key is not None and stamp >= max(self.first_key, self._sought)
        told = min(lost, self._failed)  # their packets were noted
        self._failed -= told
        if lost > told:
            self._note("a frame is lost" if lost - told == 1 else f"{lost - told} frames are lost")
        return frame.pts

    def indexed(self) -> list[int]:
        """Return when all frames are shown where the file's index says so and not their packets, as in AVI; or []."""
        return sorted(self._chunks.values())

    def stamp_of(self, packet: Any) -> int | None:
        """Return when a packet's frame is shown, in ticks; None where nothing tells."""
        if self._chunks:
            return self._chunks.get(packet.pos, packet.dts)
        return packet.pts if packet.pts is not None else packet.dts

    def _note(self, what: str) -> bool:
        """Tell of damage: not before the first key frame, nor in what is decoded once more."""
        tells = self._keyed and not self._quiet
        if tells:
            self._tell(what)
        return tells


def _unheard(what: str) -> None:
    """Take a note that nobody wants any more."""


def is_hidden(packet: Any, stream: Any) -> bool:
    """Return whether a packet holds a VP8 frame that is only referred to, never shown (RFC 6386 §9.1)."""
    return stream.codec.canonical_name == "vp8" and not memoryview(packet)[0] & 0x10
