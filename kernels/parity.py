"""Whether the implementations of a kernel agree with its reference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any

import numpy as np

from vtk.kernels.case import SIZES, Arguments, cases, is_array, tensors


def differences(
    family: str, name: str, implementation: str, place: str = "numpy", sizes: Iterable[int] = SIZES, seeds: int = 4
) -> Iterator[str]:
    """Yield a line for each input on which ``implementation`` is not within tolerance of the reference.

    Args:
        family, name: one function of one family.
        implementation: ``cpu`` or ``gpu``.
        place: ``numpy``, or the torch device that the arrays are put on.
        sizes: passed to the family's ``inputs``.
        seeds: inputs per size.
    """
    for size in sizes:
        for seed in range(seeds):
            arguments = cases(family).inputs(name, size, np.random.default_rng([seed, size]))
            problem = difference(family, name, implementation, arguments, place)
            if problem:
                yield f"{family}.{implementation}.{name}, size {size}, seed {seed}: {problem}"


def difference(family: str, name: str, implementation: str, arguments: Arguments, place: str = "numpy") -> str | None:
    """Return how the results of ``implementation`` and reference differ for ``arguments``; None where they agree."""
    wanted = _function(family, "reference", name)(**arguments)
    placed = arguments if place == "numpy" else tensors(arguments, place)
    got = _function(family, implementation, name)(**placed)
    return disagreement(family, name, arguments, got, wanted)


def disagreement(family: str, name: str, arguments: Arguments, got: Any, wanted: Any) -> str | None:
    """Return how two results of a function differ where they must not; None where they agree."""
    settle = getattr(cases(family), "comparable", None)
    if settle and is_array(got):
        got, wanted = (settle(name, arguments, _host(each)) for each in (got, wanted))
    return compare(got, wanted, cases(family).tolerance(name, arguments))


def compare(got: Any, wanted: Any, tolerance: float) -> str | None:
    """Return how two results, arrays or tuples of arrays, differ by more than ``tolerance``; None where they agree.

    Integers and shapes must be equal, and a NaN must stand where one is wanted.
    """
    if isinstance(wanted, tuple):
        if not isinstance(got, tuple) or len(got) != len(wanted):
            return f"got {type(got).__name__}, wanted a tuple of {len(wanted)}"
        return next(filter(None, (compare(g, w, tolerance) for g, w in zip(got, wanted, strict=True))), None)
    got = _host(got)
    wanted = np.asarray(wanted)
    if got.shape != wanted.shape or got.dtype != wanted.dtype:
        return f"got {got.dtype} {got.shape}, wanted {wanted.dtype} {wanted.shape}"
    atol = tolerance if wanted.dtype.kind == "f" else 0
    wrong = ~np.isclose(got, wanted, rtol=0, atol=atol, equal_nan=wanted.dtype.kind == "f")
    if not wrong.any():
        return None
    where = tuple(map(int, np.argwhere(wrong)[0]))
    return f"{wrong.sum()} of {wrong.size} values differ; at {where} got {got[where]}, wanted {wanted[where]}"


def _host(value: Any) -> np.ndarray:
    """Return an array or a number as a NumPy array."""
    return value.cpu().numpy() if is_array(value) and not isinstance(value, np.ndarray) else np.asarray(value)


def _function(family: str, implementation: str, name: str) -> Any:
    """Return the function ``name`` of one implementation of ``family``."""
    return getattr(import_module(f"vtk.kernels.{family}.{implementation}"), name)
