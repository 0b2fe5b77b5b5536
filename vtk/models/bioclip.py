"""BioCLIP 2: pictures and the names of nearly a million taxa in one space, by open_clip and the hub's files of names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.kernels.normalize import normalize
from vtk.models import hub
from vtk.models.classifier import ClassifierOptions
from vtk.models.label_files import BACKGROUND, read_labels, split_label
from vtk.models.net_classifier import fitted, labelled
from vtk.models.open_clip_network import library_for, pictures_of
from vtk.models.runtime import Net
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights, sha256_of
from vtk.models.zoo import Input, Model

# Least probability that is told from nothing: sums of float32.
FLOOR = 1e-30


class NamedTaxa:
    """A network of pictures beside vectors of names; see ``classifier.Classifier``.

    Args:
        name, sha256, labels: as ``classifier.Classifier`` has them.
        net: from (N, 3, H, W) to (N, D) float32 of unit length.
        takes: its input.
        vectors: (D, K) float32 of unit length, of names; those of one label lie side by side.
        starts: (C,) where the vectors of each label begin; 0 first.
        scale: that cosines are multiplied by to be logits.
    """

    def __init__(self, name: str, sha256: str, labels: tuple[str, ...], net: Net, takes: Input, vectors: np.ndarray,
                 starts: np.ndarray, scale: float) -> None:
        self.name, self.sha256, self.labels = name, sha256, labels
        self.batch, self.precision = net.batch, net.precision
        self._net, self._input, self._vectors, self._starts, self._scale = net, takes, vectors, starts, scale

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, natural logarithms of probabilities among ``labels``; see ``classifier.Classifier``.

        A label that has several vectors, of homonyms or of two lists of taxa, has the sum of their probabilities.
        """
        takes = self._input
        out = np.empty((len(images), len(self.labels)), np.float32)
        for start in range(0, len(images), self.batch):
            part = [fitted(image, takes, start + index)
                    for index, image in enumerate(images[start:start + self.batch])]
            batch = normalize(part, takes.height, takes.width, scale=takes.scale, mean=takes.mean, std=takes.std)
            logits = self._scale * (self._net(batch)[0].astype(np.float32).reshape(len(part), -1) @ self._vectors)
            shares = np.exp(logits - logits.max(axis=1, keepdims=True))
            shares = np.add.reduceat(shares, self._starts, axis=1)
            shares /= shares.sum(axis=1, keepdims=True)
            out[start:start + len(part)] = np.log(np.maximum(shares, FLOOR))
        return out


def build(model: Model, weights: Weights, options: ClassifierOptions) -> NamedTaxa:
    """Return the classifier of all taxa that the hub has vectors of, or of those in a user's file of labels.

    Raises:
        UsageError: open_clip is missing, weights are given, or a label is no taxon that is known.
        WeightsError: files cannot be had or read.
    """
    if weights.paths:
        raise UsageError(f"{model.name} --weights: its network and its vectors of names belong together; leave it away")
    config, tensors, vectors, names = (hub.fetch(model.name, file, options.runtime.offline) for file in model.hub)
    takes = read_input(config, model.input)
    labels, columns, starts = chosen(read_taxa(names), options.labels, names)
    matrix = read_vectors(vectors)
    if columns.max() >= matrix.shape[1]:
        raise WeightsError(f"{vectors}: it has {matrix.shape[1]} vectors, and {names.name} more names; fetch both again")
    if tensors.parent != config.parent:
        raise WeightsError(f"{tensors}: its {config.name} is of another version, {config}; fetch both again")
    digest = sha256_of(tensors)

    def make() -> Made:
        return _loaded(model.name, config.parent, takes)

    net, about = torch_net(digest, f"open_clip picture {takes} {sha256_of(config)}", options.runtime, make)
    taken = np.ascontiguousarray(matrix[:, columns], np.float32)
    if net(np.zeros((1, 3, takes.height, takes.width), np.float32))[0].shape[-1] != len(taken):
        raise WeightsError(f"{vectors}: its vectors have {len(taken)} numbers, and those of pictures others; fetch both "
                           "again")
    all_of_it = " ".join(map(sha256_of, (config, tensors, vectors, names)))
    whole = labelled(hashlib.sha256(all_of_it.encode()).hexdigest(), options.labels)
    return NamedTaxa(model.name, whole, labels, net, takes, taken, starts, float(about["scale"]))


def read_input(config: Path, default: Input) -> Input:
    """Return what the network takes, by its ``open_clip_config.json``: all of a picture, stretched.

    Source: pybioclip 2.1.6, ``preprocess_img``, which stretches.

    Raises:
        WeightsError: it is no such file.
    """
    try:
        said = json.loads(config.read_bytes())
        side = int(said["model_cfg"]["vision_cfg"]["image_size"])
        values = said.get("preprocess_cfg", {})
        mean, std = (tuple(map(float, values.get(key, given))) for key, given in (("mean", default.mean),
                                                                                 ("std", default.std)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{config}: it is not a configuration of open_clip: {error!r}") from error
    return Input(side, side, "stretch", mean=mean, std=std)  # type: ignore[arg-type]


def read_taxa(path: Path) -> list[str]:
    """Return a label for each vector, ``Genus species (Common name)``; "" for what has no name of a species.

    Args:
        path: of a JSON list of [[kingdom, phylum, class, order, family, genus, species], common name].

    Raises:
        WeightsError: it is no such file.
    """
    try:
        rows = json.loads(path.read_bytes())
        pairs = [(f"{taxon[-2]} {taxon[-1]}" if len(taxon) == 7 and taxon[-2] and taxon[-1] else "", common)
                 for taxon, common in rows]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise WeightsError(f"{path}: it is not a list of taxa: {error!r}") from error
    return [f"{name} ({common})" if name and common else name for name, common in pairs]


def chosen(taxa: Sequence[str], file: Path | None, source: Path) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Return labels, the columns of vectors that are theirs, label by label, and where in these each label begins.

    Args:
        taxa: a label for each vector; several vectors may have one scientific name, and the first of these names it.
        file: of labels, of which the scientific name counts; None takes all taxa.
        source: of ``taxa``, for messages.

    Raises:
        UsageError: a label of the file is none of the taxa.
        WeightsError: the file cannot be read, or there are no taxa.
    """
    columns: dict[str, list[int]] = {}
    for column, label in enumerate(taxa):
        if label:
            columns.setdefault(split_label(label)[0].casefold(), []).append(column)
    if not columns:
        raise WeightsError(f"{source}: it names no species")
    if file is None:
        labels = tuple(taxa[places[0]] for places in columns.values())
        wanted = list(columns)
    else:
        labels = tuple(label for label in read_labels(file) if label.casefold() != BACKGROUND)
        wanted = [split_label(label)[0].casefold() for label in labels]
        lacking = [label for label, key in zip(labels, wanted, strict=True) if key not in columns]
        if lacking or not labels:
            raise UsageError(f"--labels {file}: {len(lacking)} of its {len(labels)} names are no species of "
                             f"{source.name}, such as '{lacking[0][:60] if lacking else BACKGROUND}'; give scientific "
                             "names, genus and species")
        if len(set(wanted)) < len(wanted):
            twice = next(label for label, key in zip(labels, wanted, strict=True) if wanted.count(key) > 1)
            raise UsageError(f"--labels {file}: '{twice[:60]}' comes twice; labels must differ")
    groups = [columns[key] for key in wanted]
    starts = np.cumsum([0, *map(len, groups[:-1])])
    return labels, np.concatenate([np.asarray(group) for group in groups]), starts


def read_vectors(path: Path) -> np.ndarray:
    """Return (D, K) float, mapped and not read; columns are of unit length.

    Raises:
        WeightsError: it is no such file.
    """
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise WeightsError(f"{path}: it is not an array of NumPy: {' '.join(str(error).split())[:120]}") from error
    if found.ndim != 2 or not np.issubdtype(found.dtype, np.floating):
        raise WeightsError(f"{path}: it is {found.shape} {found.dtype}, expected a matrix, a column a taxon")
    return found


def _loaded(name: str, folder: Path, takes: Input) -> Made:
    """Return the network of pictures in a folder with open_clip's configuration and tensors."""
    library = library_for(name)
    try:
        clip = library.create_model(f"local-dir:{folder}", precision="fp32", device="cpu").eval()
    except (RuntimeError, ValueError, KeyError, TypeError, OSError) as error:
        raise WeightsError(f"{folder}: open_clip cannot load it: {' '.join(str(error).split())[:160]}") from error
    about: dict[str, Any] = {"scale": float(clip.logit_scale.detach().exp())}
    return Made(pictures_of(clip), (3, takes.height, takes.width), about)
