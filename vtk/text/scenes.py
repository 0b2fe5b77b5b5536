"""Films of scene text made of still pictures: the camera pans, zooms and turns, a bar hides words, shots are cut.

    stills = [drawn(["EXIT", "Platform 9"], seed=1), drawn(["Carpark"], seed=2)]
    truth = write_video(scenes(stills, seed=0), Path("made.mp4"))
    truth.records, truth.rows     # text records, and rows as ICDAR's JSON has them

Where each word stands in each frame is known exactly: its corners go the way of the pixels.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vtk.errors import MediaError
from vtk.media.image import load
from vtk.media.writer import VideoWriter
from vtk.records import Record, make

UNREADABLE = "###"  # ICDAR's sign for text that nobody needs to find or read
EXPOSURES = 5  # pictures whose mean is one blurred frame
READABLE = 0.5  # share of a word that must be seen for it to be asked for


@dataclass(frozen=True)
class Still:
    """A picture (H, W, 3) uint8 RGB, its words' corners (K, 4, 2) float64 clockwise in its pixels, and transcripts."""

    image: np.ndarray
    quads: np.ndarray
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Moves:
    """What happens in each shot.

    Attributes:
        close: how many times closer than one that shows as much of the still as fits the widest view is; its middle
            is that of the words that can be read, as far as the still reaches.
        pan: share of the view's width and height by which its middle wanders, at most.
        zoom: how many times larger the closest view is than the widest.
        turn: degrees to either side, at most.
        shutter: share of the time between frames in which the shutter is open; 0 blurs nothing, above 1 exaggerates.
        bar: share of the frame's width of an upright bar that passes over it; 0 is none.
    """

    close: float = 1.0
    pan: float = 0.15
    zoom: float = 1.3
    turn: float = 6.0
    shutter: float = 0.5
    bar: float = 0.08


STANDING = Moves(pan=0, zoom=1, turn=0, shutter=0, bar=0)


class Word(NamedTuple):
    """A word in a frame: id, unique over all shots; corners (4, 2) float64 in pixels; transcript; share seen."""

    id: int
    quad: np.ndarray
    text: str
    visible: float


class SceneFrame(NamedTuple):
    """A frame: its index, its time in seconds, its picture (H, W, 3) uint8 RGB, and the words of which some is seen."""

    index: int
    t: float
    image: np.ndarray
    words: list[Word]


class _View(NamedTuple):
    """Where the camera looks: the middle in the still's pixels, pixels of the frame for each of them, and radians."""

    middle: np.ndarray
    scale: float
    turn: float

    def transform(self, size: tuple[int, int]) -> np.ndarray:
        """Return what takes the still to a frame of ``size``, (2, 3) float64, from corners of pixels."""
        cosine, sine = self.scale * np.cos(self.turn), self.scale * np.sin(self.turn)
        linear = np.array([[cosine, -sine], [sine, cosine]])
        return np.column_stack([linear, np.array(size) / 2 - linear @ self.middle])


def scenes(stills: Sequence[Still], seed: int = 0, size: tuple[int, int] = (640, 360), frames: int = 48,
           fps: float = 24, moves: Moves = Moves()) -> Iterator[SceneFrame]:
    """Yield a film with one shot of each still, with a hard cut in between.

    Args:
        stills: what is filmed.
        seed: what the paths of camera and bar depend on; the same seed gives the same film.
        size: width and height of a frame.
        frames: of each shot.
        fps: frames a second.
        moves: what happens in the shots.
    """
    first = 1
    for shot, still in enumerate(stills):
        rng = np.random.default_rng([seed, shot])
        path = _path(still, size, moves, rng)
        bar = rng.integers(0, 256, (size[1], max(1, round(moves.bar * size[0])), 3), np.uint8) if moves.bar else None
        for step in range(frames):
            index, at = shot * frames + step, step / max(frames - 1, 1)
            image = _filmed(still, path, at, moves.shutter / max(frames - 1, 1), size)
            hidden = None if bar is None else _pass(image, bar, at)
            transform = _view(path, at).transform(size)
            quads = still.quads @ transform[:, :2].T + transform[:, 2]
            words = [Word(first + number, quad, text, _seen(quad, size, hidden))
                     for number, (quad, text) in enumerate(zip(quads, still.texts, strict=True))]
            yield SceneFrame(index, index / fps, image, [word for word in words if word.visible > 0])
        first += len(still.texts)


def _path(still: Still, size: tuple[int, int], moves: Moves, rng: np.random.Generator) -> tuple[_View, _View]:
    """Return the camera's first and last view of a still; in between it goes straight."""
    height, width = still.image.shape[:2]
    scale = moves.close * max(size[0] / width, size[1] / height)
    zooms = [1.0, moves.zoom][:: 1 if rng.random() < 0.5 else -1]
    wander = rng.uniform(0.5, 1, 2) * rng.choice([-1, 1], 2) * moves.pan * np.array(size) / scale
    turn = np.deg2rad(moves.turn) * rng.uniform(0.5, 1) * rng.choice([-1, 1])
    middle = _middle(still, np.array(size) / 2 / scale)
    return (_View(middle - wander, scale * zooms[0], -turn), _View(middle + wander, scale * zooms[1], turn))


def _middle(still: Still, half: np.ndarray) -> np.ndarray:
    """Return the middle (2,) of the words that can be read, so far from the edges that ``half`` a view fits."""
    whole = np.array(still.image.shape[1::-1], float)
    words = still.quads[[text != UNREADABLE for text in still.texts]]
    words = words if len(words) else still.quads
    middle = (words.min(axis=(0, 1)) + words.max(axis=(0, 1))) / 2 if len(words) else whole / 2
    return np.clip(middle, np.minimum(half, whole / 2), np.maximum(whole - half, whole / 2))


def _view(path: tuple[_View, _View], at: float) -> _View:
    """Return the view at a time from 0 to 1."""
    begin, end = path
    return _View(begin.middle + at * (end.middle - begin.middle), begin.scale * (end.scale / begin.scale) ** at,
                 begin.turn + at * (end.turn - begin.turn))


def _filmed(still: Still, path: tuple[_View, _View], at: float, shutter: float, size: tuple[int, int]) -> np.ndarray:
    """Return the frame at a time, the shutter open for so long around it."""
    times = at + shutter * np.linspace(-0.5, 0.5, EXPOSURES) if shutter else np.array([at])
    total = np.zeros((size[1], size[0], 3), np.float32)
    for time in times:
        transform = _view(path, float(time)).transform(size)
        # OpenCV puts whole numbers at the centres of pixels.
        transform[:, 2] += transform[:, :2] @ (0.5, 0.5) - 0.5
        smaller = transform[0, 0] ** 2 + transform[1, 0] ** 2 < 0.8**2
        total += cv2.warpAffine(still.image, transform, size, borderMode=cv2.BORDER_REPLICATE,
                                flags=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)
    return np.round(total / len(times)).astype(np.uint8)


def _pass(image: np.ndarray, bar: np.ndarray, at: float) -> tuple[int, int]:
    """Lay the bar over the frame, from beyond its left at 0 to beyond its right at 1; return its left and right."""
    height, width = image.shape[:2]
    left = round(-bar.shape[1] + at * (width + bar.shape[1]))
    shown = slice(max(left, 0), max(0, min(left + bar.shape[1], width)))
    image[:, shown] = bar[:, shown.start - left : shown.stop - left]
    return shown.start, shown.stop


def _seen(quad: np.ndarray, size: tuple[int, int], hidden: tuple[int, int] | None) -> float:
    """Return the share of a quadrilateral's area that lies in the frame and not behind the bar."""
    area = cv2.contourArea(cv2.convexHull(quad.astype(np.float32)))
    shown = _within(quad, 0, 0, *size) - (_within(quad, hidden[0], 0, hidden[1], size[1]) if hidden else 0)
    return float(np.clip(shown / area, 0, 1)) if area else 0.0


def _within(quad: np.ndarray, left: float, top: float, right: float, bottom: float) -> float:
    """Return the area that a quadrilateral shares with an upright box."""
    if right <= left:
        return 0.0
    box = np.float32([[left, top], [right, top], [right, bottom], [left, bottom]])
    return float(cv2.intersectConvexConvex(cv2.convexHull(quad.astype(np.float32)), box)[0])


def drawn(texts: Sequence[str], seed: int = 0, size: tuple[int, int] = (960, 540), heights: tuple[int, int] = (24, 60)
          ) -> Still:
    """Return a picture with texts drawn on it, one below the other, on a ground of soft shades.

    Args:
        texts: what is written; Latin letters, which Pillow's own font has.
        seed: of colours, sizes and places.
        size: width and height in pixels.
        heights: smallest and largest size of the letters in pixels.
    """
    rng = np.random.default_rng([seed, 77])
    ground = cv2.resize(rng.integers(90, 256, (9, 16, 3), np.uint8), size, interpolation=cv2.INTER_CUBIC)
    ground = np.clip(ground + rng.normal(0, 4, ground.shape), 0, 255).astype(np.uint8)
    picture = Image.fromarray(ground)
    pen, quads = ImageDraw.Draw(picture), []
    for row, text in enumerate(texts):
        height = int(rng.integers(heights[0], heights[1] + 1))
        height = min(height, int(0.8 * size[1] * 0.8 / len(texts)), int(1.2 * size[0] / max(len(text), 1)))
        font = ImageFont.load_default(height)
        left, top, right, bottom = font.getbbox(text)
        x = rng.uniform(0.1, 0.9) * (size[0] - (right - left))
        y = size[1] * (0.1 + 0.8 * row / len(texts))
        pen.text((round(x) - left, round(y) - top), text, fill=tuple(rng.integers(0, 60, 3).tolist()), font=font)
        x, y, wide, high = round(x), round(y), right - left, bottom - top
        quads.append([[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]])
    return Still(np.asarray(picture).copy(), np.array(quads, float).reshape(-1, 4, 2), tuple(texts))


def icdar_stills(images: Path, transcripts: Path) -> list[Still]:
    """Return the pictures of a folder in MMOCR's layout with the corners of their words.

    Args:
        images: the folder, with ``textdet_test.json`` and the pictures that it names.
        transcripts: JSON with ``items`` of [picture, left, top, text]: what the word whose upper left corner is there
            says. All other words are ``###``, and those beside which "uncertain" is noted.

    Raises:
        MediaError: a file cannot be read.
    """
    truth = _read(images / "textdet_test.json")["data_list"]
    items = _read(transcripts)["items"]
    by_eye = {(name, x, y): text for name, x, y, text in items}
    stills = []
    for entry in truth:
        path = images / entry["img_path"]
        polygons = np.array([instance["polygon"] for instance in entry["instances"]], float).reshape(-1, 4, 2)
        corners = [(path.name, *corner) for corner in polygons.min(axis=1).tolist()]
        texts = tuple(_certain(by_eye.get(corner, UNREADABLE)) for corner in corners)
        stills.append(Still(_picture(path), polygons, texts))
    return stills


def _picture(path: Path) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 RGB."""
    try:
        return load(str(path))[0]
    except MediaError as error:
        raise MediaError(f"{path} {error}", code=error.code) from None


def _read(path: Path) -> dict[str, Any]:
    """Return what a file of JSON holds."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise MediaError(f"cannot read {path}: {error}", code="E_OPEN") from None


def _certain(text: str) -> str:
    """Return a transcript, or ``###`` for one beside which a doubt is noted."""
    return UNREADABLE if "uncertain" in text else text


@dataclass
class Truth:
    """What a film shows: ``text`` records, and rows by frame number from 1 as ICDAR's JSON of video text has them."""

    records: list[Record] = field(default_factory=list)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def add(self, frame: SceneFrame, source: str) -> None:
        """Note the words of a frame. A word of which less than half is seen is ``###`` in the rows."""
        self.rows[str(frame.index + 1)] = []
        for word in frame.words:
            corners = word.quad.round(2)
            text = word.text if word.visible >= READABLE else UNREADABLE
            self.records.append(make(
                "text", "truth", source, frame=frame.index, t=round(frame.t, 6), poly=corners.tolist(),
                xyxy=[*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist()], text=text, score=1.0,
                track_id=word.id,
            ))  # fmt: skip
            self.rows[str(frame.index + 1)].append(
                {"points": word.quad.round().astype(int).ravel().tolist(), "ID": str(word.id), "transcription": text})


def write_video(film: Iterable[SceneFrame], path: Path, fps: float = 24, crf: int = 18) -> Truth:
    """Write a film, one frame in memory at a time, and return what it shows; the records' source is ``path``."""
    truth, writer = Truth(), None
    for frame in film:
        if writer is None:
            writer = VideoWriter(path, frame.image.shape[1], frame.image.shape[0], fps, crf=crf)
        writer.write(frame.image, frame.t)
        truth.add(frame, str(path))
    if writer is None:
        raise ValueError("film: got no frame, expected some")
    writer.close()
    return truth
