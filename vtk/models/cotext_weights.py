"""CoText's file of weights: the state of its network and the characters that it reads, plain tensors and strings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from vtk.errors import WeightsError
from vtk.models.cotext_network import CoText
from vtk.models.torch_state import check_state, listed, read_plain

ARCH = "cotext-resnet18"
UNKNOWN = "\ufffd"  # any character that the vocabulary has not
# CTC's blank, digits, letters, the unknown: CoText's English set, 38 classes.
LOWERCASE = ("", *"0123456789abcdefghijklmnopqrstuvwxyz", UNKNOWN)
KEYS = ("state_dict", "vocabulary", "arch")


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
        raise WeightsError(f"{path}: it holds no {listed(missing)}; expected {', '.join(KEYS)}, as CoText's are saved")
    if saved["arch"] != ARCH:
        raise WeightsError(f"{path}: its arch is {saved['arch']!r:.60}, expected {ARCH!r}")
    vocabulary = saved["vocabulary"]
    wrong = "not a list of strings" if not isinstance(vocabulary, (list, tuple)) else _fault(vocabulary)
    if wrong:
        raise WeightsError(f"{path}: its vocabulary is {wrong}; expected CTC's blank, '', then different characters")
    net = CoText(len(vocabulary))
    check_state(path, saved["state_dict"], net.state_dict(), ARCH)
    net.load_state_dict(saved["state_dict"])
    return net.eval(), tuple(vocabulary)


def _load(path: Path) -> Mapping[str, Any]:
    """Return what a file of plain tensors holds."""
    saved = read_plain(path, "CoText's")
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
