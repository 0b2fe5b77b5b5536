"""How often verdicts change along a track: of single frames, of all frames so far, of the last second."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import cv2
import numpy as np

from vtk.liveness.decision import Thresholds
from vtk.liveness.fusion import Fusion
from vtk.records import Record

TRUE = {"live": "live", "replay": "spoof"}


@dataclass(slots=True)
class Counts:
    """Of one way to judge: its verdicts, how often one differs from the one before it, and how often it is wrong.

    Attributes:
        verdicts: given, one a frame of each track.
        flips: verdicts other than the one before on the same track.
        reversals: live after spoof or spoof after live, with any number of unsure ones between.
        wrong: live on a replay, or spoof on a live face.
        wrong_live: of these, spoof on a live face.
        unsure: neither.
    """

    verdicts: int = 0
    flips: int = 0
    reversals: int = 0
    wrong: int = 0
    wrong_live: int = 0
    unsure: int = 0

    def add(self, verdicts: Sequence[str], truth: str) -> None:
        """Count the verdicts along one track."""
        sure = [verdict for verdict in verdicts if verdict != "unsure"]
        self.verdicts += len(verdicts)
        self.flips += sum(a != b for a, b in pairwise(verdicts))
        self.reversals += sum(a != b for a, b in pairwise(sure))
        wrong = sum(verdict != truth for verdict in sure)
        self.wrong += wrong
        self.wrong_live += wrong if truth == "live" else 0
        self.unsure += len(verdicts) - len(sure)


@dataclass(slots=True)
class Tally:
    """What was counted: by way to judge, and how many tracks there were, by what they truly are."""

    ways: dict[str, Counts] = field(default_factory=dict)
    tracks: dict[str, int] = field(default_factory=dict)
    outside: int = 0
    mixed: int = 0


def count(records: Iterable[Record], truth: dict[str, Any], window: int) -> Tally:
    """Count the verdicts along the tracks of ``face`` records of a clip.

    A track belongs to the take in which all of its faces lie, each with its middle in the picture's corners. Faces
    elsewhere are ``outside`` (a face mirrored at the picture's edge), tracks over two takes ``mixed``: neither counts.

    Args:
        records: of ``vtk face-antispoof CLIP --frames``; other types are passed over.
        truth: of the clip, by ``vtk.liveness.replay``.
        window: frames of a track that the windows hold.
    """
    tally = Tally({"frame": Counts(), "window": Counts(), "prefix": Counts()})
    tracks: dict[int, list[tuple[int, Record]]] = {}
    for record in records:
        if record["type"] == "face" and "track_id" in record:
            take = _take_of(record, truth["takes"])
            tally.outside += take is None
            if take is not None:
                tracks.setdefault(record["track_id"], []).append((take, record))
    for seen in tracks.values():
        takes = {take for take, _ in seen}
        if len(takes) > 1:
            tally.mixed += 1
            continue
        true = TRUE[truth["takes"][takes.pop()]["kind"]]
        tally.tracks[true] = tally.tracks.get(true, 0) + 1
        faces = [record for _, record in seen]
        tally.ways["frame"].add([face["verdict"] for face in faces], true)
        tally.ways["window"].add(list(_windowed(faces, window)), true)
        tally.ways["prefix"].add(list(_growing(faces)), true)
    return tally


def _take_of(record: Record, takes: Sequence[dict[str, Any]]) -> int | None:
    """Return the index of the take that shows a face, None where none does."""
    x1, y1, x2, y2 = record["xyxy"]
    for index, take in enumerate(takes):
        if take["start_frame"] <= record["frame"] < take["end_frame"]:
            corners = np.float32(take["corners"][record["frame"] - take["start_frame"]])
            inside = cv2.pointPolygonTest(corners, ((x1 + x2) / 2, (y1 + y2) / 2), False) >= 0
            return index if inside else None
    return None


def _windowed(faces: Sequence[Record], window: int) -> Iterator[str]:
    """Yield the fused verdict on the last ``window`` faces, at each face."""
    for last in range(1, len(faces) + 1):
        *_, verdict = _growing(faces[max(0, last - window):last])
        yield verdict


def _growing(faces: Sequence[Record]) -> Iterator[str]:
    """Yield the fused verdict on all faces so far, at each face."""
    fusion = Fusion()
    for face in faces:
        fusion.add(face["live_score"], face.get("reasons", ()), face["frame"], face["t"], face["xyxy"])
        fused = fusion.fused()
        yield Thresholds(*face["thresholds"]).verdict(round(fused.score, 4), fused.reasons)
