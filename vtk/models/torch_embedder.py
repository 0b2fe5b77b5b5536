"""Embedders that are torch networks: OpenVINO on the CPU, converted once, and torch in half precision on CUDA."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.models.net_embedder import NetEmbedder
from vtk.models.runtime import RuntimeOptions
from vtk.models.torch_net import Made, torch_net
from vtk.models.zoo import Input

if TYPE_CHECKING:
    from torch import nn


def embedder(name: str, path: Path, sha256: str, network: str, runtime: RuntimeOptions,
             make: Callable[[], tuple[nn.Module, Input]]) -> tuple[NetEmbedder, Input]:
    """Return an embedder that runs a torch network, and what the network takes.

    Args:
        name: as records state it.
        path: of the weights.
        sha256: of the weights.
        network: in words, what ``make`` makes of them: two that differ have different words.
        runtime: device, precision, batch, threads; auto is the CPU's own precision, and bf16 on CUDA.
        make: gives the network, in eval mode, in float32 on the CPU, and its input. On the CPU it is called only where
            the conversion is not at hand: torch is slow to load.
    """

    def made() -> Made:
        module, takes = make()
        return Made(module, (3, takes.height, takes.width), asdict(takes))

    net, said = torch_net(sha256, network, runtime, made)
    takes = Input(**{key: tuple(value) if isinstance(value, list) else value for key, value in said.items()})
    return NetEmbedder(name, sha256, net, takes, path), takes
