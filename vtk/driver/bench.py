"""Time what the driver costs, whole processes each: ``python -m vtk.driver.bench``.

``--of records``: a filter, and a stage that reads each record and adds none, against the loop that a user would write,
and ``cat``. ``--of frames``: a stage that takes each frame and makes nothing of it, in RGB or not at all, against a loop
over the decoder. Prints one JSON object a contestant, medians of all runs in turn, start of the process included; ``us``
are microseconds a record or a frame beyond an empty input, ``cpu_us`` those of processors, which other work on the machine
stretches less.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from vtk.driver.stage import Source, Stage
from vtk.media.sampling import NATIVE, ON_DEMAND, Sampling

# What a user would write: read, parse, write.
LOOP = """
import sys
from {module} import loads, dumps
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    record = loads(line)
    write({dump} + b"\\n")
"""
DECODE = """
import sys
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
for frame in open_media(sys.argv[1]).frames([{size}], lambda index, t: True):
    pass
"""
NOTHING = "from vtk.driver.bench import nothing; nothing({kind})"

RECORDS = {
    "cat": ["cat"],
    "json loop": [sys.executable, "-c", LOOP.format(module="json", dump="dumps(record).encode()")],
    "orjson loop": [sys.executable, "-c", LOOP.format(module="orjson", dump="dumps(record)")],
    "vtk filter": [sys.executable, "-m", "vtk", "probe"],
    "vtk stage": [sys.executable, "-c", NOTHING.format(kind="")],
}
FRAMES = {
    "decoder loop": [sys.executable, "-c", DECODE.format(size="")],
    "vtk stage": [sys.executable, "-c", NOTHING.format(kind="")],
    "decoder loop, RGB": [sys.executable, "-c", DECODE.format(size="NATIVE")],
    "vtk stage, RGB": [sys.executable, "-c", NOTHING.format(kind="rgb=True")],
}


class Nothing(Stage):
    """Reads detections, or takes all frames of media, and makes nothing of them.

    Args:
        rgb: whether frames are converted.
    """

    name = "nothing"
    reads = frozenset({"detection"})
    batch = 8

    def __init__(self, rgb: bool = False) -> None:
        self._rgb = rgb

    def sampling(self, source: Source) -> Sampling:
        """Return all frames of media; of records the records alone."""
        wanted = Sampling(mode="none") if source.mode == "records" else Sampling()
        return wanted.sized(NATIVE if self._rgb else ON_DEMAND)


def nothing(rgb: bool = False) -> None:
    """Run the stage that does nothing with the options of a command, as it stands on this process's command line."""
    from vtk.driver.run import drive
    from vtk.options import Common

    parser = argparse.ArgumentParser()
    parser.add_argument("inputs", nargs="*")
    parser.add_argument("--out-dir", type=Path)
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    drive(partial(Nothing, rgb), Common(**{**vars(given), "inputs": tuple(given.inputs)}))


def write_records(path: Path, count: int, per_frame: int = 10) -> None:
    """Write ``count`` detection records of one source, ``per_frame`` in a frame."""
    with path.open("w") as file:
        for number in range(count):
            frame = number // per_frame
            x = float(number % 1000)
            file.write(json.dumps({
                "v": 1, "type": "detection", "by": "detect/yolo11n", "source": "videos/street.mp4", "frame": frame,
                "pts": frame * 512, "t": round(frame / 25, 6), "xyxy": [x, 20.25, x + 51.5, 180.75], "score": 0.8731,
                "label": "person", "class_id": 0}, separators=(",", ":")) + "\n")


def write_clip(path: Path, count: int) -> None:
    """Write a clip of ``count`` frames of 320x240 that differ."""
    import numpy as np

    from vtk.media.writer import VideoWriter

    with VideoWriter(path, 320, 240, 25.0, crf=30) as writer:
        for index in range(count):
            writer.write(np.full((240, 320, 3), index % 200, np.uint8), index / 25)


def seconds_of(words: Sequence[str], records: Path | None) -> tuple[float, float]:
    """Return the seconds that a process takes, reading ``records``: by the clock, and of processors."""
    with open(records if records is not None else os.devnull, "rb") as stream:
        begin, before = time.perf_counter(), os.times()
        subprocess.run(words, stdin=stream, stdout=subprocess.DEVNULL, check=True)
        clock, after = time.perf_counter() - begin, os.times()
    return clock, after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Run the contestants in turn and print their medians."""
    parser = argparse.ArgumentParser(prog="python -m vtk.driver.bench", description=__doc__)
    parser.add_argument("--of", choices=["records", "frames"], default="records")
    parser.add_argument("--count", type=int, help="of records (default: 1,000,000) or frames (default: 10,000)")
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    frames = given.of == "frames"
    count = given.count or (10_000 if frames else 1_000_000)
    contestants = FRAMES if frames else RECORDS
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    empty: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    with tempfile.TemporaryDirectory() as folder:
        many, few = Path(folder, "many"), Path(folder, "few")
        if frames:
            many, few = many.with_suffix(".mp4"), few.with_suffix(".mp4")
        (write_clip if frames else write_records)(many, count)
        (write_clip if frames else write_records)(few, int(frames))
        for _ in range(given.runs):
            for name, words in contestants.items():
                for path, found in ((few, empty), (many, seconds)):
                    found[name].append(seconds_of([*words, str(path)], None) if frames else seconds_of(words, path))
    for name in contestants:
        (middle, cpu), (start, cpu_start) = (map(statistics.median, zip(*found[name], strict=True))
                                             for found in (seconds, empty))
        print(json.dumps({"contestant": name, given.of: count, "runs": given.runs, "median_s": round(middle, 2),
                          "min_s": round(min(seconds[name])[0], 2), "start_s": round(start, 2),
                          f"{given.of}_per_s": round(count / middle), "us": round(1e6 * (middle - start) / count, 2),
                          "cpu_us": round(1e6 * (cpu - cpu_start) / count, 2)}))


if __name__ == "__main__":
    main()
