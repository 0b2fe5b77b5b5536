"""The stage behind ``vtk export mot``: track or detection records as the rows of a MOT file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import RecordError, UsageError
from vtk.export.outputs import Outputs, output_name

KINDS = ("track", "detection")  # where a source has both, the first is written
NO_ID = -1


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
        self._outputs = Outputs("mot", ".txt", output, out_dir, overwrite, tee)
        self.one_output = output
        if kind and kind not in KINDS:
            raise UsageError(f"--type is '{kind}': it is one of {', '.join(KINDS)}")
        self._kinds = (kind,) if kind else KINDS
        self._maker = maker
        self.tee = tee

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the rows."""
        return {"type": list(self._kinds), "by": self._maker}

    def prepare(self, mode: str = "media") -> None:
        """Refuse an output that exists or cannot be, before any work is done."""
        self._outputs.prepare()

    def start(self, source: Source) -> State:
        """Choose the source's file. Raises UsageError where it exists, or has another source in it."""
        return State(source, self._outputs.place(source.name))

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
        self._outputs.write(state.path, [f"{frame},{track + lift},{rest}".encode() for frame, track, rest in rows])
        return []


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
    return output_name(source, ".txt")
