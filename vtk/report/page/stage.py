"""The stage behind ``vtk report``: any records in, a page that shows them out."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vtk.driver.link import error_record
from vtk.driver.output import part_of
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import MediaError, UsageError, VtkError
from vtk.records import TYPES

STDOUT = Path("-")


class _Any(frozenset[str]):
    """The types of the vocabulary; any other, which nobody can list, is among them too."""

    def __contains__(self, kind: object) -> bool:
        return kind not in ("end", "run")


class ReportStage(Stage):
    """Gathers all records, looks at their media for pictures, and writes one page at the run's end.

    Args:
        output: the page; - is stdout.
        title: of the page.
        thumbs: pictures on it, at most.
        rows: of each of its tables, at most; sums and charts are of all records.
        overwrite: whether a page that exists is replaced.

    Raises:
        UsageError: a number or a name is out of range.
    """

    name = "report"
    sink = True
    reads = _Any(TYPES.keys() - {"end", "run"})

    def __init__(self, output: Path, title: str = "", thumbs: int = 600, rows: int = 200_000, overwrite: bool = False,
                 tee: bool = False) -> None:
        if output == STDOUT and tee:
            raise UsageError("-o - writes the page to stdout, where --tee would write records: give -o FILE")
        if thumbs < 0 or rows < 1:
            raise UsageError(f"--thumbs is {thumbs} and --rows {rows}: 0 or more, and 1 or more are needed")
        self._output, self._overwrite, self.tee = output, overwrite, tee
        self._title, self._thumbs, self._rows = title or "vtk report", thumbs, rows
        self._own: dict[str, tuple[int, list[VtkError]]] = {}
        self._made: Any = None

    @property
    def why_across(self) -> str:
        """Why several processes could not do it."""
        return "its page is of all sources, and each process sees some of them"

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the page."""
        return {"title": self._title, "thumbs": self._thumbs, "rows": self._rows}

    def prepare(self, mode: str = "media") -> None:
        """Check before any work."""
        self.check()

    def check(self) -> None:
        """Refuse an output that exists or has no folder."""
        path = self._output
        if path == STDOUT:
            return
        if path.is_dir():
            raise UsageError(f"-o {path}: it is a folder, a file is needed")
        if path.is_file() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")
        if not path.parent.is_dir():
            raise UsageError(f"-o {path}: there is no folder {path.parent}")

    @property
    def _kept(self) -> Any:
        """What is gathered, and its pictures; made when the first record comes."""
        if self._made is None:
            from vtk.report.page.gathering import Gathered
            from vtk.report.page.pictures import Pictures

            self._made = Gathered(self._rows), Pictures(self._thumbs)
        return self._made

    def start(self, source: Source) -> Any:
        """Return the source and what is noted of it."""
        return source, self._kept[0].notes(source.name)

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take the records of frames."""
        gathered, (_, notes) = self._kept[0], state
        for frame in batch:
            gathered.frame(notes, frame.records)
        return [[] for _ in batch]

    def unframed(self, state: Any, records: Sequence[Record]) -> list[Record]:
        """Take records of a source that are of no frame."""
        self._kept[0].unframed(state[1], records)
        return []

    def overhear(self, records: Sequence[Record]) -> None:
        """Take errors, ledgers, and what is of the whole run."""
        for record in records:
            if record["type"] != "run":
                self._kept[0].overheard(record)

    def end(self, state: Any, ok: bool = True) -> list[Record]:
        """Make the pictures of a source; return an error record where it cannot be opened, and go on without."""
        source, notes = state
        gathered, pictures = self._kept
        gathered.spans.close(notes)
        made: list[Record] = []
        try:
            if ok:
                self._own[source.name] = pictures.look(source, notes)
        except MediaError as error:
            said = VtkError(f"no pictures of it on the page: {error} (--root DIR finds media elsewhere, --no-thumbs looks "
                            "for none)", code=error.code)
            gathered.trouble(str(said), said.code, source.name)
            made.append(error_record(self.by, self.name, said, source.name))
        notes.forget()
        return made

    def own_reading(self, state: Any) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames were read for pictures, and what was lost of them."""
        return self._own.pop(state[0].name, (0, ()))

    def finish(self) -> list[Record]:
        """Write the page.

        Raises:
            VtkError: E_WRITE it cannot be written.
        """
        from vtk.report.page.document import chunks

        gathered, pictures = self._kept
        gathered.settle()
        try:
            if self._output == STDOUT:
                for chunk in chunks(self._title, gathered, pictures):
                    sys.stdout.buffer.write(chunk.encode())
                sys.stdout.flush()
            else:
                self._write(chunks(self._title, gathered, pictures))
        finally:
            pictures.close()
            self._made = None
        return []

    def _write(self, page: Any) -> None:
        """Write the page beside its place, then put it there; a device or a pipe is written to directly."""
        special = self._output.exists() and not self._output.is_file()
        part = self._output if special else part_of(self._output)
        self.check()
        try:
            with open(part, "wb") as file:
                for chunk in page:
                    file.write(chunk.encode())
                file.flush()
                if not special:
                    os.fsync(file.fileno())
            if not special:
                os.replace(part, self._output)
        except BrokenPipeError:
            raise
        except OSError as error:
            if not special and part.is_file():
                part.unlink()
            raise VtkError(f"cannot write {self._output}: {error.strerror or error}", code="E_WRITE") from None
