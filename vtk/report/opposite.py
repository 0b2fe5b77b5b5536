"""The frames of references as a source that copies them goes by: one reference is open at a time, two frames held."""

from __future__ import annotations

import math
from collections.abc import Iterator

from vtk.errors import MediaError, VtkError
from vtk.media.frames import Decoded
from vtk.media.names import is_stream
from vtk.media.video import Reader, open_media

# Seconds ahead beyond which the reference is sought in, not decoded on: about what lies between two key frames.
JUMP = 5.0
# Seconds before a moment in which the frame nearest to it is looked for, two frames at least; further after a
# reference's end there is nothing.
BEFORE = 1.0


class Opposite:
    """Gives the frame of a reference that is nearest to a moment; moments mostly ascend.

    Args:
        root: the folder that relative names are resolved in.

    Attributes:
        failed: references that cannot be opened, with why.
    """

    def __init__(self, root: str | None = None) -> None:
        self._root = root
        self.failed: dict[str, VtkError] = {}
        self._ref: str | None = None
        self._reader: Reader | None = None
        self._frames: Iterator[Decoded] = iter(())
        self._shown: Decoded | None = None
        self._next: Decoded | None = None
        self._asked = 0.0
        self._before = BEFORE

    def frame(self, ref: str, t: float) -> Decoded | None:
        """Return the frame of ``ref`` nearest to second ``t``; None where it cannot be opened or ended before."""
        if ref in self.failed:
            return None
        try:
            if self._reader is None or ref != self._ref or self._is_far(t):
                self._open(ref, t)
            self._go_on(t)
        except VtkError as error:
            self.failed[ref] = error
            self.close()
            return None
        ended = self._next is None and self._shown is not None and t - self._shown.t > self._before
        return None if ended else self._shown

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels of the frames of the reference that is open.

        Raises:
            ValueError: none is.
        """
        if self._reader is None:
            raise ValueError("no reference is open; ask for a frame first")
        return self._reader.info.width, self._reader.info.height

    def close(self) -> None:
        """Close what is open."""
        reader, self._reader = self._reader, None
        self._frames, self._shown, self._next = iter(()), None, None
        if reader is not None:
            reader.close()

    def _is_far(self, t: float) -> bool:
        """Whether what is read next does not lead to ``t``, or takes long to."""
        if t < self._asked:
            return self._shown is None or self._shown.t > t
        return self._next is not None and t > self._next.t + JUMP

    def _open(self, ref: str, t: float) -> None:
        self.close()
        self._ref = ref
        if is_stream(ref) and not ref.startswith(("http://", "https://")):
            raise MediaError("is live: nothing of it can be looked up", code="E_OPEN")
        self._reader = open_media(ref, root=self._root)
        fps = self._reader.info.fps
        self._before = max(BEFORE, 2 / fps) if fps else math.inf
        begin = t - self._before
        self._frames = self._reader.frames([], lambda index, time: True, start=begin if begin > 0 else None)
        self._next = next(self._frames, None)

    def _go_on(self, t: float) -> None:
        """Read up to the frame nearest to ``t``."""
        self._asked = t
        while self._next is not None and (self._shown is None
                                          or abs(self._next.t - t) <= abs(self._shown.t - t)):
            self._shown, self._next = self._next, next(self._frames, None)
