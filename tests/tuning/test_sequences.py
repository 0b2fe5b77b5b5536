"""Stored records as arrays: tracked as ``vtk track`` does, matched with ground truth, and what is wrong said."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from walkers import SIZE, detection, scene, write_records

from vtk.driver.run import run
from vtk.errors import RecordError, UsageError
from vtk.evaluation.sequences import TrackSequence
from vtk.metrics.mot import Boxes
from vtk.records import Record
from vtk.tracking import TrackStage
from vtk.tuning.sequences import Labelled, labelled
from vtk.tuning.stored import Detections, Stored
from vtk.tuning.trial import figure, tracked

RECORDS, TRUTH = scene(0)


def of_size(records: list[Record], length: int, every: int = 1) -> list[Record]:
    """Return records of which each ``every``-th detection shows one of a few looks, ``length`` numbers long."""
    rng = np.random.default_rng(0)
    for place, record in enumerate(records):
        if record["type"] == "detection" and place % every == 0:
            data = rng.normal(size=length).astype("<f2")
            record["embedding"] = {"dtype": "float16", "shape": [length], "norm": 1.0,
                                   "b64": base64.b64encode(data.tobytes()).decode()}
    return records


def sampled(records: list[Record], step: int) -> list[Record]:
    return [record | ({"step": step} if record["type"] == "detection" else {}) for record in records
            if record.get("frame", 0) % step == 0]


def with_cars(records: list[Record]) -> list[Record]:
    return [record | ({"label": "car"} if place % 3 == 0 and record["type"] == "detection" else {})
            for place, record in enumerate(records)]


def flat(records: list[Record]) -> list[Record]:
    """Return records with boxes of no area, and others that leave the picture altogether."""
    outside = [detection("SEQ.mp4", frame, np.array([-60.0, 10, -20, 50]) + frame % 3, 0.9) for frame in range(50, 60)]
    return [*records, *outside, detection("SEQ.mp4", 60, np.array([5.0, 5, 5, 9]), 0.9)]


STREAMS: dict[str, tuple[list[Record], tuple[str, ...]]] = {
    "as it comes": (RECORDS, ()),
    "no media record": (RECORDS[1:], ()),
    "no size": ([{key: value for key, value in RECORDS[0].items() if key not in ("width", "height")} |
                 {"width": 1, "height": 1, "kind": "stream"}, *RECORDS[1:]], ()),
    "every third frame": (sampled(scene(1)[0], 3), ()),
    "every third frame without a rate": (sampled(scene(1)[0][1:], 3), ()),
    "two classes": (with_cars(scene(2)[0]), ()),
    "one class of two": (with_cars(scene(2)[0]), ("person",)),
    "boxes outside": (flat(scene(3)[0]), ()),
    "looks": (of_size(scene(4)[0], 8), ()),
    "looks of some": (of_size(scene(4)[0], 8, every=7), ()),
}
OPTIONS = {"vtk": {"high": 0.3, "grown": 0.1, "max_lost": 0.5}, "bytetrack": {"start": 0.55, "match": 0.9},
           "ocsort": {"min_hits": 1, "inertia": 0.4}, "sort": {"max_age": 3, "min_hits": 1}}


def read(path: Path, records: list[Record], *classes: str, by: str | None = None) -> Detections:
    """Return the only source of some records, read from a file."""
    stored = Stored(classes, by)
    stored.read(str(write_records(path / "stored.jsonl", records)))
    [found] = stored.sources()
    return found


@pytest.mark.parametrize("tracker", OPTIONS)
@pytest.mark.parametrize("name", STREAMS)
def test_tracks_are_those_of_vtk_track(name: str, tracker: str, tmp_path: Path) -> None:
    """To the last decimal, with the defaults and with others."""
    records, classes = STREAMS[name]
    stored = read(tmp_path, records, *classes)
    for options in ({}, OPTIONS[tracker]):
        stage = TrackStage(tracker=tracker, classes=classes, set_options=options)
        expected = [record for record in run([stage], records=records) if record["type"] == "track"]
        found = tracked(stored, tracker, options)
        assert found.frame.tolist() == [record["frame"] + 1 for record in expected]
        assert found.id.tolist() == [record["track_id"] for record in expected]
        assert found.xyxy.tolist() == [record["xyxy"] for record in expected]
        assert len(set(found.id.tolist())) > 3


def test_one_maker_of_several(tmp_path: Path) -> None:
    other = [record | {"by": "detect/y"} for record in scene(9)[0] if record["type"] == "detection"]
    both = sorted([*RECORDS, *other], key=lambda record: record.get("frame", -1))
    with pytest.raises(UsageError, match="SEQ.mp4 has detections by detect/x and by detect/y, .* choose with --by"):
        read(tmp_path, both)
    stage = TrackStage(tracker="sort")
    expected = [record for record in run([stage], records=both) if record["type"] == "track"
                and record["by"] == "track/y+sort"]
    found = tracked(read(tmp_path, both, by="detect/y"), "sort", {})
    assert found.xyxy.tolist() == [record["xyxy"] for record in expected]
    assert len(expected) > 20


def test_a_source_as_arrays(tmp_path: Path) -> None:
    records = [RECORDS[0], *(detection("SEQ.mp4", frame, np.array([10.0, 20, 30, 60.5]), 0.5, step=2)
                             for frame in (4, 6, 6)), detection("SEQ.mp4", 8, np.array([1.0, 1, 1, 9]), 0.5, step=2)]
    found = read(tmp_path, records)
    assert (found.source, found.size) == ("SEQ.mp4", SIZE)
    assert (found.frame.tolist(), found.step.tolist()) == ([4, 6, 8], [2, 2, 2])
    assert (found.t.tolist(), found.interval.tolist()) == ([0.32, 0.48, 0.64], [0.08] * 3)
    assert found.first.tolist() == [0, 1, 3, 3], "a frame whose box has no area was looked at"
    assert found.boxes.tolist() == [[10, 20, 30, 60.5]] * 3
    assert (found.features.shape, found.looks.tolist()) == ((3, 0), [False] * 3)


def test_sources_of_several_files_and_of_one(tmp_path: Path) -> None:
    streams = [scene(seed, source=f"{name}.mp4")[0] for seed, name in enumerate("ABC")]
    together = Stored()
    together.read(str(write_records(tmp_path / "all.jsonl", *streams)))
    apart = Stored()
    for name, stream in zip("ABC", streams, strict=True):
        apart.read(str(write_records(tmp_path / f"{name}.jsonl", stream)))
    for one, other in zip(together.sources(), apart.sources(), strict=True):
        assert one.source == other.source
        assert np.array_equal(one.boxes, other.boxes)
    assert [one.source for one in apart.sources()] == ["A.mp4", "B.mp4", "C.mp4"]
    with pytest.raises(UsageError, match="A.mp4 is in .*A.jsonl and in .*all.jsonl: give one file"):
        apart.read(str(tmp_path / "all.jsonl"))


def test_bad_lines_are_named_and_passed_over(tmp_path: Path) -> None:
    lines = [json.dumps(record) for record in RECORDS]
    end = {"v": 1, "type": "end", "by": "detect/x", "source": "SEQ.mp4", "status": "partial", "records": 9,
           "frames": {"decoded": 9, "processed": 9, "skipped": 0}}
    late = RECORDS[1]
    wrong = ["{", lines[1].replace('"score": ', '"score": 2'), *lines[5:], json.dumps(late), json.dumps(end)]
    (tmp_path / "x.jsonl").write_text("\n".join([*lines[:5], *wrong]))
    stored = Stored()
    stored.read(str(tmp_path / "x.jsonl"))
    assert [(number, error.code) for number, _, error in stored.bad] == [
        (6, "E_JSON"), (7, "E_RECORD"), (len(lines) + 3, "E_ORDER")]
    assert stored.unfinished == {"SEQ.mp4": "partial"}
    assert np.array_equal(stored.sources()[0].boxes, read(tmp_path, RECORDS).boxes)


BAD: list[tuple[str, Callable[[], list[Record]], type[Exception], str]] = [
    ("nothing", list, UsageError, r"there are no detections \(there are no records\): vtk detect and vtk import"),
    ("media alone", lambda: RECORDS[:1], UsageError, r"there are no detections \(there are media records\)"),
    ("tracks", lambda: [RECORDS[1] | {"type": "track", "track_id": 1}], UsageError,
     r"no detections \(there are track records\)"),
    ("boxes without area alone", lambda: [detection("a", 1, np.array([5.0, 5, 5, 5]), 0.5)], UsageError,
     "no detection has an area and is of --classes and --by: there is nothing to track"),
    ("x2 before x1", lambda: [detection("a", 7, np.array([9.0, 1, 5, 5]), 0.5)], RecordError,
     r"stored.jsonl.* 'xyxy' is \[9.0, 1.0, 5.0, 5.0\]: x1 <= x2 and y1 <= y2.* are needed"),
    ("embeddings of two lengths", lambda: [
        detection("a", n, np.array([1.0, 1, 9, 9]), 0.5, embedding=of_size([RECORDS[1].copy()], n)[0]["embedding"])
        for n in (4, 8)], RecordError, "stored.jsonl: a, frame 8: .* length 8, .* and 4: spaces are not mixed"),
    ("newer", lambda: [RECORDS[1] | {"v": 9}], RecordError, "version 9"),
]


@pytest.mark.parametrize(("make", "error", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_records_that_cannot_be_tuned_on(make: Callable[[], list[Record]], error: type[Exception], message: str,
                                         tmp_path: Path) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, make())


def test_a_file_that_holds_no_record_at_all(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_bytes(b"\x89PNG\0\n1,2,3\n")
    stored = Stored()
    stored.read(str(tmp_path / "x.jsonl"))
    with pytest.raises(RecordError, match="x.jsonl holds no record: line 1: not JSON"):
        stored.sources()
    with pytest.raises(UsageError, match="cannot read .*gone.jsonl: No such file"):
        stored.read(str(tmp_path / "gone.jsonl"))


def truth_of(name: str, rows: np.ndarray = TRUTH) -> TrackSequence:
    boxes = Boxes(rows[:, 0].astype(int), rows[:, 1].astype(int), np.c_[rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
    return TrackSequence(name, f"{name}/gt/gt.txt", boxes, rows[:, 6], None, 10)


def stored_of(*sources: str) -> list[Detections]:
    return [Detections(source, *[np.empty(0)] * 10, None) for source in sources]


def test_sequences_are_matched_by_name_and_what_lacks_a_side_is_left_out() -> None:
    said: list[str] = []
    unmarked = TRUTH * np.where(np.arange(10) == 6, 0, 1)
    truth = {"A": truth_of("A"), "B": truth_of("B"), "E": truth_of("E", unmarked)}
    found = labelled(truth, stored_of("v/A.mp4", "C/det/det.txt", "E.mp4"), "mot15", said.append)
    assert [(one.name, one.detections.source) for one in found] == [("A", "v/A.mp4")]
    assert said == ["no ground truth for C/det/det.txt: left out", "no detections for B: left out",
                    f"E/gt/gt.txt has no box that counts under mot15 ({len(TRUTH)} rows): left out"]


def test_one_of_each_is_matched_whatever_the_names() -> None:
    said: list[str] = []
    [found] = labelled({"A": truth_of("A")}, stored_of("v/B.mp4"), "plain", said.append)
    assert (found.name, found.detections.source) == ("A", "v/B.mp4")
    assert said == ["v/B.mp4 is scored against A/gt/gt.txt: one of each, so names need not agree"]


def test_nothing_that_is_left_is_refused() -> None:
    truth = {"A": truth_of("A"), "B": truth_of("B")}
    with pytest.raises(UsageError, match="ground truth is of A, B, detections are of v/C.mp4; name them alike"):
        labelled(truth, stored_of("v/C.mp4"), "plain", lambda text: None)
    with pytest.raises(UsageError, match="two sources of the sequence A: v/A.mp4 and w/A.avi"):
        labelled(truth, stored_of("v/A.mp4", "w/A.avi"), "plain", lambda text: None)
    empty = {"A": truth_of("A", TRUTH[:0])}
    with pytest.raises(UsageError, match="ground truth of A has no box that counts under mot15: there is nothing"):
        labelled(empty, stored_of("A.mp4"), "mot15", lambda text: None)


def test_where_nothing_matches_the_figure_is_zero(tmp_path: Path) -> None:
    far = truth_of("A", TRUTH + np.where(np.isin(np.arange(10), (2, 3)), 5000, 0))
    [one] = labelled({"A": far}, [read(tmp_path, RECORDS)], "plain", lambda text: None)
    assert isinstance(one, Labelled)
    assert [figure(one, "sort", {}, metric) for metric in ("HOTA", "AssA", "DetA", "IDF1")] == [0, 0, 0, 0]
    assert figure(one, "sort", {}, "MOTA") < 0
