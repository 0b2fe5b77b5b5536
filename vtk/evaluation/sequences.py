"""Sequences of boxes with ids: what they are called, and where they are found."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.errors import MediaError, RecordError, UsageError
from vtk.evaluation.lanes import Lanes
from vtk.export.mot import MotRows, read_mot
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_sequence, is_stream, is_webcam, open_name, source_name
from vtk.metrics.mot import Boxes, checked

Note = Callable[[str], None]

_TABLES, _RECORDS = (".txt", ".csv"), (".jsonl", ".ndjson", ".json")
_LAYOUT = ("gt", "det")  # the folders of a MOTChallenge sequence that hold a table


@dataclass(frozen=True, slots=True)
class TrackSequence:
    """The boxes of one sequence, frames from 1, as one side of an evaluation has them.

    Attributes:
        name: what it is matched by.
        where: the file or source that it came from.
        flag: (R,) float64, column 7 of a MOT file; None of records.
        class_id: (R,) int64, of MOT files of 9 columns; else None.
        columns: number of columns of the MOT file; 0 of an empty one, None of records.
    """

    name: str
    where: str
    boxes: Boxes
    flag: np.ndarray | None = None
    class_id: np.ndarray | None = None
    columns: int | None = None

    def take(self, rows: np.ndarray) -> TrackSequence:
        """Return the sequence with the boxes of ``rows``, a mask, alone."""
        flag, class_id = (None if column is None else column[rows] for column in (self.flag, self.class_id))
        return TrackSequence(self.name, self.where, self.boxes.take(rows), flag, class_id, self.columns)


def sequence_name(source: str) -> str:
    """Return what the sequence of a file or source is called: SEQ for each of the following.

    ``SEQ/gt/gt.txt``, ``SEQ/gt.txt``, ``SEQ/det/det.txt``, ``SEQ.txt``, ``SEQ.mp4``, ``SEQ/img1``, ``seq:SEQ/img1``.
    """
    return source_name(_name_in(source))


def _name_in(source: str) -> str:
    if is_webcam(source):
        return source
    if is_stream(source):
        path = re.split(r"[?#]", source)[0].rstrip("/")
    else:
        path = os.path.abspath(open_name(source.removeprefix("seq:") if is_sequence(source) else source))
    folder, name = os.path.split(path)
    stem, suffix = os.path.splitext(name)
    if suffix.lower() in _TABLES:
        if os.path.basename(folder) in _LAYOUT:
            return os.path.basename(os.path.dirname(folder))
        return os.path.basename(folder) if stem == "gt" else stem
    if suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
        return stem
    return os.path.basename(folder) if name == "img1" else name


def read_truth(names: Sequence[str]) -> dict[str, TrackSequence]:
    """Return the ground truth of MOT files, record files, sequence folders and folders of these, by sequence name.

    Raises:
        UsageError: nothing is found, or two are of one name.
        MediaError, RecordError: a file cannot be read, or a line of it.
    """
    found: dict[str, TrackSequence] = {}
    lanes = Lanes()
    for file in [file for name in names for file in _truth_files(name)]:
        if _holds_records(file, piped=False):
            lanes.read(file)
        else:
            _add(found, _from_mot(file))
    if lanes.bad:
        number, where, error = lanes.bad[0]
        raise RecordError(f"ground truth {where}, line {number}: {error}", code=error.code)
    for sequence in _from_lanes(lanes):
        _add(found, sequence)
    return found


def read_results(names: Sequence[str], lanes: Lanes, classes: frozenset[str] | None = None) -> dict[str, TrackSequence]:
    """Return results of MOT files, record files and folders of these, or of records on stdin, by sequence name.

    Args:
        names: files and folders; ``-`` or none is stdin.
        lanes: takes the records; it says which labels and which maker count, and knows of bad lines afterwards.
        classes: labels to keep; of MOT files the numbers in column 8.

    Raises:
        UsageError: nothing is found, two are of one name, or there are no tracks among the records.
        MediaError, RecordError: a file cannot be read, or a line of it.
    """
    found: dict[str, TrackSequence] = {}
    for file in [file for name in names for file in _result_files(name)] or [None]:
        if file is None or _holds_records(file, piped=True):
            lanes.read(file)
        else:
            _add(found, _of_classes(_from_mot(file), classes))
    for sequence in _from_lanes(lanes):
        _add(found, sequence)
    return found


def _truth_files(name: str) -> list[str]:
    if name == "-":
        raise UsageError("--gt -: stdin is for results; name the ground truth's file or folder")
    if not os.path.isdir(name):
        return [name]
    folder = Path(name)
    layout = [*folder.glob("gt/gt.txt"), *folder.glob("gt.txt")] or [
        place for one in sorted(folder.iterdir()) for place in (one / "gt" / "gt.txt", one / "gt.txt")
        if place.is_file()]
    files = layout or sorted(file for file in folder.iterdir() if file.suffix.lower() in (*_TABLES, *_RECORDS))
    if not files:
        raise UsageError(f"--gt {name}: no ground truth in this folder; gt/gt.txt, SEQUENCE/gt/gt.txt or SEQUENCE.txt "
                         "are looked for")
    return [os.fspath(file) for file in files]


def _result_files(name: str) -> list[str]:
    if not os.path.isdir(name):
        return [name]
    files = sorted(file for file in Path(name).rglob("*") if file.suffix.lower() in (*_TABLES, *_RECORDS)
                   and file.is_file() and not file.name.startswith("."))
    if not files:
        raise UsageError(f"{name}: no results in this folder; .txt files of MOT rows or .jsonl files of track records "
                         "are looked for")
    return [os.fspath(file) for file in files]


def _holds_records(file: str, *, piped: bool) -> bool:
    """Return whether ``file`` holds records; of a pipe, which cannot be looked into, ``piped``."""
    if file == "-" or os.path.splitext(file)[1].lower() in _RECORDS:
        return True
    try:
        if not stat.S_ISREG(os.stat(file).st_mode):
            return piped
        with open(file, "rb") as opened:
            return opened.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    except OSError as error:
        raise MediaError(f"cannot read {file}: {error.strerror}", code="E_OPEN") from None


def _from_mot(file: str) -> TrackSequence:
    rows: MotRows = read_mot(file)
    if (rows.id < 0).any():
        row = int(np.flatnonzero(rows.id < 0)[0])
        raise RecordError(f"{file}: id {rows.id[row]} in frame {rows.frame[row]} is no track's: these are detections; "
                          "vtk import mot and vtk track make tracks of them", code="E_MOT")
    xyxy = np.concatenate([rows.xywh[:, :2], rows.xywh[:, :2] + rows.xywh[:, 2:]], axis=1)
    return _sequence(file, Boxes(rows.frame, rows.id, xyxy), rows)


def _from_lanes(lanes: Lanes) -> list[TrackSequence]:
    return [_sequence(source, boxes) for source, boxes in lanes.sources()]


def _sequence(where: str, boxes: Boxes, rows: MotRows | None = None) -> TrackSequence:
    try:
        boxes = checked(boxes)
    except ValueError as error:
        counting = "" if rows else " (frames from 1; records count from 0)"
        raise RecordError(f"{where}: {error}{counting}") from None
    if rows is None:
        return TrackSequence(sequence_name(where), where, boxes)
    return TrackSequence(sequence_name(where), where, boxes, rows.score, rows.class_id, rows.columns)


def _of_classes(sequence: TrackSequence, classes: frozenset[str] | None) -> TrackSequence:
    if classes is None or not len(sequence.boxes.frame):
        return sequence
    if sequence.class_id is None:
        raise UsageError(f"--classes {','.join(sorted(classes))}: {sequence.where} has {sequence.columns} columns and "
                         "no classes; leave the option out")
    numbers = [int(name) for name in classes if name.isdecimal()]
    return sequence.take(np.isin(sequence.class_id, numbers))


def _add(found: dict[str, TrackSequence], sequence: TrackSequence) -> None:
    other = found.setdefault(sequence.name, sequence)
    if other is not sequence:
        raise UsageError(f"two of the sequence {sequence.name}: {other.where} and {sequence.where}; evaluate one at a "
                         "time, or give them names of their own")
