"""Boxes, scenes and shots as Label Studio's JSON: a task a source, what was found in it as a prediction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import orjson

from vtk.export.boxes import Box, Boxes
from vtk.export.cvat import keyframes, tracks_of
from vtk.export.whole import Spool, WholeFile, listed
from vtk.records import Record

DIGITS = 4  # of percents: a hundredth of a pixel at 10,000
# Control tags that a labelling configuration has to have, by what they label.
IMAGE_TAGS = {"from_name": "label", "to_name": "image"}
BOX_TAGS = {"from_name": "box", "to_name": "video"}
TIME_TAGS = {"from_name": "timeline", "to_name": "video"}


class LabelStudioFormat:
    """Writes one JSON of tasks.

    Args:
        file: where it goes.
        prefix: put before the names of sources, for the server that has them: ``/data/local-files/?d=``.
        model: ``model_version`` of the predictions; empty: the maker of the records.
    """

    def __init__(self, file: WholeFile, prefix: str = "", model: str = "") -> None:
        self._file, self._prefix, self._model = file, prefix, model
        self._spool: Spool | None = None

    def check(self) -> None:
        """Refuse an output that cannot be."""
        self._file.check()

    def begin(self, source: str) -> None:
        """Nothing: it takes any number of sources."""

    def add(self, boxes: Boxes) -> list[str]:
        """Put the source's task by."""
        self._spool = self._spool or Spool()
        self._spool.add([orjson.dumps(task_of(boxes, self._prefix, self._model))])
        return []

    def close(self) -> None:
        """Write the file."""
        if self._spool is not None:
            self._file.write(_wrapped(self._spool))


def task_of(boxes: Boxes, prefix: str = "", model: str = "") -> Record:
    """Return the task of a source: what it opens, and one prediction with a region for each box or track."""
    results = image_results(boxes) if boxes.image else video_results(boxes)
    scores = [result["score"] for result in results if "score" in result]
    prediction: Record = {"model_version": model or boxes.maker or "vtk", "result": results}
    if scores:
        prediction["score"] = round(sum(scores) / len(scores), 4)
    return {"data": {"image" if boxes.image else "video": prefix + boxes.name, "source": boxes.name},
            "predictions": [prediction]}


def image_results(boxes: Boxes) -> list[Record]:
    """Return a rectangle for each box of a picture."""
    return [{"id": f"b{number}", **IMAGE_TAGS, "type": "rectanglelabels", "original_width": boxes.width,
             "original_height": boxes.height, "image_rotation": 0, "score": box.score,
             "value": {**percents(box, boxes), "rotation": 0, "rectanglelabels": [box.label]}}
            for number, box in enumerate(boxes.boxes)]


def video_results(boxes: Boxes) -> list[Record]:
    """Return a region for each track of a video, and one for each scene or shot. Frames count from 1."""
    frames = frames_of(boxes)
    length = boxes.duration or (frames / boxes.fps if boxes.fps else 0.0)
    found: list[Record] = []
    for number, (label, some) in enumerate(tracks_of(boxes.boxes)):
        value = {"framesCount": frames, "duration": round(length, 6), "labels": [label],
                 "sequence": sequence_of(some, boxes)}
        region: Record = {"id": f"t{number}", **BOX_TAGS, "type": "videorectangle", "value": value,
                          "score": round(sum(box.score for box in some) / len(some), 4)}
        if some[0].track >= 0:
            region["meta"] = {"text": [f"track {some[0].track}"]}
        found.append(region)
    for number, span in enumerate(boxes.spans):
        first, last = frames_of_span(span, boxes)
        region = {"id": f"s{number}", **TIME_TAGS, "type": "timelinelabels",
                  "value": {"ranges": [{"start": first, "end": last}],
                            "timelinelabels": [span.get("label", span["type"])]}}
        found.append(region | ({"score": span["score"]} if "score" in span else {}))
    return found


def sequence_of(some: Sequence[Box], boxes: Boxes) -> list[Record]:
    """Return a track's key frames; ``enabled`` is false where the object is gone until the next."""
    steps = list(keyframes(some, frames_of(boxes) + 1))
    return [{"frame": box.frame + 1, "enabled": not (place + 1 == len(steps) or steps[place + 1][1]), "rotation": 0,
             **percents(box, boxes), "time": round(box.t, 6)}
            for place, (box, gone) in enumerate(steps) if not gone]


def percents(box: Box, boxes: Boxes) -> dict[str, float]:
    """Return a box as percents of the frame, cut to it."""
    x1, x2 = (min(max(100 * x / boxes.width, 0.0), 100.0) for x in (box.x1, box.x2))
    y1, y2 = (min(max(100 * y / boxes.height, 0.0), 100.0) for y in (box.y1, box.y2))
    return {"x": round(x1, DIGITS), "y": round(y1, DIGITS), "width": round(x2 - x1, DIGITS),
            "height": round(y2 - y1, DIGITS)}


def frames_of(boxes: Boxes) -> int:
    """Return how many frames a video has: as it declares, by its length, or as many as were seen."""
    seen = max((box.frame + 1 for box in boxes.boxes), default=1)
    counted = boxes.frames or (round(boxes.duration * boxes.fps) if boxes.duration and boxes.fps else 0)
    return max(counted, seen)


def frames_of_span(span: Record, boxes: Boxes) -> tuple[int, int]:
    """Return a span's first and last frame, from 1, both of it."""
    rate = boxes.fps or 25.0
    first = span.get("start_frame", round(span["start"] * rate))
    last = span.get("end_frame", round(span["end"] * rate))
    return int(first) + 1, max(int(last), int(first) + 1)


def _wrapped(spool: Spool) -> Iterator[bytes]:
    yield b"["
    yield from listed(spool.lines())
    yield b"]"
