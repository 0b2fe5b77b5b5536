"""Counts by hand-worked values, and of anything that may come."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.errors import RecordError
from vtk.records import TYPES, Record, make
from vtk.stats import Statistics
from vtk.stats.bins import SCORES, Boxes, Lengths, score_bin, size_bin
from vtk.stats.grouping import Grouped
from vtk.stats.names import Names, Pairs
from vtk.stats.printing import grouped_lines, lines_of


def track(source: str, frame: int, track_id: int, **keys: object) -> Record:
    """Return a record of a track: 10 frames a second, a box of 30 × 30 pixels."""
    return make("track", "track/x", source, frame=frame, t=frame / 10, xyxy=[0, 0, 30, 30], score=0.75, label="person",
                track_id=track_id) | keys


def counted(*records: Record) -> dict[str, object]:
    statistics = Statistics()
    for record in records:
        statistics.take(record)
    return statistics.summary()


def test_a_track_lasts_from_its_first_to_its_last_box() -> None:
    whole = counted(*(track("a", frame, 1) for frame in range(21)), track("a", 30, 2), track("b", 0, 1), track("b", 5, 1))
    [lengths] = whole["lengths"]
    assert (lengths["count"], lengths["seconds"], lengths["longest"]) == (3, 2.5, 2.0)
    assert lengths["bins"] == [{"from": 0.0, "count": 1}, {"from": 0.5, "count": 1}, {"from": 2.0, "count": 1}]
    assert whole["types"] == [{"type": "track", "records": 24, "sources": 2}]
    assert [(row["source"], row["records"], row["frames"]) for row in whole["sources"]["top"]] == [("a", 22, 22),
                                                                                                    ("b", 2, 2)]


def test_tracklets_count_in_place_of_their_boxes() -> None:
    tracklet = make("tracklet", "track/x", "a", track_id=1, start=0.0, end=3.5, score=0.5, observations=2, best={},
                    label="person")
    other = track("a", 0, 1, by="track/other")
    whole = counted(track("a", 0, 1), track("a", 10, 1), other, tracklet)
    assert [(row["type"], row["label"], row["count"], row["longest"]) for row in whole["lengths"]] == [
        ("track", "person", 2, 3.5)], "that of the other maker counts as well"


def test_labels_scores_and_sizes() -> None:
    records = [track("a", place, 1, score=place / 10, label="cat" if place < 3 else "dog",
                     xyxy=[0, 0, 2**place, 2**place]) for place in range(11)]
    whole = counted(*records)
    assert [(row["label"], row["records"], row["score"]) for row in whole["labels"]] == [("dog", 8, 0.65), ("cat", 3, 0.1)]
    assert whole["scores"] == [{"type": "track", "count": 11, "score": 0.5, "bins": [1] * 9 + [2]}]
    assert whole["sizes"][0]["bins"] == [{"from": 2**place, "count": 1} for place in range(11)]


def test_sources_have_the_worst_of_their_ends() -> None:
    def end(by: str, source: str, status: str) -> Record:
        return make("end", by, source, status=status, frames={"decoded": 9, "processed": 8, "skipped": 1}, records=3)

    media = make("media", "probe", "a", kind="video", width=640, height=480, fps=25.0, duration=10.0, codec="h264",
                 size=1000)
    error = make("error", "track/x", "b", error={"code": "E_DECODE", "stage": "track", "message": "bad", "fatal": False})
    whole = counted(media, end("detect", "a", "ok"), end("track", "a", "partial"), error, end("track", "b", "failed"),
                    end("track", "c", "ok"), track("d", 0, 1), error | {"source": "e"}, make("run", "reid", late=["x"]))
    assert whole["sources"]["status"] == {"partial": 1, "failed": 1, "ok": 1, "without end": 2}
    assert (whole["sources"]["duration"], whole["sources"]["resolutions"]) == (10.0, {"640x480": 1})
    assert whole["errors"] == [{"code": "E_DECODE", "count": 2, "fatal": 0, "sources": 2, "message": "bad"}]
    assert {row["by"]: (row["sources"], row["ok"], row["partial"], row["failed"], row["processed"], row["records"])
            for row in whole["commands"]} == {"detect": (1, 1, 0, 0, 8, 3), "track": (3, 1, 1, 1, 24, 9)}
    assert {row["type"]: row["sources"] for row in whole["types"]} == {
        "end": 3, "error": 2, "media": 1, "run": 0, "track": 1}
    assert whole["records"] == 9


def test_texts_people_copies_verdicts_and_shots() -> None:
    span = {"start": 1.0, "end": 3.0}
    texts = [make("text_track", "spot-text", source, track_id=1, text=text, score=0.5, observations=1, **span)
             for source, text in (("a", "BUS"), ("a", "BUS"), ("b", "BUS"), ("b", "STOP"))]
    people = [make("identity", "reid", source, track_id=1, identity=who, score=1.0)
              for source, who in (("a", 1), ("b", 1), ("b", "Ann"))]
    copies = [make("copy", "detect-copy", "a", ref="r", ref_start=0, ref_end=2, score=0.5, **span)] * 2
    faces = [make("face_track", "face", "a", track_id=place, live_score=0.5, verdict=verdict, thresholds=[0.2, 0.8],
                  observations=1, used=1, **span) for place, verdict in enumerate(("live", "live", "spoof"))]
    shots = [make("shot", "scene", "a", transition=how, **span) for how in ("cut", "cut", "fade")]
    scene = make("scene", "scene", "a", label="beach", score=0.5, transition="cut", **span)
    whole = counted(*texts, *people, *copies, *faces, *shots, scene)
    assert (whole["texts"]["distinct"], whole["texts"]["several_sources"]) == (2, 1)
    assert whole["texts"]["top"][0] == {"text": "BUS", "count": 3, "sources": 2, "seconds": 6.0}
    assert whole["identities"]["top"][0] == {"identity": "1", "count": 2, "sources": 2, "seconds": 0.0}
    assert whole["copies"] == {"records": 2, "seconds": 4.0, "pairs": 1, "sources": 1, "refs": 1, "top": [
        {"source": "a", "ref": "r", "count": 2, "seconds": 4.0}]}
    assert whole["verdicts"] == {"face_track": {"live": 2, "spoof": 1}}
    assert whole["transitions"] == {"cut": 3, "fade": 1}
    assert {(row["type"], row.get("label")): row["count"] for row in whole["lengths"]} == {
        ("text", None): 4, ("face", "live"): 2, ("face", "spoof"): 1, ("shot", None): 3, ("scene", "beach"): 1}


def test_tracks_of_one_source_at_a_time_are_held() -> None:
    statistics = Statistics()
    for source in range(50):
        for number in range(20):
            statistics.take(track(f"{source}", number, number))
        assert len(statistics._tracks) == 20
    assert statistics.summary()["lengths"][0]["count"] == 1000


def test_names_that_are_too_many_are_only_counted() -> None:
    names, pairs = Names(2), Pairs(2)
    for name in ("a", "b", "c", "a", "d"):
        names.take(name, "s", 1.0)
        pairs.take("s", name, 1.0)
    assert names.table(9) == {"records": 5, "distinct": 2, "several_sources": 0, "beyond": 2, "top": [
        {"name": "a", "count": 2, "sources": 1, "seconds": 2.0}, {"name": "b", "count": 1, "sources": 1, "seconds": 1.0}]}
    assert (pairs.table(1)["pairs"], pairs.table(1)["beyond"], pairs.table(1)["seconds"]) == (2, 2, 5.0)


def test_bins_hold_what_they_say() -> None:
    assert [score_bin(score) for score in (0, 0.0999, 0.1, 0.95, 1)] == [0, 0, 1, 9, 10]
    tenths = Boxes()
    tenths.scores[score_bin(1)] += 1
    assert tenths.tenths() == [0] * 9 + [1] and len(tenths.tenths()) == SCORES
    assert [size_bin([0, 0, side, side]) for side in (0, 0.9, 1, 1.9, 2, 31.9, 32)] == [0, 0, 1, 1, 2, 5, 6]
    assert size_bin([0, 0, 2, 8]) == 3, "the root of 16 is 4"
    lengths = Lengths()
    for seconds in (0, 0.12, 0.125, 1.0, 1.99, 1e9):
        lengths.take(seconds)
    assert [(row["from"], row["count"]) for row in lengths.table()["bins"]] == [
        (0.0, 2), (0.125, 1), (1.0, 2), (0.125 * 2**22, 1)]


@pytest.mark.parametrize("change", [
    {"score": 1.5}, {"score": "high"}, {"xyxy": [5, 0, 1, 1]}, {"xyxy": [0, 0, 1]}, {"t": "0"}, {"track_id": [1]},
    {"label": ["a"]}, {"label": 3}, {"by": {}}, {"v": 2}, {"source": ""}, {"source": 3}, {"type": 7}, {"type": None}])
def test_what_is_no_record_is_refused_and_not_counted(change: Record) -> None:
    statistics = Statistics()
    statistics.take(track("a", 0, 1))
    with pytest.raises(RecordError):
        statistics.take(track("a", 1, 1) | change)
    whole = statistics.summary()
    assert whole["records"] == 1 and whole["labels"][0]["records"] == 1 and whole["scores"][0]["count"] == 1


JSON = st.recursive(st.none() | st.booleans() | st.integers(-3, 2**40) | st.floats(allow_nan=False, allow_infinity=False)
                    | st.sampled_from(["a", "ok", "", "人"]), lambda inner: st.lists(inner, max_size=4)
                    | st.dictionaries(st.sampled_from(["label", "code", "score", "message"]), inner, max_size=3),
                    max_leaves=6)
KEYS = ("v", "by", "source", "frame", "t", "xyxy", "score", "label", "track_id", "start", "end", "text", "identity", "ref",
        "verdict", "live_score", "topk", "error", "status", "frames", "records", "transition", "kind", "width", "height")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([*TYPES, "unknown"]), st.dictionaries(st.sampled_from(KEYS), JSON)), max_size=8))
def test_anything_is_counted_or_refused(records: list[tuple[str, Record]]) -> None:
    statistics, grouped, good = Statistics(), Grouped(["type", "label"]), 0
    for kind, keys in records:
        try:
            statistics.take({"type": kind, **keys})
            good += 1
        except RecordError as error:
            assert "\n" not in str(error)
        try:
            grouped.take({"type": kind, **keys})
        except RecordError as error:
            assert "\n" not in str(error)
    whole = statistics.summary()
    assert whole["records"] == good
    json.dumps(whole, allow_nan=False)
    assert list(lines_of(whole)) and list(grouped_lines(grouped.summary(3)))


def test_groups_by_any_keys() -> None:
    grouped = Grouped(["type", "label"])
    for source, label, score in (("a", "cat", 0.2), ("a", "cat", 0.4), ("b", "cat", 0.9), ("b", "dog", 0.5)):
        grouped.take(track(source, 0, 1, label=label, score=score))
    grouped.take(make("run", "x", late=["y"]))
    whole = grouped.summary(1)
    assert whole == {"records": 5, "by": ["type", "label"], "distinct": 2, "others": 1, "without": 1, "groups": [
        {"type": "track", "label": "cat", "records": 3, "sources": 2, "score": 0.5}]}
    assert list(grouped_lines(whole)) == ["type   label  records  share  sources  score",
                                          "track  cat          3  60.0%        2  0.500", "and 1 records of 1 more",
                                          "and 1 records without type or label"]
