"""Writes frames as a video file, each at its own time, with the sound of the source."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from types import TracebackType
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from vtk.errors import MediaError, UsageError
from vtk.media.aside import Aside
from vtk.media.audio import AudioTrack
from vtk.media.names import suffix
from vtk.media.pyav import reason

# FFmpeg's name of the container behind a suffix.
MUXERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".avi": "avi", ".webm": "webm"}
PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")

# Frames that are encoded side by side, whatever the machine: what is written depends on it, and each takes memory.
ABREAST = 4
CODECS = {"avi": "mpeg4", "webm": "libvpx-vp9"}  # all others hold H.264

# MPEG's clock: a frame is at most 5.6 µs from its time. Matroska and WebM count milliseconds (RFC 9559, 11.1).
_TICK = {"matroska": Fraction(1, 1000), "webm": Fraction(1, 1000)}
_MPEG_TICK = Fraction(1, 90_000)
_BT709 = 1  # the code of BT.709 as matrix, primaries and transfer alike (ITU-T H.273)


class VideoWriter:
    """Encodes frames into a video: 8-bit 4:2:0 H.264, VP9 in .webm; the index of .mp4 and .mov stands in front.

    The file begins with the first frame written; the frames after it keep their distances, so a variable rate stays
    one. AVI has one rate: there a frame goes to the nearest multiple of 1/``fps``, as MPEG-4 part 2, since
    presentation times of H.264 are lost in AVI. An odd side is padded by repeating its last row or column. Sound
    runs from the first frame to the end of the last one.

    The file appears under its name when ``close`` has made it whole; until then it is ``<path>.part``. A device or
    a pipe is written to directly. Memory is bounded by what the encoder looks ahead.

    Encoding goes on in a thread of its own, a few frames behind ``write``: what cannot be written is raised by a later
    ``write`` or by ``close``.

    Args:
        path: ends in one of ``MUXERS``.
        width, height: pixels of the frames.
        fps: frames a second, about: it is declared, gives the last frame its length, and is AVI's grid.
        audio_from: the source whose sound goes along, copied where the container takes its codec, else encoded anew.
        crf: the encoder's constant rate factor, from 0 to 51; less is better and larger.
        preset: effort of the H.264 encoder, one of ``PRESETS``.
        overwrite: whether a file that is there is replaced.

    Attributes:
        audio: what became of the sound: ``copied``, ``encoded`` or ``none``.
        audio_note: why it was encoded anew, left out, or breaks off; None when all is well.

    Raises:
        UsageError: an unknown suffix or preset, a crf out of range, or the file exists and ``overwrite`` is off.
        MediaError: E_ENCODE, the file cannot be written; here, in ``write`` and in ``close``. Nothing stays of it.
    """

    def __init__(self, path: str | os.PathLike[str], width: int, height: int, fps: float,
                 audio_from: str | None = None, crf: int = 20, preset: str = "veryfast",
                 overwrite: bool = True) -> None:
        self._name = os.fspath(path)
        self._muxer = _muxer(self._name, crf, preset, overwrite)
        if width < 1 or height < 1 or not 0 < fps < math.inf:
            raise ValueError(f"width, height and fps are {width}, {height}, {fps}: positive numbers are expected")
        self._shape = (height, width, 3)
        # A link is followed, so that it stays a link.
        self._target = os.path.realpath(self._name)
        direct = os.path.exists(self._target) and not os.path.isfile(self._target)
        self._part = self._target if direct else self._target + ".part"
        self._rate = Fraction(fps).limit_denominator(1001)
        self._tick = 1 / self._rate if self._muxer == "avi" else _TICK.get(self._muxer, _MPEG_TICK)
        # A stream that cannot say its matrix is taken for BT.601.
        self._matrix = Colorspace.ITU601 if self._muxer == "avi" else Colorspace.ITU709
        self._scaler = VideoReformatter()
        self._plain = av.VideoFrame(width + width % 2, height + height % 2, "rgb24")
        (plane,) = self._plain.planes
        self._pixels = np.ndarray((plane.height, plane.width, 3), np.uint8, plane, strides=(plane.line_size, 3, 1))
        self._first: float | None = None
        self._last = -1  # ticks of the last frame written
        self._first_dts: int | None = None
        self._open = True
        self._aside: Aside | None = None
        self._track: AudioTrack | None = None
        self._audio_note: str | None = None
        with self._guarded():
            options = {"movflags": "+faststart"} if self._muxer in ("mp4", "mov") and not direct else {}
            self._container = av.open(self._part, "w", format=self._muxer, container_options=options)
            self._stream = self._video_stream(crf, preset)
            self._add_audio(audio_from)
            self._container.start_encoding()

    @property
    def audio(self) -> str:
        """What became of the sound."""
        return "none" if self._track is None else "copied" if self._track.copied else "encoded"

    @property
    def audio_note(self) -> str | None:
        """Why the sound was encoded anew, left out, or breaks off; None when all is well."""
        return self._audio_note if self._track is None else self._track.note

    def write(self, image: np.ndarray, t: float) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB of the writer's size; it is copied.
            t: seconds, on any clock that all frames share; with sound, from the source's first frame. A frame that
                is not after the one before it is put one tick of the container after it.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ValueError(f"frame is {image.dtype} {image.shape}: uint8 {self._shape} is expected")
        if not math.isfinite(t):
            raise ValueError(f"t is {t}: seconds are expected")
        if not self._open:
            raise ValueError(f"write to {self._name} after it was closed")
        with self._guarded():
            if self._first is None:
                self._first = t
                if self._track is not None:
                    self._track.begin(t)
                self._aside = Aside("vtk-encode")
            self._last = max(round((t - self._first) / self._tick), self._last + 1)
            # Converted here, beside the encoder, which is behind; so the image is nobody's once this returns.
            self._aside.put(partial(self._encode, self._converted(image), self._last))

    def close(self) -> None:
        """Complete the file and give it its name. Raises MediaError where no frame was written, too."""
        if not self._open:
            return
        if self._first is None:
            self.abort()
            raise MediaError(f"cannot write {self._name}: not one frame came", code="E_ENCODE")
        with self._guarded():
            self._aside.finish()
            self._mux_video(self._stream.encode(None), final=True)
            self._mux_audio(float(self._last * self._tick + 1 / self._rate))
            self._container.close()
            if self._part != self._target:
                _sync(self._part)
                os.replace(self._part, self._target)
        self._shut()

    def abort(self) -> None:
        """Give up: nothing stays of the file. Does nothing after ``close``."""
        if not self._open:
            return
        if self._aside is not None:
            self._aside.abandon()
        self._shut()
        if self._part != self._target and os.path.lexists(self._part):
            os.unlink(self._part)  # before the container is closed: it would move the whole file to place its index
        try:
            self._container.close()
        except (AttributeError, OSError, av.error.FFmpegError):
            pass  # it was never opened, or cannot be completed: nobody asks for it any more

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close() if kind is None else self.abort()

    def _video_stream(self, crf: int, preset: str) -> Any:
        codec = CODECS.get(self._muxer, "libx264")
        stream = self._container.add_stream(codec, rate=self._rate)
        context = stream.codec_context
        height, width = self._shape[:2]
        context.width, context.height, context.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        context.time_base = stream.time_base = self._tick
        if codec == "mpeg4":
            # Source: qp2qscale of x264's ratecontrol.c without its factor: H.264's quantiser doubles every 6 steps.
            context.qmin = context.qmax = min(31, max(2, round(2 ** ((crf - 12) / 6))))
            return stream
        context.color_range = ColorRange.MPEG
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        if codec == "libx264":
            stream.options = {"crf": str(crf), "preset": preset}
            # PyAV asks for slices of one frame: a quarter slower, and a file 2 % larger (1080p, 2 cores).
            context.thread_type, context.thread_count = "FRAME", ABREAST
        else:
            stream.options = {"crf": str(crf), "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
        return stream

    def _add_audio(self, source: str | None) -> None:
        if source is None:
            self._audio_note = "no sound was asked for"
            return
        try:
            self._track = AudioTrack(source, self._container, self._muxer)
        except MediaError as error:
            self._audio_note = str(error)

    def _converted(self, image: np.ndarray) -> av.VideoFrame:
        """Return an RGB image as a frame of its own in the encoder's format, with even sides."""
        # Laid into FFmpeg's own memory, the same each time: swscale may read some bytes beyond the end of a row.
        height, width = image.shape[:2]
        self._pixels[:height, :width] = image
        self._pixels[height:, :width] = image[-1]
        self._pixels[:, width:] = self._pixels[:, width - 1 : width]
        return self._scaler.reformat(self._plain, format="yuv420p", dst_colorspace=self._matrix,
                                     dst_color_range=ColorRange.MPEG, threads=1)

    def _encode(self, frame: av.VideoFrame, tick: int) -> None:
        """Write a frame, and the sound up to it."""
        frame.pts, frame.time_base, frame.duration = tick, self._tick, self._span
        self._mux_video(self._stream.encode(frame))
        self._mux_audio(float(tick * self._tick))

    @property
    def _span(self) -> int:
        """How many ticks a frame lasts at the declared rate."""
        return max(1, round(1 / (self._rate * self._tick)))

    def _mux_video(self, packets: Sequence[Any], final: bool = False) -> None:
        """Write packets; the ``final`` one makes up the length of the file.

        MP4 and MOV sum a track's length over decoding order, in which the last packet need not be the last frame:
        a pause near the end would be missing, and the stated frame rate be too high.
        """
        if packets and self._first_dts is None:
            self._first_dts = packets[0].dts
        if packets and final and self._muxer in ("mp4", "mov"):
            packets[-1].duration = max(1, self._last + self._span + self._first_dts - packets[-1].dts)
        self._mux(packets)

    def _mux(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            self._container.mux(packet)

    def _mux_audio(self, t: float) -> None:
        if self._track is not None:
            self._mux(self._track.until(t))

    def _shut(self) -> None:
        self._open = False
        if self._track is not None:
            self._track.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn an error of the encoder or the disk into one line, with nothing left behind."""
        try:
            yield
        except (av.error.FFmpegError, OSError) as error:
            self.abort()
            raise MediaError(f"cannot write {self._name}: {reason(error)}", code="E_ENCODE") from None
        except BaseException:
            self.abort()
            raise


def _muxer(name: str, crf: int, preset: str, overwrite: bool) -> str:
    """Return FFmpeg's name of the container, or raise UsageError for what cannot be done."""
    muxer = MUXERS.get(suffix(name))
    if muxer is None:
        raise UsageError(f"{name}: a video is written to a name that ends in {', '.join(MUXERS)}")
    if preset not in PRESETS:
        raise UsageError(f"preset '{preset}' is none of {', '.join(PRESETS)}")
    if not 0 <= crf <= 51:
        raise UsageError(f"crf {crf}: a number from 0 (lossless) to 51 is needed")
    if os.path.isdir(name):
        raise UsageError(f"{name} is a folder: name a file")
    if not overwrite and os.path.isfile(name):
        raise UsageError(f"{name} exists: --overwrite replaces it")
    return muxer


def _sync(path: str) -> None:
    """Bring a file to the disk, so that a name never stands for less than the whole file."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
