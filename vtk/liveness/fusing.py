"""The faces of one source that are followed: scores fused over time, one verdict a track."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vtk.driver.stage import Frame
from vtk.liveness.calibration import Calibration
from vtk.liveness.fusion import Fusion
from vtk.records import Record, make, score

# Who made a track and its number: ids of two makers are apart.
Key = tuple[str, int]


@dataclass(slots=True)
class _Face:
    """One face so far: ``by`` is the maker of its record; first and last are (frame, seconds)."""

    by: str
    fusion: Fusion
    first: tuple[int, float]
    last: tuple[int, float]


class Fusing:
    """The faces of one source.

    Args:
        source: its name.
        interval: seconds from a frame to the next, 0 where unknown: then it is measured.
        calibration: the thresholds of tracks, and the scale of their log-odds.
    """

    def __init__(self, source: str, interval: float, calibration: Calibration) -> None:
        self._source, self._interval, self._calibration = source, interval, calibration
        self._faces: dict[Key, _Face] = {}
        self._ending: dict[Key, int] = {}

    def see(self, key: Key, by: str, frame: Frame, value: float, reasons: Sequence[str], xyxy: list[float]) -> None:
        """Take the score of a face in a frame, and what speaks against judging it there."""
        at = (frame.index, round(frame.t, 6))
        face = self._faces.get(key)
        if face is None:
            face = self._faces[key] = _Face(by, Fusion(), at, at)
        face.last = at
        face.fusion.add(value, reasons, frame.index, at[1], xyxy)

    def ends(self, key: Key, end_frame: int) -> None:
        """Hear that a track ends; the record that says so may come before its last frames."""
        self._ending[key] = end_frame

    def drop(self, maker: str) -> None:
        """Forget the tracks of a maker."""
        self._faces = {key: face for key, face in self._faces.items() if key[0] != maker}

    def ended(self, frame: int) -> list[Record]:
        """Return the records of the tracks that ended before ``frame``."""
        due = [key for key, end in self._ending.items() if end <= frame]
        for key in due:
            del self._ending[key]
        return self.close(due)

    def close(self, keys: Iterable[Key] | None = None) -> list[Record]:
        """Return the records of the tracks ``keys``, of all without, by start and id, and forget them."""
        wanted = list(self._faces) if keys is None else [key for key in keys if key in self._faces]
        wanted.sort(key=lambda key: (self._faces[key].first, key[1]))
        return [self._record(key[1], self._faces.pop(key)) for key in wanted]

    def _record(self, track_id: int, face: _Face) -> Record:
        bounds = self._calibration.track
        fused = face.fusion.fused(self._calibration.track_scale)
        value = score(fused.score)
        (first, start), (last, t) = face.first, face.last
        interval = self._interval or (t / last if last else 0.0)
        told = {"reasons": list(fused.reasons)} if fused.reasons else {}
        return make("face_track", face.by, self._source, track_id=track_id, start=start, end=round(t + interval, 6),
                    start_frame=first, end_frame=last + 1, live_score=value,
                    verdict=bounds.verdict(value, fused.reasons), thresholds=[bounds.spoof_below, bounds.live_from],
                    observations=fused.observations, used=fused.used,
                    best={"frame": fused.best_frame, "xyxy": list(fused.best_xyxy)}, **told)
