"""What is noted of one source while its records come: little, however many they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise

from vtk.records import Record

BINS = 240  # of a source's time; where it lasts longer each stands for twice as long as before
_FIRST_BIN = 1 / 32  # seconds

# What follows one thing, and the type that tells of it as a whole.
WHOLE_OF = {"track": "tracklet", "text": "text_track", "face": "face_track"}
MOST_TRACKS = 20_000  # of one source that are noted
TrackKey = tuple[str, str, int]  # type of its records, their maker, its number


@dataclass(slots=True)
class Followed:
    """What is known of a track by its records of frames: its span, and the box that shows it best."""

    first: float
    last: float
    count: int = 0
    label: str = ""
    worth: float = -1.0
    frame: int = 0
    xyxy: list[float] = field(default_factory=list)

    def see(self, record: Record, t: float, score: float) -> None:
        """Note a record of it at ``t`` seconds."""
        self.last = t
        self.count += 1
        x1, y1, x2, y2 = box = record["xyxy"]
        worth = score * (x2 - x1) * (y2 - y1)
        if worth > self.worth:
            self.worth, self.frame, self.xyxy = worth, record["frame"], box
            self.label = record.get("label") or record.get("text") or record.get("verdict") or ""


class Density:
    """How many things were in sight, over a source's time."""

    def __init__(self) -> None:
        self.width = _FIRST_BIN
        self._things, self._frames = [0] * BINS, [0] * BINS

    def add(self, t: float, things: int) -> None:
        """Count ``things`` of a frame at ``t`` seconds."""
        place = int(max(0.0, t) / self.width)
        while place >= BINS:
            self.width *= 2
            self._things = [*map(sum, zip(self._things[::2], self._things[1::2])), *[0] * (BINS // 2)]
            self._frames = [*map(sum, zip(self._frames[::2], self._frames[1::2])), *[0] * (BINS // 2)]
            place = int(t / self.width)
        self._things[place] += things
        self._frames[place] += 1

    def means(self) -> list[float]:
        """Return things a frame of each bin up to the last that has frames; where frames are skipped, as before."""
        known = [place for place, frames in enumerate(self._frames) if frames]
        steps = sorted(after - before for before, after in pairwise(known))
        usual = steps[len(steps) // 2] if steps else 1  # bins from a frame that was looked at to the next
        found = [0.0] * (known[-1] + 1 if known else 0)
        for place, after in zip(known, [*known[1:], len(found)], strict=True):
            mean = round(self._things[place] / self._frames[place], 2)
            found[place:min(after, place + 2 * usual)] = [mean] * (min(after, place + 2 * usual) - place)
        return found


@dataclass(slots=True)
class Notes:
    """What is known of one source.

    Attributes:
        counts: records by type.
        followed: its tracks, until they are told as spans.
        whole: tracks of which a record of the whole came.
        unnoted: tracks beyond MOST_TRACKS.
        last: seconds, the latest moment that a record is of.
        ledgers: of its ``end`` records, status by maker.
        fatal: whether an error was fatal to it.
        shown: spans of shots and scenes, of which pictures are made.
    """

    name: str
    number: int
    counts: Counter[str] = field(default_factory=Counter)
    followed: dict[TrackKey, Followed] = field(default_factory=dict)
    best: dict[str, Followed] = field(default_factory=dict)
    whole: set[TrackKey] = field(default_factory=set)
    unnoted: int = 0
    last: float = 0.0
    density: Density | None = None
    media: Record | None = None
    ledgers: dict[str, str] = field(default_factory=dict)
    frames: int = 0
    fatal: bool = False
    shown: list[tuple[float, float]] = field(default_factory=list)

    def see(self, record: Record, t: float) -> None:
        """Note a box of a frame."""
        kind = record["type"]
        score = record.get("score", record.get("live_score", 1.0))
        number = record.get("track_id")
        if number is None:
            name = record.get("label") or record.get("verdict") or record.get("text") or kind
            if name not in self.best and len(self.best) >= MOST_TRACKS:
                return
            self.best.setdefault(name, Followed(t, t)).see(record, t, score)
            return
        key = kind, record["by"], number
        found = self.followed.get(key)
        if found is None:
            if len(self.followed) >= MOST_TRACKS:
                self.unnoted += 1
                return
            found = self.followed[key] = Followed(t, t)
        found.see(record, t, score)

    @property
    def status(self) -> str:
        """The worst that its ledgers say; ``unknown`` where none came."""
        said = set(self.ledgers.values())
        worst = next((status for status in ("failed", "partial", "ok") if status in said), "unknown")
        return "failed" if self.fatal and worst == "unknown" else worst

    def forget(self) -> None:
        """Let go of what was needed while it was open."""
        self.followed, self.best, self.whole, self.shown = {}, {}, set(), []
