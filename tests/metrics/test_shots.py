"""Scores of cuts and transitions, worked out by hand."""

from __future__ import annotations

import pytest

from vtk.metrics.shots import Score, Truth, score_changes, score_cuts, score_graduals

FILM = Truth(cuts=(100, 200, 300), graduals=((400, 420),), frames=600, unsure=((500, 510),))


def test_a_cut_may_be_two_frames_off_and_counts_once() -> None:
    assert score_cuts(FILM, [98, 202, 297]) == Score(2, 3, 3)
    assert score_cuts(FILM, [99, 101, 200, 300]) == Score(3, 4, 3)


def test_the_nearest_cut_is_taken() -> None:
    assert score_cuts(Truth((100, 103), (), 200), [101, 102]) == Score(2, 2, 2)


def test_what_two_people_would_not_agree_on_counts_neither_way() -> None:
    assert score_cuts(FILM, [100, 505]) == Score(1, 1, 3)
    assert score_graduals(FILM, [], [(503, 520)]) == Score(0, 0, 1)
    assert score_changes(FILM, [505]) == Score(0, 0, 4)


def test_a_cut_within_a_transition_is_an_error_of_transitions() -> None:
    assert score_cuts(FILM, [410]) == Score(0, 0, 3)
    assert score_graduals(FILM, [410], []) == Score(0, 1, 1)


@pytest.mark.parametrize(("span", "hits"), [((400, 420), 1), ((400, 410), 1), ((400, 409), 0), ((390, 430), 1),
                                            ((389, 430), 0), ((430, 450), 0)])
def test_a_transition_is_found_by_half_of_the_union(span: tuple[int, int], hits: int) -> None:
    assert score_graduals(FILM, [], [span]) == Score(hits, 1, 1)


def test_a_transition_found_twice_is_found_once() -> None:
    assert score_graduals(FILM, [], [(400, 420), (401, 420)]) == Score(1, 2, 1)


def test_changes_of_either_sort_are_found_by_one_frame() -> None:
    assert score_changes(FILM, [100, 410, 415, 550]) == Score(2, 4, 4)


def test_rates_of_nothing_are_whole_and_scores_add_up() -> None:
    assert (Score().recall, Score().precision, Score().f1) == (1.0, 1.0, 1.0)
    total = Score(1, 2, 4) + Score(2, 2, 2)
    assert (total.precision, total.recall) == (0.75, 0.5)
    assert total.f1 == pytest.approx(0.6)
