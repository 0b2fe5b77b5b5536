"""CoText's file of weights: the state of its network and the characters that it reads, plain tensors and strings."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from vtk.errors import WeightsError
from vtk.models.cotext_network import CoText

ARCH = "cotext-resnet18"
UNKNOWN = "\ufffd"  # any character that the vocabulary has not
# CTC's blank, digits, letters, the unknown: CoText's English set, 38 classes.
LOWERCASE = ("", *"0123456789abcdefghijklmnopqrstuvwxyz", UNKNOWN)
KEYS = ("state_dict", "vocabulary", "arch")
SHOWN = 3  # keys that a message names


def write(net: CoText, path: Path, vocabulary: Sequence[str] = LOWERCASE) -> None:
    """Write a network's weights with its vocabulary to ``path``, as ``read`` takes them.

    Raises:
        ValueError: the vocabulary is not the network's.
    """
    wrong = _fault(vocabulary)
    classes = net.reader.classify.out_features
    if wrong or len(vocabulary) != classes:
        raise ValueError(f"vocabulary: got {len(vocabulary)} entries{wrong and ', ' + wrong}, expected the network's "
                         f"{classes} classes, the blank, '', first")
    torch.save({"state_dict": net.state_dict(), "vocabulary": list(vocabulary), "arch": ARCH}, path)


def read(path: Path) -> tuple[CoText, tuple[str, ...]]:
    """Return the network with the weights in ``path``, in eval mode on the CPU, and the character of each class.

    Raises:
        WeightsError: the file is none of CoText's, or its weights do not fit the network.
    """
    saved = _load(path)
    missing = [key for key in KEYS if key not in saved]
    if missing:
        raise WeightsError(f"{path}: it holds no {_listed(missing)}; expected {', '.join(KEYS)}, as CoText's are saved")
    if saved["arch"] != ARCH:
        raise WeightsError(f"{path}: its arch is {saved['arch']!r:.60}, expected {ARCH!r}")
    vocabulary = saved["vocabulary"]
    wrong = "not a list of strings" if not isinstance(vocabulary, (list, tuple)) else _fault(vocabulary)
    if wrong:
        raise WeightsError(f"{path}: its vocabulary is {wrong}; expected CTC's blank, '', then different characters")
    net = CoText(len(vocabulary))
    _check_state(path, saved["state_dict"], net.state_dict())
    net.load_state_dict(saved["state_dict"])
    return net.eval(), tuple(vocabulary)


def _load(path: Path) -> Mapping[str, Any]:
    """Return what a file of plain tensors holds; nothing in it is run."""
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError,
            OSError) as error:  # fmt: skip
        raise WeightsError(f"{path}: torch cannot load it as plain tensors: damaged, or not CoText's") from error
    if not isinstance(saved, Mapping):
        raise WeightsError(f"{path}: it holds a {type(saved).__name__}; expected a dict of {', '.join(KEYS)}")
    return saved


def _fault(vocabulary: Sequence[Any]) -> str:
    """Return what is wrong with a vocabulary, or nothing."""
    if not all(isinstance(each, str) for each in vocabulary):
        return "not a list of strings"
    if len(vocabulary) < 2 or vocabulary[0] != "":
        return "without a blank at its start, or without characters"
    return "" if len(set(vocabulary)) == len(vocabulary) else "one with repetitions"


def _check_state(path: Path, state: Any, own: Mapping[str, torch.Tensor]) -> None:
    """Raise WeightsError unless ``state`` has the tensors of the network, ``own``, and all are finite."""
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise WeightsError(f"{path}: its state_dict is no dict of tensors")
    faults = {
        "does not have": [key for key in own if key not in state],
        "has besides": [str(key) for key in state if key not in own],
        "has in another shape": [f"{key} {tuple(state[key].shape)} for {tuple(value.shape)}"
                                 for key, value in own.items()
                                 if key in state and state[key].shape != value.shape],
        "has with values that are not finite": [str(key) for key, value in state.items()
                                                if not bool(torch.isfinite(value).all())],
    }  # fmt: skip
    found = [f"{what} {_listed(keys)}" for what, keys in faults.items() if keys]
    if found:
        raise WeightsError(f"{path}: its weights are not those of {ARCH}: it {'; it '.join(found)}")


def _listed(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
