"""What readers without seeks share: frames come one after the other, and those wanted are picked out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from vtk.errors import MediaError
from vtk.media.frames import Decoded
from vtk.media.info import MediaInfo
from vtk.media.sampling import Size
from vtk.media.spacing import Spacing


class SequentialReader:
    """A reader that yields its frames in order by ``_read``; subclasses set ``info`` when they open the source.

    Attributes:
        info: what is known of the source; one frame was decoded before.
        errors: damage met so far.
        decoded: frames decoded so far.
    """

    info: MediaInfo

    def __init__(self) -> None:
        self.errors: list[MediaError] = []
        self.decoded = 0

    def _read(self) -> Iterator[Decoded]:
        """Yield every frame that can be had, in order."""
        raise NotImplementedError

    def frames(self, sizes: Sequence[Size], choose: Callable[[int, float], bool], start: float | None = None,
               end: float | None = None) -> Iterator[Decoded]:
        """Yield the frames that ``choose(index, t)`` wants, in order, converted to ``sizes``."""
        for frame in self._read():
            if end is not None and frame.t >= end:
                return
            if (start is None or frame.t >= start) and choose(frame.index, frame.t):
                yield frame.converted(sizes)

    def at(self, indices: Iterable[int], sizes: Sequence[Size]) -> Iterator[Decoded]:
        """Yield the frames of increasing ``indices``, pulled one by one; those that are not there are left out."""
        frames = self._read()
        held: Decoded | None = None
        for wanted in indices:
            while held is None or held.index < wanted:
                held = next(frames, None)
                if held is None:
                    return
            if held.index == wanted:
                yield held.converted(sizes)

    def key_frames(self, sizes: Sequence[Size], start: float | None = None, end: float | None = None,
                   closest: float = 0.0, furthest: float | None = None) -> Iterator[Decoded]:
        """Yield frames ``furthest`` seconds apart, every one decoded: nothing tells here which are key frames."""
        spacing = Spacing(start, end, closest, furthest)
        return self.frames(sizes, lambda index, t: spacing.takes_any(t), start, end)

    def key_spacing(self) -> float | None:
        """Return None: key frames are not known."""

    def close(self) -> None:
        """Close the source."""
