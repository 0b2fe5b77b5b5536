"""The videos of a run as references of each other."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from vtk.copies.clusters import Cluster, Video, clusters
from vtk.copies.footprint import Query
from vtk.copies.matches import Match
from vtk.copies.references import References
from vtk.driver.stage import Opening, Source
from vtk.media.names import is_stream, open_name


class _Others:
    """The names that a video is not compared with: its own, and those of videos that it was compared with."""

    def __init__(self, name: str, compared: set[frozenset[str]]) -> None:
        self._name, self._compared = name, compared
        self.asked: set[frozenset[str]] = set()  # pairs that were not passed over

    def __contains__(self, name: object) -> bool:
        pair = frozenset((self._name, str(name)))
        if len(pair) == 1 or pair in self._compared:
            return True
        self.asked.add(pair)
        return False


@dataclass(slots=True)
class Pairs:
    """Videos in the order in which they came; their footprints are among references, other views of them here.

    Attributes:
        opening: how they were opened.
    """

    _videos: list[Video] = field(default_factory=list)
    _views: dict[str, Query] = field(default_factory=dict)
    opening: Opening = Opening()
    _files: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, references: References, query: Query, source: Source) -> str | None:
        """Add a video; return the name under which its file is there already, and then do nothing.

        Args:
            references: take its footprint.
            query: what is seen of it.
            source: where it is.
        """
        whole, self.opening = query.whole, source.opening
        size = source.info.size if source.info is not None else None
        file = _file(source.name, source.path)
        if file is not None and (before := self._files.setdefault(file, whole.source)) != whole.source:
            return before
        references.add(whole)
        bitrate = size * 8 / whole.duration if size is not None and whole.duration > 0 else None
        self._videos.append(Video(whole.source, whole.duration, whole.width, whole.height, bitrate))
        if query.crops or query.mirrored is not None:
            self._views[whole.source] = query
        return None

    def queries(self, references: References) -> Iterator[tuple[Query, _Others]]:
        """Yield each video, the last one first, and the names that it is not compared with: each pair comes once."""
        compared: set[frozenset[str]] = set()
        for name in reversed([video.name for video in self._videos]):
            whole = references.footprint(name)
            query = replace(self._views[name], whole=whole) if name in self._views else Query(whole)
            others = _Others(name, compared)
            yield query, others
            compared |= others.asked

    def clusters(self, pairs: Iterable[tuple[str, Match]]) -> list[Cluster]:
        """Return the clusters that matches, each with the name of its query, make of the videos."""
        return clusters(self._videos, pairs)


def twins(sources: Iterable[str], root: str | None) -> dict[str, str]:
    """Return of each source that is the same file as one before it that one's name."""
    first: dict[tuple[int, int], str] = {}
    found: dict[str, str] = {}
    for source in sources:
        try:
            file = _file(source, open_name(source, root))
        except ValueError:  # said where it is opened
            continue
        if file is not None and (before := first.setdefault(file, source)) != source:
            found[source] = before
    return found


def _file(name: str, path: str) -> tuple[int, int] | None:
    """Return what tells the file of a source from others; None where it is none."""
    if is_stream(name) or not os.path.isfile(path):
        return None
    status = os.stat(path)
    return status.st_dev, status.st_ino
