"""Neighbours have a say by how alike they look: worked by hand, in order, a fixed number of shots late."""

from __future__ import annotations

import numpy as np
import pytest
from coloured import shown

from vtk.scenes.looks import small_overlay
from vtk.scenes.tiling import Shot
from vtk.scenes.smoothing import REACH, Smoothing, Span


def span(number: int, shares: tuple[float, ...], look: np.ndarray) -> Span:
    return Span(Shot(number, number + 1, number, number + 1), (np.log(shares),), 1, small_overlay(look))


ONE, OTHER = shown("kitchen", 1), shown("kitchen", 2)


def test_nothing_waits_and_nothing_changes_without_weight() -> None:
    smoothing = Smoothing(0.0)
    spans = [span(n, (0.6, 0.4), ONE) for n in range(3)]
    assert [smoothing.add([each]) for each in spans] == [[each] for each in spans]
    assert smoothing.finish() == []


def test_a_doubtful_shot_between_two_of_the_same_picture_follows_them() -> None:
    smoothing = Smoothing(1.0)
    spans = [span(0, (0.9, 0.1), ONE), span(1, (0.45, 0.55), ONE), span(2, (0.9, 0.1), ONE)]
    out = smoothing.add(spans) + smoothing.finish()
    assert [each.shot.start for each in out] == [0, 1, 2]
    # The mean of the logarithms, all three weighing the same, renormalised.
    odds = (np.log(9) + np.log(0.45 / 0.55) + np.log(9)) / 3
    np.testing.assert_allclose(np.exp(out[1].scores[0]), [1 / (1 + np.exp(-odds)), 1 / (1 + np.exp(odds))], rtol=1e-4)
    assert out[1].scores[0].argmax() == 0 and spans[1].scores[0].argmax() == 1


def test_shots_that_look_otherwise_have_little_to_say() -> None:
    smoothing = Smoothing(1.0)
    spans = [span(0, (0.99, 0.01), OTHER), span(1, (0.4, 0.6), ONE), span(2, (0.99, 0.01), OTHER)]
    middle = (smoothing.add(spans) + smoothing.finish())[1]
    assert middle.scores[0].argmax() == 1


def test_each_waits_for_its_neighbours_and_no_longer() -> None:
    smoothing = Smoothing(0.5)
    given = [len(smoothing.add([span(n, (0.5, 0.5), ONE)])) for n in range(6)]
    assert given == [0] * REACH + [1] * (6 - REACH)
    assert len(smoothing.finish()) == REACH


def test_lots_do_not_matter() -> None:
    spans = [span(n, (0.2 + 0.1 * n, 0.8 - 0.1 * n), ONE if n % 2 else OTHER) for n in range(7)]
    alone, together = Smoothing(0.7), Smoothing(0.7)
    one = [each for span in spans for each in alone.add([span])] + alone.finish()
    all_ = together.add(spans) + together.finish()
    assert [each.scores[0].tolist() for each in one] == [each.scores[0].tolist() for each in all_]


def test_two_on_either_side_are_heard_and_none_beyond_up_to_the_end() -> None:
    """Of one picture all weigh the same: the scores are plain means, of whatever there is within reach."""
    spans = [span(n, (0.1 + 0.1 * n, 0.9 - 0.1 * n), ONE) for n in range(6)]
    smoothing = Smoothing(1.0)
    found = smoothing.add(spans) + smoothing.finish()
    for place, each in enumerate(found):
        near = spans[max(0, place - REACH):place + REACH + 1]
        mean = np.mean([other.scores[0] for other in near], axis=0)
        # A correlation of float32 falls short of 1 by its rounding.
        np.testing.assert_allclose(each.scores[0], mean - np.logaddexp.reduce(mean), atol=1e-4, err_msg=str(place))


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_a_weight_that_is_none_is_refused(weight: float) -> None:
    with pytest.raises(ValueError, match="weight: got"):
        Smoothing(weight)
