"""``python -m vtk.models.liveness_bench``: faces a second, what folding saves, how far scores are off."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vtk.kernels.timing import alternate
from vtk.models import zoo
from vtk.models.cached import MODEL, TENSORS
from vtk.models.conversion import convert
from vtk.models.liveness import DEFAULT, TASK, Face, load_liveness
from vtk.models.runtime import RuntimeOptions, load

PICTURE = (720, 1280)  # height and width
FACE = (100, 130)  # width and height


def main(argv: list[str] | None = None) -> int:
    """Write a JSON line per figure: medians of runs in turns."""
    options = _parser().parse_args(argv)
    runtime = RuntimeOptions(options.device, options.precision, threads=options.threads)
    if options.expected:
        found = _differences(options.model, Path(options.expected), runtime)
    elif options.fold:
        found = _folding(options.side, options.turns, options.threads)
    else:
        found = _rates(options.model, options.batch, runtime, options.turns)
    for row in found:
        about = {"cores": os.cpu_count(), "date": datetime.date.today().isoformat()}
        about |= {"threads": options.threads} if options.threads else {}
        sys.stdout.write(json.dumps(row | about) + "\n")
        sys.stdout.flush()
    return 0


def _parser() -> argparse.ArgumentParser:
    names = [name for name, model in zoo.MODELS.items() if model.task == TASK]
    parser = argparse.ArgumentParser(prog="python -m vtk.models.liveness_bench", description=__doc__)
    parser.add_argument("--model", choices=names, default=DEFAULT,
                        help="one without weights is timed with random ones (default: %(default)s)")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 32], help="faces a call (default: 1 32)")
    parser.add_argument("--turns", type=int, default=7, help="at least 5 for a median (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of one model (default: all)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16; auto is fp32")
    parser.add_argument("--fold", action="store_true", help="CDCN folded against unfolded instead")
    parser.add_argument("--expected", metavar="FILE",
                        help="how far scores are from those in a JSON list of [folder, file, [x1, y1, x2, y2], score], "
                        "its pictures in benchmarks/ beside it")
    parser.add_argument("--side", type=int, default=256, help="with --fold: pixels of the input (default: %(default)s)")
    return parser


def _rates(name: str, batches: list[int], runtime: RuntimeOptions, turns: int) -> Iterator[dict[str, Any]]:
    """Yield the faces per second of ``Liveness.scores``, cropping included, for each number of faces a call."""
    trained = any(file.url for file in zoo.get(name).files)
    with nullcontext() if trained else tempfile.TemporaryDirectory() as folder:
        weights = None if folder is None else _random(name, Path(folder))
        models = {batch: load_liveness(name, weights, replace(runtime, batch=batch)) for batch in batches}
        faces = _faces(max(batches))
        runs = {str(batch): lambda model=model, some=faces[:batch]: model.scores(some)
                for batch, model in models.items()}
        for label, timing in alternate(runs, turns).items():
            yield {"model": name, "device": runtime.device, "precision": models[int(label)].precision,
                   "batch": int(label), "faces_per_s": round(int(label) / timing.median * 1e3, 3),
                   "median_ms": round(timing.median, 4), "p10_ms": round(timing.p10, 4),
                   "p90_ms": round(timing.p90, 4), "turns": turns}  # fmt: skip


def _differences(name: str, path: Path, runtime: RuntimeOptions) -> Iterator[dict[str, Any]]:
    """Yield how far scores are from those that are expected, and how many are on the other side of a half."""
    rows = json.loads(path.read_bytes())
    pictures = (cv2.imdecode(np.fromfile(path.parent / "benchmarks" / kind / file, np.uint8), cv2.IMREAD_COLOR_RGB)
                for kind, file, _, _ in rows)  # fmt: skip
    faces = [Face(image, tuple(row[2])) for image, row in zip(pictures, rows, strict=True)]
    model, expected = load_liveness(name, runtime=runtime), np.array([row[3] for row in rows])
    scores = model.scores(faces)
    apart = np.abs(scores - expected)
    yield {"model": name, "device": runtime.device, "precision": model.precision, "faces": len(faces),
           "greatest_difference": round(float(apart.max()), 5), "mean_difference": round(float(apart.mean()), 5),
           "other_side_of_half": int(((scores >= 0.5) != (expected >= 0.5)).sum())}  # fmt: skip


def _faces(count: int) -> list[Face]:
    """Return faces at different places of one picture."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*PICTURE, 3), np.uint8)
    corners = rng.integers(0, (PICTURE[1] - FACE[0], PICTURE[0] - FACE[1]), (count, 2)).tolist()
    return [Face(image, (x, y, x + FACE[0], y + FACE[1])) for x, y in corners]


def _random(name: str, folder: Path) -> Path:
    """Return a file with random weights of one of EPCR's networks."""
    import torch

    from vtk.models.epcr_network import EPCR
    from vtk.models.epcr_weights import write

    torch.manual_seed(0)
    write(EPCR(name), folder / f"{name}.pth")
    return folder / f"{name}.pth"


def _folding(side: int, turns: int, threads: int | None) -> Iterator[dict[str, Any]]:
    """Yield the time of one face by CDCN, unfolded and folded, and the share that the folded one takes."""
    with tempfile.TemporaryDirectory() as folder:
        for runtime, runs in _forms(side, Path(folder), threads).items():
            timings = alternate(runs, turns)
            slow, fast = timings["unfolded"].median, timings["folded"].median
            yield {"model": "cdcn-epcr", "runtime": runtime, "side": side, "unfolded_ms": round(slow, 4),
                   "folded_ms": round(fast, 4), "folded_of_unfolded": round(fast / slow, 3),
                   "turns": turns}  # fmt: skip


def _forms(side: int, folder: Path, threads: int | None) -> dict[str, dict[str, Callable[[], Any]]]:
    """Return what runs each form of CDCN on one face in fp32 on the CPU, by torch and by OpenVINO."""
    import torch

    from vtk.models.epcr_network import EPCR, Plan

    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(0)
    nets = {"unfolded": EPCR("cdcn-epcr", Plan(side)).eval().requires_grad_(False)}
    state = nets["unfolded"].state_dict()
    nets["folded"] = EPCR("cdcn-epcr", Plan(side))
    nets["folded"].load_state_dict(state)
    nets["folded"].fold().requires_grad_(False)
    images = np.random.default_rng(0).standard_normal((1, 3, side, side), np.float32)
    runs: dict[str, dict[str, Callable[[], Any]]] = {"torch": {}, "openvino": {}}
    for form, net in nets.items():
        (folder / form).mkdir()
        convert(net, (2, 3, side, side), (-1, 3, side, side), folder / form)
        ready = load(folder / form / MODEL, RuntimeOptions("cpu", "fp32", threads=threads), folder / form / TENSORS)
        runs["torch"][form] = lambda net=net, given=torch.from_numpy(images): net(given)
        runs["openvino"][form] = lambda ready=ready: ready(images)
    return runs


if __name__ == "__main__":
    sys.exit(main())
