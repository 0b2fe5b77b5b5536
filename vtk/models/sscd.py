"""The embedder ``sscd``: frames by Meta's descriptor of copies, a TorchScript file, or a model file of the user's own."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.errors import WeightsError
from vtk.models import net_embedder, torch_embedder
from vtk.models.embedder import EmbedderOptions, at_size
from vtk.models.net_embedder import MODEL_FILES, NetEmbedder
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

if TYPE_CHECKING:
    from torch import nn


def build(model: Model, weights: Weights, options: EmbedderOptions) -> NetEmbedder:
    """Return an embedder that runs a TorchScript module from (N, 3, H, W) to (N, D), or a model file of that kind.

    Pictures are stretched to a square, as the makers of SSCD advise for batches, and normalised by ImageNet's means.

    Raises:
        WeightsError: a TorchScript file is neither in the table nor trusted, cannot be read, or gives no vectors.
    """
    path = weights.paths[0]
    if path.suffix.lower() in MODEL_FILES:
        return net_embedder.build(model, weights, options)
    if not (weights.official or options.runtime.trust_weights):
        raise WeightsError(f"{path}: a TorchScript file holds code that is run, and its sha256, {weights.sha256}, is "
                           "not in the table; if you trust its maker, --trust-weights loads it", code="E_HASH")

    model = at_size(model, options.size)

    def make() -> tuple[nn.Module, Input]:
        return _read(path, model.input), model.input

    network = f"TorchScript {model.input}"
    return torch_embedder.embedder(model.name, path, str(weights.sha256), network, options.runtime, make)[0]


def _read(path: Path, takes: Input) -> nn.Module:
    """Return the module that a TorchScript file holds, after a first picture has gone through it."""
    import torch
    from torch import nn

    class Loaded(nn.Module):
        """A script module as one that torch can freeze and OpenVINO can trace."""

        def __init__(self, script: torch.jit.ScriptModule) -> None:
            super().__init__()
            self.script = script

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.script(images)

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch would have its users export; the file is as it is
            net = Loaded(torch.jit.load(path, map_location="cpu")).eval().float()
        with torch.inference_mode():
            found = net(torch.zeros(2, 3, takes.height, takes.width))
    except (RuntimeError, ValueError, TypeError, EOFError, OSError) as error:
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"{path}: torch cannot run it as TorchScript on 3 x {takes.height} x {takes.width} pixels: "
                           f"{reason}") from error
    if not isinstance(found, torch.Tensor) or found.ndim != 2 or len(found) != 2:
        got = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise WeightsError(f"{path}: for two pictures it gives {got}, expected two vectors")
    return net
