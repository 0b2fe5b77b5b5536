"""Scenes and the species of tracks are drawn on the frames of their span, where they are known in time."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from clips import make_clip

from vtk.driver.run import run
from vtk.records import Record, dump, make, parse
from vtk.report.draw import DrawStage
from vtk.report.spanned import Spanned
from vtk.sorting import Sorter


def scene(start: float, end: float, label: str, source: str = "a.mp4") -> Record:
    return make("scene", "recognize-scene/x", source, start=start, end=end, label=label, score=0.5)


def species(track_id: int | None = None, source: str = "a.mp4", **keys: object) -> Record:
    who = {} if track_id is None else {"track_id": track_id}
    return make("species", "classify-species/x", source, start=0.0, end=1.0, **{"topk": [], **keys}, **who)


def test_a_span_holds_from_its_start_and_up_to_its_end() -> None:
    spans = Spanned()
    spans.take([scene(1.0, 2.0, "kitchen"), scene(0.0, 1.0, "street"), scene(3.0, 3.0, "picture")], False)
    assert [[record["label"] for record in spans.at(t)] for t in (0.0, 0.99, 1.0, 2.0, 3.0)] == [
        ["street"], ["street"], ["kitchen"], [], ["picture"]]
    assert not spans.late


def test_spans_are_found_however_many_and_long_they_are() -> None:
    spans, some = Spanned(), [(number / 3, number / 3 + (number * 7 % 5) / 2) for number in range(40)]
    spans.take([scene(start, end, str(number)) for number, (start, end) in enumerate(some)], False)
    for t in (0.0, 1 / 3, 0.5, 2.0, 7.77, 13.0, 14.5, 15.0, 99.0):
        assert [record["label"] for record in spans.at(t)] == [
            str(number) for number, (start, end) in enumerate(some) if start <= t < end or start == t == end]


@pytest.mark.parametrize(("keys", "name"), [
    ({"label": "Pica pica", "common": "Magpie"}, "Magpie"), ({"label": "Pica pica"}, "Pica pica"),
    ({"topk": [{"label": "Pica pica", "score": 0.3}]}, "Pica pica?"), ({"group": "mammal", "covered": False}, None), ({}, None),
])
def test_a_track_is_named_by_what_is_known_of_its_species(keys: dict[str, object], name: str | None) -> None:
    spans = Spanned()
    spans.take([species(4, **keys)], False)
    track = {"type": "track", "track_id": 4, "label": "bird"}
    assert spans.named(track).get("named") == name
    assert "named" not in spans.named(track | {"track_id": 5})
    assert spans.at(0.5) == []


def stream(source: str, order: str) -> list[Record]:
    tracks = [make("track", "track/x", source, frame=frame, t=frame / 12, xyxy=[60, 60, 120, 110], score=0.9,
                   label="bird", track_id=4) for frame in range(24)]
    said = [scene(0.0, 1.0, "kitchen", source), species(4, source, label="Pica pica")]
    return [*said, *tracks] if order == "first" else [*tracks, *said]


def drawn(target: Path, records: list[Record]) -> tuple[list[np.ndarray], list[str]]:
    """Return the pictures of the film that is drawn, and what it says went wrong."""
    out = list(run([DrawStage(output=target, trail=0.0, crf=0, tee=True)], records=records))
    with av.open(str(target)) as container:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    return pictures, [record["error"]["message"] for record in out if record["type"] == "error"]


def test_scenes_and_species_are_drawn_on_their_frames(tmp_path: Path) -> None:
    source = str(make_clip(tmp_path / "clip.mp4"))
    plain, none = drawn(tmp_path / "plain.mp4", [record for record in stream(source, "first")
                                                 if record["type"] == "track"])
    told, errors = drawn(tmp_path / "told.mp4", stream(source, "first"))
    late, warned = drawn(tmp_path / "late.mp4", stream(source, "last"))
    corner, label = (slice(0, 24), slice(0, 90)), (slice(30, 60), slice(60, 190))
    changed = [[bool(np.abs(one[place] - other[place]).max() > 60) for place in (corner, label)]
               for one, other in zip(plain, told, strict=True)]
    assert changed == [[index < 12, True] for index in range(24)]
    assert all(np.abs(one - other).max() < 10 for one, other in zip(plain, late, strict=True))
    assert none == errors == []
    assert warned == ["records of scenes or species came after their frames: drawn without them; vtk sort puts them "
                      "first"]


def test_sort_puts_spans_before_the_frames() -> None:
    sorter = Sorter()
    records = [*stream("a.mp4", "last"), make("species", "x", "a.mp4", frame=2, t=0.2, topk=[])]
    for record in records:
        sorter.add(dump(record))
    kinds = [(record["type"], record.get("frame")) for record in map(parse, sorter.sorted())]
    assert kinds[:4] == [("scene", None), ("species", None), ("track", 0), ("track", 1)]
    assert kinds[4:6] == [("track", 2), ("species", 2)]
