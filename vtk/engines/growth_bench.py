"""Time whole runs over 10 to 10,000 tiny clips: ``python -m vtk.engines.growth_bench``.

The clips, of 16x16 pixels and 4 frames, are made on the spot, so that what is timed is what a run does for each source.
``probe`` opens each, ``nothing`` is a stage that takes all frames and makes nothing of them. Prints one JSON object a
run: seconds in all; milliseconds a clip beyond the run over the fewest clips, by the clock and of processors, which
other work on the machine stretches less; the most memory of the process that was called. Each run is
followed by one with ``--resume``, which finds everything done.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import typer

from vtk.media.writer import VideoWriter

COMMANDS = {"probe": ["-m", "vtk", "probe"], "nothing": ["-c", "from vtk.driver.bench import nothing; nothing()"]}
A_FOLDER = 100  # clips in one folder


def make_clips(folder: Path, count: int) -> None:
    """Write ``count`` clips below ``folder``: one, and links to it, some in a folder each."""
    first = folder / "first.mp4"
    with VideoWriter(first, 16, 16, 8.0) as writer:
        for index in range(4):
            writer.write(np.full((16, 16, 3), 40 * index, np.uint8), index / 8)
    for number in range(count):
        place = folder / "clips" / f"{number // A_FOLDER:04}"
        place.mkdir(parents=True, exist_ok=True)
        os.link(first, place / f"{number % A_FOLDER:04}.mp4")


def timed(words: list[str]) -> tuple[np.ndarray, float]:
    """Return the seconds that a run of Python took, by the clock and of processors, and its first process's MB."""
    begin, most = _clocks(), 0
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, peak_of(process.pid))
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}, expected 0")
    return _clocks() - begin, most / 1024


def _clocks() -> np.ndarray:
    """Return the seconds of the clock, and those of processors that children have spent which ended."""
    times = os.times()
    return np.array([time.perf_counter(), times.children_user + times.children_system])


def peak_of(process: int) -> int:
    """Return the most memory that a process had so far, KiB; 0 where it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("VmHWM:")), 0)


def main() -> None:
    """Run each command over folders that grow, and print a row for each run."""
    parser = argparse.ArgumentParser(prog="python -m vtk.engines.growth_bench", description=__doc__)
    parser.add_argument("--counts", default="10,100,1000,10000")
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--commands", default=",".join(COMMANDS))
    given = parser.parse_args()
    counts = sorted(map(int, given.counts.split(",")))
    for name in given.commands.split(","):
        for jobs in given.jobs.split(","):
            least: dict[bool, tuple[int, np.ndarray]] = {}
            for count in counts:
                with tempfile.TemporaryDirectory(prefix="vtk-growth-") as folder:
                    make_clips(Path(folder), count)
                    words = [*COMMANDS[name], f"{folder}/clips", "--out-dir", f"{folder}/out", "--jobs", jobs]
                    for resume in (False, True):
                        seconds, memory = timed([*words, "--resume"] if resume else words)
                        few, start = least.setdefault(resume, (count, seconds))
                        clock, cpu = 1e3 * (seconds - start) / max(1, count - few)
                        typer.echo(json.dumps({
                            "command": name, "jobs": int(jobs), "clips": count, "resume": resume,
                            "seconds": round(seconds[0], 2), "cpu_seconds": round(seconds[1], 2),
                            "ms_a_clip": round(clock, 2), "cpu_ms_a_clip": round(cpu, 2), "parent_mb": round(memory),
                        }))


if __name__ == "__main__":
    main()
