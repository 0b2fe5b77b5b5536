"""Make a street scene to try vtk on: people cut out of a photograph walk over its street, under a banner.

The photograph is bus.jpg of the ultralytics package, which is installed with vtk; the camera is fixed. With --truth
the true boxes go to a file of ``track`` records. Usage: make_clip.py OUT.mp4 [--seconds S] [--truth FILE.jsonl]
"""

from __future__ import annotations

import argparse
import importlib.util
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from vtk.media.image import load
from vtk.media.writer import VideoWriter
from vtk.records import boxes, dump, make
from vtk.report.lettering import text_width, write

FPS = 25
# The part of the photograph that is the scene: left, top, right, bottom in its pixels; and the clip's size.
SCENE, WIDTH, HEIGHT = (82, 170, 716, 1016), 540, 720
SCALE = WIDTH / (SCENE[2] - SCENE[0])

# Outlines of the two people who stand there whole, clockwise, in pixels of the photograph; traced by hand.
LEFT = np.array(
    """104 421 107 410 116 404 125 401 135 400 146 402 155 408 157 415 153 422 156 430 158 436 153 441 152 450 150 460
    148 466 158 473 168 482 175 493 174 498 182 503 183 515 186 530 195 545 200 555 201 570 199 582 192 591 180 598
    183 607 185 620 188 635 190 650 191 660 193 680 192 689 182 692 179 695 179 700 180 712 183 725 186 750 186 762
    188 775 193 800 198 825 201 845 203 852 210 859 220 868 228 872 240 877 243 881 240 886 228 892 215 895 195 898
    177 898 176 885 177 868 179 862 175 855 168 835 162 815 158 795 152 770 147 748 140 730 135 712 128 705 122 703
    117 715 112 735 108 755 106 765 99 775 94 790 90 810 87 830 85 848 86 856 91 864 96 872 103 881 107 887 105 895
    98 899 85 898 68 893 56 887 52 880 54 868 56 860 59 850 60 835 62 813 71 805 78 790 77 765 72 745 73 720 73 700
    60 695 59 680 60 660 60 640 61 620 62 600 64 590 65 580 62 570 60 560 63 545 63 530 61 515 62 503 67 493 75 485
    90 475 97 468 98 458 102 450 103 443 103 432""".split(), np.int32).reshape(-1, 2)  # fmt: skip
MIDDLE = np.array(
    """264 424 265 415 272 409 282 406 292 407 299 412 304 420 305 432 308 438 307 446 305 455 303 464 301 470 305 477
    318 481 328 486 333 495 336 508 338 525 342 540 343 550 340 558 333 565 324 567 322 580 326 600 329 620 330 640
    331 660 334 675 339 688 338 697 339 705 340 715 337 725 330 735 322 742 310 755 300 765 288 776 285 780 287 790
    289 800 297 808 300 815 297 820 290 819 284 815 280 808 279 815 281 825 284 835 288 842 292 848 294 855 288 858
    275 858 262 854 256 848 257 838 259 825 254 815 252 800 249 780 246 760 244 740 243 720 243 703 230 701 225 698
    227 680 229 660 232 640 235 622 238 610 240 600 237 590 235 580 237 570 237 560 237 545 237 532 237 520 240 515
    240 505 242 498 252 492 258 487 262 480 266 474 273 467 272 458 267 452 264 445 264 440""".split(),
    np.int32).reshape(-1, 2)  # fmt: skip
# What else has to go: the people cut off by the edges, and the shadows; [x1, y1, x2, y2].
LEFTOVERS = ((0, 540, 86, 900), (40, 835, 256, 925), (655, 740, 810, 900), (712, 380, 810, 900))
# Pavement to fill holes with: columns x1 to x2 take what lies (dx, dy) away, along the kerb.
GROUND = ((0, 228, 303, -47), (228, 400, 245, -40), (640, 810, -150, 23))
BOLLARD = (124, 705, 158, 818)  # stands between the left one's legs; its twin is copied with the pavement
# The height of a person whose feet are at row y is TALL * (y - HORIZON): so for both people of the photograph.
HORIZON, TALL = 455, 1.122
# What is written on the banner, and its place in the clip: left, top, right, bottom in pixels, above all heads.
BANNER, BANNER_AT = "OPEN AIR CINEMA", (176, 6, 464, 50)
STRIDE = 150.0  # pixels of the photograph from one open pair of legs to the next
Tint = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True)
class Walker:
    """Somebody who walks: who of the photograph, where, and how fast; in pixels of the photograph and seconds.

    ``tint`` is (gain, offset) of the coat's red, green and blue, so that four people walk and not two twice.
    """

    outline: np.ndarray
    x: float
    feet: float
    speed: float
    mirrored: bool = False
    tint: Tint | None = None
    enters: float = 0.0


# The farthest first: who is nearer hides who is farther.
WALKERS = (
    Walker(MIDDLE, 20, 815, 130, tint=((0.7, 0.7, 0.7), (30, 62, 44)), enters=1.2),
    Walker(MIDDLE, 640, 850, -130, mirrored=True),
    Walker(LEFT, 150, 905, 115),
    Walker(LEFT, 800, 975, -155, mirrored=True, tint=((0.42, 0.55, 0.8), (0, 0, 0)), enters=6.6),
)


def photograph() -> np.ndarray:
    """Return bus.jpg as (1080, 810, 3) uint8 RGB."""
    package = importlib.util.find_spec("ultralytics")  # finds the folder, runs nothing of it
    if package is None or package.origin is None:
        raise SystemExit("make_clip.py: the package ultralytics, whose photograph is used, is not installed")
    return load(str(Path(package.origin).parent / "assets" / "bus.jpg"))[0]


def street(image: np.ndarray) -> np.ndarray:
    """Return the photograph without its people: (1080, 810, 3) uint8 RGB, what stood behind them filled in."""
    holes = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(holes, [LEFT], 1)
    cv2.fillPoly(holes, [MIDDLE], 1)
    cv2.fillPoly(holes, [np.array([(120, 700), (160, 700), (172, 815), (168, 824), (112, 824)])], 1)
    holes = cv2.dilate(holes, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (13, 13)))
    for x1, y1, x2, y2 in LEFTOVERS:
        holes[y1:y2, x1:x2] = 1
    missing, out = holes.astype(bool), image.copy()
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    sill = np.interp(columns, [214, 215, 300, 345], [556, 552, 537, 517])  # lower edge of the bus's windows
    kerb = 762 - 0.155 * (columns - 187)
    _fill_windows(out, missing & (rows < sill) & (columns < 400))
    _fill_panels(out, missing & (rows >= sill) & (rows < kerb) & (columns < 400), missing)
    x1, y1, x2, y2 = BOLLARD
    inside = (columns >= x1) & (columns < x2) & (rows >= y1) & (rows < y2)
    return _fill_ground(out, missing & ((rows >= kerb) | inside), rows, columns)


def _fill_windows(out: np.ndarray, holes: np.ndarray) -> None:
    """Fill each hole with the pixel above it, downward: what is behind glass here is mostly upright."""
    for y in range(1, len(out)):
        out[y, holes[y]] = out[y - 1, holes[y]]


def _fill_panels(out: np.ndarray, holes: np.ndarray, missing: np.ndarray) -> None:
    """Fill each hole from left and right: the bus's side is the same all along a row."""
    for y in np.flatnonzero(holes.any(axis=1)):
        known = 191 + np.flatnonzero(~missing[y, 191:380])
        for channel in range(3):
            smooth = cv2.blur(out[y : y + 1, known, channel], (5, 1))[0]
            out[y, holes[y], channel] = np.interp(np.flatnonzero(holes[y]), known, smooth)


def _fill_ground(out: np.ndarray, holes: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return ``out`` with its holes in the ground filled with pavement from elsewhere, the seams softened."""
    height, width = holes.shape
    for x1, x2, dx, dy in GROUND:
        here = holes & (columns >= x1) & (columns < x2)
        out[here] = out[np.clip(rows + dy, 0, height - 1), np.clip(columns + dx, 0, width - 1)][here]
    seams = cv2.morphologyEx(holes.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    seams = cv2.GaussianBlur(cv2.dilate(seams, np.ones((3, 3), np.uint8)) * np.float32(1), (0, 0), 1.5)[..., None]
    return (out * (1 - seams) + cv2.GaussianBlur(out, (0, 0), 1.5) * seams).astype(np.uint8)


def hang_banner(plate: np.ndarray) -> None:
    """Hang a banner over the balcony of ``plate`` (HEIGHT, WIDTH, 3) uint8: letters on cloth that has folds."""
    x1, y1, x2, y2 = BANNER_AT
    finer, size = 4, 104
    width, height = (x2 - x1) * finer, (y2 - y1) * finer
    cloth = np.full((height, width, 3), (176, 32, 40), np.uint8)
    write(cloth, BANNER, (width - text_width(BANNER, size)) // 2, (height + round(0.7 * size)) // 2, size,
          (252, 246, 232))
    cloth = cv2.resize(cloth, (x2 - x1, y2 - y1), interpolation=cv2.INTER_AREA)
    folds = 0.92 + 0.08 * np.sin(np.arange(x2 - x1) / 9)
    plate[y1:y2, x1:x2] = cloth * folds[None, :, None]


def cut_out(image: np.ndarray, who: Walker) -> np.ndarray:
    """Return a walker as (h, w, 4) float32 at the clip's scale: RGB times opacity, and opacity in [0, 1]."""
    opacity = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(opacity, [who.outline], 255, cv2.LINE_AA)
    opacity = cv2.GaussianBlur(opacity, (0, 0), 0.8).astype(np.float32)[..., None] / 255
    colours = image.astype(np.float32)
    if who.tint is not None:
        colours[475:698] = np.clip(_tinted(colours[475:698], *who.tint), 0, 255)
    x, y, width, height = cv2.boundingRect(who.outline)
    person = np.concatenate([colours * opacity, opacity], axis=2)[y : y + height, x : x + width]
    tall = round(TALL * (who.feet - HORIZON) * SCALE)
    person = cv2.resize(person, (round(width * tall / height), tall), interpolation=cv2.INTER_AREA)
    return np.ascontiguousarray(person[:, ::-1]) if who.mirrored else person


def _tinted(colours: np.ndarray, gain: tuple[float, ...], offset: tuple[float, ...]) -> np.ndarray:
    """Return colours with the coat's replaced; skin and the red shirt, much redder than blue, stay."""
    plain = np.clip((90 - (colours[..., :1] - colours[..., 2:])) / 20, 0, 1)
    return colours * (1 - plain) + (colours * np.float32(gain) + np.float32(offset)) * plain


def stepping(person: np.ndarray, walked: float) -> np.ndarray:
    """Return the cut-out with its legs as far open as they are after ``walked`` pixels of the photograph."""
    height, width = person.shape[:2]
    hip = 0.6 * height
    closed = 0.55 * (1 - abs(math.cos(math.pi * walked / STRIDE)))
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    narrow = 1 - closed * np.clip((rows - hip) / (height - hip), 0, 1)
    return cv2.remap(person, (columns - width / 2) / narrow + width / 2, rows, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_CONSTANT)  # fmt: skip


def paste(canvas: np.ndarray, person: np.ndarray, left: int, top: int) -> tuple[int, int, int, int] | None:
    """Blend a cut-out into ``canvas`` and return its box within the picture, [x1, y1, x2, y2); None where it is out."""
    height, width = person.shape[:2]
    x1, y1 = max(0, left), max(0, top)
    x2, y2 = min(canvas.shape[1], left + width), min(canvas.shape[0], top + height)
    if x1 >= x2 or y1 >= y2:
        return None
    part = person[y1 - top : y2 - top, x1 - left : x2 - left]
    canvas[y1:y2, x1:x2] = canvas[y1:y2, x1:x2] * (1 - part[..., 3:]) + part[..., :3]
    columns, rows = (np.flatnonzero((part[..., 3] > 0.5).any(axis=axis)) for axis in (0, 1))
    if not len(rows):
        return None
    return tuple(int(edge) for edge in (x1 + columns[0], y1 + rows[0], x1 + columns[-1] + 1, y1 + rows[-1] + 1))


def shade(canvas: np.ndarray, x: float, y: float, width: float) -> None:
    """Darken the ground under somebody whose feet are at (x, y)."""
    shadow = np.zeros(canvas.shape[:2], np.float32)
    cv2.ellipse(shadow, (round(x), round(y)), (round(width / 2), max(1, round(width / 12))), 0, 0, 360, 0.5, -1)
    top, bottom = max(0, round(y) - 24), round(y) + 24
    canvas[top:bottom] *= 1 - cv2.GaussianBlur(shadow[top:bottom], (0, 0), 3)[..., None]


def frame_at(t: float, plate: np.ndarray, people: list[np.ndarray]) -> tuple[np.ndarray, dict[int, tuple]]:
    """Return the scene after ``t`` seconds, (HEIGHT, WIDTH, 3) float32 RGB, and each walker's box by number."""
    canvas, found = plate.copy(), {}
    for number, (who, person) in enumerate(zip(WALKERS, people, strict=True), start=1):
        if t < who.enters:
            continue
        walked = (t - who.enters) * who.speed
        x, feet = (who.x + walked - SCENE[0]) * SCALE, (who.feet - SCENE[1]) * SCALE
        lift = 3 * abs(math.cos(math.pi * walked / STRIDE))  # the body is lowest where the legs are widest
        shade(canvas, x, feet - 2, person.shape[1] * 0.8)
        left, top = round(x - person.shape[1] / 2), round(feet - person.shape[0] + lift)
        box = paste(canvas, stepping(person, walked), left, top)
        if box is not None:
            found[number] = box
    return canvas, found


def make_clip(path: Path, seconds: float = 10.0, truth: Path | None = None) -> None:
    """Write the clip to ``path``: H.264, WIDTH x HEIGHT, FPS; the same bytes each time on one machine."""
    image = photograph()
    x1, y1, x2, y2 = SCENE
    plate = cv2.resize(street(image)[y1:y2, x1:x2], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    hang_banner(plate)
    plate = plate.astype(np.float32)
    people = [cut_out(image, who) for who in WALKERS]
    lines = []
    with VideoWriter(path, WIDTH, HEIGHT, FPS) as writer:
        for number in range(round(seconds * FPS)):
            canvas, found = frame_at(number / FPS, plate, people)
            # A picture that stands wholly still is unlike any camera's, and unlike what motion detectors expect.
            grain = np.random.default_rng(number).integers(-2, 3, (HEIGHT, WIDTH, 1))
            writer.write(np.clip(canvas + grain, 0, 255).astype(np.uint8), number / FPS)
            for who, box in found.items():
                lines.append(make("track", "make_clip", str(path), frame=number, t=number / FPS,
                                  xyxy=boxes(np.array([box]))[0], score=1.0, label="person", class_id=0,
                                  track_id=who))  # fmt: skip
    if truth is not None:
        truth.write_bytes(b"".join(dump(line) + b"\n" for line in lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path, metavar="OUT.mp4")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--truth", type=Path, metavar="FILE.jsonl", help="write the true boxes as track records")
    options = parser.parse_args()
    make_clip(options.clip, options.seconds, options.truth)
