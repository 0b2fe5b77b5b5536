"""Whatever a public kernel is given: the reference's answer, or a ValueError with what was got and expected."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vtk.kernels.case import cases, functions
from vtk.kernels.parity import disagreement

SPECIAL = (np.nan, np.inf, -np.inf, -0.0, 3e38, -3e38, 1e-30)
NUMBERS = (np.nan, np.inf, -1, 0, 0.5, 1e300, -1e300, 1e-300, "2", "x", None, True, [1], np.float64(0.25))
DTYPES = ("float64", "float16", "int64", "int32", "int8", "uint8", "bool", "complex64", ">f4", ">i8", "object")


def _strided(array: np.ndarray) -> np.ndarray:
    """Return the same values as every other one of an array with twice as many along each axis."""
    for axis in range(array.ndim):
        array = np.repeat(array, 2, axis=axis)
    return array[(slice(None, None, 2),) * array.ndim]


def _locked(array: np.ndarray) -> np.ndarray:
    """Return a copy that cannot be written."""
    array = array.copy()
    array.flags.writeable = False
    return array


# Another memory layout of the same values: never a reason to refuse.
LAYOUTS: tuple[Callable[[np.ndarray], np.ndarray], ...] = (
    np.asfortranarray,
    _strided,
    _locked,
    lambda array: np.flip(np.flip(array).copy()),
)

SHAPES: tuple[Callable[[np.ndarray], Any], ...] = (
    lambda array: array[None],
    lambda array: array[..., None],
    lambda array: array.reshape(-1),
    lambda array: array[..., :-1],
    lambda array: np.concatenate([array, array], axis=-1),
    lambda array: array[:-1],
    lambda array: array[:0],
    lambda array: array[0] if len(array) else array,
    lambda array: array.tolist(),
    lambda array: None,
    lambda array: "array",
)


@st.composite
def _special(draw: st.DrawFn, array: np.ndarray) -> np.ndarray:
    """Return ``array`` with a few of its values replaced by special ones."""
    array = array.copy()
    if array.size and array.dtype.kind == "f":
        for _ in range(draw(st.integers(1, 4))):
            array.flat[draw(st.integers(0, array.size - 1))] = draw(st.sampled_from(SPECIAL))
    return array


@st.composite
def _changed(draw: st.DrawFn, value: Any) -> tuple[Any, bool]:
    """Return an argument changed somehow, and whether it is as good as before."""
    if isinstance(value, bool):
        return not value, True
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        item, good = draw(_changed(value[index]))
        return value[:index] + [item] + value[index + 1 :], good
    if isinstance(value, (list, tuple)):
        change = draw(st.sampled_from((list, tuple, lambda items: items[:1], lambda items: None, lambda items: 5)))
        return change(value), change in (list, tuple)
    if not isinstance(value, np.ndarray):
        # A large whole number is a large allocation, and no mistake that a kernel can know of.
        return draw(st.sampled_from(NUMBERS)), False
    kind = draw(st.sampled_from(("layout", "shape", "dtype", "special")))
    if kind == "layout":
        return draw(st.sampled_from(LAYOUTS))(value), True
    if kind == "shape":
        return draw(st.sampled_from(SHAPES))(value), False
    if kind == "special":
        return draw(_special(value)), False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return value.astype(draw(st.sampled_from(DTYPES))), False


def _as_torch(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments with those arrays as tensors that torch can hold; a list keeps its NumPy arrays."""
    import torch

    def convert(value: Any) -> Any:
        try:
            return torch.from_numpy(value) if isinstance(value, np.ndarray) and value.flags.writeable else value
        except (TypeError, ValueError):
            return value

    return {name: convert(value) for name, value in arguments.items()}


@pytest.mark.parametrize(("family", "name"), list(functions()))
@settings(max_examples=150, deadline=None, derandomize=True)
@given(data=st.data())
def test_right_answer_or_clear_refusal(family: str, name: str, data: st.DataObject) -> None:
    size, seed = data.draw(st.integers(0, 20)), data.draw(st.integers(0, 99))
    arguments = dict(cases(family).inputs(name, size, np.random.default_rng(seed)))
    valid = True
    for key in data.draw(st.lists(st.sampled_from(sorted(arguments)), max_size=2, unique=True)):
        arguments[key], harmless = data.draw(_changed(arguments[key]))
        valid &= harmless
    given = _as_torch(arguments) if data.draw(st.booleans()) else arguments
    mixed = len({type(value) for value in given.values() if hasattr(value, "dtype")}) > 1
    with warnings.catch_warnings():
        # The reference warns of overflow; the kernels must not warn of anything else than it does.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            got = getattr(import_module(f"vtk.kernels.{family}"), name)(**given)
        except ValueError as error:
            assert "got" in str(error) and "expected" in str(error), error
            assert not valid or mixed, f"refused although nothing is wrong: {error}"
            return
        wanted = getattr(import_module(f"vtk.kernels.{family}.reference"), name)(**arguments)
    assert disagreement(family, name, arguments, got, wanted) is None
