"""Scores of any range in [0, 1]: by hand, against the definition, and never by what comes later."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.export.scores import PRIOR, causal_quantile, unit_scores


def by_definition(scores: np.ndarray, frames: np.ndarray, prior: float) -> list[float]:
    """Return what the docstring says, row by row."""
    shares = []
    for score, frame in zip(scores, frames, strict=True):
        known = scores[frames <= frame]
        below, equal = (known < score).sum(), (known == score).sum()
        shares.append((below + equal / 2 + prior / 2) / (len(known) + prior))
    return shares


def test_by_hand() -> None:
    # Frame 1 knows 10 and 30; frame 2 knows 20, too, which lies in their middle; frame 3 has a second 30.
    got = causal_quantile(np.array([10.0, 30.0, 20.0, 30.0]), np.array([1, 1, 2, 3]), prior=0)
    assert got.tolist() == [0.25, 0.75, 0.5, 0.75]
    got = causal_quantile(np.array([10.0, 30.0]), np.array([1, 1]), prior=4)
    assert got.tolist() == [(0.5 + 2) / 6, (1.5 + 2) / 6]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(1, 6)), max_size=40), st.sampled_from([0.0, 0.5, PRIOR]))
def test_it_is_what_the_definition_says(rows: list[tuple[int, int]], prior: float) -> None:
    scores, frames = np.array([row[0] / 2 for row in rows]), np.array([row[1] for row in rows], dtype=np.int64)
    got = causal_quantile(scores, frames, prior)
    assert got.shape == scores.shape
    np.testing.assert_allclose(got, by_definition(scores, frames, prior), rtol=1e-14)
    assert ((got > 0) & (got < 1)).all()


def test_what_comes_later_changes_nothing() -> None:
    random = np.random.default_rng(3)
    scores, frames = random.normal(size=500).round(1), np.sort(random.integers(1, 60, 500))
    whole = causal_quantile(scores, frames)
    for last in (1, 2, 17, 59):
        here = frames <= last
        assert (causal_quantile(scores[here], frames[here]) == whole[here]).all()


def test_the_order_of_rows_does_not_matter() -> None:
    random = np.random.default_rng(4)
    scores, frames = random.normal(size=200).round(1), random.integers(1, 20, 200)
    order = random.permutation(200)
    assert (causal_quantile(scores[order], frames[order]) == causal_quantile(scores, frames)[order]).all()


def test_equal_scores_are_in_the_middle() -> None:
    assert set(causal_quantile(np.full(50, -3.5), np.arange(50) // 7 + 1).tolist()) == {0.5}
    assert causal_quantile(np.array([7.0]), np.array([1])).tolist() == [0.5]
    assert causal_quantile(np.array([]), np.array([], dtype=np.int64)).tolist() == []


def test_crowded_frames_take_no_longer_than_sorting_is_worth() -> None:
    """5,000 rows a frame: a loop over pairs would take minutes, so the bound is wide."""
    random = np.random.default_rng(5)
    scores, frames = random.normal(50, 30, 200_000), np.repeat(np.arange(1, 41), 5000)
    begin = time.process_time()
    got = causal_quantile(scores, frames)
    assert time.process_time() - begin < 10
    last = scores[-5000:]
    assert (np.argsort(got[-5000:]) == np.argsort(last)).all()


def test_methods() -> None:
    scores, frames = np.array([-0.8, 0.5, 139.0]), np.array([1, 1, 1])
    got, changed = unit_scores(scores, frames, "clip")
    assert (got.tolist(), changed) == ([0.0, 0.5, 1.0], True)
    got, changed = unit_scores(scores, frames, "logistic")
    np.testing.assert_allclose(got, 1 / (1 + np.exp(-scores)), rtol=1e-12)
    assert unit_scores(np.array([-1e5, 1e5]), np.array([1, 1]), "logistic")[0].tolist() == [0.0, 1.0]
    assert (unit_scores(scores, frames)[0] == causal_quantile(scores, frames)).all(), "the way when any is outside"
    inside = np.array([0.0, 0.25, 1.0])
    got, changed = unit_scores(inside, frames)
    assert (got.tolist(), changed) == (inside.tolist(), False)
    assert unit_scores(inside, frames, "quantile")[1]


@pytest.mark.parametrize(("scores", "frames", "said"), [
    ([0.5, np.nan], [1, 1], "finite"), ([0.5, np.inf], [1, 1], "finite"), ([0.5], [1, 1], "shapes"),
    ([[0.5]], [[1]], "shapes"),
])
def test_what_cannot_be_is_refused(scores: list[float], frames: list[int], said: str) -> None:
    for work in (unit_scores, causal_quantile):
        with pytest.raises(ValueError, match=said):
            work(np.array(scores), np.array(frames))


def test_unknown_ways_are_refused() -> None:
    with pytest.raises(ValueError, match="'rank'.*quantile"):
        unit_scores(np.array([0.5]), np.array([1]), "rank")
    with pytest.raises(ValueError, match="prior is -1"):
        causal_quantile(np.array([0.5]), np.array([1]), -1)
