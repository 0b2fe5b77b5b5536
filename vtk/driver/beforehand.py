"""Pictures opened before their turn: the next one is decoded while the stages look at the one before."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain, pairwise
from typing import Any

from vtk.driver.stage import Opening
from vtk.media.names import is_image, open_name

# Bytes of a picture's file that is opened before its turn, at least, and its pixels at most. One of 32 KB takes about
# as long to decode as it costs a network on all cores to be disturbed; of two large ones both would be held.
SMALLEST, LARGEST = 1 << 15, 50_000_000


class Beforehand:
    """Opens sources, and the picture that comes next in a thread of its own while the one before is worked on.

    Decoders let go of the interpreter's lock. What goes wrong beforehand is tried again in its turn: a file may have
    come whole by then, and memory free.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._next: str | None = None
        self._begun: tuple[str, threading.Thread, list[Any]] | None = None

    def expect(self, name: str | None) -> None:
        """Hear which source follows the one that is opened next; None where that is not known."""
        self._next = name

    def open(self, name: str) -> Any:
        """Return a reader of a source, and begin with the one that follows. Raises what ``open_media`` raises."""
        begun, self._begun = self._begun, None
        following, self._next = self._next, None
        reader = None
        if begun is not None and begun[0] == name:
            begun[1].join()
            reader = begun[2].pop() if begun[2] else None
        try:
            return self._now(name) if reader is None else reader
        finally:
            # Behind a film or a stream a picture would be held for hours, as it was when they began.
            if following is not None and is_image(name):
                self._begin(following)

    def _begin(self, name: str) -> None:
        """Begin to open a source where it is a picture that takes a while."""
        if not is_image(name):
            return
        try:
            path = open_name(name, self._opening.root)
            if os.path.getsize(path) < SMALLEST:
                return
        except (OSError, ValueError):  # said in its turn
            return
        found: list[Any] = []
        thread = threading.Thread(target=self._beside, args=(name, path, found), name="vtk-open", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system gives no more threads
            return
        self._begun = name, thread, found

    def _beside(self, name: str, path: str, found: list[Any]) -> None:
        """Open a picture in this thread; a large one, and one of unknown size, is left for its turn."""
        with suppress(BaseException):  # whatever it is comes again in its turn, or doesn't
            from vtk.media.image import size_of

            size = size_of(path)
            if size is not None and size[0] * size[1] <= LARGEST:
                found.append(self._now(name))

    def _now(self, name: str) -> Any:
        from vtk.media.video import open_media

        how = self._opening
        return open_media(name, decoder=how.decoder, threads=how.threads, timeout=how.timeout, root=how.root,
                          framerate=how.framerate)


def with_next(sources: Iterable[str]) -> Iterator[tuple[str, str | None]]:
    """Yield each source with the one that follows; with None where the list is not there yet, and at its end."""
    if isinstance(sources, Sequence):
        yield from pairwise(chain(sources, [None]))  # type: ignore[misc]
    else:
        for source in sources:
            yield source, None
