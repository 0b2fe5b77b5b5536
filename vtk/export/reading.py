"""Records of files or stdin for exporters of a whole run: each line checked once, and passed on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from vtk.driver.records_in import record_chunks
from vtk.errors import RecordError
from vtk.records import Record, check, parse

MOST_NAMED = 20  # bad lines that are told one by one


class Reading:
    """Reads records for an exporter, and keeps count of what could not be read.

    Args:
        names: files of records; ``-`` or none is stdin.
        note: is told of lines that are no records.
        through: takes the lines that are records, in lots, where they go on.

    Attributes:
        bad: how many lines were no records.
        good: how many were.
    """

    def __init__(self, names: Sequence[str], note: Callable[[str], None],
                 through: Callable[[list[bytes]], None] | None = None) -> None:
        self._names, self._note, self._through = names, note, through
        self.bad = self.good = 0

    def records(self) -> Iterator[Record]:
        """Yield the records, each of the vocabulary.

        Raises:
            RecordError: E_VERSION, the records are of a newer vocabulary; or there are lines and no record.
            UsageError: a file cannot be read, or stdin is a terminal.
        """
        first: RecordError | None = None
        for name in self._names or ["-"]:
            number, where = 0, "stdin" if name == "-" else name
            for chunk in record_chunks([name] if self._names else []):
                good: list[bytes] = []
                for line in chunk or ():
                    number += 1
                    if not line.strip():
                        continue
                    try:
                        record = parse(line)
                        check(record)
                    except RecordError as error:
                        if error.code == "E_VERSION":
                            raise
                        self._mind(f"{where}, line {number}: {error} [{error.code}]")
                        first = first or error
                        continue
                    self.good += 1
                    if self._through is not None:
                        good.append(line)
                    yield record
                if good and self._through is not None:
                    self._through(good)
        if self.bad > MOST_NAMED:
            self._note(f"and {self.bad - MOST_NAMED} more lines are left out")
        if first is not None and not self.good:
            raise RecordError(f"there is no record among {self.bad} lines: {first}", code=first.code)

    def _mind(self, message: str) -> None:
        self.bad += 1
        if self.bad <= MOST_NAMED:
            self._note(f"{message}: left out")
