"""The default reader: PyAV, with what it lacks: an index of timestamps, rotation, a try per packet."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import av

from vtk.errors import MediaError
from vtk.media.container import NETWORK, displayed, network_options, reason, rotation_of, video_stream
from vtk.media.decoding import NEW_CLOCK, Decoding, Stamped
from vtk.media.demuxing import SILENCE
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.keys import KeyFrames, UnmarkedError
from vtk.media.marks import declared_keys, longest_gap
from vtk.media.sampling import Size
from vtk.media.scaling import Scalers
from vtk.media.spacing import Spacing
from vtk.media.timeline import Timeline, read_timeline
from vtk.media.truncation import lacks_index, missing_bytes

__all__ = ["PyavReader", "reason", "video_stream"]

# Seeking decodes from a key frame on: worth it only where it skips more than this many frames.
SEEK_WORTH = 24
VARIES_PACKETS = 120  # so many packets tell whether the frame rate varies


class PyavReader:
    """Reads a video file by PyAV: every frame that can be had, with its index and time in the stream."""

    def __init__(self, path: str, threads: int | None = None, size: int | None = None,
                 fingerprint: str | None = None, timeout: float | None = None) -> None:
        self.errors: list[MediaError] = []
        self.decoded = 1
        self._path = path
        self._scalers = Scalers()
        self._whole: Timeline | None = None
        self._filled: Timeline | None = None
        self._next: int | None = 0  # index of the next frame; None after a seek, where its timestamp tells
        self._local = os.path.isfile(path)
        self._cut = missing_bytes(path) if self._local else 0
        self._harmed = self._cut > 0  # whether frames may be missing
        self._source = self._open(threads, timeout)
        self._pairs = self._source.frames()
        self._first: Stamped | None = next(self._pairs, None)  # decoded and not given out yet
        if self._first is None:
            self.close()
            why = f": {self.errors[0]}" if self.errors else ""
            raise MediaError(f"no frame could be decoded{why}")
        self._tick = float(self._source.stream.time_base)
        self._origin, self._next = self._begin(self._first[0])
        self._zero = self._next  # index of the first frame that could be decoded
        self.info = self._describe(size, fingerprint)
        self._rate = self.info.fps or 25.0

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order, converted to ``sizes``.

        Args:
            sizes: sizes to convert to here; others are converted when they are asked for.
            choose: called once for each frame from ``start`` on, in order.
            start, end: seconds from the first frame; decoding begins at the key frame before ``start``.
        """
        # 1e-6 s: a timestamp rounded down to its time base still counts.
        begin = max(0.0, (start or 0.0) - 1e-6)
        if begin > 0 and self._seekable:
            timeline = self._timeline
            rank = timeline.rank(self._origin + math.ceil(begin / self._tick))
            if SEEK_WORTH < rank - self._base and rank < len(timeline.stamps):
                self._seek(timeline.stamps[rank])
        for index, t, stamp, frame in self._numbered():
            if end is not None and t >= end:
                return
            if t >= begin and choose(index, t):
                yield self._give(index, t, stamp, frame, sizes)

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of ``indices``, which increase, seeking where it pays; missing ones are left out."""
        numbered = self._numbered()
        held: tuple[int, float, int | None, Any] | None = None
        for wanted in indices:
            position = held[0] if held is not None else 0
            if position > wanted:
                continue
            if wanted - position > SEEK_WORTH and self._seekable:
                timeline, rank = self._timeline, wanted + self._base
                if rank >= len(timeline.stamps):
                    continue
                key = timeline.key_before(timeline.stamps[rank])
                if timeline.rank(key) - self._base > position + SEEK_WORTH:
                    self._seek(timeline.stamps[rank])
                    numbered, held = self._numbered(), None
            while held is None or held[0] < wanted:
                held = next(numbered, None)
                if held is None:
                    return
            if held[0] == wanted:
                yield self._give(*held, sizes)

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield the key frames, and decode nothing else but where they lie further apart than ``furthest``."""
        spacing, noted, harmed = Spacing(start, end, closest, furthest), len(self.errors), self._harmed
        latest, last = -1, -math.inf
        if not self._local and not self._path.startswith(NETWORK):  # a pipe is read once
            yield from self.frames(sizes, lambda index, t: spacing.takes_any(t), start, end)
            return
        if self._marks_keys:
            try:
                for index, t, stamp, frame in self._keys(spacing):
                    latest, last = index, t
                    yield self._give(index, t, stamp, frame, sizes)
                return
            except UnmarkedError:
                del self.errors[noted:]  # damage is met again
                self._harmed, spacing.last = harmed, last
        self._source.rewind()
        self._pairs, self._first, self._next = self._source.frames(), None, self._zero
        begin = start if latest < 0 else last
        yield from self.frames(sizes, lambda index, t: index > latest and spacing.takes_any(t), begin, end)

    def key_spacing(self) -> float | None:
        """Return the longest seconds between key frames, or to either end; None where they are not known."""
        if not self._local or not self._marks_keys:
            return None
        known = declared_keys(self._source.stream)
        if known is None:
            stamps, keys = self._timeline.stamps, self._timeline.keys
            known = (keys, stamps[0], stamps[-1]) if stamps else ([], 0, 0)
        gap = longest_gap(*known)
        return gap * self._tick if gap is not None else None

    def close(self) -> None:
        """Close the file; frames that were given out can still be converted."""
        self._pairs, self._first = iter(()), None
        self._source.close()

    def _numbered(self) -> Iterator[tuple[int, float, int | None, Any]]:
        """Yield (index in the original stream, t, timestamp, frame); indices and times never run back."""
        shift, latest, t = 0, None, 0.0
        for stamp, frame in self._from_here():
            if stamp is not None and latest is not None and stamp + shift <= latest:
                if (latest - stamp - shift) * self._tick > NEW_CLOCK:
                    shift = latest - stamp + max(1, round(1 / (self._rate * self._tick)))
                elif self._harmed:
                    continue  # damage held it back until after the frames that follow it
            corrupt = frame.is_corrupt and not self._is_leading(stamp)
            self._harmed |= corrupt
            number = self._next
            if stamp is not None and (number is None or self._damaged):
                number = max(self._timeline.rank(stamp) - self._base, number or 0)
            number = number or 0
            if corrupt:
                self.errors.append(MediaError(f"frame {number} is damaged"))
            t = max(t, (stamp + shift - self._origin) * self._tick if stamp is not None and self._origin is not None
                    else number / self._rate)
            self._next = number + 1
            yield number, t, stamp, frame
            if stamp is not None:
                latest = stamp + shift if latest is None else max(latest, stamp + shift)
        self._note_cut()

    def _keys(self, spacing: Spacing) -> Iterator[tuple[int, float, int, Any]]:
        """Yield (index, t, timestamp, frame) as key frames are read, from the start of the file on."""
        self._first, self._next = None, 0
        before = self.decoded
        keys = KeyFrames(self._source, self._origin, spacing, self._has_holes)
        for place, stamp, frame in keys.frames():
            self.decoded = before + keys.decoded
            self._harmed |= frame.is_corrupt
            number = place.index
            if self._damaged:
                number = max(self._timeline.rank(stamp) - self._base, self._next)
            self._next = number + 1
            if frame.is_corrupt:
                self.errors.append(MediaError(f"frame {number} is damaged"))
            yield number, place.t, stamp, frame
        self.decoded = before + keys.decoded
        if keys.ended:
            self._next = max(self._next, keys.packets)
            self._note_cut()

    def _has_holes(self) -> bool:
        """Return whether frames may be missing from a steady stream of which no error has told."""
        # The index of an MP4 holds every frame; after other damage timestamps tell which frame is which.
        if self._harmed or "mp4" in self._source.container.format.name:
            return False
        timeline = self._timeline
        return len(timeline.filled().stamps) > len(timeline.stamps)

    def _from_here(self) -> Iterator[Stamped]:
        if self._first is not None:
            first, self._first = self._first, None
            yield first
        for pair in self._pairs:
            self.decoded += 1
            yield pair

    def _seek(self, stamp: int) -> None:
        """Go to the key frame at or before ``stamp``, so that the next frame is not after it."""
        key = self._timeline.key_before(stamp)
        self._first, self._next = None, None
        for target in (key, key - round(1 / self._tick), self._timeline.stamps[0]):
            first = self._source.seek(target)
            if first is not None and first[0] <= stamp and not first[1].is_corrupt:
                self.decoded += 1
                self._first = first
                self._pairs = self._source.frames()
                return
        self._source.rewind()  # seeking cannot be relied on here: begin again
        self._pairs = self._source.frames()

    @property
    def _timeline(self) -> Timeline:
        """The timeline of the whole stream, read when it is needed; with holes filled after damage.

        A URL has none: reading it would bring the whole file a second time.
        """
        if self._whole is None:
            unknown = Timeline([], [], sound=False)
            try:
                self._whole = read_timeline(self._path, self._source.stream.index) if self._local else unknown
            except av.error.FFmpegError:
                self._whole = unknown
        if self._filled is None and self._harmed:
            self._filled = self._whole.filled()
        return self._filled or self._whole

    @property
    def _base(self) -> int:
        """How many timestamps lie before frame 0: those of packets that no reader can decode."""
        return self._timeline.rank(self._origin) if self._origin is not None else 0

    @property
    def _damaged(self) -> bool:
        """Whether frames may be missing, so that timestamps say which one this is and counting does not."""
        return self._harmed and self._origin is not None and self._timeline.sound

    @property
    def _seekable(self) -> bool:
        """Whether a frame can be sought by its timestamp."""
        source = self._source
        # An MPEG program stream leaves out timestamps, which FFmpeg guesses as it goes.
        return (self._origin is not None and not source.counted and source.container.format.name != "mpeg"
                and self._timeline.sound)

    @property
    def _marks_keys(self) -> bool:
        """Whether packets may tell of key frames and of the order in which frames are shown."""
        return self._origin is not None and not self._source.counted and self._source.container.format.name != "mpeg"

    def _begin(self, stamp: int | None) -> tuple[int | None, int]:
        """Return the timestamp of frame 0 and the index of the first frame that could be decoded."""
        self._origin = stamp
        key = self._source.first_key
        if not self._damaged or key is None or key >= stamp:
            return stamp, 0
        return key, self._timeline.rank(stamp) - self._timeline.rank(key)

    def _is_leading(self, stamp: int | None) -> bool:
        """Whether a frame is shown before the first key frame, and lacks what it builds on."""
        return stamp is not None and self._source.first_key is not None and stamp < self._source.first_key

    def _note(self, what: str) -> None:
        where = f"after frame {self._next - 1}" if self._next else "at the start"
        silent = what == SILENCE
        # Silence is the cause of what it leaves behind, and so the first thing to say.
        self.errors.insert(0 if silent else len(self.errors),
                           MediaError(f"{what} ({where})", code="E_TIMEOUT" if silent else "E_DECODE"))
        self._harmed = True

    def _note_cut(self) -> None:
        if self._cut and self._next is not None:
            self.errors.insert(0, MediaError(f"the file is cut: {self._cut} bytes are missing at its end, after frame "
                                             f"{self._next - 1}"))
            self._cut = 0

    def _open(self, threads: int | None, timeout: float | None) -> Decoding:
        try:
            return Decoding(self._path, threads, timeout, network_options(self._path, timeout), self._note)
        except MediaError:
            if self._local and lacks_index(self._path):
                raise MediaError("cannot be opened: the part that says where its frames are (moov) is missing; "
                                 "the file was cut or never finished", code="E_OPEN") from None
            raise

    def _give(self, index: int, t: float, stamp: int | None, frame: Any, sizes: Sequence[Size]) -> Decoded:
        info = self.info
        convert = self._scalers.of(frame, info.rotation)
        return Decoded(index, stamp, t, info.width, info.height, convert).converted(sizes)

    def _describe(self, size: int | None, fingerprint: str | None) -> MediaInfo:
        container, stream, frame = self._source.container, self._source.stream, self._first[1]
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        duration = None
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        elif container.duration:
            duration = container.duration / av.time_base
        return MediaInfo("video", *displayed(frame), float(rate) if rate else None, duration,
                         stream.codec.canonical_name, rotation_of(frame), self._varies(), stream.frames or None, size,
                         fingerprint, "pyav")

    def _varies(self) -> bool:
        """Return whether the first intervals between frames differ; a URL is not asked."""
        if not self._local:
            return False
        try:
            return read_timeline(self._path, self._source.stream.index, VARIES_PACKETS).varies
        except av.error.FFmpegError:
            return False
