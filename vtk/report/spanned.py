"""What records say of spans, drawn onto their frames: scenes in the corner, the species of a track on its box."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from vtk.records import Record

SPANNED = ("scene", "species")
_ROUNDING = 1e-6  # seconds


class Spanned:
    """The scenes of a source, and the species of its tracks and of its whole.

    Attributes:
        late: whether a record came that the frames before it should have had.
    """

    def __init__(self) -> None:
        self.late = False
        self._spans: list[tuple[float, float, Record]] = []
        self._longest = 0.0
        self._tracks: dict[int, Record] = {}

    def take(self, records: Sequence[Record], begun: bool) -> None:
        """Take records that belong to no frame; ``begun`` is whether frames were drawn already."""
        for record in records:
            if record["type"] not in SPANNED or "start" not in record or "end" not in record:
                continue
            self.late |= begun
            if "track_id" in record:
                self._tracks[record["track_id"]] = record
            else:
                self._spans.append((record["start"], record["end"], record))
                self._longest = max(self._longest, record["end"] - record["start"])
        self._spans.sort(key=lambda span: span[:2])

    def at(self, t: float) -> list[Record]:
        """Return what is said of the frame at ``t`` seconds, in the order in which it began."""
        # None that began longer ago than the longest lasts; a film has thousands, and this is asked for each frame.
        first = bisect_left(self._spans, t - self._longest - _ROUNDING, key=lambda span: span[0])
        some = self._spans[first:bisect_right(self._spans, t, key=lambda span: span[0])]
        return [record for start, end, record in some if start <= t < end or start == t == end]

    def named(self, record: Record) -> Record:
        """Return a track's record, with the species as ``named`` where that is known, or guessed."""
        species = self._tracks.get(record.get("track_id", -1)) if record["type"] == "track" else None
        if species is None:
            return record
        name = species.get("common") or species.get("label")
        if name is None and (guess := next(iter(species["topk"]), None)) is not None:
            name = f"{guess['label']}?"
        return record | {"named": name} if name else record
