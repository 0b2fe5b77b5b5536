"""Ground truth of texts in images and on captions: ICDAR's lists, MMOCR's JSON, and lines that stay where they are."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import orjson

from vtk.errors import RecordError
from vtk.export.icdar import DONT_CARE, TextRows, decoded, flat_polygon, read_bytes
from vtk.export.transcripts import lines_of
from vtk.media.names import source_name
from vtk.metrics.polygons import bounds

_CLOSE = 5.0  # pixels between a transcript's place and the corner that it names


def read_image_list(path: str | os.PathLike[str]) -> TextRows:
    """Return the texts of an image from ICDAR's list: x1,y1,…,x4,y4,transcript a line, or x1,y1,x2,y2,transcript.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_ICDAR, a line is of another form.
    """
    where = source_name(os.fspath(path))
    rows = TextRows()
    for number, line in enumerate(lines_of(decoded(read_bytes(path), where)), 1):
        if not line.strip():
            continue
        cells = line.split(",")
        corners = 8 if all(map(_is_number, cells[:8])) and len(cells) >= 8 else 4
        if len(cells) < corners or not all(map(_is_number, cells[:corners])):
            raise RecordError(f"{where}, line {number}: x1,y1,…,x4,y4,transcript is needed, found {line!r:.60}",
                              code="E_ICDAR")
        flat = [float(cell) for cell in cells[:corners]]
        if corners == 4:
            flat = _corners(flat)
        text = ",".join(cells[corners:]).strip()
        rows.add(1, len(rows.id), flat_polygon(flat, f"{where}, line {number}"),
                 text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text)
    return rows


def rows_of_mmocr(data: Any, where: str, transcripts: Any = None) -> dict[str, TextRows]:
    """Return the texts of MMOCR's detection JSON by image path.

    Args:
        data: the JSON, with ``data_list``.
        where: what messages call it.
        transcripts: JSON with ``items``: [image name, x, y, text] for the top left of a polygon's box; what follows a text
            in brackets is a remark.

    Raises:
        RecordError: E_ICDAR, something in either is wrong, or a transcript belongs to no polygon.
    """
    try:
        places = {name: [] for name in (os.path.basename(image["img_path"]) for image in data["data_list"])}
        for name, x, y, text in (transcripts or {}).get("items", ()):
            places.setdefault(name, []).append((np.array([x, y], dtype=np.float64), str(text)))
        found = {}
        for image in data["data_list"]:
            rows = found[image["img_path"]] = TextRows()
            for one in image["instances"]:
                rows.add(1, len(rows.id), flat_polygon(one["polygon"], f"{where}, {image['img_path']}"),
                         str(one.get("text", "")), bool(one.get("ignore", False)))
            _transcribe(rows, places[os.path.basename(image["img_path"])], f"{where}, {image['img_path']}")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{where} is no MMOCR ground truth: {type(error).__name__} {error}", code="E_ICDAR") from None
    return found


def rows_of_captions(data: Any, where: str) -> TextRows:
    """Return lines that stay where they are, in every frame: JSON with ``frames`` and ``lines`` of text and box."""
    rows = TextRows()
    try:
        lines = [(str(line["text"]), _corners([float(number) for number in line["box"]])) for line in data["lines"]]
        frames = range(1, int(data["frames"]) + 1)
    except (KeyError, TypeError, ValueError) as error:
        raise RecordError(f"{where} is no list of captions: {type(error).__name__} {error}", code="E_ICDAR") from None
    for frame in frames:
        for number, (text, corners) in enumerate(lines):
            rows.add(frame, number, flat_polygon(corners, where), text)
    return rows


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the JSON of a file, gzip or not. Raises MediaError (E_OPEN), RecordError (E_ICDAR)."""
    try:
        return orjson.loads(read_bytes(path))
    except orjson.JSONDecodeError as error:
        raise RecordError(f"{source_name(os.fspath(path))} is no JSON: {error}", code="E_ICDAR") from None


def _transcribe(rows: TextRows, places: list[tuple[np.ndarray, str]], where: str) -> None:
    """Write transcripts to the polygons whose box has its top left where they say."""
    corners = bounds(rows.polygon)[:, :2]
    for place, text in places:
        distance = np.hypot(*(corners - place).T)
        if not len(distance) or distance.min() > _CLOSE:
            raise RecordError(f"{where}: no polygon's top left is {place.tolist()}, where {text!r:.40} is", code="E_ICDAR")
        row = int(distance.argmin())
        rows.text[row] = text.split(" (", 1)[0] if text.endswith(")") else text
        rows.ignored[row] = rows.ignored[row] or rows.text[row] in DONT_CARE


def _corners(box: list[float]) -> list[float]:
    x1, y1, x2, y2 = box
    return [x1, y1, x2, y1, x2, y2, x1, y2]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
