"""Which implementation of a kernel runs, and the checks that every public kernel makes first.

NumPy arrays and torch CPU tensors run on Numba, CUDA tensors on Triton; ``VTK_KERNELS=reference`` picks the readable
implementation for all. torch is never imported here: a tensor can only come from a program that did so already.
"""

from __future__ import annotations

import math
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import import_module
from numbers import Real
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import torch

Array: TypeAlias = "np.ndarray | torch.Tensor"

CHOICES = ("auto", "reference")

# Types of arguments that are no tensor and hold none. With these alone the places need not be looked at: a kernel may
# take microseconds, and a tracker calls several in each frame.
_PLAIN = frozenset((np.ndarray, np.float64, float, int, bool, str, type(None)))


def call(family: str, name: str, *args: Any, **kwargs: Any) -> Any:
    """Run ``name`` of the implementation of ``family`` that suits the arrays among the arguments.

    Args:
        family: the package of the family, such as ``vtk.kernels.nms``.
        name: one of the family's functions.
        args, kwargs: what the function takes; arrays alone or in a list or tuple.

    Returns:
        What the implementation returns, an array or a tuple of them, of the kind and on the device of the arguments.

    Raises:
        ValueError: the arrays are not all of one kind and device, or ``VTK_KERNELS`` is not one of CHOICES.
    """
    chosen = os.environ.get("VTK_KERNELS") or "auto"
    if chosen not in CHOICES:
        raise ValueError(f"VTK_KERNELS: got {chosen!r}, expected one of {', '.join(CHOICES)}")
    place = "numpy"
    if not (_PLAIN.issuperset(map(type, args)) and _PLAIN.issuperset(map(type, kwargs.values()))):
        place = _place(_arrays([*args, *kwargs.values()]))
    if place.startswith("cuda") and chosen == "auto":
        with sys.modules["torch"].cuda.device(place):
            return getattr(import_module(f"{family}.gpu"), name)(*args, **kwargs)
    function = getattr(_module(family, chosen), name)
    if place == "numpy":
        return function(*args, **kwargs)
    result = function(*map(_to_numpy, args), **{key: _to_numpy(value) for key, value in kwargs.items()})
    if isinstance(result, tuple):
        return tuple(sys.modules["torch"].from_numpy(each).to(place) for each in result)
    result = sys.modules["torch"].from_numpy(result).to(place)
    # An array that the caller gave to be written is the one that the caller gets back.
    out = kwargs.get("out")
    return result if out is None else out.copy_(result)


def check_array(name: str, value: Any, shape: tuple[int | str, ...], dtypes: Sequence[str]) -> None:
    """Raise ValueError unless ``value`` is an array of one of ``dtypes`` with ``shape``; a letter allows any length."""
    if type(value) is np.ndarray and _dtype(value.dtype) in dtypes and _fits(value.shape, shape):
        return
    if is_array(value):
        if _fits(value.shape, shape) and _dtype(value.dtype) in dtypes:
            if not isinstance(value, np.ndarray) and "strided" not in str(value.layout):
                raise ValueError(f"{name}: got a tensor with layout {value.layout}, expected a dense one")
            return
        got = f"a {_dtype(value.dtype)} array of shape {tuple(value.shape)}"
    else:
        got = type(value).__name__
    lengths = ", ".join(map(str, shape)) + "," * (len(shape) == 1)
    raise ValueError(f"{name}: got {got}, expected a {' or '.join(dtypes)} array of shape ({lengths})")


def _fits(lengths: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    """Tell whether an array of these ``lengths`` has ``shape``, in which a letter allows any length."""
    if len(lengths) != len(shape):
        return False
    # Mostly the first length alone is free, and then one comparison of tuples decides.
    if lengths[1:] == shape[1:] and (lengths[0] == shape[0] or isinstance(shape[0], str)):
        return True
    for length, wanted in zip(lengths, shape, strict=True):  # not all(), which takes three times as long
        if length != wanted and not isinstance(wanted, str):
            return False
    return True


@cache
def _dtype(dtype: Any) -> str:
    """Return the name of a NumPy or torch dtype; one in foreign byte order keeps its mark, such as ``>f4``."""
    return str(dtype).removeprefix("torch.")


def check_number(name: str, value: Any, low: float = -np.inf, high: float = np.inf) -> None:
    """Raise ValueError unless ``value`` is a finite number in [low, high]."""
    if type(value) is float and low <= value <= high and math.isfinite(value):
        return
    if not isinstance(value, Real):
        raise ValueError(f"{name}: got {value!r}, expected a number")
    largest = sys.float_info.max
    if not (max(low, -largest) <= value <= min(high, largest)):
        extent = "" if np.isinf(low) and np.isinf(high) else f" in [{low:g}, {high:g}]"
        raise ValueError(f"{name}: got {value!r}, expected a finite number{extent}")


def check_numbers(name: str, values: Any, count: int) -> None:
    """Raise ValueError unless ``values`` is a sequence of ``count`` finite numbers."""
    if not isinstance(values, (list, tuple, np.ndarray)) or len(values) != count:
        raise ValueError(f"{name}: got {values!r}, expected {count} numbers")
    for value in values:
        check_number(name, value)


def is_array(value: Any) -> bool:
    """Tell whether ``value`` is a NumPy array or a torch tensor, without importing torch."""
    return isinstance(value, np.ndarray) or isinstance(value, getattr(sys.modules.get("torch"), "Tensor", ()))


def _arrays(values: Iterable[Any]) -> Iterator[Array]:
    """Yield the arrays among ``values``, those in lists and tuples too."""
    for value in values:
        if is_array(value):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _arrays(value)


def _place(arrays: Iterable[Array]) -> str:
    """Return where all of ``arrays`` live: numpy, cpu (torch) or cuda:N; numpy where there are none."""
    places = sorted({"numpy" if isinstance(array, np.ndarray) else str(array.device) for array in arrays})
    if len(places) > 1:
        raise ValueError(f"got arrays on {' and '.join(places)}, expected all of one kind on one device")
    place = places[0] if places else "numpy"
    if place not in ("numpy", "cpu") and not place.startswith("cuda"):
        raise ValueError(f"got arrays on {place}, expected NumPy arrays, or torch tensors on cpu or cuda")
    return place


def _to_numpy(value: Any) -> Any:
    """Return a tensor, or the tensors of a list or tuple, as NumPy arrays; on the CPU they share memory."""
    if isinstance(value, (list, tuple)):
        return [_to_numpy(item) for item in value]
    return value.detach().cpu().numpy() if is_array(value) else value


@cache
def _module(family: str, chosen: str) -> ModuleType:
    """Return the module of ``family`` that runs on the host."""
    return _cpu(family) if chosen == "auto" else import_module(f"{family}.reference")


def _cpu(family: str) -> ModuleType:
    """Import the Numba implementation of ``family`` with a folder to cache it in.

    Numba caches beside the source, or in the user's cache folder where that cannot be written. Where neither can
    be (a read-only container without a home) it refuses to load: then the temporary folder serves.
    """
    try:
        return import_module(f"{family}.cpu")
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    folder = _private_folder()
    os.environ["NUMBA_CACHE_DIR"] = folder
    sys.modules["numba"].config.CACHE_DIR = folder
    return import_module(f"{family}.cpu")


def _private_folder() -> str:
    """Return a temporary folder that no other user can write: cached code is executed."""
    folder = os.path.join(tempfile.gettempdir(), f"vtk-numba-{os.getuid()}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    status = os.stat(folder)
    if status.st_uid == os.getuid() and not status.st_mode & 0o022:
        return folder
    return tempfile.mkdtemp(prefix="vtk-numba-")
