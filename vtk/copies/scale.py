"""What memory and time it takes to look for hours in hours: ``python -m vtk.copies.scale``.

A query of ten hours shows an hour of a reference of ten hours, a frame a second, and strangers. Their vectors are
synthetic: each frame like its neighbours, as in films, and like frames of other scenes by chance. The whole map would
take 5 GB. A JSON line an aligner says how much the process grew at most, how long it took, and what was found; each
runs in a process of its own, so that none profits by the memory of another.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from vtk.copies.descriptors import DctDescriptor
from vtk.copies.finding import Search, find
from vtk.copies.footprint import Footprint, Query
from vtk.copies.matches import Match
from vtk.copies.matching import ALIGNERS
from vtk.copies.references import MemoryReferences
from vtk.kernels.timing import peak_memory
from vtk.metrics.copies import score_pair

# Of each component, beside that of a scene: frames of a scene have a cosine of 0.9, of a copy and its original of 0.95.
_WITHIN, _COPIED = 0.33, 0.23
_SCENES = 400  # that come back: strangers are alike by chance
_SHOT = 8  # frames


def film(count: int, seed: int, dimensions: int = DctDescriptor.dimensions) -> np.ndarray:
    """Return (N, D) float32 vectors of unit length: shots of scenes that many films have."""
    rng = np.random.default_rng(seed)
    scenes = _unit(np.random.default_rng(0).normal(size=(_SCENES, dimensions)))
    shots = np.repeat(scenes[rng.integers(_SCENES, size=count // _SHOT + 1)], _SHOT, axis=0)[:count]
    # Half of a shot's own look is the shot's alone, so that one scene filmed twice is no copy.
    own = np.repeat(_unit(rng.normal(size=(count // _SHOT + 1, dimensions))), _SHOT, axis=0)[:count]
    return _noisy(_unit(0.5 * shots + own), _WITHIN, rng)


def pair(seconds: int, copied: int, seed: int = 1) -> tuple[Footprint, Footprint]:
    """Return a query and a reference of ``seconds`` frames, a second apart.

    The query's middle shows the reference from its first quarter on, for ``copied`` seconds.
    """
    query, reference = film(seconds, seed), film(seconds, seed + 1)
    start, ref_start = (seconds - copied) // 2, seconds // 4
    query[start : start + copied] = _noisy(reference[ref_start : ref_start + copied], _COPIED,
                                           np.random.default_rng(seed + 2))  # fmt: skip
    return _footprint("query", query), _footprint("reference", reference)


def measured(aligner: str, hours: float) -> dict[str, Any]:
    """Return what looking for a query in one reference takes in this process, which should have done nothing else."""
    seconds = round(hours * 3600)
    _search(aligner, *pair(600, 120))()  # kernels are compiled, and libraries have what they need
    query, reference = pair(seconds, seconds // 10)
    search = _search(aligner, query, reference)
    matches: list[Match] = []
    begin, used = time.perf_counter(), time.process_time()
    growth = peak_memory(lambda: matches.extend(search()))
    taken, busy = time.perf_counter() - begin, time.process_time() - used
    start, ref_start, copied = (seconds - seconds // 10) // 2, seconds // 4, seconds // 10
    boxes = np.array([(each.start, each.ref_start, each.end, each.ref_end) for each in matches]).reshape(-1, 4)
    score = score_pair(boxes, np.array([[start, ref_start, start + copied, ref_start + copied]], float))
    return {"aligner": aligner, "hours": hours, "frames": [len(query), len(reference)],
            "vectors_mb": round((query.vectors.nbytes + reference.vectors.nbytes) / 1e6, 1),
            "map_mb": round(4e-6 * len(query) * len(reference), 1),
            "growth_mb": None if growth is None else round(growth / 1e6, 1),
            "seconds": round(taken, 2), "cpu_seconds": round(busy, 2), "found": len(matches),
            "precision": round(score.precision, 4), "recall": round(score.recall, 4)}


def _search(aligner: str, query: Footprint, reference: Footprint) -> Callable[[], list[Match]]:
    """Return what looks for a query in one reference."""
    references = MemoryReferences(DctDescriptor())
    references.add(reference)
    return lambda: find(Query(query), references, Search(aligner=aligner))


def _footprint(name: str, vectors: np.ndarray) -> Footprint:
    count = len(vectors)
    return Footprint(name, np.arange(count), np.arange(float(count)), vectors, np.ones(count, np.float32),
                     float(count), 1.0, 320, 180, DctDescriptor().space)  # fmt: skip


def _noisy(vectors: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    noise = rng.normal(scale=share / np.sqrt(vectors.shape[1]), size=vectors.shape)
    return _unit(vectors + noise)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def main(argv: Sequence[str] | None = None) -> int:
    """Write a JSON line an aligner."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.scale", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0, help="of query and reference (default: %(default)s)")
    parser.add_argument("--aligners", default=",".join(ALIGNERS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--here", action="store_true", help="measure in this process, one aligner")
    asked = parser.parse_args(argv)
    names = asked.aligners.split(",")
    if set(names) - set(ALIGNERS) or not 0.1 <= asked.hours < float("inf"):
        parser.error(f"got {asked.aligners} and {asked.hours:g} hours, expected some of {', '.join(ALIGNERS)} and 0.1 "
                     "hours at least")
    if asked.here:
        sys.stdout.write(json.dumps(measured(names[0], asked.hours)) + "\n")
        return 0
    for name in names:
        done = subprocess.run([sys.executable, "-m", "vtk.copies.scale", "--here", "--aligners", name, "--hours",
                               str(asked.hours)], stdout=subprocess.PIPE, check=False)
        line = json.loads(done.stdout) if done.returncode == 0 else {"aligner": name, "failed": done.returncode}
        sys.stdout.write(json.dumps(line | {"cores": os.cpu_count()}) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
