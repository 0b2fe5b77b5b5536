"""Columns of the page: what is packed comes back, exactly, in few bytes."""

from __future__ import annotations

import math
import random

import pytest
from pages import unpacked

from vtk.records import TYPES, check, key_of
from vtk.report.page.columns import LONGEST, Numbers, Texts, plain
from vtk.report.page.gathering import Gathered
from vtk.report.page.notes import BINS, Density
from vtk.report.page.tables import MOST_COLUMNS, Table


def back(column: Numbers | Texts) -> list[object]:
    meta, data = column.packed()
    return unpacked({**meta, "at": 0}, len(column), data)


def numbers(*values: float | None) -> Numbers:
    column = Numbers()
    column.extend(values)
    return column


@pytest.mark.parametrize("values", [
    [], [None], [0.0, None, 1.0], [0.1234, 0.9999, None, 1.0], [1.25, -3.5, 1e6], [1 / 3, math.pi], [2.0**53, 1.0],
    [127.0, None], [128.0, None], [-128.0, None], [-32768.0, None, 5.0], [2.0**31 - 2, None], [2.0**31, -(2.0**40)],
    list(range(1000)), [5.0, 4.0, 4.0, 90000.0], [1e-7, 2e-7], [1234567.25]])
def test_numbers_come_back_exactly(values: list[float | None]) -> None:
    assert back(numbers(*values)) == values


def test_numbers_of_records_come_back_exactly() -> None:
    noise = random.Random(1)
    for digits in (0, 2, 4, 6):
        values = [round(noise.uniform(-900, 900), digits) if noise.random() < 0.9 else None for _ in range(500)]
        assert back(numbers(*values)) == values


@pytest.mark.parametrize(("values", "kind"), [
    ([1.0, 2.0], "i1"), ([300.0, None], "i2"), ([0.5, 0.25], "i1"), ([0.1234, 0.5], "i2"), ([100000.0, 3.0], "i4"),
    ([1 / 3, 0.5], "f8"), ([float(n * 1000) for n in range(100)], "i2")])
def test_numbers_are_packed_as_short_as_they_can_be(values: list[float], kind: str) -> None:
    assert numbers(*values).packed()[0]["kind"] == kind


def test_texts_come_back_and_each_is_kept_once() -> None:
    column = Texts()
    column.extend(["a", None, "b", "a", "é😀"])
    column.extend(["b", ""])
    assert back(column) == ["a", None, "b", "a", "é😀", "b", ""]
    assert column.packed()[0]["texts"] == ["a", "b", "é😀", ""]


def test_a_long_text_is_cut_and_counted_and_controls_are_shown() -> None:
    column = Texts()
    column.extend(["x" * 1000, "y" * LONGEST])
    assert (column.cut, column.letters) == (1, 2 * LONGEST)
    assert plain("x" * 1000) == "x" * (LONGEST - 1) + "…"
    assert plain("a\u202egpj.\nb\x00") == "a\\u202egpj.\\u000ab\\u0000"
    assert plain("naïve 東京 😀") == "naïve 東京 😀"


def rows_of(table: Table) -> list[dict[str, object]]:
    blob = bytearray()
    meta = table.packed(blob)
    columns = {each["name"]: unpacked(each, meta["rows"], bytes(blob)) for each in meta["columns"]}
    return [{name: values[row] for name, values in columns.items() if values[row] is not None}
            for row in range(meta["rows"])]


def test_a_table_takes_keys_as_they_come() -> None:
    table = Table("detection", 10)
    table.take([{"type": "detection", "source": "a", "frame": 3, "xyxy": [1.0, 2.0, 3.0, 4.5], "score": 0.5}])
    table.take([{"type": "detection", "source": "a", "frame": 4, "xyxy": [1.0, 2.0, 3.0, 4.5], "score": 0.25,
                 "mood": {"a": [1, None]}, "class_id": 2}])
    assert rows_of(table) == [
        {"source": "a", "frame": 3.0, "score": 0.5, "x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.5},
        {"source": "a", "frame": 4.0, "score": 0.25, "x1": 1.0, "y1": 2.0, "x2": 3.0, "y2": 4.5,
         "mood": '{"a":[1,null]}', "class_id": 2.0}]


def test_a_full_table_counts_what_it_does_not_keep() -> None:
    table = Table("detection", 3)
    for _ in range(4):
        table.take([{"type": "detection", "source": "a", "frame": 1}] * 2)
    meta = table.packed(bytearray())
    assert (meta["rows"], meta["total"]) == (3, 8)


def test_keys_beyond_the_columns_that_there_are_are_named() -> None:
    table = Table("weather", 3)
    table.take([{"type": "weather", "poly": [1], **{f"k{number}": number for number in range(MOST_COLUMNS + 3)}}])
    meta = table.packed(bytearray())
    assert len(meta["columns"]) == MOST_COLUMNS
    assert len(meta["left_out"]) == 4
    assert rows_of(table)[0]["poly"] == "[1]"  # of a type that nobody knows it may be anything


def test_density_is_of_frames_however_long_the_film() -> None:
    density = Density()
    for frame in range(5000):
        density.add(frame / 2, 3)  # 2,500 seconds, every half
    means = density.means()
    assert len(means) <= BINS
    assert len(means) * density.width == pytest.approx(2500, abs=density.width)
    assert set(means) == {3.0}


def test_density_knows_a_gap_from_frames_that_nobody_looks_at() -> None:
    density = Density()
    for frame in [*range(0, 50, 10), *range(500, 550, 10)]:
        density.add(frame / 100, 2)
    means = density.means()
    assert means[0] == means[1] == 2.0
    assert 0.0 in means


# A value of each shape of the vocabulary.
VALUES = {"version": 1, "name": "n", "text": "words", "flag": True, "integer": -3, "count": 2, "positive": 4, "number": 1.5,
          "seconds": 2.5, "unit": 0.5, "box": [1.0, 2.0, 3.0, 4.0], "polygon": [[0, 0], [1, 0], [1, 1]], "points": [[1, 2]] * 5,
          "pair": [0.25, 0.75], "object": {"a": 1, "b": {"c": 2}}, "names": ["x", "y"], "text_or_count": 7, "verdict": "live",
          "kind": "video", "status": "ok", "best": {"frame": 9, "xyxy": [0, 0, 1, 1]}, "ranking": [{"label": "l", "score": 0.5}] * 6,
          "nearest": [{"source": "s", "track_id": 1, "score": 0.5}], "embedding": {"dtype": "float16", "shape": [512], "b64": "AA=="},
          "error": {"code": "E_X", "stage": "s", "message": "m", "fatal": False}, "ledger": {"decoded": 3, "processed": 2, "skipped": 1}}


@pytest.mark.parametrize("kind", TYPES)
def test_every_key_of_every_type_is_shown_or_named_as_left_out(kind: str) -> None:
    known = TYPES[kind]
    record = {"v": 1, "type": kind, "by": "b", "source": "a.mp4"}
    record |= {name: VALUES[key.shape] for name in (*known.required, *known.optional) if (key := key_of(kind, name))}
    check(record)
    gathered = Gathered(10)
    notes = gathered.notes("a.mp4")
    if "frame" in record:
        gathered.frame(notes, [record])
    else:
        gathered.unframed(notes, [record])
    gathered.spans.close(notes)
    gathered.settle()
    meta, _ = gathered.packed()
    [table] = meta["tables"]
    shown = {column["name"] for column in table["columns"]}
    parts = {"xyxy": {"x1", "y2"}, "det_xyxy": {"det_x1"}, "best": {"best_frame"}, "error": {"code", "message", "fatal"},
             "frames": {"decoded", "skipped"} if kind == "end" else {"frames"}}
    for name in record.keys() - {"v", "type"} - set(table["left_out"]):
        assert parts.get(name, {name}) <= shown
    assert set(table["left_out"]) <= {"poly", "points"}
