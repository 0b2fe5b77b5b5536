"""Stages side by side: each works on its chunk in a thread of its own, and chunks keep their order."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

from vtk.driver.link import Item, Link

# Items under way at least: a stage that works on several frames at a time lets others wait, who do one by one.
SLACK = 12

_END = object()


class Conveyor:
    """Carries chunks of items through the links, one link behind the other, all at work at the same time.

    Models and encoders let go of the interpreter's lock while they work, so that a detector, a tracker and an encoder
    take the time of the slowest, not the sum. At most ``depth`` chunks are under way.
    """

    def __init__(self, links: Sequence[Link]) -> None:
        self.depth = max(len(links) + 1, SLACK // max(link.stage.batch for link in links))
        self._belts: list[queue.SimpleQueue[Any]] = [queue.SimpleQueue() for _ in range(len(links) + 1)]
        self._stop = threading.Event()
        self._under_way = 0
        self._threads = [threading.Thread(target=self._work, args=(link, number), name=f"vtk-{link.stage.name}",
                                          daemon=True) for number, link in enumerate(links)]
        for thread in self._threads:
            thread.start()

    def put(self, chunk: list[Item]) -> Iterator[list[Item]]:
        """Send a chunk off, and yield those that are through; waits for one where ``depth`` are under way."""
        if self._under_way >= self.depth:
            yield self._take()
        self._belts[0].put(chunk)
        self._under_way += 1
        yield from self.ready()

    def ready(self) -> Iterator[list[Item]]:
        """Yield the chunks that are through by now."""
        while self._under_way and not self._belts[-1].empty():
            yield self._take()

    def rest(self) -> Iterator[list[Item]]:
        """Yield all chunks that are still under way, and end the threads."""
        while self._under_way:
            yield self._take()
        self.close()

    def close(self) -> None:
        """End the threads: each finishes the chunk that it works on."""
        self._stop.set()
        for belt in self._belts[:-1]:
            belt.put(_END)
        for thread in self._threads:
            thread.join()

    def _take(self) -> list[Item]:
        chunk = self._belts[-1].get()
        self._under_way -= 1
        if isinstance(chunk, BaseException):
            raise chunk
        return chunk

    def _work(self, link: Link, number: int) -> None:
        source, target = self._belts[number], self._belts[number + 1]
        while True:
            begin = time.perf_counter()
            chunk = source.get()
            link.spent.waiting += time.perf_counter() - begin
            if chunk is _END or self._stop.is_set():
                return
            try:
                if not isinstance(chunk, BaseException):
                    link.take(chunk)
            except BaseException as error:  # it belongs to the thread that drives
                chunk = error
            target.put(chunk)
