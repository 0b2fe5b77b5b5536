"""Records that come at a run's end, though what follows in the pipe wants them at its beginning."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import IO, Any

import orjson

from vtk.driver.lines import IDLE, lines_of
from vtk.driver.stage import Record, Stage
from vtk.errors import RecordError, VtkError
from vtk.records import check, make

LOT = 4096  # records that are handed over together
_DONE = object()


def announcement(by: str, types: Collection[str]) -> Record:
    """Return the ``run`` record that says what ``by`` gives only at its run's end: it stands before all else of it."""
    return make("run", by, late=sorted(types))


def conclusion(by: str, types: Collection[str], records: Iterable[Record], status: str = "ok") -> Record:
    """Return the ``run`` record that stands behind the late ones among ``records``, and counts them."""
    count = sum(record["type"] in types for record in records)
    return make("run", by, late=sorted(types), status=status, records=count)


class Late:
    """A stream of lines, put by on disk from where a run announces late records until it says that they have come.

    Every line comes out again as it was and in its place; what is put by goes with the generator, however that ends.
    What follows the run streams, up to the next one that announces something.

    Args:
        chunks: lists of lines, IDLE among them.
        stages: those that want to be told.
        hear: told of what was announced and did not come, before the lines come out.

    Attributes:
        sources: those that late records were about so far.
    """

    def __init__(self, chunks: Iterable[list[bytes] | None], stages: Sequence[Stage],
                 hear: Callable[[RecordError], None]) -> None:
        self._chunks = iter(chunks)
        self._stages = stages
        self._hear = hear
        self._types = frozenset().union(*(stage.late for stage in stages))
        self._marks = [b'"%s"' % kind.encode() for kind in sorted({"run", *self._types})]
        self._rest: list[list[bytes]] = []  # what was taken and belongs behind the run
        self._open: Counter[str] = Counter()  # runs that announced something and did not end, by maker
        self._failed: list[str] = []  # makers of those that ended without
        self._named: set[str] = set()  # what they announced, of what is wanted
        self._due = 0  # records of those that ended well
        self._about: set[str] = set()  # sources of the late records
        self._lot: list[Record] = []
        self.sources: set[str] = set()

    def chunks(self, begun: Collection[str] = ()) -> Iterator[list[bytes] | None]:
        """Yield the lines, IDLE while they are put by.

        Args:
            begun: the sources that are being worked on or are done, as the caller adds to them.

        Raises:
            VtkError: E_SPOOL, there is no room to put them by.
        """
        while (chunk := self._next()) is not _DONE:
            place = next((place for place, line in enumerate(chunk) if b'"run"' in line and self._announces(line)),
                         None) if chunk is not IDLE else None
            if place is None:
                yield chunk
                continue
            yield chunk[:place]
            yield IDLE  # what came before can go out
            self._rest.append(chunk[place:])
            yield from self._put_by(set(begun))

    def _next(self) -> Any:
        return self._rest.pop() if self._rest else next(self._chunks, _DONE)

    def _put_by(self, begun: set[str]) -> Iterator[list[bytes] | None]:
        """Put by the lines up to the run's end, hand over the late records among them, and yield the lines."""
        with _scratch() as file:
            while (chunk := self._next()) is not _DONE:
                if chunk is IDLE:
                    yield IDLE
                elif chunk and self._keep(file, chunk):
                    break
            self._tell()
            self._complain(begun)
            os.lseek(file.fileno(), 0, os.SEEK_SET)
            yield from lines_of(file.fileno())

    def _keep(self, file: IO[bytes], lines: list[bytes]) -> bool:
        """Write lines, those behind the run's end excepted, and return whether it came."""
        data, ended = b"\n".join([*lines, b""]), False
        if any(mark in data for mark in self._marks):
            for place, line in enumerate(lines):
                if any(mark in line for mark in self._marks) and (ended := self._ends(line)):
                    self._rest.append(lines[place + 1:])
                    data = b"\n".join([*lines[:place + 1], b""])
                    break
        try:
            rest = memoryview(data)
            while rest:  # an unbuffered write may take only a part
                rest = rest[file.write(rest):]
        except OSError as error:
            raise no_room(error) from None
        return ended

    def _announces(self, line: bytes) -> bool:
        record = _checked(line)
        return (record is not None and record["type"] == "run" and "status" not in record
                and not self._types.isdisjoint(record["late"]))

    def _ends(self, line: bytes) -> bool:
        """Take note of a line that may be of the run, and return whether all that was announced has come with it."""
        record = _checked(line)
        if record is None:  # it is named with its number where the stream is read
            return False
        if record["type"] in self._types:
            self._about.add(record.get("source", ""))
            self.sources.add(record.get("source", ""))
            self._lot.append(record)
            if len(self._lot) == LOT:
                self._tell()
        if record["type"] != "run" or self._types.isdisjoint(record["late"]):
            return False
        self._named |= self._types.intersection(record["late"])
        maker, status = record["by"], record.get("status")
        if status is None:
            self._open[maker] += 1
        elif maker in self._open:
            self._open -= Counter({maker: 1})  # without those that are at 0
            self._due += record.get("records", 0) if status == "ok" else 0
            self._failed += [maker] if status != "ok" else []
        return not self._open

    def _tell(self) -> None:
        for stage in self._stages:
            if heard := [record for record in self._lot if record["type"] in stage.late]:
                stage.told(heard)
        self._lot = []

    def _complain(self, begun: set[str]) -> None:
        """Say what was announced and did not come, and what came for sources that came before."""
        what = " and ".join(sorted(self._named))
        for maker in [*self._failed, *self._open]:
            self._hear(RecordError(f"{maker} broke off before the {what} records that it announced for its end: going "
                                   "on without them", code="E_LATE"))
        if self._due and not self._about:
            self._hear(RecordError(f"none of {self._due} {what} records came: something dropped them on the way; going "
                                   "on without them", code="E_LATE"))
        if early := sorted(begun & self._about):
            self._hear(RecordError(f"{listed(early)} came before the run record that announced {what} records: "
                                   "worked on without; _run.jsonl goes first, and vtk sort puts it there",
                                   code="E_LATE"))
        self._open, self._failed, self._due, self._about, self._named = Counter(), [], 0, set(), set()


def _scratch() -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(prefix="vtk-late-", buffering=0)
    except OSError as error:
        raise no_room(error) from None


def no_room(error: OSError) -> VtkError:
    """Return what is said where records cannot be put by on disk."""
    folder = tempfile.gettempdir()
    return VtkError(f"cannot put records by in {folder} until those they wait for come: {error.strerror or error}; "
                    "TMPDIR names another folder", code="E_SPOOL")


def _checked(line: bytes) -> Record | None:
    """Return the record on a line, or None where it is none of the vocabulary."""
    try:
        record = orjson.loads(line)
        check(record)
    except (orjson.JSONDecodeError, RecordError):
        return None
    return record


def listed(sources: Sequence[str]) -> str:
    """Return how sources are named in a message."""
    return sources[0] if len(sources) == 1 else f"{len(sources)} sources, the first {sources[0]},"
