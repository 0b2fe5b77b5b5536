"""The stage behind ``vtk export mot``: track or detection records as the rows of a MOT file."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vtk.driver.inputs import output_path
from vtk.driver.output import OneFile, part_of
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import RecordError, UsageError, VtkError
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES

KINDS = ("track", "detection")  # where a source has both, the first is written
STDOUT = Path("-")
NO_ID = -1
# Suffixes that give way to .txt in --out-dir: those of media and of the MOT files that were imported.
_GIVE_WAY = VIDEO_SUFFIXES | IMAGE_SUFFIXES | {".txt"}


@dataclass(slots=True)
class State:
    """One open source: where it goes, and its rows by the type of their records.

    Attributes:
        rows: by type: (frame from 1, id, the rest of the row).
        makers: by type: those of its records.
    """

    source: Source
    path: Path
    rows: dict[str, list[tuple[int, int, str]]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    makers: dict[str, set[str]] = field(default_factory=lambda: {kind: set() for kind in KINDS})


class MotStage(Stage):
    """Write the tracks of each source, or its detections where it has no tracks, as rows of a MOT file.

    A row is frame (from 1), id (-1 of a detection), x, y, w, h (pixels, two decimals), score, -1, -1, -1. The score is
    raw_score where there is one. MOT counts ids from 1: where a source has a track 0, all its ids are one higher.

    Args:
        output: the file to write, for one source; - is stdout.
        out_dir: the folder to write into, one file a source.
        overwrite: whether files that exist are replaced.
        kind: ``track`` or ``detection``, to write these alone; empty: what there is, tracks before detections.
        maker: write the records of this maker (``by``) alone; empty: of the only one that there is.
        tee: whether records go on to stdout.

    Raises:
        UsageError: no output or two are named, an unknown type, or rows and records would share stdout.
    """

    name = "export"
    reads = frozenset(KINDS)
    sink = True
    opens_media = False
    batch = 64

    def __init__(self, output: Path | None = None, out_dir: Path | None = None, overwrite: bool = False,
                 kind: str = "", maker: str = "", tee: bool = False) -> None:
        if (output is None) == (out_dir is None):
            raise UsageError("export mot needs either -o FILE, for one source, or --out-dir DIR, for one file a source")
        if kind and kind not in KINDS:
            raise UsageError(f"--type is '{kind}': it is one of {', '.join(KINDS)}")
        if output == STDOUT and tee:
            raise UsageError("-o - writes rows to stdout, where --tee would write records: give -o FILE")
        self._output, self._out_dir, self._overwrite = output, out_dir, overwrite
        self._kinds = (kind,) if kind else KINDS
        self._maker = maker
        self._taken: dict[Path, str] = {}
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the rows."""
        return {"type": list(self._kinds), "by": self._maker}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        if self._output is not None and self._output != STDOUT:
            self._check_free(self._output)
            if not self._output.parent.is_dir():
                raise UsageError(f"{self._output}: there is no folder {self._output.parent}")

    def start(self, source: Source) -> State:
        """Choose the source's file. Raises UsageError where it exists, or has another source in it."""
        path = self._output
        if path is None:
            path = (self._out_dir or Path()) / table_path(source.name)
        if path in self._taken:
            mend = "--out-dir DIR for several sources" if self._output is not None else "-o FILE for each of them"
            raise UsageError(f"{path} holds {self._taken[path]} already, and {source.name} came too: give {mend}")
        if path != STDOUT:
            self._check_free(path)
        self._taken[path] = source.name
        return State(source, path)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Take the records of frames; none come of it."""
        for frame in batch:
            seen: set[tuple[str, int]] = set()
            for record in frame.records:
                kind, maker = record["type"], record["by"]
                if kind not in self._kinds or (self._maker and maker != self._maker):
                    continue
                track = record["track_id"] if kind == "track" else NO_ID
                if kind == "track" and (maker, track) in seen:
                    raise RecordError(f"frame {frame.index} has track {track} of {maker} twice; a MOT file cannot")
                seen.add((maker, track))
                state.rows[kind].append((frame.index + 1, track, row_end(record)))
                state.makers[kind].add(maker)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Write the source's file, where nothing went wrong here."""
        if not ok:
            return []
        kind = next((kind for kind in self._kinds if state.rows[kind]), self._kinds[-1])
        makers = sorted(state.makers[kind])
        if len(makers) > 1:
            raise RecordError(f"{kind} records of {len(makers)} makers ({', '.join(makers)}): --by says whose to write")
        rows = state.rows[kind]
        lift = 1 if any(track == 0 for _, track, _ in rows) else 0
        self._write(state.path, [f"{frame},{track + lift},{rest}".encode() for frame, track, rest in rows])
        return []

    def _write(self, path: Path, lines: list[bytes]) -> None:
        """Write a whole file, or nothing of it."""
        if path == STDOUT:
            sys.stdout.buffer.write(b"".join(line + b"\n" for line in lines))
            sys.stdout.flush()
            return
        if self._out_dir is not None:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise VtkError(f"cannot make folder {path.parent}: {error.strerror}", code="E_WRITE") from None
        file = OneFile(path, overwrite=True)  # whether it may be replaced was asked at the start
        try:
            file.write(lines)
            file.close(True)
        except VtkError:
            with contextlib.suppress(OSError, VtkError):
                file.close(False)
            part = part_of(path)
            if part.is_file():
                part.unlink()
            raise

    def _check_free(self, path: Path) -> None:
        """Raise UsageError where ``path`` may not be written; a device or a pipe always may."""
        if path.is_dir():
            raise UsageError(f"{path} is a folder: --out-dir writes into folders")
        if path.is_file() and not self._overwrite:
            raise UsageError(f"{path} exists: --overwrite replaces it")


def row_end(record: Record) -> str:
    """Return what stands behind frame and id in the row of a record.

    Raises:
        RecordError: the box has a negative size.
    """
    x1, y1, x2, y2 = record["xyxy"]
    if x2 < x1 or y2 < y1:
        raise RecordError(f"{record['type']}'s 'xyxy' is {record['xyxy']!r:.80}: x1 <= x2 and y1 <= y2 are needed")
    score = float(record.get("raw_score", record["score"]))
    number = repr(score).removesuffix(".0")
    x, y = round(x1, 2) + 0.0, round(y1, 2) + 0.0  # no minus before a zero
    return f"{x:.2f},{y:.2f},{x2 - x1:.2f},{y2 - y1:.2f},{number},-1,-1,-1"


def table_path(source: str) -> str:
    """Return the relative path of a source's rows: its own, with .txt for the suffix of media."""
    path = output_path(source)
    stem, suffix = os.path.splitext(path)
    return (stem if suffix.lower() in _GIVE_WAY else path) + ".txt"
