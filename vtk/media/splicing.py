"""Cuts a span of H.264 at any frame, and encodes only what does not begin and end with whole groups of pictures.

The frames before the span's first key frame, and the last ones where they build on what comes after the span,
are encoded anew; all between are packets of the source. Both stand in one stream: what is encoded anew has
parameter sets of its own number, which stand beside the source's in the file's head.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av

from vtk.errors import MediaError
from vtk.media.avc import AvcConfig, nal_kinds, prefixed
from vtk.media.cutting import Cut, Track, open_track, stamp_of
from vtk.media.packing import PacketWriter
from vtk.media.timeline import REORDERED

PROFILES = {"Constrained Baseline": "baseline", "Baseline": "baseline", "Main": "main", "High": "high"}
PIXELS = ("yuv420p", "yuvj420p")
_IDR = 5


class UnfitError(MediaError):
    """A source or a span that cannot be spliced, and why."""

    code = "E_SPLICE"


@dataclass(frozen=True)
class _Plan:
    """Where it is cut, in ticks: [head, copied) is encoded anew, [copied, tail) copied, [tail, end) encoded anew.

    ``depth`` is by how many places a frame that is copied is shown before those that were decoded before it.
    """

    head: int
    copied: int
    tail: int
    end: int
    depth: int


def splice_span(path: str, target: str, start: float, end: float, frames: tuple[int, int] | None = None,
                sound: bool = True, crf: int = 18, preset: str = "veryfast") -> Cut:
    """Write exactly the frames shown from ``start`` to ``end`` into a new file, most of them copied.

    Args:
        path: the source, a file with H.264 in MP4, MOV or Matroska.
        target: the new file, of one of these containers.
        start, end, frames: the span, as ``Track.span`` takes it.
        sound: whether its sound goes along, copied.
        crf, preset: quality and effort of the encoder.

    Raises:
        UnfitError: it cannot be done so: encode the whole span.
        MediaError: no frame is in the span, or the file cannot be written.
    """
    track = open_track(path)
    try:
        config = _config(track)
        first, last = track.span(start, end, frames)
        plan = _plan(track, config, first, last)
        encoder = _Encoder(path, track, config, crf, preset)
        pieces = [*([encoder.packets(plan.head, plan.copied)] if plan.copied > plan.head else []),
                  _copied(track, plan), *([encoder.packets(plan.tail, plan.end)] if plan.end > plan.tail else [])]
        begin = track.seconds(plan.head)
        writer = PacketWriter(target, track.stream, path if sound else None, begin, encoder.extradata())
        try:
            _write(writer, track, pieces, track.timeline.stamps[first:last], plan.depth)
            until = track.seconds(track.past(last))
            writer.close(until - begin)
        except BaseException:
            writer.abort()
            raise
    finally:
        track.container.close()
    places = [track.timeline.rank(stamp) for stamp in (plan.head, plan.copied, plan.tail)]
    return Cut(begin, until, last - first, places[2] - places[1], places[1] - places[0])


def _config(track: Track) -> AvcConfig:
    """Return the decoder's configuration of a track that can be spliced."""
    context = track.stream.codec_context
    if context.name != "h264" or context.profile not in PROFILES or context.pix_fmt not in PIXELS:
        raise UnfitError(f"it holds {context.name} {context.profile or ''} {context.pix_fmt}".replace("  ", " "))
    try:
        return AvcConfig.parse(bytes(context.extradata or b""))
    except ValueError as error:
        raise UnfitError(f"its head cannot be read: {error}") from None


def _plan(track: Track, config: AvcConfig, first: int, last: int) -> _Plan:
    """Return which frames are copied: from the first key frame that stands for itself on, as far as none is missing.

    Raises:
        UnfitError: there is none.
    """
    timeline = track.timeline
    begin, end = timeline.stamps[first], track.past(last)
    key = tail = None
    count, depth, furthest = 0, 0, begin
    for packet in track.packets(timeline.key_before(begin)):
        stamp = stamp_of(packet)
        if key is None and begin <= stamp < end and packet.is_keyframe:
            key = stamp if _IDR in nal_kinds(bytes(packet), config.length) else None
        if key is None:
            if stamp >= end and packet.is_keyframe:
                break
            continue
        depth = max(depth, count - (timeline.rank(stamp) - timeline.rank(key)))
        count, furthest = count + 1, max(furthest, stamp)
        place = timeline.rank(furthest) + 1
        if furthest < end and place - timeline.rank(key) == count:  # all up to here, and nothing beyond
            tail = track.past(place)
        if place - last > REORDERED:
            break
    if key is None or tail is None:
        raise UnfitError("no key frame is in it")
    return _Plan(begin, key, tail, end, depth)


def _copied(track: Track, plan: _Plan) -> Iterator[tuple[int, Any]]:
    """Yield (when shown, packet) of what is copied."""
    left = track.timeline.rank(plan.tail) - track.timeline.rank(plan.copied)
    for packet in track.packets(plan.copied):
        if not left:
            return
        left -= 1
        yield stamp_of(packet), packet


def _write(writer: PacketWriter, track: Track, pieces: list[Iterator[tuple[int, Any]]], stamps: list[int],
           depth: int) -> None:
    """Write packets, which are shown at ``stamps``, from time 0 on.

    Raises:
        UnfitError: they are not as many, or not in an order that can be decoded.
    """
    head, count = stamps[0], 0
    step = stamps[1] - head if len(stamps) > 1 else 1
    for piece in pieces:
        for shown, packet in piece:
            # Matroska does not say when a frame is decoded: here it is when the one ``depth`` places before is shown.
            place = count - depth
            order = stamps[min(place, len(stamps) - 1)] if place >= 0 else head + step * place
            if order > shown:
                raise UnfitError("its packets are decoded in an order that nothing fits between")
            count += 1
            packet.pts, packet.dts, packet.time_base = shown - head, order - head, track.stream.time_base
            writer.put(packet)
    if count != len(stamps):
        raise UnfitError(f"{count} of {len(stamps)} frames could be read")


class _Encoder:
    """Encodes frames of a track as H.264 that stands beside the track's own."""

    def __init__(self, path: str, track: Track, config: AvcConfig, crf: int, preset: str) -> None:
        self._path, self._track, self._config = path, track, config
        self._crf, self._preset = crf, preset
        self._number = config.free_number()

    def extradata(self) -> bytes:
        """Return the decoder's configuration with the parameter sets of both."""
        context = self._context()
        context.open()
        source = self._track.stream.codec_context
        blank = av.VideoFrame(source.width, source.height, "yuv420p")
        for plane in blank.planes:
            plane.update(bytes(plane.buffer_size))
        blank.pts, blank.time_base = 0, self._track.stream.time_base
        packets = [*context.encode(blank), *context.encode(None)]
        return self._config.joined(b"".join(map(bytes, packets)))

    def packets(self, begin: int, end: int) -> Iterator[tuple[int, Any]]:
        """Yield (when shown, packet) of the frames shown from ``begin`` to ``end``, in ticks."""
        context = self._context()
        for frame in self._frames(begin, end):
            frame.pict_type = av.video.frame.PictureType.NONE
            yield from self._packed(context.encode(frame))
        yield from self._packed(context.encode(None))

    def _packed(self, packets: list[Any]) -> Iterator[tuple[int, Any]]:
        for packet in packets:
            made = av.Packet(prefixed(bytes(packet), self._config.length))
            made.is_keyframe = packet.is_keyframe
            yield packet.pts, made

    def _frames(self, begin: int, end: int) -> Iterator[Any]:
        """Yield the decoded frames of the source, as they are stored."""
        with av.open(self._path, metadata_errors="replace") as container:
            stream = container.streams[self._track.stream.index]
            stream.thread_type = "AUTO"
            container.seek(self._track.timeline.key_before(begin), stream=stream, backward=True)
            for frame in container.decode(stream):
                if frame.pts is None or frame.interlaced_frame or frame.is_corrupt:
                    raise UnfitError("a frame of it is damaged, interlaced or without a time")
                if frame.pts >= end:
                    return
                if frame.pts >= begin:
                    yield frame

    def _context(self) -> Any:
        source = self._track.stream.codec_context
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = source.width, source.height, source.pix_fmt
        context.time_base = self._track.stream.time_base
        context.framerate = self._track.stream.average_rate or Fraction(25)
        if source.sample_aspect_ratio:
            context.sample_aspect_ratio = source.sample_aspect_ratio
        context.color_range, context.colorspace = source.color_range, source.colorspace
        context.color_primaries, context.color_trc = source.color_primaries, source.color_trc
        # No frame builds on a later one: when each is decoded is then known without asking.
        context.options = {"crf": str(self._crf), "preset": self._preset, "profile": PROFILES[source.profile],
                           "x264-params": f"sps-id={self._number}:bframes=0:stitchable=1"}
        return context
