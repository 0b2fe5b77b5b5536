"""Average precision of copies: worked out by hand, against plain programs, and what each figure can tell apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from vtk.metrics.copy_ranking import (
    THRESHOLDS,
    Segments,
    axis_overlaps,
    cover_precision,
    match_precision,
    pair_precision,
)


def segments(*rows: tuple[int, list[float], float]) -> Segments:
    """Return rows of pair, box and score."""
    return Segments(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]),
                    np.array([row[2] for row in rows]))  # fmt: skip


TEN = segments((0, [0, 0, 10, 10], 1))


def test_pairs_by_hand() -> None:
    """Right, false, right, and one of three never found: precisions 1 and 2/3, each a third of the recall."""
    assert pair_precision(np.array([0.9, 0.8, 0.7]), np.array([True, False, True]), 3) == pytest.approx((1 + 2 / 3) / 3)
    assert pair_precision(np.array([]), np.array([], bool), 3) == 0
    assert math.isnan(pair_precision(np.array([0.5]), np.array([False]), 0))


def test_equal_scores_count_together_in_any_order() -> None:
    for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
        found = pair_precision(np.full(3, 0.5)[order], np.array([True, False, True])[order], 2)
        assert found == pytest.approx(2 / 3)


# Answers that VCSL's protocol takes for one good segment, but for the last; precision at overlaps of 0.5 and of 0.55.
@pytest.mark.parametrize(("found", "expected"), [
    ([([0, 0, 10, 10], 0.9)], [1, 1]),
    ([([0, 0, 10, 10], 0.9), ([0, 0, 10, 10], 0.9)], [0.5, 0.5]),
    ([([0, 0, 4, 4], 0.9), ([4, 4, 10, 10], 0.8)], [0.5, 0.5]),
    ([([0, 5, 5, 10], 0.9), ([5, 0, 10, 5], 0.8)], [1, 0]),  # a half overlaps its whole by 0.5
    ([([0, 0, 100, 100], 0.9)], [0, 0]),
], ids=["right", "twice", "split", "wrong direction", "whole map"])
def test_what_one_to_one_tells_apart(found: list[tuple[list[float], float]], expected: list[float]) -> None:
    mine = segments(*((0, box, score) for box, score in found))
    assert match_precision(mine, TEN, (0.5, 0.55)).tolist() == pytest.approx(expected)
    assert cover_precision(mine, TEN) == pytest.approx(0.1 if found[0][0][2] == 100 else 1.0)


def test_a_double_costs_what_ranks_below_it() -> None:
    labels = segments((0, [0, 0, 10, 10], 1), (1, [0, 0, 10, 10], 1))
    double = [(0, [0, 0, 10, 10], 0.9), (0, [0, 0, 10, 10], 0.8)]
    below, above = (segments(*double, (1, [0, 0, 10, 10], score)) for score in (0.7, 0.85))
    assert match_precision(below, labels, (0.5,)) == pytest.approx((1 + 2 / 3) / 2)
    assert match_precision(above, labels, (0.5,)) == pytest.approx(1)


def test_swapped_halves_are_wrong_where_labels_are_cut_alike() -> None:
    halves = segments((0, [0, 0, 5, 5], 1), (0, [5, 5, 10, 10], 1))
    swapped = segments((0, [0, 5, 5, 10], 0.9), (0, [5, 0, 10, 5], 0.8))
    assert match_precision(swapped, halves, (0.5,)).tolist() == [0]


def test_overlap_is_the_lesser_axis() -> None:
    box, other = np.array([[0.0, 0, 10, 10]]), np.array([[0.0, 2, 10, 12], [5, 0, 10, 10], [20, 0, 30, 10]])
    assert axis_overlaps(box, other)[0] == pytest.approx([8 / 12, 0.5, 0])
    assert axis_overlaps(np.array([[1.0, 1, 1, 1]]), np.array([[1.0, 1, 1, 1]])).tolist() == [[0]]


def plain_matches(found: Segments, truth: Segments, threshold: float) -> float:
    """Return AP as defined, segment by segment; scores must differ."""
    free, correct, area = set(range(len(truth.pair))), 0, 0.0
    for place, row in enumerate(sorted(range(len(found.pair)), key=lambda row: -found.score[row]), 1):
        rated = []
        for other in free:
            if truth.pair[other] == found.pair[row]:
                a, b = found.boxes[row], truth.boxes[other]
                shared = [max(0.0, min(a[i + 2], b[i + 2]) - max(a[i], b[i])) for i in (0, 1)]
                rated.append((min(s / (a[i + 2] - a[i] + b[i + 2] - b[i] - s) for i, s in enumerate(shared)), -other))
        if rated and max(rated)[0] >= threshold:
            free.remove(-max(rated)[1])
            correct += 1
            area += correct / place / len(truth.pair)
    return area


def plain_cover(found: Segments, truth: Segments) -> float:
    """Return VSC22's segment AP, second by second: whole numbers alone."""

    def seconds(boxes: list[Any], axis: int) -> set[int]:
        return {second for box in boxes for second in range(int(box[axis]), int(box[axis + 2]))}

    pairs = sorted({*found.pair.tolist(), *truth.pair.tolist()})
    labels = {pair: [box for box, of in zip(truth.boxes, truth.pair, strict=True) if of == pair]
              for pair in pairs}
    total = [sum(len(seconds(labels[pair], axis)) for pair in pairs) for axis in (0, 1)]
    area = last = 0.0
    for score in sorted(set(found.score.tolist()), reverse=True):
        shared, lengths = [0, 0], [0, 0]
        for pair in pairs:
            mine = [box for box, of, sure in zip(found.boxes, found.pair, found.score, strict=True)
                    if of == pair and sure >= score]
            met = [label for label in labels[pair] if any(
                min(a[2], label[2]) > max(a[0], label[0]) and min(a[3], label[3]) > max(a[1], label[1]) for a in mine)]
            for axis in (0, 1):
                shared[axis] += len(seconds(mine, axis) & seconds(met, axis))
                lengths[axis] += len(seconds(mine, axis))
        recall = math.sqrt(shared[0] / total[0] * shared[1] / total[1])
        area += math.sqrt(shared[0] / lengths[0] * shared[1] / lengths[1]) * (recall - last)
        last = recall
    return area


def scene(seed: int, levels: int) -> tuple[Segments, Segments]:
    """Return found and labelled segments of five pairs, whole seconds; scores of so many levels."""
    rng = np.random.default_rng(seed)
    sides = []
    for count in (25, 15):
        start = rng.integers(0, 30, (count, 2))
        boxes = np.concatenate([start, start + rng.integers(1, 25, (count, 2))], axis=1)
        sides.append(Segments(rng.integers(0, 5, count), boxes, rng.permutation(count) % levels / levels))
    return sides[0], sides[1]


@pytest.mark.parametrize("seed", range(8))
def test_against_plain_programs(seed: int) -> None:
    found, truth = scene(seed, 25)
    areas = match_precision(found, truth, (0.1, 0.3, 0.5))
    assert areas.tolist() == pytest.approx([plain_matches(found, truth, each) for each in (0.1, 0.3, 0.5)], abs=1e-12)
    assert areas[0] > 0
    assert cover_precision(found, truth) == pytest.approx(plain_cover(found, truth), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_lines_does_not_matter(seed: int) -> None:
    found, truth = scene(seed, 3)
    order = np.random.default_rng(seed).permutation(25)
    mixed = Segments(found.pair[order], found.boxes[order], found.score[order])
    assert match_precision(mixed, truth, (0.2,)) == pytest.approx(match_precision(found, truth, (0.2,)), abs=1e-12)
    assert cover_precision(mixed, truth) == pytest.approx(plain_cover(found, truth), abs=1e-9)


def test_thresholds() -> None:
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
    off = segments((0, [2, 2, 12, 12], 0.9))  # overlap 8 of 12
    assert match_precision(off, TEN).tolist() == [1, 1, 1, 1, 0, 0, 0, 0, 0, 0]


def test_nothing_found_and_nothing_labelled() -> None:
    none = Segments(np.array([]), np.empty((0, 4)), np.array([]))
    assert match_precision(none, TEN, (0.5,)).tolist() == [0] and cover_precision(none, TEN) == 0
    assert np.isnan(match_precision(TEN, none, (0.5,))).all() and math.isnan(cover_precision(TEN, none))
    point = segments((0, [3, 3, 3, 3], 0.9))
    assert cover_precision(point, TEN) == 0 and math.isnan(cover_precision(TEN, point))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Segments(np.array([0, 1]), np.array([[0, 0, 1, 1]]), np.array([1])), "expected .*1.* each"),
    (lambda: segments((0, [0, 0, 1, 1], math.nan)), "score: got NaN"),
    (lambda: segments((0, [0, 0, -1, 1], 1)), "boxes: got"),
    (lambda: pair_precision(np.array([math.nan]), np.array([True]), 1), "scores: got NaN"),
    (lambda: pair_precision(np.array([1.0]), np.array([True, False]), 1), "got scores of shape"),
    (lambda: pair_precision(np.array([1.0]), np.array([True]), 0), "total: got 0, expected 1 or more"),
    (lambda: match_precision(TEN, TEN, (0.0,)), "thresholds: got 0.0"),
])
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
