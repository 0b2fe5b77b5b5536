"""The vocabulary as JSON Schema, and the check that equals it."""

from __future__ import annotations

import math
from collections.abc import Callable
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

# One entry per shape of vtk.records.KEYS. Only the words that ``matches`` understands may stand here.
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
    "embedding": {"type": "object", "required": ["dtype", "shape"], "properties": {
        "dtype": _TEXT, "shape": {"type": "array", "items": _POSITIVE}, "norm": _NUMBER, "b64": _TEXT, "ref": _TEXT,
        "row": _COUNT}},
    "error": {"type": "object", "required": ["code", "stage", "message", "fatal"], "properties": {
        "code": {"type": "string", "minLength": 1}, "stage": _TEXT, "message": _TEXT, "fatal": {"type": "boolean"}}},
    "ledger": {"type": "object", "required": ["decoded", "processed", "skipped"], "properties": {
        "decoded": _COUNT, "processed": _COUNT, "skipped": _COUNT}},
}

_IS_TYPE: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "integer": lambda value: type(value) is int or (type(value) is float and value.is_integer()),
    "number": lambda value: type(value) in (int, float) and math.isfinite(value),
}


def matches(shape: str, value: Any) -> bool:
    """Return whether ``value`` has the vocabulary's ``shape``, as its JSON Schema says."""
    return _fits(SHAPES[shape], value)


def _fits(schema: dict[str, Any], value: Any) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    if "anyOf" in schema:
        return any(_fits(option, value) for option in schema["anyOf"])
    if not _IS_TYPE[schema["type"]](value):
        return False
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0)
    if isinstance(value, list):
        return (schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
                and all(_fits(schema.get("items", {"type": "number"}), item) for item in value))
    if isinstance(value, dict):
        known = schema.get("properties", {})
        return (all(name in value for name in schema.get("required", ()))
                and all(_fits(known[name], item) for name, item in value.items() if name in known))
    return schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)


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
