"""Say how fast pictures are told beside the bare network: ``python -m vtk.species.speed_bench PICTURES…``.

The command's stage is driven over the files, read and decoded, records made; the networks alone look at the same
pictures, decoded before: the router at each, a model at those that the router sends to it. Both in turns in one run,
without start-up. A line of JSON: pictures a second of both, and the command's share of the networks' speed, the median
of the turns' own ratios, by the clock and by the processor time of all threads, which others on the machine change less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import typer

from vtk.driver.passes import Tally, run_passes
from vtk.driver.run import Step, prepare
from vtk.driver.stage import Opening, Stage
from vtk.errors import VtkError
from vtk.media.image import load
from vtk.models.runtime import RuntimeOptions
from vtk.species.asking import Asked, load_panel, read_models
from vtk.species.groups_bench import listed
from vtk.species.stage import SpeciesStage


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON line."""
    parser = argparse.ArgumentParser(prog="python -m vtk.species.speed_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="pictures and folders of them")
    parser.add_argument("--model", default="inat-birds,inat-insects", help="as vtk classify-species has it")
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth picture")
    parser.add_argument("--turns", type=int, default=5, help="timed runs of each, alternating (default: 5)")
    parser.add_argument("--threads", type=int, help="threads of the networks (default: as many as there are cores)")
    given = parser.parse_args(words)
    if given.every < 1 or given.turns < 1 or given.threads is not None and given.threads < 1:
        parser.error("--every, --turns and --threads must be 1 or more")
    paths = [str(path) for path in listed(given.pictures)[:: given.every]]
    asked = Asked(models=read_models(given.model), runtime=RuntimeOptions(threads=given.threads))
    try:
        stage, panel, images = SpeciesStage(asked), load_panel(asked), [load(path)[0] for path in paths]
        prepare([stage], True)
    except VtkError as error:
        sys.exit(f"vtk.species.speed_bench: {error}")
    ways: dict[str, Callable[[], object]] = {
        "command": lambda: driven(stage, paths), "networks": lambda: [panel.look([each], [None]) for each in images]}
    times = in_turns(ways, given.turns)
    rates = {f"{name}_per_s": round(len(paths) / statistics.median(each[0] for each in taken), 1)
             for name, taken in times.items()}
    shares = [round(statistics.median(bare[clock] / whole[clock] for bare, whole in
                                      zip(times["networks"], times["command"], strict=True)), 3) for clock in (0, 1)]
    sizes = np.median([each.shape[:2] for each in images], axis=0).astype(int).tolist()
    typer.echo(json.dumps({"pictures": len(paths), "median_size": sizes[::-1], "model": given.model, **rates,
                           "ratio": shares[0], "cpu_ratio": shares[1], "turns": given.turns, "threads": given.threads,
                           "cores": os.cpu_count()}))


def driven(stage: Stage, paths: Sequence[str]) -> int:
    """Drive a prepared stage over pictures; return how many lines come out.

    Raises:
        VtkError: a picture failed.
    """
    tally = Tally(hear=_fail)
    return sum(len(item) for item in run_passes([Step(stage, True)], paths, None, Opening(), tally)
               if isinstance(item, list))


def in_turns(ways: dict[str, Callable[[], object]], turns: int) -> dict[str, list[tuple[float, float]]]:
    """Return seconds by the clock and of processor time of each way in each turn; one turn goes before, to get warm."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, run in ways.items():
            begin, used = time.perf_counter(), time.process_time()
            run()
            if turn:
                taken[name].append((time.perf_counter() - begin, time.process_time() - used))
    return taken


def _fail(stage: str, source: str | None, error: VtkError) -> None:
    raise error


if __name__ == "__main__":
    main()
