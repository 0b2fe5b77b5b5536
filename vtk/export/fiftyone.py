"""Boxes, scenes and shots as a FiftyOne data set on disk: samples of pictures, or of videos with frames."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import orjson

from vtk.driver.output import OneFile
from vtk.errors import UsageError, VtkError
from vtk.export.boxes import Box, Boxes
from vtk.export.labelstudio import frames_of, frames_of_span
from vtk.export.whole import Spool, listed, lots
from vtk.records import Record

DIGITS = 6
FRAMES = "frames"
INDEX, SAMPLES = "metadata.json", "samples.json"


class FiftyOneFormat:
    """Writes a folder: metadata.json, samples.json and, of videos, frames/NAME.json.

    That is the form of FiftyOneDataset without a database's own fields: ``version`` is not in its metadata.

    Args:
        folder: where it goes.
        field: the field of the samples or frames that boxes stand in.
        overwrite: whether a data set that is there is replaced.

    Raises:
        UsageError: the field's name is none.
    """

    def __init__(self, folder: Path, field: str = "predictions", overwrite: bool = False) -> None:
        if not field.isidentifier() or field.startswith("_") or field in ("filepath", "tags", "metadata", FRAMES, "id"):
            raise UsageError(f"--field is '{field}': a name of letters, digits and _ is needed, such as predictions")
        self._folder, self._field, self._overwrite = folder, field, overwrite
        self._spool: Spool | None = None
        self._kind = ""
        self._labels: set[str] = set()
        self._written: set[str] = set()

    def check(self) -> None:
        """Refuse a folder that has a data set, or cannot be."""
        there = next((name for name in (INDEX, SAMPLES) if (self._folder / name).exists()), None)
        if there is not None and not self._overwrite:
            raise UsageError(f"{self._folder / there} exists: --overwrite replaces the data set")
        if self._folder.exists() and not self._folder.is_dir():
            raise UsageError(f"-o {self._folder}: it is no folder")

    def begin(self, source: str) -> None:
        """Nothing: whether it is a picture is known when it closes."""

    def add(self, boxes: Boxes) -> list[str]:
        """Write a video's frames, and put the sample by.

        Raises:
            UsageError: pictures and videos came; a data set holds either.
            VtkError: a file cannot be written.
        """
        kind = "image" if boxes.image else "video"
        if self._kind not in ("", kind):
            raise UsageError(f"{boxes.name} is a{'n' * boxes.image} {kind}, and {self._kind}s came before: a data set "
                             "of FiftyOne holds one of them, export the others into another folder")
        self._kind = kind
        self._labels |= {box.label for box in boxes.boxes}
        sample: Record = {"filepath": boxes.opened_by, "tags": [], "_media_type": kind,
                          "metadata": _metadata(boxes), "source": boxes.name}
        if boxes.image:
            sample[self._field] = detections(boxes.boxes, boxes)
        else:
            name = f"{hashlib.blake2b(boxes.name.encode('utf-8', 'surrogateescape'), digest_size=8).hexdigest()}.json"
            _write(self._folder / FRAMES / name, _frame_lines(boxes, self._field))
            self._written.add(name)
            sample[FRAMES] = f"{FRAMES}/{name}"
            if boxes.spans:
                sample[boxes.spans[0]["type"] + "s"] = spans(boxes)
        self._spool = self._spool or Spool()
        self._spool.add([orjson.dumps(sample)])
        return []

    def close(self) -> None:
        """Write the samples, then the metadata: where it is, the data set is whole."""
        (self._folder / INDEX).unlink(missing_ok=True)
        for path in (self._folder / FRAMES).glob("*.json"):
            if path.name not in self._written:  # of the data set that was here
                path.unlink()
        lines = listed(self._spool.lines()) if self._spool is not None else ()
        _write(self._folder / SAMPLES, chain([b'{"samples": ['], lines, [b"]}"]))
        _write(self._folder / INDEX, [orjson.dumps({"name": self._folder.resolve().name, "media_type": self._kind,
                                                    "info": {"classes": sorted(self._labels)}})])


def detections(boxes: Iterable[Box], of: Boxes) -> Record:
    """Return boxes as FiftyOne's Detections: [x, y, width, height] as shares of the frame."""
    found = []
    for box in boxes:
        entry: Record = {"_cls": "Detection", "label": box.label, "bounding_box": relative(box, of),
                         "confidence": box.score, "tags": [], "attributes": {}}
        found.append(entry | ({"index": box.track} if box.track >= 0 else {}))
    return {"_cls": "Detections", "detections": found}


def relative(box: Box, of: Boxes) -> list[float]:
    """Return [x, y, width, height] as shares of the frame."""
    return [round(value, DIGITS) for value in (box.x1 / of.width, box.y1 / of.height, (box.x2 - box.x1) / of.width,
                                               (box.y2 - box.y1) / of.height)]


def spans(boxes: Boxes) -> Record:
    """Return scenes or shots as FiftyOne's TemporalDetections: first and last frame, from 1."""
    found = []
    for span in boxes.spans:
        entry: Record = {"_cls": "TemporalDetection", "label": span.get("label", span["type"]),
                         "support": list(frames_of_span(span, boxes)), "tags": []}
        found.append(entry | ({"confidence": span["score"]} if "score" in span else {}))
    return {"_cls": "TemporalDetections", "detections": found}


def _frame_lines(boxes: Boxes, field: str) -> Iterator[bytes]:
    by_frame: dict[int, list[Box]] = {}
    for box in boxes.boxes:
        by_frame.setdefault(box.frame + 1, []).append(box)
    entries = (b'"%d": %s' % (number, orjson.dumps({"frame_number": number, field: detections(some, boxes)}))
               for number, some in by_frame.items())
    yield b'{"frames": {'
    yield from listed(entries)
    yield b"}}"


def _metadata(boxes: Boxes) -> Record:
    if boxes.image:
        return {"_cls": "ImageMetadata", "width": boxes.width, "height": boxes.height}
    known = {"frame_rate": boxes.fps, "duration": boxes.duration}
    return {"_cls": "VideoMetadata", "frame_width": boxes.width, "frame_height": boxes.height,
            "total_frame_count": frames_of(boxes), **{key: value for key, value in known.items() if value is not None}}


def _write(path: Path, lines: Iterable[bytes]) -> None:
    """Write a whole file. Raises VtkError: it cannot be."""
    try:
        os.makedirs(path.parent, exist_ok=True)
    except OSError as error:
        raise VtkError(f"cannot make folder {path.parent}: {error.strerror}", code="E_WRITE") from None
    file = OneFile(path, overwrite=True)
    complete = False
    try:
        for lot in lots(lines):
            file.write(lot)
        complete = True
    finally:
        file.close(complete)
