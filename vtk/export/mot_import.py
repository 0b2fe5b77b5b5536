"""MOT files as records: what ``vtk import mot`` writes."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from vtk.driver.chain import Outcome
from vtk.driver.link import error_record
from vtk.errors import RecordError, UsageError, VtkError
from vtk.export.mot import BadRow, MotRows, scan_mot
from vtk.export.scores import METHODS, unit_scores
from vtk.export.seqinfo import SeqInfo, seqinfo_of
from vtk.media.names import is_sequence, source_name
from vtk.records import Record, dump, make, score

if TYPE_CHECKING:
    import numpy as np

NAME = "import"
BY = "import/mot"
STDIN = "-"
CHUNK = 1024  # rows that are made into lines together

# Classes 2 to 13 of the ground truth of MOT16 and later; 1, a pedestrian, has the label of files without classes.
# Source: Milan et al., arXiv:1603.00831, table 3; 13 from Dendorfer et al., arXiv:2003.09003.
CLASSES = {2: "person on vehicle", 3: "car", 4: "bicycle", 5: "motorbike", 6: "non motorized vehicle",
           7: "static person", 8: "distractor", 9: "occluder", 10: "occluder on the ground", 11: "occluder full",
           12: "reflection", 13: "crowd"}
PEDESTRIAN = 1


@dataclass(frozen=True, slots=True)
class MotFile:
    """A MOT file to import: what opens it, how it is shown, the source of its records, its frames' rate and size."""

    path: str
    name: str
    source: str
    info: SeqInfo


def mot_files(names: Sequence[str], source: str | None = None, fps: float | None = None) -> list[MotFile]:
    """Return the files to import, each once, with what is known of their sequences.

    Args:
        names: paths as the user typed them; - is stdin.
        source: the media that the rows are about, for a single file; None takes the file's own path.
        fps: frames a second; None asks the file's seqinfo.ini.

    Raises:
        UsageError: no rate is known or it is not above 0, one source is given for several files, or a name is empty.
    """
    names = list(dict.fromkeys(names))
    if fps is not None and not 0 < fps < math.inf:
        raise UsageError(f"--fps is {fps:g}: a number above 0 is needed")
    if source is not None and len(names) != 1:
        raise UsageError(f"--source says what one file is about, and {len(names)} are named: import them one by one")
    if not all((*names, source or "-")):
        raise UsageError("a FILE or --source is an empty string: name a file")
    if STDIN in names and (source is None or fps is None):
        raise UsageError("rows on stdin have no name: --source MEDIA and --fps N say what they are about")
    found = []
    for name in names:
        path = "/dev/stdin" if name == STDIN else name
        # A file that is not there fails when its turn comes, as any source does: that is not for want of a rate.
        missing = fps is None and not os.path.exists(path)
        info = SeqInfo(1.0) if missing else seqinfo_of(path, fps)
        found.append(MotFile(path, source_name(name), source_name(source or name), info))
    return found


class MotImport:
    """Turns MOT files into records: detections where a row has no id above 0, tracks where it has one.

    Boxes keep their left, top, width and height to two decimals, so that ``vtk export mot`` gives them back.

    Args:
        label: the label of files without classes, and of pedestrians.
        scores: quantile, logistic or clip; None: quantile where a file has a score outside [0, 1], else as they are.

    Raises:
        UsageError: an unknown way to scores.
    """

    def __init__(self, label: str = "person", scores: str | None = None) -> None:
        if scores is not None and scores not in METHODS:
            raise UsageError(f"--scores is '{scores}': it is one of {', '.join(METHODS)}")
        self._label = label
        self._scores = scores

    def lines(self, file: MotFile, outcome: Outcome) -> Iterator[list[bytes]]:
        """Yield the lines of a file: what is known of its media, its records by frame, its bad rows, its ledger.

        ``outcome`` tells how it went.
        """
        try:
            rows, bad = scan_mot(file.path)
        except VtkError as error:
            outcome.status = "failed"
            outcome.errors.append((NAME, error))
            yield [dump(error_record(BY, NAME, error, file.source, fatal=True)), self._end(file, outcome, 0, 0)]
            return
        if file.info.width is not None and file.info.height is not None:
            yield [dump(_media(file))]
        order = rows.frame.argsort(kind="stable")
        scores, changed = unit_scores(rows.score, rows.frame, self._scores)
        for begin in range(0, len(order), CHUNK):
            yield [dump(record) for record in self._records(file, rows, scores, changed, order[begin:begin + CHUNK])]
        yield [*_bad_lines(file, bad, outcome),
               self._end(file, outcome, len(set(rows.frame.tolist())), len(rows.frame))]

    def _records(self, file: MotFile, rows: MotRows, scores: np.ndarray, changed: bool,
                 chosen: np.ndarray) -> Iterator[Record]:
        """Yield the records of the rows ``chosen`` (K,), in that order."""
        kinds = [0] * len(chosen) if rows.class_id is None else rows.class_id[chosen].tolist()
        for frame, track, (x, y, width, height), value, raw, kind in zip(
                rows.frame[chosen].tolist(), rows.id[chosen].tolist(), rows.xywh[chosen].tolist(),
                scores[chosen].tolist(), rows.score[chosen].tolist(), kinds, strict=True):
            keys: Record = {"frame": frame - 1, "t": round((frame - 1) / file.info.fps, 6)}
            if track > 0:
                keys["track_id"] = track
            # From the rounded sides, not from x + width: so the width comes back to two decimals.
            x, y = round(x, 2), round(y, 2)
            keys |= {"xyxy": [x, y, round(x + round(width, 2), 2), round(y + round(height, 2), 2)],
                     "score": score(value), "label": self._named(kind), "class_id": max(kind, 0)}
            if changed:
                keys["raw_score"] = raw
            yield make("track" if track > 0 else "detection", BY, file.source, **keys)

    def _named(self, kind: int) -> str:
        """Return the label of a class number; 0 and below are files without classes."""
        return self._label if kind <= PEDESTRIAN else CLASSES.get(kind, f"class {kind}")

    def _end(self, file: MotFile, outcome: Outcome, frames: int, records: int) -> bytes:
        """Return the ledger's line."""
        options = {"by": BY, "fps": file.info.fps, "label": self._label, "scores": self._scores}
        text = orjson.dumps(options, option=orjson.OPT_SORT_KEYS)
        return dump(make("end", BY, file.source, status=outcome.status,
                         frames={"decoded": 0, "processed": frames, "skipped": 0}, records=records,
                         types=["detection", "track"], options=hashlib.blake2b(text, digest_size=8).hexdigest()))


def _media(file: MotFile) -> Record:
    """Return the media record of a file whose sequence states its size."""
    info = file.info
    # A file's own path stands for the sequence that it came from: a folder of images.
    own = file.source == file.name
    keys: Record = {"kind": "sequence" if own or is_sequence(file.source) else "video", "width": info.width,
                    "height": info.height, "fps": round(info.fps, 6)}
    if info.frames is not None:
        keys["frames"] = info.frames
    return make("media", BY, file.source, **keys)


def _bad_lines(file: MotFile, bad: Sequence[BadRow], outcome: Outcome) -> list[bytes]:
    """Return an error line for each row that was passed over, and note it in ``outcome``."""
    lines = []
    for row in bad:
        error = RecordError(f"{file.name}, line {row.line}: {row.reason}", code="E_MOT")
        outcome.status = "partial"
        outcome.errors.append((NAME, error))
        lines.append(dump(error_record(BY, NAME, error, file.source, row.line)))
    return lines
