"""What PyAV says of files and URLs: opening them, their video stream, and errors as one line."""

from __future__ import annotations

from typing import Any

import av

from vtk.errors import MediaError

NETWORK = ("http://", "https://")


def open_video(path: str, threads: int | None, timeout: Any, options: dict[str, str]) -> tuple[Any, Any]:
    """Return the container of ``path`` and its video stream, ready to decode.

    Args:
        threads: how many threads decode; None is one a core.
        timeout: seconds that opening and each read may take, or a pair of them; None is no bound.
        options: FFmpeg's.

    Raises:
        MediaError: E_OPEN no media, or no video in it; E_TIMEOUT nothing came in time.
    """
    try:
        # Titles need not be UTF-8.
        container = av.open(path, timeout=timeout, options=options, metadata_errors="replace")
    except av.error.FFmpegError as error:
        raise open_error(error) from None
    stream = video_stream(container)
    if stream is None:
        kinds = ", ".join(sorted({found.type for found in container.streams})) or "nothing"
        container.close()
        raise MediaError(f"has no video stream (it has {kinds})", code="E_OPEN")
    stream.thread_type = "AUTO"
    stream.codec_context.thread_count = threads or 0
    return container, stream


def video_stream(container: Any) -> Any:
    """Return the stream that ffmpeg would show: the best that is not a cover picture, or None."""
    best = container.streams.best("video")
    if best is not None and not is_cover(best):
        return best
    return next((stream for stream in container.streams.video if not is_cover(stream)), best)


def is_cover(stream: Any) -> bool:
    """Return whether a video stream is a cover picture of music or the like."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def rotation_of(frame: Any) -> int:
    """Return by how many degrees clockwise a frame is turned for display: 0, 90, 180 or 270."""
    return -round(frame.rotation / 90) * 90 % 360


def displayed(frame: Any) -> tuple[int, int]:
    """Return (width, height) in pixels of a frame as it is displayed."""
    return (frame.height, frame.width) if rotation_of(frame) % 180 else (frame.width, frame.height)


def network_options(path: str, timeout: float | None) -> dict[str, str]:
    """Return FFmpeg's options for ``path``: HTTP connections are taken up where they broke."""
    if not path.startswith(NETWORK) or timeout is None:
        return {}
    return {"reconnect": "1", "reconnect_on_network_error": "1", "reconnect_delay_max": str(max(1, round(timeout)))}


def open_error(error: Exception) -> MediaError:
    """Return why a source could not be opened."""
    if is_timeout(error):
        return MediaError("cannot be opened: nothing came in time", code="E_TIMEOUT")
    why = "it is no media, or its header is damaged" if isinstance(error, av.error.InvalidDataError) else reason(error)
    return MediaError(f"cannot be opened: {why}", code="E_OPEN")


def is_timeout(error: Exception) -> bool:
    """Return whether nothing came in time; FFmpeg's exit was asked for by PyAV's clock."""
    return isinstance(error, (av.error.TimeoutError, av.error.ExitError))


def reason(error: Exception) -> str:
    """Return what FFmpeg says went wrong, as one short line."""
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(text.split())
