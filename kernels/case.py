"""What a family's ``cases.py`` is made of, and how families are found.

Every ``kernels/<family>/cases.py`` exports

- ``NAMES``: the family's public functions;
- ``inputs(name, size, rng)``: arguments by keyword, as NumPy arrays, for a parity test at ``size``; 0 gives empty ones;
- ``tolerance(name, arguments)``: how far a result may be from the reference's, with the reason in its docstring;
- ``LIBRARIES``: for each name the best library alternatives, label -> ``prepare(arguments)``, which returns what is
  to be timed, or None where the library cannot do that case;
- ``BENCHES``: the sizes that users have, as ``Bench``;
- ``comparable(name, arguments, result)``, where several results are right: what of a result must be the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from vtk.kernels.dispatch import is_array

Arguments = Mapping[str, Any]
Prepare = Callable[[Arguments], Callable[[], Any] | None]

# Sizes of the parity test: empty, one, and such as no block size divides.
SIZES = (0, 1, 63, 1000)


def once(arguments: Arguments, result: Any) -> int:
    """Return the bytes of every array among the arguments and results: each read or written once."""
    return sum(size(value) for value in (*arguments.values(), result))


def size(value: Any) -> int:
    """Return the bytes of an array, or of those in a list or tuple; 0 for anything else."""
    if isinstance(value, (list, tuple)):
        return sum(map(size, value))
    return value.nbytes if is_array(value) else 0


@dataclass(frozen=True)
class Bench:
    """A size that users have.

    Attributes:
        function: one of the family's NAMES.
        case: what it is, in a few words.
        inputs: makes the arguments, as NumPy arrays.
        moved: the bytes that the work must read and write at least, from the arguments and the result.
        level: 0 also with ``--quick``, 1 by default, 2 only with ``--all``.
    """

    function: str
    case: str
    inputs: Callable[[np.random.Generator], Arguments]
    moved: Callable[[Arguments, Any], int] = once
    level: int = 1


def families() -> list[str]:
    """Return the names of the families: the folders beside this file that have a ``cases.py``."""
    return sorted(path.parent.name for path in Path(__file__).parent.glob("*/cases.py"))


def cases(family: str) -> ModuleType:
    """Return the ``cases`` module of ``family``."""
    return import_module(f"vtk.kernels.{family}.cases")


def functions() -> Iterator[tuple[str, str]]:
    """Yield each (family, function)."""
    for family in families():
        for name in cases(family).NAMES:
            yield family, name


def tensors(value: Any, place: str) -> Any:
    """Return NumPy arrays, also those in dicts, lists and tuples, as torch tensors on ``place``; tensors stay."""
    import torch

    if isinstance(value, Mapping):
        return {key: tensors(item, place) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(tensors(item, place) for item in value)
    if not isinstance(value, np.ndarray):
        return value
    # Views stay views, but torch knows no negative strides.
    return torch.from_numpy(value if min(value.strides, default=0) >= 0 else value.copy()).to(place)
