"""Decoding that runs ahead of the model, in a thread with a bounded queue."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any

from vtk.driver.lines import IDLE
from vtk.driver.profile import Spent

_END = object()


class Ahead:
    """Iterates ``items`` in a thread of its own, at most ``depth`` items ahead; an error comes at its place.

    Yields IDLE where the next item is not there yet, once, then waits for it.
    """

    def __init__(self, items: Iterable[Any], depth: int) -> None:
        self._queue: queue.Queue[Any] = queue.Queue(maxsize=depth)
        self._stop = threading.Event()
        self.spent = Spent()  # in the thread: busy making items, waiting for room
        self.waited = 0.0  # spent waiting for them, outside it
        self._thread = threading.Thread(target=self._fill, args=(items,), name="vtk-decode", daemon=True)
        self._thread.start()

    def _fill(self, items: Iterable[Any]) -> None:
        last: Any = _END
        try:
            begin = time.perf_counter()
            for item in items:
                made = time.perf_counter()
                self.spent.add(Spent(busy=made - begin, frames=1))
                if not self._put(item):
                    return
                begin = time.perf_counter()
                self.spent.waiting += begin - made
        except BaseException as error:  # whatever it is belongs to the thread that iterates
            last = error
        self._put(last)

    def _put(self, item: Any) -> bool:
        while not self._stop.is_set():
            try:
                self._queue.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def __iter__(self) -> Iterator[Any]:
        while True:
            if self._queue.empty():
                yield IDLE
            begin = time.perf_counter()
            item = self._queue.get()
            self.waited += time.perf_counter() - begin
            if item is _END:
                return
            if isinstance(item, BaseException):
                raise item
            yield item

    def close(self) -> None:
        """Stop the thread and wait for it; what it decoded ahead is dropped."""
        self._stop.set()
        self._thread.join()
