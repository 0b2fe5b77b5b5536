"""What users call for the same: all products at once in torch or NumPy, or faiss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, tensors

Run = Callable[[], Any]

# Products of all pairs above this many bytes are not held.
MOST = 1 << 31


def torch_topk(arguments: Arguments) -> Run | None:
    """Return torch's product of normalised rows and ``topk``, in float32; None where it would not fit."""
    import torch
    from torch.nn.functional import normalize

    given = tensors(arguments, "cpu")
    if not _fits(given) or given["queries"].dtype == torch.uint16:
        return None

    def run() -> Any:
        products = normalize(given["queries"].float()) @ normalize(given["gallery"].float()).T
        return torch.topk(products, given["k"])

    return run


def torch_bfloat16(arguments: Arguments) -> Run | None:
    """Return the same product in bfloat16, whose ranks are not those of the rows."""
    import torch
    from torch.nn.functional import normalize

    given = tensors(arguments, "cpu")
    if not _fits(given) or given["queries"].dtype == torch.uint16:
        return None

    def run() -> Any:
        sides = [normalize(given[name].float()).bfloat16() for name in ("queries", "gallery")]
        return torch.topk(sides[0] @ sides[1].T, given["k"])

    return run


def numpy_topk(arguments: Arguments) -> Run | None:
    """Return NumPy's product of normalised rows and ``argpartition``."""
    queries, gallery, k = arguments["queries"], arguments["gallery"], arguments["k"]
    if not isinstance(queries, np.ndarray) or queries.dtype != np.float32 or not _fits(arguments):
        return None

    def run() -> Any:
        sides = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (queries, gallery)]
        products = sides[0] @ sides[1].T
        found = np.argpartition(-products, k - 1, axis=1)[:, :k]
        scores = np.take_along_axis(products, found, 1)
        order = np.argsort(-scores, axis=1)
        return np.take_along_axis(found, order, 1), np.take_along_axis(scores, order, 1)

    return run


def faiss_flat(arguments: Arguments) -> Run | None:
    """Return faiss' flat index of inner products, filled before and normalised; None where it is not installed."""
    try:
        import faiss
    except ImportError:
        return None
    queries, gallery, k = arguments["queries"], arguments["gallery"], arguments["k"]
    if not isinstance(queries, np.ndarray) or queries.dtype != np.float32 or not len(gallery):
        return None
    index = faiss.IndexFlatIP(queries.shape[1])
    index.add(gallery / np.linalg.norm(gallery, axis=1, keepdims=True))
    units = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    return lambda: index.search(units, k)


def _fits(given: Arguments) -> bool:
    """Tell whether all products at once can be held."""
    return 4 * len(given["queries"]) * len(given["gallery"]) <= MOST
