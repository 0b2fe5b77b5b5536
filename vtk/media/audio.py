"""The sound of a source, carried into a video that is written anew."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import av

from vtk.errors import MediaError
from vtk.media.names import is_image, is_sequence, is_stream, open_name
from vtk.media.pyav import reason, video_stream

# The rates that MPEG-4 AAC has an index for (ISO/IEC 14496-3, table 1.18), less those that no encoder meets.
AAC_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
BITS_PER_CHANNEL = 64_000

# What players find in each container; Matroska holds all there is. PCM is legal in MP4, yet few play it.
COPIED = {
    "mp4": {"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"},
    "mov": {"aac", "ac3", "alac", "eac3", "mp3", "pcm_s16be", "pcm_s16le", "pcm_s24le"},
    "avi": {"ac3", "mp2", "mp3", "pcm_s16le", "pcm_u8"},
    "webm": {"opus", "vorbis"},
}
ENCODERS = {"avi": "libmp3lame", "webm": "libopus"}  # all others take AAC


class AudioTrack:
    """The first-choice audio stream of a source, as packets for another container.

    Args:
        source: the source as a record names it; a file.
        out: the container to add the track to, before its header is written.
        muxer: FFmpeg's name of that container's format.

    Attributes:
        copied: whether packets go over as they are; otherwise the sound is encoded anew.
        note: why the sound is encoded anew, or where it breaks off; None when all is well.

    Raises:
        MediaError: the source has no sound that can be carried over, and why.
    """

    def __init__(self, source: str, out: Any, muxer: str) -> None:
        self.note: str | None = None
        self._source, self._stream, self._origin = _open(source)
        try:
            self.copied = _takes(muxer, self._stream)
            if self.copied:
                self._out = out.add_stream_from_template(self._stream)
            else:
                self._out = _encoder(out, ENCODERS.get(muxer, "aac"), self._stream)
                self.note = f"{self._stream.codec_context.codec.canonical_name} does not fit {muxer}: encoded anew"
        except (av.error.FFmpegError, ValueError) as error:
            self.close()
            raise MediaError(f"its sound cannot be carried over: {reason(error)}") from None
        # AVI counts from 0: what begins before would put off all that follows.
        self._early = muxer != "avi"
        self._shift = 0.0
        self._packets: Iterator[tuple[float, Any]] = iter(())
        self._next: tuple[float, Any] | None = None

    def begin(self, t: float) -> None:
        """Start at ``t``, in seconds from the source's first frame: that is 0 in the new file."""
        self._shift = self._origin + t
        if t > 1.0:
            try:
                self._source.seek(int(self._shift * av.time_base), backward=True)
            except av.error.FFmpegError:
                pass  # a file without an index is read from its beginning; what is too early is dropped
        self._packets = self._copies() if self.copied else self._encoded()
        self._next = next(self._packets, None)

    def until(self, t: float) -> Iterator[Any]:
        """Yield the packets that begin before ``t``, in seconds of the new file."""
        while self._next is not None and self._next[0] < t:
            yield self._next[1]
            self._next = next(self._packets, None)

    def close(self) -> None:
        """Close the source."""
        self._source.close()

    def _read(self) -> Iterator[Any]:
        packets = self._source.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except av.error.FFmpegError as error:
                self.note = f"the sound breaks off: {reason(error)}"
                return
            yield packet

    def _copies(self) -> Iterator[tuple[float, Any]]:
        """Yield (seconds in the new file, packet) with the source's own packets."""
        base = self._stream.time_base
        shift, last = round(self._shift / base), None
        for packet in self._read():
            stamp = packet.pts if packet.pts is not None else packet.dts
            if not packet.size or stamp is None:
                continue
            stamp -= shift
            # A packet that ends at 0 stays: it primes the decoder for the first that is heard.
            if stamp + (packet.duration or 0) * self._early < 0 or last is not None and stamp <= last:
                continue
            last = packet.pts = packet.dts = stamp
            packet.stream = self._out
            yield float(stamp * base), packet

    def _encoded(self) -> Iterator[tuple[float, Any]]:
        """Yield (seconds in the new file, packet) with the sound encoded anew."""
        for frame in self._decoded():
            for packet in self._out.encode(frame):
                yield float(packet.pts * packet.time_base), packet

    def _decoded(self) -> Iterator[Any]:
        """Yield the frames that end after 0, their timestamps in the new file, then None to flush the encoder."""
        for packet in self._read():
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                continue
            for frame in frames:
                if frame.pts is None:
                    continue
                frame.pts -= round(self._shift / frame.time_base)
                if frame.pts * frame.time_base * frame.sample_rate + frame.samples * self._early > -1:
                    yield frame
        yield None


def _open(source: str) -> tuple[Any, Any, float]:
    """Return (container, audio stream, time of the first video frame in seconds)."""
    if is_stream(source) or is_sequence(source) or is_image(source):
        raise MediaError("the source is no file with sound")
    try:
        container = av.open(open_name(source), metadata_errors="replace")
    except (av.error.FFmpegError, ValueError) as error:
        raise MediaError(f"the source cannot be opened for its sound: {reason(error)}") from None
    stream, video = container.streams.best("audio"), video_stream(container)
    if stream is None or not stream.codec_context or not stream.codec_context.sample_rate:
        container.close()
        raise MediaError("the source has no sound" if stream is None else "the source's sound has no known format")
    origin = float(video.start_time * video.time_base) if video is not None and video.start_time else 0.0
    return container, stream, origin


def _takes(muxer: str, stream: Any) -> bool:
    """Return whether a container takes the packets of ``stream``, by writing a header that declares it."""
    if muxer in COPIED and stream.codec_context.codec.canonical_name not in COPIED[muxer]:
        return False
    trial = av.open(io.BytesIO(), "w", format=muxer)
    try:
        trial.add_stream_from_template(stream)
        trial.start_encoding()
        trial.close()
    except (av.error.FFmpegError, ValueError):
        return False
    return True


def _encoder(out: Any, codec: str, stream: Any) -> Any:
    """Return a new stream of ``out`` that encodes the sound of ``stream``."""
    rate = stream.codec_context.sample_rate
    made = out.add_stream(codec, rate=rate if codec == "aac" and rate in AAC_RATES else 48000)
    channels = stream.codec_context.channels
    made.codec_context.layout = {1: "mono", 6: "5.1"}.get(channels, "stereo")
    made.codec_context.bit_rate = BITS_PER_CHANNEL * made.codec_context.channels
    return made
