"""The videos of a run as references of each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from vtk.copies.clusters import Cluster, Video, clusters
from vtk.copies.footprint import Query
from vtk.copies.matches import Match
from vtk.copies.references import References


class _Others:
    """The names that a video is not compared with: its own, and those of the videos that come after it."""

    def __init__(self, places: dict[str, int], place: int) -> None:
        self._places, self._place = places, place

    def __contains__(self, name: object) -> bool:
        return self._places.get(str(name), self._place) >= self._place


@dataclass(slots=True)
class Pairs:
    """Videos in the order in which they came; their footprints are among references, other views of them here."""

    _videos: list[Video] = field(default_factory=list)
    _views: dict[str, Query] = field(default_factory=dict)

    def add(self, references: References, query: Query, size: int | None) -> None:
        """Add a video.

        Args:
            references: take its footprint.
            query: what is seen of it.
            size: bytes of its file; None where it is none.
        """
        whole = query.whole
        references.add(whole)
        bitrate = size * 8 / whole.duration if size is not None and whole.duration > 0 else None
        self._videos.append(Video(whole.source, whole.duration, whole.width, whole.height, bitrate))
        if query.crops or query.mirrored is not None:
            self._views[whole.source] = query

    def queries(self, references: References) -> Iterator[tuple[Query, _Others]]:
        """Yield each video, and the names of those that it is not compared with, so that each pair comes once."""
        places = {video.name: place for place, video in enumerate(self._videos)}
        for name, place in places.items():
            whole = references.footprint(name)
            query = replace(self._views[name], whole=whole) if name in self._views else Query(whole)
            yield query, _Others(places, place)

    def clusters(self, pairs: Iterable[tuple[str, Match]]) -> list[Cluster]:
        """Return the clusters that matches, each with the name of its query, make of the videos."""
        return clusters(self._videos, pairs)
