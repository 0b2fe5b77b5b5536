"""Many sources: jobs, shards, kills and resumes give one and the same set."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clips import make_clip

from conftest import run_vtk
from vtk.cli import load
from vtk.errors import UsageError

CALL = ("detect", "clips", "--model", "motion")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with clips/: 30 files, two of them broken."""
    place = tmp_path_factory.mktemp("batch")
    (place / "clips" / "sub").mkdir(parents=True)
    for number in range(28):
        make_clip(place / "clips" / ("sub" if number % 3 else ".") / f"{number:02}.mp4", frames=8 + number % 4)
    (place / "clips" / "broken.mp4").write_bytes(b"nothing of use" * 50)
    (place / "clips" / "sub" / "empty.mp4").write_bytes(b"")
    return place


@pytest.fixture(scope="module")
def whole(folder: Path) -> bytes:
    """Return what one process makes of the folder."""
    found = run_vtk(*CALL, cwd=folder)
    assert found.returncode == 1
    assert found.stdout.count(b'"type":"end"') == 30
    assert found.stdout.count(b'"status":"failed"') == 2
    return found.stdout


def test_jobs_give_the_same_bytes(folder: Path, whole: bytes) -> None:
    found = run_vtk(*CALL, "--jobs", "2", cwd=folder)
    assert found.returncode == 1
    assert found.stdout == whole
    assert b"Traceback" not in found.stderr


def test_shards_give_the_same_set(folder: Path, whole: bytes) -> None:
    parts = [run_vtk(*CALL, "--shard", f"{part}/3", cwd=folder).stdout for part in (1, 2, 3)]
    assert all(parts)
    assert sorted(b"".join(parts).splitlines()) == sorted(whole.splitlines())


# Runs vtk and kills the process once a file holds the ends of five sources. A look from outside could come too late.
KILLED = """
import os, signal, sys, threading, time
part = sys.argv.pop(1)
def ends():
    try:
        with open(part, "rb") as file:
            return file.read().count(b'"type":"end"')
    except FileNotFoundError:
        return 0
def watch():
    while ends() < 5:
        time.sleep(0.002)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=watch, daemon=True).start()
from vtk.cli import main
main()
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_killed_run_is_resumed(folder: Path, whole: bytes, tmp_path: Path, jobs: str) -> None:
    out = tmp_path / "out.jsonl"
    part = tmp_path / "out.jsonl.part"
    process = subprocess.run([sys.executable, "-c", KILLED, part, *CALL, "-o", out, "--jobs", jobs], cwd=folder,
                             stderr=subprocess.DEVNULL, check=False)
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    kept = part.read_bytes().count(b'"type":"end"')
    assert 5 <= kept
    resumed = run_vtk(*CALL, "-o", out, "--resume", cwd=folder)
    assert resumed.returncode == 1
    assert sorted(out.read_bytes().splitlines()) == sorted(whole.splitlines())
    assert not part.exists()


def test_resume_does_again_what_changed(folder: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", frames=8)
    make_clip(tmp_path / "b.mp4", frames=9)
    call = ("detect", "a.mp4", "b.mp4", "--model", "motion", "--out-dir", "out")
    assert run_vtk(*call, cwd=tmp_path).returncode == 0
    first = {name: os.stat(tmp_path / "out" / f"{name}.jsonl").st_mtime_ns for name in ("a.mp4", "b.mp4")}
    refused = run_vtk(*call, cwd=tmp_path)
    assert refused.returncode == 2
    assert b"--resume" in refused.stderr
    make_clip(clip, frames=10)
    assert run_vtk(*call, "--resume", cwd=tmp_path).returncode == 0
    assert os.stat(tmp_path / "out" / "b.mp4.jsonl").st_mtime_ns == first["b.mp4"]
    assert os.stat(tmp_path / "out" / "a.mp4.jsonl").st_mtime_ns != first["a.mp4"]
    again = run_vtk(*call, "--resume", "--min-score", "0.9", cwd=tmp_path)
    assert again.returncode == 0
    assert os.stat(tmp_path / "out" / "b.mp4.jsonl").st_mtime_ns != first["b.mp4"], "other options: done again"


def test_a_worker_that_dies_costs_its_source_alone(tmp_path: Path) -> None:
    """A stage that kills its process on one source: that source fails, the others are whole."""
    script = tmp_path / "kill.py"
    script.write_text(
        "import os, sys\n"
        "from functools import partial\n"
        "from vtk.driver import Opening\n"
        "from vtk.driver.passes import Tally\n"
        "from vtk.engines.local import run_jobs\n"
        "from vtk.options import Common\n"
        "from vtk.probing import ProbeStage\n"
        "class Deadly(ProbeStage):\n"
        "    def start(self, source):\n"
        "        if 'deadly' in source.name:\n"
        "            os.kill(os.getpid(), 9)\n"
        "if __name__ == '__main__':\n"
        "    for item in run_jobs([(Deadly, False)], sys.argv[1:], Opening(), Tally(), Common(jobs=2, threads=1)):\n"
        "        if isinstance(item, list):\n"
        "            for line in item:\n"
        "                print(line.decode())\n")
    names = [str(make_clip(tmp_path / name, frames=3)) for name in ("a.mp4", "deadly.mp4", "b.mp4", "c.mp4")]
    found = subprocess.run([sys.executable, str(script), *names], capture_output=True, text=True, timeout=120, check=False)
    ends = {record["source"]: record["status"] for record in map(json.loads, found.stdout.splitlines())
            if record["type"] == "end"}
    assert ends == {names[0]: "ok", names[1]: "failed", names[2]: "ok", names[3]: "ok"}, found.stderr
    assert "SIGKILL" in found.stdout


@pytest.mark.parametrize("option", [("--resume",), ("--shard", "1/2")])
def test_part_of_the_sources_tells_nothing_that_needs_all(tmp_path: Path, option: tuple[str, ...]) -> None:
    """Shards would number people from 1 each, and write one _run.jsonl over the other's."""
    with pytest.raises(UsageError, match=r"identity records need all sources.*--finish DIR.*--set reid\.embed-only=true"):
        load("pipe").main(["people.toml", "x.mp4", "--out-dir", str(tmp_path), *option], standalone_mode=False)
    assert not list(tmp_path.iterdir())
