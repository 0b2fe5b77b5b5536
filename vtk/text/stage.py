"""The stage behind ``vtk spot-text``: media in, text and text_track records out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vtk.driver.link import error_record
from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import Sampling
from vtk.models.runtime import RuntimeOptions
from vtk.models.spotter import Spotter
from vtk.models.spotters import LONG_SIDE, SPOTTERS, SpotterOptions, load_spotter
from vtk.records import Record
from vtk.text.region import Area
from vtk.text.spotting import Plan, Spotting
from vtk.text.text_records import Output, Teller
from vtk.text.tracks import JOINT, Cues, TextTracks

# Frames a call: each is looked at on its own.
BATCH = 8


@dataclass(slots=True)
class State:
    """One open source.

    Attributes:
        spotting: the texts on screen.
        interval: seconds from a frame to the next.
        still: whether it is a single picture, whose texts have no tracks unless asked.
        area: where text is looked for; None: everywhere.
        teller: makes its records.
    """

    source: Source
    spotting: Spotting
    interval: float
    still: bool
    area: Area | None = None
    teller: Teller | None = None


class TextStage(Stage):
    """Find text, follow it, read it and say when it was on screen.

    Args:
        model: name of the spotter.
        detector_weights, reader_weights: files with ppocr's networks; None takes the packaged ones.
        weights: file with cotext's network.
        detect_fps: how often text is looked for where nothing happens, times a second.
        long_side: pixels of the long side in which it is looked for, a multiple of 32.
        output: which texts are written, and how.
        runtime, sampling: where the networks run, and on which frames.

    Raises:
        UsageError: a name or a number is not one that it takes.
    """

    name = "spot-text"
    writes = frozenset({"text", "text_track"})
    batch = BATCH

    def __init__(self, model: str = "ppocr", detector_weights: Path | None = None, reader_weights: Path | None = None,
                 detect_fps: float = 4.0, long_side: int = LONG_SIDE, output: Output = Output(),
                 runtime: RuntimeOptions = RuntimeOptions(), sampling: Sampling = Sampling(),
                 weights: Path | None = None) -> None:
        if model not in SPOTTERS:
            raise UsageError(f"no text spotter '{model}': there is {', '.join(SPOTTERS)}")
        if not 0 < detect_fps < float("inf"):
            raise UsageError(f"--detect-fps {detect_fps:g}: a number above 0 is needed")
        if long_side < 32 or long_side % 32:
            raise UsageError(f"--long-side {long_side}: a multiple of 32 is needed")
        if not 0 <= output.min_height < float("inf"):
            raise UsageError(f"--min-height {output.min_height:g}: pixels, 0 or more, are needed")
        self._model = model
        self._given = SpotterOptions(detector_weights, reader_weights, long_side, runtime, weights)
        self._plan = Plan(interval=1 / detect_fps)
        self._output = output
        self._sampling = sampling
        self._loaded: Spotter | VtkError | None = None

    def __getstate__(self) -> dict[str, object]:
        """Leave the networks behind: another process loads its own."""
        return {**self.__dict__, "_loaded": None}

    @property
    def by(self) -> str:
        """The maker that the records name."""
        return f"spot-text/{self._model}"

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results, the hash of the weights among them unless they cannot be had."""
        runtime = self._given.runtime
        options: dict[str, Any] = {
            "detect_interval": round(self._plan.interval, 6), "long_side": self._given.long_side,
            "precision": runtime.precision, "batch": runtime.batch, "sampling": str(self._sampling),
            **self._output.options()}
        try:
            options["sha256"] = self._spotter().sha256
        except VtkError:  # said of each source where it is started
            pass
        return {key: value for key, value in options.items() if value is not None}

    def prepare(self, mode: str = "media") -> None:
        """Load the networks: their weights are missed before the work begins."""
        self._spotter()

    def sampling(self, source: Source) -> Sampling:
        """Return the user's frames, in the size of the source: small text is read there."""
        return self._sampling

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source, its ids not yet used.

        Raises:
            VtkError: the weights cannot be had, or the region lies outside of the picture.
        """
        spotter = self._spotter()
        info, region = source.info, self._output.region
        rate = info.fps if info is not None and info.fps else 25.0
        area = region.of(info.width, info.height) if info is not None and region is not None else None

        def wanted(quads: np.ndarray) -> np.ndarray:
            sides = np.linalg.norm(quads - np.roll(quads, -1, axis=1), axis=2)
            tall = sides[:, :2].min(axis=1) >= self._output.min_height
            return tall if area is None else tall & area.holds(quads)

        tracks = TextTracks(JOINT if spotter.joint else Cues())
        return State(source, Spotting(spotter, self._plan, tracks, wanted=wanted), 1 / rate,
                     info is not None and info.kind == "image", area)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the texts of each frame in reading order, and the text tracks that ended before it."""
        teller, spotting = self._teller(state), state.spotting
        out = []
        for frame in batch:
            if frame.image is None:
                raise ValueError(f"spot-text needs frames with pixels; frame {frame.index} has none")
            image = frame.image if state.area is None else state.area.crop(frame.image)
            seen, ended = spotting.look(frame.index, round(frame.t, 6), image)
            out.append([*teller.texts(frame, seen, spotting), *teller.ended(ended, spotting)])
        return out

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """End every text of the source; return the text tracks, and a warning where a frame had too many."""
        told = [*self._teller(state).ended(state.spotting.finish(), state.spotting)]
        if state.spotting.left_out:
            told.append(error_record(self.by, self.name, VtkError(
                f"up to {state.spotting.left_out} boxes of a frame were left out: the surest "
                f"{state.spotting.plan.most} are looked at; --min-height or --region leaves out what is not wanted",
                code="E_CROWDED"), state.source.name))
        return told

    def _teller(self, state: State) -> Teller:
        """Return what makes the records of a source."""
        if state.teller is None:
            state.teller = Teller(self.by, state.source.name, self._output, state.interval,
                                  not state.still or self._output.image_tracks,
                                  state.area.offset if state.area is not None else (0, 0))
        return state.teller

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
