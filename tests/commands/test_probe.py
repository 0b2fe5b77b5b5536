"""``vtk probe``: what is known of media, one frame decoded to prove it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cards import cut, encode, rotate_flag
from conftest import Vtk


def records(output: bytes) -> list[dict]:
    return [json.loads(line) for line in output.splitlines()]


def test_what_it_says_of_a_clip(vtk: Vtk, tmp_path: Path) -> None:
    clip = rotate_flag(encode(tmp_path / "a.mp4", 30, fps=25), 90)
    result = vtk("probe", clip)
    assert result.returncode == 0, result.stderr.decode()
    media, end = records(result.stdout)
    assert media["type"] == "media" and media["by"] == "probe" and media["source"] == str(clip)
    assert (media["kind"], media["codec"], media["decoder"]) == ("video", "h264", "pyav")
    assert (media["width"], media["height"], media["rotation"]) == (96, 128, 90)
    assert (media["fps"], media["duration"], media["frames"]) == (25, 1.2, 30)
    assert media["size"] == clip.stat().st_size and len(media["fingerprint"]) == 16
    assert (end["type"], end["status"], end["records"]) == ("end", "ok", 0)
    assert end["frames"]["processed"] == 0
    assert vtk("validate", stdin=result.stdout).returncode == 0


def test_a_folder_with_a_broken_file(vtk: Vtk, tmp_path: Path) -> None:
    encode(tmp_path / "a.mp4", 10)
    cut(encode(tmp_path / "whole.mkv", 10), tmp_path / "b.mkv", 0.05)
    os.unlink(tmp_path / "whole.mkv")
    (tmp_path / "c.mp4").write_bytes(b"")
    result = vtk("probe", tmp_path)
    assert result.returncode == 1
    found = records(result.stdout)
    assert [(record["type"], Path(record["source"]).name) for record in found] == [
        ("media", "a.mp4"), ("end", "a.mp4"), ("error", "b.mkv"), ("end", "b.mkv"), ("error", "c.mp4"),
        ("end", "c.mp4")]
    assert found[4]["error"]["code"] == "E_EMPTY"
    assert [record["status"] for record in found if record["type"] == "end"] == ["ok", "failed", "failed"]
    assert len(result.stderr.splitlines()) == 2


def test_names_that_are_not_utf8_come_back(vtk: Vtk, tmp_path: Path) -> None:
    """The name that probe writes opens again, in the same command and in the next."""
    encode(tmp_path / "a.mp4", 5)
    name = os.fsencode(tmp_path) + b"/caf\xe9\n\".mp4"
    os.rename(tmp_path / "a.mp4", name)
    first = vtk("probe", os.fsdecode(name))
    assert first.returncode == 0, first.stderr.decode()
    source = records(first.stdout)[0]["source"]
    assert source.startswith("file:") and source.isascii()
    again = vtk("probe", source)
    assert again.stdout == first.stdout


@pytest.mark.parametrize(("decoder", "codec"), [("opencv", "h264"), ("decord", None)])
def test_other_decoders_say_who_they_are(vtk: Vtk, tmp_path: Path, decoder: str, codec: str | None) -> None:
    clip = encode(tmp_path / "a.mp4", 10)
    result = vtk("probe", clip, "--decoder", decoder)
    assert result.returncode == 0, result.stderr.decode()
    media = records(result.stdout)[0]
    assert (media["decoder"], media["width"], media["height"], media["frames"]) == (decoder, 128, 96, 10)
    assert media.get("codec") == codec


def test_real_media(vtk: Vtk, shared: Path) -> None:
    """The traps of the shared folder: a header that lies, no frame count, two video streams."""
    data = shared / "data"
    result = vtk("probe", data / "media" / "tree.avi", data / "media" / "iot_asl_bird.mkv",
                 data / "detect-copy" / "torchcodec_nasa_13013.mp4")
    assert result.returncode == 0, result.stderr.decode()
    tree, bird, nasa = (record for record in records(result.stdout) if record["type"] == "media")
    assert (tree["codec"], tree["width"], tree["height"], tree["frames"]) == ("cinepak", 320, 240, 444)
    assert (bird["width"], bird["height"]) == (640, 480) and "frames" not in bird
    assert (nasa["width"], nasa["height"], nasa["frames"]) == (480, 270, 390)  # of the two, the one ffmpeg shows
