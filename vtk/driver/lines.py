"""Lines of a file descriptor, as they come, with a mark where the reader would have to wait."""

from __future__ import annotations

import os
import select
from collections.abc import Iterable, Iterator
from typing import Final

CHUNK = 1 << 18  # bytes a read; pipes hold 64 KiB, files give more

IDLE: Final = None  # stands in a stream where nothing has come yet: a moment to flush


def lines_of(descriptor: int) -> Iterator[list[bytes] | None]:
    """Yield lists of whole lines without their newlines; None where the next read would block."""
    rest: list[bytes] = []
    while True:
        if not _ready(descriptor):
            yield IDLE
        data = os.read(descriptor, CHUNK)
        if not data:
            break
        head, newline, tail = data.rpartition(b"\n")
        if not newline:
            rest.append(data)
            continue
        rest.append(head)
        yield b"".join(rest).split(b"\n")
        rest = [tail] if tail else []
    if rest:
        yield [b"".join(rest)]


def lines_in(chunks: Iterable[list[bytes]]) -> Iterator[list[bytes] | None]:
    """Yield the chunks as ``lines_of`` would: a stream made in this process."""
    yield from chunks


def _ready(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    except (OSError, ValueError):  # a file, or a descriptor beyond select's range: reads do not wait long
        return True
