"""The cheapest pairing in order, against every pairing there is."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from vtk.text.alignment import align


def cheapest(apart: np.ndarray, skipped: np.ndarray, added: float) -> float:
    """Return what the cheapest pairing in order costs, by trying all."""
    old, new = apart.shape
    costs = []
    for size in range(min(old, new) + 1):
        for rows in combinations(range(old), size):
            for columns in combinations(range(new), size):
                alone = skipped.sum() - skipped[list(rows)].sum() + added * (new - size)
                costs.append(alone + sum(apart[pair] for pair in zip(rows, columns, strict=True)))
    return min(costs)


@pytest.mark.parametrize("seed", range(20))
def test_nothing_is_cheaper(seed: int) -> None:
    generator = np.random.default_rng(seed)
    old, new = generator.integers(0, 6, 2)
    apart, skipped, added = generator.random((old, new)), generator.random(old), float(generator.random())
    pairs = align(apart.tolist(), skipped.tolist(), added, int(new))
    assert [i for i, _ in pairs if i is not None] == list(range(old))
    assert [j for _, j in pairs if j is not None] == list(range(new))
    cost = sum(added if i is None else skipped[i] if j is None else apart[i, j] for i, j in pairs)
    assert cost == pytest.approx(cheapest(apart, skipped, added), abs=1e-12)  # sums in another order


def test_equals_are_paired_rather_than_skipped() -> None:
    assert align([[2.0]], [1.0], 1.0, 1) == [(0, 0)]
    assert align([], [], 1.0, 2) == [(None, 0), (None, 1)]
    assert align([[], []], [1.0, 1.0], 1.0, 0) == [(0, None), (1, None)]
