"""COCO files as records: what ``vtk import coco`` writes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from vtk.driver.chain import Outcome
from vtk.driver.link import error_record
from vtk.errors import RecordError, UsageError, VtkError
from vtk.media.names import is_image, source_name
from vtk.records import MAX_COORDINATE, MAX_INTEGER, Record, dump, make, score

NAME = "import"
BY = "import/coco"
MOST_NAMED = 20
LOT = 1024


@dataclass(slots=True)
class Image:
    """An image of a COCO file: which frame of which source it is, and what is annotated in it."""

    source: str
    frame: int
    keys: Record
    width: Any
    height: Any
    annotations: list[Record] = field(default_factory=list)


class CocoImport:
    """Turns COCO files into records: detections, or tracks where an annotation has a track_id.

    Images are sources, unless they say of which source they are a frame, as those of ``vtk export coco`` do.

    Args:
        folder: put before the names of images.
        like: the data set that results, lists without images, are about.

    Attributes:
        note: what to say of the last file, if anything.

    Raises:
        UsageError: ``like`` is no COCO file.
    """

    def __init__(self, folder: str = "", like: Path | None = None) -> None:
        self._folder = folder
        self._like = read_json(like) if like is not None else None
        self.note = ""

    def lines(self, name: str, outcome: Outcome) -> Iterator[list[bytes]]:
        """Yield the lines of a file: of each source media, records by frame, a ledger; ``outcome`` says how."""
        path, self.note = "/dev/stdin" if name == "-" else name, ""
        try:
            data = read_json(Path(path))
            images, annotations, categories = self._parts(data, name)
        except VtkError as error:
            outcome.status = "failed"
            outcome.errors.append((NAME, error))
            source = source_name(name)
            yield [dump(error_record(BY, NAME, error, source, fatal=True)), _end(source, "failed", 0, 0)]
            return
        bad, outlines = _spread(annotations, images, categories, name)
        for message in bad[:MOST_NAMED]:
            outcome.status = "partial"
            outcome.errors.append((NAME, RecordError(message, code="E_COCO")))
            yield [dump(error_record(BY, NAME, RecordError(message, code="E_COCO")))]
        if len(bad) > MOST_NAMED:
            outcome.errors.append((NAME, RecordError(f"and {len(bad) - MOST_NAMED} more annotations of {name}",
                                                     code="E_COCO")))
        if outlines:
            self.note = f"{name}: the outlines of {outlines} annotations are left out, records hold their boxes"
        sources: dict[str, list[Image]] = {}
        for image in images.values():
            sources.setdefault(image.source, []).append(image)
        for source, frames in sources.items():
            yield from _source_lines(source, sorted(frames, key=lambda image: image.frame))

    def _parts(self, data: Any, name: str) -> tuple[dict[Any, Image], list[Any], dict[Any, tuple[str, int]]]:
        """Return the images by id, the annotations, and the labels with their classes by id.

        Raises:
            VtkError: E_COCO, the file is none of COCO's.
        """
        whole = self._like if isinstance(data, list) else data
        if whole is None:
            raise VtkError(f"{name} is a list of results, which does not say what images are called: give --like, the "
                           "data set that they are about", code="E_COCO")
        if not isinstance(whole, dict) or not isinstance(whole.get("images"), list):
            raise VtkError(f"{name} is no COCO file: a JSON object with lists images, annotations and categories is "
                           "needed", code="E_COCO")
        images: dict[Any, Image] = {}
        for image in whole["images"]:
            if not isinstance(image, dict) or "id" not in image or not isinstance(image.get("file_name"), str):
                raise VtkError(f"{name} has an image without id or file_name: {str(image):.80}", code="E_COCO")
            images[image["id"]] = self._image(image)
        found = data if isinstance(data, list) else whole.get("annotations", [])
        categories = {each["id"]: (str(each.get("name", each["id"])), each.get("class_id", each["id"]))
                      for each in whole.get("categories", []) if isinstance(each, dict) and "id" in each}
        return images, found if isinstance(found, list) else [], categories

    def _image(self, image: Record) -> Image:
        frame, t, pts, step = (image.get(key) for key in ("frame", "t", "pts", "step"))
        own = isinstance(image.get("source"), str) and type(frame) is int and frame >= 0
        keys: Record = {"frame": frame if own else 0}
        if own and type(pts) is int:
            keys["pts"] = pts
        keys["t"] = float(t) if own and isinstance(t, (int, float)) else 0.0
        if own and type(step) is int and step > 1:
            keys["step"] = step
        source = image["source"] if own else source_name(os.path.join(self._folder, image["file_name"]))
        return Image(source, keys["frame"], keys, image.get("width"), image.get("height"))


def read_json(path: Path) -> Any:
    """Return the value of a JSON file. Raises VtkError: E_COCO, it cannot be read, or is no JSON."""
    try:
        return orjson.loads(path.read_bytes())
    except OSError as error:
        raise VtkError(f"cannot read {path}: {error.strerror}", code="E_OPEN") from None
    except orjson.JSONDecodeError as error:
        raise VtkError(f"{path} is no JSON: {error}", code="E_COCO") from None


def _spread(annotations: Sequence[Any], images: dict[Any, Image], categories: dict[Any, tuple[str, int]],
            name: str) -> tuple[list[str], int]:
    """Give images their annotations; return what is wrong with others, and how many have outlines."""
    bad, outlines = [], 0
    for number, annotation in enumerate(annotations, 1):
        try:
            image = images[annotation["image_id"]]
            keys = _keys(annotation, categories)
        except (KeyError, TypeError, ValueError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            if isinstance(error, KeyError) and isinstance(annotation, dict) and "image_id" in annotation:
                what = "no 'bbox'" if "bbox" not in annotation else f"no image {annotation['image_id']!r:.40}"
            bad.append(f"{name}, annotation {number}: {what}: passed over")
            continue
        outlines += bool(annotation.get("segmentation"))
        image.annotations.append(keys)
    return bad, outlines


def _keys(annotation: Record, categories: dict[Any, tuple[str, int]]) -> Record:
    """Return the keys of a record that an annotation gives.

    Raises:
        KeyError, TypeError, ValueError: it cannot be used.
    """
    x, y, width, height = map(float, annotation["bbox"])
    if not (width >= 0 and height >= 0 and max(abs(x), abs(y), width, height) <= MAX_COORDINATE / 2):
        raise ValueError(f"bbox is {annotation['bbox']!r:.80}, x, y, width and height are needed")
    raw = annotation.get("score", 1.0)
    value = float(raw)
    if value != value:
        raise ValueError("score is NaN")
    known = annotation.get("category_id")
    label, kind = categories.get(known, (str("object" if known is None else known), known))
    keys: Record = {}
    track = annotation.get("track_id")
    if type(track) is int and 0 <= track <= MAX_INTEGER:
        keys["track_id"] = track
    x, y = round(x, 2), round(y, 2)
    keys |= {"xyxy": [x, y, round(x + round(width, 2), 2), round(y + round(height, 2), 2)],
             "score": score(min(max(value, 0.0), 1.0)), "label": label}
    if type(kind) is int and 0 <= kind <= MAX_INTEGER:
        keys["class_id"] = kind
    if not 0 <= value <= 1:
        keys["raw_score"] = value
    return keys | ({"iscrowd": 1} if annotation.get("iscrowd") else {})


def _source_lines(source: str, images: Sequence[Image]) -> Iterator[list[bytes]]:
    """Yield the lines of one source, in lots."""
    first, count = images[0], 0
    lines: list[bytes] = []
    if all(type(side) is int and side > 0 for side in (first.width, first.height)):
        kind = "image" if is_image(source) else "video"
        lines.append(dump(make("media", BY, source, kind=kind, width=first.width, height=first.height)))
    for image in images:
        for keys in image.annotations:
            lines.append(dump(make("track" if "track_id" in keys else "detection", BY, source, **image.keys, **keys)))
            count += 1
        if len(lines) >= LOT:
            yield lines
            lines = []
    yield [*lines, _end(source, "ok", len(images), count)]


def _end(source: str, status: str, frames: int, records: int) -> bytes:
    return dump(make("end", BY, source, status=status, frames={"decoded": 0, "processed": frames, "skipped": 0},
                     records=records, types=["detection", "track"]))


def coco_files(names: Sequence[str]) -> list[str]:
    """Return the files to import, each once. Raises UsageError: a name is empty."""
    if not all(names):
        raise UsageError("a FILE is an empty string: name a file")
    return list(dict.fromkeys(names))
