"""The stage behind ``vtk spot-text``: media in, text and text_track records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vtk import records
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import Sampling
from vtk.models.runtime import RuntimeOptions
from vtk.models.spotter import Spotter
from vtk.models.spotters import LONG_SIDE, SPOTTERS, SpotterOptions, load_spotter
from vtk.records import Record
from vtk.text.spotting import Plan, Seen, Spotting
from vtk.text.tracks import TextTrack

# Frames a call: each is looked at on its own.
BATCH = 8


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        spotting: the texts on screen.
        interval: seconds from a frame to the next.
        still: whether it is a single picture, whose texts have no tracks.
    """

    source: Source
    spotting: Spotting
    interval: float
    still: bool


class TextStage(Stage):
    """Find text, follow it, read it and say when it was on screen.

    Args:
        model: name of the spotter.
        detector_weights, reader_weights: files with its networks; None takes the packaged ones.
        detect_fps: how often text is looked for where nothing happens, times a second.
        long_side: pixels of the long side in which it is looked for, a multiple of 32.
        min_height: pixels under which a text is left out.
        tracks_only: whether texts are written only when they have ended.
        runtime, sampling: where the networks run, and on which frames.

    Raises:
        UsageError: a name or a number is not one that it takes.
    """

    name = "spot-text"
    writes = frozenset({"text", "text_track"})
    batch = BATCH

    def __init__(self, model: str = "ppocr", detector_weights: Path | None = None, reader_weights: Path | None = None,
                 detect_fps: float = 4.0, long_side: int = LONG_SIDE, min_height: float = 0.0,
                 tracks_only: bool = False, runtime: RuntimeOptions = RuntimeOptions(),
                 sampling: Sampling = Sampling()) -> None:
        if model not in SPOTTERS:
            raise UsageError(f"no text spotter '{model}': there is {', '.join(SPOTTERS)}")
        if not 0 < detect_fps < float("inf"):
            raise UsageError(f"--detect-fps {detect_fps:g}: a number above 0 is needed")
        if long_side < 32 or long_side % 32:
            raise UsageError(f"--long-side {long_side}: a multiple of 32 is needed")
        if not 0 <= min_height < float("inf"):
            raise UsageError(f"--min-height {min_height:g}: pixels, 0 or more, are needed")
        self._model = model
        self._given = SpotterOptions(detector_weights, reader_weights, long_side, runtime)
        self._plan = Plan(interval=1 / detect_fps)
        self._min_height, self._tracks_only = min_height, tracks_only
        self._wanted = sampling
        self._loaded: Spotter | VtkError | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the networks behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None}

    @property
    def by(self) -> str:
        """The maker that the records name."""
        return f"spot-text/{self._model}"

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results, the hash of the weights among them where they are at hand."""
        runtime = self._given.runtime
        options: dict[str, Any] = {
            "detect_interval": round(self._plan.interval, 6), "long_side": self._given.long_side,
            "min_height": self._min_height, "tracks_only": self._tracks_only, "precision": runtime.precision,
            "batch": runtime.batch, "sampling": str(self._wanted)}
        if isinstance(self._loaded, Spotter):
            options["sha256"] = self._loaded.sha256
        return {key: value for key, value in options.items() if value is not None}

    def prepare(self, mode: str = "media") -> None:
        """Load the networks: their weights are missed before the work begins."""
        self._spotter()

    def sampling(self, source: Source) -> Sampling:
        """Return the user's frames, in the size of the source: small text is read there."""
        return self._wanted

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source, its ids not yet used."""
        spotter = self._spotter()
        info = source.info
        rate = info.fps if info is not None and info.fps else 25.0
        return State(source, Spotting(spotter, self._plan), 1 / rate,
                     info is not None and info.kind == "image")

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the texts of each frame in reading order, and the text tracks that ended before it."""
        out = []
        for frame in batch:
            if frame.image is None:
                raise ValueError(f"spot-text needs frames with pixels; frame {frame.index} has none")
            seen, ended = state.spotting.look(frame.index, round(frame.t, 6), frame.image)
            told = [] if self._tracks_only else [self._text(state, frame, each) for each in _in_order(seen)
                                                 if self._is_tall(each.quad)]
            out.append([*told, *self._ended(state, ended)])
        return out

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """End every text of the source and return the text tracks."""
        return self._ended(state, state.spotting.finish())

    def _spotter(self) -> Spotter:
        """Return the networks, loaded at the first source."""
        if self._loaded is None:
            try:
                self._loaded = load_spotter(self._model, self._given)
            except VtkError as error:
                self._loaded = error  # the next source fails the same way, without another try
        if isinstance(self._loaded, VtkError):
            raise self._loaded
        return self._loaded

    def _is_tall(self, quad: np.ndarray) -> bool:
        return min(np.linalg.norm(quad[1] - quad[2]), np.linalg.norm(quad[0] - quad[1])) >= self._min_height

    def _text(self, state: State, frame: Frame, seen: Seen) -> Record:
        poly, box = _within(seen.quad, frame)
        record = records.make("text", self.by, **frame.keys(), poly=poly, xyxy=box, text=seen.track.text or "",
                              score=records.score(seen.track.score))
        if seen.det_score is not None:
            record["det_score"] = records.score(min(max(seen.det_score, 0.0), 1.0))
        if not state.still:
            record["track_id"] = seen.track.number
        return record

    def _ended(self, state: State, ended: Sequence[TextTrack]) -> list[Record]:
        """Return the text_track records of tracks that ended, by last frame and id."""
        if state.still:
            return []
        out = []
        for track in sorted(ended, key=lambda each: (each.last_frame, each.number)):
            text, score, best = state.spotting.transcript(track)
            quad = best.quad if best is not None else track.quad
            if not self._is_tall(quad):
                continue
            record = records.make(
                "text_track", self.by, state.source.name, track_id=track.number, start=track.t,
                end=round(track.last_t + state.interval, 6), start_frame=track.frame, end_frame=track.last_frame + 1,
                text=text, score=records.score(min(score, 1.0)), observations=track.seen)
            if best is not None:
                record["best"] = {"frame": best.frame, "poly": _rounded(quad)}
            out.append(record)
        return out


def _in_order(seen: Sequence[Seen]) -> list[Seen]:
    """Return texts in reading order: line by line from the top, each from the left."""
    rest = sorted(seen, key=lambda each: (float(each.quad[:, 1].mean()), each.track.number))
    out: list[Seen] = []
    while rest:
        first = rest[0]
        low, high = first.quad[:, 1].min(), first.quad[:, 1].max()
        line = [each for each in rest if low <= each.quad[:, 1].mean() <= high]
        out += sorted(line, key=lambda each: (float(each.quad[:, 0].min()), each.track.number))
        rest = [each for each in rest if all(each is not other for other in line)]
    return out


def _within(quad: np.ndarray, frame: Frame) -> tuple[list[list[float]], list[float]]:
    """Return a quad cut to its frame, and the box around it, source pixels, two decimals."""
    height, width = frame.image.shape[:2]  # type: ignore[union-attr]
    scaled = np.clip(quad, 0, (width, height)) * np.array(frame.scale)
    low, high = scaled.min(axis=0), scaled.max(axis=0)
    return _rounded(scaled), records.boxes(np.concatenate([low, high])[None])[0]


def _rounded(quad: np.ndarray) -> list[list[float]]:
    return np.asarray(quad, np.float64).round(2).tolist()
