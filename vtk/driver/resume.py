"""What an earlier run finished: sources whose ledger says the same file and the same options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from vtk.driver.chain import Step, modes_of
from vtk.driver.lines import CHUNK
from vtk.driver.link import options_hash
from vtk.driver.stage import Stage
from vtk.driver.stream import Close, Group, RecordStream
from vtk.errors import RecordError
from vtk.records import Record


class Finished:
    """Tells whether the ``end`` records of a source prove it finished under the options of now.

    Failed sources are tried again; partial ones are not, since the same file gives the same damage.

    Args:
        steps: the pipe.
        fingerprint: gives that of a source's file now, None where there is none.
        options: the hashes of the options of the pipe's stages, where they are known; else the stages are asked.
    """

    def __init__(self, steps: Sequence[Step], fingerprint: Callable[[str], str | None],
                 options: Sequence[str] | None = None) -> None:
        self._wanted = list(options) if options is not None else options_of([step.stage for step in steps])
        self._fingerprint = fingerprint

    def proves(self, source: str, ends: Sequence[Record]) -> bool:
        """Return whether ``ends`` hold the ledger of every stage, with today's options and file."""
        tail = ends[-len(self._wanted):]
        if [record.get("options") for record in tail] != self._wanted:
            return False
        if any(record.get("status") not in ("ok", "partial") for record in tail):
            return False
        stated = {record.get("fingerprint") for record in tail}
        current = self._fingerprint(source)
        return current is not None and stated == {current}


def options_of(stages: Sequence[Stage]) -> list[str]:
    """Return the hashes of the options of those stages of a pipe that work on media, as ledgers have them."""
    modes = modes_of(stages, {"media"})
    return [options_hash(stage, mode) for stage, mode in zip(stages, modes, strict=True) if mode != "pass"]


def current_fingerprint(source: str, root: str | None = None) -> str | None:
    """Return the fingerprint of the file that ``source`` names now, or None where it is no file that can be read."""
    from vtk.media.fingerprint import fingerprint
    from vtk.media.names import is_stream, open_name

    if is_stream(source):
        return None
    try:
        return fingerprint(open_name(source, root))
    except (OSError, ValueError):
        return None


def finished_in(path: Path, finished: Finished) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each source that an output file or its part file holds in full, with its lines, one at a time."""
    if path.is_file():
        yield from finished_among(_chunks(path), finished)


def finished_among(chunks: Iterable[list[bytes]], finished: Finished) -> Iterator[tuple[str, list[bytes]]]:
    """Yield each source that lists of lines hold in full, with its lines, one at a time."""
    lines: list[bytes] = []
    try:
        for event in RecordStream(chunks).events():
            if isinstance(event, (Group, Close)):
                lines += [entry[0] for entry in event.before if isinstance(entry, tuple)]
                lines += event.lines
            if isinstance(event, Close):
                if finished.proves(event.source, event.records):
                    yield event.source, lines
                lines = []
    except RecordError:  # a newer version's records: nothing more of them can be kept
        return


def _chunks(path: Path) -> Iterator[list[bytes]]:
    """Yield the whole lines of a file; a last line without its newline was cut off and does not count."""
    rest = b""
    with path.open("rb") as file:
        while data := file.read(CHUNK):
            *whole, rest = (rest + data).split(b"\n")
            yield whole
