"""What the user sees on stderr: a progress bar on a terminal, one line for each thing that went wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MOST_MESSAGES = 20  # of one kind; the records hold all of them


class Reporter:
    """Counts frames on a terminal and prints errors, each as one line."""

    def __init__(self, quiet: bool = False, total: int | None = None) -> None:
        self._quiet = quiet
        self._total = total
        self._bar: Any = None
        self._said: dict[str, int] = {}
        self._records = 0

    def begin(self, source: str) -> None:
        """Show ``source`` as what is being worked on."""
        if self._quiet or not sys.stderr.isatty():
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=self._total, unit=" source", file=sys.stderr, dynamic_ncols=True, leave=False)
        self._bar.set_description(source.rsplit("/", 1)[-1][-32:])

    def lines(self, count: int) -> None:
        """Count records written."""
        if self._bar is not None:
            self._records += count
            self._bar.set_postfix_str(f"{self._records} records")

    def done(self) -> None:
        """Count a source as finished."""
        if self._bar is not None:
            self._bar.update()

    def error(self, stage: str, source: str | None, error: Exception) -> None:
        """Print one line for an error; of one kind only the first are printed."""
        if self._quiet:
            return
        kind = getattr(error, "code", type(error).__name__)
        self._said[kind] = self._said.get(kind, 0) + 1
        if self._said[kind] > MOST_MESSAGES:
            return
        message = " ".join(str(error).split())
        place = f"{printable(source)}: " if source and printable(source) not in message else ""
        self.say(f"vtk {stage}: {place}{message} [{kind}]")
        if self._said[kind] == MOST_MESSAGES:
            self.say(f"vtk {stage}: more of {kind} stand in the error records alone")

    def say(self, text: str) -> None:
        """Print one line on stderr, above the bar."""
        if self._quiet:
            return
        if self._bar is not None:
            self._bar.write(text, file=sys.stderr)
        else:
            print(text, file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()


def printable(name: str) -> str:
    """Return a name as one line of printable characters."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)


@contextmanager
def counted(total: int, unit: str, quiet: bool) -> Iterator[Callable[[int], object]]:
    """Give a function that takes how many more of ``total`` are done, and shows it on a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda count: None
        return
    from tqdm import tqdm

    with tqdm(total=total, unit=f" {unit}", file=sys.stderr, dynamic_ncols=True, leave=False) as bar:
        yield bar.update
