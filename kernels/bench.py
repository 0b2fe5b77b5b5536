"""``python -m vtk.kernels.bench``: every implementation of a kernel and the best libraries, in turns, in one run."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

from vtk.kernels.case import Bench, cases, families, tensors
from vtk.kernels.parity import difference, differences
from vtk.kernels.timing import Timing, alternate, copy_rate, peak_memory

DISTRIBUTIONS = ("numpy", "numba", "torch", "torchvision", "triton", "opencv-python")


def main(argv: list[str] | None = None) -> int:
    """Write a JSON line per implementation and case; return 1 where an implementation isn't right."""
    parser = _parser()
    options = parser.parse_args(argv)
    if os.environ.get("VTK_KERNELS", "auto") != "auto":
        parser.error(f"VTK_KERNELS is {os.environ['VTK_KERNELS']!r}; unset it, for every implementation is timed")
    unknown = sorted(set(options.family) - set(families()))
    if unknown:
        parser.error(f"got family {', '.join(unknown)}, expected some of {', '.join(families())}")
    cuda = _has_cuda()
    red = list(_wrong(options.family, cuda))
    for problem in red:
        sys.stderr.write(f"not timed, for it is wrong: {problem}\n")
    if red:
        return 1
    about = environment(cuda)
    level = 0 if options.quick else 2 if options.all else 1
    for family in options.family:
        for bench in cases(family).BENCHES:
            if bench.level > level:
                continue
            try:
                for row in rows(family, bench, turns=5 if options.quick else 15, cuda=cuda):
                    sys.stdout.write(json.dumps(row | about) + "\n")
                    sys.stdout.flush()
                    sys.stderr.write(_summary(row))
            except ValueError as error:
                sys.stderr.write(f"not timed, for it is wrong: {error}\n")
                return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m vtk.kernels.bench", description=__doc__)
    parser.add_argument("family", nargs="*", default=families(), help=f"of {', '.join(families())} (default: all)")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="the main case of each function, fewer turns")
    extent.add_argument("--all", action="store_true", help="the cases that take long, too")
    return parser


def rows(family: str, bench: Bench, turns: int, cuda: bool = False) -> Iterator[dict[str, Any]]:
    """Yield one row for each implementation and library that can do the case.

    Raises:
        ValueError: an implementation's result isn't the reference's.
    """
    arguments = bench.inputs(np.random.default_rng(0))
    for place, implementations in (("numpy", ("reference", "cpu")), ("cuda", ("gpu",)))[: 1 + cuda]:
        placed = arguments if place == "numpy" else tensors(arguments, place)
        runs: dict[str, Callable[[], Any]] = {}
        for implementation in implementations:
            problem = difference(family, bench.function, implementation, arguments, place)
            if problem:
                raise ValueError(f"{family}.{implementation}.{bench.function}, {bench.case}: {problem}")
            # Ours is timed as users call it, checks and dispatch included.
            module = import_module(f"vtk.kernels.{family}" + ".reference" * (implementation == "reference"))
            runs[implementation] = partial(getattr(module, bench.function), **placed)
        for label, prepare in cases(family).LIBRARIES[bench.function].items():
            run = prepare(placed)
            if run is not None:
                runs[label] = run
        # The reference may take seconds, and nobody waits for its tenth percentile.
        slow = {"reference": alternate({"reference": runs["reference"]}, 3)["reference"]} if place == "numpy" else {}
        timings = alternate({label: run for label, run in runs.items() if label not in slow}, turns, place == "cuda")
        yield from _rows(family, bench, place, runs, slow | timings, bench.moved(placed, runs[implementations[-1]]()))


def _rows(
    family: str, bench: Bench, place: str, runs: dict[str, Callable[[], Any]], timings: dict[str, Timing], moved: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one case on one device, with each time as a multiple of the fastest of ours."""
    rate = copy_rate(place == "cuda")
    ours = timings["gpu" if place == "cuda" else "cpu"].median
    for label, timing in timings.items():
        peak = peak_memory(runs[label], place == "cuda")
        yield {
            "family": family,
            "function": bench.function,
            "case": bench.case,
            "implementation": label,
            "place": "cpu" if place == "numpy" else place,
            "median_ms": round(timing.median, 4),
            "p10_ms": round(timing.p10, 4),
            "p90_ms": round(timing.p90, 4),
            "turns": timing.turns,
            "times_ours": round(timing.median / ours, 2),
            "gb_per_s": round(moved / timing.median / 1e6, 2),
            "copy_gb_per_s": round(rate / 1e9, 1),
            **({} if peak is None else {"peak_mb": round(peak / 1e6, 2)}),
        }


def environment(cuda: bool) -> dict[str, Any]:
    """Return what figures depend on: device, versions, commit and date."""
    versions = {name: version for name in DISTRIBUTIONS if (version := _version(name))}
    about: dict[str, Any] = {"device": _processor(), "cores": os.cpu_count()}
    if cuda:
        import torch

        about["gpu"] = torch.cuda.get_device_name()
    about |= {"python": platform.python_version(), "versions": versions}
    commit = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if commit.returncode == 0:
        about["commit"] = commit.stdout.strip()
    return about | {"date": datetime.date.today().isoformat()}


def _wrong(chosen: Iterable[str], cuda: bool) -> Iterator[str]:
    """Yield what is wrong with the families that were asked for."""
    for family in chosen:
        for name in cases(family).NAMES:
            yield from differences(family, name, "cpu")
            if cuda:
                yield from differences(family, name, "gpu", "cuda")


def _summary(row: dict[str, Any]) -> str:
    """Return a row as a line for people."""
    return (
        f"{row['family']:14} {row['case']:32} {row['implementation']:12} {row['median_ms']:10.3f} ms "
        f"{row['times_ours']:8.2f} x ours {row['gb_per_s']:8.2f} GB/s {row.get('peak_mb', 0):8.1f} MB\n"
    )


def _has_cuda() -> bool:
    """Tell whether torch is installed and sees a GPU."""
    import torch

    return torch.cuda.is_available()


def _version(name: str) -> str | None:
    """Return the version of a distribution; None where it isn't installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


if __name__ == "__main__":
    sys.exit(main())
