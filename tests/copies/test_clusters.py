"""Videos that cover each other are clusters, of which the best is kept."""

from __future__ import annotations

import pytest

from vtk.copies.clusters import Video, best, clusters
from vtk.copies.matches import Match


def match(ref: str, start: float, end: float, ref_start: float, ref_end: float) -> Match:
    return Match(ref, start, end, ref_start, ref_end, 0.9, (ref_end - ref_start) / (end - start))


VIDEOS = [Video("a", 100, 1280, 720, 2e6), Video("b", 95, 1280, 720, 3e6), Video("c", 20, 1920, 1080, None),
          Video("d", 100, 640, 360, 1e6), Video("e", 50, 640, 360, 1e6)]  # fmt: skip


def test_what_covers_each_other_is_a_cluster() -> None:
    found = [("a", match("b", 5, 50, 0, 45)), ("b", match("a", 45, 95, 50, 100)),  # in two parts, either way round
             ("d", match("a", 0, 90, 0, 90)), ("c", match("a", 0, 20, 10, 30)),
             ("a", match("a", 0, 20, 60, 80))]  # fmt: skip
    (cluster,) = clusters(VIDEOS, found)
    assert cluster.videos == ("a", "b", "d") and cluster.keep == "b"
    (cluster,) = clusters(VIDEOS, found, clips=True)
    assert cluster.videos == ("a", "b", "c", "d") and cluster.keep == "c"
    assert [each.videos for each in clusters(VIDEOS, found, coverage=0.92)] == [("a", "b")]


def test_seconds_that_two_matches_cover_count_once() -> None:
    twice = [("a", match("d", 0, 50, 0, 50)), ("a", match("d", 10, 50, 10, 50))]
    assert clusters(VIDEOS, twice) == [] and len(clusters(VIDEOS, twice, coverage=0.5)) == 1


def test_the_best_has_most_pixels_then_bitrate_then_length() -> None:
    small, long = Video("s", 10, 640, 360, 9e6), Video("l", 12, 1280, 720, 1e6)
    rich = Video("r", 10, 1280, 720, 2e6)
    assert best([small, long, rich]) == rich
    # A bitrate that one of them does not know decides nothing.
    assert best([small, long, Video("r", 10, 1280, 720)]) == long
    assert best([small, Video("t", 10, 640, 360, 9e6)]) == small
    with pytest.raises(ValueError, match="got none"):
        best([])


def test_wrong_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="each name once"):
        clusters([VIDEOS[0], VIDEOS[0]], [])
    with pytest.raises(ValueError, match="'z'"):
        clusters(VIDEOS, [("a", match("z", 0, 1, 0, 1))])
    with pytest.raises(ValueError, match="coverage"):
        clusters(VIDEOS, [], coverage=0)
