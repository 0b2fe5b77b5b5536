"""Pages of ``vtk report`` taken apart: what their script reads, without a browser."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from vtk.cli import application

KINDS = {"i1": np.int8, "i2": np.int16, "i4": np.int32, "f8": np.float64}
Row = dict[str, Any]


def report(*words: object) -> int:
    """Run ``vtk report`` in this process and return its exit code."""
    try:
        application().main(["report", *map(str, words)], prog_name="vtk", standalone_mode=False)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def write_lines(path: Path, records: Iterable[Row]) -> Path:
    """Write records as lines."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def part(page: Path, name: str) -> str:
    """Return what stands in the element ``name`` of a page."""
    [found] = re.findall(rf'<script type="[\w/]+" id="{name}">(.*?)</script>', page.read_text(), re.DOTALL)
    return found


def meta_of(page: Path) -> Row:
    """Return what the script is told of everything."""
    return json.loads(part(page, "meta"))


def unpacked(column: Row, rows: int, blob: bytes) -> list[Any]:
    """Return the values of a packed column, None where absent."""
    kind = KINDS[column["kind"]]
    raw = np.frombuffer(blob, kind, rows, column["at"])
    if "texts" in column:
        return [None if code < 0 else column["texts"][code] for code in raw]
    if column["kind"] == "f8":
        return [None if np.isnan(value) else float(value) for value in raw]
    if column.get("delta"):
        return [float(value) / column["scale"] for value in np.cumsum(raw.astype(np.int64))]
    least = np.iinfo(kind).min
    return [None if value == least else float(value) / column["scale"] for value in raw]


def tables_of(page: Path) -> dict[str, list[Row]]:
    """Return the rows of each table of a page, absent cells left out; ``span`` is what timelines show."""
    meta = meta_of(page)
    blob = zlib.decompress(base64.b64decode(part(page, "columns")), -15)
    found = {}
    for table in [*meta["tables"], meta["spans"]]:
        columns = {column["name"]: unpacked(column, table["rows"], blob) for column in table["columns"]}
        found[table["type"]] = [{name: values[row] for name, values in columns.items() if values[row] is not None}
                                for row in range(table["rows"])]
    return found


class Elements(HTMLParser):
    """The elements of a page, each with its attributes, and the texts of ``li``."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.items: list[str] = []
        self._inside = False
        self.feed(page.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, dict(attrs)))
        if tag == "li":
            self.items.append("")
            self._inside = True

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._inside &= tag != "li"

    def handle_data(self, data: str) -> None:
        """Note the text of an item."""
        if self._inside:
            self.items[-1] += data


def track(source: str, frame: int, number: int = 1, **keys: Any) -> Row:
    """Return a track record of a frame at 10 frames a second."""
    return {"v": 1, "type": "track", "by": "track/x", "source": source, "frame": frame, "t": frame / 10,
            "xyxy": [10.25, 20.5, 40.75, 90.0], "score": 0.875, "label": "person", "track_id": number, **keys}


def ended(source: str, status: str = "ok") -> Row:
    """Return the ledger of a source."""
    return {"v": 1, "type": "end", "by": "track/x", "source": source, "status": status, "records": 1,
            "frames": {"decoded": 10, "processed": 10, "skipped": 0}}


def failure(source: str, message: str = "cannot be opened") -> Row:
    """Return an error that was fatal to a source."""
    return {"v": 1, "type": "error", "by": "track/x", "source": source,
            "error": {"code": "E_OPEN", "stage": "track", "message": message, "fatal": True}}
