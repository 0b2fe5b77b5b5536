"""Time what Ray adds to a source, beside --jobs: ``python -m vtk.engines.ray_bench [--sources N]``.

Both do the same tiny clips with two workers and write the same files. A row for each: seconds until the first source is
done (what starts the workers, or the cluster, is in it), and milliseconds a source after that. The two alternate. A last
row has the milliseconds of a call of an actor that does nothing: what Ray itself adds to a source.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import typer

from vtk.detection import DetectStage
from vtk.driver.chain import Opening
from vtk.driver.output import Folder, Nowhere
from vtk.driver.passes import Done, Tally
from vtk.driver.progress import Reporter
from vtk.driver.run import write_stream
from vtk.engines.growth_bench import make_clips
from vtk.engines.local import Pool
from vtk.engines.ray import joined, run_ray
from vtk.options import Common

WORKERS = 2
CALLS = 500
FACTORIES = [(partial(DetectStage, model="motion"), False)]


def jobs(sources: list[str], common: Common) -> Iterator[Any]:
    """Yield what processes of this machine give of ``sources``."""
    with Pool(FACTORIES, sources, Opening(), common) as pool:
        pool.prepare()
        yield from pool.run(sources, Tally())


def cluster(sources: list[str], common: Common) -> Iterator[Any]:
    """Yield what actors of a Ray cluster give of ``sources``."""
    yield from run_ray(FACTORIES, sources, Opening(), Tally(), common)


class Idle:
    """An actor that does nothing."""

    def do(self) -> None:
        """Do nothing."""


def call(address: str) -> float:
    """Return the milliseconds of a call of an actor, the median of many, one after another."""
    with joined(address) as ray:
        actor = ray.remote(Idle).remote()
        ray.get(actor.do.remote())
        spent = []
        for _ in range(CALLS):
            begin = time.perf_counter()
            ray.get(actor.do.remote())
            spent.append(time.perf_counter() - begin)
        return statistics.median(spent) * 1000


class Watch:
    """Notes when sources are done, as they pass."""

    def __init__(self) -> None:
        self.begun = time.perf_counter()
        self.done: list[float] = []

    def over(self, stream: Iterator[Any]) -> Iterator[Any]:
        """Yield what ``stream`` gives."""
        for item in stream:
            yield item
            if isinstance(item, Done):
                self.done.append(time.perf_counter() - self.begun)

    @property
    def each(self) -> float:
        """Milliseconds a source, after the first ones of all workers."""
        later = self.done[2 * WORKERS:]
        return (later[-1] - later[0]) / (len(later) - 1) * 1000


def main() -> None:
    """Print a JSON line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=int, default=200, help="clips of 4 frames of 16×16 pixels")
    parser.add_argument("--rounds", type=int, default=3, help="times that each way does all of them")
    parser.add_argument("--address", default="local", help="of the cluster; local starts one")
    given = parser.parse_args()
    watches: dict[str, list[Watch]] = {"jobs": [], "ray": []}
    with tempfile.TemporaryDirectory(prefix="vtk-ray-bench-") as folder:
        place = Path(folder)
        make_clips(place, given.sources)
        sources = sorted(str(path) for path in (place / "clips").rglob("*.mp4"))
        for number in range(given.rounds):
            for way, run in (("jobs", jobs), ("ray", cluster)):
                common = Common(jobs=WORKERS, out_dir=place / f"{way}-{number}", address=given.address,
                                engine="ray" if way == "ray" else "local")
                watches[way].append(watch := Watch())
                sink = Folder(common.out_dir, False) if way == "jobs" else None
                _written(watch.over(run(sources, common)), sink)
    called = call(given.address)
    for way, found in watches.items():
        typer.echo(json.dumps({"way": way, "sources": given.sources, "workers": WORKERS, "rounds": given.rounds,
                               "first_s": round(statistics.median(watch.done[0] for watch in found), 2),
                               "ms_each": round(statistics.median(watch.each for watch in found), 2)}))
    typer.echo(json.dumps({"way": "ray, an empty call", "calls": CALLS, "ms_each": round(called, 2)}))


def _written(stream: Iterator[Any], folder: Folder | None) -> None:
    """Take a stream to its end; what is not written by those who did it is written here."""
    write_stream(stream, folder or Nowhere(), Reporter(quiet=True))


if __name__ == "__main__":
    main()
