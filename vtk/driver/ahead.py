"""Decoding that runs ahead of the model, in a thread of its own, by so many frames."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from vtk.driver.lines import IDLE
from vtk.driver.profile import Spent

_END = object()
# Items that come together where they come fast, and seconds above which one comes slowly: to wake a thread takes as long
# as to decode a small frame.
LOT, SLOW = 4, 0.001
# Seconds that an item waits for others, at most.
NAP = 0.004


class Ahead:
    """Iterates ``items`` in a thread of its own, at most ``depth`` items ahead; an error comes at its place.

    Yields IDLE where the next item is not there yet, once, then waits for it.
    """

    def __init__(self, items: Iterable[Any], depth: int) -> None:
        self.spent = Spent()  # in the thread: busy making items, waiting for room
        self.waited = 0.0  # spent waiting for them, outside it
        self._items: deque[Any] = deque()
        self._depth = depth
        self._stop = False
        # Who waits is woken by an entry; one too many only makes it look again. What is waited for is looked at after
        # it was said that somebody waits, and changed before it is looked whether somebody does: nobody is forgotten.
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._room: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._asleep = self._eager = self._full = False
        self._thread = threading.Thread(target=self._fill, args=(items,), name="vtk-decode", daemon=True)
        self._thread.start()

    def _fill(self, items: Iterable[Any]) -> None:
        last: Any = _END
        try:
            begin = time.perf_counter()
            for item in items:
                made = time.perf_counter()
                self.spent.busy += made - begin
                self.spent.frames += 1
                if not self._put(item, made - begin > SLOW):
                    return
                begin = time.perf_counter()
                self.spent.waiting += begin - made
        except BaseException as error:  # whatever it is belongs to the thread that iterates
            last = error
        self._put(last, True)

    def _put(self, item: Any, slow: bool) -> bool:
        """Add an item once there is room; return False where nobody wants it any more."""
        while len(self._items) >= self._depth and not self._stop:
            self._full = True
            if len(self._items) >= self._depth and not self._stop:
                self._room.get()
        if self._stop:
            return False
        self._items.append(item)
        if self._asleep and (slow or self._eager or len(self._items) >= min(LOT, self._depth)):
            self._asleep = False
            self._wake.put(None)
        return True

    def __iter__(self) -> Iterator[Any]:
        while True:
            if not self._items:
                yield IDLE
                begin = time.perf_counter()
                self._await()
                self.waited += time.perf_counter() - begin
            item = self._items.popleft()
            if self._full and len(self._items) <= self._depth // 2:
                self._full = False
                self._room.put(None)
            if item is _END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def _await(self) -> None:
        """Wait for an item: a moment for some together, then for the first."""
        self._asleep = True
        if not self._items:
            try:
                self._wake.get(timeout=NAP)
            except queue.Empty:
                pass
        self._eager = True
        while not self._items:
            self._asleep = True
            if not self._items:
                self._wake.get()
        self._asleep = self._eager = False

    def close(self) -> None:
        """Stop the thread and wait for it; what it decoded ahead is dropped."""
        self._stop = True
        self._room.put(None)
        self._thread.join()
