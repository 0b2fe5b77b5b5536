"""The tracks of one source: their best views so far, and what was made of them when they had ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.errors import RecordError
from vtk.media.info import MediaInfo
from vtk.records import Record
from vtk.reid.views import Choice, View, Views, cut, plain_worths, sharpness

# Seconds unseen after which a track's crops are embedded, though nobody said that it ended: memory has a bound.
IDLE = 30.0
# Tracks met, at least, before those unseen for so long are forgotten as to which moments they had a view of.
CROWD = 1000

Embed = Callable[[Sequence[np.ndarray]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Followed:
    """What is known of a track at last.

    Attributes:
        start, end: seconds, end exclusive.
        vector: (D,) float32 of unit length; None where no crop shows anything.
        crops: how many it is the mean of.
    """

    track_id: int
    start: float
    end: float
    label: str | None
    vector: np.ndarray | None
    crops: int


@dataclass(slots=True)
class _Track:
    """One track so far; ``views`` is None once its vector is made of them."""

    label: str | None
    start: float
    last: float
    views: Views | None
    vector: np.ndarray | None = None
    crops: int = 0


class Following:
    """The tracks of one source.

    Args:
        embed: gives vectors (N, D) float32 of unit length for crops.
        batch: crops that it likes to have at a time: so many may wait for each other.
        most: crops that a track's vector is the mean of, at most.
        classes: labels that are taken; empty: all. Without a label all are.
        info: of the source, where it is known.

    Attributes:
        tracks: those that were met, by id.
        left_out: labels that were met and not taken.
        blank: ids of tracks that no crop shows, once finished.
    """

    def __init__(self, embed: Embed, batch: int, most: int, classes: Sequence[str], info: MediaInfo | None) -> None:
        self.tracks: dict[int, _Track] = {}
        self.left_out: set[str] = set()
        self.blank: list[int] = []
        self._embed, self._batch, self._most, self._classes = embed, batch, most, frozenset(classes)
        self._fps = info.fps if info is not None and info.fps else None
        self._still = info is not None and info.kind == "image"
        self._by: str | None = None
        self._open: set[int] = set()  # seen of late
        self._due: list[int] = []  # ended, and not made a vector of yet
        self._ending: dict[int, float] = {}  # the frame or second from which a track is not seen any more
        self._frame, self._t = -1, 0.0
        self._choices: dict[int, Choice] = {}
        self._crowd = CROWD
        self._chosen: dict[int, dict[int, float]] = {}  # of frames that were picked from and not looked at yet

    def pick(self, index: int, t: float, records: Sequence[Record], size: tuple[int, int]) -> bool:
        """Choose among the tracks of a frame those worth a look at its pixels; return whether there is one.

        May run ahead of ``look``, in another thread; the arguments are those of ``look``.
        """
        self._chosen[index] = chosen = self._choose(t, records, size)
        return bool(chosen)

    def look(self, index: int, t: float, records: Sequence[Record], size: tuple[int, int],
             picture: Callable[[], np.ndarray]) -> None:
        """Take views of the tracks of a frame, where they are worth it, and close those that ended.

        Args:
            index, t: the frame and its seconds.
            records: all its ``track`` records: those of other classes may stand before the ones that are taken.
            size: width and height of the frame in pixels.
            picture: gives (H, W, 3) uint8 RGB in source pixels; asked for only where a crop is wanted.

        Raises:
            RecordError: the tracks are of two makers.
        """
        self._frame, self._t = index, t
        self._close()
        chosen = self._chosen.pop(index, None)
        if chosen is None:
            chosen = self._choose(t, records, size)
        for row, record in enumerate(records):
            if self._takes(record):
                self._see(record, chosen.get(row, 0.0), picture, t)

    def ends(self, record: Record) -> None:
        """Hear that a track ends, by its ``tracklet`` record; it may come before the track's last frames."""
        if "end_frame" in record:
            self._ending[record["track_id"]] = record["end_frame"]

    def finish(self) -> list[Followed]:
        """Return all tracks by id, and note those that no crop shows in ``blank``."""
        self._pool([number for number, track in self.tracks.items() if track.views is not None])
        self.blank = sorted(number for number, track in self.tracks.items() if track.vector is None)
        interval = 0.0 if self._still else 1 / self._fps if self._fps else self._t / max(self._frame, 1)
        return [Followed(number, track.start, track.last + interval, track.label, track.vector, track.crops)
                for number, track in sorted(self.tracks.items())]

    def _choose(self, t: float, records: Sequence[Record], size: tuple[int, int]) -> dict[int, float]:
        """Return which of a frame's tracks are worth a look, by row, and their plain worths."""
        if not any(self._wants(record) for record in records):
            return {}
        boxes = np.array([record["xyxy"] for record in records], np.float64).reshape(-1, 4)
        scores = np.array([record["score"] for record in records], np.float64)
        chosen: dict[int, float] = {}
        for row, worth in enumerate(plain_worths(boxes, scores, *size).tolist()):
            number = records[row]["track_id"]
            if self._wants(records[row]) and self._choices.setdefault(number, Choice(self._most)).takes(worth, t):
                chosen[row] = worth
        if len(self._choices) > self._crowd:
            self._choices = {number: choice for number, choice in self._choices.items() if t - choice.last <= IDLE}
            self._crowd = max(CROWD, 2 * len(self._choices))
        return chosen

    def _wants(self, record: Record) -> bool:
        """Return whether a track is of a class that is taken."""
        label = record.get("label")
        return not self._classes or label is None or label in self._classes

    def _takes(self, record: Record) -> bool:
        """Return whether a track is one of those that are taken, and remember those that are not."""
        by = record.get("by")
        if not self._wants(record):
            self.left_out.add(record["label"])
            return False
        if by != self._by and self.tracks:
            raise RecordError(f"tracks of two makers, {self._by} and {by}: their ids are apart; keep one with jq "
                              "'select(.by == …)'")
        self._by = by
        return True

    def _see(self, record: Record, plain: float, picture: Callable[[], np.ndarray], t: float) -> None:
        """Take a view of a track where it is chosen: its plain worth is not 0 then."""
        track = self.tracks.get(record["track_id"])
        if track is None:
            track = self.tracks[record["track_id"]] = _Track(record.get("label"), t, t, Views(self._most))
        track.last = t
        self._open.add(record["track_id"])
        if track.views is None or plain <= 0:
            return
        crop = cut(picture(), record["xyxy"])
        track.views.add(View(plain * sharpness(crop), self._frame, t, crop))

    def _close(self) -> None:
        """Embed the tracks that ended before this frame, and the crops of those not seen for long."""
        ended = [number for number, end in self._ending.items() if end <= self._frame]
        for number in ended:
            del self._ending[number]
            self._open.discard(number)
        self._due += [number for number in ended if number in self.tracks and number not in self._due
                      and self.tracks[number].views is not None]
        if len(self._due) * self._most >= self._batch:
            self._pool(self._due)
            self._due = []
        for number in [number for number in self._open if self._t - self.tracks[number].last > IDLE]:
            self._open.discard(number)
            self._fill(self.tracks[number].views.settle())  # type: ignore[union-attr]

    def _pool(self, numbers: Sequence[int]) -> None:
        """Make the vectors of tracks: the mean of those of their best views, at unit length; then forget the views."""
        chosen = {number: self.tracks[number].views.best() for number in numbers}  # type: ignore[union-attr]
        self._fill([view for views in chosen.values() for view in views])
        for number, views in chosen.items():
            track = self.tracks[number]
            track.views, track.crops = None, len(views)
            total = np.sum([view.vector for view in views], axis=0, dtype=np.float64) if views else np.zeros(1)
            if (length := float(np.linalg.norm(total))) > 0:
                track.vector = (total / length).astype(np.float32)

    def _fill(self, views: Sequence[View]) -> None:
        """Embed the views that have no vector yet, all in one call, and let go of their crops."""
        fresh = [view for view in views if view.vector is None]
        if not fresh:
            return
        for view, vector in zip(fresh, self._embed([view.crop for view in fresh]), strict=True):  # type: ignore[misc]
            view.vector, view.crop = vector, None
