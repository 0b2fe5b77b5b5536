"""Numba, and Triton where there is a GPU, give what the reference gives; arguments pick the implementation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from vtk.kernels import dispatch
from vtk.kernels.case import SIZES, cases, functions, tensors
from vtk.kernels.parity import compare, differences, disagreement

FUNCTIONS = list(functions())


@pytest.fixture
def poisoned(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fill what ``np.empty`` returns with NaN (or 77), so that a value that nobody wrote is seen."""

    def empty(shape: Any, dtype: Any = float, **_: Any) -> np.ndarray:
        return np.full(shape, np.nan if np.dtype(dtype).kind == "f" else 77, dtype)

    monkeypatch.setattr(np, "empty", empty)
    yield


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_numba_agrees_with_the_reference(family: str, name: str, request: pytest.FixtureRequest) -> None:
    inputs = {(size, seed): cases(family).inputs(name, size, np.random.default_rng([seed, size]))
              for size in SIZES for seed in range(4)}
    modules = (import_module(f"vtk.kernels.{family}.{each}") for each in ("reference", "cpu"))
    reference, numba = (getattr(module, name) for module in modules)
    wanted = {key: reference(**arguments) for key, arguments in inputs.items()}  # once: it takes longest

    def differing() -> dict[tuple[int, int], str]:
        found = {key: disagreement(family, name, arguments, numba(**arguments), wanted[key])
                 for key, arguments in inputs.items()}
        return {key: problem for key, problem in found.items() if problem}

    assert differing() == {}
    request.getfixturevalue("poisoned")  # only now: Numba knows NumPy's own functions alone when it compiles
    assert differing() == {}


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_triton_agrees_with_the_reference_on_a_gpu(family: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device; test_triton.py runs the kernels in the interpreter")
    assert list(differences(family, name, "gpu", "cuda")) == []


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_torch_tensors_give_torch_tensors(family: str, name: str) -> None:
    torch = pytest.importorskip("torch")
    arguments = cases(family).inputs(name, 63, np.random.default_rng(0))
    function = getattr(import_module(f"vtk.kernels.{family}"), name)
    got = function(**tensors(arguments, "cpu"))
    assert all(isinstance(each, torch.Tensor) for each in (got if isinstance(got, tuple) else (got,)))
    assert compare(got, function(**arguments), 0.0) is None


@pytest.mark.parametrize(("family", "name"), FUNCTIONS)
def test_the_environment_picks_the_reference(family: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    package, reference = (import_module(f"vtk.kernels.{family}{module}") for module in ("", ".reference"))
    arguments = cases(family).inputs(name, 1, np.random.default_rng(0))
    called = []
    original = getattr(reference, name)
    monkeypatch.setattr(reference, name, lambda *args, **kwargs: called.append(1) or original(*args, **kwargs))
    getattr(package, name)(**arguments)
    assert not called
    monkeypatch.setenv("VTK_KERNELS", "reference")
    getattr(package, name)(**arguments)
    assert called == [1]


def test_an_unknown_implementation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_KERNELS", "fast")
    with pytest.raises(ValueError, match="VTK_KERNELS: got 'fast', expected one of auto, reference"):
        dispatch.call("vtk.kernels.nms", "nms")


def test_arrays_of_two_kinds_are_refused() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match="got arrays on cpu and numpy, expected all of one kind on one device"):
        dispatch.call("vtk.kernels.pairwise_iou", "pairwise_iou", np.zeros((1, 4)), torch.zeros(1, 4))
    with pytest.raises(ValueError, match="got arrays on meta, expected"):
        dispatch.call("vtk.kernels.pairwise_iou", "pairwise_iou", torch.zeros(1, 4, device="meta"))


@pytest.mark.parametrize(
    ("shape", "wanted", "fits"),
    [
        ((3, 4), ("N", 4), True),
        ((3, 4), (3, 4), True),
        ((3, 4), (2, 4), False),
        ((3, 4), ("N", 5), False),
        ((3, 4), ("N", "M"), True),
        ((3, 4), (3, "M"), True),
        ((3, 4), (4, "M"), False),
        ((3, 4, 5), ("h", "w", 5), True),
        ((3, 4, 5), ("h", "w", 3), False),
        ((3,), ("N",), True),
        ((3,), ("N", 4), False),
        ((), ("N",), False),
    ],
)
def test_shapes_are_checked(shape: tuple[int, ...], wanted: tuple[int | str, ...], fits: bool) -> None:
    torch = pytest.importorskip("torch")
    for array in (np.zeros(shape), torch.zeros(shape, dtype=torch.float64)):
        if fits:
            dispatch.check_array("a", array, wanted, ("float64",))
            continue
        with pytest.raises(ValueError, match="a: got a float64 array of shape"):
            dispatch.check_array("a", array, wanted, ("float64",))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.1, 1.1, "0.5", None, 2])
def test_numbers_are_checked(value: Any) -> None:
    for fine in (0.0, 1.0, 0.5, 1, True, np.float64(0.5), np.float32(0.5)):
        dispatch.check_number("share", fine, 0, 1)
    with pytest.raises(ValueError, match="share: got .*, expected a"):
        dispatch.check_number("share", value, 0, 1)


def test_numpy_arrays_import_no_torch() -> None:
    code = f"""
import sys
import numpy as np
from importlib import import_module
from vtk.kernels.case import cases
for family, name in {FUNCTIONS!r}:
    arguments = cases(family).inputs(name, 1, np.random.default_rng(0))
    getattr(import_module("vtk.kernels." + family), name)(**arguments)
print(sorted({{"torch", "torchvision", "triton"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_several_right_results_are_told_by_what_they_share() -> None:
    """Both ways to pair two rows of equal costs are right; one that costs more isn't."""
    arguments = {"cost": np.array([[0.1, 0.2], [0.1, 0.2]]), "limit": 0.8}
    for pairs, right in (([1, 0], True), ([0, 1], True), ([0, -1], False), ([0, 0], False)):
        found = disagreement("association", "assign", arguments, np.array(pairs), np.array([1, 0]))
        assert (found is None) == right
    assert disagreement("association", "assign_greedy", arguments, np.array([0, 1]), np.array([1, 0])) is not None


def test_compare_sees_differences() -> None:
    values = np.array([1.0, np.nan], np.float32)
    assert compare(values, values.copy(), 0.0) is None
    assert "1 of 2 values differ; at (0,) got 1.5" in compare(np.float32([1.5, np.nan]), values, 0.4)
    assert "1 of 2 values differ; at (1,) got 2.0" in compare(np.float32([1.0, 2.0]), values, 0.4)
    assert compare(np.float32([1.3, np.nan]), values, 0.4) is None
    assert "got float64 (2,), wanted float32 (2,)" in compare(values.astype(np.float64), values, 0.4)
    assert "1 of 1 values differ" in compare(np.array([2]), np.array([1]), 5.0)
    assert "wanted a tuple of 2" in compare(values, (values, values), 0.0)
