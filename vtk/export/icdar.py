"""ICDAR's files of text in video: ground truth in XML or JSON, submissions in XML with a list of transcripts.

Source: ICDAR 2013 and 2015 robust reading competitions, challenge 3 (Karatzas et al.); ``###`` and quality LOW mark
what is neither to be found nor missed.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import numpy as np
import orjson

from vtk.errors import MediaError, RecordError
from vtk.export.transcripts import lines_of, one_line
from vtk.media.names import source_name
from vtk.metrics.polygons import checked_polygon

DONT_CARE = frozenset({"###", "##DONT#CARE##"})
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class TextRows:
    """Pieces of text of one video or image, a list a column.

    Attributes:
        frame: from 1.
        id: the number of the track that it is of; in an image its own.
        polygon: (K, 2) float64 in pixels.
        text: the transcript; empty where none is known.
        ignored: whether it is don't-care.
    """

    frame: list[int] = field(default_factory=list)
    id: list[int] = field(default_factory=list)
    polygon: list[np.ndarray] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    ignored: list[bool] = field(default_factory=list)

    def add(self, frame: int, number: int, polygon: np.ndarray, text: str, ignored: bool = False) -> None:
        """Add one; what is transcribed as don't-care is, whatever ``ignored`` says."""
        self.frame.append(frame)
        self.id.append(number)
        self.polygon.append(polygon)
        self.text.append(text)
        self.ignored.append(ignored or text in DONT_CARE)


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return a file's content, unpacked where it is gzip. Raises MediaError (E_OPEN), RecordError (E_ICDAR)."""
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            data = file.read()
    except OSError as error:
        raise MediaError(f"cannot read {source_name(name)}: {error.strerror}", code="E_OPEN") from None
    try:
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except (OSError, EOFError, zlib.error) as error:
        raise RecordError(f"{source_name(name)} is a damaged gzip file: {error}", code="E_ICDAR") from None


def read_video(path: str | os.PathLike[str]) -> TextRows:
    """Return the texts of an ICDAR video file: XML, or JSON of frame number to objects; either may be gzip.

    Objects of XML without a transcript take it from a list of "id","text" of the same name in ``.txt``.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_ICDAR, it is of another format, or something in it is wrong; the message says where.
    """
    where, data = source_name(os.fspath(path)), read_bytes(path)
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        try:
            return rows_of_json(orjson.loads(data), where)
        except orjson.JSONDecodeError as error:
            raise RecordError(f"{where} is neither XML nor JSON: {error}", code="E_ICDAR") from None
    beside = os.path.splitext(os.fspath(path))[0] + ".txt"
    return _rows_of_xml(data, where, read_transcripts(beside) if os.path.isfile(beside) else {})


def rows_of_json(frames: Any, where: str) -> TextRows:
    """Return the texts of ICDAR's JSON: frame number, from 1, to a list of points, ID and transcription."""
    if not isinstance(frames, dict) or not all(isinstance(objects, list) for objects in frames.values()):
        raise RecordError(f"{where} is no ICDAR ground truth: an object of frame number to a list is needed",
                          code="E_ICDAR")
    rows, numbers = TextRows(), _Numbers()
    for name, objects in frames.items():
        frame = _frame(name, where)
        for one in objects:
            if not isinstance(one, dict) or "points" not in one or "ID" not in one:
                raise RecordError(f"{where}, frame {frame}: an object with points and ID is needed, found {one!r:.60}",
                                  code="E_ICDAR")
            text = one.get("transcription", "")
            rows.add(frame, numbers[str(one["ID"])], flat_polygon(one["points"], f"{where}, frame {frame}"),
                     text if isinstance(text, str) else str(text), str(one.get("quality", "")).upper() == "LOW")
    return rows


def flat_polygon(numbers: Any, where: str) -> np.ndarray:
    """Return the polygon (K, 2) of a flat list x, y, x, y, …; RecordError (E_ICDAR) names ``where`` it stands."""
    try:
        flat = np.asarray(numbers, dtype=np.float64)
        if flat.ndim != 1 or len(flat) % 2:
            raise ValueError(f"pairs of x and y are needed, got {numbers!r:.60}")
        return checked_polygon(flat.reshape(-1, 2))
    except (TypeError, ValueError) as error:
        raise RecordError(f"{where}: {error}", code="E_ICDAR") from None


def read_transcripts(path: str | os.PathLike[str]) -> dict[str, str]:
    """Return the transcripts of a list of "id","text" by id."""
    where = source_name(os.fspath(path))
    found = {}
    lines = lines_of(decoded(read_bytes(path), where))
    try:
        table = list(csv.reader(io.StringIO("\n".join(lines))))
    except csv.Error as error:
        raise RecordError(f"{where}: {error}", code="E_ICDAR") from None
    for number, cells in enumerate(table, 1):
        if not cells:
            continue
        if len(cells) != 2:
            raise RecordError(f'{where}, line {number}: {len(cells)} cells, "id","text" is needed', code="E_ICDAR")
        found[cells[0].strip()] = cells[1]
    return found


def decoded(data: bytes, where: str) -> str:
    """Return text of UTF-8, with or without a byte order mark. Raises RecordError (E_ICDAR)."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{where} is no text of UTF-8: {error.reason} at byte {error.start}", code="E_ICDAR") from None


def xml_lines(rows: TextRows, first: int = 1, last: int | None = None) -> Iterator[str]:
    """Yield the lines of a submission's XML: whole pixels, four points each, a ``frame`` for each from ``first`` on.

    Args:
        rows: the texts, in any order.
        first, last: frames that are written though nothing be in them; the last of ``rows`` where None.
    """
    order = sorted(range(len(rows.frame)), key=lambda row: (rows.frame[row], rows.id[row]))
    of_frame: dict[int, list[int]] = {}
    for row in order:
        of_frame.setdefault(rows.frame[row], []).append(row)
    end = max([last or 0, *of_frame])
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield "<Frames>"
    for frame in range(first, end + 1):
        if frame not in of_frame:
            yield f'  <frame ID="{frame}" />'
            continue
        yield f'  <frame ID="{frame}">'
        for row in of_frame[frame]:
            yield f'    <object ID="{rows.id[row]}" Transcription={quoteattr(one_line(rows.text[row]))}>'
            yield from (f'      <Point x="{x}" y="{y}" />' for x, y in four_corners(rows.polygon[row]))
            yield "    </object>"
        yield "  </frame>"
    yield "</Frames>"


def transcript_lines(texts: Mapping[int, str]) -> Iterable[str]:
    """Return the lines of a submission's list: "id","text", by id; a quote is doubled."""
    return [f'"{number}","{one_line(texts[number]).replace(chr(34), chr(34) * 2)}"' for number in sorted(texts)]


def four_corners(polygon: np.ndarray) -> Sequence[tuple[int, int]]:
    """Return four corners in whole pixels: a quadrangle's own, else those of the smallest rectangle around it."""
    if len(polygon) != 4:
        import cv2

        polygon = cv2.boxPoints(cv2.minAreaRect(polygon.astype(np.float32)))
    return [(int(x), int(y)) for x, y in np.rint(polygon).tolist()]


class _Numbers(dict[str, int]):
    """Track numbers by what a file calls them: the number itself, else one of our own below 0."""

    def __missing__(self, name: str) -> int:
        number = int(name) if name.isdecimal() and len(name) < 19 else -1 - len(self)
        self[name] = number
        return number


def _frame(name: Any, where: str) -> int:
    if not isinstance(name, str) or not name.isdecimal() or len(name) > 15 or int(name) < 1:
        raise RecordError(f"{where}: frame {name!r:.40}, a whole number from 1 is needed", code="E_ICDAR")
    return int(name)


def _rows_of_xml(data: bytes, where: str, texts: Mapping[str, str]) -> TextRows:
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, LookupError, ValueError) as error:
        raise RecordError(f"{where} is no XML: {error}", code="E_ICDAR") from None
    if root.tag.lower() != "frames":
        raise RecordError(f"{where} is no ICDAR file: <Frames> is needed, found <{root.tag}>", code="E_ICDAR")
    rows, numbers = TextRows(), _Numbers()
    for element in root:
        frame = _frame(element.get("ID"), where)
        for one in element:
            name = one.get("ID")
            if name is None:
                raise RecordError(f"{where}, frame {frame}: an object has no ID", code="E_ICDAR")
            place = f"{where}, frame {frame}, object {name}"
            flat = flat_polygon([value for point in one for value in (point.get("x"), point.get("y"))], place)
            rows.add(frame, numbers[name], flat, one.get("Transcription", texts.get(name, "")),
                     one.get("Quality", "").upper() == "LOW")
    return rows
