"""A picture of how alike two videos are, with the spans that were found: the query's time across, the reference's down.

    write_image(folder / plot_name(query.source, reference.source), plot(mapped(query, reference, similarity), matches))
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import cv2
import numpy as np

from vtk.copies.similarity import LISTED
from vtk.report.lettering import fitted, printable, text_width, write
from vtk.report.palette import Colour, ink_on
from vtk.report.placing import Places

if TYPE_CHECKING:
    from vtk.copies.footprint import Footprint
    from vtk.copies.matches import Match
    from vtk.copies.similarity import Entries

# Pixels of a side of the map. Up to LONGEST frames have a pixel at least; of more, the greatest entry of a pixel shows.
LONGEST, LONG, SHORTEST = 1200, 640, 160
CELL = 6  # pixels that a frame is drawn with where there is room
# Single-hue blues, even in lightness. Source: ColorBrewer "Blues", 9 classes (Brewer, Hatchard and Harrower, 2003).
BLUES = ((247, 251, 255), (222, 235, 247), (198, 219, 239), (158, 202, 225), (107, 174, 214), (66, 146, 198),
         (33, 113, 181), (8, 81, 156), (8, 48, 107))
FAINTEST = 0.25  # share of the blues at which the least entry begins: it stays apart from white
SEGMENT: Colour = (213, 94, 0)  # vermilion of Okabe and Ito, which nobody takes for blue
WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
LINE: Colour = (150, 150, 150)
LETTERS = 14
PAD = 8
TICK = 5
_STEPS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 18000, 36000, 86400)


@dataclass(frozen=True, slots=True)
class Map:
    """How alike two videos are, by the pixel: of any two videos no more than LONGEST² bytes.

    Attributes:
        query, reference: their names.
        seconds: their lengths.
        levels: (H, W) uint8, from 0, not listed, to 255, the same.
    """

    query: str
    reference: str
    seconds: tuple[float, float]
    levels: np.ndarray


def mapped(query: Footprint, reference: Footprint, similarity: Entries) -> Map:
    """Return what ``plot`` shows of two videos.

    Seconds are as long across as down, unless a side would be too short to read.

    Args:
        query, reference: the videos.
        similarity: of their frames.

    Raises:
        ValueError: the similarity is not of their frames.
    """
    if tuple(similarity.shape) != (len(query), len(reference)):
        raise ValueError(f"similarity: got a shape of {tuple(similarity.shape)}, expected "
                         f"{(len(query), len(reference))}")
    seconds = _seconds(query), _seconds(reference)
    wide, high = _sides(seconds, (len(query), len(reference)))
    return Map(query.source, reference.source, seconds, _levels(_pooled(query, reference, similarity, wide, high)))


def plot(found: Map, matches: Sequence[Match]) -> np.ndarray:
    """Return a picture of a map with the matches in it, (H, W, 3) uint8 RGB.

    Args:
        found: of two videos.
        matches: of this query and this reference; each is a box with a dashed line along it, and its score.
    """
    picture = _coloured(found.levels)
    high, wide = found.levels.shape
    _segments(picture, matches, (wide / found.seconds[0], high / found.seconds[1]))
    return _framed(picture, found.query, found.reference, found.seconds)


def plot_name(query: str, reference: str, mirrored: bool = False) -> str:
    """Return the name of the PNG file of a pair: readable, safe on any disk, and no other pair's."""
    stems = [re.sub(r"[^A-Za-z0-9_-]+", "_", PurePosixPath(name).stem)[:60].strip("_-") or "video"
             for name in (query, reference)]
    return f"{stems[0]}--{stems[1]}--{key_of(query)}{key_of(reference)}{'--mirrored' if mirrored else ''}.png"


def keys_in(name: str) -> tuple[str, str] | None:
    """Return the keys of query and reference in a name that ``plot_name`` made; None for another."""
    found = re.search(r"--([0-9a-f]{10})([0-9a-f]{10})(?:--mirrored)?\.png$", name)
    return None if found is None else (found[1], found[2])


def key_of(name: str) -> str:
    """Return the ten letters and digits by which names of pictures tell this video's name from others."""
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=5).hexdigest()


def _seconds(footprint: Footprint) -> float:
    """Return the length of a video: 1 where it has none."""
    last = float(footprint.times[-1]) if len(footprint) else 0.0
    return max(footprint.duration, last) or 1.0


def _sides(seconds: tuple[float, float], frames: tuple[int, int]) -> tuple[int, int]:
    """Return width and height of the map in pixels."""
    long = min(LONGEST, max(LONG, CELL * max(frames)))
    scale = long / max(seconds)
    wide, high = (min(LONGEST, max(SHORTEST, count, round(side * scale)))
                  for side, count in zip(seconds, frames, strict=True))
    return wide, high


def _pooled(query: Footprint, reference: Footprint, similarity: Entries, wide: int, high: int) -> np.ndarray:
    """Return the map by time, (high, wide) float32: in each pixel the greatest entry of the frames that are in it."""
    columns, left = _binned(query, wide)
    rows, top = _binned(reference, high)
    grid = np.zeros((len(top[0]), len(left[0])), np.float32)
    if len(similarity.rows):
        np.maximum.at(grid, (rows[similarity.columns], columns[similarity.rows]), similarity.values)
    if not grid.size:
        return np.zeros((high, wide), np.float32)
    across = np.maximum.reduceat(grid, left[1], axis=1)
    return np.maximum.reduceat(across, top[1], axis=0)


def _binned(footprint: Footprint, side: int) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return each frame's bin (N,), the bins' first frames, and the first bin (side,) that each pixel shows.

    There are no more bins than pixels, so that memory does not grow with the videos. A bin lasts from halfway to the
    frame before it to halfway to the frame after it.
    """
    count = len(footprint)
    bins = np.arange(count) * min(count, side) // max(count, 1)
    first = np.flatnonzero(np.diff(bins, prepend=-1))
    times = footprint.times
    edges = np.concatenate([[0.0], (times[1:] + times[:-1]) / 2])[first] if count else np.zeros(0)
    moments = np.arange(side) * (_seconds(footprint) / side)
    return bins, (first, np.clip(np.searchsorted(edges, moments + 1e-9, side="right") - 1, 0, None))


def _levels(values: np.ndarray) -> np.ndarray:
    """Return values (H, W) in [0, 1] as uint8: from FAINTEST's share of 255 to all of it; 0 where nothing is listed."""
    share = FAINTEST + (1 - FAINTEST) * np.clip((values - LISTED) / (1 - LISTED), 0, 1)
    return np.where(values > 0, (share * 255).round(), 0).astype(np.uint8)


def _coloured(levels: np.ndarray) -> np.ndarray:
    """Return levels (H, W) uint8 as blues (H, W, 3) uint8; 0 is white."""
    stops = np.linspace(0, 1, len(BLUES))
    blues = np.stack([np.interp(np.linspace(0, 1, 256), stops, channel) for channel in zip(*BLUES, strict=True)], 1)
    blues[0] = WHITE
    return blues.round().astype(np.uint8)[levels]


def _segments(picture: np.ndarray, matches: Sequence[Match], scales: tuple[float, float]) -> None:
    """Draw the matches: boxes, dashed lines that let the entries through, then the labels where they cover little."""
    places = Places(picture.shape[1], picture.shape[0])
    boxes = []
    for match in matches:
        x1, x2 = (round(time * scales[0]) for time in (match.start, match.end))
        y1, y2 = (round(time * scales[1]) for time in (match.ref_start, match.ref_end))
        # What ends with a video ends at the map's last pixel, where it is seen.
        x2, y2 = min(max(x2, x1 + 3), places.width - 1), min(max(y2, y1 + 3), places.height - 1)
        cv2.rectangle(picture, (x1, y1), (x2, y2), SEGMENT)
        _dashes(picture, (x1, y1), (x2, y2))
        places.take((x1, y1, x2, y2))
        boxes.append((x1, y1, x2, y2))
    for match, box in zip(matches, boxes, strict=True):
        text = " ".join([f"{match.score:.2f}", *([f"{match.speed:.2f}×"] if round(match.speed, 2) != 1 else []),
                         *(["mirrored"] if match.hflip else [])])
        wide, high = text_width(text, LETTERS) + 8, LETTERS + 6
        x, y = places.free(places.around(box, (box[0], box[0]), wide, high, True), wide, high)
        picture[max(y, 0):y + high, max(x, 0):x + wide] = SEGMENT
        write(picture, text, x + 4, y + (high + round(0.7 * LETTERS)) // 2, LETTERS, ink_on(SEGMENT))
        places.take((x, y, x + wide, y + high))


def _dashes(picture: np.ndarray, start: tuple[int, int], end: tuple[int, int], dash: int = 7) -> None:
    count = max(1, round(math.dist(start, end) / dash))
    points = np.linspace(start, end, count + 1).round().astype(int)
    for one, other in zip(points[::2].tolist(), points[1::2].tolist(), strict=False):
        cv2.line(picture, one, other, SEGMENT, 2, cv2.LINE_AA)


def _framed(picture: np.ndarray, query: str, reference: str, seconds: tuple[float, float]) -> np.ndarray:
    """Return the map with its axes, names and legend around it."""
    high, wide = picture.shape[:2]
    labels = [text for _, text in _ticks(seconds[1], high)]
    left = PAD + LETTERS + PAD + max(text_width(text, LETTERS) for text in labels) + TICK + 3
    row = LETTERS + PAD
    top, bottom, right = row + PAD, TICK + 2 * row + PAD, 3 * PAD + LETTERS
    out = np.full((top + high + bottom, left + wide + right, 3), WHITE, np.uint8)
    out[top:top + high, left:left + wide] = picture
    cv2.rectangle(out, (left - 1, top - 1), (left + wide, top + high), LINE, 1)
    for place, text in _ticks(seconds[0], wide):
        out[top + high:top + high + TICK, left + place] = LINE
        x = left + place - text_width(text, LETTERS) // 2
        write(out, text, x, top + high + TICK + LETTERS, LETTERS, INK)
    for place, text in _ticks(seconds[1], high):
        out[top + place, left - TICK:left] = LINE
        write(out, text, left - TICK - 3 - text_width(text, LETTERS), top + place + LETTERS // 3, LETTERS, INK)
    _name(out, "query " + query, (left, out.shape[0] - PAD), wide)
    side = np.full((left, high, 3), WHITE, np.uint8)
    _name(side, "reference " + reference, (0, PAD + LETTERS), high)
    out[top:top + high, PAD:PAD + LETTERS + PAD] = np.rot90(side)[:, PAD // 2:PAD // 2 + LETTERS + PAD]
    _legend(out, left, wide)
    return out


def _name(out: np.ndarray, text: str, place: tuple[int, int], room: int) -> None:
    """Write a name; of a long one the end, which says more than its folders."""
    text = printable(text, 300)
    head, _, rest = text.partition(" ")
    while rest and text_width(text, LETTERS) > room:
        rest = rest[max(1, len(rest) // 20):]
        text = f"{head} …{rest}"
    write(out, fitted(text, LETTERS, room), *place, LETTERS, INK)


def _legend(out: np.ndarray, left: int, wide: int) -> None:
    """Write over the map's right end which blue is which similarity."""
    ends = f"{LISTED:g}", "1"
    ramp = _coloured(_levels(np.linspace(LISTED, 1, min(100, wide // 3), dtype=np.float32)[None]))
    x = left + wide - text_width(ends[1], LETTERS) - 4 - ramp.shape[1]
    out[PAD:PAD + LETTERS - 2, x:x + ramp.shape[1]] = ramp
    write(out, ends[1], x + ramp.shape[1] + 4, PAD + LETTERS - 3, LETTERS, INK)
    text = f"similarity {ends[0]}"
    if text_width(text, LETTERS) > x - 4:
        text = ends[0]
    write(out, text, x - 4 - text_width(text, LETTERS), PAD + LETTERS - 3, LETTERS, INK)


def _ticks(seconds: float, side: int) -> list[tuple[int, str]]:
    """Return pixels and texts of the marks on an axis: round times, at least five letters apart."""
    step = next((step for step in _STEPS if step / seconds * side >= 5 * LETTERS), seconds)
    return [(min(round(number * step / seconds * side), side - 1), _clock(number * step, step))
            for number in range(math.floor(seconds / step + 1e-9) + 1)]


def _clock(t: float, step: float) -> str:
    """Return a time as h:mm:ss or m:ss, with a decimal where steps are shorter than a second."""
    tenths = round(t * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest // 10:02}" + (f".{rest % 10}" if step < 1 else "")
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"
