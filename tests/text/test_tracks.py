"""Texts told apart by looks, place and words: each cue where the others fail, patience, and cuts."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.text.tracks import Cues, Sighting, TextTracks


def quad(x, y=100.0, width=80.0, height=20.0):
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], np.float32)


def seen(*texts, looks=None):
    """Return a sighting of (x, text) or (x, text, y); looks are unit vectors by number, None unknown."""
    features = np.zeros((len(texts), 8), np.float32)
    for row, look in enumerate(looks or []):
        if look is not None:
            features[row, look] = 1
    quads = [quad(each[0], *each[2:]) for each in texts]
    return Sighting(np.array(quads, np.float32).reshape(-1, 4, 2), features, [each[1] for each in texts])


def numbers(tracks):
    return [track.number for track in tracks]


def test_a_text_keeps_its_number():
    tracks = TextTracks()
    for frame in range(5):
        found, ended = tracks.update(frame, frame / 4, seen((10.0 + 5 * frame, "HELLO"), (300.0, "WORLD")))
        assert numbers(found) == [1, 2] and not ended
    assert [track.seen for track in tracks.open] == [5, 5]
    assert (tracks.open[0].frame, tracks.open[0].last_frame, tracks.open[0].last_t) == (0, 4, 1.0)


def test_words_tell_apart_what_stands_in_one_place():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "KITCHEN")))
    assert numbers(tracks.update(1, 0.25, seen((10.0, "BATHROOM")))[0]) == [2]
    assert numbers(tracks.update(2, 0.5, seen((10.0, "BATHR0OM")))[0]) == [2]


def test_words_find_a_text_that_moved_beyond_its_overlap():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "KITCHEN"), (10.0, "BATHROOM", 160.0)))
    found, _ = tracks.update(1, 0.25, seen((10.0, "BATHROOM", 190.0), (10.0, "KITCHEN", 130.0)))
    assert numbers(found) == [2, 1]


def test_looks_tell_apart_words_that_are_the_same():
    """Two equal words pass each other; only their looks differ."""
    for looks, expected in (([0, 1], [2, 1]), ([None, None], [1, 2])):
        tracks = TextTracks()
        tracks.update(0, 0.0, seen((10.0, "SALE"), (70.0, "SALE"), looks=looks))
        found, _ = tracks.update(1, 0.25, seen((30.0, "SALE"), (50.0, "SALE"), looks=looks[::-1]))
        assert numbers(found) == expected


def test_each_cue_can_be_left_out():
    blind = TextTracks(Cues(semantic=0.0, overlap=2.0))
    blind.update(0, 0.0, seen((10.0, "KITCHEN")))
    assert numbers(blind.update(1, 0.25, seen((10.0, "BATHROOM")))[0]) == [1]
    nowhere = TextTracks(Cues(position=0.0, visual=0.0, overlap=2.0))
    nowhere.update(0, 0.0, seen((10.0, "KITCHEN")))
    assert numbers(nowhere.update(1, 0.25, seen((100.0, "KITCHEN")))[0]) == [1]


def test_the_far_end_of_the_picture_is_another_text():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "EXIT"), looks=[0]))
    assert numbers(tracks.update(1, 0.25, seen((900.0, "EXIT"), looks=[0]))[0]) == [2]


def test_looks_are_averaged_and_unknown_ones_teach_nothing():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "A"), looks=[0]))
    tracks.update(1, 0.1, seen((10.0, "A"), looks=[1]))
    expected = np.array([0.5**0.5, 0.5**0.5])
    np.testing.assert_allclose(tracks.open[0].feature[:2], expected, rtol=1e-6)
    tracks.update(2, 0.2, seen((10.0, None), looks=[None]))
    np.testing.assert_allclose(tracks.open[0].feature[:2], expected, rtol=1e-6)
    assert tracks.open[0].text == "A"


@pytest.mark.parametrize(("gap", "same"), [(1.0, True), (1.01, False)])
def test_a_lost_text_is_waited_for(gap, same):
    tracks = TextTracks(patience=1.0)
    tracks.update(0, 0.0, seen((10.0, "HELLO")))
    tracks.update(1, 0.5, seen())
    assert tracks.open[0].lost
    found, ended = tracks.update(2, gap, seen((10.0, "HELLO")))
    assert numbers(found) == ([1] if same else [2]) and numbers(ended) == ([] if same else [1])


def test_a_cut_ends_all():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "HELLO"), (200.0, "WORLD")))
    assert numbers(tracks.finish()) == [1, 2] and not tracks.open
    assert numbers(tracks.update(1, 0.25, seen((10.0, "HELLO")))[0]) == [3]


def test_nothing_and_nothing():
    tracks = TextTracks()
    assert tracks.update(0, 0.0, seen()) == ([], []) and tracks.finish() == []


def test_what_is_seen_of_a_hidden_text_is_that_text():
    """A bar passes over it: first its end is seen, then its beginning, and neither says what the other does."""
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "RESERVED")))
    [end] = tracks.update(1, 0.25, Sighting(quad(60.0, width=30.0)[None], np.zeros((1, 8), np.float32), ["VED"]))[0]
    assert (end.number, end.text, end.says) == (1, "VED", "RESERVED")
    np.testing.assert_allclose(end.whole, quad(10.0))
    [start] = tracks.update(2, 0.5, Sighting(quad(10.0, width=30.0)[None], np.zeros((1, 8), np.float32), ["RES"]))[0]
    assert start.number == 1
    # What stays short for longer than the patience is all that there is.
    for frame, t in ((3, 0.9), (4, 1.3)):
        [short] = tracks.update(frame, t, Sighting(quad(10.0, width=30.0)[None], np.zeros((1, 8), np.float32),
                                                   ["RES"]))[0]
    assert (short.number, short.says) == (1, "RES")


def test_a_text_beside_or_of_another_height_is_no_part():
    tracks = TextTracks()
    tracks.update(0, 0.0, seen((10.0, "RESERVED")))
    small = np.array([quad(20.0, 104.0, 25.0, 8.0), quad(80.0, 100.0, 30.0)])
    found, _ = tracks.update(1, 0.25, Sighting(small, np.zeros((2, 8), np.float32), ["SEATS", "GATES"]))
    assert numbers(found) == [2, 3]


def test_a_text_that_was_out_of_sight_has_moved_on():
    tracks = TextTracks()
    for frame in range(3):
        tracks.update(frame, frame / 4, seen((10.0 + 60 * frame, "EXIT")))
    tracks.update(3, 0.75, seen())
    np.testing.assert_allclose(tracks.open[0].expected(1.0), quad(250.0), atol=1e-4)
    assert numbers(tracks.update(4, 1.0, seen((250.0, "EXIT")))[0]) == [1]


def test_what_is_hidden_is_followed_along():
    track = TextTracks().update(0, 0.0, seen((10.0, "RESERVED")))[0][0]
    track.quad = quad(10.0, width=40.0)
    track.move(quad(30.0, 110.0, 40.0))
    np.testing.assert_allclose(track.whole, quad(30.0, 110.0), atol=1e-4)


def test_what_looks_the_same_is_misread():
    for looks, expected in ((0, [1]), (1, [2])):
        tracks = TextTracks()
        tracks.update(0, 0.0, seen((10.0, "KITCHEN"), looks=[0]))
        assert numbers(tracks.update(1, 0.25, seen((10.0, "BATHROOM"), looks=[looks]))[0]) == expected
