"""Torch networks as ``runtime.Net``: OpenVINO on the CPU, converted once and cached by hash, and torch on CUDA."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from vtk.models.cached import MODEL, TENSORS, converted_once
from vtk.models.conversion import convert
from vtk.models.runtime import Net, RuntimeOptions, load, pick_device

if TYPE_CHECKING:
    from torch import nn

# Part of the cached folder's name: raise it whenever a network or the conversion changes.
CONVERSION = 1
ABOUT = "input.json"


class Made(NamedTuple):
    """A network that was read from its weights.

    Attributes:
        module: in eval mode, in float32 on the CPU.
        shape: (channels, height, width) of one input.
        about: what has to be known of it to use it, of JSON's types; it is kept beside the conversion.
    """

    module: nn.Module
    shape: tuple[int, int, int]
    about: dict[str, Any]


def torch_net(sha256: str, network: str, runtime: RuntimeOptions, make: Callable[[], Made],
              cuda: str = "bf16") -> tuple[Net, dict[str, Any]]:
    """Return what runs a torch network, and what is known of it.

    Args:
        sha256: of the weights.
        network: in words, what ``make`` makes of them: two that differ have different words.
        runtime: device, precision, batch, threads; auto is the CPU's own precision, and ``cuda`` on CUDA.
        make: on the CPU it is called only where the conversion is not at hand: torch is slow to load.
        cuda: a precision.

    Raises:
        WeightsError: the network cannot be converted, or there is no place for it.
    """
    device = pick_device(runtime)
    if device != "cpu":
        from vtk.models.cuda import TorchNet

        precision = cuda if runtime.precision == "auto" else runtime.precision
        made = make()
        return TorchNet(made.module.requires_grad_(False), replace(runtime, precision=precision), device), made.about

    def fill(folder: Path) -> None:
        made = make()
        # Two images: some networks write a batch of one into their trace as such.
        convert(made.module.requires_grad_(False), (2, *made.shape), (-1, *made.shape), folder)
        (folder / ABOUT).write_text(json.dumps(made.about))

    key = hashlib.sha256(f"{sha256} {network} {CONVERSION}".encode()).hexdigest()[:32]
    folder = converted_once(f"torch-{key}", fill)
    about = json.loads((folder / ABOUT).read_bytes())
    return load(folder / MODEL, replace(runtime, device="cpu"), folder / TENSORS), about
