"""What users run for the same without compiled code: VCSL's way of it, or what a library has that comes nearest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]

# What VCSL's program and OpenCV's Hough transform are set to here, as our defaults are.
LOW, STEP, TOP = 0.2, 10, 5


def _map(arguments: Arguments) -> np.ndarray | None:
    """Return the map of a case on the host; None for entries, which none of these takes."""
    similarity = arguments["similarity"]
    return similarity if isinstance(similarity, np.ndarray) else None


def numpy_hough(arguments: Arguments) -> Run | None:
    """Return the sum along each diagonal, one after the other, and the best hundred."""
    sims = _map(arguments)

    def run() -> np.ndarray:
        held = np.where(sims >= LOW, sims, 0)
        sums = [held.diagonal(offset).sum() for offset in range(1 - len(held), held.shape[1])]
        return np.argsort(sums)[::-1][:100]

    return None if sims is None else run


def networkx_path(arguments: Arguments) -> Run | None:
    """Return the first longest path through the network as networkx finds it."""
    sims = _map(arguments)

    def run() -> list[Any]:
        import networkx

        tops = np.argsort(-sims, axis=1)[:, :TOP]
        graph = networkx.DiGraph()
        for i in range(len(sims)):
            for q in range(i + 1, min(i + STEP, len(sims))):
                ahead = tops[q][:, None] - tops[i]
                for b, a in zip(*np.nonzero((ahead > 0) & (ahead < STEP)), strict=True):
                    if sims[q, tops[q, b]] >= LOW:
                        graph.add_edge((i, tops[i, a]), (q, tops[q, b]), weight=sims[q, tops[q, b]])
        return networkx.dag_longest_path(graph)

    return None if sims is None else run


def numpy_forward(arguments: Arguments) -> Run | None:
    """Return one forward pass of the dynamic program by anti-diagonals, without its counters and path."""
    sims = _map(arguments)
    return None if sims is None else lambda: _anti_diagonals(sims.astype(np.float64) + 1, 0.5, np.maximum, 0.0)


def numpy_warp(arguments: Arguments) -> Run | None:
    """Return what the cheapest path from corner to corner costs, by anti-diagonals, without the path."""
    sims = _map(arguments)
    return None if sims is None else lambda: _anti_diagonals(1 - sims.astype(np.float64), 1.0, np.minimum, np.inf)


def _anti_diagonals(own: np.ndarray, share: float, choose: Callable[..., np.ndarray], none: float) -> np.ndarray:
    """Return the last anti-diagonal of a recurrence over three neighbours."""
    queries, refs = own.shape
    flipped = own[:, ::-1]
    far, near = np.full(queries + 1, none), np.full(queries + 1, none)
    far[0] = 0
    for d in range(queries + refs - 1):
        low, high = max(0, d - refs + 1), min(d, queries - 1) + 1
        cells = flipped.diagonal(refs - 1 - d)
        here = np.full(queries + 1, none)
        straight = choose(near[low:high], near[low + 1 : high + 1]) + share * cells
        here[low + 1 : high + 1] = choose(far[low:high] + cells, straight)
        far, near = near, here
    return near


def opencv_lines(arguments: Arguments) -> Run | None:
    """Return the line segments that OpenCV's probabilistic Hough transform finds among the hits."""
    sims = _map(arguments)

    def run() -> Any:
        import cv2

        hits = np.where(sims >= 0.3, 255, 0).astype(np.uint8)
        return cv2.HoughLinesP(hits, 1, np.pi / 360, threshold=10, minLineLength=10, maxLineGap=8)

    return None if sims is None else run
