"""Scores over time: hand-worked means, what is trimmed and clipped, and that the order of frames is no matter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.liveness.fusion import MOST, Fused, Fusion, log_odds, scaled, trimmed_mean

BOX = (10.0, 10.0, 60.0, 80.0)
Added = tuple[float, tuple[str, ...], int, float, tuple[float, float, float, float]]


def fused(scores: list[float], reasons: tuple[str, ...] = (), scale: float = 1.0) -> Fused:
    """Return what frames of one box say."""
    fusion = Fusion()
    for frame, score in enumerate(scores):
        fusion.add(score, reasons, frame, frame / 25, BOX)
    return fusion.fused(scale)


def test_the_mean_is_of_log_odds() -> None:
    # Odds of 9 and of 1 to one: their geometric mean is 3 to one.
    assert fused([0.9, 0.5]).score == pytest.approx(0.75, abs=1e-6)


def test_the_scale_multiplies_the_log_odds() -> None:
    # 3 to one, squared and rooted.
    assert fused([0.9, 0.5], scale=2).score == pytest.approx(0.9, abs=1e-6)
    assert fused([0.9, 0.5], scale=0.5).score == pytest.approx(math.sqrt(3) / (1 + math.sqrt(3)), abs=1e-6)


@pytest.mark.parametrize("scale", [0.3, 1.7])
def test_a_scale_applies_to_what_records_have(scale: float) -> None:
    """Calibration sees four decimals: 0.99986 is 0.9999 to it, whose odds are 9999 to one, not 7142 to one."""
    assert fused([0.99986], scale=scale).score == fused([0.99994], scale=scale).score == scaled(0.9999, scale)
    for score in (0.00013, 0.5, 0.9996):
        again = scaled(round(fused([score]).score, 4), scale)
        assert fused([score], scale=scale).score == again, "the same from a record as from the frames"
    assert scaled(0.99986, 1) == 0.99986, "nothing is rounded where nothing is scaled"


def test_a_tenth_at_either_end_is_left_out() -> None:
    assert trimmed_mean(np.array([100.0, 1, 2, 3, 4, 5, 6, 7, 8, -50])) == 4.5
    assert trimmed_mean(np.array([100.0, 1, 1, 1, 1, 1, 1, 1, 1])) == 12.0  # nine: a tenth is none of them
    assert fused([0.9] * 9 + [0.0]).score == pytest.approx(0.9, abs=1e-6)


def test_scores_are_clipped_at_ten_thousand_to_one() -> None:
    assert log_odds(0.0) == -MOST and log_odds(1.0) == MOST and log_odds(1e-300) == -MOST
    assert fused([1.0]).score == pytest.approx(10000 / 10001, abs=1e-6)
    assert fused([1.0, 0.0]).score == pytest.approx(0.5, abs=1e-6)


def test_only_good_frames_count_where_there_are_any() -> None:
    fusion = Fusion()
    fusion.add(0.01, ("blurred",), 0, 0.0, (0, 0, 500, 500))
    fusion.add(0.9, (), 1, 0.04, BOX)
    fusion.add(0.01, ("dark", "blurred"), 2, 0.08, (0, 0, 500, 500))
    found = fusion.fused()
    assert found == Fused(found.score, 1, 3, 1, BOX, (), 0.04) and len(fusion) == 3
    assert found.score == pytest.approx(0.9, abs=1e-6)


def test_without_a_good_frame_all_count_and_the_frequent_reasons_are_said() -> None:
    fusion = Fusion()
    for frame, reasons in enumerate((("dark", "small"), ("small",), ("small", "dark"), ("small", "cut"))):
        fusion.add(0.9, reasons, frame, frame / 25, BOX)
    found = fusion.fused()
    assert (found.used, found.observations, found.reasons) == (0, 4, ("small", "dark"))
    assert found.score == pytest.approx(0.9, abs=1e-6)


def test_the_best_frame_is_the_first_of_the_largest_good_ones() -> None:
    fusion = Fusion()
    for frame, side, reasons in ((4, 50, ()), (2, 50, ()), (3, 49, ()), (1, 90, ("blurred",))):
        fusion.add(0.5, reasons, frame, frame / 25, (0, 0, side, side))
    assert (fusion.fused().best_frame, fusion.fused().best_xyxy) == (2, (0.0, 0.0, 50.0, 50.0))


@pytest.mark.parametrize("score", [-0.01, 1.01, math.nan])
def test_what_is_no_probability_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Fusion().add(score, (), 0, 0.0, BOX)


def test_nothing_cannot_be_fused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Fusion().fused()


_frames = st.lists(st.tuples(
    st.floats(0, 1), st.lists(st.sampled_from(("small", "blurred", "dark")), max_size=2, unique=True).map(tuple),
    st.floats(1, 300)), min_size=1, max_size=40)


@settings(max_examples=80, deadline=None)
@given(_frames, st.randoms(use_true_random=False), st.floats(0.05, 5))
def test_order_is_no_matter_and_the_score_lies_among_the_frames(
        frames: list[tuple[float, tuple[str, ...], float]], shuffler: object, scale: float) -> None:
    added: list[Added] = [(score, reasons, frame, frame / 25, (0.0, 0.0, side, side))
                          for frame, (score, reasons, side) in enumerate(frames)]
    mixed = list(added)
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = Fusion(), Fusion()
    for frame in added:
        first.add(*frame)
    for frame in mixed:
        second.add(*frame)
    assert first.fused(scale) == second.fused(scale)
    found, counted = first.fused(), [score for score, reasons, _ in frames if not reasons]
    among = counted or [score for score, *_ in frames]
    low, high = (1 / (1 + math.exp(-log_odds(score))) for score in (min(among), max(among)))
    assert low - 1e-6 <= found.score <= high + 1e-6
    assert found.used == len(counted) and bool(found.reasons) == (not counted)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0.001, 0.999), min_size=1, max_size=30))
def test_live_and_spoof_mirror_each_other(scores: list[float]) -> None:
    assert fused(scores).score + fused([1 - score for score in scores]).score == pytest.approx(1, abs=1e-5)
