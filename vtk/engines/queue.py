"""Which source is done next: so that none is left over for one process while the others have nothing to do."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice

from vtk.media.names import is_stream, open_name

MOST_HELD = 1 << 28  # bytes of lines that wait for those of sources before them
TAIL = 8  # sources a process that are left when the largest go first


class Queue:
    """The sources of a run that are still to do, by number.

    Where their order does not matter, the largest files go first. Where it does, they go in their order, as far ahead
    as there is room for what they give; only the last ones by size.

    Args:
        sources: their names.
        jobs: how many processes take them.
        root: the folder that relative names are resolved in.
        in_order: whether what is given of them is written in their order.
    """

    def __init__(self, sources: Sequence[str], jobs: int, root: str | None, in_order: bool) -> None:
        self._sources, self._jobs, self._root, self._in_order = sources, jobs, root, in_order
        self._waiting = OrderedDict.fromkeys(range(len(sources)) if in_order else self._by_size(range(len(sources))))
        self._again: list[int] = []
        self._sorted = not in_order

    def take(self, place: int, held: int) -> int | None:
        """Return the next source to do; None where there is none, or it has to wait.

        Args:
            place: the source that is written next.
            held: bytes of lines that wait for it.
        """
        if self._again:
            return self._again.pop(0)
        if not self._waiting:
            return None
        if not self._sorted and len(self._waiting) <= TAIL * self._jobs:
            self._waiting = OrderedDict.fromkeys(self._by_size(self._waiting))
            self._sorted = True
        number = next(iter(self._waiting))
        if self._in_order and held > MOST_HELD:
            number = min(islice(self._waiting, TAIL * self._jobs))
            if number >= place + self._jobs:
                return None
        del self._waiting[number]
        return number

    def back(self, number: int) -> None:
        """Give back a source whose process died: it is the next one."""
        self._again.append(number)

    def _by_size(self, numbers: Iterable[int]) -> list[int]:
        return sorted(numbers, key=lambda number: (-self._size(self._sources[number]), number))

    def _size(self, source: str) -> int:
        """Return the bytes of a source's file; 0 for what is none."""
        try:
            return 0 if is_stream(source) else os.stat(open_name(source, self._root)).st_size
        except (OSError, ValueError):
            return 0
