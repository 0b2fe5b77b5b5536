"""The default reader: PyAV, with what it lacks: an index of timestamps, rotation, a try per packet."""

from __future__ import annotations

import bisect
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from vtk.errors import MediaError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.sampling import Size

# Seeking decodes from a key frame on: worth it only where it skips more than this many frames.
SEEK_WORTH = 24


@dataclass(frozen=True)
class PtsIndex:
    """All frames of a stream in presentation order: timestamps in ticks, and those of key frames."""

    pts: list[int]
    keys: list[int]

    def frame(self, pts: int) -> int:
        """Return the index of the frame that is shown at ``pts``."""
        return bisect.bisect_left(self.pts, pts)

    def key_before(self, pts: int) -> int:
        """Return the timestamp of the last key frame at or before ``pts``."""
        return self.keys[max(0, bisect.bisect_right(self.keys, pts) - 1)] if self.keys else self.pts[0]


class PyavReader:
    """Reads a video file by PyAV: every frame that can be had, each with its index and time in the original stream."""

    def __init__(self, path: str, threads: int | None = None, size: int | None = None,
                 fingerprint: str | None = None, timeout: float | None = None) -> None:
        self.errors: list[MediaError] = []
        self.decoded = 0
        self._path = path
        self._threads = threads
        self._timeout = timeout
        self._scalers = Scalers()
        self._index: PtsIndex | None = None
        self._container, self._stream = self._open()
        self._packets = self._frames_by_packet()
        first = next(self._packets, None)
        if first is None:
            why = f": {self.errors[0]}" if self.errors else ""
            raise MediaError(f"no frame could be decoded{why}")
        self._first = first
        self._first_pts: int | None = first.pts
        self._fresh = True  # the first frame is decoded and not given out yet
        self.info = self._describe(size, fingerprint)

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order, converted to ``sizes``.

        Args:
            sizes: sizes to convert to here; others are converted when they are asked for.
            choose: called once for each frame from ``start`` on, in order.
            start, end: seconds from the first frame; decoding begins at the key frame before ``start``.
        """
        skip_to = 0
        if start is not None and start > 0 and self._first_pts is not None:
            index = self._indexed()
            base = self._stream.time_base
            skip_to = index.frame(self._first_pts + int(np.ceil((start - 1e-6) / base))) if base else 0
            if skip_to > SEEK_WORTH and skip_to < len(index.pts):
                self._seek(index.pts[skip_to])
        for index, frame in self._numbered():
            t = self._seconds(index, frame)
            if end is not None and t >= end:
                return
            if index >= skip_to and choose(index, t):
                yield self._give(index, t, frame, sizes)

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of ``indices``, which increase, seeking where that skips enough; missing ones are left out."""
        numbered: Iterator[tuple[int, Any]] = self._numbered()
        position, held = -1, None
        for wanted in indices:
            if held is not None and held[0] > wanted:
                continue
            if wanted - position > SEEK_WORTH and self._first_pts is not None:
                index = self._indexed()
                if wanted >= len(index.pts):
                    continue
                if index.frame(index.key_before(index.pts[wanted])) > position + SEEK_WORTH:
                    self._seek(index.pts[wanted])
                    numbered, held = self._numbered(), None
            while held is None or held[0] < wanted:
                held = next(numbered, None)
                if held is None:
                    return
            position = held[0]
            if position == wanted:
                yield self._give(position, self._seconds(position, held[1]), held[1], sizes)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self) -> tuple[Any, Any]:
        try:
            container = av.open(self._path, timeout=self._timeout, options=network_options(self._path, self._timeout))
        except av.error.FFmpegError as error:
            raise open_error(error) from None
        stream = video_stream(container)
        if stream is None:
            kinds = ", ".join(sorted({found.type for found in container.streams})) or "nothing"
            container.close()
            raise MediaError(f"has no video stream (it has {kinds})", code="E_OPEN")
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads or 0
        return container, stream

    def _frames_by_packet(self) -> Iterator[Any]:
        """Yield every frame that can be decoded; what a damaged packet takes with it is noted in ``errors``."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.errors.append(MediaError(f"reading stops after frame {self.decoded - 1}: {reason(error)}"))
                return
            if packet.is_corrupt and packet.size:
                self.errors.append(MediaError(f"a packet is damaged after frame {self.decoded - 1}"))
            try:
                frames = packet.decode()
            except av.error.FFmpegError as error:
                self.errors.append(MediaError(f"a packet cannot be decoded after frame {self.decoded - 1}: "
                                              f"{reason(error)}"))
                continue
            for frame in frames:
                self.decoded += 1
                yield frame

    def _numbered(self) -> Iterator[tuple[int, Any]]:
        """Yield (index in the original stream, frame): counted, and by timestamp once frames were lost or skipped."""
        if self._fresh:
            self._fresh = False
            yield 0, self._first
            number = 1
        else:
            number = None
        for frame in self._packets:
            if (number is None or self.errors) and frame.pts is not None and self._first_pts is not None:
                found = self._indexed().frame(frame.pts) - self._offset
                if found < 0:
                    continue
                number = max(found, number or 0)
            elif number is None:
                number = 0
            yield number, frame
            number += 1

    def _seek(self, pts: int) -> None:
        """Go to the key frame at or before ``pts``, so that the next frame decoded is not after it."""
        key = self._indexed().key_before(pts)
        self._fresh = False
        for target in (key, key - 1 - int(1 / self._stream.time_base), self._indexed().pts[0]):
            try:
                self._container.seek(target, stream=self._stream, backward=True, any_frame=False)
            except av.error.FFmpegError:
                break
            self._packets = self._frames_by_packet()
            first = next((frame for frame in self._packets if frame.pts is not None and frame.pts >= key), None)
            if first is not None and first.pts <= pts:
                rest = self._packets
                self._packets = (frame for part in ((first,), rest) for frame in part)
                return
        self._container.close()  # seeking cannot be relied on here: begin again
        self._container, self._stream = self._open()
        self._packets = self._frames_by_packet()

    def _indexed(self) -> PtsIndex:
        """Return the index of the stream's timestamps, read from its packets without decoding, once."""
        if self._index is None:
            self._index = read_index(self._path, self._stream.index, self._timeout)
            if not self._index.pts:
                self._index = PtsIndex([self._first_pts or 0], [self._first_pts or 0])
        return self._index

    @property
    def _offset(self) -> int:
        """How many timestamps lie before the first frame that could be decoded: those do not count as frames."""
        return self._indexed().frame(self._first_pts) if self._first_pts is not None else 0

    def _seconds(self, index: int, frame: Any) -> float:
        if frame.pts is not None and self._first_pts is not None and self._stream.time_base:
            return float((frame.pts - self._first_pts) * self._stream.time_base)
        return index / (self.info.fps or 25.0)

    def _give(self, index: int, t: float, frame: Any, sizes: Sequence[Size]) -> Decoded:
        info = self.info
        decoded = Decoded(index, frame.pts, t, info.width, info.height, self._scalers.of(frame, info.rotation))
        for size in sizes:
            decoded.image(size)
        return decoded

    def _describe(self, size: int | None, fingerprint: str | None) -> MediaInfo:
        stream, frame = self._stream, self._first
        rotation = -round(frame.rotation / 90) * 90 % 360
        width, height = (frame.height, frame.width) if rotation % 180 else (frame.width, frame.height)
        rate = stream.average_rate or stream.guessed_rate or stream.base_rate
        duration = None
        if stream.duration and stream.time_base:
            duration = float(stream.duration * stream.time_base)
        elif self._container.duration:
            duration = self._container.duration / av.time_base
        base = stream.base_rate
        vfr = bool(base and rate and abs(float(base) / float(rate) - 1) > 0.01 and float(base) < 1000)
        return MediaInfo("video", width, height, float(rate) if rate else None, duration, stream.codec_context.name,
                         rotation, vfr, stream.frames or None, size, fingerprint, "pyav")


class Scalers:
    """Converts frames to RGB by swscale, one scaler a size, safe to use from several threads."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, int], tuple[threading.Lock, VideoReformatter]] = {}
        self._lock = threading.Lock()

    def of(self, frame: Any, rotation: int) -> Callable[[int, int], np.ndarray]:
        """Return what converts ``frame``, stored rotated by ``-rotation`` degrees, to (width, height) as displayed."""

        def convert(width: int, height: int) -> np.ndarray:
            stored = (height, width) if rotation % 180 else (width, height)
            with self._lock:
                lock, scaler = self._made.setdefault(stored, (threading.Lock(), VideoReformatter()))
            with lock:
                rgb = scaler.reformat(frame, *stored, format="rgb24", interpolation=Interpolation.BILINEAR, threads=1)
                image = rgb.to_ndarray()
            return np.rot90(image, k=-rotation // 90) if rotation else image

        return convert


def video_stream(container: Any) -> Any:
    """Return the stream that ffmpeg would show: its best video stream that is not a cover picture, or None."""
    best = container.streams.best("video")
    if best is not None and not is_cover(best):
        return best
    return next((stream for stream in container.streams.video if not is_cover(stream)), best)


def is_cover(stream: Any) -> bool:
    """Return whether a video stream is a cover picture of music or the like."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def read_index(path: str, stream: int, timeout: float | None = None) -> PtsIndex:
    """Return the timestamps of all frames of stream number ``stream``, read without decoding."""
    pts: list[int] = []
    keys: list[int] = []
    with av.open(path, timeout=timeout, options=network_options(path, timeout)) as container:
        try:
            for packet in container.demux(container.streams[stream]):
                stamp = packet.pts if packet.pts is not None else packet.dts
                if stamp is None or packet.is_discard:
                    continue
                pts.append(stamp)
                if packet.is_keyframe:
                    keys.append(stamp)
        except av.error.FFmpegError:
            pass  # the damage is reported where it is decoded; what came before it is the index
    return PtsIndex(sorted(set(pts)), sorted(keys))


def network_options(path: str, timeout: float | None) -> dict[str, str]:
    """Return FFmpeg's options for ``path``: over HTTP, connections that break are taken up where they broke."""
    if not path.startswith(("http://", "https://")) or timeout is None:
        return {}
    return {"reconnect": "1", "reconnect_on_network_error": "1", "reconnect_delay_max": str(max(1, round(timeout)))}


def open_error(error: Exception) -> MediaError:
    """Return why a source could not be opened."""
    timed_out = isinstance(error, (av.error.TimeoutError, av.error.ExitError))
    return MediaError(f"cannot be opened: {'nothing came in time' if timed_out else reason(error)}",
                      code="E_TIMEOUT" if timed_out else "E_OPEN")


def reason(error: Exception) -> str:
    """Return what FFmpeg says went wrong, as one short line."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())
