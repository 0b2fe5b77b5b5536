"""Live streams by PyAV: RTSP over TCP, RTMP, SRT, UDP; a stream that breaks is connected to again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import av

from vtk.errors import MediaError, UsageError
from vtk.media.container import displayed, is_timeout, open_video, reason, rotation_of
from vtk.media.decoding import NEW_CLOCK
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.sampling import Size
from vtk.media.scaling import Scalers
from vtk.media.spacing import Spacing

FIRST_PAUSE = 0.2  # seconds before the first new try; each later pause is twice as long
LONGEST_PAUSE = 5.0

Numbered = tuple[int, float, Any]


class LiveReader:
    """Reads a live stream until it has been silent for ``timeout`` seconds.

    Frames are counted on over a reconnection, and their times go on by the clock, so that neither ever runs back.
    """

    def __init__(self, url: str, threads: int | None = None, timeout: float = 10.0) -> None:
        self.errors: list[MediaError] = []
        self.decoded = 0
        self._url = url
        self._threads = threads
        self._timeout = timeout
        self._scalers = Scalers()
        self._container: Any = None
        self._stream: Any = None
        self._origin: float | None = None  # seconds of the stream's own clock that are our t = 0
        self._last_t = 0.0
        self._lost = ""  # why there is no connection
        self._last_frame = self._last_heard = time.monotonic()  # when the last frame came out, the last packet in
        self._frames = self._unbroken()
        first = next(self._frames, None)
        if first is None:
            raise self.errors.pop()
        self._held: Numbered | None = first
        rate = self._stream.average_rate
        self.info = MediaInfo("stream", *displayed(first[2]), float(rate) if rate else None, None,
                              self._stream.codec.canonical_name, rotation_of(first[2]), decoder="pyav")

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants as they come."""
        for index, t, frame in self._from_first():
            if end is not None and t >= end:
                return
            if choose(index, t):
                decoded = Decoded(index, frame.pts, t, self.info.width, self.info.height,
                                  self._scalers.of(frame, self.info.rotation))
                for size in sizes:
                    decoded.image(size)
                yield decoded

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Refuse: a live stream passes once."""
        raise UsageError("a live stream cannot be read again at stored frames; use vtk pipe, where stages share it")

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield frames ``furthest`` seconds apart as they come, every one decoded: the stream passes in real time."""
        spacing = Spacing(start, end, closest, furthest)
        return self.frames(sizes, lambda index, t: spacing.takes_any(t), start, end)

    def key_spacing(self) -> float | None:
        """Return None: nothing is known of what is to come."""

    def close(self) -> None:
        """Close the connection."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _from_first(self) -> Iterator[Numbered]:
        if self._held is not None:
            held, self._held = self._held, None
            yield held
        yield from self._frames

    def _unbroken(self) -> Iterator[Numbered]:
        """Yield (index, t, frame) over as many connections as it takes."""
        pause = FIRST_PAUSE
        while True:
            try:
                self._connect()
            except MediaError as error:
                self._lost = self._lost or str(error)  # what broke it first says more than what a new try met
            else:
                self._origin = None
                for frame in self._connection():
                    self._last_t, self._last_frame, pause = self._time(frame), time.monotonic(), FIRST_PAUSE
                    self.decoded += 1
                    yield self.decoded - 1, self._last_t, frame
                self.close()
            if time.monotonic() - self._last_heard + pause >= self._timeout:
                self.errors.append(MediaError(f"{self._lost}, and nothing came for {self._timeout:g} s (--timeout)",
                                              code="E_TIMEOUT"))
                return
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _connection(self) -> Iterator[Any]:
        """Yield the frames of one connection, and say in ``_lost`` how it ended."""
        self._lost, keyed, told = "the stream ended", False, False
        asked = time.monotonic()
        try:
            for packet in self._container.demux(self._stream):
                waited = time.monotonic() - asked
                keyed |= packet.is_keyframe
                if waited < self._timeout:
                    self._last_heard = time.monotonic()
                try:
                    yield from packet.decode()
                except av.error.InvalidDataError as error:
                    if keyed and not told:  # before the first key frame nothing can be decoded
                        self.errors.append(MediaError(f"a packet cannot be decoded after frame {self.decoded - 1}: "
                                                      f"{reason(error)}"))
                        told = True
                if waited >= self._timeout:  # MPEG-TS gives its last packet only when waiting for more has failed
                    self._lost = "the stream fell silent"
                    break
                asked = time.monotonic()
        except av.error.FFmpegError as error:
            self._lost = "the stream fell silent" if is_timeout(error) else f"the stream broke: {reason(error)}"
        with contextlib.suppress(av.error.FFmpegError):  # drained before
            yield from self._stream.codec_context.decode(None)  # what several threads still hold

    def _time(self, frame: Any) -> float:
        """Return a frame's t: by the stream's clock, over breaks by ours."""
        if frame.pts is None:
            return self._last_t + (time.monotonic() - self._last_frame if self.decoded else 0.0)
        clock = float(frame.pts * self._stream.time_base)
        if self._origin is None or not -NEW_CLOCK < clock - self._origin - self._last_t < self._timeout:
            gap = time.monotonic() - self._last_frame if self.decoded else 0.0
            self._origin = clock - self._last_t - gap
        return max(clock - self._origin, self._last_t)

    def _connect(self) -> None:
        options = {"rtsp_transport": "tcp"} if self._url.startswith(("rtsp:", "rtsps:")) else {}
        left = max(0.1, self._timeout - (time.monotonic() - self._last_heard))
        self._container, self._stream = open_video(self._url, self._threads, (left, self._timeout), options)
