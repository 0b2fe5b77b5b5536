"""A table of the records of one type: a column for each key, whatever keys come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import orjson

from vtk.records import TYPES, Record, key_of
from vtk.report.page.columns import Meta, Numbers, Texts, align

MOST_COLUMNS = 48  # further keys of records are counted, not shown
_NUMBERS = frozenset({"integer", "count", "positive", "seconds", "unit", "number"})
_PLAIN = frozenset({"text", "name", "verdict", "kind", "status"})
_CORNERS = ("x1", "y1", "x2", "y2")
# Of every record or of no use in a table: a polygon has its box beside it, a vector is named by its length.
_HIDDEN = frozenset({"v", "type"})
_LEFT_OUT = frozenset({"polygon", "points"})
FIRST = ("source", "frame", "t", "start", "end", "track_id", "label", "text", "score")

Cell = Callable[[Any], Any]
Column = Numbers | Texts


def _ranking(value: Any) -> str:
    return ", ".join(f"{each['label']} {each['score']:.2f}" for each in value[:5]) + ("…" if len(value) > 5 else "")


def _named(value: Any) -> str:
    return ", ".join(f"{name} {each}" if isinstance(each, (str, int, float)) else f"{name} {_json(each)}"
                     for name, each in value.items())


def _nearest(value: Any) -> str:
    return ", ".join(f"{each['source']} #{each['track_id']} {each['score']:.2f}" for each in value)


def _vector(value: Any) -> str:
    return f"{value['dtype']} × {' × '.join(map(str, value['shape']))}"


def _json(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


# How the shapes of the vocabulary are told in words.
_WORDS: dict[str, Cell] = {
    "text_or_count": str, "flag": lambda value: "yes" if value else "no", "ranking": _ranking, "object": _named,
    "nearest": _nearest, "embedding": _vector, "names": ", ".join, "pair": lambda value: f"{value[0]}–{value[1]}"}
# Shapes that make several columns: name of each, and what is in it.
_PARTS: dict[str, tuple[tuple[str, bool, Cell], ...]] = {
    "box": tuple((corner, True, lambda value, place=place: value[place]) for place, corner in enumerate(_CORNERS)),
    "best": (("best_frame", True, lambda value: value["frame"]),),
    "error": (("code", False, lambda value: value["code"]), ("message", False, lambda value: value["message"]),
              ("stage", False, lambda value: value.get("stage")),
              ("fatal", False, lambda value: "yes" if value["fatal"] else "no")),
    "ledger": tuple((name, True, lambda value, name=name: value[name]) for name in ("decoded", "processed", "skipped")),
}


class Table:
    """The records of one type as columns.

    Args:
        kind: the type.
        most: rows that are kept; further ones are counted.

    Attributes:
        rows: that are kept.
        total: records that came.
        left_out: keys that came and are not shown.
    """

    def __init__(self, kind: str, most: int) -> None:
        self.kind, self._most = kind, most
        self.rows = self.total = 0
        self.left_out: set[str] = set()
        self._columns: dict[str, Column] = {}
        self._plans: dict[str, list[tuple[str, bool, Cell | None]]] = {}

    @property
    def letters(self) -> int:
        """Letters of all texts that it holds."""
        return sum(column.letters for column in self._columns.values())

    def close(self) -> None:
        """Keep no further rows."""
        self._most = self.rows

    def take(self, records: Sequence[Record]) -> None:
        """Add records, as far as there is room for rows."""
        self.total += len(records)
        kept = records[: self._most - self.rows]
        if not kept:
            return
        for name in dict.fromkeys(chain.from_iterable(kept)):
            plan = self._plans.get(name)
            if plan is None:
                plan = self._plans[name] = self._plan(name)
            values = [record.get(name) for record in kept]
            for column, _, cell in plan:
                self._columns[column].extend(values if cell is None else
                                             [None if value is None else cell(value) for value in values])
        self.rows += len(kept)
        for column in self._columns.values():
            if len(column) < self.rows:
                column.extend([None] * (self.rows - len(column)))

    def _plan(self, name: str) -> list[tuple[str, bool, Cell | None]]:
        """Return the columns that a key makes, and make them."""
        key = key_of(self.kind, name) if self.kind in TYPES else None  # of unknown types keys may mean anything
        shape = key.shape if key is not None else ""
        if name in _HIDDEN or shape == "version":
            return []
        if shape in _LEFT_OUT or len(self._columns) >= MOST_COLUMNS:
            self.left_out.add(name)
            return []
        before = name[: -len("xyxy")] if shape == "box" else ""
        plan: list[tuple[str, bool, Cell | None]]
        if shape in _PARTS:
            plan = [(before + part, numeric, cell) for part, numeric, cell in _PARTS[shape]]
        else:
            plain = shape in _NUMBERS or shape in _PLAIN
            plan = [(name, shape in _NUMBERS, None if plain else _WORDS.get(shape, _json))]
        for column, numeric, _ in plan:
            self._columns.setdefault(column, Numbers(self.rows) if numeric else Texts(self.rows))
        return plan

    def packed(self, blob: bytearray) -> Meta:
        """Add the columns to ``blob``; return the table's name, its rows, and where its columns are."""
        ranks = {name: rank for rank, name in enumerate(FIRST)}
        names = sorted(self._columns, key=lambda name: ranks.get(name, len(FIRST) + (name == "by")))
        columns = []
        for name in names:
            meta, data = self._columns[name].packed()
            columns.append({"name": name, **meta, "at": align(blob)})
            blob.extend(data)
        return {"type": self.kind, "rows": self.rows, "total": self.total, "columns": columns,
                "left_out": sorted(self.left_out), "cut": sum(getattr(column, "cut", 0)
                                                              for column in self._columns.values())}
