"""Videos of a folder that are one video: clusters of what covers each other, which of them is best kept, records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vtk.copies.matches import Match
from vtk.records import Record, make
from vtk.sharing import shared_out

# Share of both videos that has to be copied for them to be one.
COVERAGE = 0.8


@dataclass(frozen=True, slots=True)
class Video:
    """A video as it may be kept.

    Attributes:
        name: as its footprint and matches call it.
        duration: seconds.
        width, height: pixels.
        bitrate: bits per second; None where it is not known.
    """

    name: str
    duration: float
    width: int
    height: int
    bitrate: float | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Videos that are one.

    Attributes:
        videos: their names, in the order given.
        keep: the best of them.
    """

    videos: tuple[str, ...]
    keep: str


def clusters(videos: Sequence[Video], matches: Iterable[tuple[str, Match]], coverage: float = COVERAGE,
             clips: bool = False) -> list[Cluster]:
    """Return the clusters of two videos or more that copies connect, in the order of their first videos.

    Two are connected where the copied spans cover ``coverage`` of both. With ``clips`` it is enough that they cover
    that much of one, so a clip is in the cluster of the film that has it; but then two films are one cluster as soon
    as a third has both.

    Args:
        videos: all that may be in a cluster.
        matches: each with the name of its query; both sides among the videos. Matches within a video do nothing.
        coverage: in (0, 1].
        clips: see above.

    Raises:
        ValueError: a name is not among the videos or is twice, or coverage is not as said.
    """
    places = {video.name: place for place, video in enumerate(videos)}
    if len(places) < len(videos):
        raise ValueError(f"videos: got {len(videos)} with {len(places)} names, expected each name once")
    if not 0 < coverage <= 1:
        raise ValueError(f"coverage: got {coverage}, expected a share above 0, at most 1")
    spans: dict[tuple[int, int], list[tuple[float, float, float, float]]] = {}
    for query, match in matches:
        for name in (query, match.ref):
            if name not in places:
                raise ValueError(f"matches: got one of {name!r}, which is not among the videos")
        one, other = places[query], places[match.ref]
        sides = (match.start, match.end, match.ref_start, match.ref_end)
        sides = sides if one < other else (*sides[2:], *sides[:2])
        if one != other:
            spans.setdefault((min(one, other), max(one, other)), []).append(sides)
    parents = list(range(len(videos)))
    for (one, other), found in spans.items():
        shares = (_covered([span[:2] for span in found], videos[one].duration),
                  _covered([span[2:] for span in found], videos[other].duration))  # fmt: skip
        if (max(shares) if clips else min(shares)) >= coverage:
            roots = sorted((_root(parents, one), _root(parents, other)))
            parents[roots[1]] = roots[0]
    groups: dict[int, list[Video]] = {}
    for place, video in enumerate(videos):
        groups.setdefault(_root(parents, place), []).append(video)
    return [Cluster(tuple(video.name for video in group), best(group).name)
            for group in groups.values() if len(group) > 1]  # fmt: skip


def cluster_records(cluster: Cluster, by: str) -> list[Record]:
    """Return the records of a cluster: one, or several that share its videos out where a line has no room for all.

    Each says which cluster it is of, how many videos that has, and which is best kept; and a part of the videos, in
    order, one at least. The cluster's name is the same whenever it has the same videos.
    """
    names = "\0".join(sorted(cluster.videos)).encode("utf-8", "surrogatepass")
    whole = make("cluster", by, cluster=hashlib.blake2b(names, digest_size=8).hexdigest(), videos=len(cluster.videos),
                 keep=cluster.keep, sources=[])  # fmt: skip
    return shared_out(whole, cluster.videos)


def best(videos: Sequence[Video]) -> Video:
    """Return the video to keep: of most pixels, then of the highest bitrate, then the longest, then the first.

    The bitrate counts where all that have most pixels know theirs.

    Raises:
        ValueError: there are none.
    """
    if not videos:
        raise ValueError("videos: got none, expected one or more")
    most = max(video.width * video.height for video in videos)
    largest = [video for video in videos if video.width * video.height == most]
    known = all(video.bitrate is not None for video in largest)
    return max(largest, key=lambda video: (video.bitrate or 0.0 if known else 0.0, video.duration))


def _covered(spans: Iterable[tuple[float, float]], duration: float) -> float:
    """Return the share of a duration that spans cover, each second once."""
    total, reached = 0.0, 0.0
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total / duration if duration > 0 else 0.0


def _root(parents: list[int], place: int) -> int:
    while parents[place] != place:
        parents[place] = parents[parents[place]]
        place = parents[place]
    return place
