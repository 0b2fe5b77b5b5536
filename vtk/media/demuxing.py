"""The packets of a video stream, over those that cannot be read and over gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import av

from vtk.media.container import is_timeout, reason

# A demuxer that stumbles over one packet may give the next; a cut file stumbles over all that follow.
STUMBLES = 64
SILENCE = "nothing more came in time (--timeout)"


def packets(container: Any, stream: Any, note: Callable[[str], object]) -> Iterator[Any]:
    """Yield the packets of ``stream`` from here on; None or an empty one drains the decoder.

    Where the demuxer gives up although the file's index knows of key frames that are still to come (a damaged
    Matroska cluster), it goes on at the next of them.
    """
    last: int | None = None
    before: int | None = None  # the latest timestamp before the gap
    tried: int | None = None
    for _ in range(STUMBLES):
        for packet in _readable(container, stream, note):
            stamp = _latest(packet)
            if stamp is not None and before is not None and stamp <= before:
                continue  # it came before the gap
            if stamp is not None:
                last = stamp if last is None else max(last, stamp)
            yield packet
        key = _key_after(container, stream, last, tried)
        if key is None:
            return
        if tried is None:
            note("reading stops before the end")
        tried, before = key, last
        try:
            container.seek(tried, stream=stream, backward=True, any_frame=False)
        except av.error.FFmpegError:
            continue


def _readable(container: Any, stream: Any, note: Callable[[str], object]) -> Iterator[Any]:
    """Yield packets up to the end that the demuxer finds, at last one that drains the decoder."""
    stumbles = 0
    while stumbles < STUMBLES:
        try:
            for packet in container.demux(stream):
                stumbles = 0
                yield packet
            return
        except av.error.InvalidDataError as error:
            if not stumbles:
                note(f"a packet cannot be read: {reason(error)}")
            stumbles += 1
        except av.error.FFmpegError as error:
            note(SILENCE if is_timeout(error) else f"reading stops: {reason(error)}")
            break
    yield None


def _latest(packet: Any) -> int | None:
    """Return the later of a packet's timestamps, or None."""
    if packet is None:
        return None
    return max((stamp for stamp in (packet.pts, packet.dts) if stamp is not None), default=None)


def _key_after(container: Any, stream: Any, last: int | None, tried: int | None) -> int | None:
    """Return the first key frame in the file's index after ``last`` and ``tried``, or None."""
    # FFmpeg finds its way in AVI, and counts wrong there; a server that broke off is not asked again.
    if last is None or container.format.name == "avi" or "://" in container.name:
        return None
    if tried is None and "matroska" in container.format.name:
        try:
            container.seek(last, stream=stream, backward=True)  # FFmpeg reads the index of Matroska when it seeks
        except av.error.FFmpegError:
            return None
    after = max(last, tried if tried is not None else last)
    return min((entry.timestamp for entry in stream.index_entries if entry.is_keyframe and entry.timestamp > after),
               default=None)
