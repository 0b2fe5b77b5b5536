"""VCSL's figures of copied segments: worked out by hand, and against a plain program that counts seconds one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vtk.metrics.copies import PairScore, macro, micro, rejection, score_pair, union_length

TEN = [[0, 0, 10, 10]]
HALVES = [[0, 0, 5, 5], [5, 5, 10, 10]]
# What VCSL's own program gives: found, labelled, precision, recall, F.
VECTORS = {
    "half": ([[0, 0, 5, 5]], TEN, 1, 0.25, 0.4),
    "split": (HALVES, TEN, 1, 1, 1),
    "merged": (TEN, HALVES, 1, 1, 1),
    "twice": (TEN * 2, TEN, 1, 1, 1),
    "2 s off": ([[2, 2, 12, 12]], TEN, 0.64, 0.64, 0.64),
    "wrong direction": ([[0, 5, 5, 10], [5, 0, 10, 5]], TEN, 1, 1, 1),
    "whole map": ([[0, 0, 100, 100]], [[10, 20, 30, 40]], 0.04, 1, 0.077),
}


@pytest.mark.parametrize(("found", "truth", "precision", "recall", "f"), VECTORS.values(), ids=VECTORS)
def test_the_vectors(found: list[Any], truth: list[Any], precision: float, recall: float, f: float) -> None:
    """To 1e-6, which the protocol adds to what it divides by; F to the three decimals that it is stated to."""
    score = score_pair(np.array(found), np.array(truth))
    assert (score.precision, score.recall) == pytest.approx((precision, recall), abs=1e-6)
    assert micro([score]).f == pytest.approx(f, abs=5e-4)
    assert max(score.precision, score.recall) < 1, "values of a regular pair never reach 1"


@pytest.mark.parametrize(("found", "truth", "values"), [
    ([], TEN, (1, 0)), (TEN, [], (0, 1)), ([], [], (1, 1)), ([[20, 20, 30, 30]], TEN, (0, 0)),
    ([[10, 0, 20, 10]], TEN, (0, 0)), ([[0, 20, 10, 30]], TEN, (0, 0)), ([[3, 3, 3, 3]], TEN, (0, 0)),
])
def test_where_a_side_is_empty_or_nothing_meets(found: list[Any], truth: list[Any], values: tuple[int, int]) -> None:
    score = score_pair(np.array(found), np.array(truth))
    assert (score.precision, score.recall) == values
    assert (score.found, score.labelled) == (len(found), len(truth))


def counted(boxes: np.ndarray, others: np.ndarray) -> float:
    """Return the share of ``boxes`` that ``others`` cover, second by second: whole numbers alone."""
    share = 1.0
    for axis in range(2):
        covered = 0
        for box in boxes:
            meeting = [other for other in others if min(box[2], other[2]) > max(box[0], other[0])
                       and min(box[3], other[3]) > max(box[1], other[1])]
            covered += sum(any(other[axis] <= second < other[axis + 2] for other in meeting)
                           for second in range(box[axis], box[axis + 2]))
        share *= covered / sum(box[axis + 2] - box[axis] for box in boxes)
    return share


@pytest.mark.parametrize("seed", range(20))
def test_against_a_plain_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for count in rng.integers(1, 9, 2):
        start = rng.integers(0, 40, (count, 2))
        sides.append(np.concatenate([start, start + rng.integers(1, 20, (count, 2))], axis=1))
    score = score_pair(*sides)
    assert score.precision == pytest.approx(counted(*sides), abs=1e-6)
    assert score.recall == pytest.approx(counted(*sides[::-1]), abs=1e-6)
    assert score_pair(*sides[::-1]).precision == score.recall


def test_means_by_hand() -> None:
    """Four pairs of two queries: one covered by half, one missed, a false alarm, and nothing where nothing is."""
    scores = [PairScore(0.8, 0.5, 1, 1), PairScore(1, 0, 0, 2), PairScore(0, 1, 3, 0), PairScore(1, 1, 0, 0)]
    small = micro(scores)
    assert small[:2] == pytest.approx(((0.8 + 0) / 2, (0.5 + 0) / 2))
    assert small.f == pytest.approx(2 * 0.4 * 0.25 / 0.65)
    large = macro(scores, ["a", "b", "b", "b"])
    assert large[:2] == pytest.approx(((0.8 + 2 / 3) / 2, (0.5 + 2 / 3) / 2))
    assert rejection(scores) == (1 / 2, 1 / 2, 1, 2, 1, 2)


def test_what_the_protocol_leaves_out_is_what_is_exactly_1() -> None:
    """VCSL's program filters values equal to 1; an hour found to the second is not one of them."""
    hours = np.array([[0.0, 0.0, 3600.0, 3600.0]] * 9)
    scores = [score_pair(hours[:1], hours[:1]), score_pair(hours, hours), score_pair(hours[:0], hours),
              score_pair(hours, hours[:0])]
    precisions = [score.precision for score in scores if score.precision != 1]
    recalls = [score.recall for score in scores if score.recall != 1]
    assert micro(scores)[:2] == (np.mean(precisions), np.mean(recalls)) and len(precisions) == len(recalls) == 3


def test_nothing_to_take_a_mean_of() -> None:
    assert all(map(math.isnan, micro([])))
    assert all(map(math.isnan, macro([], [])))
    assert math.isnan(micro([PairScore(1, 0, 0, 1)]).precision)
    assert micro([PairScore(0, 0, 1, 1)]).f == 0
    rates = rejection([])
    assert math.isnan(rates.frr) and math.isnan(rates.far) and rates[2:] == (0, 0, 0, 0)


def test_the_length_of_a_union() -> None:
    assert union_length(np.array([[5, 9], [0, 2], [1, 3], [6, 7], [9, 10]])) == 8
    assert union_length(np.empty((0, 2))) == 0 and union_length(np.array([[2, 7]])) == 5


@pytest.mark.parametrize(("boxes", "message"), [
    ([[0, 0, 5]], r"boxes: got shape \(1, 3\), expected \(N, 4\)"), ([0, 0, 5, 5], r"boxes: got shape \(4,\)"),
    ([[0, 0, 1, 1], [0, 0, math.nan, 5]], "boxes: got .*nan.* in row 1, expected finite"),
    ([[0, 0, math.inf, 5]], "expected finite"), ([[3, 0, 2, 5]], "boxes: got .* in row 0, expected q0 <= q1"),
    ([[0, 6, 2, 5]], "expected q0 <= q1 and r0 <= r1"),
])
def test_refusals(boxes: list[Any], message: str) -> None:
    for sides in ((boxes, TEN), (TEN, boxes)):
        with pytest.raises(ValueError, match=message):
            score_pair(*map(np.array, sides))
    with pytest.raises(ValueError, match="sets: got 1, expected one for each of 0 scores"):
        macro([], ["a"])


def test_input_is_left_as_it_was() -> None:
    found = np.array([[5.0, 5.0, 9.0, 9.0], [0.0, 0.0, 6.0, 6.0]])
    before = found.copy()
    score_pair(found, found)
    assert (found == before).all()
