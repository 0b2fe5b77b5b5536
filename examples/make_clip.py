"""Make a street scene to try vtk on: people cut out of a photograph walk over its street, before a fixed camera.

The photograph is bus.jpg of the ultralytics package, which is installed with vtk. Usage: make_clip.py OUT.mp4 [SECONDS]
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vtk.media.writer import VideoWriter

FPS = 25
SCALE = 2 / 3  # 810 x 1080 pixels become 540 x 720
# People in bus.jpg, [x1, y1, x2, y2] in its pixels, found with a detector and widened by eye for the cut.
LEFT, MIDDLE = (40, 392, 250, 908), (212, 396, 352, 868)
RIGHT = (655, 380, 810, 890)  # cut off by the edge: taken out of the background, and not used


@dataclass(frozen=True)
class Walker:
    """Somebody who walks: a cut-out, where it enters and how fast it goes, in pixels of the clip and seconds."""

    person: np.ndarray  # (h, w, 4) uint8, RGB and opacity
    x: float
    feet: int
    speed: float
    enters: float


def photograph() -> np.ndarray:
    """Return bus.jpg as (1080, 810, 3) uint8 RGB."""
    package = importlib.util.find_spec("ultralytics")
    if package is None or package.origin is None:
        raise SystemExit("make_clip.py: the package ultralytics, whose photograph is used, is not installed")
    image = cv2.imread(str(Path(package.origin).parent / "assets" / "bus.jpg"))
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def cut_out(image: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """Return the person in ``box`` as (h, w, 4) uint8: RGB and a soft opacity."""
    x1, y1, x2, y2 = box
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.setRNGSeed(1)
    cv2.grabCut(image, mask, (x1, y1, x2 - x1, y2 - y1), np.zeros((1, 65)), np.zeros((1, 65)), 6, cv2.GC_INIT_WITH_RECT)
    opacity = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opacity)
    if count > 1:  # the person is the largest piece; the rest is what looks like them
        opacity[labels != 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())] = 0
    opacity = cv2.GaussianBlur(cv2.morphologyEx(opacity, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)), (5, 5), 0)
    return np.dstack([image, opacity])[y1:y2, x1:x2]


def street(image: np.ndarray) -> np.ndarray:
    """Return the photograph without its people, what stood behind them filled in."""
    holes = np.zeros(image.shape[:2], np.uint8)
    for x1, y1, x2, y2 in (LEFT, MIDDLE, RIGHT):
        holes[y1:y2, x1:x2] |= (cut_out(image, (x1, y1, x2, y2))[..., 3] > 20).astype(np.uint8) * 255
    holes = cv2.dilate(holes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (31, 31)))
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    filled = cv2.inpaint(small, cv2.resize(holes, small.shape[1::-1], interpolation=cv2.INTER_NEAREST), 9, cv2.INPAINT_TELEA)
    filled = cv2.resize(filled, image.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    soft = cv2.GaussianBlur(holes, (31, 31), 0)[..., None] / np.float32(255)
    return (image * (1 - soft) + filled * soft).astype(np.uint8)


def paste(canvas: np.ndarray, person: np.ndarray, x: float, feet: float) -> None:
    """Blend a cut-out into ``canvas``, its feet at height ``feet`` and its middle at ``x``; parts outside are left out."""
    height, width = person.shape[:2]
    left, top = round(x - width / 2), round(feet - height)
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + width), min(canvas.shape[0], top + height)
    if x1 >= x2 or y1 >= y2:
        return
    part = person[y1 - top:y2 - top, x1 - left:x2 - left]
    opacity = part[..., 3:] / np.float32(255)
    region = canvas[y1:y2, x1:x2]
    region[:] = (region * (1 - opacity) + part[..., :3] * opacity).astype(np.uint8)


def walkers(image: np.ndarray) -> list[Walker]:
    """Return who walks through the scene, the farthest first."""
    left, middle = (cut_out(image, box) for box in (LEFT, MIDDLE))

    def sized(person: np.ndarray, height: int, mirrored: bool = False) -> np.ndarray:
        width = round(person.shape[1] * height / person.shape[0])
        person = cv2.resize(person, (width, height), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(person[:, ::-1]) if mirrored else person

    return [
        Walker(sized(middle, 270), 560, 560, -62, 1.0),
        Walker(sized(left, 285), -50, 575, 70, 0.0),
        Walker(sized(left, 330, mirrored=True), 610, 640, -78, 2.6),
        Walker(sized(middle, 345, mirrored=True), -60, 660, 84, 1.6),
    ]


def make(path: Path, seconds: float = 9.0) -> None:
    """Write the clip to ``path``: H.264, 540 x 720, 25 frames a second; the same bytes each time."""
    image = photograph()
    plate = cv2.resize(street(image), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    people = walkers(image)
    noise = np.random.default_rng(0)
    with VideoWriter(path, plate.shape[1], plate.shape[0], FPS) as writer:
        for number in range(round(seconds * FPS)):
            t = number / FPS
            frame = plate.copy()
            for who in people:
                if t >= who.enters:
                    walked = (t - who.enters) * who.speed
                    step = abs(np.sin(walked / 18)) * 3  # a stride of 57 pixels lifts the body by 3
                    paste(frame, who.person, who.x + walked, who.feet - step)
            grain = noise.integers(-2, 3, frame.shape[:2], dtype=np.int16)[..., None]
            writer.write(np.clip(frame + grain, 0, 255).astype(np.uint8), t)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit("usage: make_clip.py OUT.mp4 [SECONDS]")
    make(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) == 3 else 9.0)
