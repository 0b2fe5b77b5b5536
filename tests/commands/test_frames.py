"""``vtk frames``: the right frames as image files."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cards import encode, number_on
from conftest import Vtk


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of 40 frames at 25 a second that show their numbers."""
    return encode(tmp_path_factory.mktemp("frames") / "cards.mp4", 40)


def written(folder: Path) -> dict[str, int]:
    """Return relative path → the number that the image shows."""
    return {os.fspath(path.relative_to(folder)): number_on(np.asarray(Image.open(path).convert("RGB")))
            for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize(("options", "expected"), [
    (("--every", "10"), [0, 10, 20, 30]),
    (("--fps", "5"), [0, 5, 10, 15, 20, 25, 30, 35]),
    (("--at", "0,0.41,1.5"), [0, 11, 38]),
    (("--at", "1.5, 0.41"), [11, 38]),
    (("--start", "0.4", "--end", "0.52"), [10, 11, 12]),
    (("--every", "7", "--limit", "3"), [0, 7, 14]),
])
def test_the_frames_asked_for(vtk: Vtk, cards: Path, tmp_path: Path, options: tuple[str, ...],
                              expected: list[int]) -> None:
    result = vtk("frames", "cards.mp4", "-o", tmp_path / "out", *options, cwd=cards.parent)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
    assert written(tmp_path / "out") == {f"cards.mp4/{number:06d}.jpg": number for number in expected}


@pytest.mark.parametrize("kind", ["jpg", "png", "webp"])
def test_formats_and_size(vtk: Vtk, cards: Path, tmp_path: Path, kind: str) -> None:
    result = vtk("frames", "cards.mp4", "-o", tmp_path, "--limit", "2", "--format", kind, "--size", "64",
                 cwd=cards.parent)
    assert result.returncode == 0, result.stderr.decode()
    assert written(tmp_path) == {f"cards.mp4/00000{number}.{kind}": number for number in range(2)}
    image = Image.open(tmp_path / "cards.mp4" / f"000000.{kind}")
    assert image.size == (64, 48)
    assert image.format == {"jpg": "JPEG", "png": "PNG", "webp": "WEBP"}[kind]


def test_the_frames_of_records_and_tee(vtk: Vtk, cards: Path, tmp_path: Path) -> None:
    """With records on stdin: the frames that have them, once each, and the records go through unchanged."""
    lines = b"".join(json.dumps({
        "v": 1, "type": "detection", "by": "test", "source": "cards.mp4", "frame": frame, "t": frame / 25,
        "xyxy": [1, 2, 30, 40], "score": 0.5, "label": "card", "class_id": 0}).encode() + b"\n"
        for frame in (3, 3, 17, 39))
    result = vtk("frames", "-o", tmp_path, "--tee", stdin=lines, cwd=cards.parent)
    assert result.returncode == 0, result.stderr.decode()
    passed = [line for line in result.stdout.splitlines() if json.loads(line)["type"] == "detection"]
    assert passed == lines.splitlines()
    assert written(tmp_path) == {f"cards.mp4/{number:06d}.jpg": number for number in (3, 17, 39)}


def test_images_are_not_replaced_unasked(vtk: Vtk, cards: Path, tmp_path: Path) -> None:
    ask = ("frames", "cards.mp4", "-o", tmp_path, "--limit", "1")
    assert vtk(*ask, cwd=cards.parent).returncode == 0
    again = vtk(*ask, cwd=cards.parent)
    assert again.returncode == 3
    assert b"000000.jpg exists: --overwrite replaces it" in again.stderr and again.stderr.count(b"\n") == 1
    assert vtk(*ask, "--overwrite", cwd=cards.parent).returncode == 0


@pytest.mark.parametrize(("options", "message"), [
    (("--at", "1,x"), b"--at is '1,x': seconds"), (("--at", "-1"), b"--at has -1: seconds from the first frame"),
    (("--format", "gif"), b"--format is 'gif'"), (("--quality", "0"), b"--quality is 0"),
    (("--at", "1", "--every", "2"), b"give one of them")])
def test_bad_options_are_one_line(vtk: Vtk, cards: Path, tmp_path: Path, options: tuple[str, ...],
                                  message: bytes) -> None:
    result = vtk("frames", cards, "-o", tmp_path / "out", *options)
    assert result.returncode == 2 and message in result.stderr and result.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()
