"""Copies against ground truth: names, pairs that count, and where they are read from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from vtk.errors import RecordError, UsageError
from vtk.evaluation.copies import CopyEvaluation, evaluate_copies
from vtk.evaluation.copy_lanes import CopyLanes, naming, read_results, read_truth
from vtk.export.copies import CopyRows, Pair

Segment = tuple[str, str, list[float], float]


def rows(*segments: Segment, pairs: Iterable[Pair] = ()) -> CopyRows:
    made = CopyRows("x")
    for query, ref, box, score in segments:
        made.add((query, ref), box, score)
    made.pairs |= dict.fromkeys(pairs)
    return made


def evaluate(truth: CopyRows, found: CopyRows, **options: Any) -> tuple[CopyEvaluation, list[str]]:
    notes: list[str] = []
    return evaluate_copies(truth, found, notes.append, **options), notes


TEN = [0, 0, 10, 10]
TRUTH = rows(("q1.mp4", "r1.mp4", TEN, 1), ("q2.mp4", "r2.mp4", TEN, 1), pairs=[("q1.mp4", "r2.mp4")])


def test_by_hand() -> None:
    """One found, one missed; one false alarm of two pairs without a copy, which scores higher."""
    found = rows(("a/q1.mp4", "b/r1.mp4", [0, 0, 10, 5], 0.5), ("a/q1.mp4", "b/r2.mp4", TEN, 0.9))
    got, notes = evaluate(TRUTH, found)
    assert notes == []
    assert got.micro == pytest.approx({"P": 50, "R": 25, "F": 100 / 3}, abs=1e-4)
    assert got.macro == pytest.approx({"P": 75, "R": 37.5, "F": 50, "sets": 2}, abs=1e-4)
    assert got.videos == {"FRR": 50, "FAR": 100, "missed": 1, "copied": 2, "false": 1, "others": 1}
    assert got.ranking == pytest.approx({"uAP": 25, "segAP": got.ranking["segAP"], "AP50": 25, "AP75": 0, "AP": 2.5})
    # Of 20 + 20 labelled seconds 10 and 5 are met, of 20 and 15 found ones.
    recall, precision = (0.5 * 0.25) ** 0.5, (10 / 20 * 5 / 15) ** 0.5
    assert got.ranking["segAP"] == pytest.approx(100 * recall * precision)
    assert got.pairs["q1", "r1"] == pytest.approx({"P": 100, "R": 50, "F": 200 / 3, "IoU": 50, "found": 1,
                                                   "labelled": 1}, abs=1e-4)
    assert "IoU" not in got.pairs["q1", "r2"]


def test_query_sets() -> None:
    found = rows(("q1", "r1", TEN, 0.5))
    sets = {("q1", "r1"): "s", ("q2", "r2"): "s", ("q1", "r2"): "t"}
    got, _ = evaluate(TRUTH, found, sets=sets)
    assert got.macro == pytest.approx({"P": 100, "R": 75, "F": 600 / 7, "sets": 2}, abs=1e-3)
    with pytest.raises(UsageError, match="--sets has no set for the pair q2 – r2"):
        evaluate(TRUTH, found, sets={("q1", "r1"): "s"})


def test_listed_pairs_are_those_that_count() -> None:
    found = rows(("q1", "r1", TEN, 0.5), ("q9", "r1", TEN, 0.9))
    listed = [("q1", "r1"), ("q8", "r1"), ("q7", "r1")]
    got, notes = evaluate(TRUTH, found, listed=listed)
    assert got.videos == {"FRR": 0, "FAR": 0, "missed": 0, "copied": 1, "false": 0, "others": 2}
    assert got.ranking["uAP"] == 100
    assert notes == ["pairs of the ground truth that are not listed, left out: 2 (q2 – r2, q1 – r2)",
                     "pairs of the results that are not listed, left out: 1 (q9 – r1)"]
    _, notes = evaluate(TRUTH, found)
    assert notes == ["the ground truth does not name q9: what was found there is false"]


def test_either_way() -> None:
    found = rows(("r1", "q1", [2, 0, 10, 8], 0.5), ("r2", "q1", TEN, 0.4), ("q1", "r2", TEN, 0.3))
    truth = rows(("q1", "r1", [0, 2, 8, 10], 1), pairs=[("q1", "r2")])
    one, notes = evaluate(truth, found)
    assert one.videos["FRR"] == 100 and len(one.pairs) == 4
    assert [note for note in notes if "--either-way" in note] == [
        "no copied pair was found, and 1 would be with query and reference swapped: --either-way takes pairs either "
        "way round"]
    both, notes = evaluate(truth, found, either=True)
    assert (both.videos["FRR"], both.videos["false"]) == (0, 1) and both.micro["R"] == pytest.approx(100, abs=1e-4)
    assert list(both.pairs) == [("q1", "r1"), ("q1", "r2")] and both.ranking["AP"] == 100
    assert notes == []


def test_either_way_is_named_only_where_nothing_is_found_and_it_would_help() -> None:
    truth = rows(("q1", "r1", TEN, 1), ("q2", "r2", TEN, 1), ("x", "x", TEN, 1), pairs=[("q1", "r2")])
    for found in (rows(("q1", "r1", TEN, 1), ("r2", "q2", TEN, 1)), rows(("r2", "q1", TEN, 1)),
                  rows(("x", "x", TEN, 1))):  # fmt: skip
        assert not any("--either-way" in note for note in evaluate(truth, found)[1])


def test_what_the_figures_do_not_show_is_said() -> None:
    plain = rows(("q1", "r1", TEN, 0.5), ("q1", "r1", TEN, 0.5))
    plain.scored = False
    got, notes = evaluate(rows(("q1", "r1", TEN, 1)), plain)
    assert got.ranking == {} and "FAR" not in got.videos and got.micro["F"] == pytest.approx(100, abs=1e-4)
    assert [note.split(":")[0] for note in notes] == [
        "1 of 2 found segments are there twice", "no pair without a copy is named, so that there is no FAR",
        "the results have no scores"]
    with pytest.raises(UsageError, match="it has q1, q2, r1, r2, results are about x, y; name them alike"):
        evaluate(TRUTH, rows(("x", "y", TEN, 1)))


def test_nothing_found() -> None:
    got, _ = evaluate(TRUTH, CopyRows("x"))
    assert (got.videos["FRR"], got.micro, got.ranking["uAP"], got.ranking["AP"]) == (100, {"R": 0}, 0, 0)


@pytest.mark.parametrize(("sides", "expected"), [
    ([["a/film.mp4"], ["film"]], ["film", "film"]),
    ([["film.mkv", "film.mp4"], ["a/film.mkv", "b/film.mp4"]], ["film.mkv", "film.mp4", "film.mkv", "film.mp4"]),
    ([["a/film.mp4", "b/film.mp4"], ["a/film.mp4"]], ["a/film.mp4", "b/film.mp4", "a/film.mp4"]),
    ([["Q100001", "R2.5"], ["Q100001"]], ["Q100001", "R2.5", "Q100001"]),
])
def test_the_shortest_name_that_tells_apart(sides: list[list[str]], expected: list[str]) -> None:
    name = naming(*sides)
    assert [name(video) for side in sides for video in side] == expected


def record(**keys: Any) -> str:
    return json.dumps({"v": 1, "type": "copy", "by": "detect-copy/x", "source": "v/q.mp4", "ref": "v/r.mp4", "start": 0,
                       "end": 9, "ref_start": 1, "ref_end": 10, "score": 0.5, **keys}) + "\n"


END = json.dumps({"v": 1, "type": "end", "by": "detect-copy/x", "source": "v/q.mp4", "status": "partial", "records": 0,
                  "frames": {"decoded": 1, "processed": 1, "skipped": 0}}) + "\n"


def test_records_are_read_and_bad_ones_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(record() + "\n{\n" + record(ref_end=0.5) + record(start=True) + END)
    (tmp_path / "b.json").write_text(record(start=20, end=29, transform={"speed": 1.0}))  # a record in a .json
    (tmp_path / "c.csv").write_text("query_id,ref_id,query_start,query_end,ref_start,ref_end,score\nq,s,0,1,0,1,0.25\n")
    lanes = CopyLanes()
    found = read_results([str(tmp_path)], lanes)
    assert sorted(found.boxes) == [[0, 0, 1, 1], [0, 1, 9, 10], [20, 1, 29, 10]]
    assert sorted(found.score) == [0.25, 0.5, 0.5] and found.scored
    assert [number for number, _, _ in lanes.bad] == [3, 4, 5]
    assert str(lanes.bad[1][2]) == "copy record's 'ref_end' is 0.5, before its 'ref_start', 1"
    assert lanes.unfinished == {"v/q.mp4": "partial"}
    with pytest.raises(RecordError, match="ground truth .*a.jsonl, line 3"):
        read_truth([str(tmp_path)])


def test_makers_and_other_records(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(record() + record(by="detect-copy/y", start=1))
    with pytest.raises(UsageError, match="copies by detect-copy/x and by detect-copy/y: choose with --by"):
        read_results([str(file)], CopyLanes())
    assert read_results([str(file)], CopyLanes("detect-copy/y")).boxes == [[1, 1, 9, 10]]
    with pytest.raises(UsageError, match="--by z: no copies of this maker; there are those by detect-copy/x, "):
        read_results([str(file)], CopyLanes("z"))
    file.write_text(END)
    assert read_results([str(file)], CopyLanes()).boxes == [], "somebody looked, and found nothing"
    file.write_text(END.replace("detect-copy/x", "detect/x"))
    with pytest.raises(UsageError, match="the records are end, and no copy: pipe vtk detect-copy in first"):
        read_results([str(file)], CopyLanes())
    file.write_text("\n")
    assert read_results([str(file)], CopyLanes()).boxes == []
    file.write_text("oops\n")
    with pytest.raises(RecordError, match="a.jsonl holds no record: line 1: not JSON"):
        read_results([str(file)], CopyLanes())


def test_truth_that_cannot_be(tmp_path: Path) -> None:
    file = tmp_path / "gt.json"
    file.write_text('{"q-r": [[0, 0, 1, 1], [0, 0, 1, 1]]}')
    with pytest.raises(RecordError, match=r"the segment \[0.0, 0.0, 1.0, 1.0\] of q, r is there twice"):
        read_truth([str(file)])
    file.write_text("{}")
    with pytest.raises(RecordError, match="gt.json names no pair of videos"):
        read_truth([str(file)])
    with pytest.raises(UsageError, match="--gt -: stdin is for results"):
        read_truth(["-"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="--gt .*: no copies in this folder"):
        read_truth([str(tmp_path / "folder")])
