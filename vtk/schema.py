"""The vocabulary as JSON Schema, and the check that equals it."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from vtk.records import MAX_INTEGER, TYPES, VERSION, key_of

_NUMBER = {"type": "number"}
_COUNT = {"type": "integer", "minimum": 0, "maximum": MAX_INTEGER}
_POSITIVE = {**_COUNT, "minimum": 1}
_TEXT = {"type": "string"}
_UNIT = {"type": "number", "minimum": 0, "maximum": 1}
_POINT = {"type": "array", "items": _NUMBER, "minItems": 2, "maxItems": 2}
_BOX = {"type": "array", "items": _NUMBER, "minItems": 4, "maxItems": 4}
_POLYGON = {"type": "array", "items": _POINT, "minItems": 3}

# One entry per shape of vtk.records.KEYS. Only the words that ``_compiled`` understands may stand here.
SHAPES: dict[str, dict[str, Any]] = {
    "version": {"type": "integer", "minimum": 1, "maximum": VERSION},
    "name": {"type": "string", "minLength": 1},
    "text": _TEXT,
    "flag": {"type": "boolean"},
    "integer": {"type": "integer", "minimum": -MAX_INTEGER, "maximum": MAX_INTEGER},
    "count": _COUNT,
    "positive": _POSITIVE,
    "number": _NUMBER,
    "seconds": _NUMBER,
    "unit": _UNIT,
    "box": _BOX,
    "polygon": _POLYGON,
    "points": {"type": "array", "items": _POINT, "minItems": 5, "maxItems": 5},
    "pair": {"type": "array", "items": _UNIT, "minItems": 2, "maxItems": 2},
    "object": {"type": "object"},
    "names": {"type": "array", "items": {"type": "string", "minLength": 1}},
    "text_or_count": {"anyOf": [_TEXT, _COUNT]},
    "verdict": {"enum": ["live", "spoof", "unsure"]},
    "kind": {"enum": ["video", "image", "sequence", "stream"]},
    "status": {"enum": ["ok", "partial", "failed"]},
    "best": {"type": "object", "properties": {"frame": _COUNT, "xyxy": _BOX, "poly": _POLYGON}, "required": ["frame"]},
    "ranking": {"type": "array", "items": {
        "type": "object", "properties": {"label": _TEXT, "score": _UNIT}, "required": ["label", "score"]}},
    "nearest": {"type": "array", "items": {"type": "object", "required": ["source", "track_id", "score"], "properties": {
        "source": _TEXT, "track_id": _COUNT, "score": _UNIT, "why": _TEXT}}},
    "embedding": {"type": "object", "required": ["dtype", "shape"], "properties": {
        "dtype": _TEXT, "shape": {"type": "array", "items": _POSITIVE}, "norm": _NUMBER, "b64": _TEXT, "ref": _TEXT,
        "row": _COUNT}},
    "error": {"type": "object", "required": ["code", "stage", "message", "fatal"], "properties": {
        "code": {"type": "string", "minLength": 1}, "stage": _TEXT, "message": _TEXT, "fatal": {"type": "boolean"}}},
    "ledger": {"type": "object", "required": ["decoded", "processed", "skipped"], "properties": {
        "decoded": _COUNT, "processed": _COUNT, "skipped": _COUNT}},
}

Test = Callable[[Any], bool]


def matches(shape: str, value: Any) -> bool:
    """Return whether ``value`` has the vocabulary's ``shape``, as its JSON Schema says."""
    return test_of(shape)(value)


@cache
def test_of(shape: str) -> Test:
    """Return the test of the vocabulary's ``shape``: whether a value has it. Raises KeyError for an unknown one."""
    return _compiled(SHAPES[shape])


def _compiled(schema: dict[str, Any]) -> Test:
    """Return a schema as one function: to read it again for each value costs more than to parse the record."""
    if "enum" in schema:
        known = schema["enum"]
        return lambda value: value in known
    if "anyOf" in schema:
        tests = [_compiled(option) for option in schema["anyOf"]]
        return lambda value: any(test(value) for test in tests)
    if schema["type"] == "boolean":
        return lambda value: isinstance(value, bool)
    return _COMPILERS[schema["type"]](schema)


def _string(schema: dict[str, Any]) -> Test:
    least = schema.get("minLength", 0)
    return (lambda value: isinstance(value, str) and len(value) >= least) if least else (
        lambda value: isinstance(value, str))


def _bounds(schema: dict[str, Any]) -> tuple[float, float]:
    """Return the range of a float; without bounds that of all finite ones: one comparison refuses NaN as well."""
    return schema.get("minimum", -sys.float_info.max), schema.get("maximum", sys.float_info.max)


def _number(schema: dict[str, Any]) -> Test:
    low, high = _bounds(schema)
    least, most = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)  # an int may be beyond all floats
    return lambda value: low <= value <= high if type(value) is float else type(value) is int and least <= value <= most


def _integer(schema: dict[str, Any]) -> Test:
    low, high = schema["minimum"], schema["maximum"]
    return lambda value: (low <= value <= high if type(value) is int
                          else type(value) is float and low <= value <= high and value.is_integer())


def _array(schema: dict[str, Any]) -> Test:
    least, most, items = schema.get("minItems", 0), schema.get("maxItems", math.inf), schema["items"]
    test = _compiled(items)
    if items.get("type") != "number":
        return lambda value: isinstance(value, list) and least <= len(value) <= most and all(map(test, value))
    low, high = _bounds(items)

    def numbers(value: Any) -> bool:
        if not isinstance(value, list) or not least <= len(value) <= most:
            return False
        for item in value:  # mostly floats: a box
            if not (type(item) is float and low <= item <= high or test(item)):
                return False
        return True

    return numbers


def _object(schema: dict[str, Any]) -> Test:
    tests = {name: _compiled(part) for name, part in schema.get("properties", {}).items()}
    required = schema.get("required", ())
    return lambda value: (isinstance(value, dict) and all(name in value for name in required)
                          and all(test(value[name]) for name, test in tests.items() if name in value))


_COMPILERS: dict[str, Callable[[dict[str, Any]], Test]] = {
    "string": _string, "number": _number, "integer": _integer, "array": _array, "object": _object}


def type_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one record type. Raises KeyError for an unknown name."""
    kind = TYPES[name]
    envelope = ("v", "type", "by", *(("source",) if kind.about_media else ()))
    names = dict.fromkeys((*envelope, *kind.required, *kind.optional))
    properties: dict[str, Any] = {}
    for key_name in names:
        key = key_of(name, key_name)
        properties[key_name] = {**SHAPES[key.shape], "description": key.meaning}
    properties["type"] = {"const": name}
    # A line without "v" is of version 1: readers accept it, so the schema does.
    required = [key for key in (*envelope, *kind.required) if key != "v"]
    return {"title": name, "description": f"{kind.meaning} Made by: {kind.made_by}.", "type": "object",
            "properties": properties, "required": required, "additionalProperties": True}


def schema(name: str | None = None) -> dict[str, Any]:
    """Return the JSON Schema of one record type, or of the whole vocabulary when ``name`` is None."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    if name is not None:
        return head | type_schema(name)
    known = {"properties": {"type": {"enum": list(TYPES)}}}
    return head | {
        "title": f"vtk records, version {VERSION}", "type": "object", "required": ["type"],
        "$defs": {kind: type_schema(kind) for kind in TYPES},
        "if": known, "then": {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in TYPES]},
        "else": {"properties": {"type": {"type": "string"}}},
    }
