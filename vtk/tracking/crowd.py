"""A crowd of walkers under an unsteady detector, for the benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import orjson

from vtk import records
from vtk.records import Record

SIZE = (1920, 1080)
FPS = 25.0
SOURCE = "videos/crowd.mp4"
BY = "detect/yolo11n"

SHARE_SEEN = 0.95
SHARE_CLUTTER = 0.03  # boxes where nobody is, in shares of the walkers


class Seen(NamedTuple):
    """What the detector sees in one frame.

    Attributes:
        boxes: (N, 4) float32 xyxy in pixels, two decimals.
        scores: (N,) float32 in [0, 1], four decimals.
        class_ids: (N,) int64, all 0.
    """

    boxes: np.ndarray
    scores: np.ndarray
    class_ids: np.ndarray


def crowd(walkers: int, frames: int, seed: int = 0) -> list[Seen]:
    """Return what is seen of ``walkers`` people over ``frames``; no frame is without a box.

    They walk at their own pace, turn at random and at the picture's border, and are the smaller the more they are, so
    that together they fill half of the picture at most. Boxes are 2 % of their size off.
    """
    rng = np.random.default_rng(seed)
    height = rng.uniform(0.7, 1.3, walkers) * np.clip(np.sqrt(0.5 * SIZE[0] * SIZE[1] / (0.4 * walkers)), 30, 160)
    size = np.stack([0.4 * height, height], axis=1)
    room = np.array(SIZE) - size
    place = rng.uniform(0, 1, (walkers, 2)) * room
    pace = rng.normal(0, 0.02, (walkers, 2)) * height[:, None]
    seen = []
    for _ in range(frames):
        pace += rng.normal(0, 0.002, (walkers, 2)) * height[:, None]
        pace *= 0.995
        place += pace
        pace[(place < 0) | (place > room)] *= -1
        np.clip(place, 0, room, out=place)
        seen.append(_seen(np.concatenate([place, place + size], axis=1), rng))
    return seen


def _seen(boxes: np.ndarray, rng: np.random.Generator) -> Seen:
    """Return what the detector makes of the walkers' boxes (W, 4) of a frame."""
    size = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    found = boxes + rng.normal(0, 0.02, boxes.shape) * size
    shown = rng.random(len(boxes)) < SHARE_SEEN
    shown[0] |= not shown.any()
    clutter = rng.integers(0, len(boxes), rng.poisson(SHARE_CLUTTER * len(boxes)))
    strays = boxes[clutter] + np.tile(rng.uniform(-1, 1, (len(clutter), 2)), 2) * size[clutter]
    found = np.concatenate([found[shown], strays])
    scores = np.concatenate([rng.beta(8, 2, int(shown.sum())), rng.beta(2, 5, len(clutter))])
    order = np.argsort(-scores, kind="stable")  # as detectors give them
    return Seen(found[order].round(2).astype(np.float32), scores[order].round(4).astype(np.float32),
                np.zeros(len(order), np.int64))


def records_of(frame: int, seen: Seen) -> list[Record]:
    """Return the ``detection`` records of a frame, as ``vtk detect`` writes them."""
    return [records.make("detection", BY, SOURCE, frame=frame, pts=frame * 512, t=round(frame / FPS, 6), xyxy=box,
                         score=records.score(score), label="person", class_id=0)
            for box, score in zip(records.boxes(seen.boxes), seen.scores.tolist(), strict=True)]


def write_lines(path: Path, frames: Iterable[Sequence[Record]]) -> None:
    """Write the stream of ``vtk detect``: what is known of the media, the detections, the ledger."""
    media = records.make("media", "detect", SOURCE, kind="video", width=SIZE[0], height=SIZE[1], fps=FPS)
    with path.open("wb") as file:
        file.write(orjson.dumps(media) + b"\n")
        made = count = 0
        for found in frames:
            file.write(b"".join(orjson.dumps(record) + b"\n" for record in found))
            made, count = made + len(found), count + 1
        file.write(orjson.dumps(records.make(
            "end", BY, SOURCE, status="ok", frames={"decoded": count, "processed": count, "skipped": 0}, records=made,
            types=["detection"])) + b"\n")
