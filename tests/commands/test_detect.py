"""``vtk detect``: media in, detections out."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path

import av
import numpy as np
import pytest

from vtk.detection import DetectStage
from vtk.errors import UsageError
from vtk.models.runtime import RuntimeOptions


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of 30 frames, 320 x 240 at 25 a second: from frame 10 on a bright box moves to the right."""
    path = tmp_path_factory.mktemp("detect") / "box.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for index in range(30):
            image = np.random.default_rng(index).normal(90, 3, (240, 320, 3)).clip(0, 255).astype(np.uint8)
            if index >= 10:
                image[80:120, 40 + 4 * index : 80 + 4 * index] = 230
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")):
                container.mux(packet)
        container.mux(stream.encode())
    return path


def records(output: bytes, kind: str = "detection") -> list[dict]:
    return [record for record in map(json.loads, output.splitlines()) if record["type"] == kind]


def test_motion_needs_nothing_but_the_clip(vtk, clip: Path, tmp_path: Path) -> None:
    result = vtk("detect", clip, "--model", "motion", VTK_HOME=str(tmp_path), VTK_MIRROR="", VTK_OFFLINE="1")
    assert result.returncode == 0, result.stderr.decode()
    found = records(result.stdout)
    assert [record["frame"] for record in found] == list(range(10, 30))
    for record in found:
        left = 40 + 4 * record["frame"]
        # 8 pixels: compression blurs the edge, and pieces nearer than that are closed into one.
        np.testing.assert_allclose(record["xyxy"], [left, 80, left + 40, 120], atol=8)
        assert (record["label"], record["class_id"], record["by"]) == ("motion", 0, "detect/motion")
        assert record["t"] == pytest.approx(record["frame"] / 25)
    assert vtk("validate", stdin=result.stdout).returncode == 0


def test_people_of_vtest(vtk, shared: Path, tmp_path: Path) -> None:
    """Frame 100 by eye: six people on the road, one far up the path; the van and the car are left out."""
    source = shared / "data" / "track" / "vtest.avi"
    run = partial(vtk, "detect", source, "--model", "yolox-nano", "--classes", "person", "--start", "10", "--limit",
                  "4", "--min-score", "0.5", VTK_HOME=str(tmp_path))
    result = run()
    assert result.returncode == 0, result.stderr.decode()
    found = records(result.stdout)
    assert {record["label"] for record in found} == {"person"}
    assert {record["frame"] for record in found} == {100, 101, 102, 103}
    first = [record for record in found if record["frame"] == 100]
    scores = [record["score"] for record in first]
    assert len(first) >= 6 and scores == sorted(scores, reverse=True) and min(scores) >= 0.5
    np.testing.assert_allclose(first[0]["xyxy"], [347, 198, 379, 274], atol=6)
    assert run().stdout == result.stdout, "the same input gives other bytes"
    assert run().stderr == b""
    (end,) = records(result.stdout, "end")
    assert end["status"] == "ok" and end["frames"]["processed"] == 4 and end["records"] == len(found)


def test_every_and_step(vtk, clip: Path) -> None:
    result = vtk("detect", clip, "--model", "motion", "--every", "3")
    assert {(record["frame"] % 3, record.get("step")) for record in records(result.stdout)} == {(0, 3)}


def test_no_torch_no_network(shared: Path, clip: Path, tmp_path: Path) -> None:
    code = """
import socket, sys
def refuse(*args, **kwargs): raise SystemExit(f"a socket was used: {args}")
for name in ("connect", "connect_ex", "sendto"): setattr(socket.socket, name, refuse)
socket.getaddrinfo = refuse
import atexit
heavy = ("torch", "ultralytics", "timm")
atexit.register(lambda: print("MODULES", [name for name in heavy if name in sys.modules], file=sys.stderr))
from vtk.cli import main
main()
"""
    env = {**os.environ, "VTK_HOME": str(tmp_path), "VTK_OFFLINE": "1"}
    result = subprocess.run([sys.executable, "-c", code, "detect", str(clip), "--model", "yolox-nano"],
                            capture_output=True, env=env, check=False)
    assert (result.returncode, result.stderr) == (0, b"MODULES []\n")


def test_default_offline_says_what_is_at_hand(vtk, shared: Path, clip: Path, tmp_path: Path) -> None:
    result = vtk("detect", clip, "--offline", VTK_HOME=str(tmp_path), VTK_MIRROR=str(shared / "models"))
    assert (result.returncode, result.stdout) == (2, b"")
    line = result.stderr.decode()
    assert line.count("\n") == 1 and "yolo11n.pt, 5.6 MB" in line and "vtk models pull yolo11n" in line
    assert "at hand: yolox-nano, pedestrian-adas, motion" in line


@pytest.mark.parametrize("options, words", [
    (["--model", "yolo"], "no detect model 'yolo': did you mean 'yolo11n'"),
    (["--model", "motion", "--min-score", "2"], "--min-score 2: expected a number from 0 to 1"),
    (["--model", "motion", "--classes", "person"], "no class 'person'"),
    (["--model", "motion", "--precision", "int8"], "--precision int8: expected one of"),
    (["--weights", "absent.onnx"], "--weights absent.onnx: found nothing there"),
    (["--model", "notes.pt"], "--weights notes.pt: found nothing there"),
])
def test_usage_errors(vtk, clip: Path, options: list[str], words: str) -> None:
    result = vtk("detect", clip, *options)
    assert result.returncode == 2 and result.stdout == b"" and words in result.stderr.decode()


def test_wrong_hash(vtk, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "yolox_nano.onnx").write_bytes(b"not it")
    result = vtk("detect", clip, "--model", "yolox-nano", VTK_MIRROR=str(tmp_path), VTK_HOME=str(tmp_path / "home"))
    assert result.returncode == 2 and result.stderr.count(b"\n") == 1 and b"its sha256 is" in result.stderr


def test_stage_travels_to_other_processes(shared: Path) -> None:
    stage = DetectStage("yolox-nano", classes=("person",), runtime=RuntimeOptions("cpu", "fp32"))
    stage.prepare()
    options = stage.options()
    other = pickle.loads(pickle.dumps(stage))
    assert other.options() == options and options["sha256"].startswith("e8af0749") and options["precision"] == "fp32"
    assert json.loads(json.dumps(options)) == options and None not in options.values()


def test_stage_checks_before_it_reads() -> None:
    with pytest.raises(UsageError, match="no detect model"):
        DetectStage("absent")
    assert DetectStage("yolo11n", weights=Path("runs/best.onnx")).by == "detect/best"
