"""Sequences and images of texts: what they are called, and the formats that they are read from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from vtk.errors import RecordError, UsageError
from vtk.evaluation.sequences import sequence_name
from vtk.evaluation.text_lanes import TextLane, TextLanes
from vtk.export.icdar import TextRows, read_bytes, read_video, rows_of_json
from vtk.export.icdar_images import read_image_list, read_json, rows_of_captions, rows_of_mmocr
from vtk.media.names import is_image
from vtk.metrics.text import Texts

_RECORDS = (".jsonl", ".ndjson")
_FILES = (*_RECORDS, ".json", ".json.gz", ".xml", ".xml.gz", ".txt")
_BESIDE = "_transcripts_by_eye.json"  # FOLDER of images to the transcripts that stand beside it


@dataclass(frozen=True, slots=True)
class TextSequence:
    """The texts of one video or image, frames from 1, as one side of an evaluation has them.

    Attributes:
        name: what it is matched by.
        where: the file or source that it came from.
        image: whether it is an image.
        tracked: whether ids say what is one text over time.
        ignored: (R,) bool, what is don't-care.
        twins: texts that had an id of another in their frame; they got ids of their own.
    """

    name: str
    where: str
    texts: Texts
    ignored: np.ndarray
    image: bool = False
    tracked: bool = True
    twins: int = 0

    def take(self, rows: np.ndarray) -> TextSequence:
        """Return the sequence with the texts of ``rows``, a mask, alone."""
        return TextSequence(self.name, self.where, self.texts.take(rows), self.ignored[rows], self.image, self.tracked,
                            self.twins)


def text_name(file: str) -> str:
    """Return what the sequence of a file is called: SEQ for ``SEQ_GT.json.gz``, ``res_SEQ.xml``, ``gt_SEQ.txt``."""
    name = os.path.basename(file)
    for end in sorted(_FILES, key=len, reverse=True):
        if name.lower().endswith(end):
            name = name[: -len(end)]
            break
    return re.sub(r"^(gt|res)_|_gt$", "", name, flags=re.IGNORECASE) or name


def read_truth(names: Sequence[str]) -> dict[str, TextSequence]:
    """Return the ground truth of files and folders of these, by name.

    Read are ICDAR's video XML and JSON, its lists of images, MMOCR's JSON with the transcripts beside its folder,
    captions that stay where they are, and text records.

    Raises:
        UsageError: nothing is found, or two are of one name.
        MediaError, RecordError: a file cannot be read, or something in it.
    """
    if "-" in names:
        raise UsageError("--gt -: stdin is for results; name the ground truth's file or folder")
    lanes = TextLanes()
    found: dict[str, TextSequence] = {}
    for file in [file for name in names for file in _files(name, "--gt ")]:
        for sequence in _sequences(file, lanes):
            _add(found, sequence)
    if lanes.bad:
        number, where, error = lanes.bad[0]
        raise RecordError(f"ground truth {where}, line {number}: {error}", code=error.code)
    for source, lane in lanes.sources():
        _add(found, _of_records(source, lane, lane.rows))
    return found


def read_results(names: Sequence[str], lanes: TextLanes) -> dict[str, TextSequence]:
    """Return results of record files, ICDAR files and folders of these, or of records on stdin, by name.

    Args:
        names: files and folders; ``-`` or none is stdin.
        lanes: takes the records; it says which maker counts, and knows of bad lines afterwards.

    Raises:
        UsageError: nothing is found, two are of one name, or there are no texts among the records.
        MediaError, RecordError: a file cannot be read, or something in it.
    """
    found: dict[str, TextSequence] = {}
    for file in [file for name in names for file in _files(name)] or [None]:
        for sequence in [] if file is None else _sequences(file, lanes):
            _add(found, sequence)
        if file is None:
            lanes.read(None)
    for source, lane in lanes.sources():
        _add(found, _of_records(source, lane, lane.voted()))
    return found


def _files(name: str, option: str = "") -> list[str]:
    if not os.path.isdir(name):
        return [name]
    files = {os.fspath(file) for file in Path(name).rglob("*")
             if file.name.lower().endswith(_FILES) and file.is_file() and not file.name.startswith(".")}
    # A list of transcripts belongs to the XML of its name.
    files = {file for file in files if not file.endswith(_BESIDE)
             and not (file.endswith(".txt") and file[:-4] + ".xml" in files)}
    if not files:
        raise UsageError(f"{option}{name}: no texts in this folder; {', '.join(_FILES)} are looked for")
    return sorted(files)


def _sequences(file: str, lanes: TextLanes) -> list[TextSequence]:
    """Return what a file holds; records go to ``lanes``, and a pipe, which cannot be read twice, holds records."""
    lower = file.lower()
    if file == "-" or lower.endswith(_RECORDS) or (os.path.exists(file) and not os.path.isfile(file)):
        lanes.read(file)
        return []
    if lower.endswith(".txt"):
        return [sequence_of(file, text_name(file), read_image_list(file), image=True, tracked=False)]
    if lower.endswith((".xml", ".xml.gz")) or read_bytes(file).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return [sequence_of(file, text_name(file), read_video(file))]
    try:
        data = orjson.loads(read_bytes(file))
    except orjson.JSONDecodeError:
        data = {"type": "records"}  # several lines: records, or nothing at all
    if isinstance(data, dict) and "type" in data:
        lanes.read(file)
        return []
    if isinstance(data, dict) and "data_list" in data:
        return _of_mmocr(file, data)
    if isinstance(data, dict) and "lines" in data:
        return [sequence_of(file, sequence_name(str(data.get("video", file))), rows_of_captions(data, file))]
    return [sequence_of(file, text_name(file), rows_of_json(data, file))]


def _of_mmocr(file: str, data: Mapping[str, object]) -> list[TextSequence]:
    beside = os.path.dirname(os.path.abspath(file)) + _BESIDE
    transcripts = read_json(beside) if os.path.isfile(beside) else None
    return [sequence_of(image, sequence_name(image), rows, image=True, tracked=False)
            for image, rows in rows_of_mmocr(data, file, transcripts).items()]


def _of_records(source: str, lane: TextLane, rows: TextRows) -> TextSequence:
    return sequence_of(source, sequence_name(source), rows, image=is_image(source), tracked=lane.tracked)


def sequence_of(where: str, name: str, rows: TextRows, *, image: bool = False, tracked: bool = True) -> TextSequence:
    """Return rows as a sequence. Of two texts with one id in a frame the second is of a track of its own."""
    ids, seen, twins = [], dict[tuple[int, int], int](), 0
    own: dict[tuple[int, int], int] = {}
    beyond = max(rows.id, default=0) + 1
    for place in zip(rows.frame, rows.id, strict=True):
        times = seen[place] = seen.get(place, 0) + 1
        twins += times > 1
        ids.append(place[1] if times == 1 else own.setdefault((place[1], times), beyond + len(own)))
    texts = Texts(np.array(rows.frame, dtype=np.int64), np.array(ids, dtype=np.int64), rows.polygon, rows.text)
    return TextSequence(name, where, texts, np.array(rows.ignored, dtype=bool), image, tracked and not image, twins)


def _add(found: dict[str, TextSequence], sequence: TextSequence) -> None:
    other = found.setdefault(sequence.name, sequence)
    if other is not sequence:
        raise UsageError(f"two of the sequence {sequence.name}: {other.where} and {sequence.where}; evaluate one at a "
                         "time, or give them names of their own")
