"""Figures of classes worked out by hand, and against programs of a few lines that follow the definitions."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vtk.metrics.classification import (
    NO_ANSWER, average_precision, bootstrap, class_scores, level_scores, mean_average_precision, one_hot, places,
    top_k_accuracy,
)  # fmt: skip

NONE = np.zeros(0, int)

# Six rows of three classes; class 2 has none, and is the answer once.
TRUTH = np.array([0, 0, 0, 1, 1, 1])
ANSWERS = np.array([0, 0, 1, 1, 2, NO_ANSWER])


def test_top_k_by_hand() -> None:
    scores = np.array([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    truth = np.array([0, 2, 1])
    assert places(scores, truth).tolist() == [1, 3, 2]
    assert [top_k_accuracy(scores, truth, k) for k in (1, 2, 3, 9)] == pytest.approx([1 / 3, 2 / 3, 1, 1], abs=1e-15)


def test_of_equal_scores_the_lower_class_comes_first() -> None:
    scores = np.array([[1, 1, 1, 0]] * 4, np.float32)
    assert places(scores, np.arange(4)).tolist() == [1, 2, 3, 4]
    assert places(np.full((2, 3), -np.inf), np.array([0, 2])).tolist() == [1, 3]
    assert top_k_accuracy(scores, scores.argmax(axis=1)) == 1


@pytest.mark.parametrize("seed", range(4))
def test_places_are_those_of_a_stable_sort(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(-3, 3, (60, 9)), rng.integers(0, 9, 60)  # many are equal
    order = np.argsort(-scores, axis=1, kind="stable")
    assert (places(scores, truth) == 1 + np.argmax(order == truth[:, None], axis=1)).all()


def test_class_scores_by_hand() -> None:
    found = class_scores(TRUTH, ANSWERS, 4)
    assert found.right.tolist() == [2, 1, 0, 0]
    assert (found.support.tolist(), found.answers.tolist()) == ([3, 3, 0, 0], [2, 2, 1, 0])
    np.testing.assert_allclose(found.precision, [1, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(found.recall, [2 / 3, 1 / 3, np.nan, np.nan])
    np.testing.assert_allclose(found.f1, [4 / 5, 2 / 5, 0, np.nan])
    assert found.absent == 2
    assert found.macro_f1() == pytest.approx(6 / 10, abs=1e-15)
    assert found.macro_f1("either") == pytest.approx(6 / 15, abs=1e-15)
    assert found.macro_f1("all") == pytest.approx(6 / 20, abs=1e-15)


def plain_macro_f1(truth: list[int], answers: list[int], classes: set[int]) -> float:
    """Return the mean over classes of the harmonic mean of precision and recall, by the definitions."""
    total = 0.0
    for c in classes:
        hits = sum(t == a == c for t, a in zip(truth, answers, strict=True))
        if hits:
            precision, recall = hits / answers.count(c), hits / truth.count(c)
            total += 2 / (1 / precision + 1 / recall)
    return total / len(classes)


@pytest.mark.parametrize("seed", range(6))
def test_macro_f1_against_a_plain_program(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.zipf(1.5, 80).clip(max=12) - 1
    answers = np.where(rng.random(80) < 0.6, truth, rng.integers(-1, 15, 80))
    found = class_scores(truth, answers, 20)
    for over, classes in (("truth", {*truth.tolist()}), ("either", {*truth.tolist(), *answers.tolist()} - {NO_ANSWER}),
                          ("all", {*range(20)})):  # fmt: skip
        wanted = plain_macro_f1(truth.tolist(), answers.tolist(), classes)
        assert found.macro_f1(over) == pytest.approx(wanted, abs=1e-12)


def test_average_precision_by_hand() -> None:
    """Class 0: relevant at places 1 and 3; class 1: at 2, of equal scores at 2 and 3; class 2 has no row; 3 has all."""
    scores = np.array([[0.9, 0.1, 1, 5], [0.8, 0.5, 1, 5], [0.7, 0.9, 1, 5], [0.6, 0.5, 1, 5]])
    relevant = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [1, 0, 0, 1], [0, 0, 0, 1]], bool)
    found = average_precision(scores, relevant)
    np.testing.assert_allclose(found, [(1 + 2 / 3) / 2, 1 / 3, np.nan, 1])
    assert mean_average_precision(found) == pytest.approx((5 / 6 + 1 / 3 + 1) / 3, abs=1e-15)


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_of_scores_that_differ_is_the_mean_at_the_hits(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, relevant = rng.permutation(200).reshape(50, 4), rng.random((50, 4)) < 0.2
    for c, found in enumerate(average_precision(scores, relevant)):
        ranking = [bool(relevant[row, c]) for row in sorted(range(50), key=lambda row: -scores[row, c])]
        at = [sum(ranking[: place + 1]) / (place + 1) for place, hit in enumerate(ranking) if hit]
        assert found == pytest.approx(sum(at) / len(at), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_does_not_depend_on_the_order_of_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 4, (70, 5)), rng.integers(0, 5, 70)
    order = rng.permutation(70)
    one = average_precision(scores, one_hot(truth, 5))
    np.testing.assert_allclose(average_precision(scores[order], one_hot(truth, 5)[order]), one, atol=1e-12)
    same = average_precision(np.zeros((70, 5)), one_hot(truth, 5))
    np.testing.assert_allclose(same, np.bincount(truth, minlength=5) / 70)


def test_levels_by_hand() -> None:
    tits = {"species": "Parus major", "genus": "Parus", "family": "Paridae"}
    blue = {"species": "Cyanistes caeruleus", "genus": "Cyanistes", "family": "Paridae"}
    crow = {"genus": "Corvus", "family": "Corvidae"}  # a truth that knows no species
    truth = [tits, tits, blue, crow]
    answers = [tits, {"genus": "Parus", "family": "Paridae"}, tits, {"family": "Corvidae"}]
    found = level_scores(truth, answers)
    assert list(found) == ["species", "genus", "family"]
    species, genus, family = found.values()
    assert (species.rows, species.labels, genus.rows, genus.labels) == (3, 2, 4, 3)
    assert (species.answered, species.accuracy, species.accuracy_answered) == pytest.approx((2 / 3, 1 / 3, 1 / 2))
    # Parus major: 1 of 2 found, 1 of 2 answers right; the other species never.
    assert species.macro_f1 == pytest.approx(1 / 4, abs=1e-15)
    assert (genus.answered, genus.accuracy, genus.accuracy_answered) == pytest.approx((3 / 4, 2 / 4, 2 / 3))
    # Parus: 2 of 2, 2 of 3 answers; F1 4/5. The others 0.
    assert genus.macro_f1 == pytest.approx(4 / 15, abs=1e-15)
    assert (family.accuracy, family.macro_f1, family.labels) == (1, 1, 2)


def test_levels_without_answers_or_rows() -> None:
    assert level_scores([], []) == {} and level_scores([{}, {"genus": ""}], [{"genus": "Parus"}] * 2) == {}
    [genus] = level_scores([{"genus": "Parus"}], [{}]).values()
    assert (genus.answered, genus.accuracy, genus.macro_f1) == (0, 0, 0) and math.isnan(genus.accuracy_answered)


def test_intervals_are_those_of_a_share() -> None:
    """The share plus and minus 1.96 times its standard error, of as many rows, or groups, as stand for themselves."""
    right = np.arange(400) % 10 < 3
    error = math.sqrt(0.3 * 0.7 / 400)
    alone = bootstrap(lambda rows: float(right[rows].mean()), range(400))
    assert alone == pytest.approx((0.3 - 1.96 * error, 0.3 + 1.96 * error), abs=error / 4)
    # Each row sixteen times says no more than once.
    groups = [f"observation {row // 16}" for row in range(400 * 16)]
    together = bootstrap(lambda rows: float(np.repeat(right, 16)[rows].mean()), groups)
    assert together == pytest.approx((0.3 - 1.96 * error, 0.3 + 1.96 * error), abs=error / 4)


def test_intervals_are_seeded() -> None:
    values = np.random.default_rng(0).normal(size=50)
    one, same, other, narrow = (bootstrap(lambda rows: float(values[rows].mean()), range(50), **options)
                                for options in ({}, {}, {"seed": 1}, {"level": 0.5}))  # fmt: skip
    assert one == same != other
    assert one.low < narrow.low < narrow.high < one.high


def test_intervals_that_say_nothing() -> None:
    assert bootstrap(lambda rows: 0.1 * rows.size, range(30)) is None
    assert bootstrap(lambda rows: float("nan"), range(30)) is None
    # A group alone is drawn each time.
    assert bootstrap(lambda rows: float(rows.mean()), ["one"] * 30) is None


def test_macro_f1_of_resampled_rows_has_an_interval_around_it() -> None:
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 6, 300)
    answers = np.where(rng.random(300) < 0.7, truth, rng.integers(0, 6, 300))

    def macro(rows: np.ndarray) -> float:
        return class_scores(truth[rows], answers[rows], 6).macro_f1()

    low, high = bootstrap(macro, range(300), resamples=300)
    assert low < macro(np.arange(300)) < high and high - low < 0.2


def test_one_class() -> None:
    truth = np.zeros(3, int)
    assert top_k_accuracy(np.zeros((3, 1)), truth) == 1
    assert class_scores(truth, truth, 1).macro_f1() == 1
    assert average_precision(np.zeros((3, 1)), one_hot(truth, 1)).tolist() == [1]


def test_empty() -> None:
    assert math.isnan(top_k_accuracy(np.zeros((0, 3)), NONE))
    found = class_scores(NONE, NONE, 2)
    assert math.isnan(found.macro_f1()) and found.macro_f1("all") == 0 and found.absent == 2
    assert np.isnan(average_precision(np.zeros((0, 2)), one_hot([], 2))).all()
    assert math.isnan(mean_average_precision(np.full(3, np.nan)))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: places(np.array([[0, 1], [np.nan, 0]]), np.array([0, 1])), "scores: got a NaN in row 1, expected num"),
        (lambda: places(np.zeros(3), np.zeros(3, int)), r"scores: got float64 of shape \(3,\), expected numbers"),
        (lambda: places(np.array([["a"]]), np.array([0])), r"scores: got <U1 of shape \(1, 1\), expected numbers"),
        (lambda: places(np.zeros((2, 3)), np.array([0])), "truth: got 1, expected one for each of 2 rows of scores"),
        (lambda: places(np.zeros((2, 3)), np.array([0, 3])), "truth: got 3 in row 1, expected 0 to 2"),
        (lambda: places(np.zeros((2, 3)), np.array([0.0, 1.0])), "truth: got float64 of shape .*expected whole"),
        (lambda: top_k_accuracy(np.zeros((1, 2)), np.array([0]), 0), "k: got 0, expected 1 or more"),
        (lambda: class_scores(TRUTH, ANSWERS[:5], 3), "predicted: got 5, expected one for each of 6 rows"),
        (lambda: class_scores(TRUTH, ANSWERS, 2), "predicted: got 2 in row 4, expected -1 to 1"),
        (lambda: class_scores(ANSWERS, TRUTH, 3), "truth: got -1 in row 5, expected 0 to 2"),
        (lambda: class_scores(TRUTH, TRUTH, 2).macro_f1("some"), "over: got 'some', expected truth, either or all"),
        (lambda: average_precision(np.zeros((2, 3)), np.zeros((2, 3))), "relevant: got float64 of shape"),
        (lambda: average_precision(np.zeros((2, 3)), np.zeros((3, 2), bool)), r"expected bool of \(2, 3\)"),
        (lambda: average_precision(np.full((1, 1), np.nan), np.ones((1, 1), bool)), "scores: got a NaN in row 0"),
        (lambda: level_scores([{}], []), "predicted: got 0, expected one for each of 1 rows"),
        (lambda: bootstrap(lambda rows: 0.0, []), "groups, level, resamples: got 0, 0.95, 1000, expected at least one"),
        (lambda: bootstrap(lambda rows: 0.0, [1], level=95), "got 1, 95, 1000, expected"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
