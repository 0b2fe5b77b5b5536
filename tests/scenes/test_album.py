"""Pictures that are kept of shots: of each shot some, spread over it, and few however long it is."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.scenes.album import MOST, Album, Picture, spread
from vtk.scenes.films import plan
from vtk.scenes.looks import shrink
from vtk.scenes.shots import Shots

GREY = np.full((64, 64, 3), 90, np.uint8)


def picture(index: int, fps: float = 25.0) -> Picture:
    return Picture(index, index / fps, GREY)


def test_every_shot_of_films_has_a_picture_of_its_own() -> None:
    counted = 0
    for seed in (2000,):
        film, shots, album = plan(seed, shots=7), Shots(), Album(8)
        looks = [shrink(frame) for frame in film.frames()]
        for index, look in enumerate([*looks, None]):
            if look is not None:
                album.add(index, index / film.fps, look, lambda look=look: look)
            for shot in shots.add(index, index / film.fps, look) if look is not None else shots.finish():
                start, end = shot.clear
                taken = album.take(shot.start_frame, shot.end_frame, shot.clear)
                assert 1 <= len(taken) <= 8
                assert all(start <= each.index < end for each in taken)
                assert all(each.image is looks[each.index] for each in taken)
                counted += 1
    assert counted >= 6


def test_of_a_long_shot_few_are_held_and_they_cover_it() -> None:
    album, made = Album(8), 0

    def large() -> np.ndarray:
        nonlocal made
        made += 1
        return GREY

    most = 0
    for index in range(25 * 600):
        album.add(index, index / 25, GREY, large)
        most = max(most, len(album))
    assert made == pytest.approx(2 * 600, abs=60)  # two a second
    assert most < 60
    taken = [each.t for each in album.take(0, 15000, (0, 15000))]
    assert len(taken) == 8
    assert max(np.diff([0.0, *taken, 600.0])) < 240  # early ones are thinned once and again, and some always stay
    assert taken[0] < 100 and taken[-1] > 400


def test_a_flickering_film_does_not_fill_memory() -> None:
    album = Album(8)
    for index in range(1000):
        album.add(index, index / 25, np.full((64, 64, 3), 255 * (index % 2), np.uint8), lambda: GREY)
        assert len(album) <= MOST + 17


def test_what_is_known_late_is_not_thinned_before() -> None:
    """At a frame a second a cut is known a dozen frames later: until then each picture may be of another shot."""
    album = Album(2)
    for index in range(24):
        album.add(index, float(index), GREY, lambda: GREY)
    assert [each.index for each in album.take(3, 6, (3, 6))] == [3, 4]
    assert [each.index for each in album.take(6, 7, (6, 7))] == [6]


def test_pictures_of_transitions_are_the_second_choice_and_others_the_third() -> None:
    album = Album(4)
    for index in range(0, 100, 10):
        album.add(index, index / 10, GREY, lambda: GREY)
    assert [each.index for each in album.take(0, 35, (5, 25))] == [10, 20]
    assert [each.index for each in album.take(35, 45, (41, 44))] == [40]
    assert [each.index for each in album.take(45, 49, (45, 49))] == [50], "none is of it: the nearest"
    assert [each.index for each in album.take(49, 100, (49, 100))] == [50, 60, 70, 80]
    assert [each.index for each in album.take(100, 102, (100, 102))] == [90]
    assert Album(4).take(0, 5, (0, 5)) == []


def test_spread_is_even_whatever_is_crowded() -> None:
    crowd = [picture(index) for index in [*range(20), 100, 200, 300, 400]]
    assert [each.index for each in spread(crowd, 4)] == [19, 100, 200, 300] or [
        each.index for each in spread(crowd, 4)] == [19, 100, 200, 400]
    assert spread(crowd[:3], 5) == crowd[:3]
    assert [each.index for each in spread([picture(index) for index in range(100)], 2)] == [25, 74]


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="most: got 0"):
        Album(0)
