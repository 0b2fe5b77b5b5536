"""Files of torch weights: plain tensors, nothing in them is run, and whether they are those of a network."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch

from vtk.errors import WeightsError

_Plan = TypeVar("_Plan")

SHOWN = 3  # keys that a message names
_DAMAGE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, OSError)


def read_plain(path: Path, whose: str) -> Any:
    """Return what a file of plain tensors holds, on the CPU: safetensors by its suffix, else what torch saved.

    Args:
        path: of the file.
        whose: weights they should be, for the message: CoText's.

    Raises:
        WeightsError: the file cannot be read without running code, or at all.
    """
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (SafetensorError, *_DAMAGE) as error:
            raise WeightsError(f"{path}: safetensors cannot load it: damaged, or not {whose}") from error
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _DAMAGE as error:
        raise WeightsError(f"{path}: torch cannot load it as plain tensors: damaged, or not {whose}") from error


def read_plan(path: Path, said: Any, plan: type[_Plan]) -> _Plan:
    """Return what a file says of its network as a ``plan``, a dataclass whose fields all have defaults.

    Raises:
        WeightsError: it is no dict of those fields, or a value is out of range.
    """
    expected = sorted(field.name for field in fields(plan))  # type: ignore[arg-type]
    if not isinstance(said, Mapping) or sorted(map(str, said)) != expected:
        raise WeightsError(f"{path}: its plan is {said!r:.80}, expected a dict of {', '.join(expected)}")
    try:
        return plan(**said)
    except ValueError as error:
        raise WeightsError(f"{path}: its plan does not hold: {error}") from error


def check_state(path: Path, state: Any, own: Mapping[str, torch.Tensor], whose: str) -> None:
    """Raise WeightsError unless ``state`` has the tensors of a network, ``own``, and all are finite."""
    if not is_state(state):
        raise WeightsError(f"{path}: its state_dict is no dict of tensors")
    if found := misfit(state, own):
        raise WeightsError(f"{path}: its weights are not those of {whose}: it {found}")


def is_state(state: Any) -> bool:
    """Return whether ``state`` is a dict of tensors."""
    return isinstance(state, Mapping) and all(isinstance(value, torch.Tensor) for value in state.values())


def misfit(state: Mapping[str, torch.Tensor], own: Mapping[str, torch.Tensor]) -> str:
    """Return in what ``state`` differs from the tensors ``own``, the first keys of each kind; nothing where it fits."""
    faults = {
        "does not have": [key for key in own if key not in state],
        "has besides": [str(key) for key in state if key not in own],
        "has in another shape": [f"{key} {tuple(state[key].shape)} for {tuple(value.shape)}"
                                 for key, value in own.items()
                                 if key in state and state[key].shape != value.shape],
        "has with values that are not finite": [str(key) for key, value in state.items()
                                                if not bool(torch.isfinite(value).all())],
    }  # fmt: skip
    return "; it ".join(f"{what} {listed(keys)}" for what, keys in faults.items() if keys)


def listed(keys: Sequence[str]) -> str:
    """Return the first ``keys`` in words, and how many more there are."""
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more
