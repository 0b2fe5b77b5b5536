"""Copies gathered from record files, VCSL's JSON, VSC's csv and lists of pairs, and what their videos are called."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path

from vtk.errors import MediaError, RecordError, UsageError
from vtk.evaluation.lanes import BadRecord, records_of
from vtk.evaluation.sequences import sequence_name
from vtk.export.copies import CopyRows, Pair
from vtk.export.copy_files import read_copies
from vtk.records import Record, check_whole

_RECORDS = (".jsonl", ".ndjson")
_FILES = (*_RECORDS, ".json", ".csv")
_MAKER = "detect-copy"
_TYPED = re.compile(rb'[\xef\xbb\xbf \t\r\n]*\{[^{\[]*"type"\s*:')  # a record says its type on its first line


class CopyLanes:
    """Takes streams of records and gives their copies.

    Attributes:
        bad: the lines that are no records, or copies whose spans are none: number from 1, file, what is wrong.
        unfinished: (source, status) of the sources that a command did not finish.

    Args:
        by: the maker whose copies count; None where there is one alone.
    """

    def __init__(self, by: str | None = None) -> None:
        self.bad: list[BadRecord] = []
        self.unfinished: dict[str, str] = {}
        self._by = by
        self._lanes: dict[str, CopyRows] = {}
        self._types: dict[str, None] = {}
        self._ran = False  # whether vtk detect-copy was there, though it found nothing

    def read(self, name: str | None) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-`` or None; raises what ``records_of`` does."""
        where = "stdin" if name in (None, "-") else str(name)
        for record in records_of(name, ("copy",), self.bad, check_whole):
            self._take(record, where)

    def rows(self) -> CopyRows:
        """Return the copies, maybe none.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: other records came and nobody looked for copies, or they are of several makers, or none of
                ``by``.
        """
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if self._types and not self._lanes and not self._ran:
            raise UsageError(f"the records are {', '.join(self._types)}, and no copy: pipe vtk detect-copy in first")
        if self._by is not None:
            if self._lanes and self._by not in self._lanes:
                raise UsageError(f"--by {self._by}: no copies of this maker; there are those by "
                                 f"{', '.join(sorted(self._lanes))}")
            return self._lanes.get(self._by, CopyRows("records"))
        if len(self._lanes) > 1:
            raise UsageError(f"there are copies by {' and by '.join(sorted(self._lanes))}: choose with --by, or with "
                             "jq")
        return next(iter(self._lanes.values()), CopyRows("records"))

    def _take(self, record: Record, where: str) -> None:
        kind, source = record["type"], record.get("source")
        self._types.setdefault(kind)
        self._ran = self._ran or str(record.get("by", "")).split("/")[0] == _MAKER
        if kind == "end" and source is not None and record.get("status", "ok") != "ok":
            self.unfinished[source] = str(record["status"])
        if kind == "copy":
            lane = self._lanes.setdefault(record["by"], CopyRows(where))
            lane.add((str(source), record["ref"]), [record[key] for key in ("start", "ref_start", "end", "ref_end")],
                     record["score"])


def read_truth(names: Sequence[str], known: Collection[Pair] = ()) -> CopyRows:
    """Return the ground truth of files of VCSL, of VSC22, lists of pairs, copy records and folders of these.

    Args:
        known: pairs that are understood though their names have hyphens.

    Raises:
        UsageError: nothing is found.
        MediaError, RecordError: a file cannot be read, or something in it; a segment is there twice.
    """
    if "-" in names:
        raise UsageError("--gt -: stdin is for results; name the ground truth's file or folder")
    lanes = CopyLanes()
    truth = _read([file for name in names for file in _files(name, "--gt ")], lanes, known)
    if lanes.bad:
        number, where, error = lanes.bad[0]
        raise RecordError(f"ground truth {where}, line {number}: {error}", code=error.code)
    truth.extend(lanes.rows())
    for (query, ref), box in truth.twice()[:1]:
        raise RecordError(f"ground truth {truth.where}: the segment {box} of {query}, {ref} is there twice",
                          code="E_COPIES")
    if not truth.pairs:
        raise RecordError(f"ground truth {truth.where} names no pair of videos", code="E_COPIES")
    return truth


def read_results(names: Sequence[str], lanes: CopyLanes, known: Collection[Pair] = ()) -> CopyRows:
    """Return results of copy records, files of VCSL, of VSC22 and folders of these, or of records on stdin.

    Args:
        names: files and folders; ``-`` or none is stdin.
        lanes: takes the records; it says which maker counts, and knows of bad lines afterwards.
        known: as of ``read_truth``.

    Raises:
        UsageError: nothing is found, or there are no copies among the records.
        MediaError, RecordError: a file cannot be read, or something in it.
    """
    found = _read([file for name in names for file in _files(name)] or [None], lanes, known)
    found.extend(lanes.rows())
    return found


def naming(*sides: Iterable[str]) -> Callable[[str], str]:
    """Return what turns videos as written into names that the sides share: the shortest that tells each side's apart.

    ``a/film.mp4`` is film where no other film of its side is called so, else film.mp4, else as written.

    Args:
        sides: the videos of each side.
    """
    videos = [set(side) for side in sides]
    for short in (sequence_name, _file_name):
        names = {video: short(video) for side in videos for video in side}
        if all(len({names[video] for video in side}) == len(side) for side in videos):
            return lambda video, names=names, short=short: names.get(video) or short(video)
    return lambda video: video


def _file_name(video: str) -> str:
    return video.rstrip("/").rpartition("/")[2] or video


def _read(files: Sequence[str | None], lanes: CopyLanes, known: Collection[Pair]) -> CopyRows:
    rows = CopyRows(", ".join(file or "stdin" for file in files[:2]) + (", …" if len(files) > 2 else ""))
    for file in files:
        if file is None or _holds_records(file):
            lanes.read(file)
        else:
            rows.extend(read_copies(file, known))
    return rows


def _files(name: str, option: str = "") -> list[str]:
    if not os.path.isdir(name):
        return [name]
    files = sorted(os.fspath(file) for file in Path(name).rglob("*") if file.suffix.lower() in _FILES
                   and file.is_file() and not file.name.startswith("."))
    if not files:
        raise UsageError(f"{option}{name}: no copies in this folder; {', '.join(_FILES)} are looked for")
    return files


def _holds_records(file: str) -> bool:
    """Return whether a file holds records: by its name, as a pipe, or since its first line is one."""
    if file == "-" or file.lower().endswith(_RECORDS):
        return True
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return True
        with open(file, "rb") as opened:
            return _TYPED.match(opened.read(4096)) is not None
    except OSError as error:
        raise MediaError(f"cannot read {file}: {error.strerror}", code="E_OPEN") from None
