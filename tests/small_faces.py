"""A crowd made of real faces: one Full HD picture with 200 of them, 20 to 40 pixels wide, and where they are."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

COLUMNS, ROWS = 20, 10
CELL = (96, 108)  # width, height in pixels: 1920 x 1080 in all
SMALLEST, WIDEST = 20.0, 40.0


def small_faces(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture (1080, 1920, 3) uint8 RGB and (200, 4) float32 x1, y1, x2, y2 of its faces.

    The faces and boxes are those of ``expected_minifasnet_scores.json``, one a picture; the second round is mirrored.
    """
    folder = shared / "data" / "face-antispoof"
    rows = json.loads((folder / "expected_minifasnet_scores.json").read_text())
    known = {name: box for kind, name, box, _ in reversed(rows) if kind == "real"}
    names = sorted(known)
    crowd = np.zeros((ROWS * CELL[1], COLUMNS * CELL[0], 3), np.uint8)
    boxes = []
    for index in range(COLUMNS * ROWS):
        name = names[index % len(names)]
        image = cv2.imread(str(folder / "benchmarks" / "real" / name), cv2.IMREAD_COLOR)[:, :, ::-1]
        x1, y1, x2, y2 = known[name]
        if index >= len(names):
            image, x1, x2 = image[:, ::-1], image.shape[1] - x2, image.shape[1] - x1
        wide = SMALLEST + (WIDEST - SMALLEST) * (index * 7 % 20) / 19
        left, top = index % COLUMNS * CELL[0], index // COLUMNS * CELL[1]
        crowd[top : top + CELL[1], left : left + CELL[0]] = _cell(image, np.array([x1, y1, x2, y2]), wide)
        high = wide * (y2 - y1) / (x2 - x1)
        x, y = left + CELL[0] / 2, top + CELL[1] / 2
        boxes.append([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2])
    return crowd, np.array(boxes, np.float32)


def _cell(image: np.ndarray, box: np.ndarray, wide: float) -> np.ndarray:
    """Return ``image`` scaled so that the face of ``box`` is ``wide`` pixels, the face in the middle of a cell."""
    scale = wide / (box[2] - box[0])
    smooth = cv2.resize(image, None, fx=min(1, 2 * scale), fy=min(1, 2 * scale), interpolation=cv2.INTER_AREA)
    rest = scale * image.shape[1] / smooth.shape[1], scale * image.shape[0] / smooth.shape[0]
    x, y = (box[:2] + box[2:]) / 2 * scale
    moved = np.array([[rest[0], 0, CELL[0] / 2 - x], [0, rest[1], CELL[1] / 2 - y]])
    return cv2.warpAffine(np.ascontiguousarray(smooth), moved, CELL, borderMode=cv2.BORDER_REPLICATE)
