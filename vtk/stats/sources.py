"""What is known of one source: a row that stays small, since there may be many."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from vtk.records import Record

STATUSES = ("ok", "partial", "failed")  # from good to bad
NO_END = "without end"


@dataclass(slots=True)
class SourceRow:
    """Counts of one source.

    Attributes:
        types: records by type.
        frames: frames with records.
        processed: frames that a command looked at: of several commands the most.
        status: the worst that an end record says; NO_END where there is none.
        kind, duration, size, width, height, fps, codec: of its media record.
    """

    types: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    processed: int = 0
    errors: int = 0
    status: str = NO_END
    kind: str = ""
    duration: float = 0.0
    size: int = 0
    width: int = 0
    height: int = 0
    fps: float = 0.0
    codec: str = ""

    def media(self, record: Record) -> None:
        """Take what a media record says."""
        self.kind, self.width, self.height = record["kind"], record["width"], record["height"]
        self.duration, self.size = record.get("duration", self.duration), record.get("size", self.size)
        self.fps, self.codec = record.get("fps", self.fps), record.get("codec", self.codec)

    def end(self, status: str, frames: dict[str, int]) -> None:
        """Take what an end record says."""
        if self.status == NO_END or STATUSES.index(status) > STATUSES.index(self.status):
            self.status = status
        self.processed = max(self.processed, frames.get("processed", 0))

    def table(self, name: str) -> dict[str, Any]:
        """Return the row as JSON types, absent ones left out."""
        row: dict[str, Any] = {"source": name, "status": self.status, "records": sum(self.types.values()),
                               "types": dict(self.types.most_common()), "frames": self.frames,
                               "processed": self.processed, "errors": self.errors}
        known = {"kind": self.kind, "duration": self.duration, "size": self.size, "width": self.width,
                 "height": self.height, "fps": self.fps, "codec": self.codec}
        return row | {key: value for key, value in known.items() if value}
