"""What fusing is worth, how fast faces are judged, what wears scores: ``python -m vtk.liveness.bench BENCH PICTURE…``.

flips   Films live faces and replays of them (``vtk.liveness.replay``; one clip with its truth beside it is taken as it
        is) and counts along each track of ``vtk face-antispoof --frames`` the verdicts that differ from the one
        before: of single frames, of the fused score of the last second of the track, and of all of its frames so far.
        The last of these is what a face_track says when the track ends there. A change to or from unsure is a flip;
        ``reversals`` are changes from live to spoof or back alone. Once with the gates of quality, and once without.
        At the default thresholds.

rate    Faces a second of ``vtk face-antispoof --frames --batch N`` on videos, or on pictures, one source each, at N = 1
        and 32, from the start of the process to its end (``command``) and without the start of one that judges a single
        frame (``running``); of both networks on decoded frames (``networks``), and of the one that tells live faces on
        faces that are found (``liveness``). Turn by turn in one run; medians. ``cpu`` is the processor's time, of all
        threads: the surer one where others use the machine.

wear    What smaller faces, compression, blur and light make of the verdicts on the same faces (``vtk.liveness.wear``).

Prints one JSON object a row, and a table on stderr.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import EXIT_OK, UsageError, VtkError
from vtk.kernels.bench import environment
from vtk.liveness.decision import Thresholds
from vtk.liveness.flips import Tally, count
from vtk.liveness.replay import Plan, film, pictures, truth_of, truth_path
from vtk.liveness.wear import worn
from vtk.models.detector import Detect, load_detector
from vtk.models.liveness import Face, load_liveness
from vtk.models.runtime import RuntimeOptions
from vtk.records import Record

BATCHES = (1, 32)
MOST_FRAMES = 300  # of a video: the networks' turn has them in memory
Row = dict[str, Any]


def judged(names: Sequence[str], *options: str) -> list[Record]:
    """Return the records of ``vtk face-antispoof``, run as a process.

    Raises:
        UsageError: it failed.
    """
    done = subprocess.run([sys.executable, "-m", "vtk", "face-antispoof", "--only", *options, *names],
                          capture_output=True, check=False)
    if done.returncode not in (0, 1):
        raise UsageError(f"vtk face-antispoof failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def flips(names: Sequence[str], seconds: float, seed: int) -> Iterator[Row]:
    """Yield what was counted along the tracks of a clip, one row a way to judge."""
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(names[0])
        if len(names) > 1 or not truth_path(clip).is_file():
            clip = Path(folder) / "clip.mp4"
            truth_path(clip).write_text(json.dumps(film(names, clip, Plan(seconds=seconds, seed=seed))))
        truth = truth_of(clip)
        records, window = judged([str(clip)], "--frames"), max(1, round(truth["fps"]))
        yield from _rows(count(records, truth, window), "on")
        yield from _rows(count(map(ungated, records), truth, window), "off")


def ungated(record: Record) -> Record:
    """Return a ``face`` record as ``--gates off`` has it; others as they are."""
    if record["type"] != "face":
        return record
    return {key: value for key, value in record.items() if key != "reasons"} | {
        "verdict": Thresholds(*record["thresholds"]).verdict(record["live_score"])}


def _rows(tally: Tally, gates: str) -> Iterator[Row]:
    for way, counts in tally.ways.items():
        yield {"bench": "flips", "gates": gates, "verdict_of": way, **asdict(counts), "tracks": tally.tracks,
               "faces_outside": tally.outside, "tracks_mixed": tally.mixed}


def rate(names: Sequence[str], turns: int) -> Iterator[Row]:
    """Yield faces a second, one row a batch and a contestant."""
    contestants: dict[tuple[int, str], Callable[[], int]] = {}
    for batch in BATCHES:
        contestants |= {(batch, name): run for name, run in _contestants(names, batch).items()}
    taken: dict[tuple[int, str], list[tuple[float, float]]] = {key: [] for key in contestants}
    faces: dict[tuple[int, str], int] = {}
    for turn in range(turns + 1):
        for key, run in contestants.items():
            began = time.perf_counter(), _processor_time()
            faces[key] = run()
            if turn:  # the first one fills caches
                taken[key].append((time.perf_counter() - began[0], _processor_time() - began[1]))
    middle = {key: np.median(spent, axis=0) for key, spent in taken.items()}
    for batch in BATCHES:
        middle[batch, "running"] = middle[batch, "command"] - middle[batch, "start"]
        faces[batch, "running"] = faces[batch, "command"] - faces[batch, "start"]
        for name in ("command", "running", "networks", "liveness"):
            count, (wall, cpu) = faces[batch, name], middle[batch, name].clip(1e-9)
            yield {"bench": "rate", "batch": batch, "of": name, "faces": count,
                   "seconds": round(float(wall), 3), "cpu": round(float(cpu), 3),
                   "faces_per_second": round(count / float(wall), 1),
                   "faces_per_cpu_second": round(count / float(cpu), 1), "turns": turns, **environment(False)}


def _processor_time() -> float:
    """Return the seconds that processors worked for this process and those that it ran and ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _contestants(names: Sequence[str], batch: int) -> dict[str, Callable[[], int]]:
    """Return what is timed at one batch size; each says how many faces it judged."""
    runtime = RuntimeOptions(precision="fp32", batch=batch)
    detect, network = load_detector("rfb-320", min_score=0.7, runtime=runtime).start(), load_liveness(runtime=runtime)
    images = [image for name in names for image in _pictures(name)]

    def found() -> list[Face]:
        return _found(images, detect, batch)

    known = found()

    def command(files: Sequence[str], limit: int) -> int:
        return sum(record["type"] == "face"
                   for record in judged(files, "--frames", "--batch", str(batch), "--limit", str(limit)))

    return {"command": lambda: command(names, MOST_FRAMES), "start": lambda: command(names[:1], 1),
            "networks": lambda: len(network.scores(found())), "liveness": lambda: len(network.scores(known))}


def _found(images: Sequence[np.ndarray], detect: Detect, batch: int) -> list[Face]:
    """Return the faces in pictures."""
    boxes = [boxes for at in range(0, len(images), batch) for boxes in detect(images[at:at + batch])]
    return [Face(image, tuple(map(float, box))) for image, here in zip(images, boxes, strict=True)
            for box in here.xyxy]


def wear(names: Sequence[str]) -> Iterator[Row]:
    """Yield what wear does to the verdicts on the largest face of each picture, one row a kind."""
    runtime = RuntimeOptions(precision="fp32")
    detect, network = load_detector("rfb-320", min_score=0.7, runtime=runtime).start(), load_liveness(runtime=runtime)
    largest: dict[int, Face] = {}
    for face in _found([image for name in names for image in _pictures(name)[:1]], detect, 1):
        before = largest.get(id(face.image))
        if before is None or _area(face) > _area(before):
            largest[id(face.image)] = face
    for row in worn(list(largest.values()), network):
        yield {"bench": "wear", **row}


def _area(face: Face) -> float:
    x1, y1, x2, y2 = face.xyxy
    return (x2 - x1) * (y2 - y1)


def _pictures(name: str) -> list[np.ndarray]:
    """Return the picture or the first frames of a file, none where it cannot be read."""
    try:
        return pictures(name, MOST_FRAMES)
    except VtkError:
        return []


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bench that the command line names and print its rows."""
    parser = argparse.ArgumentParser(prog="python -m vtk.liveness.bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", choices=("flips", "rate", "wear"))
    parser.add_argument("pictures", nargs="+",
                        help="pictures of a face each, or folders of them; flips: or a clip; rate: or videos")
    parser.add_argument("--seconds", type=float, default=3.0, help="flips: of a take")
    parser.add_argument("--seed", type=int, default=0, help="flips: of the camera's movements and noise")
    parser.add_argument("--turns", type=int, default=5, help="rate: of each contestant")
    given = parser.parse_args(arguments)
    try:
        names = [os.fspath(path) for name in given.pictures for path in _files(Path(name))]
        rows = {"flips": lambda: flips(names, given.seconds, given.seed), "wear": lambda: wear(names),
                "rate": lambda: rate(names, max(1, given.turns))}
        for row in rows[given.bench]():
            print(json.dumps(row), flush=True)
            print("  ".join(f"{key} {value}" for key, value in row.items() if key in _SHOWN), file=sys.stderr)
    except VtkError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    return EXIT_OK


_SHOWN = ("gates", "verdict_of", "verdicts", "flips", "reversals", "wrong", "wrong_live", "unsure", "tracks", "batch",
          "of", "faces", "faces_per_second", "faces_per_cpu_second", "wear", "live_before", "of_live", "gated")


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]


if __name__ == "__main__":
    sys.exit(main())
