"""Classifiers of places: the ResNets of Places365, whose weights are a state dict of plain tensors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.models.classifier import ClassifierOptions
from vtk.models.label_files import classes, read_labels
from vtk.models.net_classifier import NetClassifier, labelled
from vtk.models.places365_labels import PLACES
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights
from vtk.models.zoo import Model

if TYPE_CHECKING:
    from torch import nn

PREFIX = "module."  # that torch's DataParallel puts before each key
SIDE = 224


def build(model: Model, weights: Weights, options: ClassifierOptions) -> NetClassifier:
    """Return the classifier ``model.arch`` with the weights of the table or of a user's file.

    Precision auto is the CPU's own, and bf16 on CUDA.

    Raises:
        WeightsError: the file is not of this network, or the labels are not 365.
    """
    path = weights.paths[0]

    def make() -> Made:
        return Made(read(path, model.arch), (3, SIDE, SIDE), {})

    net, _ = torch_net(str(weights.sha256), f"Places365 {model.arch}", options.runtime, make)
    names = PLACES if options.labels is None else read_labels(options.labels)
    labels, columns = classes(names, len(PLACES), options.labels or path)
    return NetClassifier(model.name, labelled(str(weights.sha256), options.labels), labels, columns, net, model.input)


def read(path: Path, arch: str) -> nn.Module:
    """Return the network ``arch`` of torchvision with 365 outputs and the weights of a file, in eval mode.

    Args:
        path: a state dict as MIT hands it out: under ``state_dict``, each key with ``module.`` before it; both may be
            missing.
        arch: resnet18 or resnet50.

    Raises:
        WeightsError: the file cannot be read, or is not of this network.
    """
    import torchvision

    from vtk.models.torch_state import check_state, read_plain

    saved = read_plain(path, "those of Places365")
    state = saved["state_dict"] if isinstance(saved, Mapping) and "state_dict" in saved else saved
    if isinstance(state, Mapping):
        state = {str(key).removeprefix(PREFIX): value for key, value in state.items()}
    net = torchvision.models.get_model(arch, weights=None, num_classes=len(PLACES)).eval()
    own = net.state_dict()
    if isinstance(state, Mapping):  # written before torch 0.4.1: batch norm counted no batches, and needs no count here
        counts = {key: value for key, value in own.items() if key.endswith("num_batches_tracked") and key not in state}
        state = {**state, **counts}
    check_state(path, state, own, f"Places365's {arch}")
    net.load_state_dict(state)
    return net.float()
