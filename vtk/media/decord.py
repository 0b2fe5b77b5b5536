"""decord behind the reader interface (``--decoder decord``)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from vtk.errors import MediaError
from vtk.media.frames import Decoded, resizer
from vtk.media.info import MediaInfo
from vtk.media.reader import SequentialReader
from vtk.media.sampling import Size
from vtk.media.spacing import Spacing


class DecordReader(SequentialReader):
    """Reads a file by decord.

    Its faults (measured): MPEG-TS gives wrong frames silently, AV1 and files that are cut do not open, damage
    ends the file, it keeps gigabytes of a 1080p file in memory, and it opens no name that is not UTF-8.
    """

    def __init__(self, path: str, threads: int | None = None, size: int | None = None,
                 fingerprint: str | None = None) -> None:
        super().__init__()
        self._video = _open(path, threads)
        try:
            self._count = len(self._video)
            # (N, 2) float32 seconds, start and end: no finer than 0.1 ms after an hour.
            self._spans = self._video.get_frame_timestamp(range(self._count)).astype(np.float64)
            first = self._take(0)
        except Exception as error:
            raise _failure("no frame could be decoded by decord", error) from None
        height, width = first.image().shape[:2]
        rate = float(self._video.get_avg_fps())
        self.info = MediaInfo("video", width, height, rate or None, self._time(self._count - 1, end=True),
                              frames=self._count, size=size, fingerprint=fingerprint, decoder="decord")

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order, converted to ``sizes``."""
        for index in range(self._count):
            t = self._time(index)
            if end is not None and t >= end:
                return
            if start is not None and t < start:
                continue
            frame = self._try(index)
            if frame is None:
                return
            if choose(index, t):
                yield frame.converted(sizes)

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of increasing ``indices``; decord seeks by itself."""
        for wanted in indices:
            if 0 <= wanted < self._count:
                frame = self._try(wanted)
                if frame is None:
                    return
                yield frame.converted(sizes)

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield the key frames, and others where they lie further apart than ``furthest``; decord seeks by itself."""
        spacing, keys = Spacing(start, end, closest, furthest), set(self._video.get_key_indices())
        wanted = (index for index in range(self._count) if spacing.takes(self._time(index), index in keys))
        return self.at(wanted, sizes)

    def key_spacing(self) -> float | None:
        """Return the longest seconds between key frames, or to either end."""
        marks = [0, *self._video.get_key_indices(), self._count - 1]
        return max(self._time(after) - self._time(before) for before, after in zip(marks, marks[1:]))

    def close(self) -> None:
        """Let the file go."""
        self._video = None

    def _try(self, index: int) -> Decoded | None:
        try:
            return self._take(index)
        except Exception as error:  # decord raises its own error, RuntimeError and IndexError alike
            self.errors.append(_failure(f"reading stops before frame {index}", error))
            return None

    def _take(self, index: int) -> Decoded:
        image: np.ndarray = self._video[index].asnumpy()
        self.decoded += 1
        height, width = image.shape[:2]
        return Decoded(index, None, self._time(index), width, height, resizer(image))

    def _time(self, index: int, end: bool = False) -> float:
        """Return when frame ``index`` starts or ends, in seconds from the first frame."""
        return max(0.0, float(self._spans[index, 1 if end else 0] - self._spans[0, 0]))


def _open(path: str, threads: int | None) -> Any:
    try:
        import decord
    except (ImportError, OSError) as error:
        raise MediaError(f"decord cannot be loaded ({' '.join(str(error).split())}); --decoder pyav needs nothing more",
                         code="E_OPEN") from None
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        raise MediaError("has a name that is not UTF-8, which decord cannot open; --decoder pyav can",
                         code="E_OPEN") from None
    try:
        return decord.VideoReader(path, ctx=decord.cpu(0), num_threads=threads or 0)
    except Exception as error:
        raise _failure("cannot be opened by decord", error, "E_OPEN") from None


def _failure(what: str, error: Exception, code: str = "E_DECODE") -> MediaError:
    """Return decord's error as one line, without the clock, source files and native stack that it carries."""
    first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    said = re.sub(r"\[[\d:]+\] \S+:\d+: (Error: |Check failed: )?", "", first).strip()
    return MediaError(f"{what}: {said}; --decoder pyav reads more", code=code)
