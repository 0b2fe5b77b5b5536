"""Run every Triton kernel in the interpreter; print how it differs from the reference, and how it was launched.

Started by test_triton.py with TRITON_INTERPRET=1, which Triton reads when it is imported.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from triton.runtime.interpreter import InterpretedFunction, ReduceOps

from vtk.kernels.case import functions
from vtk.kernels.parity import differences

# Empty, one, less than a block, more than one block of each kernel.
SIZES = (0, 1, 63, 150)

POINTERS = {
    torch.float32: "*fp32", torch.float16: "*fp16", torch.bfloat16: "*bf16", torch.float64: "*fp64", torch.bool: "*i1",
    torch.uint8: "*u8", torch.int8: "*i8", torch.int16: "*i16", torch.int32: "*i32", torch.int64: "*i64",
}  # fmt: skip


def describe(value: Any) -> Any:
    """Return the Triton type of an argument, or a literal as it is."""
    if isinstance(value, torch.Tensor):
        return POINTERS[value.dtype]
    if isinstance(value, bool):
        return "i1"
    if isinstance(value, int):
        return "i32" if abs(value) < 1 << 31 else "i64"
    return "fp32"


def record(launches: list[dict[str, Any]], run: Callable[..., Any], self: InterpretedFunction, *args: Any,
           grid: Any, warmup: bool, **kwargs: Any) -> Any:  # fmt: skip
    """Note kernel, types and constants of a launch, then run it."""
    names = self.arg_names[: len(args)]
    given = dict(zip(names, args, strict=True)) | kwargs
    launch = {
        "module": self.fn.__module__,
        "kernel": self.fn.__name__,
        "types": {name: describe(value) for name, value in given.items()},
        "values": {name: value for name, value in given.items() if isinstance(value, (bool, int, float, str))},
    }
    if launch not in launches:
        launches.append(launch)
    return run(self, *args, grid=grid, warmup=warmup, **kwargs)


def folded(plain: Callable[..., Any], self: ReduceOps, tensors: tuple[Any, ...]) -> Any:
    """Reduce along an axis slice by slice, in the order in which the interpreter does so number by number.

    It is the same arithmetic in a hundredth of the time: every step of ``tl.topk`` is a reduction by xor, for which the
    interpreter has no way of its own.
    """
    if self.axis is None or tensors[0].handle.data.ndim == 1:
        return plain(self, tensors)
    kinds, fold = [each.dtype for each in tensors], None
    for parts in zip(*(np.moveaxis(each.handle.data, self.axis, 0) for each in tensors), strict=True):
        slices = tuple(map(self.to_tensor, parts, kinds))
        fold = slices if fold is None else self.combine_fn.fn(*fold, *slices)
        fold = fold if isinstance(fold, tuple) else (fold,)
    found = [each.handle.data for each in fold]
    if self.keep_dims:
        found = [np.expand_dims(each, self.axis) for each in found]
    return list(map(self.to_tensor, found, kinds))


def main() -> None:
    """Print a JSON object: for each family.function its differences and its launches."""
    run, plain, report = InterpretedFunction.run, ReduceOps.generic_reduce, {}
    ReduceOps.generic_reduce = lambda self, tensors: folded(plain, self, tensors)
    for family, name in functions():
        launches: list[dict[str, Any]] = []
        traced = partial(record, launches, run)
        InterpretedFunction.run = lambda self, *args, traced=traced, **kwargs: traced(self, *args, **kwargs)
        found = list(differences(family, name, "gpu", "cpu", SIZES))
        report[f"{family}.{name}"] = {"differences": found, "launches": launches}
    print(json.dumps(report))


if __name__ == "__main__":
    # The interpreter divides in NumPy, which warns where the kernel means to get a NaN.
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    main()
