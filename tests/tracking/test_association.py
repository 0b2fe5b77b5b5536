"""Assignments against every assignment there is."""

from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest

from vtk.tracking.association import assign, assign_overlaps, overlaps


def best_of_all(cost, limit):
    """Return the least Σ (cost - limit) over all sets of pairs, leaving any apart."""
    rows, columns = cost.shape
    return min(sum(cost[i, j] - limit for i, j in zip(some, order, strict=True))
               for size in range(min(rows, columns) + 1)
               for some in combinations(range(rows), size)
               for order in permutations(range(columns), size))


@pytest.mark.parametrize("seed", range(20))
def test_assigns_at_the_least_cost(seed):
    rng = np.random.default_rng(seed)
    cost = rng.uniform(0, 1, rng.integers(1, 5, 2))
    limit = rng.uniform(0.1, 0.9)
    rows, columns = assign(cost, limit)
    assert (cost[rows, columns] < limit).all()
    assert len(set(rows)) == len(rows) and len(set(columns)) == len(columns)
    assert (cost[rows, columns] - limit).sum() == pytest.approx(best_of_all(cost, limit))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_assign(shape):
    for rows, columns in (assign(np.zeros(shape), 0.5), assign_overlaps(np.zeros(shape), 0.3)):
        assert len(rows) == len(columns) == 0


def test_overlaps_by_hand():
    tracks = np.array([[0.0, 0, 10, 10], [0, 0, 10, 10]])
    boxes = np.array([[5.0, 0, 15, 10], [0, 0, 10, 10], [20, 20, 30, 30]])
    found = overlaps(tracks, np.array([0, 1]), boxes, np.array([0, 0, 0]))
    np.testing.assert_allclose(found, [[1 / 3, 1, 0], [0, 0, 0]])


def test_sort_prefers_the_greater_sum_then_drops_the_weak():
    iou = np.array([[0.5, 0.45], [0.4, 0.2]])
    rows, columns = assign_overlaps(iou, 0.3)
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [(0, 1), (1, 0)]
    rows, columns = assign_overlaps(np.array([[0.5, 0.2], [0.1, 0.0]]), 0.3)
    assert (rows.tolist(), columns.tolist()) == ([0], [0])
