"""What descriptors of frames tell apart, and how: ``python -m vtk.copies.bench pairs|edits|calibrate``."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from vtk.copies.background import Background, Whitened, fit
from vtk.copies.calibration import SHARES, calibrate, strangers
from vtk.copies.crops import MultiCrop, read_crops
from vtk.copies.descriptors import DEFAULT, DctDescriptor, Descriptor, NetworkDescriptor, load_descriptor
from vtk.copies.edits import edited
from vtk.copies.plans import FAMILIES
from vtk.copies.union import Union
from vtk.media.names import IMAGE_SUFFIXES
from vtk.media.sampling import NATIVE, Sampling, Size
from vtk.media.video import open_media
from vtk.models.embedder import EmbedderOptions
from vtk.models.runtime import RuntimeOptions

app = typer.Typer(add_completion=False, rich_markup_mode=None)
FRAMES = 16  # of a source at least, however short
SHORT = Size("short", 448)  # twice the input of a network, so that a quadrant has enough pixels
PICTURE_FAMILIES = ("crop", "border", "picture_in_picture", "caption", "colour", "blur", "noise", "hflip", "jpeg")
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


@app.command()
def edits(
    pictures: Annotated[list[Path], typer.Argument(help="Pictures and folders of them.")],
    descriptors: Descriptors = f"dct:1,dct,mobilenet,pdq,{DEFAULT}",
    every: Annotated[int, typer.Option(min=1, help="Take each so-manieth file of a folder.")] = 1,
    seed: Annotated[int, typer.Option(help="Of what is drawn.")] = 0,
    precision: Precision = "fp32",
) -> None:
    """Say what share of edited pictures, percent, is more like its original than a pair of strangers in 10,000.

    Edits are drawn as for generated copies; ``jpeg`` is half the size at quality 5. ``dct:1`` is DCT as it is.
    """
    whole = [next(sampled(path)) for path in listed(pictures, every)]
    rng = np.random.default_rng(seed)
    changed = {family: [_edited(image, whole[index - 1], family, rng) for index, image in enumerate(whole)]
               for family in PICTURE_FAMILIES}
    for name in descriptors.split(","):
        descriptor = load(name, precision)
        own = descriptor.describe(whole)
        others = descriptor.scores(own, own)[np.triu_indices(len(own), 1)]
        reached = float(np.quantile(others, 1 - SHARES[-1]))
        found = {family: float(np.mean([descriptor.scores(one[None], other[None])[0, 0] > reached for one, other
                                        in zip(descriptor.describe(images), own, strict=True)]))
                 for family, images in changed.items()}
        print(json.dumps({"descriptor": name, "pictures": len(whole), "strangers reach": round(reached, 4),
                          **{family: round(100 * share, 1) for family, share in found.items()},
                          "mean": round(100 * float(np.mean(list(found.values()))), 1)}))


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
    """Return the descriptor ``name`` in a precision; ``dct:4`` weighs frequencies up to a radius of 4."""
    if name.startswith("dct:"):
        return DctDescriptor(int(name.removeprefix("dct:")))
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


def _edited(image: np.ndarray, other: np.ndarray, family: str, rng: np.random.Generator) -> np.ndarray:
    """Return a picture after an edit of a family; ``other`` is what it is shown small in."""
    if family == "jpeg":
        small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        return cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 5])[1], cv2.IMREAD_COLOR)
    height, width = image.shape[:2]
    return edited(image, FAMILIES[family](rng).edits, backdrop=cv2.resize(other, (width, height)))


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
