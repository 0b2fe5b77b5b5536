"""Tracking metrics: equal to TrackEval's own reading of the same files, right by hand, and defined where nothing is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mot_scenes import by_trackeval, scene, write

from vtk.metrics.mot import (
    FAMILIES,
    FIGURES,
    PROTOCOLS,
    Boxes,
    box_overlap,
    combine,
    prepare_truth,
    score_sequence,
)

LENGTHS = {"A": 40, "B": 25}


def boxes(rows: object) -> Boxes:
    """Return rows of frame, id, x, y, w, h, … as boxes."""
    table = np.array(rows, dtype=float).reshape(-1, 6) if not isinstance(rows, np.ndarray) else rows
    xyxy = np.concatenate([table[:, 2:4], table[:, 2:4] + table[:, 4:6]], axis=1)
    return Boxes(table[:, 0].astype(int), table[:, 1].astype(int), xyxy)


@pytest.mark.parametrize("benchmark", ["MOT15", "MOT16", "MOT17", "MOT20"])
def test_every_figure_equals_trackeval_on_the_same_files(benchmark: str, tmp_path: Path) -> None:
    """To the last bit: the same metrics on the same numbers leave no room for a tolerance."""
    scores, distractors_seen = {}, 0
    for seed, (name, frames) in enumerate(LENGTHS.items()):
        truth, found = scene(seed, frames)
        write(tmp_path / "gt" / name / "gt" / "gt.txt", truth)
        write(tmp_path / "results" / "it" / "data" / f"{name}.txt", found)
        ready = prepare_truth(boxes(truth), truth[:, 6], truth[:, 7], benchmark.lower())
        scores[name] = score_sequence(ready, boxes(found))
        distractors_seen += len(found) - scores[name].found
    assert (distractors_seen > 20) == (benchmark != "MOT15"), "the scene tests what it is made for"
    scores["COMBINED"] = combine(list(scores.values()))
    expected = by_trackeval(tmp_path, benchmark, LENGTHS)
    for name, families in expected.items():
        for figure, (family, field, _) in FIGURES.items():
            np.testing.assert_array_equal(scores[name].raw[family][field], families[family][field], f"{name} {figure}")
        assert 20 < scores[name].figures()["HOTA"] < 80


def test_mot20_takes_out_results_on_vehicles_too() -> None:
    truth = boxes([[1, 1, 0, 0, 10, 10], [1, 2, 50, 0, 10, 10]])
    found = boxes([[1, 1, 0, 0, 10, 10], [1, 2, 50, 0, 10, 10]])
    counted = {protocol: score_sequence(prepare_truth(truth, np.ones(2), np.array([1, 6]), protocol), found).figures()
               for protocol in PROTOCOLS}
    assert {protocol: figures["FP"] for protocol, figures in counted.items()} == {
        "mot15": 0, "mot16": 1, "mot17": 1, "mot20": 0, "plain": 0}
    assert {protocol: figures["MT"] for protocol, figures in counted.items()} == {
        "mot15": 2, "mot16": 1, "mot17": 1, "mot20": 1, "plain": 2}


def test_a_distractor_takes_only_the_box_that_matches_it_best() -> None:
    """A pedestrian beside a distractor keeps its box: the assignment is over both."""
    truth = boxes([[1, 1, 0, 0, 10, 10], [1, 2, 2, 0, 10, 10]])
    found = boxes([[1, 7, 0, 0, 10, 10], [1, 8, 2, 0, 10, 10]])
    figures = score_sequence(prepare_truth(truth, np.ones(2), np.array([1, 8]), "mot17"), found).figures()
    assert (figures["FP"], figures["FN"], figures["HOTA"]) == (0, 0, 100)


def test_an_id_switch_by_hand() -> None:
    """One object in two frames, found perfectly under two ids.

    DetA is 1; each match shares its pair of ids with 1 of 2 boxes of the object, so AssA is 1/2 and HOTA √½. MOTA is
    1 − 1/2; IDF1 is 2·1 / (2·1 + 1 + 1).
    """
    truth = prepare_truth(boxes([[1, 5, 0, 0, 10, 20], [2, 5, 0, 0, 10, 20]]))
    figures = score_sequence(truth, boxes([[1, 1, 0, 0, 10, 20], [2, 2, 0, 0, 10, 20]])).figures()
    assert figures == pytest.approx({
        "HOTA": 100 * 0.5**0.5, "DetA": 100, "AssA": 50, "LocA": 100, "DetRe": 100, "DetPr": 100, "AssRe": 50,
        "AssPr": 100, "MOTA": 50, "MOTP": 100, "IDF1": 50, "IDP": 50, "IDR": 50, "FP": 0, "FN": 0, "IDSW": 1, "Frag": 0,
        "MT": 1, "PT": 0, "ML": 0})


def test_a_box_half_as_tall_counts_up_to_its_overlap() -> None:
    """Overlap ½ passes 10 of the 19 thresholds 0.05, 0.10, … 0.95: DetA and HOTA are 10/19."""
    truth = prepare_truth(boxes([[1, 5, 0, 0, 10, 20]]))
    figures = score_sequence(truth, boxes([[1, 1, 0, 0, 10, 10]])).figures()
    assert figures["HOTA"] == pytest.approx(100 * 10 / 19)
    assert figures["DetA"] == pytest.approx(100 * 10 / 19)
    assert (figures["MOTP"], figures["MOTA"]) == (50, 100)


def test_the_truth_against_itself_is_perfect_whatever_the_order_and_the_numbers() -> None:
    rows, _ = scene(3)
    shuffled = rows[np.random.default_rng(0).permutation(len(rows))]
    shuffled[:, 1] = 9000 - 7 * shuffled[:, 1]
    figures = score_sequence(prepare_truth(boxes(rows)), boxes(shuffled)).figures()
    # 1e-9: sums of up to 500 overlaps of 1, which floats may hold as 1 − 1e-16
    assert {name: value for name, value in figures.items() if FIGURES[name].share_of} == pytest.approx(
        dict.fromkeys([name for name in FIGURES if FIGURES[name].share_of], 100), abs=1e-9)
    assert (figures["FP"], figures["FN"], figures["IDSW"], figures["ML"]) == (0, 0, 0, 0)


def test_families_are_chosen_and_leave_the_figures_as_they_are() -> None:
    rows, found = scene(4)
    truth = prepare_truth(boxes(rows), rows[:, 6], rows[:, 7], "mot16")
    whole = score_sequence(truth, boxes(found)).figures()
    for family in FAMILIES:
        figures = score_sequence(truth, boxes(found), (family,)).figures()
        assert figures == {name: whole[name] for name in FIGURES if FIGURES[name].family == family}
    assert set(combine([score_sequence(truth, boxes(found), ("HOTA",))] * 2).raw) == {"HOTA"}


NOTHING = boxes([])
SOME = boxes([[1, 1, 0, 0, 10, 10], [2, 1, 0, 0, 10, 10]])


def test_where_nothing_is_a_share_of_nothing_is_absent() -> None:
    assert score_sequence(prepare_truth(NOTHING), NOTHING).figures() == dict.fromkeys(
        ["FP", "FN", "IDSW", "Frag", "MT", "PT", "ML"], 0)
    missed = score_sequence(prepare_truth(SOME), NOTHING).figures()
    assert {name: missed[name] for name in ("HOTA", "DetA", "MOTA", "IDF1", "IDR", "FN", "ML")} == {
        "HOTA": 0, "DetA": 0, "MOTA": 0, "IDF1": 0, "IDR": 0, "FN": 2, "ML": 1}
    assert not {"LocA", "MOTP", "AssA", "IDP", "DetPr"} & set(missed)
    invented = score_sequence(prepare_truth(NOTHING), SOME).figures()
    assert {name: invented[name] for name in ("HOTA", "IDF1", "IDP", "FP")} == {"HOTA": 0, "IDF1": 0, "IDP": 0, "FP": 2}
    assert not {"LocA", "MOTP", "MOTA", "AssA", "IDR", "DetRe"} & set(invented)


def test_a_sequence_without_truth_weighs_in_by_its_false_boxes() -> None:
    good = score_sequence(prepare_truth(SOME), SOME)
    figures = combine([good, score_sequence(prepare_truth(NOTHING), SOME)]).figures()
    assert (figures["FP"], figures["MOTA"], figures["LocA"]) == (2, 0, 100)


def test_boxes_without_area_match_nothing() -> None:
    flat = boxes([[1, 1, 0, 0, 0, 10], [1, 2, 20, 0, -5, -5], [1, 3, 40, 0, 5, 5]])
    assert box_overlap(flat.xyxy, flat.xyxy).tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    figures = score_sequence(prepare_truth(flat), flat).figures()
    assert (figures["FP"], figures["FN"]) == (2, 2)


@pytest.mark.parametrize(("change", "message"), [
    (dict(xyxy=np.array([[0, 0, np.nan, 5.0]])), r"within 1e\+09 pixels, got \[0.0, 0.0, nan, 5.0\] in frame 3"),
    (dict(xyxy=np.array([[0, 0, 1e200, 5.0]])), "within"),
    (dict(xyxy=np.zeros((1, 5))), r"got shapes \(1,\), \(1,\) and \(1, 5\)"),
    (dict(id=np.zeros(2)), "got shapes"),
    (dict(frame=np.array([3, 3]), id=np.array([4, 4]), xyxy=np.zeros((2, 4))), "got id 4 twice in frame 3"),
])
def test_what_cannot_be_scored_is_refused(change: dict[str, np.ndarray], message: str) -> None:
    good = dict(frame=np.array([3]), id=np.array([4]), xyxy=np.array([[0, 0, 5.0, 5.0]]))
    truth = prepare_truth(Boxes(**good))
    with pytest.raises(ValueError, match=message):
        score_sequence(truth, Boxes(**{**good, **change}))
    with pytest.raises(ValueError, match=message):
        prepare_truth(Boxes(**{**good, **change}))


def test_what_a_protocol_needs_is_asked_for() -> None:
    with pytest.raises(ValueError, match="mot17 needs the class of each ground-truth row, got none"):
        prepare_truth(SOME, np.ones(2), None, "mot17")
    with pytest.raises(ValueError, match="classes of mot20 are 1 to 13, got 0, 14"):
        prepare_truth(SOME, np.ones(2), np.array([0, 14]), "mot20")
    with pytest.raises(ValueError, match=r"must have shape \(2,\), got \(1,\)"):
        prepare_truth(SOME, np.ones(2), np.array([1]), "mot20")
    with pytest.raises(ValueError, match="one of mot15, mot16, mot17, mot20, plain, got 'kitti'"):
        prepare_truth(SOME, protocol="kitti")
    with pytest.raises(ValueError, match="of HOTA, CLEAR, Identity, got VACE"):
        score_sequence(prepare_truth(SOME), SOME, ("VACE",))
    with pytest.raises(ValueError, match="at least one"):
        combine([])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(PROTOCOLS))
def test_figures_stay_in_their_ranges(seed: int, protocol: str) -> None:
    truth, found = scene(seed, frames=6, objects=4)
    scores = score_sequence(prepare_truth(boxes(truth), truth[:, 6], truth[:, 7], protocol), boxes(found))
    figures = scores.figures()
    for name, value in figures.items():
        assert np.isfinite(value)
        if FIGURES[name].share_of and name != "MOTA":
            assert 0 <= value <= 100 + 1e-9  # 1e-9: a mean of ones need not be one to the last bit
    assert figures.get("MOTA", 0) <= 100
    assert figures["FN"] <= scores.truth
    assert figures["FP"] <= scores.found
    assert figures["MT"] + figures["PT"] + figures["ML"] == len(np.unique(prepare_truth(
        boxes(truth), truth[:, 6], truth[:, 7], protocol).counted.id))
