"""Boxes as COCO: a data set of images, categories and annotations, or results to be scored against one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from vtk.errors import UsageError
from vtk.export.boxes import Box, Boxes, frame_file
from vtk.export.whole import Spool, WholeFile, listed, lots

Category = tuple[int, str]  # the index of the class, -1 where none is stated, and its label


class CocoFormat:
    """Writes one JSON: ``images`` (frames of a video are images of their own), ``categories`` and ``annotations``.

    Annotations have ``score``, and ``track_id`` where there is one; images have ``source``, ``frame`` and ``t``. COCO
    knows these keys not, and its readers pass over them; ``vtk import coco`` reads them.

    Args:
        file: where it goes.
        results: write a list of results instead: image_id, category_id, bbox, score.
        like: a COCO file whose ids of images and categories hold, for results.

    Raises:
        UsageError: ``like`` without results.
    """

    def __init__(self, file: WholeFile, results: bool = False, like: Path | None = None) -> None:
        if like is not None and not results:
            raise UsageError("--like says what the ids of results mean: give --results too")
        self._file, self._results, self._like = file, results, like
        self._known: Known | None = None
        self._images: list[dict[str, Any]] = []
        self._categories: dict[Category, int] = {}
        self._spool: Spool | None = None

    def check(self) -> None:
        """Refuse an output that cannot be, and a file of ids that is none."""
        self._file.check()
        if self._like is not None:
            self._known = Known(self._like)

    def begin(self, source: str) -> None:
        """Nothing: it takes any number of sources."""

    def add(self, boxes: Boxes) -> list[str]:
        """Put the source's annotations by; return what is left out of them, in words."""
        self._spool = self._spool or Spool()
        before = self._spool.count
        for lot in lots(self._annotation_lines(boxes)):
            self._spool.add(lot)
        count = self._spool.count - before
        if self._known is None or count == len(boxes.boxes):
            return []
        missing = ", ".join(self._known.missing(boxes))
        return [f"{len(boxes.boxes) - count} of {len(boxes.boxes)} boxes are left out: {self._like} has no {missing}"]

    def _annotation_lines(self, boxes: Boxes) -> Iterator[bytes]:
        """Yield what is put by of each box, and give images and categories their numbers."""
        images: dict[int, int | None] = {}
        if boxes.image:
            images[0] = self._image(boxes, 0, None)
        for box in boxes.boxes:
            if box.frame not in images:
                images[box.frame] = self._image(boxes, box.frame, box)
            image, category = images[box.frame], self._category(box)
            if image is not None and category is not None:
                yield orjson.dumps([image, category, *_bbox(box), box.score, box.track, box.poly])

    def close(self) -> None:
        """Write the file."""
        self._file.write(self._result_lines() if self._results else self._lines())

    def _image(self, boxes: Boxes, frame: int, box: Box | None) -> int | None:
        name = boxes.name if boxes.image else frame_file(boxes.name, frame)
        if self._known is not None:
            return self._known.image(name)
        image: dict[str, Any] = {"id": len(self._images) + 1, "file_name": name, "width": boxes.width,
                                 "height": boxes.height, "source": boxes.name, "frame": frame}
        if box is not None:
            image |= {"t": box.t} | ({} if box.pts is None else {"pts": box.pts})
            image |= {} if box.step == 1 else {"step": box.step}
        self._images.append(image)
        return image["id"]

    def _category(self, box: Box) -> int | None:
        if self._known is not None:
            return self._known.category(box.label)
        return self._categories.setdefault((box.class_id, box.label), len(self._categories) + 1)

    def _lines(self) -> Iterator[bytes]:
        """Yield the data set, a line an image and an annotation."""
        order, categories = self._sorted()
        yield b'{"info": {"description": "vtk export coco"}, "licenses": [],'
        yield b'"images": ['
        yield from listed(map(orjson.dumps, self._images))
        yield b'],\n"categories": ['
        yield from listed(map(orjson.dumps, categories))
        yield b'],\n"annotations": ['
        yield from listed(self._annotations(order))
        yield b"]}"

    def _annotations(self, order: dict[int, int]) -> Iterator[bytes]:
        for number, line in enumerate(self._spool.lines() if self._spool is not None else (), 1):
            image, category, x, y, width, height, score, track, poly = orjson.loads(line)
            annotation = {"id": number, "image_id": image, "category_id": order[category],
                          "bbox": [x, y, width, height], "area": round(width * height, 2), "iscrowd": 0,
                          "segmentation": [] if poly is None else [[value for point in poly for value in point]],
                          "score": score}
            if track >= 0:
                annotation["track_id"] = track
            yield orjson.dumps(annotation)

    def _result_lines(self) -> Iterator[bytes]:
        order = self._sorted()[0]
        yield b"["
        yield from listed(orjson.dumps({"image_id": image, "category_id": order.get(category, category),
                                        "bbox": box, "score": score})
                          for image, category, *box, score, _, _ in map(orjson.loads, self._spool.lines()))
        yield b"]"

    def _sorted(self) -> tuple[dict[int, int], list[dict[str, Any]]]:
        """Return the last numbers of categories by their first ones, and the categories: by class, then by label."""
        order: dict[int, int] = {}
        categories = []
        for number, (key, first) in enumerate(sorted(self._categories.items()), 1):
            order[first] = number
            category: dict[str, Any] = {"id": number, "name": key[1], "supercategory": ""}
            categories.append(category | ({} if key[0] < 0 else {"class_id": key[0]}))
        return order, categories


class Known:
    """The ids of images and categories in a COCO file.

    Args:
        path: the file.

    Raises:
        UsageError: it cannot be read, or is no COCO file.
    """

    def __init__(self, path: Path) -> None:
        from vtk.export.coco_import import read_json

        data = read_json(path)
        if not isinstance(data, dict) or not all(isinstance(data.get(key), list) for key in ("images", "categories")):
            raise UsageError(f"--like {path}: it has no lists images and categories, a COCO data set is needed")
        try:
            self._images = {image["file_name"]: image["id"] for image in data["images"]}
            self._categories = {category["name"]: category["id"] for category in data["categories"]}
        except (KeyError, TypeError) as error:
            raise UsageError(f"--like {path}: an image or category has no {error}") from None
        bare: dict[str, list[Any]] = {}
        for name, number in self._images.items():
            bare.setdefault(os.path.basename(name), []).append(number)
        self._bare = {name: numbers[0] for name, numbers in bare.items() if len(numbers) == 1}

    def image(self, name: str) -> Any:
        """Return the id of a file, by its whole name or by its last part where that is one file's; else None."""
        return self._images.get(name, self._bare.get(os.path.basename(name)))

    def category(self, label: str) -> Any:
        """Return the id of a label, None where there is none."""
        return self._categories.get(label)

    def missing(self, boxes: Boxes) -> list[str]:
        """Return the first image and the first label of a source that it does not have, in words."""
        names = (boxes.name if boxes.image else frame_file(boxes.name, box.frame) for box in boxes.boxes)
        image = next((f"image {name}" for name in names if self.image(name) is None), None)
        label = next((f"category {box.label}" for box in boxes.boxes if self.category(box.label) is None), None)
        return [name for name in (image, label) if name is not None]


def _bbox(box: Box) -> tuple[float, float, float, float]:
    """Return [x, y, width, height] to two decimals, from rounded corners: so that they come back."""
    x1, y1 = round(box.x1, 2), round(box.y1, 2)
    return x1, y1, round(box.x2 - x1, 2), round(box.y2 - y1, 2)
