"""Tracklets: what is left of a track when it has ended."""

from __future__ import annotations

from dataclasses import dataclass, field

from vtk import records
from vtk.records import Record

# Pixels from the frame's border within which a box counts as cut off by it.
BORDER = 1.0


@dataclass(slots=True)
class Tracklet:
    """One track so far: its span and the observation that shows it best.

    Attributes:
        score: the sum of the scores, one an observation.
        rank: whether the best box keeps clear of the border, and its score × area.
        best: its frame and xyxy.
    """

    track_id: int
    labels: Record
    start_frame: int
    start: float
    last_frame: int = 0
    last_t: float = 0.0
    score: float = 0.0
    observations: int = 0
    rank: tuple[bool, float] = (False, -1.0)
    best: Record = field(default_factory=dict)


class Tracklets:
    """The open tracks of one tracker in one source.

    Args:
        by: the maker that their records name.
        source: the source's name.
        size: width and height of the displayed frame in pixels, where known.
    """

    def __init__(self, by: str, source: str, size: tuple[int, int] | None) -> None:
        self.by = by
        self.source = source
        self.size = size
        self._open: dict[int, Tracklet] = {}

    def add(self, track: Record) -> None:
        """Add an observation, a ``track`` record."""
        track_id, frame, t = track["track_id"], track["frame"], track["t"]
        tracklet = self._open.get(track_id)
        if tracklet is None:
            labels = {name: track[name] for name in ("label", "class_id") if name in track}
            tracklet = self._open[track_id] = Tracklet(track_id, labels, frame, t)
        tracklet.last_frame, tracklet.last_t = frame, t
        tracklet.score += track["score"]
        tracklet.observations += 1
        x1, y1, x2, y2 = box = track["xyxy"]
        worth = track["score"] * (x2 - x1) * (y2 - y1)
        clear, best = tracklet.rank
        # A box that keeps clear of the border beats every one that does not.
        if (worth > best or not clear) and (rank := (self._is_clear(box), worth)) > tracklet.rank:
            tracklet.rank, tracklet.best = rank, {"frame": frame, "xyxy": box}

    def labels(self, track_id: int) -> Record:
        """Return the label and class_id of an open track, as far as it has them."""
        return self._open[track_id].labels

    def close(self, track_ids: list[int], interval: float) -> list[Record]:
        """Return the ``tracklet`` records of tracks that ended, by last frame and id.

        Args:
            track_ids: which ended.
            interval: seconds from a frame to the next; a span ends that long after its last frame.
        """
        ended = sorted((self._open.pop(track_id) for track_id in track_ids),
                       key=lambda tracklet: (tracklet.last_frame, tracklet.track_id))
        return [self._record(tracklet, interval) for tracklet in ended]

    def _is_clear(self, box: list[float]) -> bool:
        if self.size is None:
            return True
        width, height = self.size
        return (box[0] > BORDER and box[1] > BORDER and box[2] < width - BORDER and box[3] < height - BORDER)

    def _record(self, tracklet: Tracklet, interval: float) -> Record:
        return records.make(
            "tracklet", self.by, self.source, track_id=tracklet.track_id,
            start=tracklet.start, end=round(tracklet.last_t + interval, 6),
            start_frame=tracklet.start_frame, end_frame=tracklet.last_frame + 1, **tracklet.labels,
            score=records.score(tracklet.score / tracklet.observations), observations=tracklet.observations,
            best=tracklet.best)
