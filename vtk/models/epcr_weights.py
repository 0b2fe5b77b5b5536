"""EPCR's file of weights, in the form that is trained: plain tensors, and which network they are of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from vtk.errors import WeightsError
from vtk.models.epcr_network import EPCR, SIDES, Plan
from vtk.models.torch_state import check_state, listed, read_plain, read_plan

KEYS = ("state_dict", "arch", "plan")


def write(net: EPCR, path: Path) -> None:
    """Write a network's weights, not folded, to ``path``, as ``read`` takes them; .safetensors, else as torch saves.

    Raises:
        ValueError: the network is folded.
    """
    state = net.state_dict()
    if net.folded:
        raise ValueError("net: got a folded network, expected the one that was trained; folding cannot be undone")
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        about = {"arch": net.arch, "plan": json.dumps(asdict(net.plan))}
        save_file({key: value.contiguous() for key, value in state.items()}, path, metadata=about)
    else:
        torch.save({"state_dict": state, "arch": net.arch, "plan": asdict(net.plan)}, path)


def read(path: Path, arch: str | None = None) -> EPCR:
    """Return the network with the weights in ``path``, not folded, in eval mode on the CPU.

    Args:
        path: of the file.
        arch: which it must be, where that matters.

    Raises:
        WeightsError: the file is none of EPCR's, is of another ``arch``, or its weights do not fit the network.
    """
    saved = read_plain(path, "EPCR's")
    if path.suffix == ".safetensors":
        saved = {"state_dict": saved} | _metadata(path)
    missing = [key for key in KEYS if not isinstance(saved, Mapping) or key not in saved]
    if missing:
        raise WeightsError(f"{path}: it holds no {listed(missing)}; expected {', '.join(KEYS)}, as EPCR's are saved")
    if saved["arch"] not in ([arch] if arch else [*SIDES]):
        raise WeightsError(f"{path}: its arch is {saved['arch']!r:.60}, expected {arch or ' or '.join(SIDES)}")
    net = _bare(saved["arch"], read_plan(path, saved["plan"], Plan))
    state, own = saved["state_dict"], net.state_dict()
    check_state(path, state, own, saved["arch"])
    net.load_state_dict({key: value.to(own[key].dtype) for key, value in state.items()}, assign=True)
    return net.eval()


def _bare(arch: str, plan: Plan) -> EPCR:
    """Return a network of which nothing is laid out yet: first the file's own tensors have to fit."""
    with torch.device("meta"):
        return EPCR(arch, plan)


def _metadata(path: Path) -> dict[str, Any]:
    """Return arch and plan from the head of a safetensors file, where they are there."""
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        said = file.metadata() or {}
    found: dict[str, Any] = {key: said[key] for key in ("arch", "plan") if key in said}
    if "plan" in found:
        with suppress(ValueError):  # what it is shows in the message of who reads it
            found["plan"] = json.loads(found["plan"])
    return found
