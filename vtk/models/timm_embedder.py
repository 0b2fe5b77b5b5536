"""Embedders ``timm:NAME``: any network of timm without its classifier, with weights of a file or timm's own."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg, get_pretrained_cfg
from torch import nn

from vtk.errors import UsageError, WeightsError
from vtk.models import torch_embedder
from vtk.models.embedder import EmbedderOptions, at_size
from vtk.models.hub import TENSORS, fetch
from vtk.models.net_embedder import NetEmbedder
from vtk.models.recipe import HubFile
from vtk.models.torch_state import is_state, misfit, read_plain
from vtk.models.weights import Weights, sha256_of
from vtk.models.zoo import Input, Model

WRAPPED = ("state_dict", "model")  # under which training scripts save the state
PREFIXES = ("module.", "_orig_mod.")  # that torch's wrappers put before each key


def build(model: Model, weights: Weights, options: EmbedderOptions) -> NetEmbedder:
    """Return an embedder of timm's network ``model.arch``.

    Raises:
        UsageError: timm has no such network, or it does not take the size.
        WeightsError: its weights cannot be had, or do not fit.
    """
    about, model = _about(model.arch), at_size(model, options.size)
    path = weights.paths[0] if weights.paths else _from_hub(model.arch, about, options.runtime.offline)
    takes = Input(model.input.width, model.input.height, "stretch", mean=tuple(about.mean), std=tuple(about.std))

    def make() -> tuple[nn.Module, Input]:
        return _loaded(model.arch, about, takes, path), takes

    digest = weights.sha256 or sha256_of(path)
    network = f"timm {timm.__version__} {model.arch} {takes}"
    return torch_embedder.embedder(model.name, path, digest, network, options.runtime, make)[0]


def _about(name: str) -> PretrainedCfg:
    """Return what timm says of the network ``name`` and its weights."""
    if not timm.is_model(name):
        near = difflib.get_close_matches(name, timm.list_models(), n=1)
        hint = f"did you mean 'timm:{near[0]}'? " if near else ""
        raise UsageError(f"no timm network '{name}': {hint}timm.list_models() shows all")
    try:
        return get_pretrained_cfg(name)
    except RuntimeError as error:
        raise UsageError(f"timm:{name}: timm has no weights of that tag; leave away what follows the dot") from error


def _from_hub(name: str, about: PretrainedCfg, offline: bool) -> Path:
    """Return timm's own weights, out of the hub's cache or from the hub."""
    if not about.hf_hub_id:
        raise WeightsError(f"timm:{name}: timm hands out no weights for it on the hub; give a file with --weights")
    return hub_file(name, about.hf_hub_id, about.hf_hub_filename or TENSORS, offline)


def hub_file(name: str, where: str, file: str, offline: bool) -> Path:
    """Return a file of the hub, out of its cache or from the hub.

    Args:
        name: of the network, for the message.
        where: the repository, and its revision after an @.
        file: its name there.
        offline: never use the network.

    Raises:
        WeightsError: E_OFFLINE, it cannot be had.
    """
    repository, _, revision = where.partition("@")
    return fetch(f"timm:{name}", HubFile(repository, file), offline, revision or None)


def _loaded(name: str, about: PretrainedCfg, takes: Input, path: Path) -> nn.Module:
    """Return the network without its classifier, with the weights in ``path``."""
    size = {"img_size": (takes.height, takes.width)} if about.fixed_input_size else {}
    try:
        net = timm.create_model(name, pretrained=False, num_classes=0, **size).eval()
        with torch.inference_mode():
            net(torch.zeros(1, 3, takes.height, takes.width))
    except (ValueError, AssertionError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:160]
        raise UsageError(f"--input {takes.height}x{takes.width}: timm's {name} does not take it: {reason}") from error
    state = as_taken(net, _without_classifier(state_of(read_plain(path, "a network's"), path), about), path)
    if found := misfit(state, net.state_dict()):
        raise WeightsError(f"{path}: its weights are not those of timm's {name}: it {found}")
    net.load_state_dict(state)
    return net.float()


def state_of(saved: Any, path: Path) -> dict[str, torch.Tensor]:
    """Return the state that a file holds, without what wrappers have put around it.

    Raises:
        WeightsError: it holds no tensors by name.
    """
    for key in WRAPPED:
        if isinstance(saved, Mapping) and isinstance(saved.get(key), Mapping):
            saved = saved[key]
    if not is_state(saved) or not saved:
        raise WeightsError(f"{path}: it holds no dict of tensors, nor one under {' or '.join(WRAPPED)}")
    state = dict(saved)
    for prefix in PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _without_classifier(state: dict[str, torch.Tensor], about: PretrainedCfg) -> dict[str, torch.Tensor]:
    heads = (about.classifier,) if isinstance(about.classifier, str) else about.classifier or ()
    gone = tuple(f"{head}." for head in heads)
    return {key: value for key, value in state.items() if not key.startswith(gone)}


def as_taken(net: nn.Module, state: dict[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    """Return ``state`` as ``net`` takes it: timm's own filter stretches positions and renames old keys."""
    if not misfit(state, net.state_dict()):
        return state
    filter_ = getattr(sys.modules[type(net).__module__], "checkpoint_filter_fn", None)
    if filter_ is None:
        return state
    try:
        return filter_(state, net)
    except (RuntimeError, KeyError, ValueError, AttributeError, IndexError, AssertionError, TypeError):
        return state  # of another network: what it lacks is said by who asked
