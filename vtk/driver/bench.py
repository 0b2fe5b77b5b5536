"""Time a whole filter process against the loop that a user would write: ``python -m vtk.driver.bench``.

Prints one JSON object a contestant: detection records a second, start of the process included, and the ratio to the
standard library's loop of the same run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What a user would write: read, parse, write.
LOOP = """
import sys
from {module} import loads, dumps
write = sys.stdout.buffer.write
for line in sys.stdin.buffer:
    record = loads(line)
    write({dump} + b"\\n")
"""

CONTESTANTS = {
    "json loop": ["-c", LOOP.format(module="json", dump="dumps(record).encode()")],
    "orjson loop": ["-c", LOOP.format(module="orjson", dump="dumps(record)")],
    "vtk filter": ["-m", "vtk", "probe"],
}


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


def main() -> None:
    """Run the contestants in turn and print their medians."""
    parser = argparse.ArgumentParser(prog="python -m vtk.driver.bench", description=__doc__)
    parser.add_argument("--records", type=int, default=400_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {name: [] for name in CONTESTANTS}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.jsonl"
        write_records(path, given.records)
        for _ in range(given.runs):
            for name, arguments in CONTESTANTS.items():
                with path.open("rb") as stream:
                    begin = time.perf_counter()
                    subprocess.run([sys.executable, *arguments], stdin=stream, stdout=subprocess.DEVNULL, check=True)
                    seconds[name].append(time.perf_counter() - begin)
    base = statistics.median(seconds["json loop"])
    for name, times in seconds.items():
        middle = statistics.median(times)
        print(json.dumps({"contestant": name, "records": given.records, "runs": given.runs,
                          "records_per_s": round(given.records / middle), "ratio_to_json": round(base / middle, 2),
                          "median_s": round(middle, 3), "min_s": round(min(times), 3), "max_s": round(max(times), 3)}))


if __name__ == "__main__":
    main()
