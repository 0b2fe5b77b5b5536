"""Which boxes are cropped, and which folder each goes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtk.cropping.names import folder_name, track_name
from vtk.driver.stage import Record

if TYPE_CHECKING:
    from vtk.media.info import MediaInfo

TYPES = ("detection", "track", "text", "face", "species")
WHOLE = "species"  # without a box they are of the whole picture
BY = ("label", "track", "identity", "source", "type", "none")
_OF_TRACKS = ("track", "species")  # their track_id is a tracker's; those of others are their own
# Of records with one box the first of these stands for all.
_RANKS = {kind: rank for rank, kind in enumerate(("species", "face", "text", "track", "detection"))}

Names = Mapping[str, Mapping[int, int | str]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The boxes that are cropped.

    Attributes:
        types: their record types.
        classes: their labels, or types; empty takes all.
        min_score: the least score; what has none passes.
        min_size: pixels of the shorter side, inside the frame.
    """

    types: frozenset[str] = frozenset(TYPES)
    classes: frozenset[str] = frozenset()
    min_score: float = 0.0
    min_size: float = 0.0

    def takes(self, record: Record) -> bool:
        """Return whether a record is of one of them, as far as it says so itself."""
        return (("xyxy" in record or record["type"] == WHOLE) and record["type"] in self.types and record.get("score", 1.0) >= self.min_score
                and (not self.classes or label_of(record) in self.classes or record["type"] in self.classes))

    def fits(self, box: Sequence[float], width: int, height: int) -> bool:
        """Return whether so much of a box lies inside a frame of ``width`` × ``height`` pixels."""
        x1, y1, x2, y2 = box
        return min(min(x2, width) - max(x1, 0), min(y2, height) - max(y1, 0)) >= max(self.min_size, 1e-6)


def boxed(record: Record, info: MediaInfo | None) -> Record:
    """Return a record with its box; where it has none, that of the whole picture."""
    if "xyxy" in record or info is None:
        return record
    return record | {"xyxy": [0, 0, info.width, info.height]}


def label_of(record: Record) -> str:
    """Return what a record calls its box: its label, a face's verdict, the best guess at a species, else its type."""
    label = record.get("label") or record.get("verdict")
    if not label and record.get("topk"):
        label = record["topk"][0].get("label")
    return str(label or record["type"])


def track_of(record: Record) -> tuple[str, int] | None:
    """Return what tells the track of a box within its source; None where nobody follows it."""
    track = record.get("track_id")
    if track is None:
        return None
    return ("" if record["type"] in _OF_TRACKS else record["type"]), track


def group_of(record: Record, by: str, names: Names) -> int | str | None:
    """Return what a box is grouped by; None where it has nothing of that kind, '' where all are one."""
    if by == "none":
        return ""
    if by == "label":
        return label_of(record)
    if by == "track":
        track = track_of(record)
        return None if track is None else f"{record['source']}-{track[1]}" + (f"-{track[0]}" if track[0] else "")
    if by == "identity" and "identity" not in record and record["type"] in _OF_TRACKS:
        return names.get(record["source"], {}).get(record.get("track_id", -1))
    value = record.get(by)
    return value if isinstance(value, (int, str)) and not isinstance(value, bool) and value != "" else None


def folder_of(record: Record, by: str, group: int | str) -> str:
    """Return the name of the folder of a group; '' where crops lie beside the manifest."""
    if by == "track":
        return track_name(record["source"], str(group).removeprefix(f"{record['source']}-"))
    return folder_name(str(group)) if group != "" else ""


def distinct(records: Sequence[Record], followed: bool) -> list[int]:
    """Return the places of a frame's records that show each box once.

    Of records of several types with the same box there is one, that which says most; and no detection where tracks
    are made of them.

    Args:
        records: with boxes.
        followed: whether the source has tracks.
    """
    first: dict[tuple[float, ...], str] = {}
    for record in records:
        box, kind = tuple(record["xyxy"]), record["type"]
        if box not in first or _RANKS[kind] < _RANKS[first[box]]:
            first[box] = kind
    return [place for place, record in enumerate(records) if first[tuple(record["xyxy"])] == record["type"]
            and not (followed and record["type"] == "detection")]
