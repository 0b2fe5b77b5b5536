"""``vtk models``: list, pull, path, verify."""

from __future__ import annotations

import json
from pathlib import Path

from vtk.models import zoo


def test_list(vtk, tmp_path: Path, shared: Path) -> None:
    out = vtk("models", "list", VTK_HOME=str(tmp_path), VTK_MIRROR=str(shared / "models")).stdout.decode()
    rows = {line.split()[0]: line for line in out.splitlines()}
    assert set(rows) == {"NAME", *zoo.MODELS}
    assert rows["yolox-nano"].endswith("mirror") and rows["motion"].endswith("needs none")
    assert rows["yolo11n"].endswith("-") and "(experimental)" in rows["yolov8n-int8"]


def test_list_commercial_as_json(vtk, tmp_path: Path) -> None:
    out = vtk("models", "list", "--commercial", "--json", VTK_HOME=str(tmp_path)).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    assert {row["name"] for row in rows} == {model.name for model in zoo.MODELS.values() if model.commercial}
    assert all("AGPL" not in row["licence"] for row in rows)
    assert next(row for row in rows if row["name"] == "yolox-tiny")["files"][0]["sha256"].startswith("427cc366")


def test_path(vtk, tmp_path: Path, shared: Path) -> None:
    env = {"VTK_HOME": str(tmp_path), "VTK_MIRROR": str(shared / "models")}
    files = vtk("models", "path", "pedestrian-adas", **env).stdout.decode().split()
    assert [Path(file).suffix for file in files] == [".xml", ".bin"] and all(Path(file).is_file() for file in files)
    missing = vtk("models", "path", "yolo11n", **env)
    assert missing.returncode == 2 and b"vtk models pull yolo11n brings it" in missing.stderr


def test_pull_offline_says_what_brings_it(vtk, tmp_path: Path) -> None:
    result = vtk("models", "pull", "yolo11n", VTK_HOME=str(tmp_path), VTK_MIRROR="", VTK_OFFLINE="1")
    assert result.returncode == 2 and result.stdout == b""
    assert result.stderr.count(b"\n") == 1 and b"yolo11n.pt, 5.6 MB" in result.stderr


def test_pull_what_is_at_hand_and_what_needs_nothing(vtk, tmp_path: Path, shared: Path) -> None:
    result = vtk("models", "pull", "yolox-nano", "motion", "--offline", VTK_HOME=str(tmp_path),
                 VTK_MIRROR=str(shared / "models"))
    lines = result.stdout.decode().splitlines()
    assert lines[0].startswith("yolox-nano: ") and lines[1] == "motion: needs no weights"


def test_verify_finds_a_changed_file(vtk, tmp_path: Path, shared: Path) -> None:
    """The stamp of an earlier check does not hide what changed since."""
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    name = "yolox_nano.onnx"
    (mirror / name).write_bytes((shared / "models" / name).read_bytes())
    env = {"VTK_HOME": str(tmp_path / "home"), "VTK_MIRROR": str(mirror)}
    good = vtk("models", "verify", **env)
    assert (good.returncode, good.stdout.split()[:2]) == (0, [b"ok", name.encode()])
    with open(mirror / name, "r+b") as stream:
        stream.write(b"x")
    bad = vtk("models", "verify", "yolox-nano", **env)
    assert (bad.returncode, bad.stdout.split()[:2]) == (1, [b"WRONG", name.encode()])
    assert vtk("models", "verify", "yolox-tiny", **env).stdout.startswith(b"missing")


def test_unknown_name(vtk) -> None:
    result = vtk("models", "path", "yolo11z")
    assert result.returncode == 2 and b"did you mean 'yolo11" in result.stderr
