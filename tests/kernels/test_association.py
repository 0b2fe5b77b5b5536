"""``association``: costs worked out by hand, and pairs whose total no other set of pairs undercuts."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from math import inf, nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import linear_sum_assignment

from vtk.kernels.association import assign, assign_greedy, gated_cost
from vtk.kernels.association.cases import BENCHES, LIBRARIES, frame
from vtk.kernels.association.cpu import _alone

UNIT = (0.0, 0.0, 10.0, 10.0)
COSTS = arrays(
    np.float64,
    st.tuples(st.integers(0, 7), st.integers(0, 7)),
    elements=st.sampled_from((-1.0, 0.0, 0.25, 0.3, 0.5, 0.79, 0.8, 1.0, inf, nan)),
)


def _cost(track: Any, box: Any, **options: Any) -> float:
    """Return the cost of one pair."""
    options = {key: np.array([value]) if isinstance(value, tuple) else value for key, value in options.items()}
    groups = np.zeros(1, np.int64)
    return float(gated_cost(np.array([track]), np.array([box]), groups, groups, **options)[0, 0])


def _features(*values: float) -> np.ndarray:
    return np.array([values], np.float32)


@pytest.mark.parametrize(
    ("box", "cost"),
    [
        (UNIT, 0.0),
        ((0, 0, 10, 5), 0.5),
        ((5, 0, 15, 10), 1 - 50 / 150),
        ((30, 30, 40, 40), 1.0),
        ((5, 5, 5, 5), 1.0),
        ((9, 0, 1, 10), 1.0),
        ((nan, 0, 10, 10), inf),
        ((0, 0, 10, nan), inf),
        ((0, 0, inf, 10), inf),
    ],
)
def test_overlap_by_hand(box: tuple[float, ...], cost: float) -> None:
    assert _cost(UNIT, tuple(map(float, box))) == cost
    assert _cost(tuple(map(float, box)), UNIT) == cost


def test_options_by_hand() -> None:
    apart = (15.0, 0.0, 25.0, 10.0)
    # Grown by half: -5..15 against 10..30 of 20 each, and the same heights.
    assert _cost(UNIT, apart) == 1
    assert _cost(UNIT, apart, buffer=0.5) == pytest.approx(1 - 5 / 35)
    # Five of fifteen rows are shared.
    lower = (0.0, 5.0, 10.0, 15.0)
    assert _cost(UNIT, lower, height_power=1.0) == pytest.approx(1 - (1 / 3) * (1 / 3))
    assert _cost(UNIT, lower, height_power=2.0) == pytest.approx(1 - (1 / 3) ** 3)
    assert _cost(UNIT, lower, height_power=0.5) == pytest.approx(1 - (1 / 3) ** 1.5)
    assert _cost(UNIT, apart, height_power=1.0) == _cost(UNIT, apart, height_power=0.5) == 1
    # The height counts before the score, and the boxes grow before both.
    got = _cost(UNIT, lower, height_power=1.0, buffer=0.5, scores=np.array([0.5]))
    assert got == pytest.approx(1 - (15 / 25) * (15 / 25) * 0.5)


def test_score_weighs_the_overlap() -> None:
    assert _cost(UNIT, (0.0, 0.0, 10.0, 5.0), scores=np.array([0.6])) == pytest.approx(1 - 0.3)
    assert _cost(UNIT, UNIT, scores=np.array([nan])) == inf


def test_groups_never_mix() -> None:
    boxes = np.array([UNIT] * 3)
    cost = gated_cost(boxes[:2], boxes, np.array([4, -4]), np.array([-4, 4, 5]))
    np.testing.assert_array_equal(cost, [[inf, 0, inf], [0, inf, inf]])


@pytest.mark.parametrize(
    ("dot", "options", "cost"),
    [
        (0.9, {}, 0.05),  # (1 - 0.9) / 2, less than 1 - 0.5
        (0.5, {}, 0.25),  # at the gate
        (0.4, {}, 0.5),  # beyond it, so the overlap counts
        (0.4, {"max_cosine": 0.3}, 0.3),
        (-1.0, {"max_cosine": 1.0}, 0.5),  # 1, but the overlap is cheaper
        (0.9, {"min_overlap": 0.5}, 0.05),
        (0.9, {"min_overlap": 0.51}, 0.5),
        (0.9, {"min_overlap": 0.5, "scores": np.array([0.4])}, 0.05),  # the gate is on the overlap alone
        (0.1, {"scores": np.array([0.4])}, 0.8),
        (1.0, {"max_cosine": 0.0}, 0.0),
    ],
)
def test_appearance_by_hand(dot: float, options: dict[str, Any], cost: float) -> None:
    box_features = _features(dot, (1 - dot * dot) ** 0.5, 0)
    got = _cost(UNIT, (0.0, 0.0, 10.0, 5.0), track_features=_features(1, 0, 0), box_features=box_features, **options)
    # The features are float32.
    assert got == pytest.approx(cost, abs=1e-7)


def test_without_a_feature_the_overlap_counts() -> None:
    """Zeros are no feature, even where the gate would let a distance of one half pass."""
    for pair in ((_features(0, 0), _features(1, 0)), (_features(1, 0), _features(0, 0))):
        options = {"track_features": pair[0], "box_features": pair[1], "max_cosine": 1.0}
        assert _cost(UNIT, (0.0, 0.0, 10.0, 2.0), **options) == 0.8


def test_alike_features_are_at_no_distance() -> None:
    """Rounding neither makes a distance of a vector to itself, nor one below 0."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(40, 512)).astype(np.float32)
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    given = frame(40, rng, groups=1) | {"track_features": features, "box_features": features}
    cost = gated_cost(**given, max_cosine=1.0)
    assert cost.min() >= 0
    # Unit length to float32: squares of 512 numbers, each rounded.
    assert np.diag(cost).max() < 1e-6


def test_motion_by_hand() -> None:
    moved = (2.0, 0.0, 14.0, 10.0)  # centre 3 to the right, 2 wider
    spread = np.array([[9.0, 1.0, 4.0, 1.0]])
    overlap = _cost(UNIT, moved)
    assert _cost(UNIT, moved, spread=spread, max_motion=2.0) == overlap  # 9 / 9 + 4 / 4
    assert _cost(UNIT, moved, spread=spread, max_motion=1.99) == inf
    assert _cost(UNIT, moved, spread=spread) == overlap
    appearance = {"track_features": _features(1.0), "box_features": _features(1.0)}
    assert _cost(UNIT, moved, spread=spread, max_motion=1.99, **appearance) == inf


def test_many_sources_in_one_call_are_each_as_alone() -> None:
    frames = [frame(20, np.random.default_rng(seed)) for seed in range(4)]
    together = {key: np.concatenate([each[key] for each in frames]) for key in frames[0]}
    for key in ("track_groups", "box_groups"):
        together[key] = together[key] + np.repeat(np.arange(4), 20) * 100
    cost = gated_cost(**together)
    for index, each in enumerate(frames):
        own = slice(20 * index, 20 * index + 20)
        np.testing.assert_array_equal(cost[own, own], gated_cost(**each))
        cost[own, own] = inf
    assert np.isinf(cost).all()


def _total(cost: np.ndarray, pairs: np.ndarray, limit: float) -> float:
    made = np.flatnonzero(pairs >= 0)
    assert len(set(pairs[made].tolist())) == len(made), "two rows have one column"
    assert (cost[made, pairs[made]] < limit).all()
    return float((cost[made, pairs[made]] - limit).sum())


@settings(max_examples=400, deadline=None, derandomize=True)
@given(cost=COSTS, limit=st.sampled_from((-2.0, 0.3, 0.8, 1.5)), seed=st.integers(0, 3))
def test_no_other_pairs_cost_less(cost: np.ndarray, limit: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    masks = (rng.random(length) < (0.7 if seed else 1.1) for length in cost.shape)
    rows, columns = masks if seed != 1 else (None, None)
    pairs = assign(cost, limit, rows, columns)
    capped = np.where(cost < limit, cost, limit)
    if rows is not None:
        capped[~rows], capped[:, ~columns] = limit, limit
        assert rows[pairs >= 0].all() and columns[pairs[pairs >= 0]].all()
    best = (capped - limit)[linear_sum_assignment(capped)].sum()
    assert pairs.shape == (len(cost),) and pairs.dtype == np.int64
    assert _total(cost, pairs, limit) == pytest.approx(best, abs=1e-12)
    np.testing.assert_array_equal(assign(cost, limit, rows, columns), pairs)


def test_no_other_pairs_cost_less_by_trying_all() -> None:
    """Against every set of pairs there is, not against a solver."""
    rng = np.random.default_rng(2)
    for _ in range(30):
        cost = np.round(rng.random((4, 4)), 2)
        capped = np.minimum(cost, 0.6)
        best = min(sum(capped[i, j] - 0.6 for i, j in enumerate(order)) for order in itertools.permutations(range(4)))
        assert _total(cost, assign(cost, 0.6), 0.6) == pytest.approx(best)


def test_the_hard_part_is_small() -> None:
    """Pairs alone with each other, and rows or columns with several that are theirs alone, need no solver."""
    cost = np.full((6, 6), inf)
    cost[0, 3] = 0.1
    cost[1, [0, 1]] = 0.4, 0.2
    cost[[2, 3], 2] = 0.5, 0.3
    cost[4, 4], cost[4, 5], cost[5, 5] = 0.1, 0.2, 0.6
    nobody = np.empty(0, bool)
    pairs, rows, columns, left = _alone(cost, 0.8, nobody, nobody)
    assert pairs.tolist() == [3, 1, -1, 2, -1, -1]
    assert rows.tolist() == columns.tolist() == [4, 5]
    np.testing.assert_array_equal(left, [[0.1, 0.2], [0.8, 0.6]])
    assert assign(cost, 0.8).tolist() == [3, 1, -1, 2, 4, 5]


def test_no_solver_is_loaded_where_none_is_needed() -> None:
    import subprocess
    import sys

    code = """
import sys
import numpy as np
from vtk.kernels.association import assign
assert assign(np.where(np.eye(50), 0.1, 0.9), 0.8).tolist() == list(range(50))
print("scipy.optimize" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_at_the_limit_is_no_pair() -> None:
    cost = np.array([[0.8, 0.9], [nan, 0.7]])
    for function in (assign, assign_greedy):
        assert function(cost, 0.8).tolist() == [-1, 1]
        assert function(cost, np.nextafter(0.8, 1)).tolist() == [0, 1]
        assert function(cost, 0.7).tolist() == [-1, -1]


def test_the_best_total_is_not_the_cheapest_first() -> None:
    cost = np.array([[0.1, 0.2], [0.2, 0.7]])
    assert assign(cost, 0.8).tolist() == [1, 0]
    assert assign_greedy(cost, 0.8).tolist() == [0, 1]
    assert assign_greedy(cost, 0.7).tolist() == [0, -1]


def test_greedy_takes_equal_costs_by_row_then_column() -> None:
    assert assign_greedy(np.zeros((3, 2)), 1.0).tolist() == [0, 1, -1]
    assert assign_greedy(np.array([[0.5, 0.5], [0.5, 0.1]]), 1.0).tolist() == [0, 1]
    assert assign_greedy(np.array([[0.0], [-0.0], [-inf]]), 1.0).tolist() == [-1, -1, 0]
    masks = np.array([False, True, True]), np.array([False, True])
    assert assign_greedy(np.zeros((3, 2)), 1.0, *masks).tolist() == [-1, 1, -1]


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cost=COSTS, limit=st.sampled_from((-2.0, 0.3, 0.8, 1.5)))
def test_greedy_leaves_no_cheaper_pair(cost: np.ndarray, limit: float) -> None:
    """Each pair that was not made lost its row or its column to one that is no dearer."""
    pairs = assign_greedy(cost, limit)
    _total(cost, pairs, limit)
    owner = {column: row for row, column in enumerate(pairs.tolist()) if column >= 0}
    for i, j in np.argwhere(cost < limit).tolist():
        own = cost[i, pairs[i]] if pairs[i] >= 0 else inf
        other = cost[owner[j], j] if j in owner else inf
        assert min(own, other) <= cost[i, j]


def test_wide_matrices_are_looked_at_to_the_last_column() -> None:
    """Costs are compared in blocks of 32."""
    for width in (31, 32, 33, 64, 95):
        for column in range(width):
            cost = np.full((2, width), inf)
            cost[1, column] = 0.5
            assert assign(cost, 0.8).tolist() == assign_greedy(cost, 0.8).tolist() == [-1, column]


def test_room_for_pairs_grows() -> None:
    assert assign_greedy(np.zeros((70, 90)), 1.0).tolist() == list(range(70))
    cost = np.random.default_rng(4).random((90, 70))
    rows, columns = linear_sum_assignment(cost)
    assert _total(cost, assign(cost, 2.0), 2.0) == pytest.approx((cost[rows, columns] - 2).sum())


@pytest.mark.parametrize("bench", BENCHES, ids=lambda bench: bench.case)
def test_what_is_timed_against_does_the_same_work(bench: Any) -> None:
    arguments = bench.inputs(np.random.default_rng(5))
    functions = {"gated_cost": gated_cost, "assign": assign, "assign_greedy": assign_greedy}
    ours = functions[bench.function](**arguments)
    for label, prepare in LIBRARIES[bench.function].items():
        run = prepare(arguments)
        if run is None:
            assert label == "lap", "only lap may be missing"
            continue
        theirs = np.asarray(run())
        if bench.function == "gated_cost":
            # Their dot products are summed in float32.
            np.testing.assert_allclose(theirs, ours, rtol=0, atol=1e-6, err_msg=label)
        elif bench.function == "assign":
            wanted = _total(arguments["cost"], ours, arguments["limit"])
            assert _total(arguments["cost"], theirs, arguments["limit"]) == pytest.approx(wanted, abs=1e-9), label
        else:
            np.testing.assert_array_equal(theirs, ours, err_msg=label)


GROUPS = np.zeros(2, np.int64)
BOXES = np.array([UNIT] * 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS[:1]), r"box_groups: got a int64 array of shape \(1,\), exp"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS * 1.0), "box_groups: got a float64 array .* expected a int64"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, buffer=-0.1), "buffer: got -0.1, expected a finite number"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, max_motion=nan), "max_motion: got nan, expected a finite"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, max_cosine=2), r"max_cosine: got 2, expected .* \[0, 1\]"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, track_features=np.ones((2, 3), np.float32)),
         "box_features: got NoneType, expected a float32 array"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, box_features=np.ones((2, 3), np.float32)),
         "track_features: got NoneType, expected a float32 array"),
        (lambda: gated_cost(BOXES, BOXES, GROUPS, GROUPS, track_features=np.ones((2, 3), np.float32),
                            box_features=np.ones((2, 4), np.float32)), r"box_features: got .*4\), expected .*2, 3\)"),
        (lambda: assign(np.zeros((2, 2)), inf), "limit: got inf, expected a finite number"),
        (lambda: assign(np.zeros((2, 2)), 1.0, np.ones(3, bool)), r"rows: got a bool array of shape \(3,\)"),
        (lambda: assign(np.zeros((2, 2)), 1.0, None, np.ones(2)), "columns: got a float64 array .* expected a bool"),
        (lambda: assign(np.array([[-inf]]), 1.0), "cost: got -inf, expected numbers above it"),
        (lambda: assign_greedy(np.zeros(4), 1.0), r"cost: got a float64 array of shape \(4,\), expected"),
    ],
)  # fmt: skip
def test_refuses(call: Callable[[], np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_what_does_not_take_part_may_be_anything() -> None:
    cost = np.array([[-inf, 0.2], [0.3, 0.1]])
    assert assign(cost, 0.8, np.array([False, True])).tolist() == [-1, 1]
