"""The embedders ``dcformer-s`` and ``dcformer-b``: people by DC-Former, experimental until there are weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vtk.errors import UsageError
from vtk.models import torch_embedder
from vtk.models.embedder import EmbedderOptions
from vtk.models.net_embedder import NetEmbedder
from vtk.models.weights import Weights
from vtk.models.zoo import Input, Model

if TYPE_CHECKING:
    from torch import nn


def build(model: Model, weights: Weights, options: EmbedderOptions) -> NetEmbedder:
    """Return an embedder with the weights of a file, as ``dcformer_weights.write`` makes them.

    Raises:
        UsageError: another size is asked for than that of the network.
        WeightsError: the file is none of this network's.
    """
    path = weights.paths[0]

    def make() -> tuple[nn.Module, Input]:
        from vtk.models.dcformer_weights import read

        net = read(path, model.arch)
        return net, replace(model.input, height=net.plan.height, width=net.plan.width)

    found, takes = torch_embedder.embedder(model.name, path, str(weights.sha256), model.arch, options.runtime, make)
    if options.size not in (None, (takes.height, takes.width)):
        raise UsageError(f"--input {options.size[0]}x{options.size[1]}: {path} was made for "
                         f"{takes.height}x{takes.width}; leave --input away")
    return found
