"""Boxes through COCO's JSON and back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.driver.chain import Outcome
from vtk.driver.stage import Source
from vtk.errors import VtkError
from vtk.export.boxes import BoxStage, box_of, read_size
from vtk.export.coco_export import CocoFormat
from vtk.export.coco_import import CocoImport
from vtk.export.whole import WholeFile
from vtk.records import Record, make

PIXELS = st.integers(-100_000, 100_000)  # hundredths
SOURCES = st.sampled_from(["a.mp4", "v/b.mkv", "p.jpg", "seq:frames", "file:%FF.mp4", "http://h/x.mp4"])


@st.composite
def boxes(draw: Any) -> Record:
    """Draw a track or detection record, to two decimals and four, as vtk makes them."""
    source = draw(SOURCES)
    frame = 0 if source == "p.jpg" else draw(st.integers(0, 10**6))
    kind = "track" if draw(st.booleans()) else "detection"
    (x1, x2), (y1, y2) = (sorted(draw(st.lists(PIXELS, min_size=2, max_size=2))) for _ in range(2))
    label = draw(st.sampled_from(["person", "car", "ж\n\"", ""]))
    keys: Record = {"track_id": draw(st.integers(0, 2**53))} if kind == "track" else {}
    return make(kind, "import/coco", source, frame=frame, t=frame / 8, **keys,
                xyxy=[x1 / 100, y1 / 100, x2 / 100, y2 / 100], score=draw(st.integers(0, 10_000)) / 10_000, label=label,
                class_id=draw(st.integers(0, 3)))


def through(folder: Path, records: list[Record]) -> list[Record]:
    """Write records as a COCO data set, each type of each source once, and read it again."""
    path = folder / "x.json"
    form = CocoFormat(WholeFile("coco", path, True, False))
    stage = BoxStage(lambda: form, size=(640, 480))
    for source in dict.fromkeys(record["source"] for record in records):
        state = stage.start(Source(source, "records"))
        stage.unframed(state, [record for record in records if record["source"] == source])
        assert stage.end(state) == []
    stage.finish()
    lines = [orjson.loads(line) for lot in CocoImport().lines(str(path), Outcome(str(path))) for line in lot]
    return [record for record in lines if "xyxy" in record]


@settings(max_examples=40, deadline=None)
@given(st.lists(boxes(), min_size=1, max_size=6))
def test_boxes_come_back(tmp_path_factory: pytest.TempPathFactory, some: list[Record]) -> None:
    tracked = {record["source"] for record in some if record["type"] == "track"}
    wanted = [record for record in some if (record["type"] == "track") == (record["source"] in tracked)]
    found = through(tmp_path_factory.getbasetemp(), wanted)
    places = list(dict.fromkeys(record["source"] for record in wanted))
    wanted.sort(key=lambda record: (places.index(record["source"]), record["frame"]))
    assert found == wanted


def test_what_a_box_is_called() -> None:
    face = make("face", "f/x", "a.jpg", frame=0, t=0.0, xyxy=[0, 0, 9, 9], live_score=0.9, verdict="live", thresholds=[0.3, 0.6])
    assert (box_of(face).label, box_of(face).score, box_of(face).track) == ("live", 0.9, -1)
    text = make("text", "t/x", "a.jpg", frame=0, t=0.0, xyxy=[0, 0, 9, 9], poly=[[0, 0], [9, 0], [9, 9]], text="BUS", score=0.5)
    assert (box_of(text).label, box_of(text).poly) == ("text", [[0, 0], [9, 0], [9, 9]])
    bare = make("detection", "d/x", "a.jpg", frame=0, t=0.0, xyxy=[0, 0, 9, 9], score=0.5)
    assert (box_of(bare).label, box_of(bare).class_id) == ("object", -1)


def test_sizes_are_read() -> None:
    assert read_size("") is None and read_size("1920x1080") == (1920, 1080)
    for text in ("0x5", "axb", "5", "5x00"):
        with pytest.raises(VtkError, match="such as 1920x1080"):
            read_size(text)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def lines() -> Iterator[bytes]:
        yield b"{"
        assert [path.name for path in tmp_path.iterdir()] == ["a.json.part"] or not list(tmp_path.iterdir())
        raise VtkError("the disk is full", code="E_WRITE")

    with pytest.raises(VtkError, match="disk is full"):
        WholeFile("coco", tmp_path / "a.json", False, False).write(lines())
    assert not list(tmp_path.iterdir())
