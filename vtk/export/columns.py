"""Record types as tables: which columns a type has, how values come into them, and how they come back."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any

import orjson

from vtk.records import MAX_INTEGER, TYPES, Record, key_of

OTHER = "other"  # the table of types that the vocabulary does not know
ROW, EXTRA, TYPE = "row", "extra", "type"
CORNERS = ("x1", "y1", "x2", "y2")
HALVES = ("f16", "float16")

# What a column of each of the vocabulary's shapes holds; a box is four columns, an embedding a vector and its norm.
FORMS = {"version": "integer", "name": "text", "text": "text", "flag": "flag", "integer": "integer", "count": "integer",
         "positive": "integer", "number": "number", "seconds": "number", "unit": "number", "polygon": "points",
         "points": "points", "pair": "numbers", "object": "json", "names": "names", "text_or_count": "text",
         "verdict": "text", "kind": "text", "status": "text", "best": "best", "ranking": "ranking",
         "nearest": "nearest", "error": "error", "ledger": "ledger"}
# The keys that a struct has columns for: a value with others goes to ``extra`` as well.
PARTS = {"best": {"frame", "xyxy", "poly"}, "ranking": {"label", "score"},
         "nearest": {"source", "track_id", "score", "why"}, "error": {"code", "stage", "message", "fatal"},
         "ledger": {"decoded", "processed", "skipped"}}
LISTS = frozenset({"ranking", "nearest"})
MOST_ORDERS = 1024  # ways in which records of a type may be keyed, before the places of new keys are left to chance
_NOTHING: Record = {}


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: what it is called.
        key: the key of the record that its values come from.
        form: what it holds, one of ``FORMS``, or ``corner``, ``vector``, ``norm``.
        part: of a box, which of its four numbers.
    """

    name: str
    key: str
    form: str
    part: int = 0


@cache
def columns_of(kind: str) -> tuple[Column, ...]:
    """Return the columns of a record type between ``row`` and ``extra``; of a type that is not known, its envelope's.

    They depend on the vocabulary alone, so that tables of one type are alike.
    """
    known = TYPES.get(kind)
    names = (*known.required, *known.optional) if known else ("frame", "t")
    found = [] if known else [Column(TYPE, TYPE, "text")]
    for name in dict.fromkeys(("v", "by", "source", *names)):
        key = key_of(kind, name)
        if key is None:
            raise ValueError(f"{kind} has a key {name} that is not of the vocabulary")
        if key.shape == "box":
            prefix = name.removesuffix("xyxy")
            found += [Column(prefix + corner, name, "corner", part) for part, corner in enumerate(CORNERS)]
        elif key.shape == "embedding":
            found += [Column(name, name, "vector"), Column(f"{name}_norm", name, "norm")]
        else:
            found.append(Column(name, name, FORMS[key.shape]))
    return tuple(found)


def table_of(kind: str) -> str:
    """Return the name of the table that records of a type stand in."""
    return kind if kind in TYPES else OTHER


class Cutter:
    """Cuts the records of one type into columns.

    Args:
        kind: the type, or ``other`` for all that are not known.

    Attributes:
        columns: those that it cuts into.
        order: the keys of the records, each behind the one that it stood behind when it first came.
    """

    def __init__(self, kind: str) -> None:
        self.columns = columns_of(kind)
        self.order: list[str] = []
        self._known = frozenset(column.key for column in self.columns) | {TYPE}
        # A type that is not known has promised nothing: its values are looked at one by one.
        self._strict = kind not in TYPES
        self._structs = tuple({column.key: column.form for column in self.columns
                               if column.form in PARTS or column.form == "vector" or column.key == "identity"}.items())
        self._fractions = frozenset(column.key for column in self.columns if column.form == "number")
        self._ways: dict[tuple[str, ...], tuple[tuple[str, ...], tuple[tuple[str, str], ...]]] = {}

    def cut(self, records: Sequence[Record]) -> tuple[list[list[Any] | None], list[str | None]]:
        """Return a list of values for each column, None where absent, and the JSON of what columns cannot hold.

        A column that no record has a value for is None. Whole numbers stand among fractions as they came.
        """
        keyed = [tuple(record) for record in records]
        ways = {names: self._way(names) for names in set(keyed)}
        rest = [self._rest(record, *ways[names]) for record, names in zip(records, keyed, strict=True)]
        if self._strict:
            records = [{key: value for key, value in record.items() if _fits_envelope(key, value)}
                       for record in records]
        values: dict[str, list[Any]] = {}
        for key in {column.key for column in self.columns} & {name for names in ways for name in names}:
            everywhere = not self._strict and all(key in names for names in ways)
            values[key] = [*map(itemgetter(key), records)] if everywhere else [record.get(key) for record in records]
        for key in self._fractions & values.keys():
            for place, value in enumerate(values[key]):
                if type(value) is int and abs(value) > MAX_INTEGER:  # a double cannot hold it
                    rest[place] = rest[place] | {key: value}
        return ([_TAKERS[column.form](column, values[column.key]) if column.key in values else None
                 for column in self.columns], [orjson.dumps(more).decode() if more else None for more in rest])

    def _way(self, names: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Return, of records with these keys, those that have no column, and the columns that may not hold all."""
        way = self._ways.get(names)
        if way is None:
            way = (tuple(name for name in names if name not in self._known),
                   tuple((key, form) for key, form in self._structs if key in names))
            if len(self._ways) < MOST_ORDERS:
                self._ways[names] = way
                self._learn(names)
        return way

    def _learn(self, names: tuple[str, ...]) -> None:
        """Give keys that are new their places among the others."""
        place = 0
        for name in names:
            if name not in self.order:
                self.order.insert(place, name)
            place = self.order.index(name) + 1

    def _rest(self, record: Record, unknown: tuple[str, ...], structs: tuple[tuple[str, str], ...]) -> Record:
        """Return what columns cannot hold of a record."""
        if not (unknown or structs or self._strict):
            return _NOTHING
        more = {name: record[name] for name in unknown}
        for key, form in structs:
            if not _fits(form, record[key]):
                more[key] = record[key]
        if self._strict:
            more |= {key: value for key, value in record.items() if key not in more and not _fits_envelope(key, value)}
        return more


def _fits(form: str, value: Any) -> bool:
    """Return whether a value comes back from its column as it was."""
    if form == "vector":
        return vector_of(value) is not None and value["dtype"] == HALVES[0] and (
            value.keys() == {"dtype", "shape", "norm", "b64"})
    if form == "text":  # the number of an identity stands there as a text
        return isinstance(value, str)
    parts = PARTS[form]
    return all(item.keys() <= parts for item in (value if form in LISTS else (value,)))


def _fits_envelope(key: str, value: Any) -> bool:
    """Return whether a value of a record of an unknown type can stand in the column of its key."""
    wanted = {"v": int, "frame": int, "t": float, "by": str, "source": str, TYPE: str}.get(key)
    return wanted is not None and type(value) is wanted


def vector_of(value: Any) -> bytes | None:
    """Return an embedding's values as little-endian float16, or None where it does not hold them like that."""
    if not isinstance(value, dict) or value.get("dtype") not in HALVES or not isinstance(value.get("b64"), str):
        return None
    try:
        data = base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if value.get("shape") == [len(data) // 2] and len(data) % 2 == 0 and data else None


def _plain(column: Column, values: list[Any]) -> list[Any]:
    return values


def _texts(column: Column, values: list[Any]) -> list[Any]:
    return [value if type(value) is str or value is None else str(value) for value in values]


def _corners(column: Column, values: list[Any]) -> list[Any]:
    part = column.part
    return [None if box is None else box[part] for box in values]


def _json(column: Column, values: list[Any]) -> list[Any]:
    return [None if value is None else orjson.dumps(value).decode() for value in values]


def _vectors(column: Column, values: list[Any]) -> list[Any]:
    return [vector_of(value) for value in values]


def _norms(column: Column, values: list[Any]) -> list[Any]:
    return [value["norm"] if isinstance(value, dict) and "norm" in value else None for value in values]


_TAKERS: dict[str, Callable[[Column, list[Any]], list[Any]]] = {
    "text": _texts, "corner": _corners, "json": _json, "vector": _vectors, "norm": _norms,
    **dict.fromkeys(("integer", "number", "flag", "points", "numbers", "names", *PARTS), _plain)}


def joined(kind: str, columns: Sequence[tuple[Column, Sequence[Any]]], extras: Sequence[str | None],
           order: Sequence[str] = ()) -> list[Record]:
    """Return the records of rows: what ``Cutter.cut`` took apart.

    Args:
        kind: the type of the table, or ``other``.
        columns: those that the table has, with their values, None where absent.
        extras: the JSON of the rest.
        order: the keys in the order of the records; those that it does not name come last.
    """
    records: list[Record] = [{} for _ in extras]
    places = {name: place for place, name in enumerate(order or ("v", TYPE))}
    if kind != OTHER:
        columns = [*columns, (Column(TYPE, TYPE, "text"), [kind] * len(records))]
    for column, values in sorted(columns, key=lambda entry: places.get(entry[0].key, len(places))):
        _GIVERS.get(column.form, _give)(column, values, records)
    for place, extra in enumerate(extras):
        if extra is not None:
            record = records[place] | orjson.loads(extra)
            records[place] = {name: record[name] for name in places if name in record} | record
    return records


def _give(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    key = column.key
    for record, value in zip(records, values, strict=True):
        if value is not None:
            record[key] = value


def _give_corner(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    key = column.key
    for record, value in zip(records, values, strict=True):
        if value is not None:
            record.setdefault(key, []).append(value)


def _give_json(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    _give(column, [None if value is None else orjson.loads(value) for value in values], records)


def _give_struct(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    """Give structs and lists of them, without the parts that are absent."""
    def whole(item: dict[str, Any]) -> dict[str, Any]:
        return {name: part for name, part in item.items() if part is not None}

    many = column.form in LISTS
    _give(column, [None if value is None else [whole(item) for item in value] if many else whole(value)
                   for value in values], records)


def _give_vector(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    _give(column, [None if value is None else {"dtype": HALVES[0], "shape": [len(value) // 2], "norm": None,
                                               "b64": base64.b64encode(value).decode()} for value in values], records)


def _give_norm(column: Column, values: Sequence[Any], records: list[Record]) -> None:
    for record, value in zip(records, values, strict=True):
        if column.key in record and value is not None:
            record[column.key]["norm"] = value


_GIVERS = {"corner": _give_corner, "json": _give_json, "vector": _give_vector, "norm": _give_norm,
           **dict.fromkeys(PARTS, _give_struct)}
