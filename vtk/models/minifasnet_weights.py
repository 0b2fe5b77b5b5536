"""Files of MiniFASNet's weights: the makers' two, or one of the user's own with either network or both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from vtk.errors import WeightsError
from vtk.models.minifasnet_network import SCALES, SQUEEZED, Ensemble
from vtk.models.torch_state import check_state, is_state, read_plain

WHOSE = "MiniFASNet's"


def write(net: Ensemble, path: Path) -> None:
    """Write an ensemble's weights to ``path``, as ``read`` takes them; .safetensors, else as torch saves."""
    state = {f"{kind}.{key}": value.contiguous() for kind, one in net.networks.items()
             for key, value in one.state_dict().items()}  # fmt: skip
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
    else:
        torch.save(state, path)


def read(paths: Sequence[Path]) -> Ensemble:
    """Return the networks whose weights are in ``paths``, in eval mode on the CPU.

    Each file has a state dict, itself or under state_dict: of one network, as its makers save it, or of several with
    v2. and v1se. before each key. Which network it is shows in its tensors.

    Raises:
        WeightsError: a file cannot be read, is of other networks, or two are of the same.
    """
    states: dict[str, tuple[Path, dict[str, Tensor]]] = {}
    for path in paths:
        for kind, state in _split(path).items():
            if kind in states:
                raise WeightsError(f"{path}: it is a MiniFASNet {kind}, and so is {states[kind][0]}")
            states[kind] = path, state
    net = Ensemble([kind for kind in SCALES if kind in states])
    for kind, (path, state) in states.items():
        own = net.networks[kind].state_dict()
        check_state(path, state, own, f"MiniFASNet {kind}")
        net.networks[kind].load_state_dict(state)
    return net.eval()


def _split(path: Path) -> dict[str, dict[str, Tensor]]:
    """Return the state dicts in a file by the kind of their network."""
    saved = read_plain(path, WHOSE)
    saved = saved.get("state_dict", saved) if isinstance(saved, Mapping) else saved
    if not is_state(saved) or not saved:
        raise WeightsError(f"{path}: it holds no dict of tensors, nor one under state_dict, as {WHOSE} are saved")
    # DataParallel, with which its makers trained, puts that word before each key.
    state = {str(key).removeprefix("module."): value for key, value in saved.items()}
    heads = {key.partition(".")[0] for key in state}
    if heads <= set(SCALES):
        return {kind: {key.removeprefix(f"{kind}."): value for key, value in state.items()
                       if key.startswith(f"{kind}.")} for kind in SCALES if kind in heads}  # fmt: skip
    squeezed = any(".se_module." in key for key in state)
    return {kind: state for kind in SCALES if (kind in SQUEEZED) == squeezed}
