"""Joins video files that were encoded alike, one behind the other, without encoding anything."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import av

from vtk.errors import MediaError, UsageError
from vtk.media.container import reason
from vtk.media.names import suffix
from vtk.media.packing import CONTAINERS


def join_files(parts: Sequence[str], target: str) -> None:
    """Write the streams of ``parts`` one behind the other into ``target``, which appears when it is whole.

    Args:
        parts: files of a video stream each and perhaps one of sound, in order, all of the same codecs and sizes.
        target: the new file.

    Raises:
        UsageError: no such suffix.
        MediaError: E_ENCODE, they are not alike, or the file cannot be written.
    """
    muxer = CONTAINERS.get(suffix(target))
    if muxer is None:
        raise UsageError(f"{target}: a video is written to a name that ends in {', '.join(CONTAINERS)}")
    part = target + ".part"
    options = {"movflags": "+faststart"} if muxer in ("mp4", "mov") else {}
    try:
        with av.open(part, "w", format=muxer, container_options=options) as out:
            _append_all(out, parts)
        os.replace(part, target)
    except (av.error.FFmpegError, OSError) as error:
        raise MediaError(f"cannot write {target}: {reason(error)}", code="E_ENCODE") from None
    finally:
        if os.path.lexists(part):
            os.unlink(part)


def _append_all(out: Any, parts: Sequence[str]) -> None:
    streams: dict[str, Any] = {}
    looks: dict[str, tuple[Any, ...]] = {}
    latest: dict[str, float] = {}
    offset = 0.0
    for number, path in enumerate(parts):
        with av.open(path) as source:
            kinds = {stream.type: stream for stream in source.streams if stream.type in ("video", "audio")}
            if not number:
                streams = {kind: out.add_stream_from_template(stream) for kind, stream in kinds.items()}
                looks = {kind: _look(stream) for kind, stream in kinds.items()}
                for kind, stream in kinds.items():
                    streams[kind].time_base = stream.time_base
                out.start_encoding()
            if {kind: _look(stream) for kind, stream in kinds.items()} != looks:
                raise MediaError(f"part {number + 1} is not encoded as the first: --cut exact joins any",
                                 code="E_ENCODE")
            offset += _append(out, source, kinds, streams, offset, latest)


def _append(out: Any, source: Any, kinds: dict[str, Any], streams: dict[str, Any], offset: float,
            latest: dict[str, float]) -> float:
    """Append one file at ``offset`` seconds; return how long its pictures last."""
    length = 0.0
    for packet in source.demux(*kinds.values()):
        if packet.dts is None or not packet.size:
            continue
        kind, base = packet.stream.type, packet.time_base
        shift = round(offset / base)
        shown = packet.pts if packet.pts is not None else packet.dts
        if kind == "video":
            length = max(length, float((shown + (packet.duration or 0)) * base))
        packet.pts, packet.dts = shown + shift, packet.dts + shift
        if kind in latest and packet.dts * base <= latest[kind]:
            if kind == "audio":
                continue  # sound of the part before runs a packet over its end
            packet.dts = int(latest[kind] / base) + 1
            packet.pts = max(packet.pts, packet.dts)
        latest[kind] = packet.dts * base
        packet.stream = streams[kind]
        out.mux(packet)
    return length


def _look(stream: Any) -> tuple[Any, ...]:
    """Return what has to be equal in streams that are joined."""
    context = stream.codec_context
    same = (context.width, context.height, context.pix_fmt) if stream.type == "video" else (
        context.sample_rate, context.layout.name)
    return (context.name, bytes(context.extradata or b""), *same)
