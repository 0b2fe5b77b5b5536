"""Time association alone, ours against other packages', in turns in one process: ``python -m vtk.tracking.bench``.

A crowd of walkers, seen 19 times of 20, with noise and clutter, is tracked by our trackers and by the ByteTrack of
trackers, ultralytics and BoxMOT, and by norfair, each with its published defaults. Three kinds of rows:

    arrays   the tracker's update alone, on input that was made before (theirs: Detections, Boxes, rows, a list)
    records  dicts in, dicts out: ours is the stage behind ``vtk track``, which checks what comes in, rounds, clips and
             sums tracks up as tracklets; theirs the least loop of a user, which checks nothing
    lines    JSONL bytes in and out, in files: ours is the whole driver, which also passes the detections on; theirs is
             the same loop between orjson's loads and dumps, which writes tracks alone

and ``startup``: a process that has nothing to track (and, ours, five frames), against one that imports the other
package and does nothing. No other row has start-up in it.

Every contestant has one turn that is not timed, then one after the other has its turn. The garbage collector is set for
all as our driver sets it. A rival whose turn would take more than --seconds gets the first part of the frames only.

The others are no dependencies, and cannot all be: BoxMOT and norfair want other versions of what vtk needs. They are
looked for after vtk's own packages in the folder that --packages names, which they get into by

    pip install --no-deps --target FOLDER trackers supervision pydeprecate defusedxml boxmot norfair filterpy

Prints one JSON object a row, and on stderr the same as a table and which rivals are missing. Times are medians a frame,
ratios those of medians; ``cpu`` says the same of the processor's time, which is the surer one where others use the
machine. In the table it stands in brackets.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vtk import __version__
from vtk.driver.chain import Opening, Step
from vtk.driver.lines import lines_of
from vtk.driver.output import Lines
from vtk.driver.passes import Tally, run_passes
from vtk.driver.stage import Frame, Source
from vtk.kernels.bench import environment
from vtk.records import Record
from vtk.tracking.crowd import FPS, SIZE, SOURCE, Seen, crowd, records_of, write_lines
from vtk.tracking.rivals import RIVALS, Rival, loop_arrays, loop_lines, loop_records
from vtk.tracking.stage import BATCH, TrackStage
from vtk.tracking.trackers import TRACKERS, make_tracker

KINDS = ("arrays", "records", "lines", "startup")
MOST_BOXES = 500_000  # of a crowd: 10,000 frames at 50 walkers, fewer at more
PROBED = 50  # frames that tell how long a rival's turn would take

Run = Callable[[int], int]  # tracks so many frames and returns how many records or lines it made


class Input:
    """A crowd in every form that contestants take."""

    def __init__(self, walkers: int, frames: int, folder: Path) -> None:
        self.frames: list[Seen] = crowd(walkers, frames)
        self.records: list[list[Record]] = [records_of(index, seen) for index, seen in enumerate(self.frames)]
        self.path = folder / f"{walkers}.jsonl"
        write_lines(self.path, self.records)


def ours_arrays(name: str, given: Input, count: int) -> int:
    """Track arrays by our tracker ``name``."""
    tracker = make_tracker(name)
    tracker.interval = 1 / FPS
    return sum(int((tracker.update(index, index / FPS, 1, *seen).track_ids > 0).sum())
               for index, seen in enumerate(given.frames[:count]))


def ours_records(name: str, given: Input, count: int) -> int:
    """Track detection records by the stage behind ``vtk track``."""
    stage = TrackStage(tracker=name)
    source = Source(SOURCE, "records", media={"width": SIZE[0], "height": SIZE[1], "fps": FPS})
    state, made = stage.start(source), 0
    for begin in range(0, count, BATCH):
        found = given.records[begin:min(begin + BATCH, count)]
        batch = [Frame(source, index, index / FPS, records=records) for index, records in enumerate(found, begin)]
        made += sum(len(each) for each in stage.frames(state, batch))
    return made + len(stage.end(state))


def ours_lines(name: str, given: Input, count: int) -> int:
    """Track a file of lines by the whole driver; all of it, whatever ``count``."""
    made = 0
    with given.path.open("rb") as file, open(os.devnull, "wb") as devnull:
        sink = Lines(devnull, os.devnull)
        for item in run_passes([Step(TrackStage(tracker=name))], None, lines_of(file.fileno()), Opening(), Tally()):
            if isinstance(item, list):
                made += len(item)
                sink.write(item)
        sink.flush()
    return made


def contestants(kind: str, given: Input, ours: Sequence[str], rivals: Mapping[str, Rival]) -> dict[str, Run]:
    """Return what runs in a kind of rows, by name."""
    mine = {"arrays": ours_arrays, "records": ours_records, "lines": ours_lines}[kind]
    runs: dict[str, Run] = {f"vtk {name}": partial(mine, name, given) for name in ours}
    for name, rival in rivals.items():
        if kind == "arrays":
            runs[name] = partial(loop_arrays, rival, [rival.prepared(*seen) for seen in given.frames])
        elif kind == "records":
            runs[name] = partial(loop_records, rival, given.records)
        else:
            runs[name] = partial(loop_lines, rival, given.path)
    return runs


def compare(kind: str, given: Input, ours: Sequence[str], rivals: Mapping[str, Rival], turns: int,
            seconds: float) -> Iterator[dict[str, Any]]:
    """Yield a row for each contestant, ``ours`` first."""
    runs = contestants(kind, given, ours, rivals)
    gc.collect()
    gc.freeze()  # the input is no garbage, and nobody's collections should walk it
    counts: dict[str, int] = {}
    made: dict[str, int] = {}
    for name, run in runs.items():
        counts[name] = len(given.frames) if name.startswith("vtk ") else _affordable(run, len(given.frames), seconds)
        made[name] = run(counts[name])
    wall: dict[str, list[float]] = {name: [] for name in runs}
    busy: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            begin, used = time.perf_counter(), time.process_time()
            run(counts[name])
            wall[name].append((time.perf_counter() - begin) * 1e3 / counts[name])
            busy[name].append((time.process_time() - used) * 1e3 / counts[name])
    gc.unfreeze()
    for name in runs:
        yield {"contestant": name, "version": _version(rivals.get(name)), "frames": counts[name], "made": made[name],
               "turns": turns} | _figures(wall, busy, name, ours)


def _affordable(run: Run, frames: int, seconds: float) -> int:
    """Return how many frames a turn of ``seconds`` may have, by how long the first ones take."""
    few = min(PROBED, frames)
    run(few)  # loads what it needs
    begin = time.perf_counter()
    run(few)
    return max(few, min(frames, int(seconds / (time.perf_counter() - begin) * few)))


def _figures(wall: Mapping[str, list[float]], busy: Mapping[str, list[float]], name: str,
             ours: Sequence[str]) -> dict[str, Any]:
    """Return the median time of a contestant, and how many times as long as each of ours it takes.

    Args:
        wall, busy: milliseconds a frame of each turn, by the clock and of the processor.
        ours: names of our trackers; ``times_range`` is of the ratios to the first, turn by turn.
    """
    mine, work = statistics.median(wall[name]), statistics.median(busy[name])
    each = [theirs / first for theirs, first in zip(wall[name], wall[f"vtk {ours[0]}"], strict=True)]
    return {"ms_a_frame": round(mine, 4), "ms_range": [round(min(wall[name]), 4), round(max(wall[name]), 4)],
            "times_ours": {one: round(mine / statistics.median(wall[f"vtk {one}"]), 2) for one in ours},
            "times_range": [round(min(each), 2), round(max(each), 2)], "cpu_ms_a_frame": round(work, 4),
            "cpu_times_ours": {one: round(work / statistics.median(busy[f"vtk {one}"]), 2) for one in ours}}


def startup(rivals: Mapping[str, Rival], packages: Path | None, turns: int, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a row for each: the seconds that a process takes which has nothing to track, ours with five frames too."""
    few = Input(2, 5, folder).path.read_bytes()
    track = ["-m", "vtk", "track"]
    look = f"import sys; sys.path.append({str(packages.resolve())!r}); " if packages else ""
    commands = {"vtk track": (track, b""), "vtk track, 5 frames": (track, few), **{
        name: (["-c", f"{look}import orjson; {rival.imports}"], b"") for name, rival in rivals.items()}}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(turns + 1):
        for name, (command, lines) in commands.items():
            begin = time.perf_counter()
            subprocess.run([sys.executable, *command], input=lines, capture_output=True, check=True)
            if turn:  # the first fills the caches
                taken[name].append(time.perf_counter() - begin)
    for name, times in taken.items():
        yield {"contestant": name, "version": _version(rivals.get(name)), "turns": turns,
               "seconds": round(statistics.median(times), 3)}


def importable(names: Sequence[str], packages: Path | None) -> dict[str, Rival]:
    """Return the rivals of ``names`` that are there; say on stderr which are not."""
    if packages is not None:
        sys.path.append(str(packages.resolve()))
    found = {}
    for name in names:
        rival = RIVALS[name]
        try:
            with contextlib.redirect_stdout(sys.stderr):
                rival.start()
            found[name] = rival
        except ImportError as error:
            sys.stderr.write(f"{name} left out: {error}; --help says how to install it\n")
    return found


def _version(rival: Rival | None) -> str:
    """Return the version of a contestant."""
    return __version__ if rival is None else rival.version


def main(argv: list[str] | None = None) -> int:
    """Write the rows."""
    options = _options(argv)
    rivals = importable(options.rivals, options.packages)
    about = {key: value for key, value in environment(cuda=False).items() if key != "versions"}
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)  # source: vtk.driver.run.drive_all
    try:
        with tempfile.TemporaryDirectory() as folder:
            for row in rows(options, rivals, Path(folder)):
                _write(row | about)
    finally:
        gc.set_threshold(*before)
    return 0


def rows(options: argparse.Namespace, rivals: Mapping[str, Rival], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows that were asked for; ``folder`` takes the crowds as lines."""
    kinds = [kind for kind in KINDS if kind in options.kinds]
    if "startup" in kinds:
        for row in startup(rivals, options.packages, options.turns, folder):
            yield {"kind": "startup"} | row
        kinds.remove("startup")
    for walkers in options.objects if kinds else ():
        given = Input(walkers, min(options.frames, max(1, MOST_BOXES // walkers)), folder)
        for kind in kinds:
            for row in compare(kind, given, options.trackers, rivals, options.turns, options.seconds):
                yield {"kind": kind, "objects": walkers} | row


def _options(argv: list[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m vtk.tracking.bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", default="10,50,200,1000", help="walkers (default: %(default)s)")
    parser.add_argument("--frames", type=int, help=f"at most (default: 10000); never more than {MOST_BOXES} / objects")
    parser.add_argument("--trackers", help=f"ours, of {', '.join(TRACKERS)} (default: vtk,bytetrack,ocsort,sort)")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="of other packages (default: %(default)s)")
    parser.add_argument("--kinds", default=",".join(KINDS), help="of rows (default: %(default)s)")
    parser.add_argument("--turns", type=int, help="timed, of each contestant (default: 5)")
    parser.add_argument("--seconds", type=float, default=20, help="that a rival's turn may take (default: 20)")
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="where else rivals are looked for")
    parser.add_argument("--quick", action="store_true", help="500 frames, our default tracker, 3 turns")
    options = parser.parse_args(argv)
    quick = {"frames": 500, "trackers": "vtk", "turns": 3}
    for name, value in (quick if options.quick else {"frames": 10_000, "trackers": "vtk,bytetrack,ocsort,sort",
                                                     "turns": 5}).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    for name, known in (("trackers", TRACKERS), ("kinds", KINDS), ("rivals", tuple(RIVALS))):
        got = [one for one in getattr(options, name).split(",") if one or name != "rivals"]
        if unknown := sorted(set(got) - set(known)):
            parser.error(f"--{name}: got {', '.join(map(repr, unknown))}, expected some of {', '.join(known)}")
        setattr(options, name, got)
    options.objects = [int(one) if one.isdecimal() else 0 for one in options.objects.split(",")]
    if min(*options.objects, options.frames, options.turns) < 1 or not options.seconds > 0:
        parser.error("--objects, --frames, --turns and --seconds must be above 0")
    return options


def _write(row: Mapping[str, Any]) -> None:
    """Write a row, and as a line for people."""
    sys.stdout.write(json.dumps(row) + "\n")
    sys.stdout.flush()
    cost = (f"{row['seconds']:9.3f} s" if "seconds" in row else
            f"{row['objects']:6} objects {row['frames']:6} frames {row['ms_a_frame']:9.3f} ms "
            + "  ".join(f"{value:7.2f} ({row['cpu_times_ours'][one]:.2f}) x {one}"
                        for one, value in row["times_ours"].items()))
    sys.stderr.write(f"{row['kind']:8} {row['contestant']:14} {cost}\n")


if __name__ == "__main__":
    sys.exit(main())
