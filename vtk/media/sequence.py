"""A folder of pictures as one video."""

from __future__ import annotations

import configparser
import math
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.names import is_image
from vtk.media.picture import Picture, read_picture
from vtk.media.resize import resizer
from vtk.media.sampling import Size

DEFAULT_FPS = 25.0
_DIGITS = re.compile(r"([0-9]+)")


class SequenceReader:
    """Reads the pictures of a folder in natural order (2 before 10); sub-folders are not looked into.

    The n-th file is frame n, with n as its timestamp, at n / ``framerate`` seconds, whether it can be read or not.
    A frame that cannot, or has another size than the first that can, is left out and noted in ``errors``.

    A folder of the MOT Challenge may be named as well, above its ``img1``: its ``seqinfo.ini`` says where the pictures
    are, and the frame rate.

    Args:
        folder: the path.
        framerate: frames a second; None takes ``frameRate`` of ``seqinfo.ini`` in the folder or above it, else 25.

    Raises:
        MediaError: E_OPEN no such folder; E_EMPTY no picture in it; E_DECODE none of them can be read.
        UsageError: a frame rate that is not positive.
    """

    def __init__(self, folder: str, framerate: float | None = None) -> None:
        if framerate is not None and not 0 < framerate < math.inf:
            raise UsageError(f"--framerate {framerate:g}: frames a second, more than 0, are needed")
        self.errors: list[MediaError] = []
        self.decoded = 0
        folder, stated = _described(folder)
        self._paths = pictures(folder)
        if not self._paths:
            raise MediaError("holds no pictures", code="E_EMPTY")
        self._rate = framerate or stated or DEFAULT_FPS
        first = self._first()
        height, width = self._shape = first.image.shape[:2]
        self.info = MediaInfo("sequence", width, height, self._rate, len(self._paths) / self._rate, first.codec,
                              first.rotation, frames=len(self._paths), decoder="pillow")

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order; only those are decoded.

        Args:
            sizes: sizes to convert to here; others are converted when they are asked for.
            choose: called once for each file from ``start`` on, before it is known whether it can be read.
            start, end: seconds.
        """
        # 1e-6 s: a frame that rounding puts just before the start belongs to the span.
        first = max(0, math.ceil(((start or 0.0) - 1e-6) * self._rate))
        for index in range(first, len(self._paths)):
            t = index / self._rate
            if end is not None and t >= end:
                return
            if choose(index, t) and (frame := self._frame(index, sizes)) is not None:
                yield frame

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of ``indices``; missing ones are left out."""
        for index in indices:
            if 0 <= index < len(self._paths) and (frame := self._frame(index, sizes)) is not None:
                yield frame

    def close(self) -> None:
        """Nothing: each file is closed when it has been read."""

    def _first(self) -> Picture:
        """Return the first picture that can be read; those before it are noted when they are wanted."""
        problem: MediaError | None = None
        for path in self._paths:
            try:
                return read_picture(path)
            except MediaError as error:
                problem = problem or error
        raise MediaError(f"none of its {len(self._paths)} pictures can be read; the first {problem}")

    def _frame(self, index: int, sizes: Sequence[Size]) -> Decoded | None:
        """Return frame ``index``, or None, with the reason in ``errors``."""
        path = self._paths[index]
        label = f"frame {index} ({os.fsencode(os.path.basename(path)).decode('utf-8', 'replace')})"
        try:
            picture = read_picture(path)
        except MediaError as error:
            self.errors.append(MediaError(f"{label} {error}", code=error.code))
            return None
        height, width = picture.image.shape[:2]
        if (height, width) != self._shape:
            self.errors.append(MediaError(f"{label} is {width} x {height}: {self.info.width} x {self.info.height}, "
                                          "the size of the first, is expected of all"))
            return None
        if picture.damage:
            self.errors.append(MediaError(f"{label}: only part of it could be decoded: {picture.damage}"))
        self.decoded += 1
        frame = Decoded(index, index, index / self._rate, width, height, resizer(picture.image))
        for size in sizes:
            frame.image(size)
        return frame


def pictures(folder: str) -> list[str]:
    """Return the paths of a folder's pictures in natural order; hidden files do not count."""
    try:
        names = [entry.name for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError as error:
        raise MediaError(f"cannot be opened: {error.strerror}", code="E_OPEN") from None
    paths = (os.path.join(folder, name) for name in sorted(names, key=natural))
    return [path for path in paths if is_image(os.path.basename(path)) and os.path.isfile(path)]


def natural(name: str) -> tuple[list[tuple[int, str]], str]:
    """Return a key that sorts names with their numbers by value: 2 before 10."""
    parts = _DIGITS.split(name)
    # Every second part is a number; the name itself settles ties such as 1 and 01.
    return [(int(part), "") if place % 2 else (0, part) for place, part in enumerate(parts)], name


def _described(folder: str) -> tuple[str, float | None]:
    """Return the folder that holds the pictures and their rate, as ``seqinfo.ini`` in it or above it says."""
    for place in (folder, os.path.join(folder, os.pardir)):
        described = configparser.ConfigParser(interpolation=None)
        try:
            found = described.read(os.path.join(place, "seqinfo.ini"), encoding="utf-8-sig")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if not found or not described.has_section("Sequence"):
            continue
        inner = described.get("Sequence", "imDir", fallback="")
        if place == folder and inner and os.path.isdir(os.path.join(folder, inner)):
            folder = os.path.join(folder, inner)
        elif place != folder and inner and os.path.basename(os.path.realpath(folder)) != inner:
            continue
        return folder, _rate(described.get("Sequence", "frameRate", fallback=""))
    return folder, None


def _rate(text: str) -> float | None:
    """Return a frame rate, or None for what is none."""
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if 0 < rate < math.inf else None
