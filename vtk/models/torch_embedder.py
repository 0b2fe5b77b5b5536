"""Embedders that are torch networks: OpenVINO on the CPU, converted once, and torch in half precision on CUDA."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.models.conversion import MODEL, TENSORS, convert, converted_once
from vtk.models.net_embedder import NetEmbedder
from vtk.models.runtime import RuntimeOptions, load, pick_device
from vtk.models.zoo import Input

if TYPE_CHECKING:
    from torch import nn

# Part of the cached folder's name: raise it whenever a network or the conversion changes.
CONVERSION = 1


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
    device = pick_device(runtime)
    if device != "cpu":
        from vtk.models.cuda import TorchNet

        precision = "bf16" if runtime.precision == "auto" else runtime.precision
        module, takes = make()
        net = TorchNet(module.requires_grad_(False), replace(runtime, precision=precision), device)
        return NetEmbedder(name, sha256, net, takes, path), takes

    def fill(folder: Path) -> None:
        module, takes = make()
        side = (3, takes.height, takes.width)
        # Two images: some networks write a batch of one into their trace as such.
        convert(module.requires_grad_(False), (2, *side), (-1, *side), folder)
        (folder / "input.json").write_text(json.dumps(asdict(takes)))

    key = hashlib.sha256(f"{sha256} {network} {CONVERSION}".encode()).hexdigest()[:32]
    folder = converted_once(f"torch-{key}", fill)
    said = json.loads((folder / "input.json").read_bytes())
    takes = Input(**{key: tuple(value) if isinstance(value, list) else value for key, value in said.items()})
    net = load(folder / MODEL, replace(runtime, device="cpu"), folder / TENSORS)
    return NetEmbedder(name, sha256, net, takes, path), takes
