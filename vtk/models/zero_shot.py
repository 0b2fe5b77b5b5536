"""Zero-shot classifiers: pictures beside texts that name the labels, by the CLIP and SigLIP networks of open_clip."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.kernels.normalize import normalize
from vtk.models.classifier import ClassifierOptions, load_classifier
from vtk.models.label_files import BACKGROUND, read_labels
from vtk.models.net_classifier import labelled
from vtk.models.open_clip_network import (Prepared, about_weights, from_hub, library_for, loaded, pictures_of, prepared,
                                          taken, tokenizer_of)
from vtk.models.recipe import Model
from vtk.models.runtime import Net, RuntimeOptions
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights, home, sha256_of

PREFIXES = ("clip", "siglip")
# What a label is put into; its text's vector is the mean over these. Source: the shortest of those in Radford et al.,
# "Learning transferable visual models", 2021, that fit things and places alike.
TEMPLATES = ("a photo of {}.", "a photo of a {}.", "a picture of the {}.")
TEXTS_AT_ONCE = 64


class ZeroShot:
    """A network of pictures beside the vectors of texts; see ``classifier.Classifier``.

    Probabilities are a softmax over the labels that there are: a picture of none of them still has a best one.
    """

    def __init__(self, name: str, sha256: str, labels: tuple[str, ...], net: Net, takes: Prepared, texts: np.ndarray,
                 scale: float) -> None:
        self.name, self.sha256, self.labels = name, sha256, labels
        self.batch, self.precision, self.side = net.batch, net.precision, takes.side
        self._net, self._takes, self._texts, self._scale = net, takes, texts, scale

    def scores(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return (N, C) float32, natural logarithms of probabilities among ``labels``; see ``classifier.Classifier``."""
        takes = self._takes
        out = np.empty((len(images), len(self.labels)), np.float32)
        for start in range(0, len(images), self.batch):
            part = [taken(image, takes, start + index) for index, image in enumerate(images[start : start + self.batch])]
            batch = normalize(part, takes.side, takes.side, scale=1 / 255, mean=takes.mean, std=takes.std)
            logits = self._scale * (self._net(batch)[0].reshape(len(part), -1).astype(np.float64) @ self._texts.T)
            logits -= logits.max(axis=1, keepdims=True)
            out[start : start + len(part)] = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return out


def load_zero_shot(name: str, labels: Path, runtime: RuntimeOptions = RuntimeOptions(),
                   weights: Path | None = None) -> ZeroShot:
    """Return the classifier of the labels in a file.

    Args:
        name: ``clip``, ``siglip``, or ``clip:ARCH/WEIGHTS`` by open_clip's names, such as
            ``clip:ViT-B-16-SigLIP2/webli``; with ``weights`` the name of the network is enough.
        labels: a text file, a label a line, of any names; a line ``background`` is no class.
        runtime: device, precision, batch, threads, network.
        weights: a file of open_clip's to load in place of the hub's.

    Raises:
        UsageError: open_clip is not installed, or has no such network or weights.
        WeightsError: the weights or labels cannot be had, verified or read.
    """
    if name.partition(":")[0] not in PREFIXES:
        raise UsageError(f"no zero-shot model '{name}': there is {', '.join(PREFIXES)}, and clip:ARCH/WEIGHTS by "
                         "open_clip's names")
    return load_classifier(name, weights, labels, runtime)  # type: ignore[return-value]


def build(model: Model, weights: Weights, options: ClassifierOptions) -> ZeroShot:
    """Return the classifier ``model.arch``, ARCH/WEIGHTS of open_clip, of the labels in a file.

    Raises:
        UsageError, WeightsError: as ``load_zero_shot`` has it.
    """
    if options.labels is None:
        raise UsageError(f"{model.name} knows no labels of its own: give names with --labels FILE, one a line")
    labels = tuple(label for label in read_labels(options.labels) if label.lower() != BACKGROUND)
    if not labels:
        raise WeightsError(f"{options.labels}: it names the background alone; a label a line is needed")
    library = library_for(model.name)
    architecture, _, tag = model.arch.partition("/")
    about = about_weights(library, model.name, architecture, tag, bool(weights.paths))
    if weights.paths:
        path, digest = weights.paths[0], str(weights.sha256)
    else:
        path = from_hub(model.name, about, options.runtime.offline)
        digest = sha256_of(path)

    def whole() -> Any:
        return loaded(library, architecture, bool(about.get("quick_gelu")), path)

    def make() -> Made:
        clip = whole()
        told = {"scale": float(clip.logit_scale.detach().exp())}
        takes = prepared(about, clip)
        return Made(pictures_of(clip), (3, takes.side, takes.side), told | _as_json(takes))

    network = f"open_clip {library.__version__} {architecture} {sorted(about.items())}"
    net, told = torch_net(digest, network, options.runtime, make)
    texts = remembered(f"{digest} {network}", labels, lambda: _read_out(
        whole(), tokenizer_of(library, architecture, options.runtime.offline), labels))
    scale = float(told.pop("scale"))
    takes = Prepared(**{key: tuple(value) if isinstance(value, list) else value for key, value in told.items()})
    # One file of weights may be read by several architectures, and sentences change.
    whole_of_it = hashlib.sha256(f"{digest} {architecture} {sorted(about.items())} {TEMPLATES}".encode()).hexdigest()
    return ZeroShot(model.name, labelled(whole_of_it, options.labels), labels, net, takes, texts, scale)


def spoken(label: str) -> str:
    """Return a label as it is put into a sentence: ``forest/broadleaf`` and ``train_station`` are broadleaf forest, …"""
    first, _, rest = label.replace("_", " ").partition("/")
    return f"{rest.strip()} {first.strip()}".strip()


def remembered(of: str, labels: Sequence[str], make: Callable[[], np.ndarray]) -> np.ndarray:
    """Return the vectors of labels, (C, D) float32 of unit length, from the cache, or made and put there.

    Args:
        of: what makes them, in words: its weights' hash among them.
        labels: in order.
        make: called where the cache has none, or a damaged one.
    """
    key = hashlib.sha256("\n".join([of, *TEMPLATES, "", *labels]).encode()).hexdigest()
    path = home() / "texts" / f"{key[:32]}.npy"
    with suppress(OSError, ValueError, EOFError):
        raw = path.read_bytes()
        digest, body = raw[:32], raw[32:]
        if digest == hashlib.sha256(key.encode() + body).digest():
            return np.load(io.BytesIO(body), allow_pickle=False)
    made = np.ascontiguousarray(make(), np.float32)
    stream = io.BytesIO()
    np.save(stream, made, allow_pickle=False)
    body = stream.getvalue()
    with suppress(OSError):  # a cache that cannot be written costs the time to make them again, nothing else
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(key.encode() + body).digest() + body)
            os.replace(part, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(part)
    return made


def _as_json(takes: Prepared) -> dict[str, Any]:
    return {field: getattr(takes, field) for field in Prepared.__dataclass_fields__}


def _read_out(clip: Any, tokenizer: Any, labels: Sequence[str]) -> np.ndarray:
    """Return the vectors of labels, (C, D) of unit length, each the mean over TEMPLATES."""
    import torch

    texts = [template.format(spoken(label)) for label in labels for template in TEMPLATES]
    with torch.inference_mode():
        vectors = torch.cat([clip.encode_text(tokenizer(texts[start : start + TEXTS_AT_ONCE]), normalize=True)
                             for start in range(0, len(texts), TEXTS_AT_ONCE)])
        means = vectors.reshape(len(labels), len(TEMPLATES), -1).mean(dim=1)
        return torch.nn.functional.normalize(means, dim=-1).numpy()
