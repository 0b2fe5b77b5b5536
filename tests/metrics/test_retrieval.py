"""Retrieval figures worked out by hand, and against a plain program that follows the definitions pair by pair."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vtk.metrics import retrieval
from vtk.metrics.retrieval import b_cubed, rank_scores, ranking_scores

# One query of person 1 at camera 0; its ranking is the gallery's order.
ORDER = np.arange(7)[None].astype(float)
IDS = np.array([1, 2, -1, 1, 3, 1, 2])
CAMERAS = np.array([0, 1, 1, 1, 0, 2, 2])


def test_by_hand() -> None:
    """Out: 0, of the same person and camera, and 2, junk. Left: 2 1 3 1 2, matches at places 2 and 4."""
    scores = rank_scores(ORDER, np.array([1]), IDS, np.array([0]), CAMERAS)
    assert scores.first.tolist() == [2]
    assert scores.precision.tolist() == [(1 / 2 + 2 / 4) / 2]
    assert scores.hardest.tolist() == [2 / 4]
    assert [scores.rank(place) for place in (1, 2, 10)] == [0, 1, 1]
    assert scores.figures() == {"rank-1": 0, "rank-5": 100, "rank-10": 100, "mAP": 50, "mINP": 50, "queries": 1,
                                "unmatched": 0, "junk": 0}  # fmt: skip
    # Without cameras: 1 2 1 3 1 2, matches at 1, 3 and 5.
    alone = rank_scores(ORDER, np.array([1]), IDS)
    assert alone.precision.tolist() == pytest.approx([(1 + 2 / 3 + 3 / 5) / 3], abs=1e-15)
    assert alone.hardest.tolist() == [3 / 5]


def test_queries_that_do_not_count() -> None:
    """Person 3 is there at its own camera alone, 9 nowhere; -1 is junk."""
    scores = rank_scores(np.tile(ORDER, (4, 1)), np.array([3, 9, -1, 2]), IDS, np.zeros(4, int), CAMERAS)
    assert (scores.unmatched, scores.junk, len(scores.first)) == (2, 1, 1)
    # Person 2, at camera 0: no match is removed; left are 0 1 3 4 5 6, matches at 2 and 6.
    assert scores.precision.tolist() == pytest.approx([(1 / 2 + 2 / 6) / 2], abs=1e-15)
    none = rank_scores(ORDER, np.array([9]), IDS)
    assert none.figures() == {"queries": 0, "unmatched": 1, "junk": 0}
    assert math.isnan(none.rank(1))


def test_rankings_cut_short() -> None:
    """With 4 places the match at place 4 is missed, with 1 both."""
    given = (np.array([1]), IDS, np.array([0]), CAMERAS)
    cut = ranking_scores(np.array([[0, 1, 2, 3, -1]]), *given)
    assert (cut.first.tolist(), cut.precision.tolist(), cut.hardest.tolist()) == ([2], [1 / 4], [0])
    empty = ranking_scores(np.array([[0]]), *given)
    assert empty.rank(1000) == 0 and empty.precision.tolist() == [0]


def plain(distances: np.ndarray, ids: list[np.ndarray], cameras: list[np.ndarray]) -> dict[str, float]:
    """Return rank-1, mAP and mINP in percent, by the definitions, one pair after the other."""
    hits, precisions, penalties = [], [], []
    for query, row in enumerate(distances):
        line = []
        for item in sorted(range(len(row)), key=lambda item: (row[item], item)):
            mine = ids[1][item] == ids[0][query]
            if ids[1][item] != -1 and not (mine and cameras[1][item] == cameras[0][query]):
                line.append(bool(mine))
        if ids[0][query] == -1 or not any(line):
            continue
        at = [sum(line[: place + 1]) / (place + 1) for place, mine in enumerate(line) if mine]
        hits.append(line[0])
        precisions.append(sum(at) / len(at))
        penalties.append(sum(line) / (len(line) - line[::-1].index(True)))
    return {"rank-1": 100 * np.mean(hits), "mAP": 100 * np.mean(precisions), "mINP": 100 * np.mean(penalties)}


@pytest.mark.parametrize("seed", range(4))
def test_against_a_plain_program(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrieval, "BLOCK", 7)
    rng = np.random.default_rng(seed)
    distances = rng.integers(0, 30, (40, 120)).astype(np.float32)  # many are equal
    ids = [rng.integers(-1, 12, count) for count in distances.shape]
    cameras = [rng.integers(0, 3, count) for count in distances.shape]
    scores = rank_scores(distances, ids[0], ids[1], cameras[0], cameras[1])
    figures = scores.figures()
    for name, value in plain(distances, ids, cameras).items():
        assert figures[name] == pytest.approx(value, abs=1e-9)
    order = np.argsort(distances, axis=1, kind="stable")
    again = ranking_scores(order, ids[0], ids[1], cameras[0], cameras[1])
    assert (again.precision == scores.precision).all() and (again.first == scores.first).all()
    assert len(scores.first) + scores.unmatched + scores.junk == 40


def test_b_cubed_by_hand() -> None:
    """The example of Bagga and Baldwin: 5, 2 and 5 items; one answer joins the small with a large, one both large."""
    identities = np.array([1] * 5 + [2] * 2 + [3] * 5)
    first, second = np.array([1] * 5 + [2] * 7), np.array([1] * 5 + [2] * 2 + [1] * 5)
    one, other = b_cubed(first, identities), b_cubed(second, identities)
    # Their table: 76 % and 58 % at a recall of 100 %.
    assert one.precision == pytest.approx((5 + 2 * 2 / 7 + 5 * 5 / 7) / 12, abs=1e-15) and round(one.precision, 2) == 0.76
    assert other.precision == pytest.approx((10 * 5 / 10 + 2) / 12, abs=1e-15) and round(other.precision, 2) == 0.58
    assert one.recall == other.recall == 1
    assert one.f == pytest.approx(2 * one.precision / (1 + one.precision), abs=1e-15)


def test_b_cubed_against_pairs_and_its_edges() -> None:
    rng = np.random.default_rng(0)
    groups, identities = rng.integers(0, 9, 80), rng.integers(-1, 6, 80)
    kept = [(g, i) for g, i in zip(groups.tolist(), identities.tolist(), strict=True) if i != -1]
    precision = np.mean([np.mean([b[1] == a[1] for b in kept if b[0] == a[0]]) for a in kept])
    recall = np.mean([np.mean([b[0] == a[0] for b in kept if b[1] == a[1]]) for a in kept])
    found = b_cubed(groups, identities)
    assert found[:2] == pytest.approx((precision, recall), abs=1e-12)
    assert b_cubed(identities[identities >= 0], identities[identities >= 0]) == (1, 1, 1)
    assert b_cubed(np.arange(4), np.zeros(4, int)) == pytest.approx((1, 1 / 4, 2 / 5), abs=1e-15)
    assert all(map(math.isnan, b_cubed(np.array([], int), np.array([], int))))
    assert b_cubed(np.array(["a", "a", "b"]), np.array(["x", "x", "y"])) == (1, 1, 1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rank_scores(ORDER * np.nan, np.array([1]), IDS), "distances: got a NaN in rows 0 to 0"),
        (lambda: rank_scores(ORDER[0], np.array([1]), IDS), r"distances: got float64 of shape \(7,\)"),
        (lambda: rank_scores(ORDER, np.array([1, 2]), IDS), r"query_ids: got int64 of shape \(2,\), expected .*\(1,\)"),
        (lambda: rank_scores(ORDER, np.array([1]), IDS * 0.5), "gallery_ids: got float64"),
        (lambda: rank_scores(ORDER, np.array([1]), IDS, np.array([0])), "got cameras of one side alone"),
        (lambda: rank_scores(ORDER, np.array([1]), IDS, np.array([0]), CAMERAS[:3]), "gallery_cameras: got int64 of"),
        (lambda: ranking_scores(np.array([[0, 7]]), np.array([1]), IDS), "rankings: got 0 to 7, expected -1 to 6"),
        (lambda: ranking_scores(np.array([[3, 0, 3]]), np.array([1]), IDS), "rankings: got an index twice"),
        (lambda: ranking_scores(ORDER, np.array([1]), IDS), "rankings: got float64"),
        (lambda: rank_scores(ORDER, np.array([1]), IDS).rank(0), "place: got 0, expected 1 or more"),
        (lambda: b_cubed(np.zeros(3), np.zeros(2)), r"got groups of shape \(3,\) and identities of \(2,\)"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_empty() -> None:
    none = np.zeros(0, int)
    assert rank_scores(np.zeros((0, 7)), none, IDS).figures() == {"queries": 0, "unmatched": 0, "junk": 0}
    assert rank_scores(np.zeros((1, 0)), np.array([1]), none).unmatched == 1
