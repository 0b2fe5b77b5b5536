"""Opens a source, whatever it is: one interface over all readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol

from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.names import DECODERS, IMAGE_SUFFIXES, is_stream, open_name, suffix
from vtk.media.sampling import Size


class Reader(Protocol):
    """Gives the frames of one source in displayed orientation.

    Attributes:
        info: what is known of it; one frame was decoded before.
        errors: damage met so far; iteration never raises for it.
        decoded: frames decoded so far.
    """

    info: MediaInfo
    errors: list[MediaError]
    decoded: int

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order, converted to ``sizes``."""

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of increasing ``indices``, pulled one by one."""

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield key frames alone, from the source's beginning, with the index, pts and t that ``frames`` gives them.

        Key frames are the pictures that the container marks and that stand by themselves. What lies between them is
        not decoded. Where they are not marked, or timestamps do not tell the order of frames, or packets of a steady
        stream are missing and no index tells how many, all is decoded and frames ``furthest`` seconds apart are given
        (1 where it is None, and not less than ``closest``): an index is never guessed. OpenCV and live streams are
        always read so; images are key frames all. Damage in packets that are not decoded is not met. Open the source
        anew to read other frames of it.

        Args:
            sizes: as for ``frames``.
            start, end: half-open span in seconds from the first frame.
            closest: a key frame nearer to the one given before, in seconds, is passed over, and not decoded.
            furthest: where no key frame comes for longer, what is between is decoded, and the first frame after so
                many seconds is given; None is key frames alone, however far apart.

        Raises:
            ValueError: an interval is negative, or ``furthest`` is below ``closest``.
        """

    def key_spacing(self) -> float | None:
        """Return the longest seconds without a key frame, from packets alone; None where nothing tells."""

    def close(self) -> None:
        """Close the source."""


def open_media(name: str, decoder: str = "auto", threads: int | None = None, timeout: float = 10.0,
               root: str | os.PathLike[str] | None = None, framerate: float | None = None) -> Reader:
    """Return a reader of the source ``name``, of which one frame could be decoded.

    Args:
        name: a path, a ``file:`` URI, a URL, ``seq:FOLDER`` or ``webcam:N``.
        decoder: auto (PyAV), pyav, decord or opencv; for files.
        threads: bound on decoding threads.
        timeout: seconds of silence after which a stream is given up.
        root: folder of relative paths.
        framerate: frames a second of ``seq:FOLDER``.

    Raises:
        MediaError: E_OPEN it is not there or no media; E_EMPTY an empty file; E_DECODE not one frame can be decoded.
        UsageError: no such decoder.
    """
    if decoder not in DECODERS:
        raise UsageError(f"--decoder is '{decoder}': it is one of {', '.join(DECODERS)}")
    try:
        path = open_name(name, root)
    except ValueError as error:
        raise MediaError(str(error), code="E_OPEN") from None
    if name.startswith("webcam:"):
        from vtk.media.opencv import OpencvReader

        return OpencvReader(path)
    if name.startswith(("http://", "https://")):
        from vtk.media.pyav import PyavReader

        return PyavReader(path, threads, timeout=timeout)
    if is_stream(name):
        from vtk.media.live import LiveReader

        return LiveReader(path, threads=threads, timeout=timeout)
    if name.startswith("seq:"):
        from vtk.media.sequence import SequenceReader

        return SequenceReader(path.removeprefix("seq:"), framerate)
    if suffix(path) in (".jsonl", ".ndjson"):
        raise MediaError("holds records, no media: pipe it in with <", code="E_OPEN")
    size, fingerprint = _look(path)
    if suffix(path) in IMAGE_SUFFIXES:
        from vtk.media.image import ImageReader

        return ImageReader(path, size, fingerprint)
    if decoder == "opencv":
        from vtk.media.opencv import OpencvReader

        return OpencvReader(path, size, fingerprint, threads)
    if decoder == "decord":
        from vtk.media.decord import DecordReader

        return DecordReader(path, threads, size, fingerprint)
    from vtk.media.pyav import PyavReader

    return PyavReader(path, threads, size, fingerprint)


def _look(path: str) -> tuple[int, str]:
    """Return size in bytes and fingerprint of a file that is about to be opened."""
    from vtk.media.fingerprint import fingerprint

    try:
        if os.path.isdir(path):
            os.scandir(path).close()  # why it cannot be read matters more
            raise MediaError("is a folder; seq:FOLDER reads its images as one video", code="E_OPEN")
        size = os.path.getsize(path)
        if size == 0 and os.path.isfile(path):
            raise MediaError("is an empty file", code="E_EMPTY")
        return size, fingerprint(path)
    except OSError as error:
        raise MediaError(f"cannot be opened: {error.strerror}", code="E_OPEN") from None
