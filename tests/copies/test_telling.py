"""Of several spans that a query's seconds are like, those that they show are told apart from the others."""

from __future__ import annotations

import numpy as np
import pytest

from planted import FILM, STRANGER, edit, found, near, unit, whole
from vtk.copies.matches import Match
from vtk.copies.similarity import Entries
from vtk.copies.telling import clear, told_apart


def entries(values: np.ndarray) -> Entries:
    rows, columns = np.nonzero(values)
    return Entries(rows, columns, values[rows, columns].astype(np.float32), values.shape)


def match(start: float, end: float, ref_start: float, speed: float = 1.0) -> Match:
    return Match("film", start, end, ref_start, ref_start + speed * (end - start), 0.9, speed)


def test_a_map_is_cleared_of_what_is_below_the_best_of_its_row_or_column() -> None:
    found = clear(entries(np.array([[1.0, 0.9, 0.5], [0.6, 0.0, 0.8]])), 2.0)
    assert found.values == pytest.approx([1.0, 0.7, 0.0, 0.0, 0.8], abs=1e-6)  # 0.5 loses 2 × 0.5, 0.6 2 × 0.4


def test_of_spans_that_a_still_scene_is_like_the_one_that_is_most_alike_stays() -> None:
    # A street in which little happens: all is like all, and a little more so at the right second.
    street = unit(np.tile(FILM[:1], (600, 1)) + 0.25 * FILM[:600])
    (kept,) = found(whole(edit((STRANGER, 0, 10, 1), (street, 20, 35, 1))), whole(street))
    assert near(kept, 10, 25, 20, 35)


def test_one_speed_is_believed_where_any_would_do() -> None:
    query, reference = whole(np.tile(FILM[:1], (150, 1))), whole(np.tile(FILM[:1], (150, 1)))
    (kept,) = found(query, reference)
    assert kept.speed == pytest.approx(1, abs=0.1)


def test_what_comes_twice_in_the_reference_is_found_twice() -> None:
    query = whole(edit((STRANGER, 0, 5, 1), (FILM, 20, 35, 1)))
    reference = whole(edit((FILM, 20, 35, 1), (STRANGER, 20, 40, 1), (FILM, 20, 35, 1)))
    first, second = found(query, reference)
    assert near(first, 5, 20, 0, 15) and near(second, 5, 20, 35, 50)


def test_the_better_of_two_lines_through_the_same_seconds_is_kept() -> None:
    values = np.eye(20) * 0.9
    values[np.arange(20), np.arange(20) // 2] += 0.6 * (np.arange(20) > 0)
    video = whole(FILM[:200])
    assert told_apart([(match(0, 20, 0, 0.5), 1.0), (match(0, 20, 0), 1.0)], entries(values), video, video) == [
        match(0, 20, 0)]
    apart = [(match(0, 9, 0), 1.0), (match(10, 19, 10), 1.0)]
    assert len(told_apart(apart, entries(values), video, video)) == 2
    assert told_apart([], entries(values), video, video) == []
    nothing = entries(np.zeros((20, 20)))
    assert told_apart([(match(0, 9, 0), 1.0)], nothing, video, video) == [match(0, 9, 0)]
