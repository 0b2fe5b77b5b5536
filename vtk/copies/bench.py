"""What descriptors of frames tell apart, and their calibration: ``python -m vtk.copies.bench pairs|calibrate …``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vtk.copies.background import Background, Whitened, fit
from vtk.copies.calibration import SHARES, calibrate, strangers
from vtk.copies.crops import MultiCrop, read_crops
from vtk.copies.descriptors import DEFAULT, Descriptor, NetworkDescriptor, load_descriptor
from vtk.copies.union import Union
from vtk.media.names import IMAGE_SUFFIXES
from vtk.media.sampling import NATIVE, Sampling, Size
from vtk.media.video import open_media
from vtk.models.embedder import EmbedderOptions
from vtk.models.runtime import RuntimeOptions

app = typer.Typer(add_completion=False, rich_markup_mode=None)
FRAMES = 16  # of a source at least, however short
SHORT = Size("short", 448)  # twice the input of a network, so that a quadrant has enough pixels
VIDEOS = (".mp4", ".avi", ".mkv", ".mov", ".webm")

Descriptors = Annotated[str, typer.Option("--descriptor", help="Names, comma-separated.")]
Precision = Annotated[str, typer.Option(help="auto, fp32, bf16 or fp16.")]


@app.command()
def pairs(
    folder: Annotated[Path, typer.Argument(help="Videos, some of which are copies.")],
    truth: Annotated[Path, typer.Argument(help="JSON: under pairs a list of query and reference, files.")],
    descriptors: Descriptors = f"dct,mobilenet,pdq,{DEFAULT}",
    crops: Annotated[str, typer.Option(help="centre, halves, quadrants, comma-separated: compared with wholes.")] = "",
    background: Annotated[str, typer.Option(help="Files and folders to whiten a network by, comma-separated.")] = "",
    precision: Precision = "fp32",
) -> None:
    """Say of each pair of copies how alike its two most similar frames are, and of the most similar strangers.

    One frame a second of each video, at least 16. Scores are those that descriptors share; cosines stand beside them
    where there is one. ``above`` is the number of true pairs that are above all false ones.
    """
    true = [(pair["query"], pair["reference"]) for pair in json.loads(truth.read_bytes())["pairs"]]
    sources = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in VIDEOS]
    frames = {path.name: list(sampled(path)) for path in sources}
    places = listed(background.split(",")) if background else []
    behind = [(str(path), frame) for path in places for frame in sampled(path)]
    for name in descriptors.split(","):
        descriptor = whitened(load(name, precision), behind) if behind else load(name, precision)
        crop = MultiCrop(descriptor, read_crops(crops))
        begin = time.perf_counter()
        vectors = {source: crop.describe(some) for source, some in frames.items()}
        spent = time.perf_counter() - begin
        print(json.dumps({"descriptor": descriptor.name, "crops": len(crop.crops), **compared(crop, vectors, true),
                          "frames": sum(map(len, frames.values())), "seconds": round(spent, 2)}))


@app.command("calibrate")
def calibrate_(
    sources: Annotated[list[Path], typer.Argument(help="Videos, pictures and folders, no two of which share a thing.")],
    descriptors: Descriptors = "dct,mobilenet,pdq",
    every: Annotated[int, typer.Option(min=1, help="Take each so-manieth file of a folder.")] = 1,
    precision: Precision = "fp32",
) -> None:
    """Print the cosines that shares of pairs of strangers reach, as ``vtk.copies.calibration`` has them.

    One frame a second of each video, at least 16; pairs within a source do not count.
    """
    paths = listed(sources, every)
    frames = [(str(path), frame) for path in paths for frame in sampled(path)]
    for name in descriptors.split(","):
        descriptor = load(name, precision)
        vectors = descriptor.describe([frame for _, frame in frames])
        cosines = strangers(vectors, [source for source, _ in frames])
        print(json.dumps({"space": descriptor.space, "sources": len(paths), "frames": len(frames),
                          "pairs": len(cosines), "shares": SHARES, "cosines": calibrate(cosines).cosines}))


def load(name: str, precision: str) -> Descriptor:
    """Return the descriptor ``name`` in a precision."""
    return load_descriptor(name, EmbedderOptions(runtime=RuntimeOptions(precision=precision)))


def whitened(descriptor: Descriptor, frames: Sequence[tuple[str, np.ndarray]]) -> Descriptor:
    """Return the descriptor with its networks whitened by frames and their sources."""
    if isinstance(descriptor, Union):
        return Union([whitened(part, frames) for part in descriptor.parts])
    if not isinstance(descriptor, NetworkDescriptor):
        return descriptor
    background: Background = fit(descriptor.describe([frame for _, frame in frames]),
                                 [source for source, _ in frames], descriptor.space)
    return Whitened(descriptor, background)


def listed(places: Sequence[str | Path], every: int = 1) -> list[Path]:
    """Return the videos and pictures that are named, and each ``every``-th of those in the folders that are."""
    suffixes = (*VIDEOS, *IMAGE_SUFFIXES)
    found: list[Path] = []
    for place in map(Path, places):
        inside = sorted(place.iterdir()) if place.is_dir() else []
        found += [path for path in inside if path.suffix.lower() in suffixes][::every] if inside else [place]
    return found


def sampled(path: Path) -> Iterator[np.ndarray]:
    """Yield a frame a second of a source, at least 16 of a video, (H, W, 3) uint8 RGB."""
    reader = open_media(str(path))
    length = reader.info.duration or FRAMES
    sampling = Sampling("fps", fps=max(1.0, FRAMES / length))
    size = SHORT if min(reader.info.width, reader.info.height) > SHORT.width else NATIVE
    try:
        yield from (frame.image(size) for frame in reader.frames([size], sampling.chooser()))
    finally:
        reader.close()


def compared(crop: MultiCrop, vectors: dict[str, np.ndarray], true: Sequence[tuple[str, str]]) -> dict[str, object]:
    """Return the best score of each true pair, and of the false one that has the highest."""
    names = sorted(vectors)
    scores = {(one, other): _best(crop, vectors[one], vectors[other])
              for one in names for other in names if one < other}
    copies = {tuple(sorted(pair)): pair for pair in true}
    false = max((pair for pair in scores if pair not in copies), key=lambda pair: scores[pair]["score"])
    above = sum(scores[pair]["score"] > scores[false]["score"] for pair in copies)
    return {"true": {query: scores[pair] for pair, (query, _) in copies.items()},
            "false": {"pair": list(false), **scores[false]}, "above": above}


def _best(crop: MultiCrop, queries: np.ndarray, references: np.ndarray) -> dict[str, float]:
    """Return the highest score of any two frames, and the highest cosine of wholes."""
    best = {"score": round(float(crop.scores(queries, references).max()), 4)}
    if not isinstance(crop.descriptor, Union):
        best["cosine"] = round(float((queries[:, 0] @ references[:, 0].T).max()), 4)
    return best


if __name__ == "__main__":
    app()
