"""Classifiers ``timm:NAME``: weights of timm's hub with their classifier and the names of its classes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import get_pretrained_cfg
from torch import nn

from vtk.errors import UsageError, WeightsError
from vtk.models.classifier import ClassifierOptions
from vtk.models.hub import CONFIG, TENSORS
from vtk.models.label_files import classes, read_labels
from vtk.models.net_classifier import NetClassifier, labelled
from vtk.models.timm_embedder import as_taken, hub_file, state_of
from vtk.models.torch_net import Made, torch_net
from vtk.models.torch_state import misfit, read_plain
from vtk.models.weights import Weights, sha256_of
from vtk.models.zoo import Input, Model

# A folder of iNaturalist 2021: number, kingdom, phylum, class, order, family, genus and species.
_INAT = re.compile(r"\d{5}_(?:[^_]+_){5}([^_]+)_(.+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is known of weights with a classifier.

    Attributes:
        architecture: timm's name of the network.
        outputs: how many.
        labels: of them; empty where they are not told.
        takes: its input.
    """

    architecture: str
    outputs: int
    labels: tuple[str, ...]
    takes: Input


def build(model: Model, weights: Weights, options: ClassifierOptions) -> NetClassifier:
    """Return the classifier ``model.arch`` of timm, from the hub or with a user's weights and labels.

    Raises:
        UsageError: timm has no such network, or labels are missing.
        WeightsError: weights or labels cannot be had, or do not fit.
    """
    given = None if options.labels is None else read_labels(options.labels)
    if weights.paths:
        path, about = weights.paths[0], _own(model.arch, given)
    else:
        path, about = _from_hub(model.arch, options.runtime.offline)
    names = given or about.labels
    if not names:
        raise UsageError(f"{model.name}: its {CONFIG} does not name its {about.outputs} classes; give their names with "
                         "--labels FILE, a line a class")
    labels, columns = classes(names, about.outputs, options.labels or path)

    def make() -> Made:
        return Made(_loaded(model.name, about, path), (3, about.takes.height, about.takes.width), {})

    digest = weights.sha256 or sha256_of(path)
    network = f"timm {timm.__version__} {about.architecture} {about.outputs} classes {about.takes}"
    net, _ = torch_net(digest, network, options.runtime, make)
    return NetClassifier(model.name, labelled(digest, options.labels), labels, columns, net, about.takes)


def _from_hub(name: str, offline: bool) -> tuple[Path, Checkpoint]:
    """Return the weights of a name on the hub, and what their config says of them."""
    where = _repository(name)
    config = hub_file(name, where, CONFIG, offline)
    try:
        about = read_config(json.loads(config.read_bytes()))
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"timm:{name}: {CONFIG} of {where} is not one of timm's: {error!r}") from error
    return hub_file(name, where, TENSORS, offline), about


def _repository(name: str) -> str:
    """Return where the hub has ``name``: OWNER/NAME as it stands, else timm's own."""
    if "/" in name:
        return name
    try:
        return get_pretrained_cfg(name).hf_hub_id or f"timm/{name}"
    except (RuntimeError, AttributeError):  # not in timm's own list: many of the hub's are not
        return f"timm/{name}"


def read_config(config: Mapping[str, Any]) -> Checkpoint:
    """Return what a ``config.json`` of timm's hub says.

    Raises:
        KeyError: the architecture or the number of classes is missing.
        TypeError, ValueError: a value is not what it should be.
    """
    said = config.get("pretrained_cfg") or {}
    names = config.get("label_names") or said.get("label_names") or ()
    outputs = int(config.get("num_classes") or said["num_classes"])
    names = tuple(species_of(str(name)) for name in names) if isinstance(names, Sequence) else ()
    if not names and outputs == 1000:
        names = _imagenet()
    _, height, width = said.get("input_size") or (3, 224, 224)
    takes = Input(int(width), int(height), "crop", mean=_three(said.get("mean") or (0.485, 0.456, 0.406)),
                  std=_three(said.get("std") or (0.229, 0.224, 0.225)), share=float(said.get("crop_pct") or 0.875))
    return Checkpoint(str(config["architecture"]), outputs, names, takes)


def species_of(label: str) -> str:
    """Return genus and species of a label that names a folder of iNaturalist 2021; another label as it is."""
    found = _INAT.fullmatch(label)
    return f"{found[1]} {found[2].replace('_', ' ')}" if found else label


def _three(values: Sequence[float]) -> tuple[float, float, float]:
    first, second, third = values
    return float(first), float(second), float(third)


def _imagenet() -> tuple[str, ...]:
    """Return the names of ImageNet's 1000 classes as timm has them, each told from the others."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    short = [info.index_to_description(index) for index in range(1000)]
    return tuple(info.index_to_description(index, detailed=True) if short.count(name) > 1 else name
                 for index, name in enumerate(short))


def _own(name: str, labels: Sequence[str] | None) -> Checkpoint:
    """Return what is known of a user's weights of timm's network ``name``."""
    if not timm.is_model(name):
        raise UsageError(f"timm:{name} --weights: timm has no network of that name; timm.list_models() shows all")
    if labels is None:
        raise UsageError(f"timm:{name} --weights: give the names of its classes, too, with --labels FILE, "
                         "a line a class")
    about = get_pretrained_cfg(name)
    _, height, width = about.input_size
    takes = Input(width, height, "crop", mean=_three(about.mean), std=_three(about.std), share=about.crop_pct)
    return Checkpoint(name, len(labels), tuple(labels), takes)


def _loaded(name: str, about: Checkpoint, path: Path) -> nn.Module:
    """Return the network with its classifier and the weights in ``path``, in eval mode."""
    if not timm.is_model(about.architecture):
        raise WeightsError(f"{name}: this timm, {timm.__version__}, has no network '{about.architecture}'; "
                           "upgrade timm")
    net = timm.create_model(about.architecture, pretrained=False, num_classes=about.outputs).eval()
    state = as_taken(net, state_of(read_plain(path, "a network's"), path), path)
    if found := misfit(state, net.state_dict()):
        raise WeightsError(f"{path}: its weights are not those of timm's {about.architecture} with {about.outputs} "
                           f"classes: it {found}")
    net.load_state_dict(state)
    with torch.inference_mode():
        net(torch.zeros(1, 3, about.takes.height, about.takes.width))
    return net.float()
