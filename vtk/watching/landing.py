"""Which files of a folder have landed: closed by who wrote them, and left alone for a while."""

from __future__ import annotations

import fcntl
import heapq
import os
import stat
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vtk.driver.inputs import is_media, media_under

# What tools call a file that they still write, before its suffix or after: clip.part.mp4, clip.mp4.part.
UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".download", ".filepart")
OLD = 60.0  # seconds: a file that nobody touched for so long when it is first seen is not waited for
# A file that somebody has open for writing is waited for as many times longer; not for ever, since network file systems
# may say so of any file.
PATIENCE = 15

Signature = tuple[int, int, int, int, int]  # device, inode, bytes, when its content and its name or rights last changed


@dataclass(frozen=True)
class Waiting:
    """A file on its way: how it is, since when it is so, and when it has landed if it stays so."""

    signature: Signature
    since: float
    due: float


class Landing:
    """The files of a folder that are on their way, and those that have landed and were taken.

    Args:
        folder: it.
        settle: seconds for which a file has to stay as it is.
        clock: seconds that only grow.

    Attributes:
        waiting: those on their way, by name relative to the folder.
    """

    def __init__(self, folder: str, settle: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._settle = settle
        self._clock = clock
        self.waiting: dict[str, Waiting] = {}
        self._taken: dict[str, Signature] = {}
        self._due: list[tuple[float, str]] = []  # a heap; entries that ``waiting`` knows no more are passed over

    def look_at_all(self) -> None:
        """Look at every media file below the folder, and forget those that are gone."""
        names = list(media_under(self._folder))
        for gone in (self._taken.keys() | self.waiting.keys()).difference(names):
            self._forget(gone)
        self.look(names)

    def look(self, names: Iterable[str]) -> None:
        """Look at files and folders that may have changed."""
        now = self._clock()
        for name in names:
            path = os.path.join(self._folder, name)
            if os.path.isdir(path):
                self.look(os.path.normpath(os.path.join(name, found)) for found in media_under(path))
            elif _is_wanted(name):
                self._note(name, signature_of(path), now)

    def take(self) -> tuple[str, bool] | None:
        """Return the next file that has landed and whether it had before, with another content; None where none has."""
        now = self._clock()
        while self._due and self._due[0][0] <= now:
            due, name = heapq.heappop(self._due)
            found = self.waiting.get(name)
            if found is None or found.due != due:
                continue
            path = os.path.join(self._folder, name)
            if signature_of(path) != found.signature:
                self._note(name, signature_of(path), now)
            elif now - found.since < PATIENCE * self._settle and is_being_written(path):
                self._wait(name, found.signature, found.since, now + max(self._settle, 0.1))
            else:
                del self.waiting[name]
                before = self._taken.get(name, found.signature)
                self._taken[name] = found.signature
                return name, before[:4] != found.signature[:4]
        return None

    def next_in(self) -> float:
        """Return the seconds until a file may have landed; infinite where none is on its way."""
        return max(0.0, self._due[0][0] - self._clock()) if self._due else float("inf")

    def _note(self, name: str, signature: Signature | None, now: float) -> None:
        """Take down how a file is now."""
        if signature is None:
            self._forget(name)
            return
        known = self.waiting[name].signature if name in self.waiting else self._taken.get(name)
        if known != signature:
            idle = time.time() - max(signature[3:]) / 1e9
            self._wait(name, signature, now, now if idle > max(OLD, self._settle) else now + self._settle)

    def _wait(self, name: str, signature: Signature, since: float, due: float) -> None:
        self.waiting[name] = Waiting(signature, since, due)
        heapq.heappush(self._due, (due, name))

    def _forget(self, name: str) -> None:
        self.waiting.pop(name, None)
        self._taken.pop(name, None)


def _is_wanted(name: str) -> bool:
    """Return whether a file of that name, with the folders before it, is media and finished by what it is called."""
    *folders, own = name.split(os.sep)
    return (is_media(own) and not any(part.startswith(".") for part in folders)
            and not os.path.splitext(own)[0].lower().endswith(UNFINISHED))


def signature_of(path: str) -> Signature | None:
    """Return what changes whenever a file does, or None where there is no such regular file."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_being_written(path: str) -> bool:
    """Return whether some process has a file open for writing, where the system can tell.

    Linux gives a lease for reading only where nobody has; it is handed back at once. A process that opens the file for
    writing in that moment waits for it, and sends us SIGIO, which ``vtk.watching.running`` has switched off.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # not our file, or a file system without leases
        return False
    finally:
        os.close(descriptor)
    return False
