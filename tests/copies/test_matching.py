"""Copies planted in synthetic footprints are found at their seconds, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from planted import DESCRIPTOR, FILM, OTHER, Planted, STRANGER, edit, film, footprint, found, near, shot, unit, whole
from vtk.copies.footprint import Footprint
from vtk.copies.matches import Match, merged
from vtk.copies.matching import ALIGNERS, align
from vtk.copies.refining import refine
from vtk.copies.similarity import LISTED, Entries, entry_scores, later, similarity, weighted
from vtk.copies.union import Union


@pytest.mark.parametrize("aligner", ALIGNERS)
def test_a_copy_is_found_at_its_offset_by_all_aligners(aligner: str) -> None:
    query = whole(edit((STRANGER, 0, 10, 1), (FILM, 47, 77, 1), (STRANGER, 30, 40, 1)))
    matches = found(query, whole(FILM), aligner=aligner)
    best = max(matches, key=lambda match: match.score * match.seconds)
    assert near(best, 10, 40, 47, 77, within=2.0 if aligner in ("dp", "dtw") else 1.0)
    assert best.ref == "film" and best.score > 0.6 and abs(best.speed - 1) < 0.1 and not best.hflip


@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_copy_is_found_at_its_speed(speed: float) -> None:
    span = 30 * speed
    query = whole(edit((STRANGER, 0, 10, 1), (FILM, 20, 20 + span, speed), (STRANGER, 30, 40, 1)))
    (match,) = found(query, whole(FILM))
    # The reference side is as long as the speed makes a second of the query.
    assert near(match, 10, 40, 20, 20 + span, within=max(1.0, speed))
    assert match.speed == pytest.approx(speed, rel=0.05)
    # Of other speeds only so much fits as the frames of a few seconds are alike.
    for match in found(query, whole(FILM), speeds=(speed * 1.5, speed * 2)):
        assert match.end - match.start < 15


@pytest.mark.parametrize(("often", "seldom"), [(0.25, 1.0), (1.0, 0.25)])
def test_clocks_that_go_at_different_rates_meet(often: float, seldom: float) -> None:
    query = whole(edit((STRANGER, 0, 5, 1), (FILM, 47, 62, 1), (STRANGER, 30, 35, 1)), step=often)
    (match,) = found(query, whole(FILM, step=seldom))
    assert near(match, 5, 20, 47, 62)
    assert match.speed == pytest.approx(1, rel=0.05) and match.score > 0.5


def test_uneven_times_are_taken_as_they_are() -> None:
    times = np.cumsum(np.random.default_rng(3).uniform(0.2, 0.8, 95)).round(1)
    vectors = edit((STRANGER, 0, 10, 1), (FILM, 47, 77, 1), (STRANGER, 30, 40, 1))
    query = footprint(shot(vectors, times), times, duration=50.0)
    (match,) = found(query, whole(FILM, step=0.5))
    assert near(match, 10, 40, 47, 77) and match.speed == pytest.approx(1, rel=0.05)


def test_a_cut_list_gives_each_span() -> None:
    query = whole(edit((FILM, 80, 95, 1), (FILM, 20, 40, 1), (OTHER, 10, 25, 1), (FILM, 55, 65, 1)))
    matches = found(query, whole(FILM))
    assert len(matches) == 3
    for match, truth in zip(matches, [(0, 15, 80, 95), (15, 35, 20, 40), (50, 60, 55, 65)], strict=True):
        assert near(match, *truth)
    (match,) = found(query, whole(OTHER, "other"))
    assert match.ref == "other" and near(match, 35, 50, 10, 25)


def test_what_is_shown_twice_is_found_twice() -> None:
    query = whole(edit((FILM, 20, 35, 1), (STRANGER, 0, 10, 1), (FILM, 20, 35, 1)))
    matches = found(query, whole(FILM))
    assert len(matches) == 2
    assert near(matches[0], 0, 15, 20, 35) and near(matches[1], 25, 40, 20, 35)


def test_a_mirrored_copy_says_so() -> None:
    query = whole(edit((FILM, 20, 50, 1)))
    (match,) = found(query, whole(FILM), hflip=True)
    assert match.hflip and near(match, 0, 30, 20, 50)


def test_strangers_and_what_is_too_short_are_not_found() -> None:
    assert not found(whole(STRANGER), whole(FILM))
    query = whole(edit((STRANGER, 0, 10, 1), (FILM, 47, 57, 1), (STRANGER, 30, 40, 1)))
    assert len(found(query, whole(FILM), min_seconds=8.0)) == 1
    assert not found(query, whole(FILM), min_seconds=13.0)


def test_black_frames_match_nothing() -> None:
    times = np.arange(60.0)
    black = footprint(np.zeros((60, 128), np.float32), times, weights=np.zeros(60))
    assert not len(similarity(black, black, DESCRIPTOR).rows)
    assert not found(black, black) and not found(black, whole(FILM)) and not found(whole(FILM), black)


def test_still_frames_of_low_weight_match_nothing_but_do_not_hide_a_copy() -> None:
    slate = np.tile(film(9, 1)[:1], (200, 1))
    vectors = np.concatenate([slate, FILM[300:500], slate])
    still = np.r_[np.full(20, 0.5), np.ones(20), np.full(20, 0.5)]
    query = replace(whole(vectors), weights=still.astype(np.float32))
    slates = replace(whole(np.concatenate([slate, OTHER])), weights=np.r_[np.full(20, 0.5), np.ones(60)].astype("f4"))
    assert not found(query, slates)
    assert found(replace(query, weights=np.ones(60, np.float32)), slates), "the weights are what keeps them out"
    (match,) = found(query, whole(FILM))
    assert near(match, 20, 40, 30, 50)


def test_a_video_with_itself_gives_what_comes_back_once() -> None:
    video = whole(np.concatenate([FILM[:300], STRANGER[:200], edit((FILM, 5, 25, 1)), STRANGER[300:400]]))
    (match,) = found(video, video, within=True)
    assert near(match, 5, 25, 50, 70)
    film_alone = whole(FILM)
    assert not found(film_alone, film_alone, within=True)
    # A camera that does not move, before which little does.
    scene = whole(unit(np.tile(FILM[:1], (600, 1)) + 0.3 * FILM[:600]))
    assert not found(scene, scene, within=True)


def test_ends_stay_within_the_videos() -> None:
    video = replace(whole(FILM), duration=119.2)
    (match,) = found(video, video)
    assert (match.start, match.ref_start) == (0, 0) and match.end == 119.2 and match.ref_end <= 119.2
    assert match.score == pytest.approx(1, abs=1e-4)


def test_nothing_in_nothing_out() -> None:
    empty = footprint(np.zeros((0, 128), np.float32), np.zeros(0), duration=0.0)
    for query, reference in ((empty, whole(FILM)), (whole(FILM), empty), (empty, empty)):
        for aligner in ALIGNERS:
            assert found(query, reference, aligner=aligner) == []
    one = footprint(FILM[:1], np.zeros(1), duration=0.04)
    assert found(one, one) == [] and found(one, whole(FILM)) == []


def test_arguments_are_checked() -> None:
    video = whole(FILM[:100])
    entries = similarity(video, video, DESCRIPTOR)
    for options, said in (({"aligner": "spd"}, "aligner"), ({"speeds": (2.0, 1.0)}, "speeds")):
        with pytest.raises(ValueError, match=said):
            align(video, video, entries, **options)
    with pytest.raises(ValueError, match="within"):
        align(video, whole(FILM[:100]), entries, within=True)
    with pytest.raises(ValueError, match="shape"):
        align(video, whole(FILM), entries)
    with pytest.raises(ValueError, match="expected planted@"):
        similarity(replace(video, space="other@0"), video, DESCRIPTOR)


def test_entries_are_those_of_the_whole_map() -> None:
    query, reference = whole(edit((FILM, 20, 60, 1))), whole(FILM)
    full = DESCRIPTOR.scores(query.vectors, reference.vectors)
    dense = similarity(query, reference, DESCRIPTOR)
    np.testing.assert_array_equal(dense.values, full[full >= LISTED])
    sparse = similarity(query, reference, DESCRIPTOR, dense=0, nearest=5)
    assert len(sparse.rows) == 5 * len(query)
    np.testing.assert_allclose(sparse.values, full[sparse.rows, sparse.columns], atol=1e-6)
    for row in range(len(query)):
        assert set(sparse.columns[sparse.rows == row]) == set(np.argsort(-full[row], kind="stable")[:5])
    matches = [align(query, reference, entries) for entries in (dense, sparse)]
    assert [len(each) for each in matches] == [1, 1] and near(matches[1][0], *_ends(matches[0][0]), within=0.5)


def test_entries_of_a_union_are_those_of_each_part() -> None:
    union = Union([Planted(), Planted()])
    blank, some = np.zeros((40, 128), np.float32), FILM[:400:10]
    # The first part alone knows the even frames, the second one the odd frames; strangers fill the rest.
    turn = (np.arange(40) % 2 == 0)[:, None]
    sides = [union.join([np.where(turn, some, other), np.where(turn, other, some)])
             for other in (film(5, 40)[::10], film(6, 40)[::10])]  # fmt: skip
    query, reference = (replace(footprint(each, np.arange(40.0)), space=union.space) for each in sides)
    entries = similarity(query, reference, union, dense=0, nearest=1)
    assert {(at, at) for at in range(40)} <= set(zip(entries.rows.tolist(), entries.columns.tolist(), strict=True))
    assert len(entries.rows) <= 80 and (np.diff(entries.rows) >= 0).all()
    np.testing.assert_allclose(entries.values[entries.rows == entries.columns], 1, atol=1e-5)
    nothing = replace(query, vectors=union.join([blank, blank]))
    assert not similarity(nothing, reference, union, dense=0, nearest=1).values.any()


def test_entry_scores_are_zero_for_what_shows_nothing() -> None:
    vectors = np.concatenate([FILM[:40:10], np.zeros((1, 128), np.float32)])
    rows, columns = np.array([0, 0, 4]), np.array([0, 4, 4])
    np.testing.assert_allclose(entry_scores(vectors, vectors, rows, columns, DESCRIPTOR), [1, 0, 0], atol=1e-6)


def test_weights_and_the_main_diagonal_are_taken_out_of_entries() -> None:
    video = replace(whole(FILM[:100]), weights=np.linspace(0, 1, 10).astype(np.float32))
    entries = Entries(np.array([1, 4, 9]), np.array([4, 9, 1]), np.ones(3, np.float32), (10, 10))
    np.testing.assert_allclose(weighted(entries, video, video).values, [2 / 9, 6 / 9, 3 / 9], rtol=1e-6)
    left = later(entries, video, 5.0)
    assert (left.rows.tolist(), left.columns.tolist(), len(left.values)) == ([4], [9], 1)
    # Frame 0 is like 1, 2, 3 without a break, and again like 7.
    going_on = Entries(np.zeros(5, np.int64), np.array([7, 2, 0, 1, 3]), np.ones(5, np.float32), (10, 10))
    assert later(going_on, video, 0.0).columns.tolist() == [7] and not len(later(going_on, video, 8.0).rows)


def _ends(match: Match) -> tuple[float, float, float, float]:
    return match.start, match.end, match.ref_start, match.ref_end


def test_what_overlaps_on_one_line_is_one_match_and_else_the_better_one_stays() -> None:
    first = Match("a", 0, 10, 20, 30, 0.9, 1.0)
    onward = Match("a", 4, 12, 24, 32, 0.6, 1.0)
    (one,) = merged([onward, first])
    assert _ends(one) == (0, 12, 20, 32) and one.speed == 1 and one.score == pytest.approx((9 + 4.8) / 18)
    beside = Match("a", 0, 8, 22, 30, 0.6, 1.0)
    mirrored = replace(onward, hflip=True)
    assert merged([first, beside]) == [first] and merged([mirrored, first]) == [first]
    others = [first, replace(first, ref="b"), replace(first, start=20, end=30)]
    assert merged(others[::-1]) == [others[0], others[2], others[1]]


@pytest.mark.parametrize("speed", [0.8, 1.0, 1.5])
def test_refined_ends_are_right_to_a_tenth_of_a_second(speed: float) -> None:
    vectors = edit((STRANGER, 0, 10.1, 1), (FILM, 20.4, 20.4 + 20 * speed, speed), (STRANGER, 30, 40, 1))
    looks: list[tuple[float, float]] = []

    def looker(source: np.ndarray) -> object:
        def look(start: float, end: float) -> Footprint:
            looks.append((start, end))
            times = np.arange(np.ceil(start * 10), min(np.floor(end * 10) + 1, len(source))) / 10
            return footprint(shot(source, times), times, duration=len(source) / 10)
        return look

    (rough,) = found(whole(vectors), whole(FILM))
    match = refine(rough, looker(vectors), looker(FILM), DESCRIPTOR)
    truth = 10.1, 30.1, 20.4, 20.4 + 20 * speed
    # Frames are a tenth of a second apart, and neighbours so alike that the line may be off by two of them.
    assert near(match, *truth, within=0.25) and not near(rough, *truth, within=0.25)
    assert match.speed == pytest.approx(speed, rel=0.02) and match.score == rough.score
    assert max(end - start for start, end in looks) < 8 * max(speed, 1)


def test_ends_that_cannot_be_looked_at_stay() -> None:
    match = Match("a", 0, 10, 20, 30, 0.9, 1.0)
    assert refine(match, lambda start, end: None, lambda start, end: None, DESCRIPTOR) == match
    with pytest.raises(ValueError, match="reach"):
        refine(match, lambda start, end: None, lambda start, end: None, DESCRIPTOR, reach=0)


def random_footprint(rng: np.random.Generator) -> Footprint:
    """Return up to 24 frames of a few pictures, at any times, some shown at once, some black, of any weight."""
    count = int(rng.integers(0, 25))
    times = np.sort(rng.uniform(0, rng.choice([0.5, 5, 50]), count).round(int(rng.integers(0, 3))))
    pictures = film(7, 0.5) if rng.random() < 0.5 else film(7, 2)
    shown = rng.integers(0, len(pictures), count) if rng.random() < 0.5 else np.arange(count) % len(pictures)
    vectors = pictures[shown] * (rng.random((count, 1)) > 0.1).astype(np.float32)
    duration = float((times[-1] if count else 0) + rng.choice([0, 0.5]))
    return footprint(vectors, times, weights=rng.choice([0, 0.5, 1], count), duration=duration)


def always(video: Footprint, start: float, end: float) -> Footprint:
    return video


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("aligner", ALIGNERS)
def test_whatever_comes_matches_are_spans_of_both_videos(aligner: str) -> None:
    rng, count = np.random.default_rng(11), 0
    for _ in range(60):
        query, reference = random_footprint(rng), random_footprint(rng)
        for match in found(query, reference, aligner=aligner, min_seconds=0):
            for each in (match, refine(match, partial(always, query), partial(always, reference), DESCRIPTOR, 0.5)):
                assert 0 <= each.start < each.end <= max(query.duration, query.times[-1])
                assert 0 <= each.ref_start < each.ref_end <= max(reference.duration, reference.times[-1])
                assert 0 <= each.score <= 1 and each.speed > 0
            count += 1
        found(query, query, aligner=aligner, within=True, apart=0.0)
    assert count > 0
