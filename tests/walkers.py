"""Walkers seen by an unsteady detector: detection records, and where they truly were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from vtk.records import Record

SIZE = (320, 240)


def scene(seed: int, frames: int = 40, walkers: int = 6, source: str = "SEQ.mp4",
          **keys: object) -> tuple[list[Record], np.ndarray]:
    """Return detection records, a media record first, and ground truth (G, 10) in MOT15's columns.

    Boxes jitter, leave the picture, go missing for some frames, and come where nobody is; some frames have none.
    """
    rng = np.random.default_rng(seed)
    place, speed = rng.uniform(20, 200, (walkers, 2)), rng.normal(0, 4, (walkers, 2))
    size = rng.uniform(25, 60, (walkers, 2))
    records: list[Record] = [{"v": 1, "type": "media", "by": "probe", "source": source, "kind": "video",
                              "width": SIZE[0], "height": SIZE[1], "fps": 12.5}]
    truth = []
    for frame in range(frames):
        place += speed
        for one in range(walkers):
            truth.append([frame + 1, one + 1, *place[one], *size[one], 1, -1, -1, -1])
            if frame % 9 and rng.random() < 0.85:
                box = np.r_[place[one], place[one] + size[one]] + rng.normal(0, 4, 4)
                records.append(detection(source, frame, box, rng.beta(4, 2), **keys))
        if frame % 9 and rng.random() < 0.4:
            corner = rng.uniform(0, 200, 2)
            records.append(detection(source, frame, np.r_[corner, corner + 40], rng.beta(2, 4), **keys))
    return records, np.array(truth).round(2)


def detection(source: str, frame: int, box: np.ndarray, score: float, **keys: object) -> Record:
    """Return a detection record at 12.5 frames a second."""
    return {"v": 1, "type": "detection", "by": "detect/x", "source": source, "frame": frame,
            "t": round(frame / 12.5, 6), "xyxy": box.round(2).tolist(), "score": round(float(score), 4),
            "label": "person", **keys}


def write_records(path: Path, *several: list[Record]) -> Path:
    """Write records as lines and return the path."""
    path.write_text("".join(json.dumps(record) + "\n" for records in several for record in records))
    return path
