"""MOT challenge files as arrays: detections, tracks and ground truth, one box a row.

Source: the format of MOTChallenge (Leal-Taixé et al., arXiv:1504.01942, section 3.2; Milan et al., arXiv:1603.00831).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import MediaError, RecordError
from vtk.media.names import source_name

FEWEST = 6  # frame, id, x, y, w, h
WITH_CLASS = 9  # columns of the ground truth of MOT16 and later: …, consider, class, visibility
_WHOLE = 2.0**53  # beyond it a float64 no longer holds every whole number


@dataclass(frozen=True, slots=True)
class MotRows:
    """The rows of a MOT file, in its order.

    Attributes:
        frame: (R,) int64, from 1.
        id: (R,) int64; above 0 a track's, else none is known (detections have -1).
        xywh: (R, 4) float64 pixels: left, top, width, height; sizes are not negative.
        score: (R,) float64, column 7, of any range: a confidence, or ground truth's flag; 1 where missing.
        class_id: (R,) int64, column 8 of files of 9 columns (MOT16 and later), else None.
        visibility: (R,) float64, column 9 of such files, else None.
        columns: number of columns of the file, 0 without rows.
    """

    frame: np.ndarray
    id: np.ndarray
    xywh: np.ndarray
    score: np.ndarray
    class_id: np.ndarray | None
    visibility: np.ndarray | None
    columns: int


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used: its line number in the file, from 1, and what is wrong with it."""

    line: int
    reason: str


def read_mot(path: str | os.PathLike[str]) -> MotRows:
    """Return the rows of a MOT file, all of them good; an empty file has none.

    Columns stand apart by commas, tabs or spaces. Blank lines, CRLF and a byte order mark are tolerated.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_MOT, the first row that ``scan_mot`` would pass over, or no MOT file at all.
    """
    rows, bad = scan_mot(path)
    if bad:
        raise RecordError(f"{source_name(os.fspath(path))}, line {bad[0].line}: {bad[0].reason}", code="E_MOT")
    return rows


def scan_mot(path: str | os.PathLike[str]) -> tuple[MotRows, list[BadRow]]:
    """Return the good rows of a MOT file, in its order, and the bad ones, by line.

    Bad is a row that is not numbers, has fewer than 6 columns or not as many as most rows, a number that is not
    finite, a frame below 1, a negative size, or the id of a track that its frame has already.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_MOT, not one row is good, and there are some: this is no MOT file.
    """
    name = os.fspath(path)
    lines = _text(name).splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if line.strip()]
    filled = [lines[number - 1] for number in numbers]
    table, places, bad = _table(filled, numbers)
    faults = _faults(table)
    bad += [BadRow(places[row], reason) for row, reason in faults.items()]
    bad.sort(key=lambda row: row.line)
    good = np.delete(table, list(faults), axis=0)
    if bad and not len(good):
        raise RecordError(f"{source_name(name)} has no row of a MOT file: line {bad[0].line}: {bad[0].reason}; rows of "
                          "frame, id, x, y, w, h, score, … are needed", code="E_MOT")
    return _rows(good), bad


def _text(name: str) -> str:
    """Return a text file's content without its byte order mark."""
    try:
        with open(name, "rb") as file:
            data = file.read()
    except OSError as error:
        raise MediaError(f"cannot read {source_name(name)}: {error.strerror}", code="E_OPEN") from None
    try:
        if b"\0" not in data:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # said below
    raise RecordError(f"{source_name(name)} is no MOT file: it is not text; rows of frame, id, x, y, w, h, score, … "
                      "are needed", code="E_MOT")


def _table(lines: Sequence[str], numbers: Sequence[int]) -> tuple[np.ndarray, Sequence[int], list[BadRow]]:
    """Return the rows that are numbers (R, C) float64, their line numbers, and the others."""
    if not lines:
        return np.empty((0, 0)), [], []
    try:
        table = np.loadtxt(lines, delimiter="," if "," in lines[0] else None, comments=None, ndmin=2)
        if table.shape[0] == len(lines) and table.shape[1] >= FEWEST:
            return table, numbers, []
    except ValueError:
        pass  # line by line, to name the ones that are wrong
    split = [line.split(",") if "," in line else line.split() for line in lines]
    counts = Counter(len(fields) for fields in split if len(fields) >= FEWEST)
    columns = counts.most_common(1)[0][0] if counts else FEWEST
    rows, places, bad = [], [], []
    for fields, number in zip(split, numbers, strict=True):
        try:
            rows.append(_numbers(fields, columns))
            places.append(number)
        except ValueError as error:
            bad.append(BadRow(number, str(error)))
    return np.array(rows, dtype=np.float64).reshape(-1, columns), places, bad


def _numbers(fields: Sequence[str], columns: int) -> list[float]:
    """Return a row's fields as numbers; ValueError says what is wrong with one."""
    if len(fields) != columns:
        needed = f"at least {FEWEST}" if len(fields) < FEWEST else f"{columns} as in the other rows"
        raise ValueError(f"{len(fields)} column{'s' * (len(fields) != 1)}, {needed} are needed")
    row = []
    for place, field in enumerate(fields, 1):
        try:
            row.append(float(field))
        except ValueError:
            raise ValueError(f"column {place} is {field.strip()!r:.40}, a number is needed") from None
    return row


def _faults(table: np.ndarray) -> dict[int, str]:
    """Return what is wrong with rows of numbers: row index to reason, the first reason found."""
    found: dict[int, str] = {}
    if not len(table):
        return found
    frame, track = table[:, 0], table[:, 1]
    # What stands behind the score of files without a class (places in the world) is not read, so it may be anything.
    used = table if table.shape[1] == WITH_CLASS else table[:, :7]
    with np.errstate(invalid="ignore"):
        for row, column in zip(*np.nonzero(~np.isfinite(used)), strict=True):
            found.setdefault(int(row), f"column {column + 1} is {table[row, column]}, a number is needed")
        for row in np.flatnonzero((frame < 1) | (frame != np.floor(frame)) | (frame > _WHOLE)).tolist():
            found.setdefault(row, f"frame is {frame[row]:g}, a whole number from 1 is needed")
        for row in np.flatnonzero((track != np.floor(track)) | (np.abs(track) > _WHOLE)).tolist():
            found.setdefault(row, f"id is {track[row]:g}, a whole number is needed")
        kind = table[:, 7] if table.shape[1] == WITH_CLASS else np.zeros(len(table))
        for row in np.flatnonzero((kind != np.floor(kind)) | (np.abs(kind) > _WHOLE)).tolist():
            found.setdefault(row, f"class is {kind[row]:g}, a whole number is needed")
        for row in np.flatnonzero((np.abs(table[:, 2:6]) > _WHOLE).any(axis=1)).tolist():
            found.setdefault(row, f"box is {', '.join(f'{value:g}' for value in table[row, 2:6])}, pixels are needed")
        for row in np.flatnonzero((table[:, 4:6] < 0).any(axis=1)).tolist():
            found.setdefault(row, f"size is {table[row, 4]:g} x {table[row, 5]:g}, it cannot be negative")
    good = np.setdiff1d(np.flatnonzero(track > 0), list(found))
    _, first = np.unique(table[good, :2], axis=0, return_index=True)
    for row in np.delete(good, first).tolist():
        found[row] = f"frame {frame[row]:.0f} has id {track[row]:.0f} already"
    return found


def _rows(table: np.ndarray) -> MotRows:
    """Return a table (R, C) of good rows by name."""
    count, columns = len(table), table.shape[1] if len(table) else 0
    if not count:
        table = np.empty((0, FEWEST))
    return MotRows(
        frame=table[:, 0].astype(np.int64), id=table[:, 1].astype(np.int64), xywh=table[:, 2:6].copy(),
        score=table[:, 6].copy() if columns > FEWEST else np.ones(count),
        class_id=table[:, 7].astype(np.int64) if columns == WITH_CLASS else None,
        visibility=table[:, 8].copy() if columns == WITH_CLASS else None, columns=columns)
