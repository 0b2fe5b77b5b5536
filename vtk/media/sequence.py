"""A folder of images as one video: ``seq:DIR``."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from vtk.errors import MediaError
from vtk.media.frames import Decoded, resizer
from vtk.media.image import load
from vtk.media.info import MediaInfo
from vtk.media.names import IMAGE_SUFFIXES, suffix
from vtk.media.reader import SequentialReader
from vtk.media.sampling import Size
from vtk.media.spacing import Spacing

DEFAULT_FRAMERATE = 25.0


class SequenceReader(SequentialReader):
    """Reads the images of a folder in natural order (2 before 10) as frames of one video.

    The rate is ``framerate``, else what the folder's seqinfo.ini says (MOTChallenge: it stands in the folder or in
    the one above), else 25. An image that cannot be read is a lost frame; the others keep their numbers.
    """

    def __init__(self, folder: str, framerate: float | None = None) -> None:
        super().__init__()
        if framerate is not None and not 0 < framerate < float("inf"):
            raise ValueError(f"framerate is {framerate}; expected frames per second above 0")
        self._paths = images_in(folder)
        self._rate = framerate or _declared_rate(folder) or DEFAULT_FRAMERATE
        self._size: tuple[int, int] | None = None  # of the first image that can be read; the others come in it
        first = self._first()
        count = len(self._paths)
        width, height = self._size
        self.info = MediaInfo("sequence", width, height, self._rate, count / self._rate,
                              suffix(self._paths[first.index]).removeprefix("."), frames=count, decoder="pillow")

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of increasing ``indices``, each loaded by itself."""
        for wanted in indices:
            if 0 <= wanted < len(self._paths):
                frame = self._load(wanted)
                if frame is not None:
                    yield frame.converted(sizes)

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order; nothing before ``start`` is loaded."""
        for index in range(len(self._paths)):
            t = index / self._rate
            if end is not None and t >= end:
                return
            if start is not None and t < start:
                continue
            # Loaded before it is chosen: what was chosen must come.
            frame = self._load(index)
            if frame is not None and choose(index, t):
                yield frame.converted(sizes)

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that lie ``closest`` seconds apart: every image is a key frame; others are not loaded."""
        spacing = Spacing(start, end, closest, furthest)
        for index in range(len(self._paths)):
            if spacing.would_take(index / self._rate, key=True):
                for frame in self.at([index], sizes):  # none where the image is lost: the next stands in for it
                    spacing.takes(frame.t, key=True)
                    yield frame

    def key_spacing(self) -> float | None:
        """Return the seconds between images."""
        return 1 / self._rate

    def _first(self) -> Decoded:
        """Return the first image that can be read; raise the first one's error where none can."""
        for index in range(len(self._paths)):
            frame = self._load(index)
            if frame is not None:
                self.errors.clear()  # met again, and noted, when the frames are read
                self.decoded = 0
                return frame
        raise MediaError(f"none of its {len(self._paths)} images can be read: {self.errors[0]}")

    def _load(self, index: int) -> Decoded | None:
        path = self._paths[index]
        try:
            image, _, _ = load(path)
        except MediaError as error:
            self.errors.append(MediaError(f"frame {index} ({os.path.basename(path)!r}) is lost: {error}"))
            return None
        self.decoded += 1
        height, width = image.shape[:2]
        self._size = self._size or (width, height)
        return Decoded(index, None, index / self._rate, *self._size, resizer(image))


def natural(name: str) -> list[tuple[int, int | str]]:
    """Return a key that sorts names as people do: numbers by their value."""
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split(r"(\d+)", name) if part]


def images_in(folder: str) -> list[str]:
    """Return the paths of the images in ``folder``, in natural order."""
    try:
        names = [name for name in os.listdir(folder) if not name.startswith(".") and suffix(name) in IMAGE_SUFFIXES]
    except OSError as error:
        raise MediaError(f"cannot be opened: {error.strerror} (seq: takes a folder of images)", code="E_OPEN") from None
    if not names:
        raise MediaError("holds no images; seq: takes a folder of images", code="E_EMPTY")
    return [os.path.join(folder, name) for name in sorted(names, key=natural)]


def _declared_rate(folder: str) -> float | None:
    """Return the frame rate of the folder's seqinfo.ini, None where there is none or it says none."""
    for place in (folder, os.path.dirname(os.path.abspath(folder))):
        parser = configparser.ConfigParser()
        try:
            if parser.read(os.path.join(place, "seqinfo.ini"), encoding="utf-8"):
                rate = parser.getfloat("Sequence", "frameRate", fallback=0.0)
                return rate if rate > 0 else None
        except (configparser.Error, ValueError, OSError) as error:
            raise MediaError(f"has a seqinfo.ini that cannot be read: {' '.join(str(error).split())}",
                             code="E_OPEN") from None
    return None
