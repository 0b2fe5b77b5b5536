"""Writes packets of a video as a new file, with the sound of the source: nothing is encoded anew but what has to be."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import av

from vtk.errors import MediaError, UsageError
from vtk.media.audio import AudioTrack
from vtk.media.container import reason
from vtk.media.names import suffix

# FFmpeg's name of the container behind a suffix.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm", ".avi": "avi",
              ".ts": "mpegts", ".mts": "mpegts", ".m2ts": "mpegts", ".flv": "flv", ".mpg": "mpeg"}
# What packets of a container are copied into, where the source's own suffix does not say it.
_KEPT = {"mov": (".mp4", ".m4v", ".mov"), "matroska": (".mkv", ".webm"), "mpegts": (".ts", ".mts", ".m2ts"),
         "avi": (".avi",), "flv": (".flv",), "mpeg": (".mpg",)}


def container_suffix(path: str) -> str:
    """Return the suffix that a copy of packets of the file ``path`` gets: its own, or that of its container.

    Raises:
        MediaError: E_OPEN it cannot be opened.
    """
    try:
        with av.open(path, metadata_errors="replace") as container:
            kept = _KEPT.get(container.format.name.split(",")[0], (".mkv",))  # Matroska holds all there is
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(f"cannot be opened: {reason(error)}", code="E_OPEN") from None
    return suffix(path) if suffix(path) in kept else kept[0]


class PacketWriter:
    """A new file of packets of one video stream, from time 0 on, with the source's sound beside them.

    The file appears under its name when ``close`` has made it whole; until then it is ``<target>.part``.

    Args:
        target: ends in one of ``CONTAINERS``.
        stream: the video stream that the packets are of; an open one of PyAV.
        sound_from: the source whose sound goes along; None for none.
        begin: seconds from the source's first frame, which are 0 in the new file.
        extradata: the decoder's configuration, where it is not the stream's own.

    Raises:
        UsageError: no such suffix.
        MediaError: E_ENCODE, the file cannot be written, here and in every method. Nothing stays of it.
    """

    def __init__(self, target: str, stream: Any, sound_from: str | None, begin: float,
                 extradata: bytes | None = None) -> None:
        muxer = CONTAINERS.get(suffix(target))
        if muxer is None:
            raise UsageError(f"{target}: packets are copied to a name that ends in {', '.join(CONTAINERS)}")
        self._target, self._part = target, target + ".part"
        self._track: AudioTrack | None = None
        self._open = True
        with self._guarded():
            options = {"movflags": "+faststart"} if muxer in ("mp4", "mov") else {}
            self._container = av.open(self._part, "w", format=muxer, container_options=options)
            self._stream = self._container.add_stream_from_template(stream)
            self._stream.time_base = stream.time_base
            if extradata is not None:
                self._stream.codec_context.extradata = extradata
            if sound_from is not None:
                try:
                    self._track = AudioTrack(sound_from, self._container, muxer)
                    self._track.begin(begin)
                except MediaError:
                    self._track = None  # silent, as its source
            self._container.start_encoding()

    def put(self, packet: Any) -> None:
        """Append a packet, its times in ticks of the source's stream from 0 on; decoding order."""
        packet.stream = self._stream
        stamp = packet.dts if packet.dts is not None else packet.pts
        base = packet.time_base
        with self._guarded():
            self._sound(float(stamp * base))
            self._container.mux(packet)

    def close(self, end: float) -> None:
        """Complete the file, whose last frame ends at ``end`` seconds, and give it its name."""
        with self._guarded():
            self._sound(end)
            self._container.close()
            descriptor = os.open(self._part, os.O_RDONLY)
            try:
                os.fsync(descriptor)  # a name never stands for less than the whole file
            finally:
                os.close(descriptor)
            os.replace(self._part, self._target)
        self._shut()

    def abort(self) -> None:
        """Give up: nothing stays of the file. Does nothing after ``close``."""
        if not self._open:
            return
        self._shut()
        if os.path.lexists(self._part):
            os.unlink(self._part)
        try:
            self._container.close()
        except (AttributeError, OSError, av.error.FFmpegError):
            pass  # it was never opened, or cannot be completed: nobody asks for it any more

    def _sound(self, until: float) -> None:
        if self._track is not None:
            for packet in self._track.until(until):
                self._container.mux(packet)

    def _shut(self) -> None:
        self._open = False
        if self._track is not None:
            self._track.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn an error of the container or the disk into one line, with nothing left behind."""
        try:
            yield
        except (av.error.FFmpegError, OSError, ValueError) as error:
            self.abort()
            raise MediaError(f"cannot write {self._target}: {reason(error)}", code="E_ENCODE") from None
        except BaseException:
            self.abort()
            raise
