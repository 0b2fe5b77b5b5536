"""Times tables of a million detections beside their lines: ``python -m vtk.export.bench``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

PER_FRAME = 50


def write_lines(path: Path, rows: int) -> None:
    """Write so many detections, 50 a frame, as a detector does: boxes to two decimals, scores to four."""
    import numpy as np

    chance = np.random.default_rng(0)
    labels = ["person", "car", "bus", "bicycle"]
    with path.open("wb") as file:
        for frame in range((rows + PER_FRAME - 1) // PER_FRAME):
            count = min(PER_FRAME, rows - frame * PER_FRAME)
            corners = (chance.random((count, 2)) * (1800, 1000)).round(2)
            boxes = np.hstack([corners, (corners + chance.random((count, 2)) * 120).round(2)]).tolist()
            scores, kinds = chance.random(count).round(4).tolist(), chance.integers(0, 4, count).tolist()
            file.write(b"".join(orjson.dumps(
                {"v": 1, "type": "detection", "by": "detect/yolo11n", "source": "videos/street.mp4", "frame": frame,
                 "pts": 512 * frame, "t": round(frame / 25, 6), "xyxy": box, "score": score, "label": labels[kind],
                 "class_id": kind}) + b"\n" for box, score, kind in zip(boxes, scores, kinds, strict=True)))
        end = {"v": 1, "type": "end", "by": "detect/yolo11n", "source": "videos/street.mp4", "status": "ok",
               "frames": {"decoded": 1, "processed": 1, "skipped": 0}, "records": rows, "types": ["detection"]}
        file.write(orjson.dumps(end) + b"\n")


def timed(arguments: Sequence[str], cwd: Path) -> tuple[float, float]:
    """Run a command to its end; return its seconds of processor time and its peak memory in MB.

    Raises:
        RuntimeError: it failed.
    """
    with subprocess.Popen(arguments, cwd=cwd, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} exited with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def size_of(path: Path) -> float:
    """Return the MB of a file, or of the files in a folder; 0 where there is none."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file()) / 1e6


def steps(duckdb: bool) -> list[tuple[str, list[str], str]]:
    """Return what is timed: its name, its command, and what it writes."""
    vtk = [sys.executable, "-m", "vtk"]
    read = "import sys, orjson\nfor line in open('in.jsonl', 'rb'): orjson.loads(line)"
    query = "import duckdb; duckdb.sql(\"select label, count(*) from '{}' group by label\").fetchall()"
    # Without the hints it fails at the first record of another type.
    hints = "read_json('in.jsonl', union_by_name=true, sample_size=-1)"
    copy = f"import duckdb; duckdb.sql(\"copy (select * from {hints}) to 'duck.parquet' (compression zstd)\")"
    size = ["--size", "1920x1080"]
    return [("orjson alone, each line", [sys.executable, "-c", read], "in.jsonl"),
            ("export parquet", [*vtk, "export", "parquet", "in.jsonl", "-o", "tables"], "tables"),
            ("import parquet", [*vtk, "import", "parquet", "tables", "-o", "out.jsonl"], "out.jsonl"),
            ("export csv", [*vtk, "export", "csv", "in.jsonl", "--type", "detection", "-o", "out.csv"], "out.csv"),
            ("export coco", [*vtk, "export", "coco", "in.jsonl", "-o", "coco.json", *size], "coco.json"),
            *([("DuckDB counts labels, lines", [sys.executable, "-c", query.format("in.jsonl")], ""),
               ("DuckDB counts labels, table", [sys.executable, "-c", query.format("tables/detection.parquet")], ""),
               ("DuckDB copies lines to Parquet", [sys.executable, "-c", copy], "duck.parquet")] if duckdb else [])]


def main() -> None:
    """Print a row for each step."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    try:
        import duckdb
    except ImportError:
        duckdb = None
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_lines(place / "in.jsonl", rows)
        print(f"{rows} detections")
        for name, arguments, made in steps(duckdb is not None):
            begin = time.perf_counter()
            spent, memory = timed(arguments, place)
            wall = time.perf_counter() - begin
            written = f"{size_of(place / made):9.1f} MB" if made else ""
            print(f"{name:32} {spent:7.2f} s of processor {wall:7.2f} s by the clock {memory:6.0f} MB held {written}",
                  flush=True)
        same = (place / "in.jsonl").read_bytes() == (place / "out.jsonl").read_bytes()
        print(f"what comes back is {'the same, byte for byte' if same else 'NOT the same'}")


if __name__ == "__main__":
    main()
