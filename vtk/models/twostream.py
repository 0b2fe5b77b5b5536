"""Places of whole spans by two streams: frames in their order and by their parts, with words and a tree of labels.

Experimental: nobody hands out weights. What its recipe trains is read from a file, which names the network that makes
the vectors of pictures; that network stays as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.models import zoo
from vtk.models.classifier import ClassifierOptions
from vtk.models.embedder import Embedder, EmbedderOptions, load_embedder, space_of
from vtk.models.runtime import RuntimeOptions, pick_device
from vtk.models.views import count_looks, looks
from vtk.models.weights import Weights, resolve

if TYPE_CHECKING:
    from vtk.models.twostream_network import TwoStream

NAME = "twostream"
# Parts of a frame, the whole of it first.
PARTS = ("whole", "centre", "quadrants")
KEYS = ("state_dict", "plan", "labels", "parents", "space")


class TwoStreamModel:
    """The network with what makes its vectors; stateless, so that sources share it. It is a ``Classifier``, too.

    Attributes:
        name, sha256: of its weights.
        labels: those that none is below, of which it answers with one.
        paths: of each label, what it belongs to, from the top, itself last.
        batch, precision: of the network that makes vectors.
    """

    def __init__(self, name: str, sha256: str, net: TwoStream, names: Sequence[str], embedder: Embedder,
                 device: str = "cpu") -> None:
        self.name, self.sha256 = name, sha256
        self.batch, self.precision = embedder.batch, embedder.precision
        self._net, self._embedder, self._device = net.to(device), embedder, device
        parents = net.labels.parents
        self._leaves = [label for label in range(len(parents)) if label not in parents]
        self.labels = tuple(names[label] for label in self._leaves)
        self.paths = tuple(tuple(names[each] for each in _line(label, parents)) for label in self._leaves)

    def span(self, images: Sequence[np.ndarray], words: str = "") -> np.ndarray:
        """Return (C,) float32, natural logarithms of the probabilities of ``labels`` for a span; they sum to 1.

        A label is held no likelier than what it belongs to, and likelihoods, each of its own, are shared out among the
        labels.

        Args:
            images: pictures (H, W, 3) uint8 RGB of the span, in order, of any and different sizes.
            words: what is written there, or said.

        Raises:
            ValueError: there is no picture, or one is not as above.
        """
        import torch

        if not len(images):
            raise ValueError("images: got none, expected one at least")
        plan = self._net.plan
        crops = [look for image in images for look in looks(_checked(image), PARTS)]
        vectors = self._embedder.embed(crops).reshape(1, len(images), plan.parts, plan.features)
        with torch.inference_mode():
            scores = self._net(torch.from_numpy(np.ascontiguousarray(vectors, np.float32)).to(self._device),
                               torch.ones(1, len(images), dtype=torch.bool, device=self._device),
                               torch.from_numpy(hashed(words, plan.texts)[None]).to(self._device)).fused[0]
            likely = torch.nn.functional.logsigmoid(scores.double()).cpu().numpy()
        for level in self._net.labels.levels[1:]:
            for label in level:
                likely[label] = min(likely[label], likely[self._net.labels.parents[label]])
        leaves = likely[self._leaves]
        return (leaves - np.logaddexp.reduce(leaves)).astype(np.float32)

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, log-probabilities for pictures, each a span of its own; see ``Classifier``."""
        rows = [self.span([image]) for image in images]
        return np.stack(rows) if rows else np.empty((0, len(self.labels)), np.float32)


def load_two_stream(weights: Path, runtime: RuntimeOptions = RuntimeOptions()) -> TwoStreamModel:
    """Return the model with the weights in a file, as ``write`` leaves them.

    Raises:
        WeightsError: the file is none of those, or the network that makes its vectors cannot be had.
    """
    found = resolve(zoo.custom(zoo.get(NAME), Path(weights).stem), weights, offline=runtime.offline)
    return build(zoo.get(NAME), found, ClassifierOptions(weights, None, runtime))


def build(model: zoo.Model, weights: Weights, options: ClassifierOptions) -> TwoStreamModel:
    """Return the model with the weights that were found.

    Raises:
        UsageError: labels are given: those of the file are its own.
        WeightsError: as ``load_two_stream`` has it.
    """
    if options.labels is not None:
        raise UsageError(f"--labels {options.labels}: {model.name} has its labels in the file of its weights")
    path = weights.paths[0]
    net, labels, space = read(path)
    embedder = load_embedder(space.partition("@")[0], "copy", EmbedderOptions(runtime=options.runtime))
    if space_of(embedder) != space or embedder.dimensions != net.plan.features:
        raise WeightsError(f"{path}: it was trained on vectors of {space}, {net.plan.features} numbers each; here are "
                           f"{space_of(embedder)}, {embedder.dimensions}")
    name = options.weights.stem if options.weights is not None else model.name
    return TwoStreamModel(name, str(weights.sha256), net, labels, embedder, pick_device(options.runtime))


def write(net: TwoStream, labels: Sequence[str], space: str, path: Path) -> None:
    """Write a network to ``path``, as ``read`` takes it.

    Args:
        net: on any device.
        labels: their names, those above others included, in the order of its tree.
        space: of the vectors that it was trained on, ``model@hash``.
        path: of the file.
    """
    import torch

    state = {key: value.detach().cpu() for key, value in net.state_dict().items()}
    torch.save({"state_dict": state, "plan": asdict(net.plan), "labels": list(labels),
                "parents": list(net.labels.parents), "space": space}, path)


def read(path: Path) -> tuple[TwoStream, tuple[str, ...], str]:
    """Return the network in a file, in eval mode on the CPU, its labels, and the space of its vectors.

    Raises:
        WeightsError: the file is none of two streams, or what it holds does not fit.
    """
    from vtk.models.torch_state import check_state, listed, read_plain, read_plan
    from vtk.models.twostream_network import Plan, TwoStream

    saved = read_plain(path, "those of two streams")
    missing = [key for key in KEYS if not isinstance(saved, Mapping) or key not in saved]
    if missing:
        raise WeightsError(f"{path}: it holds no {listed(missing)}; expected {', '.join(KEYS)}")
    plan, labels, parents = read_plan(path, saved["plan"], Plan), saved["labels"], saved["parents"]
    if not _are_labels(labels) or not isinstance(parents, list) or len(parents) != len(labels):
        raise WeightsError(f"{path}: its labels are {labels!r:.60} with parents {parents!r:.60}, expected different "
                           "names and as many numbers")
    if plan.parts != count_looks(PARTS) or not re.fullmatch(r"[^@]+@[0-9a-f]+", str(saved["space"])):
        raise WeightsError(f"{path}: it is for {plan.parts} parts of {saved['space']!r:.60}, expected "
                           f"{count_looks(PARTS)} of MODEL@HASH")
    try:
        net = TwoStream(plan, parents)
    except ValueError as error:
        raise WeightsError(f"{path}: its tree of labels does not hold: {error}") from error
    check_state(path, saved["state_dict"], net.state_dict(), "two streams of this plan")
    net.load_state_dict(saved["state_dict"])
    return net.eval(), tuple(labels), saved["space"]


def hashed(text: str, size: int) -> np.ndarray:
    """Return (size,) float32 of unit length for words: alike ones have alike vectors; zeros where there are none.

    Each word, and each three letters of it with its ends, count in one place, with one sign.

    Source: Weinberger et al., "Feature hashing for large scale multitask learning", 2009; Bojanowski et al., "Enriching
    word vectors with subword information", 2017, for the letters.
    """
    vector = np.zeros(size, np.float32)
    for word in re.findall(r"\w+", text.casefold().replace("_", " ")):
        ended = f"<{word}>"
        for part in (ended, *(ended[start : start + 3] for start in range(len(ended) - 2))):
            number = int.from_bytes(hashlib.blake2b(part.encode(), digest_size=8).digest(), "big")
            vector[number // 2 % size] += 1 if number % 2 else -1
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def name_labels(net: TwoStream, labels: Sequence[str]) -> None:
    """Let a network that is to be trained know the names of its labels.

    Raises:
        ValueError: there are more or fewer than it has.
    """
    import torch

    if len(labels) != len(net.labels.parents):
        raise ValueError(f"labels: got {len(labels)}, expected {len(net.labels.parents)}")
    net.labels.names.copy_(torch.from_numpy(np.stack([hashed(label, net.plan.texts) for label in labels])))


def _checked(image: np.ndarray) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"images: got {image.shape} {image.dtype}, expected (h, w, 3) uint8 RGB")
    return image


def _are_labels(labels: Any) -> bool:
    return (isinstance(labels, list) and bool(labels) and all(isinstance(label, str) and label for label in labels)
            and len(set(labels)) == len(labels))


def _line(label: int, parents: Sequence[int]) -> list[int]:
    """Return a label with all that are above it, from the top."""
    line = [label]
    while parents[line[0]] >= 0:
        line.insert(0, parents[line[0]])
    return line
