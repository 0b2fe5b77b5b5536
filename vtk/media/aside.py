"""Work that goes on beside its caller: one thread, in order, with a bounded queue."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

DEPTH = 3  # pieces of work that wait; each may hold a frame


class Aside:
    """Does pieces of work one after another in a thread of its own, so that an encoder runs beside what paints for it.

    Encoders let go of the interpreter's lock. An error ends the work, and is raised by the next call.
    """

    def __init__(self, name: str) -> None:
        self._queue: queue.Queue[Callable[[], None] | None] = queue.Queue(DEPTH)
        self._error: BaseException | None = None
        self._stop = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, work: Callable[[], None]) -> None:
        """Hand over a piece of work; waits where ``DEPTH`` are waiting. Raises what an earlier one raised."""
        self._raise()
        self._queue.put(work)

    def finish(self) -> None:
        """Wait until all is done, and end the thread. Raises what a piece of work raised."""
        self._end()
        self._raise()

    def abandon(self) -> None:
        """End the thread; what waits is not done any more."""
        self._stop = True
        self._end()

    def _end(self) -> None:
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._stop or self._error is not None:
                continue
            try:
                work()
            except BaseException as error:  # whatever it is belongs to who hands over the next piece
                self._error = error
