"""``python -m vtk.stats.bench``: seconds for records, of tracks over several sources, beside reading and parsing them."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import orjson

from vtk.records import dump, make


def write_tracks(path: Path, records: int, sources: int = 100, boxes: int = 10) -> None:
    """Write track records: ``boxes`` a frame, tracks of 250 frames, 50 labels."""
    frames = max(1, records // (sources * boxes))
    with open(path, "wb") as file:
        for number in range(sources):
            for frame in range(frames):
                for box in range(boxes):
                    x, track = (frame * 3 + box * 97) % 1800, frame // 250 * boxes + box
                    file.write(dump(make(
                        "track", "track/bench", f"videos/{number:06d}.mp4", frame=frame, pts=frame * 512,
                        t=round(frame / 25, 6), xyxy=[x, 100.25, x + 60.5 + box, 300.75],
                        score=round((frame * 7 + box * 13) % 1000 / 1000, 4), label=f"label{track % 50}",
                        class_id=track % 50, track_id=track)) + b"\n")


def main() -> None:
    """Time ``vtk stats`` and what of it is reading and parsing."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--sources", type=int, default=100)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tracks.jsonl"
        write_tracks(path, given.records, given.sources)
        begin = time.perf_counter()
        with open(path, "rb") as file:
            count = sum(1 for line in file if orjson.loads(line))
        parsing = time.perf_counter() - begin
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "vtk", "stats", path, "-o", Path(folder) / "page.txt"], check=True)
        whole = time.perf_counter() - begin
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"{count:,} records, {path.stat().st_size / 1e6:.0f} MB: parsed in {parsing:.2f} s, vtk stats "
              f"{whole:.2f} s ({whole / count * 1e6:.1f} µs a record), {memory:.0f} MB of memory")


if __name__ == "__main__":
    main()
