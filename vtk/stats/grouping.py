"""Records counted by the values of any of their keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vtk.errors import UsageError
from vtk.records import Record, check_envelope

MOST = 100_000  # groups that are held; of records of others only the number is known


class Grouped:
    """Counts records by the values of keys: how many, in how many sources, with which mean score.

    Args:
        keys: names of keys; a dot leads into objects, ``error.code``. Records without one of them count as without.

    Raises:
        UsageError: there is no key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys or not all(keys):
            raise UsageError("--by: names of keys joined by commas are needed, such as label or type,label")
        self.keys = tuple(keys)
        self._paths = [key.split(".") for key in keys]
        self._rows: dict[tuple[Any, ...], list[Any]] = {}
        self.records = self.without = self.beyond = 0

    def take(self, record: Record) -> None:
        """Count a record.

        Raises:
            RecordError: it is none.
        """
        check_envelope(record)
        self.records += 1
        values = tuple(_value(record, path) for path in self._paths)
        if None in values:
            self.without += 1
            return
        row = self._rows.get(values)
        if row is None:
            if len(self._rows) >= MOST:
                self.beyond += 1
                return
            row = self._rows[values] = [0, 0, None, 0, 0.0]
        row[0] += 1
        source, score = record.get("source"), record.get("score")
        if source is not None and source != row[2]:  # sources that come one after another
            row[1] += 1
            row[2] = source
        if isinstance(score, (int, float)) and not isinstance(score, bool):
            row[3] += 1
            row[4] += score

    def summary(self, top: int) -> dict[str, Any]:
        """Return the groups with the most records, and how many records are in others or in none."""
        ranked = sorted(self._rows.items(), key=lambda pair: (-pair[1][0], tuple(map(str, pair[0]))))
        rows = [dict(zip(self.keys, values, strict=True)) | {"records": row[0], "sources": row[1]}
                | ({"score": round(row[4] / row[3], 4)} if row[3] else {}) for values, row in ranked[:top]]
        rest = sum(row[0] for _, row in ranked[top:]) + self.beyond
        return {"records": self.records, "by": list(self.keys), "groups": rows, "distinct": len(self._rows),
                "others": rest, "without": self.without}


def _value(record: Any, path: Sequence[str]) -> int | float | str | bool | None:
    """Return what stands in a record under a path of keys, where it is one value; a list of texts as one text."""
    for key in path:
        record = record.get(key) if isinstance(record, dict) else None
    if isinstance(record, list) and record and all(isinstance(each, str) for each in record):
        return " / ".join(record)
    return record if isinstance(record, (int, float, str, bool)) else None
