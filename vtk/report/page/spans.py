"""What lasts: shots, scenes, tracks, texts, copies and the like, as bars of the timelines."""

from __future__ import annotations

from vtk.records import Record
from vtk.report.page.columns import Meta, Numbers, Texts, align
from vtk.report.page.notes import WHOLE_OF, Notes

LANES = {"shot": "shots", "scene": "scenes", "tracklet": "tracks", "text_track": "texts", "face_track": "faces",
         "species": "species", "copy": "copies"}
_PART_OF = {whole: part for part, whole in WHOLE_OF.items()}


class Spans:
    """Spans of all sources as columns.

    Args:
        most: that are kept; further ones are counted.

    Attributes:
        total: spans that came.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.total = self.rows = 0
        self._numbers = {name: Numbers() for name in ("source", "start", "end", "track_id", "score")}
        self._texts = {name: Texts() for name in ("lane", "label")}

    def take(self, record: Record, notes: Notes) -> None:
        """Add the span that a record tells, where it tells one."""
        kind = record["type"]
        lane = LANES.get(kind)
        if lane is None or "start" not in record or "end" not in record:
            return
        if kind in _PART_OF:
            notes.whole.add((_PART_OF[kind], record["by"], record["track_id"]))
        elif kind in ("shot", "scene"):
            notes.shown.append((record["start"], record["end"]))
        self._add(notes.number, lane, record["start"], record["end"], _label(record), record.get("track_id"),
                  record.get("score", record.get("live_score")))
        notes.last = max(notes.last, record["end"])

    def close(self, notes: Notes) -> None:
        """Add the tracks of a source of which no record of the whole came."""
        for key, track in notes.followed.items():
            kind, _, number = key
            if key not in notes.whole and WHOLE_OF.get(kind, kind) in LANES:
                self._add(notes.number, LANES[WHOLE_OF.get(kind, kind)], track.first, track.last, track.label,
                          number, None)

    def _add(self, source: int, lane: str, start: float, end: float, label: str, track: int | None,
             score: float | None) -> None:
        self.total += 1
        if self.rows == self._most:
            return
        self.rows += 1
        given = {"source": source, "start": start, "end": end, "track_id": track, "score": score}
        for name, column in self._numbers.items():
            column.extend([given[name]])
        self._texts["lane"].extend([lane])
        self._texts["label"].extend([label or None])

    def packed(self, blob: bytearray) -> Meta:
        """Add the columns to ``blob``; return where they are."""
        columns = []
        for name, column in (*self._numbers.items(), *self._texts.items()):
            meta, data = column.packed()
            columns.append({"name": name, **meta, "at": align(blob)})
            blob.extend(data)
        return {"type": "span", "rows": self.rows, "total": self.total, "columns": columns}


def _label(record: Record) -> str:
    """Return what a bar says."""
    if record["type"] == "copy":
        return str(record["ref"])
    if record["type"] == "shot":
        return str(record.get("transition", ""))
    return str(record.get("label") or record.get("text") or record.get("verdict") or record.get("common") or "")
