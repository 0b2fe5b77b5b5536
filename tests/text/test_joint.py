"""A feature that is learnt from looks, place and words decides alone; place comes after it, and words may forbid that."""

from __future__ import annotations

import numpy as np

from vtk.text.tracks import JOINT, Sighting, TextTracks


def seen(*texts: tuple[float, str, float]) -> Sighting:
    """Return a sighting of (x, text, angle of its feature in degrees), 80 x 20 pixels each."""
    quads = [[[x, 100], [x + 80, 100], [x + 80, 120], [x, 120]] for x, _, _ in texts]
    angles = np.radians([angle for _, _, angle in texts])
    features = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Sighting(np.array(quads, np.float32), features, [text for _, text, _ in texts])


def follow(*sightings: Sighting) -> list[int]:
    """Return the numbers of the tracks in the last of ``sightings``."""
    tracks = TextTracks(JOINT)
    for frame, sighting in enumerate(sightings):
        found, _ = tracks.update(frame, frame / 4, sighting)
    return [track.number for track in found]


def test_the_feature_decides_against_place_and_words() -> None:
    """Two texts swap places; and one whose reading fails altogether stays the same where its feature is."""
    before = seen((10, "KITCHEN", 0), (120, "BATHROOM", 90))
    assert follow(before, seen((10, "BATHROOM", 90), (120, "KITCHEN", 0))) == [2, 1]
    assert follow(before, seen((10, "XQZJWV", 10), (120, "BATHROOM", 90))) == [1, 2]


def test_a_cosine_of_a_half_is_the_limit() -> None:
    """59 and 61 degrees, 70 pixels on: beyond the limit nothing else speaks for it, for it does not overlap enough."""
    assert follow(seen((10, "EXIT", 0)), seen((80, "EXIT", 59))) == [1]
    assert follow(seen((10, "EXIT", 0)), seen((80, "EXIT", 61))) == [2]


def test_place_is_second_and_transcripts_may_forbid_it() -> None:
    """With another feature: 15 pixels on is an IoU of 0.68, 25 of 0.52."""
    assert follow(seen((10, "KITCHEN", 0)), seen((25, "KITCHFN", 90))) == [1]
    assert follow(seen((10, "KITCHEN", 0)), seen((35, "KITCHEN", 90))) == [2]
    assert follow(seen((10, "KITCHEN", 0)), seen((25, "BATHROOM", 90))) == [2]
