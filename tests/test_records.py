"""The vocabulary: what is written, what is refused, and that the check equals the JSON Schema."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vtk import records
from vtk.errors import RecordError
from vtk.records import KEYS, TYPES, boxes, check, dump, key_of, make, parse, score
from vtk.schema import SHAPES, matches, schema, type_schema

DETECTION = {"v": 1, "type": "detection", "by": "x", "source": "a.mp4", "frame": 3, "t": 0.1,
             "xyxy": [1.0, 2.0, 3.0, 4.0], "score": 0.5, "label": "person"}


def test_every_key_has_a_shape_and_every_type_has_its_keys() -> None:
    assert {key.shape for key in KEYS.values()} <= set(SHAPES)
    for kind in TYPES.values():
        for name in (*kind.required, *kind.optional):
            assert key_of(kind.name, name) is not None, f"{kind.name}.{name} is not in the vocabulary"


def test_a_record_goes_round() -> None:
    line = dump(make("detection", "x", "a.mp4", frame=3, t=0.1, xyxy=[1.0, 2.0, 3.0, 4.0], score=0.5))
    assert line == b'{"v":1,"type":"detection","by":"x","source":"a.mp4","frame":3,"t":0.1,"xyxy":[1.0,2.0,3.0,4.0],"score":0.5}'
    check(parse(line))


def test_numbers_are_rounded_as_records_carry_them() -> None:
    assert boxes(np.array([[1.005, 2.0, 3.14159, 1234.567]], np.float32)) == [[1.0, 2.0, 3.14, 1234.57]]
    assert score(np.float32(0.123456)) == 0.1235


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, [1.0, math.nan], {"a": {"b": None}}])
def test_absent_values_are_never_written(value: object) -> None:
    with pytest.raises(ValueError, match="leave the key out"):
        dump(make("detection", "x", "a", extra=value))


def test_the_word_null_in_a_text_is_no_absent_value() -> None:
    assert b"null" in dump(make("text", "x", "a", text="null"))


@pytest.mark.parametrize(("value", "what"), [(2**64, "64-bit"), ("\udcff", "UTF-8"), (np.float32(1), "float32")])
def test_what_json_cannot_carry_is_refused(value: object, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        dump(make("detection", "x", "a", extra=value))


@pytest.mark.parametrize(("line", "code", "message"), [
    (b"{not json", "E_JSON", "not JSON"),
    (b'{"type":"detection","source":"a","score":NaN}', "E_JSON", "not JSON"),
    (b'{"type":"detection","source":"a","score":1e999}', "E_JSON", "infinity"),
    (b'\xff\xfe', "E_JSON", "not JSON"),
    (b"[1,2]", "E_RECORD", "an array"),
    (b'"detection"', "E_RECORD", "the string"),
    (b"null", "E_RECORD", "null"),
    (b"{}", "E_RECORD", "no 'type' (it has nothing)"),
    (b'{"type":3}', "E_RECORD", "'type' is the number 3"),
    (b'{"type":"detection","frame":1,"text":"x"}', "E_RECORD", "no 'source' (it has type, frame, text)"),
    (b'{"type":"detection","source":""}', "E_RECORD", "'source' is the string ''"),
    (b'{"type":"detection","source":7}', "E_RECORD", "'source' is the number 7"),
    (b'{"type":"detection","source":"a","frame":"3"}', "E_RECORD", "'frame' is '3'"),
    (b'{"type":"detection","source":"a","frame":-1}', "E_RECORD", "'frame' is -1"),
    (b'{"type":"detection","source":"a","frame":true}', "E_RECORD", "'frame' is True"),
    (b'{"type":"detection","source":"a","frame":1e300}', "E_RECORD", "'frame' is 1e+300"),
    (b'{"type":"detection","source":"a","frame":123456789012345678901234567890}', "E_RECORD", "'frame' is 1.23"),
    (b'{"v":2,"type":"detection","source":"a"}', "E_VERSION", "version 2"),
    (b'{"v":"1","type":"detection","source":"a"}', "E_RECORD", "'v' is '1'"),
])
def test_a_line_that_is_no_record_is_refused_in_one_line(line: bytes, code: str, message: str) -> None:
    with pytest.raises(RecordError) as found:
        parse(line)
    assert found.value.code == code
    assert message in str(found.value)
    assert "\n" not in str(found.value)


def test_unknown_types_and_keys_are_legal() -> None:
    check(parse(b'{"type":"weather","sky":"grey","frame":0}'))
    check({**DETECTION, "mood": None})


def test_a_missing_key_is_named_with_what_is_there() -> None:
    with pytest.raises(RecordError, match=r"detection record has no 'xyxy' \(it has v, type, by, source, frame, t, score, label\)"):
        check({key: value for key, value in DETECTION.items() if key != "xyxy"})


@pytest.mark.parametrize("name", list(TYPES))
def test_schemas_are_valid_json_schema(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schema(name))
    jsonschema.Draft202012Validator.check_schema(schema())
    json.dumps(schema())


_scalars = st.one_of(st.none(), st.booleans(), st.integers(-3, 2**54), st.floats(allow_nan=False, allow_infinity=False),
                     st.text(max_size=3), st.sampled_from(["live", "video", "ok"]))
_values = st.recursive(_scalars, lambda inner: st.one_of(
    st.lists(inner, max_size=5), st.dictionaries(st.sampled_from(["frame", "xyxy", "code", "label", "x"]), inner, max_size=4)),
    max_leaves=12)


@given(kind=st.sampled_from(list(TYPES)), data=st.data())
def test_the_check_equals_the_schema(kind: str, data: st.DataObject) -> None:
    """Records with one key of a random value: jsonschema and our check agree on each."""
    names = [*TYPES[kind].required, *TYPES[kind].optional]
    valid = {"v": 1, "type": kind, "by": "x", "source": "a"} | {name: _example(kind, name) for name in names}
    check(valid)
    name = data.draw(st.sampled_from(names))
    changed = {**valid, name: data.draw(_values)}
    if data.draw(st.booleans()):
        del changed[name]
    accepted = jsonschema.Draft202012Validator(type_schema(kind)).is_valid(changed)
    try:
        check(changed)
        ours = True
    except RecordError:
        ours = False
    assert ours == accepted, changed.get(name)


def _reads_as(schema: dict[str, Any], value: Any) -> bool:
    """Return whether ``value`` fits ``schema``, read word by word: what the compiled tests must agree with."""
    if "enum" in schema:
        return value in schema["enum"]
    if "anyOf" in schema:
        return any(_reads_as(option, value) for option in schema["anyOf"])
    kind = schema["type"]
    if kind == "string":
        return isinstance(value, str) and len(value) >= schema.get("minLength", 0)
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "array":
        return (isinstance(value, list) and schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", math.inf)
                and all(_reads_as(schema["items"], item) for item in value))
    if kind == "object":
        parts = schema.get("properties", {})
        return (isinstance(value, dict) and set(schema.get("required", ())) <= set(value)
                and all(_reads_as(parts[name], item) for name, item in value.items() if name in parts))
    if type(value) not in (int, float) or (type(value) is float and not math.isfinite(value)):
        return False
    if kind == "integer" and value != math.floor(value):
        return False
    return schema.get("minimum", -math.inf) <= value <= schema.get("maximum", math.inf)


_numbers = st.one_of(
    st.floats(), st.floats(0, 1), st.integers(0, 3), st.integers(), st.sampled_from([
        True, False, 0.0, -0.0, 1.0, 3.0, 2.5, 2**53, 2**53 + 1, -2**53, float(2**53), 2.0**54, 10**400, -10**400,
        np.float64(0.5), np.int64(1), 1.7e308]))
_any_value = st.recursive(
    st.one_of(st.none(), st.text(max_size=2), _numbers), max_leaves=8, extend=lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.text(max_size=2), inner, max_size=3)))


def _near(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return a strategy of values that fit ``schema``, and of some that nearly do."""
    if "enum" in schema:
        return st.sampled_from([*schema["enum"], "LIVE", ""]) | _any_value
    if "anyOf" in schema:
        return st.one_of(map(_near, schema["anyOf"]))
    fit: dict[str, st.SearchStrategy[Any]] = {
        "string": st.text(max_size=2), "boolean": st.booleans(), "number": _numbers, "integer": _numbers,
        "object": st.fixed_dictionaries({}, optional={
            name: _near(part) for name, part in [*schema.get("properties", {}).items(), ("other", {"enum": [None]})]}),
    }
    if schema["type"] == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", 4)
        usual = st.lists(_near(schema["items"]), min_size=least, max_size=most)
        return usual | st.lists(_near(schema["items"]), max_size=most + 1) | _any_value
    return fit[schema["type"]] | _any_value


@pytest.mark.parametrize("shape", list(SHAPES))
@given(data=st.data())
def test_a_compiled_shape_equals_its_schema_read_word_by_word(shape: str, data: st.DataObject) -> None:
    value = data.draw(_near(SHAPES[shape]))
    assert matches(shape, value) is _reads_as(SHAPES[shape], value), value


@pytest.mark.parametrize(("shape", "value", "fits"), [
    ("count", 1.0, True), ("count", 1.5, False), ("count", True, False), ("count", 2**53 + 1, False),
    ("count", math.inf, False), ("count", math.nan, False), ("number", 10**400, True), ("number", math.nan, False),
    ("number", -math.inf, False), ("number", np.float64(1.0), False), ("unit", 1, True), ("unit", 10**400, False),
    ("unit", 1.0001, False), ("box", [0, 1.5, 2, 3.0], True), ("box", [0, 1, 2], False), ("box", [0, 1, 2, "3"], False),
    ("box", [0, 1, 2, True], False), ("box", [0.0, 1.0, 2.0, math.nan], False), ("box", (0, 1, 2, 3), False),
    ("box", [1.7e308, 1.7e308, 1.7e308, 10**400], True), ("pair", [0.2, 1.2], False), ("name", "", False),
    ("polygon", [[0, 0], [1, 0], [1, 1, 1]], False), ("best", {"frame": 1, "xyxy": [1, 2]}, False),
    ("text_or_count", -1, False),
])
def test_shapes_at_their_edges(shape: str, value: object, fits: bool) -> None:
    assert matches(shape, value) is fits


_wrong = st.sampled_from([
    None, True, "", "a", 0, 1, 2, -1, 1.0, 0.5, 7.5, 10**400, math.nan, math.inf, [], [0, 0, 1, 1], [0.1, 0.9], {}, ()])


@given(kind=st.sampled_from([*TYPES, "weather", "", 3, None, ["x"]]), data=st.data())
def test_a_check_says_what_the_check_by_name_says(kind: Any, data: st.DataObject) -> None:
    """Envelope keys too, several at once, missing, unknown, in any order: the same verdict in the same words."""
    known = TYPES.get(kind) if isinstance(kind, str) else None
    names = [*known.required, *known.optional] if known else ["frame", "text"]
    record = {"v": 1, "type": kind, "by": "x", "source": "a", "mood": None} | {
        name: _example(known.name, name) if known else 1 for name in names}
    for name in data.draw(st.lists(st.sampled_from(list(record)), max_size=2)):
        record[name] = data.draw(_wrong)
    for name in data.draw(st.lists(st.sampled_from(list(record)), max_size=1)):
        del record[name]
    record = {name: record[name] for name in data.draw(st.permutations(list(record)))}

    def said(test: Any) -> tuple[str, str] | None:
        try:
            test(record)
        except RecordError as error:
            return error.code, str(error)
        return None

    assert said(check) == said(records._check_by_name)


@pytest.mark.parametrize(("name", "value"), [
    ("v", True), ("v", 1.0), ("v", 0), ("frame", 1.0), ("frame", True), ("frame", 2**53 + 1), ("source", ""), ("type", 1)])
def test_the_envelope_is_asked_for_whole_numbers_and_names(name: str, value: object) -> None:
    with pytest.raises(RecordError, match=f"^'{name}' is "):
        check({**DETECTION, name: value})


@pytest.mark.parametrize("value", [None, [], "detection", 3, [("type", "detection")]])
def test_what_is_no_object_is_no_record(value: Any) -> None:
    with pytest.raises(RecordError, match="not an object"):
        check(value)


def test_checks_of_ever_new_keys_hold_no_more_memory() -> None:
    for number in range(3000):
        check({**DETECTION, f"note{number}": number})
    found = records._tests.cache_info()
    assert found.currsize <= found.maxsize == 1024


def _example(kind: str, name: str) -> object:
    """Return a value of the key's shape."""
    examples = {
        "count": 1, "integer": 1, "positive": 1, "seconds": 0.5, "number": 1.5, "unit": 0.5, "text": "a", "name": "a",
        "flag": True, "box": [0, 0, 1, 1], "polygon": [[0, 0], [1, 0], [1, 1]], "pair": [0.1, 0.9], "object": {},
        "points": [[0, 0]] * 5, "names": ["a"], "text_or_count": "a", "verdict": "live", "kind": "video", "status": "ok", "best": {"frame": 1},
        "nearest": [{"source": "a", "track_id": 1, "score": 0.5}],
        "ranking": [{"label": "a", "score": 1}], "embedding": {"dtype": "float16", "shape": [4]},
        "error": {"code": "E", "stage": "a", "message": "m", "fatal": False},
        "ledger": {"decoded": 1, "processed": 1, "skipped": 0}, "version": 1}
    key = key_of(kind, name)
    assert key is not None
    return examples[key.shape]
