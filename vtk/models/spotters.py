"""The text spotters by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vtk.errors import UsageError
from vtk.models.cotext import load_cotext
from vtk.models.ppocr import LONG_SIDE, load_ppocr
from vtk.models.runtime import RuntimeOptions
from vtk.models.spotter import Spotter

SPOTTERS = ("ppocr", "cotext")


@dataclass(frozen=True, slots=True)
class SpotterOptions:
    """Which networks a spotter takes and where they run.

    Attributes:
        detector_weights, reader_weights: files of ppocr's two networks; None takes the packaged ones.
        long_side: of the pictures in which text is looked for, pixels, a multiple of 32.
        runtime: device, precision, batch, threads, network.
        weights: the file of a spotter that is one network; cotext has no other.
    """

    detector_weights: Path | None = None
    reader_weights: Path | None = None
    long_side: int = LONG_SIDE
    runtime: RuntimeOptions = RuntimeOptions()
    weights: Path | None = None


def load_spotter(name: str, options: SpotterOptions = SpotterOptions()) -> Spotter:
    """Return the spotter ``name``.

    Raises:
        UsageError: no such spotter, or an option out of range.
        WeightsError: the weights cannot be had, verified or read.
    """
    if name not in SPOTTERS:
        raise UsageError(f"no text spotter '{name}': there is {', '.join(SPOTTERS)}")
    two = options.detector_weights or options.reader_weights
    if name == "cotext":
        if two:
            raise UsageError(f"cotext is one network, and takes --weights FILE; got {two} for one of ppocr's two")
        return load_cotext(options.weights, options.runtime, options.long_side)
    if options.weights:
        raise UsageError(f"ppocr is two networks, and takes --detector-weights and --reader-weights, not --weights "
                         f"{options.weights}")
    return load_ppocr(options.detector_weights, options.reader_weights, options.runtime, options.long_side).spotter()
