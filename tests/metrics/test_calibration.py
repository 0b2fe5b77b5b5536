"""Calibration and label sets worked out by hand, and on streams whose calibration is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vtk.metrics.calibration import brier, nll, reliability, set_scores

NONE = np.zeros(0, int)


def test_bins_of_equal_width_by_hand() -> None:
    """Edges 0, 1/4, 1/2, 3/4, 1: an edge belongs to the bin below it, 0 to the first."""
    scores = np.array([0, 0.25, 0.3, 0.75, 0.8, 1])
    right = np.array([False, True, True, False, True, True])
    found = reliability(scores, right, 4)
    assert found.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.count.tolist() == [2, 1, 1, 2]
    np.testing.assert_allclose(found.score, [0.125, 0.3, 0.75, 0.9])
    np.testing.assert_allclose(found.accuracy, [0.5, 1, 0, 1])
    assert found.ece == pytest.approx((2 * 0.375 + 0.7 + 0.75 + 2 * 0.1) / 6, abs=1e-15)


def test_bins_of_equal_mass_by_hand() -> None:
    scores = np.array([0.9, 0.1, 0.8, 0.2, 0.7, 0.6])
    right = np.array([True, False, True, False, False, True])
    found = reliability(scores, right, 3, "mass")
    assert found.edges.tolist() == [0, 0.2, 0.7, 1]
    assert found.count.tolist() == [2, 2, 2]
    np.testing.assert_allclose(found.score, [0.15, 0.65, 0.85])
    np.testing.assert_allclose(found.accuracy, [0, 0.5, 1])
    assert found.ece == pytest.approx((0.15 + 0.15 + 0.15) / 3, abs=1e-15)
    # Equal scores stay together: 4 of 0.5, then 0.6 and 0.7.
    tied = reliability(np.array([0.5, 0.6, 0.5, 0.5, 0.7, 0.5]), right, 3, "mass")
    assert (tied.edges.tolist(), tied.count.tolist()) == ([0, 0.5, 1], [4, 2])
    assert reliability(np.full(9, 0.5), np.ones(9, bool), 3, "mass").count.tolist() == [9, 0]


@pytest.mark.parametrize("seed", range(3))
def test_masses_are_equal_where_scores_differ(seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = reliability(rng.random(1000), rng.random(1000) < 0.5, 15, "mass").count
    assert len(count) == 15 and count.sum() == 1000 and np.ptp(count) <= 1
    few = reliability(rng.random(4), np.ones(4, bool), 15, "mass")
    assert few.count.sum() == 4 and few.count.max() == 1


@pytest.mark.parametrize("equal", ["width", "mass"])
@pytest.mark.parametrize("seed", range(3))
def test_a_calibrated_stream_is_within_its_sampling_error(seed: int, equal: Any) -> None:
    """Of each bin the gap is a mean of n independent errors: on average sqrt(2 / pi) of its standard error."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(4, 2, 20_000)
    found = reliability(scores, rng.random(20_000) < scores, 15, equal)
    held = found.count > 0
    errors = np.sqrt((found.score * (1 - found.score))[held] / found.count[held])
    weights = found.count[held] / 20_000
    mean, spread = math.sqrt(2 / math.pi) * (weights @ errors), math.sqrt((1 - 2 / math.pi) * (weights**2 @ errors**2))
    assert abs(found.ece - mean) < 4 * spread
    assert found.ece < 0.01


@pytest.mark.parametrize("equal", ["width", "mass"])
def test_a_stream_that_promises_too_much_is_off_by_it(equal: Any) -> None:
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.3, 1, 50_000)
    found = reliability(scores, rng.random(50_000) < scores - 0.2, 15, equal)
    assert found.ece == pytest.approx(0.2, abs=0.01)


def test_the_ends_of_calibration() -> None:
    assert reliability(np.ones(5), np.ones(5, bool)).ece == 0
    assert reliability(np.ones(5), np.zeros(5, bool)).ece == 1
    assert reliability(np.array([np.float32(1) + np.float32(1e-6)]), np.ones(1, bool)).ece == 0


def test_brier_and_nll_by_hand() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.5, 0.5, 0]])
    truth = np.array([0, 1])
    assert brier(probabilities, truth) == pytest.approx((0.09 + 0.04 + 0.01 + 0.25 + 0.25) / 2, abs=1e-15)
    assert nll(probabilities, truth) == pytest.approx(-(math.log(0.7) + math.log(0.5)) / 2, abs=1e-15)
    assert (brier(np.eye(3), np.arange(3)), nll(np.eye(3), np.arange(3))) == (0, 0)
    wrong = np.array([1, 2, 0])
    assert (brier(np.eye(3), wrong), nll(np.eye(3), wrong)) == (2, math.inf)
    assert brier(np.zeros((2, 3)), truth) == 1


def test_the_truth_scores_best() -> None:
    """Both are proper: of what is drawn by some shares, no other forecast does better than these shares."""
    rng = np.random.default_rng(3)
    shares = np.array([0.6, 0.3, 0.1])
    truth = rng.choice(3, 40_000, p=shares)
    best = [score(np.tile(shares, (40_000, 1)), truth) for score in (brier, nll)]
    assert best == pytest.approx([1 - shares @ shares, -(shares @ np.log(shares))], abs=0.02)
    for other in ([0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [1 / 3, 1 / 3, 1 / 3]):
        assert brier(np.tile(other, (40_000, 1)), truth) > best[0] and nll(np.tile(other, (40_000, 1)), truth) > best[1]


def test_sets_by_hand() -> None:
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0], [1, 1, 1]], bool)
    found = set_scores(sets, np.array([0, 0, 0, 1, 1]))
    assert (found.coverage, found.size, found.empty) == pytest.approx((3 / 5, 7 / 5, 1 / 5), abs=1e-15)
    np.testing.assert_allclose(found.class_coverage, [2 / 3, 1 / 2, np.nan])
    np.testing.assert_allclose(found.class_size, [4 / 3, 3 / 2, np.nan])
    assert found.support.tolist() == [3, 2, 0]
    assert found.macro_coverage == pytest.approx(7 / 12, abs=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_coverage_is_the_mean_of_the_classes_by_their_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sets, truth = rng.random((90, 7)) < 0.4, rng.integers(0, 6, 90)
    found = set_scores(sets, truth)
    known = found.support > 0
    mean = np.average(found.class_coverage[known], weights=found.support[known])
    assert found.coverage == pytest.approx(mean, abs=1e-12)
    assert found.size == pytest.approx(np.mean([row.sum() for row in sets]), abs=1e-12)
    whole = set_scores(np.ones((90, 7), bool), truth)
    assert (whole.coverage, whole.size, whole.empty, whole.macro_coverage) == (1, 7, 0, 1)


def test_empty_and_one_class() -> None:
    found = reliability(np.zeros(0), np.zeros(0, bool), 5)
    assert found.count.tolist() == [0] * 5 and math.isnan(found.ece) and np.isnan(found.accuracy).all()
    assert math.isnan(reliability(np.zeros(0), np.zeros(0, bool), 5, "mass").ece)
    none = np.zeros((0, 3))
    assert math.isnan(brier(none, NONE)) and math.isnan(nll(none, NONE))
    nothing = set_scores(none.astype(bool), NONE)
    assert all(map(math.isnan, (nothing.coverage, nothing.size, nothing.macro_coverage)))
    one = np.zeros(4, int)
    assert (brier(np.ones((4, 1)), one), nll(np.ones((4, 1)), one)) == (0, 0)
    assert set_scores(np.ones((4, 1), bool), one).class_coverage.tolist() == [1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability(np.array([0.5, np.nan]), np.ones(2, bool)), "scores: got nan in row 1, expected probab"),
        (lambda: reliability(np.array([1.5]), np.ones(1, bool)), "scores: got 1.5 in row 0, expected probabilities"),
        (lambda: reliability(np.array([0.5]), np.ones(1)), "scores, right: got shapes .* of float64, expected"),
        (lambda: reliability(np.array([0.5]), np.ones(2, bool)), r"got shapes \(1,\) and \(2,\) of bool"),
        (lambda: reliability(np.array([0.5]), np.ones(1, bool), 0), "bins, equal: got 0, 'width', expected 1 or more"),
        (lambda: reliability(np.array([0.5]), np.ones(1, bool), 5, "size"), "bins, equal: got 5, 'size', expected"),
        (lambda: brier(np.array([[0.5, np.nan]]), np.array([0])), "probabilities: got a NaN in row 0, expected num"),
        (lambda: nll(np.array([[0.5, -2.0]]), np.array([0])), "probabilities: got -2.0 in row 0, expected probab"),
        (lambda: brier(np.zeros((2, 2)), np.array([0])), "truth: got 1, expected one for each of 2 rows of prob"),
        (lambda: set_scores(np.zeros((1, 2)), np.array([0])), r"sets: got float64 of shape \(1, 2\), expected bool"),
        (lambda: set_scores(np.zeros((1, 2), bool), np.array([2])), "truth: got 2 in row 0, expected 0 to 1"),
    ],
)
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
