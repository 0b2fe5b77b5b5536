"""The best crops of tracks, on disk until their source ends."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from typing import Any

from vtk.errors import VtkError
from vtk.reid.views import SPARE, Moments


@dataclass(slots=True)
class Kept:
    """One crop that waits: how well it shows its track, its row of the manifest, and where its bytes are."""

    worth: float
    row: dict[str, Any]
    start: int
    length: int


class Best:
    """The best crops of one track: at most one of each moment, and ``most`` in the end.

    The time since its first box is divided into equal moments, and where they are too many two become one, so that the
    crops lie apart and what is held has a bound: vtk.reid.views.SPARE crops for each that is taken.

    Args:
        most: how many ``chosen`` gives.
        spool: where the bytes are.
    """

    def __init__(self, most: int, spool: Spool) -> None:
        self._most, self._spool = most, spool
        self._times = Moments(most * SPARE)
        self._moments: dict[int, Kept] = {}

    def place(self, worth: float, t: float) -> int | None:
        """Return the moment that a crop at ``t`` seconds would be the best of; None where a better one is there."""
        moment, longer = self._times.at(t)
        if longer > 1:
            former, self._moments = self._moments, {}
            for before, kept in former.items():
                self._settle(before // longer, kept)
        kept = self._moments.get(moment)
        return moment if kept is None or worth > kept.worth else None

    def put(self, moment: int, worth: float, row: dict[str, Any], data: bytes) -> None:
        """Keep a crop as the best of its moment."""
        former = self._moments.pop(moment, None)
        if former is not None:
            self._spool.drop(former.start, former.length)
        self._moments[moment] = Kept(worth, row, self._spool.put(data), len(data))

    def chosen(self) -> list[Kept]:
        """Return the best crops, best first."""
        return sorted(self._moments.values(), key=lambda kept: -kept.worth)[: self._most]

    def drop(self) -> None:
        """Let go of all crops."""
        for kept in self._moments.values():
            self._spool.drop(kept.start, kept.length)
        self._moments = {}

    def _settle(self, moment: int, kept: Kept) -> None:
        """Keep the better one of two crops of a moment."""
        other = self._moments.get(moment)
        if other is not None and other.worth >= kept.worth:
            kept, other = other, kept
        if other is not None:
            self._spool.drop(other.start, other.length)
        self._moments[moment] = kept


@dataclass
class Spool:
    """Bytes on disk that come and go; what is let go of is used again, so the file is at most twice what was held."""

    _file: Any = None
    _size: int = 0
    _free: dict[int, list[int]] = field(default_factory=dict)

    def put(self, data: bytes) -> int:
        """Write ``data`` and return where it begins.

        Raises:
            VtkError: E_SPOOL, there is no room.
        """
        room = _room(len(data))
        free = self._free.get(room)
        start = free.pop() if free else self._size
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="vtk-crop-", buffering=0)
            rest, at = memoryview(data), start
            while rest:  # a write may take only a part
                taken = os.pwrite(self._file.fileno(), rest, at)
                rest, at = rest[taken:], at + taken
        except OSError as error:
            raise VtkError(f"cannot keep crops in {tempfile.gettempdir()}: {error.strerror}; TMPDIR names another "
                           "folder", code="E_SPOOL") from None
        self._size = max(self._size, start + room)
        return start

    def get(self, start: int, length: int) -> bytes:
        """Return what was written at ``start``."""
        return os.pread(self._file.fileno(), length, start)

    def drop(self, start: int, length: int) -> None:
        """Let go of what was written at ``start``."""
        self._free.setdefault(_room(length), []).append(start)

    def close(self) -> None:
        """Let go of the disk."""
        if self._file is not None:
            self._file.close()
            self._file = None


def _room(length: int) -> int:
    """Return how many bytes are set aside for ``length``: the next power of two."""
    return 1 << max(0, length - 1).bit_length()
