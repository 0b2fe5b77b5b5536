"""DC-Former's file of weights, and how it starts from a vision transformer of timm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from math import isqrt
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from vtk.errors import WeightsError
from vtk.models.dcformer_network import ARCHS, DCFormer, Plan
from vtk.models.torch_state import check_state, is_state, listed, misfit, read_plain, read_plan

KEYS = ("state_dict", "arch", "plan")


def write(net: DCFormer, path: Path) -> None:
    """Write a network's weights to ``path``, as ``read`` takes them."""
    torch.save({"state_dict": net.state_dict(), "arch": net.arch, "plan": asdict(net.plan)}, path)


def read(path: Path, arch: str | None = None) -> DCFormer:
    """Return the network with the weights in ``path``, in eval mode on the CPU.

    Args:
        path: of the file.
        arch: which it must be, where that matters.

    Raises:
        WeightsError: the file is none of DC-Former's, is of another ``arch``, or its weights do not fit the network.
    """
    saved = read_plain(path, "DC-Former's")
    missing = [key for key in KEYS if not isinstance(saved, Mapping) or key not in saved]
    if missing:
        raise WeightsError(f"{path}: it holds no {listed(missing)}; expected {', '.join(KEYS)}, "
                           "as DC-Former's are saved")
    if saved["arch"] not in ([arch] if arch else [*ARCHS]):
        raise WeightsError(f"{path}: its arch is {saved['arch']!r:.60}, expected {arch or ' or '.join(ARCHS)}")
    plan = read_plan(path, saved["plan"], Plan)
    with torch.device("meta"):  # nothing is laid out before the file's own tensors are known to fit
        net = DCFormer(saved["arch"], plan)
    state = saved["state_dict"]
    own = net.state_dict()
    check_state(path, state, own, saved["arch"])
    net.load_state_dict({key: value.to(own[key].dtype) for key, value in state.items()}, assign=True)
    return net.eval()


def start_from(net: DCFormer, state: Mapping[str, Tensor]) -> None:
    """Fill ``net`` with the trunk of a ViT that timm trained on square pictures; its classifier is left out.

    The class token is given to all of the network's, which then differ by their own random positions alone; the
    positions of the patches are stretched over the network's grid. Cameras, necks and classifiers stay as they are.

    Raises:
        ValueError: it is no ViT of one class token and of the network's width and depth.

    Source: the released code of DC-Former, load_param and resize_pos_embed: bilinear.
    """
    if not is_state(state) or not {"cls_token", "pos_embed"} <= set(state):
        raise ValueError("state: got no dict of tensors with cls_token and pos_embed, expected those of a ViT of timm")
    taken = {key: value for key, value in state.items() if not key.startswith("head.")}
    token, positions = taken.pop("cls_token"), taken.pop("pos_embed")
    width = net.cls_token.shape[2]
    side = isqrt(max(positions.shape[1] - 1, 0)) if positions.ndim == 3 else 0
    if token.shape != (1, 1, width) or side == 0 or positions.shape != (1, side * side + 1, width):
        raise ValueError(f"state: got cls_token {tuple(token.shape)} and pos_embed {tuple(positions.shape)}, expected "
                         f"(1, 1, {width}) and (1, 1 + a square, {width})")
    taken["cls_token"] = token.expand_as(net.cls_token)
    grid = positions[:, 1:].reshape(1, side, side, width).permute(0, 3, 1, 2)
    taken["position"] = interpolate(grid, net.plan.grid, mode="bilinear").flatten(2).transpose(1, 2)
    own = {key: value for key, value in net.state_dict().items()
           if key != "cls_position" and key.partition(".")[0] not in ("camera", "necks", "classifiers")}
    if found := misfit(taken, own):
        raise ValueError(f"state: it is not that of a ViT for {net.arch}: it {found}")
    net.load_state_dict(taken, strict=False)
