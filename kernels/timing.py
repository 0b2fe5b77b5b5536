"""Time and peak memory of functions that are run in turns, so that a busy moment hits all of them alike."""

from __future__ import annotations

import ctypes
import gc
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

# Shorter than this, a turn repeats the call, so that the clock's own cost and jitter don't count.
SHORTEST_TURN = 0.002
COPIED = 1 << 28


@dataclass(frozen=True)
class Timing:
    """What a function costs: milliseconds a call (median, 10th and 90th percentile of the turns) and how many turns."""

    median: float
    p10: float
    p90: float
    turns: int


def alternate(runs: Mapping[str, Callable[[], Any]], turns: int, cuda: bool = False) -> dict[str, Timing]:
    """Time each of ``runs`` once per turn, in turns.

    A turn begins with a call that isn't timed: it brings the function's code and data back into the caches and gives
    it the memory that the function before it returned. On CUDA, turns are timed by events on the current stream.
    """
    repeats = {name: _repeats(run) for name, run in runs.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            run()
            times[name].append((_cuda_turn if cuda else _turn)(run, repeats[name]))
    return {name: Timing(*map(float, np.percentile(each, (50, 10, 90))), turns) for name, each in times.items()}


def _turn(run: Callable[[], Any], repeats: int) -> float:
    """Return the milliseconds that a call takes, the mean of ``repeats``."""
    start = time.perf_counter()
    for _ in range(repeats):
        run()
    return (time.perf_counter() - start) * 1e3 / repeats


def _cuda_turn(run: Callable[[], Any], repeats: int) -> float:
    """Return the milliseconds that a call takes on the GPU, the mean of ``repeats``."""
    import torch

    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repeats):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end) / repeats


def _repeats(run: Callable[[], Any]) -> int:
    """Return how many calls fill a turn of SHORTEST_TURN; makes the first, slow call, too."""
    run()
    taken = _turn(run, 1) / 1e3
    return max(1, min(1000, round(SHORTEST_TURN / max(taken, 1e-6))))


def peak_memory(run: Callable[[], Any], cuda: bool = False) -> int | None:
    """Return the bytes by which one call raises the memory in use at most; None where the system doesn't tell."""
    if cuda:
        import torch

        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        run()
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated() - before
    try:
        gc.collect()
        # Freed memory that the allocator holds on to would hide what the call takes.
        ctypes.CDLL(None).malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        before = _status("VmRSS")
        run()
        return max(0, _status("VmHWM") - before)
    except (OSError, AttributeError):
        return None


def copy_rate(cuda: bool = False) -> float:
    """Return the bytes per second, read plus written, of copying a large array: what no kernel here can exceed."""
    if cuda:
        import torch

        source = torch.zeros(COPIED, dtype=torch.uint8, device="cuda")
        target = torch.empty_like(source)
        timing = alternate({"copy": lambda: target.copy_(source)}, 10, cuda)["copy"]
    else:
        array, into = np.zeros(COPIED // 8, np.uint8), np.ones(COPIED // 8, np.uint8)
        timing = alternate({"copy": lambda: np.copyto(into, array)}, 10)["copy"]
    moved = 2 * (COPIED if cuda else COPIED // 8)
    return moved / (timing.median / 1e3)


def _status(key: str) -> int:
    """Return a size in bytes from /proc/self/status."""
    text = Path("/proc/self/status").read_text()
    return int(re.search(rf"^{key}:\s+(\d+) kB", text, re.MULTILINE).group(1)) * 1024
