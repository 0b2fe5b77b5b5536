"""Crops of which it is known who they show: Market-1501's folders, a folder an identity, lists; and their vectors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson

from vtk.errors import MediaError, UsageError
from vtk.labelling import TABLE, rows_of
from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES
from vtk.models.embedder import Embedder

# Names as Market-1501 (0002_c1s1_000451_03), DukeMTMC (0005_c2_f0046985) and others have them: identity, camera.
NAME = re.compile(r"(?P<label>.+?)_c(?P<camera>\d+)(?![^_s.])")
# The folders of Market-1501, and what is in them.
FOLDERS = {"bounding_box_train": "train", "query": "query", "bounding_box_test": "gallery"}
# Marks boxes that neither help nor hurt. Source: Market-1501
JUNK = "-1"
# Crops that are in memory at once.
AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Crop:
    """A picture of one person.

    Attributes:
        path: of the image.
        label: who it is; JUNK: nobody that counts.
        camera: that took it; None: unknown.
        part: of the data that it belongs to, such as train, test, query, gallery; None: there are no parts.
    """

    path: Path
    label: str
    camera: str | None = None
    part: str | None = None

    @property
    def track(self) -> tuple[str, ...]:
        """What names the track that it is of: who and which camera; without a camera it is one of its own."""
        return (self.label, self.camera) if self.camera is not None else (self.label, "", str(self.path))


def read_labelled(folder: Path, split: str | None = None) -> list[Crop]:
    """Return the crops of a folder, by name within each part.

    Looked for in turn: ``split``, where it is a JSON file of names by part; ``labels.csv`` with the columns file,
    label, and maybe camera and ``split`` (else ``split`` is the column's name); Market-1501's three folders; images
    whose names say identity and camera; a folder of images for each identity.

    Raises:
        UsageError: there is nothing of this kind, or a name or a row that says nobody.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder}: a folder of labelled crops is needed")
    if split is not None and (split.endswith(".json") or Path(split).is_file()):
        return list(_listed(folder, Path(split)))
    if (folder / TABLE).is_file():
        return list(_tabled(folder, split))
    if split is not None:
        raise UsageError(f"--split {split}: a JSON file of names by part, or a column of {folder / TABLE}; there is "
                         "neither")
    parts = {name: part for name, part in FOLDERS.items() if (folder / name).is_dir()}
    if parts:
        return [_named(path, part) for name, part in parts.items() for path in _images(folder / name)]
    if found := _images(folder):
        return [_named(path, None) for path in found]
    crops = [Crop(path, one.name, match["camera"] if (match := NAME.match(path.name)) else None)
             for one in sorted(folder.iterdir()) if one.is_dir() for path in _images(one)]
    if not crops:
        raise UsageError(f"{folder}: no labelled crops; {TABLE}, query/ and bounding_box_test/, names such as "
                         "0002_c1s1_000451_03.jpg or a folder for each identity are looked for")
    return crops


def taken(crops: Sequence[Crop], part: str) -> list[Crop]:
    """Return the crops of a part that show somebody; where there are no parts, all.

    Raises:
        UsageError: there is no such part, or nothing in it.
    """
    parts = sorted({crop.part for crop in crops if crop.part is not None})
    if parts and part not in parts:
        raise UsageError(f"--part {part}: there is {', '.join(parts)}")
    found = [crop for crop in crops if (not parts or crop.part == part) and crop.label != JUNK]
    if not found:
        raise UsageError("there is no crop that shows somebody")
    return found


def capped(crops: Sequence[Crop], most: int) -> list[Crop]:
    """Return at most ``most`` crops of each track, spread evenly over it, as they stand."""
    groups: dict[tuple[str, ...], list[Crop]] = {}
    for crop in crops:
        groups.setdefault(crop.track, []).append(crop)
    kept = {id(each[place]) for each in groups.values()
            for place in np.unique(np.linspace(0, len(each) - 1, min(most, len(each))).round().astype(int))}
    return [crop for crop in crops if id(crop) in kept]


def embed(crops: Sequence[Crop], embedder: Embedder, heard: Callable[[int], object] = lambda count: None) -> np.ndarray:
    """Return (N, D) float32 of unit length, a row a crop; ``heard`` is told how many more are done.

    Raises:
        MediaError: an image cannot be read, or shows nothing that a vector is made of.
    """
    out = np.empty((len(crops), embedder.dimensions), np.float32)
    for start in range(0, len(crops), AT_ONCE):
        some = crops[start:start + AT_ONCE]
        images = []
        for crop in some:
            try:
                images.append(load(str(crop.path))[0])
            except MediaError as error:
                raise MediaError(f"{crop.path} {error}", code=error.code) from None
        out[start:start + len(some)] = embedder.embed(images)
        heard(len(some))
    blank = np.flatnonzero(~out.any(axis=1))
    if len(blank):
        raise MediaError(f"{crops[blank[0]].path}: the model makes no vector of it")
    return out


def tracks(crops: Sequence[Crop], embedder: Embedder,
           heard: Callable[[int], object]) -> tuple[np.ndarray, list[str], list[str | None]]:
    """Return the mean vector of each track's crops (N, D) float32, who each is, and its camera.

    Raises:
        MediaError: as ``embed``.
    """
    vectors, first = fused(embed(crops, embedder, heard), [crop.track for crop in crops])
    return vectors, [crops[row].label for row in first], [crops[row].camera for row in first]


def fused(vectors: np.ndarray, groups: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean vector of each group at unit length (M, D) float32, and the row (M,) at which each is first.

    Args:
        vectors: (N, D) float32 of unit length.
        groups: N names of groups.
    """
    numbers: dict[object, int] = {}
    codes = np.array([numbers.setdefault(group, len(numbers)) for group in groups], np.int64)
    sums = np.zeros((len(numbers), vectors.shape[1]))
    np.add.at(sums, codes, vectors)
    first = np.unique(codes, return_index=True)[1]
    return (sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)).astype(np.float32), first


def _listed(folder: Path, file: Path) -> Iterator[Crop]:
    """Yield the crops of a JSON file of names by part."""
    try:
        said = orjson.loads(file.read_bytes())
    except OSError as error:
        raise UsageError(f"--split {file}: {error.strerror}") from None
    except orjson.JSONDecodeError as error:
        raise UsageError(f"--split {file} is no JSON: {error}") from None
    lists = said.values() if isinstance(said, dict) else ()
    if not lists or not all(isinstance(names, list) and all(isinstance(name, str) for name in names)
                            for names in lists):
        raise UsageError(f'--split {file}: names by part are needed, such as {{"query": […], "gallery": […]}}')
    for part, names in said.items():
        for name in names:
            if not (folder / name).is_file():
                raise UsageError(f"--split {file}: {folder / name} is not there")
            yield _named(folder / name, part)


def _tabled(folder: Path, column: str | None) -> Iterator[Crop]:
    """Yield the crops of labels.csv."""
    for _, row in rows_of(folder / TABLE, *([column] if column else [])):
        yield Crop(folder / row["file"], row["label"], row.get("camera") or None, row.get(column or "split") or None)


def _named(path: Path, part: str | None) -> Crop:
    """Return a crop by what its name says."""
    match = NAME.match(path.name)
    if match is None:
        raise UsageError(f"{path}: its name does not say who it is; 0002_c1s1_000451_03.jpg does, identity and camera")
    return Crop(path, match["label"], match["camera"], part)


def _images(folder: Path) -> list[Path]:
    """Return the images right in a folder, by name."""
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)
