"""Zero-shot classifiers: pictures beside texts that name the labels, by the CLIP and SigLIP networks of open_clip."""

from __future__ import annotations

import difflib
import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.kernels.normalize import normalize
from vtk.models import hub
from vtk.models.classifier import ClassifierOptions, load_classifier
from vtk.models.label_files import BACKGROUND, read_labels
from vtk.models.net_classifier import labelled
from vtk.models.recipe import HubFile, Model
from vtk.models.runtime import Net, RuntimeOptions
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights, home, sha256_of

if TYPE_CHECKING:
    from torch import nn

EXTRA = "clip"
HUB_FILE = "open_clip_model.safetensors"
PREFIXES = ("clip", "siglip")
# What a label is put into; its text's vector is the mean over these. Source: the shortest of those in Radford et al.,
# "Learning transferable visual models", 2021, that fit things and places alike.
TEMPLATES = ("a photo of {}.", "a photo of a {}.", "a picture of the {}.")
TEXTS_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Prepared:
    """How a network takes a picture.

    Attributes:
        side: pixels of its square input.
        squash: whether all of a picture is stretched to it; else its middle is taken.
        bilinear: how it is resized, else bicubic.
        mean, std: of values in [0, 1].
    """

    side: int
    squash: bool
    bilinear: bool
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


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


def taken(image: np.ndarray, takes: Prepared, index: int = 0) -> np.ndarray:
    """Return ``image`` (h, w, 3) uint8 as (side, side, 3), as open_clip's own transform resizes and cuts it.

    Raises:
        ValueError: it is not (h, w, 3) uint8, or empty; the message has its ``index``.
    """
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
        raise ValueError(f"images[{index}]: got {image.shape} {image.dtype}, expected (h, w, 3) uint8 RGB")
    from PIL import Image

    side, (tall, wide) = takes.side, image.shape[:2]
    if takes.squash:
        height = width = side
    else:
        height, width = (int(side * each / min(tall, wide)) for each in (tall, wide))
        # Of what is far longer than wide most would be resized for nothing: cut first, with room at the edges.
        most = 4 * min(tall, wide)
        if max(tall, wide) > most:
            top, left = max(0, tall - most) // 2, max(0, wide - most) // 2
            return taken(image[top : top + most, left : left + most], takes, index)
    method = Image.Resampling.BILINEAR if takes.bilinear else Image.Resampling.BICUBIC
    resized = np.asarray(Image.fromarray(np.ascontiguousarray(image)).resize((width, height), method))
    top, left = round((height - side) / 2), round((width - side) / 2)
    return np.ascontiguousarray(resized[top : top + side, left : left + side])


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
    library = _library(model.name)
    architecture, _, tag = model.arch.partition("/")
    about = _about(library, model.name, architecture, tag, bool(weights.paths))
    if weights.paths:
        path, digest = weights.paths[0], str(weights.sha256)
    else:
        path = _from_hub(model.name, about, options.runtime.offline)
        digest = sha256_of(path)

    def whole() -> Any:
        return _loaded(library, architecture, bool(about.get("quick_gelu")), path)

    def make() -> Made:
        clip = whole()
        told = {"scale": float(clip.logit_scale.detach().exp())}
        takes = _prepared(about, clip)
        return Made(_pictures(clip), (3, takes.side, takes.side), told | _as_json(takes))

    network = f"open_clip {library.__version__} {architecture} {sorted(about.items())}"
    net, told = torch_net(digest, network, options.runtime, make)
    texts = remembered(f"{digest} {network}", labels, lambda: _read_out(library, architecture, whole(), labels))
    scale = float(told.pop("scale"))
    takes = Prepared(**{key: tuple(value) if isinstance(value, list) else value for key, value in told.items()})
    return ZeroShot(model.name, labelled(digest, options.labels), labels, net, takes, texts, scale)


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
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(key.encode() + body).digest() + body)
        os.replace(part, path)
    return made


def _library(name: str) -> ModuleType:
    try:
        import open_clip
    except ImportError as error:
        raise UsageError(f"{name} needs open_clip: pip install 'vidtk[{EXTRA}]'") from error
    return open_clip


def _about(library: ModuleType, name: str, architecture: str, tag: str, own: bool) -> dict[str, Any]:
    """Return what open_clip says of weights; nothing for a user's own without a tag."""
    known = library.list_models()
    if architecture not in known:
        near = difflib.get_close_matches(architecture, known, n=1)
        hint = f"did you mean '{near[0]}'? " if near else ""
        raise UsageError(f"{name}: open_clip has no network '{architecture}': {hint}open_clip.list_models() shows all")
    if own and not tag:
        return {}
    tags = library.list_pretrained_tags_by_model(architecture)
    if tag not in tags:
        raise UsageError(f"{name}: open_clip knows no weights '{tag}' of {architecture}: there is "
                         f"{', '.join(tags) or 'none'}; clip:{architecture}/WEIGHTS takes one of them, --weights FILE "
                         "one of your own")
    return dict(library.pretrained.get_pretrained_cfg(architecture, tag))


def _from_hub(name: str, about: dict[str, Any], offline: bool) -> Path:
    repository, _, file = str(about.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise UsageError(f"{name}: these weights are not on the hub; fetch them and give them with --weights FILE")
    return hub.fetch(name, HubFile(repository, file or HUB_FILE), offline)


def _loaded(library: ModuleType, architecture: str, quick: bool, path: Path) -> Any:
    """Return the network of pictures and texts with the weights of a file, in eval mode, in float32 on the CPU."""
    import pickle
    import sys

    from safetensors import SafetensorError

    try:
        with redirect_stdout(sys.stderr):
            clip = library.create_model(architecture, pretrained=str(path), precision="fp32", device="cpu",
                                        force_quick_gelu=quick, weights_only=True)
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, ImportError,
            pickle.UnpicklingError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path}: open_clip cannot load it as {architecture}: {reason}") from error
    return clip.eval().requires_grad_(False)


def _prepared(about: dict[str, Any], clip: Any) -> Prepared:
    """Return how the network takes pictures, as its weights say or as open_clip has it where they do not."""
    said = dict(getattr(clip.visual, "preprocess_cfg", None) or {}) | about
    size = clip.visual.image_size
    side = int(size[0] if isinstance(size, (tuple, list)) else size)
    mean, std = (tuple(map(float, said[key])) for key in ("mean", "std"))
    return Prepared(side, said.get("resize_mode") == "squash", said.get("interpolation") == "bilinear", mean, std)


def _as_json(takes: Prepared) -> dict[str, Any]:
    return {field: getattr(takes, field) for field in Prepared.__dataclass_fields__}


def _read_out(library: ModuleType, architecture: str, clip: Any, labels: Sequence[str]) -> np.ndarray:
    """Return the vectors of labels, (C, D) of unit length, each the mean over TEMPLATES."""
    import torch

    try:
        tokenizer = library.get_tokenizer(architecture)
    except (ImportError, OSError, ValueError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{architecture}: the words of its texts cannot be had: {reason}; SigLIP's come from the hub, "
                           "and need transformers, which the extra brings") from error
    texts = [template.format(spoken(label)) for label in labels for template in TEMPLATES]
    with torch.inference_mode():
        vectors = torch.cat([clip.encode_text(tokenizer(texts[start : start + TEXTS_AT_ONCE]), normalize=True)
                             for start in range(0, len(texts), TEXTS_AT_ONCE)])
        means = vectors.reshape(len(labels), len(TEMPLATES), -1).mean(dim=1)
        return torch.nn.functional.normalize(means, dim=-1).numpy()


def _pictures(clip: Any) -> nn.Module:
    from torch import nn

    class Pictures(nn.Module):
        """From pictures (N, 3, H, W) to vectors (N, D) of unit length."""

        def __init__(self) -> None:
            super().__init__()
            self.clip = clip

        def forward(self, pictures: Any) -> Any:
            return self.clip.encode_image(pictures, normalize=True)

    return Pictures().eval()
