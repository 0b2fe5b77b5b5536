"""SORT's overlaps and pairs, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.tracking.association import assign_overlaps, overlaps


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (2, 0)])
def test_nothing_to_assign(shape):
    rows, columns = assign_overlaps(np.zeros(shape), 0.3)
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
