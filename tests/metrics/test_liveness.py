"""Error rates of live faces and attacks: worked by hand, by properties, and against other formulas of the same."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu

from vtk.metrics.liveness import (
    IS_LIVE,
    IS_SPOOF,
    IS_UNSURE,
    LIVE,
    answers,
    auc,
    bpcer_at,
    eer,
    exact_interval,
    groups_of,
    interval,
    operating_curve,
    rates,
    resampled,
    share_interval,
    worst_interval,
)

PRINT, REPLAY = 0, 1
# Four live faces, four prints, two replays.
SCORES = np.array([0.9, 0.8, 0.5, 0.1, 0.85, 0.3, 0.2, 0.05, 0.6, 0.1])
KINDS = np.array([LIVE] * 4 + [PRINT] * 4 + [REPLAY] * 2)


def drawn(seed: int, live: int = 60, attacks: int = 40, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(0.7, 0.2, live), rng.normal(0.3, 0.2, attacks)])
    kinds = np.concatenate([np.full(live, LIVE), rng.integers(0, 2, attacks)])
    return (scores.round(1) if ties else scores), kinds


def test_answers_at_the_thresholds_themselves() -> None:
    told = answers(np.array([0.2, 0.1999, 0.8, 0.7999]), 0.2, 0.8)
    assert told.tolist() == [IS_UNSURE, IS_SPOOF, IS_LIVE, IS_UNSURE]
    assert answers(np.array([0.5, 0.4999]), 0.5, 0.5).tolist() == [IS_LIVE, IS_SPOOF]


def test_rates_by_hand() -> None:
    found = rates(answers(SCORES, 0.2, 0.6), KINDS, 2)
    assert found.apcer.tolist() == [1 / 4, 1 / 2], "0.85 of the prints; 0.6 of the replays"
    assert (found.bpcer, found.live_unsure) == (1 / 4, 1 / 4), "0.1 is called a spoof, of 0.5 nothing is known"
    assert found.attacks_unsure.tolist() == [2 / 4, 0]
    assert (found.worst, found.pooled) == (1 / 2, 2 / 6)
    assert (found.acer, found.hter) == ((1 / 2 + 1 / 4) / 2, (2 / 6 + 1 / 4) / 2)
    assert found.accuracy == 4 / 10, "0.9 and 0.8 live, 0.05 and 0.1 spoofs"


def test_weights_count_as_often() -> None:
    weights = np.array([2, 0, 1, 1, 0, 1, 3, 1, 1, 2])
    rows = np.repeat(np.arange(len(SCORES)), weights)
    told = answers(SCORES, 0.2, 0.6)
    one, other = rates(told, KINDS, 2, weights), rates(told[rows], KINDS[rows], 2)
    assert one.apcer.tolist() == other.apcer.tolist() and one.accuracy == other.accuracy and one.bpcer == other.bpcer
    weighed, repeated = operating_curve(SCORES, KINDS, 2, weights), operating_curve(SCORES[rows], KINDS[rows], 2)
    assert auc(weighed) == pytest.approx(auc(repeated), abs=1e-12)
    assert eer(weighed)[0] == pytest.approx(eer(repeated)[0], abs=1e-12)


def test_many_weights_at_once_are_as_one_by_one() -> None:
    weights = np.random.default_rng(0).integers(0, 4, (2, 3, len(SCORES))) + (np.arange(len(SCORES)) % 4 == 0)
    told = answers(SCORES, 0.2, 0.6)
    every, curve = rates(told, KINDS, 2, weights), operating_curve(SCORES, KINDS, 2, weights)
    for place in np.ndindex(2, 3):
        one, alone = rates(told, KINDS, 2, weights[place]), operating_curve(SCORES, KINDS, 2, weights[place])
        np.testing.assert_array_equal(every.apcer[place], one.apcer)
        assert (every.acer[place], every.hter[place], every.accuracy[place]) == (one.acer, one.hter, one.accuracy)
        assert auc(curve)[place] == auc(alone) and bpcer_at(curve, 0.5)[place] == bpcer_at(alone, 0.5)
        assert (eer(curve)[0][place], eer(curve)[1][place]) == eer(alone)


def test_the_curve_by_hand() -> None:
    curve = operating_curve(SCORES, KINDS, 2)
    assert curve.thresholds.tolist() == [0.05, 0.1, 0.2, 0.3, 0.5, 0.6, 0.8, 0.85, 0.9, np.inf]
    assert curve.bpcer.tolist() == [0, 0, 0.25, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1]
    assert curve.apcer[:, PRINT].tolist() == [1, 0.75, 0.75, 0.5, 0.25, 0.25, 0.25, 0.25, 0, 0]
    assert curve.apcer[:, REPLAY].tolist() == [1, 1, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0]
    assert curve.worst.tolist() == [1, 1, 0.75, 0.5, 0.5, 0.5, 0.25, 0.25, 0, 0]
    # Live beats attack: 0.9 six times, 0.8 five, 0.5 four, 0.1 once and half of the replay's 0.1.
    assert auc(curve) == pytest.approx((6 + 5 + 4 + 1.5) / 24, abs=1e-12)
    assert bpcer_at(curve, 0.5) == 0.25, "from 0.3 on no type passes more often than half the time"
    assert math.isnan(bpcer_at(curve, 0.3)), "one of two replays is half of them"
    # From 0.3 to 0.5 attacks that pass fall from 3/6 to 2/6 with BPCER at 1/4; from 0.5 to 0.6 BPCER rises to 1/2.
    rate, threshold = eer(curve)
    assert rate == pytest.approx(1 / 3, abs=1e-12) and threshold == 0.5


def test_equal_scores_tell_nothing() -> None:
    curve = operating_curve(np.full(8, 0.4), np.array([LIVE] * 4 + [0] * 4), 1)
    assert auc(curve) == 0.5 and eer(curve) == (0.5, 0.4)


def test_perfect_and_upside_down() -> None:
    kinds = np.array([LIVE] * 20 + [0] * 20)
    scores = np.concatenate([np.linspace(0.6, 1, 20), np.linspace(0, 0.4, 20)])
    curve = operating_curve(scores, kinds, 1)
    assert auc(curve) == 1 and eer(curve)[0] == 0 and bpcer_at(curve, 0.05) == 0
    assert answers(scores, *[eer(curve)[1]] * 2).tolist() == [1] * 20 + [0] * 20, "its threshold parts them"
    curve = operating_curve(1 - scores, kinds, 1)
    assert auc(curve) == 0 and eer(curve)[0] == 1 and bpcer_at(curve, 0.05) == 1


@pytest.mark.parametrize("kind", [LIVE, 0])
def test_one_class_alone(kind: int) -> None:
    scores, kinds = np.array([0.1, 0.9]), np.full(2, kind)
    found, curve = rates(answers(scores, 0.2, 0.8), kinds, 1), operating_curve(scores, kinds, 1)
    assert (found.bpcer, math.isnan(found.worst)) == (0.5, True) if kind == LIVE else (found.worst, math.isnan(
        found.bpcer)) == (0.5, True)
    assert found.accuracy == 0.5 and math.isnan(found.acer) and math.isnan(found.hter)
    assert np.isnan(eer(operating_curve(np.empty(0), np.empty(0), 1))).all(), "nor of nothing"
    assert math.isnan(auc(curve)) and math.isnan(eer(curve)[0]) and math.isnan(bpcer_at(curve, 0.5))


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="nan in row 1"):
        operating_curve(np.array([0.1, np.nan]), np.array([LIVE, 0]), 1)
    with pytest.raises(ValueError, match="inf in row 0"):
        operating_curve(np.array([np.inf, 1]), np.array([LIVE, 0]), 1)
    with pytest.raises(ValueError, match="got 2 in row 1"):
        rates(np.array([1, 1]), np.array([LIVE, 2]), 2)
    with pytest.raises(ValueError, match="shapes"):
        rates(np.array([1, 1]), np.array([LIVE]), 2)
    with pytest.raises(ValueError, match="apcer: got 0"):
        bpcer_at(operating_curve(SCORES, KINDS, 2), 0)
    with pytest.raises(ValueError, match="groups: got 1"):
        resampled(KINDS, ["a"], lambda weights: weights[:, :1])
    with pytest.raises(ValueError, match="got 3 of 2"):
        exact_interval(3, 2)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_auc_is_the_rank_statistic(seed: int, ties: bool) -> None:
    scores, kinds = drawn(seed, ties=ties)
    live, attacks = scores[kinds == LIVE], scores[kinds != LIVE]
    statistic = mannwhitneyu(live, attacks).statistic / (len(live) * len(attacks))
    assert auc(operating_curve(scores, kinds, 2)) == pytest.approx(statistic, abs=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_eer_is_where_the_errors_cross(seed: int) -> None:
    """Counted threshold by threshold: the rate lies between both errors on either side of the crossing."""
    scores, kinds = drawn(seed, ties=seed % 2 == 1)
    rate, threshold = eer(operating_curve(scores, kinds, 2))
    errors = [(float(np.mean(scores[kinds == LIVE] < at)), float(np.mean(scores[kinds != LIVE] >= at)))
              for at in [*np.unique(scores), np.inf]]
    below = max((pair for pair in errors if pair[0] < pair[1]), key=lambda pair: pair[0] - pair[1])
    above = min((pair for pair in errors if pair[0] >= pair[1]), key=lambda pair: pair[0] - pair[1])
    assert max(below[0], above[1]) - 1e-12 <= rate <= min(above[0], below[1]) + 1e-12
    share = np.linspace(0, 1, 100001)
    bpcer, passed = (below[side] + share * (above[side] - below[side]) for side in (0, 1))
    assert rate == pytest.approx(bpcer[np.argmin(abs(bpcer - passed))], abs=1e-4), "steps of 1e-5 of the line"
    at = np.mean(scores[kinds == LIVE] < threshold), np.mean(scores[kinds != LIVE] >= threshold)
    assert abs(at[0] - at[1]) <= min(below[1] - below[0], above[0] - above[1]) + 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_bpcer_at_keeps_every_type_below(seed: int) -> None:
    scores, kinds = drawn(seed, attacks=80)
    curve = operating_curve(scores, kinds, 2)
    for apcer in (0.05, 0.1, 0.5):
        found = bpcer_at(curve, apcer)
        fits = [float(np.mean(scores[kinds == LIVE] < at)) for at in [*np.unique(scores), np.inf]
                if all(np.mean(scores[kinds == kind] >= at) <= apcer for kind in (0, 1))]
        assert found == min(fits)
    assert bpcer_at(curve, 0.5) <= bpcer_at(curve, 0.1) <= bpcer_at(curve, 0.05)
    assert math.isnan(bpcer_at(curve, 0.01)), "40 of a type are fewer than a hundred"
    assert bpcer_at(operating_curve(np.arange(21) / 20, np.array([0] * 20 + [LIVE]), 1), 0.05) == 0, "20 are enough"


def test_intervals_hold_the_truth_and_shrink() -> None:
    """BPCER is 0.2 by construction: the interval has it, and of four times the faces is half as wide."""
    widths = []
    for count in (100, 400):
        kinds = np.array([LIVE] * count + [0] * count)
        told = np.tile([IS_SPOOF, *[IS_LIVE] * 4], 2 * count // 5)
        drawn_again = resampled(kinds, range(2 * count), lambda w: rates(told, kinds, 1, w).bpcer[:, None], 1)
        low, high = interval(drawn_again[:, 0])
        assert low < 0.2 < high
        by_binomial = (binom.ppf(0.975, count, 0.2) - binom.ppf(0.025, count, 0.2)) / count
        assert high - low == pytest.approx(by_binomial, rel=0.2), "percentiles of 1,000 resamples"
        widths.append(high - low)
    assert 0.4 < widths[1] / widths[0] < 0.6


def test_groups_are_drawn_whole_and_classes_stay() -> None:
    kinds = np.array([LIVE] * 30 + [0] * 3)
    groups = [f"person {row // 10}" for row in range(30)] + list("abc")
    seen = resampled(kinds, groups, lambda weights: weights, 3, 50)
    assert all(len(set(row[start:start + 10])) == 1 for row in seen for start in (0, 10, 20))
    assert (seen[:, 30:].sum(axis=1) == 3).all() and (seen[:, :30].sum(axis=1) == 30).all()
    assert (seen == resampled(kinds, groups, lambda weights: weights, 3, 50)).all()
    assert (seen != resampled(kinds, groups, lambda weights: weights, 4, 50)).any()


def test_intervals_that_resamples_cannot_give() -> None:
    assert interval(np.zeros(100)) is None and interval(np.full(100, np.nan)) is None
    low, high = exact_interval(0, 9)
    assert low == 0 and high == pytest.approx(1 - 0.025 ** (1 / 9), abs=1e-12), "none of nine is up to a third"
    low, high = exact_interval(2, 9)
    assert binom.sf(1, 9, low) == pytest.approx(0.025, abs=1e-9) and binom.cdf(2, 9, high) == pytest.approx(
        0.025, abs=1e-9)
    assert share_interval(0.0, 100, np.zeros(9)) == exact_interval(0, 100), "resamples never leave none"
    assert share_interval(0.125, 8, np.linspace(0, 0.375, 9)) == exact_interval(1, 8), "eight are too few to resample"
    assert share_interval(0.3, 30, np.linspace(0, 1, 101)) == pytest.approx((0.025, 0.975))
    assert share_interval(0.3, 0, np.linspace(0, 1, 101)) == pytest.approx((0.025, 0.975)), "it is no plain share"


def test_the_interval_of_the_worst() -> None:
    """Of 100 groups resamples say it; a type of few widens it, and so does one of which none passed."""
    rng = np.random.default_rng(0)
    draws = np.stack([rng.binomial(100, 0.3, 1000), rng.binomial(100, 0.1, 1000)], axis=1) / 100
    assert worst_interval([0.3, 0.1], [100, 100], draws) == interval(draws.max(axis=1))
    low, high = worst_interval([0.3, 0.5], [100, 2], draws)
    assert low == interval(draws[:, 0])[0] and high == exact_interval(1, 2)[1]
    assert worst_interval([0.3, 0.0], [100, 100], draws) == interval(draws[:, 0])
    draws[:600, 1] = np.nan
    assert worst_interval([0.3, 0.1], [100, 100], draws) is not None, "resamples without a type have the other"


def test_groups_are_counted_by_kind() -> None:
    assert groups_of(np.array([LIVE, LIVE, LIVE, 0, 1]), ["a", "a", "b", "a", "c"]) == {LIVE: 2, 0: 1, 1: 1}
