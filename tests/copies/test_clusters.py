"""Videos that cover each other are clusters, of which the best is kept."""

from __future__ import annotations

import pytest

from vtk.copies.clusters import Cluster, Video, best, cluster_records, clusters
from vtk.copies.matches import Match
from vtk.records import check_whole, dump
from vtk.sharing import LINE


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


@pytest.mark.parametrize("count", [2, 100, 3000])
@pytest.mark.parametrize("name", ["videos/holiday in the hills, part {}.mp4", "été/你好 \"{}\".mkv", "{}"])
def test_no_line_of_a_cluster_is_too_long_and_none_needs_another(count: int, name: str) -> None:
    names = tuple(name.format(number) for number in range(count))
    found = cluster_records(Cluster(names, names[-1]), "detect-copy/dct")
    lines = [dump(record) for record in found]
    assert all(len(line) + 1 < LINE for line in lines)
    assert [source for record in found for source in record["sources"]] == list(names)
    assert {(each["cluster"], each["videos"], each["keep"]) for each in found} == {(found[0]["cluster"], count, names[-1])}
    # As few as will do: the next name had no room.
    for line, after in zip(lines, found[1:], strict=False):
        assert len(line) + 1 + len(dump({"": after["sources"][0]})) - 4 >= LINE
    for record in found:
        check_whole(record)


def test_a_cluster_is_called_by_its_videos_alone() -> None:
    def name(*videos: str) -> str:
        return str(cluster_records(Cluster(videos, videos[0]), "x")[0]["cluster"])

    assert name("a", "b") == name("b", "a")
    assert len({name("a", "b"), name("a", "c"), name("a", "b", "c"), name("ab")}) == 4


def test_names_longer_than_a_line_are_on_a_line_each() -> None:
    names = tuple(letter * 5000 for letter in "abc")
    found = cluster_records(Cluster(names, names[1]), "x")
    assert [record["sources"] for record in found] == [[name] for name in names]


def test_wrong_clusters_are_refused() -> None:
    with pytest.raises(ValueError, match="each name once"):
        clusters([VIDEOS[0], VIDEOS[0]], [])
    with pytest.raises(ValueError, match="'z'"):
        clusters(VIDEOS, [("a", match("z", 0, 1, 0, 1))])
    with pytest.raises(ValueError, match="coverage"):
        clusters(VIDEOS, [], coverage=0)
