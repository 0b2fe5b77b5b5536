"""The decode benchmark decodes every frame with each decoder and says how they compare."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cards import encode


def test_rows(folder: Path) -> None:
    clip = encode(folder / "bench.mp4", 30)
    result = subprocess.run([sys.executable, "-m", "vtk.media.bench", str(clip), "--size", "64", "--turns", "2"],
                            capture_output=True, check=True)
    rows = {row["implementation"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert {"vtk", "opencv", "pyav-full"} <= set(rows)
    assert {row["frames"] for row in rows.values()} == {30}
    assert rows["opencv"]["ratio"] == 1
    for row in rows.values():
        assert row["size"] == [64, 48] and row["p10"] <= row["fps"] <= row["p90"]
        assert row["cpu_ms"] > 0
        assert abs(row["ratio"] - row["fps"] / rows["opencv"]["fps"]) < 0.01


def test_a_clip_that_does_not_open_is_one_line() -> None:
    result = subprocess.run([sys.executable, "-m", "vtk.media.bench", "missing.mp4"], capture_output=True, check=False)
    assert result.returncode == 1
    assert result.stderr.decode().startswith("vtk.media.bench: missing.mp4: cannot be opened")
    assert result.stderr.count(b"\n") == 1
