"""Records of faces as ``vtk face-antispoof`` writes them, with the scores that a test wants."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtk.liveness.decision import Thresholds

BY = "face-antispoof/rfb-320+minifasnet"
BOUNDS = (0.2, 0.8)


def face(source: str, score: float, frame: int = 0, size: float = 100, reasons: Sequence[str] = (),
         bounds: tuple[float, float] = BOUNDS, **keys: Any) -> dict[str, Any]:
    """Return a face of a frame, ``size`` pixels wide and high."""
    return {"v": 1, "type": "face", "by": BY, "source": source, "frame": frame, "t": frame / 25,
            "xyxy": [10, 10, 10 + size, 10 + size], "live_score": score,
            "verdict": Thresholds(*bounds).verdict(score, reasons), "thresholds": list(bounds),
            **({"reasons": list(reasons)} if reasons else {}), **keys}


def face_track(source: str, score: float, observations: int = 50, track_id: int = 1, reasons: Sequence[str] = (),
               bounds: tuple[float, float] = BOUNDS) -> dict[str, Any]:
    """Return a face over time."""
    return {"v": 1, "type": "face_track", "by": BY, "source": source, "track_id": track_id, "start": 0.0,
            "end": observations / 25, "live_score": score, "verdict": Thresholds(*bounds).verdict(score, reasons),
            "thresholds": list(bounds), "observations": observations, "used": observations,
            **({"reasons": list(reasons)} if reasons else {})}


def end(source: str, status: str = "ok", by: str = BY) -> dict[str, Any]:
    """Return the ledger of a source."""
    return {"v": 1, "type": "end", "by": by, "source": source, "status": status, "records": 1,
            "frames": {"decoded": 1, "processed": 1, "skipped": 0}}


def lines(records: Iterable[dict[str, Any]]) -> bytes:
    """Return records as a stream."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def write_set(folder: Path, live: Sequence[float], attacks: dict[str, Sequence[float]]) -> list[dict[str, Any]]:
    """Write labels.csv of pictures with these scores into ``folder``, and return their records.

    Pictures are two of a subject; live faces and attacks have a column ``tone``, dark and light in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows, records = ["file,label,attack,subject,tone"], []
    for kind, scores in {"": live, **attacks}.items():
        for number, score in enumerate(scores):
            name = f"{kind or 'real'}/{number}.jpg"
            label = f"spoof,{kind}" if kind else "live,"
            rows.append(f"{name},{label},{kind}{number // 2},{('dark', 'light')[number % 2]}")
            records += [face(f"{folder.name}/{name}", round(float(score), 4)), end(f"{folder.name}/{name}")]
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return records


def drawn(seed: int, count: int, log_odds: float, spread: float = 1.5) -> list[float]:
    """Return scores whose log-odds are normal."""
    values = np.random.default_rng(seed).normal(log_odds, spread, count)
    return (1 / (1 + np.exp(-values))).round(4).tolist()
