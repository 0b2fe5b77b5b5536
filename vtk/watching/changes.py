"""What the system tells of a folder: paths in it that may have changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread

# Milliseconds: changes are gathered while they follow each other so closely, and no longer than that; a turn's longest.
STEP, GATHERED, TURN = 50, 200, 500
LOST = "\ufffd"  # stands where a name is not UTF-8


class Changes:
    """Listens to a folder in a thread of its own, by watchfiles where it is installed.

    Args:
        folder: it, with all that is below.
        listen: False hears of nothing: who waits is woken when its time is over.
        say: is told in a line, in that thread, where the system does not tell of changes.

    Attributes:
        heard: whether the system tells of changes; else the folder has to be listed again and again.
    """

    def __init__(self, folder: str, listen: bool = True, say: Callable[[str], None] = lambda line: None) -> None:
        self._say = say
        self._folder = os.path.abspath(folder)
        self._told: SimpleQueue[set[str] | None] = SimpleQueue()
        self._over = Event()
        watch = _watcher() if listen else None
        self.heard = watch is not None
        self._thread = Thread(target=self._listen, args=(watch,), daemon=True) if watch is not None else None
        if self._thread is not None:
            self._thread.start()

    def _listen(self, watch: Callable[..., Iterator[set[tuple[int, str]]]]) -> None:
        turns = watch(self._folder, watch_filter=None, debounce=GATHERED, step=STEP, stop_event=self._over,
                      rust_timeout=TURN, yield_on_timeout=True, raise_interrupt=False, ignore_permission_denied=True)
        try:
            for number, turn in enumerate(turns):
                if turn or number == 0:  # what came before the system listened, it does not tell
                    self._told.put({path for _, path in turn} if number else None)
        except (OSError, RuntimeError) as error:  # more folders than the system may watch: listing them still tells
            self.heard = False
            self._say(f"vtk watch: the system does not tell of changes ({error}): the folder is listed instead")
            self._told.put(None)

    def wait(self, seconds: float) -> set[str] | None:
        """Return paths relative to the folder that may have changed, at the latest after so long; None means any."""
        found = set[str]()
        try:
            part = self._told.get(timeout=max(0.0, seconds))
            while part is not None:
                found |= part
                part = self._told.get_nowait()
        except Empty:
            part = found
        if part is None or any(LOST in path for path in found):
            return None
        return {os.path.relpath(path, self._folder) for path in found}

    def wake(self) -> None:
        """Let ``wait`` return at once; a signal's handler may call it."""
        self._told.put(set())

    def close(self) -> None:
        """Listen no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(2.0)


def _watcher() -> Callable[..., Iterator[set[tuple[int, str]]]] | None:
    """Return watchfiles' function, or None where it is not installed."""
    try:
        from watchfiles import watch
    except ImportError:
        return None
    return watch  # type: ignore[return-value]
