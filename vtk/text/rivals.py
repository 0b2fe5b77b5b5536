"""Spotters of pictures as a benchmark runs them: ours, and rapidocr's own program on the engines that it has."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from vtk.models.runtime import RuntimeOptions
from vtk.models.spotters import SpotterOptions, load_spotter
from vtk.text.spotting import Plan
from vtk.text.words import part, words_of

ENGINES = {"onnxruntime": "onnxruntime", "openvino": "openvino"}  # of rapidocr, by the package that each needs


class Piece(NamedTuple):
    """A line or a word: its quad (4, 2), x, y in pixels, and what stands there."""

    quad: np.ndarray
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """What a spotter found in a picture: its lines, and the words that they are made of."""

    lines: list[Piece]
    words: list[Piece]


Spot = Callable[[np.ndarray], Page]  # of a picture (H, W, 3) uint8 RGB


def load_ours(long_side: int, precision: str = "auto") -> Spot:
    """Return our spotter ``ppocr`` at a long side in pixels."""
    spotter = load_spotter("ppocr", SpotterOptions(long_side=long_side, runtime=RuntimeOptions("cpu", precision)))

    def spot(image: np.ndarray) -> Page:
        found = spotter.find([image])[0]
        readings = found.read(range(len(found.quads)))
        legible = [(quad, reading) for quad, reading in zip(found.quads, readings, strict=True)
                   if reading.text and reading.score >= Plan().legible]
        words = [Piece(part(quad, word.start, word.end), word.text) for quad, reading in legible
                 for word in words_of(reading.text, reading.score, reading)]
        return Page([Piece(quad, reading.text) for quad, reading in legible], words)

    return spot


def load_rapidocr(engine: str, long_side: int | None) -> Spot:
    """Return rapidocr's program on ``engine``, at a long side in pixels or, with None, at its defaults.

    Its classifier of lines that stand upside down is part of it. Words come from ``return_word_box``, which costs it
    next to nothing.
    """
    from rapidocr import EngineType, RapidOCR

    params: dict[str, Any] = {f"{part}.engine_type": EngineType(engine) for part in ("Det", "Cls", "Rec")}
    params |= {"Global.log_level": "critical", "Global.return_word_box": True}
    if long_side is not None:
        params |= {"Det.limit_type": "max", "Det.limit_side_len": long_side}
    program = RapidOCR(params=params)

    def spot(image: np.ndarray) -> Page:
        result = program(np.ascontiguousarray(image[:, :, ::-1]))
        if result.txts is None:
            return Page([], [])
        lines = [Piece(np.asarray(box, np.float32), text) for box, text in zip(result.boxes, result.txts, strict=True)]
        words = [Piece(np.asarray(box, np.float32), text) for line in result.word_results
                 for text, _, box in line if box is not None]
        return Page(lines, words)

    return spot


def contestants(long_side: int, extra: str | None = None) -> Iterator[tuple[str, Callable[[], Spot]]]:
    """Yield the name of each contestant that can run here, ours first, and what loads it.

    Args:
        long_side: of the pictures in which text is looked for, in pixels.
        extra: a folder of packages to look for engines in, after the interpreter's own.
    """
    if extra is not None and extra not in sys.path:
        sys.path.append(extra)
    yield f"vtk, {long_side}", partial(load_ours, long_side)
    yield f"vtk fp32, {long_side}", partial(load_ours, long_side, "fp32")
    for engine in available():
        yield f"rapidocr {engine}, {long_side}", partial(load_rapidocr, engine, long_side)
    for engine in available():
        yield f"rapidocr {engine}, defaults", partial(load_rapidocr, engine, None)


def available(engines: Mapping[str, str] = ENGINES) -> list[str]:
    """Return the engines whose package is there; say on stderr which are not."""
    there = []
    for engine, package in engines.items():
        try:
            with contextlib.redirect_stdout(sys.stderr):
                import_module(package)
            there.append(engine)
        except ImportError as error:
            sys.stderr.write(f"rapidocr on {engine} left out: {error}; --help says how to install it\n")
    return there
