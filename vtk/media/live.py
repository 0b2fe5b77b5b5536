"""Live streams by PyAV: RTSP over TCP, RTMP, SRT, UDP; a stream that breaks is connected to again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import av

from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.container import displayed, open_error, open_video, reason, rotation_of
from vtk.media.sampling import Size
from vtk.media.scaling import Scalers

FIRST_PAUSE = 0.2  # seconds before the first new try; each later pause is twice as long
LONGEST_PAUSE = 5.0


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
        self._origin = 0.0  # seconds of the stream's own clock that are our t = 0
        self._last_t = 0.0
        self._last_heard = time.monotonic()
        self._frames = self._unbroken()
        first = next(self._frames, None)
        if first is None:
            raise self.errors.pop() if self.errors else MediaError("no frame could be decoded")
        self._held = first
        frame, rate = first[2], self._stream.average_rate
        rotation = -round(frame.rotation / 90) * 90 % 360
        width, height = (frame.height, frame.width) if rotation % 180 else (frame.width, frame.height)
        self.info = MediaInfo("stream", width, height, float(rate) if rate else None, None,
                              self._stream.codec_context.name, rotation, decoder="pyav")

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

    def close(self) -> None:
        """Close the connection."""
        if self._container is not None:
            self._container.close()
            self._container = None

    def _from_first(self) -> Iterator[tuple[int, float, Any]]:
        yield self._held
        yield from self._frames

    def _unbroken(self) -> Iterator[tuple[int, float, Any]]:
        """Yield (index, t, frame) over as many connections as it takes."""
        pause = FIRST_PAUSE
        while True:
            try:
                self._connect()
                resumed = True
                for frame in self._container.decode(self._stream):
                    clock = float(frame.pts * frame.time_base) if frame.pts is not None else None
                    if resumed and clock is not None:
                        gap = time.monotonic() - self._last_heard if self.decoded else 0.0
                        self._origin = clock - (self._last_t + gap)
                    resumed = False
                    t = clock - self._origin if clock is not None else self._last_t
                    self._last_t, self._last_heard, pause = max(t, self._last_t), time.monotonic(), FIRST_PAUSE
                    self.decoded += 1
                    yield self.decoded - 1, self._last_t, frame
                lost = MediaError("the stream ended", code="E_TIMEOUT")
            except av.error.FFmpegError as error:
                lost = open_error(error) if self._container is None else MediaError(
                    f"the stream broke: {reason(error)}", code="E_TIMEOUT")
            except MediaError as error:
                lost = error
            self.close()
            silent = time.monotonic() - self._last_heard
            if silent + pause >= self._timeout:
                self.errors.append(MediaError(f"{lost}, and nothing came for {self._timeout:g} s (--timeout)",
                                              code="E_TIMEOUT"))
                return
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    def _connect(self) -> None:
        options = {"rtsp_transport": "tcp"} if self._url.startswith(("rtsp:", "rtsps:")) else {}
        container = av.open(self._url, timeout=(self._timeout, self._timeout), options=options)
        stream = video_stream(container)
        if stream is None:
            container.close()
            raise MediaError("has no video stream", code="E_OPEN")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads or 0
        self._container, self._stream = container, stream
