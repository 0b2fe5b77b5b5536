"""Time a pipe by one process and by several, and count what these take: ``python -m vtk.engines.jobs_bench FOLDER``.

Prints one JSON object for each number of --jobs: seconds, CPU seconds, the processors that were busy on average, and of
each process that did sources the most threads at a time and the most memory that was its own (PSS, MB); ``running``
is the most threads of all processes that wanted a processor at one time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import typer


def sampled(words: list[str]) -> dict[str, object]:
    """Return what a run of ``vtk WORDS`` took, its processes looked at some times a second."""
    before, begin = os.times(), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "vtk", *words], stdout=subprocess.DEVNULL)
    threads: dict[int, int] = defaultdict(int)
    memory: dict[int, int] = defaultdict(int)
    running: list[int] = []
    while process.poll() is None:
        family = [process.pid, *children_of(process.pid)]
        states = {each: states_of(each) for each in family}
        running.append(sum(state.count("R") for state in states.values()))
        for each, state in states.items():
            threads[each] = max(threads[each], len(state))
            memory[each] = max(memory[each], pss_of(each))
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"vtk {' '.join(words)}: exit code {process.returncode}, expected 0")
    seconds, after = time.perf_counter() - begin, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    most = sorted(memory, key=memory.__getitem__, reverse=True)
    return {"seconds": round(seconds, 2), "cpu_seconds": round(spent, 2), "busy": round(spent / seconds, 2),
            "running": max(running, default=0), "threads": [threads[each] for each in most],
            "pss_mb": [round(memory[each] / 1024) for each in most]}


def children_of(process: int) -> list[int]:
    """Return the children of a process; none where it is gone."""
    try:
        return [int(each) for task in Path(f"/proc/{process}/task").iterdir()
                for each in (task / "children").read_text().split()]
    except OSError:
        return []


def states_of(process: int) -> list[str]:
    """Return the state of each thread of a process, ``R`` where it runs or wants to."""
    found = []
    try:
        for task in Path(f"/proc/{process}/task").iterdir():
            found.append((task / "stat").read_text().rpartition(")")[2].split()[0])
    except OSError:  # it ended meanwhile
        pass
    return found


def pss_of(process: int) -> int:
    """Return the memory of a process, KiB, what it shares divided among those that share it; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main() -> None:
    """Run the pipe with each number of processes in turn, and print the medians and the last run's processes."""
    parser = argparse.ArgumentParser(prog="python -m vtk.engines.jobs_bench", description=__doc__)
    parser.add_argument("folder", help="the inputs")
    parser.add_argument("--pipe", default="detect --model yolox-nano")
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    found: dict[str, list[dict[str, object]]] = {jobs: [] for jobs in given.jobs.split(",")}
    for _ in range(given.runs):
        for jobs, rows in found.items():
            rows.append(sampled(["pipe", given.pipe, given.folder, "--jobs", jobs]))
    for jobs, rows in found.items():
        middle = {key: statistics.median(float(str(row[key])) for row in rows)
                  for key in ("seconds", "cpu_seconds", "busy")}
        typer.echo(json.dumps({"pipe": given.pipe, "jobs": int(jobs), "runs": given.runs, **rows[-1], **middle}))


if __name__ == "__main__":
    main()
