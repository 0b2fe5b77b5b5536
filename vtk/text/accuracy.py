"""How well texts are followed and read in films made of stills: ``python -m vtk.text.accuracy IMAGES TRANSCRIPTS``.

Each still is a shot in which the camera pans, zooms and turns, blurs what moves, and a bar passes over the frame;
between shots is a hard cut. Where each word stands is known exactly. Words without a transcript, and words of which
less than half is seen, are don't-care.

The first row is what ``vtk spot-text`` does. ``each frame`` finds and reads every frame with the same networks, and
takes lines for one whose similarity is 0.8 or more within a second, each once a frame, the nearest of equals. The rest
tell texts apart by the cues named, every text that is found, none confirmed by registration. In all of them lines are
split into words as ``--words`` does, and a track's transcript is its vote, of ``each frame`` the most frequent one.

Prints a table: figures of ``vtk eval spot-text``, in percent, and milliseconds a frame.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from pathlib import Path

import numpy as np

from vtk.driver.stage import Frame, Source
from vtk.errors import VtkError
from vtk.evaluation.table import table
from vtk.evaluation.text_lanes import TextLanes
from vtk.evaluation.text_sequences import read_results, read_truth
from vtk.evaluation.texts import evaluate_texts, rules_for
from vtk.kernels.association import assign
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
from vtk.models.spotter import Found, Reading, Spotter
from vtk.models.spotters import load_spotter
from vtk.records import Record, make
from vtk.records import score as rounded
from vtk.text.agreement import plain
from vtk.text.scenes import Moves, icdar_stills, scenes, write_video
from vtk.text.spotting import Plan, Spotting
from vtk.text.stage import State, TextStage
from vtk.text.text_records import Output
from vtk.text.tracks import Cues, TextTracks
from vtk.text.words import WordIds, part, words_of

COLUMNS = ("MOTA", "IDF1", "MM", "ML", "IDSW", "Hmean", "E2E_IDF1", "E2E_Hmean", "CER", "ms")
SIZE, FPS = (1280, 720), 24
MOVES = Moves(close=1.6, pan=0.2, zoom=1.6, turn=8, shutter=0.5, bar=0.15)
ALIKE, GAP = 0.8, 1.0  # similarity and seconds within which two readings are taken for one text
ABLATION = (("words",), ("looks",), ("place",), ("words", "looks"), ("words", "place"), ("looks", "place"),
            ("words", "looks", "place"))
EACH = "each frame"
UNCONFIRMED = Plan(confirmed=2.0)  # registration tells of no text that it is known

Row = Callable[[str], list[Record]]


def main(argv: list[str] | None = None) -> int:
    """Print the table; return 1 where a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vtk.text.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("images", type=Path, help="a folder with textdet_test.json and its pictures")
    parser.add_argument("transcripts", type=Path, help="JSON with items of [picture, left, top, text]")
    parser.add_argument("--frames", type=int, default=72, help="of each shot, 24 a second (default: %(default)s)")
    parser.add_argument("--films", type=int, default=4, help="how many, each with other paths (default: %(default)s)")
    options = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="vtk-") as folder:
            films = make_films(options.images, options.transcripts, Path(folder), options.frames, options.films)
            figures = {name: score(films, run) for name, run in rows(load_spotter("ppocr")).items()}
            count = sum(len(json.loads(film.with_suffix(".json").read_bytes())) for film in films)
    except VtkError as error:
        sys.stderr.write(f"vtk.text.accuracy: {error}\n")
        return 1
    for name in set(figures) - {"vtk spot-text", EACH}:
        del figures[name]["ms"]  # their networks ran before
    sys.stdout.write("\n".join(table(f"{count} FRAMES", figures, COLUMNS)) + "\n")
    return 0


def make_films(images: Path, transcripts: Path, folder: Path, frames: int, count: int) -> list[Path]:
    """Write films and beside each its truth, as ICDAR's JSON, and return the films."""
    stills = icdar_stills(images, transcripts)
    films = [folder / f"film_{seed}.mp4" for seed in range(count)]
    for seed, film in enumerate(films):
        truth = write_video(scenes(stills, seed, SIZE, frames, FPS, MOVES), film, FPS)
        film.with_suffix(".json").write_text(json.dumps(truth.rows), "utf-8")
    return films


def rows(spotter: Spotter) -> dict[str, Row]:
    """Return what is compared, by name: each gives the records of a film."""
    known = Remembering(spotter).spotter()
    found: dict[str, Row] = {"vtk spot-text": partial(spot, spotter=spotter),
                             EACH: partial(spot_each, spotter=known)}  # which fills the memory of the rest
    for chosen in ABLATION:
        found[", ".join(chosen)] = partial(spot, spotter=known, plan=UNCONFIRMED, cues=cues_of(chosen))
    return found


def cues_of(chosen: Collection[str]) -> Cues:
    """Return the cues with some of ``words``, ``looks`` and ``place`` alone; without place nothing is too far away."""
    weights = {"semantic": "words", "visual": "looks", "position": "place"}
    cues = replace(Cues(), **{weight: 0.0 for weight, name in weights.items() if name not in chosen})
    return cues if "place" in chosen else replace(cues, reach=inf, overlap=2.0)


def score(films: Sequence[Path], run: Row) -> dict[str, float | int]:
    """Return the figures of one row over all films, and milliseconds a frame."""
    spent = frames = 0
    for film in films:
        start = time.perf_counter()
        records = run(str(film))
        spent += time.perf_counter() - start
        film.with_suffix(".jsonl").write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
        frames += len(json.loads(film.with_suffix(".json").read_bytes()))
    truth = read_truth([str(film.with_suffix(".json")) for film in films])
    found = read_results([str(film.with_suffix(".jsonl")) for film in films], TextLanes())
    notes: list[str] = []
    evaluation = evaluate_texts(truth, found, notes.append, *rules_for(truth, found, notes.append))
    return evaluation.combined.figures() | {"ms": 1000 * spent / frames}


def spot(film: str, spotter: Spotter, plan: Plan = Plan(), cues: Cues = Cues()) -> list[Record]:
    """Return the records of ``vtk spot-text --words``, of another plan or other cues where they are given."""
    stage, out = TextStage(output=Output(words=True)), []
    source = Source(film)
    state = State(source, Spotting(spotter, plan, TextTracks(cues)), 1 / FPS, False)
    for index, t, image in _frames(film):
        out += stage.frames(state, [Frame(source, index, t, image=image)])[0]
    return out + stage.end(state)


def spot_each(film: str, spotter: Spotter) -> list[Record]:
    """Return the words of every frame; lines that read nearly alike within a second are one."""
    repeats, ids, out = Repeats(), WordIds(), []
    for index, t, image in _frames(film):
        found = spotter.find([image])[0]
        readings = found.read(range(len(found.quads))) if len(found.quads) else []
        rows = [row for row, reading in enumerate(readings) if reading.text and reading.score >= Plan().legible]
        lines = repeats.number(t, found.quads[rows], [readings[row].text for row in rows])
        for row, line in zip(rows, lines, strict=True):
            words = words_of(readings[row].text, readings[row].score, readings[row])
            for word, number in zip(words, ids.of(line, [word.text for word in words]), strict=True):
                quad = part(found.quads[row], word.start, word.end)
                box = [*quad.min(axis=0).tolist(), *quad.max(axis=0).tolist()]
                out.append(make("text", EACH, film, frame=index, t=round(t, 6), poly=quad.tolist(), xyxy=box,
                                text=word.text, score=rounded(word.score), track_id=number))
    return out


@dataclass(slots=True)
class Repeats:
    """Numbers texts by what they say: one that is nearly the same within a second is the same one.

    Of equally similar ones the nearer is taken, and each once a frame.
    """

    last: dict[int, tuple[str, np.ndarray, float]] = field(default_factory=dict)
    _count: int = 0

    def number(self, t: float, quads: np.ndarray, texts: Sequence[str]) -> list[int]:
        """Return the number of each text of a frame: quads (N, 4, 2) in pixels, texts, at ``t`` seconds."""
        from rapidfuzz import process
        from rapidfuzz.distance import Indel

        self.last = {number: seen for number, seen in self.last.items() if t - seen[2] <= GAP}
        numbers: list[int | None] = [None] * len(texts)
        if self.last and len(texts):
            alike = process.cdist([plain(text) for text, _, _ in self.last.values()], [plain(text) for text in texts],
                                  scorer=Indel.normalized_similarity, dtype=np.float64)
            middles = np.array([middle for _, middle, _ in self.last.values()])
            far = np.linalg.norm(middles[:, None] - quads.mean(axis=1), axis=2)
            # A millionth for each pixel: it decides between equals alone.
            cost = np.where(alike >= ALIKE, 1 - alike + 1e-6 * far, np.inf)
            for number, column in zip(self.last, assign(cost, 1.0).tolist(), strict=True):
                if column >= 0:
                    numbers[column] = number
        for row, (quad, text) in enumerate(zip(quads, texts, strict=True)):
            if numbers[row] is None:
                self._count += 1
                numbers[row] = self._count
            self.last[numbers[row]] = text, quad.mean(axis=0), t
        return numbers


class Remembering:
    """A spotter that runs its networks once for each picture and crop."""

    def __init__(self, spotter: Spotter) -> None:
        self._spotter = spotter
        self._found: dict[bytes, Found] = {}
        self._read: dict[bytes, Reading] = {}

    def spotter(self) -> Spotter:
        """Return the spotter that asks here first."""
        return replace(self._spotter, find=self._find, read=self._reading)

    def _find(self, images: Sequence[np.ndarray]) -> list[Found]:
        return [self._finding(image) for image in images]

    def _finding(self, image: np.ndarray) -> Found:
        # A 16th of the pixels tells frames of a film apart.
        key = _key(image[::4, ::4])
        if key not in self._found:
            found = self._spotter.find([image])[0]
            readings = found.read(range(len(found.quads))) if len(found.quads) else []
            self._found[key] = replace(found, read=lambda rows: [readings[row] for row in rows])
        return self._found[key]

    def _reading(self, crops: Sequence[np.ndarray]) -> list[Reading]:
        keys = [_key(crop) for crop in crops]
        for key, crop in zip(keys, crops, strict=True):
            if key not in self._read:
                self._read[key] = self._spotter.read([crop])[0]
        return [self._read[key] for key in keys]


def _key(pixels: np.ndarray) -> bytes:
    return hashlib.blake2b(pixels.tobytes() + str(pixels.shape).encode(), digest_size=16).digest()


def _frames(film: str) -> Iterator[tuple[int, float, np.ndarray]]:
    """Yield index, seconds and picture (H, W, 3) uint8 RGB of each frame."""
    reader = open_media(film)
    try:
        for each in reader.frames([NATIVE], lambda index, t: True):
            yield each.index, each.t, each.image(NATIVE)
    finally:
        reader.close()


if __name__ == "__main__":
    sys.exit(main())
