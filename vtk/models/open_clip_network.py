"""Networks of open_clip: what it says of their weights, how they take pictures, and what splits their texts."""

from __future__ import annotations

import difflib
import pickle
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.models import hub
from vtk.models.recipe import HubFile
from vtk.models.weights import is_offline

if TYPE_CHECKING:
    from torch import nn

EXTRA = "clip"
HUB_FILE = "open_clip_model.safetensors"


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


def library_for(name: str) -> ModuleType:
    """Return open_clip, which the model ``name`` needs. Raises UsageError where it is not installed."""
    try:
        import open_clip
    except ImportError as error:
        raise UsageError(f"{name} needs open_clip: pip install 'vidtk[{EXTRA}]'") from error
    return open_clip


def about_weights(library: ModuleType, name: str, architecture: str, tag: str, own: bool) -> dict[str, Any]:
    """Return what open_clip says of weights; nothing for a user's own without a tag.

    Raises:
        UsageError: it knows no such network, or no such weights of it.
    """
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


def from_hub(name: str, about: dict[str, Any], offline: bool) -> Path:
    """Return the file of the weights that open_clip says ``about``, out of the hub's cache or from the hub.

    Raises:
        UsageError: the hub does not have them.
        WeightsError: they cannot be had.
    """
    repository, _, file = str(about.get("hf_hub") or "").rpartition("/")
    if not repository:
        raise UsageError(f"{name}: these weights are not on the hub; fetch them and give them with --weights FILE")
    return hub.fetch(name, HubFile(repository, file or HUB_FILE), offline)


def loaded(library: ModuleType, architecture: str, quick: bool, path: Path) -> Any:
    """Return the network of pictures and texts with the weights of a file, in eval mode, in float32 on the CPU.

    Raises:
        WeightsError: the file cannot be read as plain tensors, or is of another network.
    """
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


def prepared(about: dict[str, Any], clip: Any) -> Prepared:
    """Return how the network takes pictures, as its weights say or as open_clip has it where they do not."""
    said = dict(getattr(clip.visual, "preprocess_cfg", None) or {}) | about
    size = clip.visual.image_size
    side = int(size[0] if isinstance(size, (tuple, list)) else size)
    mean, std = (tuple(map(float, said[key])) for key in ("mean", "std"))
    return Prepared(side, said.get("resize_mode") == "squash", said.get("interpolation") == "bilinear", mean, std)


def tokenizer_of(library: ModuleType, architecture: str, offline: bool) -> Any:
    """Return what splits texts for a network.

    Raises:
        WeightsError: its words cannot be had.
    """
    of_hub = (library.get_model_config(architecture) or {}).get("text_cfg", {}).get("hf_tokenizer_name")
    alone = {"local_files_only": True} if of_hub and is_offline(offline) else {}
    try:
        return library.get_tokenizer(architecture, **alone)
    except (ImportError, OSError, ValueError, AttributeError, TypeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{architecture}: the words of its texts cannot be had: {reason}; SigLIP's come from the hub, "
                           "and need transformers, which the extra brings") from error


def pictures_of(clip: Any) -> nn.Module:
    """Return the part of a network that takes pictures (N, 3, H, W), giving vectors (N, D) of unit length."""
    from torch import nn
    from torch.nn.functional import normalize

    class Pictures(nn.Module):
        """From pictures (N, 3, H, W) to vectors (N, D) of unit length."""

        def __init__(self) -> None:
            super().__init__()
            self.clip = clip

        def forward(self, pictures: Any) -> Any:
            return normalize(self.clip.encode_image(pictures), dim=-1)

    return Pictures().eval()
