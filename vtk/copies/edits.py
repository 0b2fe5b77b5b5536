"""What editors do to the videos that they copy from, as pure functions over pictures and over times.

Pictures are (H, W, 3) uint8 RGB, and come out in the size that they went in with, save by ``fitted``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

import cv2
import numpy as np

Box = Sequence[float]  # [x1, y1, x2, y2] in shares of the width and the height
Colour = Sequence[int]  # [red, green, blue], 0 to 255


class Timed(Protocol):
    """What is shown from ``t`` on, in seconds."""

    t: float


Shown = TypeVar("Shown", bound=Timed)


def fitted(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return the whole picture as large as it can be within ``width`` × ``height`` pixels, black beside it."""
    have_height, have_width = image.shape[:2]
    if (have_width, have_height) == (width, height):
        return image
    ratio = min(width / have_width, height / have_height)
    inner = _resized(image, max(1, round(have_width * ratio)), max(1, round(have_height * ratio)))
    frame = np.zeros((height, width, 3), np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    frame[top:top + inner.shape[0], left:left + inner.shape[1]] = inner
    return frame


def crop(image: np.ndarray, box: Box) -> np.ndarray:
    """Return what is within ``box``, stretched to the whole picture."""
    x1, y1, x2, y2 = _pixels(image, box)
    return _resized(image[y1:y2, x1:x2], image.shape[1], image.shape[0])


def border(image: np.ndarray, box: Box, colour: Colour = (0, 0, 0)) -> np.ndarray:
    """Return the picture shrunk into ``box``, with ``colour`` around it."""
    return picture_in_picture(image, np.full_like(image, np.asarray(colour, np.uint8)), box)


def picture_in_picture(image: np.ndarray, backdrop: np.ndarray, box: Box) -> np.ndarray:
    """Return ``backdrop``, of the picture's size, with the picture shrunk into ``box`` of it."""
    if backdrop.shape != image.shape:
        raise ValueError(f"backdrop is {backdrop.shape}: {image.shape}, the picture's shape, is expected")
    x1, y1, x2, y2 = _pixels(image, box)
    out = backdrop.copy()
    out[y1:y2, x1:x2] = _resized(image, x2 - x1, y2 - y1)
    return out


def caption(image: np.ndarray, text: str, box: Box, colour: Colour = (255, 255, 255), band: float = 0.6) -> np.ndarray:
    """Return the picture with a line of ``text`` over ``box``, on a black band that hides a share ``band`` of it.

    Args:
        text: ASCII; it is scaled to the box.
    """
    x1, y1, x2, y2 = _pixels(image, box)
    out = image.copy()
    out[y1:y2, x1:x2] = np.rint(out[y1:y2, x1:x2] * (1 - band)).astype(np.uint8)
    (width, height), below = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
    scale = min((x2 - x1) / width, (y2 - y1) / (height + below)) * 0.9
    x, y = x1 + (x2 - x1 - width * scale) / 2, y1 + (y2 - y1 + (height - below) * scale) / 2
    cv2.putText(out, text, (round(x), round(y)), cv2.FONT_HERSHEY_SIMPLEX, scale, tuple(map(int, colour)),
                max(1, round(2 * scale)), cv2.LINE_AA)
    return out


def recolour(image: np.ndarray, gains: Sequence[float] = (1.0, 1.0, 1.0), contrast: float = 1.0,
             brightness: float = 0.0, gamma: float = 1.0, saturation: float = 1.0) -> np.ndarray:
    """Return the picture in other colours.

    Args:
        gains: of red, green and blue.
        contrast: factor on the distance from mid grey.
        brightness: added, in shares of the full range.
        gamma: exponent on values in [0, 1], before all else.
        saturation: factor on the distance from the pixel's own grey; 0 is black and white.
    """
    if saturation != 1.0:
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)
    level = (np.arange(256) / 255) ** gamma
    curves = np.outer((level - 0.5) * contrast + 0.5 + brightness, gains)
    return cv2.LUT(image, np.rint(np.clip(curves, 0, 1) * 255).astype(np.uint8)[:, None, :])


def blur(image: np.ndarray, radius: float) -> np.ndarray:
    """Return the picture blurred by a Gaussian whose deviation is the share ``radius`` of the height."""
    return cv2.GaussianBlur(image, (0, 0), max(0.1, radius * image.shape[0]))


def noise(image: np.ndarray, deviation: float, seed: Sequence[int]) -> np.ndarray:
    """Return the picture with Gaussian noise of a ``deviation`` in levels of 255, the same for the same ``seed``."""
    added = np.random.default_rng(seed).standard_normal(image.shape, dtype=np.float32)
    return np.clip(np.rint(image + deviation * added), 0, 255).astype(np.uint8)


def hflip(image: np.ndarray) -> np.ndarray:
    """Return the picture as a mirror shows it."""
    return np.ascontiguousarray(image[:, ::-1])


# By the name that a manifest states. picture_in_picture takes the backdrop beside what is stated.
PICTURE_EDITS: dict[str, Callable[..., np.ndarray]] = {function.__name__: function for function in (
    crop, border, picture_in_picture, caption, recolour, blur, noise, hflip)}


def edited(image: np.ndarray, edits: Iterable[tuple[str, dict[str, Any]]], frame: int = 0,
           backdrop: np.ndarray | None = None) -> np.ndarray:
    """Return the picture after the ``edits``, (name, parameters) in order; noise is another in each ``frame``."""
    for name, parameters in edits:
        if name not in PICTURE_EDITS:
            raise ValueError(f"edit is '{name}': one of {', '.join(PICTURE_EDITS)} is expected")
        also: dict[str, Any] = {"backdrop": backdrop} if name == "picture_in_picture" else {}
        if name == "noise":
            also["seed"] = (*parameters["seed"], frame)
        image = PICTURE_EDITS[name](image, **{**parameters, **also})
    return image


def resampled(frames: Iterable[Shown], fps: float, speed: float = 1.0,
              limit: int | None = None) -> Iterator[tuple[float, Shown]]:
    """Yield what each picture shows of ``frames`` played ``speed`` times as fast, at ``fps`` pictures a second.

    The first picture is the first frame. It ends where a picture would be over after the last frame is, which is taken
    to last as long as the one before, or would be nearer to what follows. Memory: the frames within a picture's time.

    Args:
        frames: in order of time.
        limit: at most so many pictures.

    Yields:
        the time asked for, seconds of the frames' clock, and the frame nearest to it: within half an interval.
    """
    step, rest, held, gap = speed / fps, iter(frames), deque[Shown](), 0.0
    start, count, ended = 0.0, 0, False
    while limit is None or count < limit:
        wanted = start + count * step
        while not ended and (len(held) < 2 or held[-1].t < wanted + step):
            frame = next(rest, None)
            if frame is None:
                ended = True
                break
            if held:
                gap = frame.t - held[-1].t
            else:
                start = wanted = frame.t
            held.append(frame)
        if not held or (ended and wanted + max(step, gap / 2) > held[-1].t + gap + 1e-6):  # clocks round to ticks
            return
        while len(held) > 1 and held[1].t <= wanted:
            held.popleft()
        nearest = held[1] if len(held) > 1 and held[1].t - wanted < wanted - held[0].t else held[0]
        yield wanted, nearest
        count += 1


def kept(count: int, share: float, seed: Sequence[int]) -> np.ndarray:
    """Return (count,) bool, which of ``count`` frames are left when a ``share`` is dropped; the outermost always."""
    left = np.random.default_rng(seed).random(count) >= share
    left[:1] = left[-1:] = True
    return left


def _pixels(image: np.ndarray, box: Box) -> tuple[int, int, int, int]:
    """Return ``box`` in whole pixels of ``image``, one at least on each side."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    if not (0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1):
        raise ValueError(f"box is {list(box)}: 0 <= x1 < x2 <= 1 and 0 <= y1 < y2 <= 1 are expected")
    left, top = min(round(x1 * width), width - 1), min(round(y1 * height), height - 1)
    return left, top, max(left + 1, round(x2 * width)), max(top + 1, round(y2 * height))


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    shrinks = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
