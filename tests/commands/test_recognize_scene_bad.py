"""``vtk recognize-scene`` on sources that are small, odd, damaged or far too large."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import pytest
from coloured import PLACES, Coloured, film, shown
from PIL import Image
from said import streamer

from vtk.records import Record
from vtk.scenes import scene_models

Run = Callable[..., tuple[int, list[Record], str]]


@pytest.fixture
def run(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the command with a model that knows colours."""
    monkeypatch.setattr(scene_models, "load_classifier", lambda *given, **options: Coloured())
    return streamer(capfdbinary, monkeypatch, "recognize-scene")


def scenes(records: list[Record]) -> list[Record]:
    return [record for record in records if record["type"] == "scene"]


def bad(name: str, folder: Path) -> Path:
    """Write a source that is hard to look at, and return it."""
    path = folder / name
    if name == "dot.png":
        Image.new("RGB", (1, 1), (40, 190, 60)).save(path)
    elif name == "thin.png":
        Image.new("RGB", (30000, 1), (40, 190, 60)).save(path)
    elif name == "turning.gif":
        frames = [Image.fromarray(shown(label, seed, 40, 40)) for label in PLACES[:2] for seed in [1] * 12]
        frames[0].save(path, save_all=True, append_images=frames[1:], duration=100)
    elif name == "one.mp4":
        film(path, ("beach", 1))
    elif name == "three.mp4":
        film(path, ("beach", 3), ("street", 3))
    elif name == "cut.mp4":
        film(path, ("beach", 30), ("street", 30))
        with av.open(path) as container:  # where the packets lie
            packets = [packet for packet in container.demux(video=0) if packet.size]
        data, begin = bytearray(path.read_bytes()), packets[10].pos
        data[begin : packets[20].pos] = bytes(packets[20].pos - begin)
        path.write_bytes(data)
    else:
        path.write_text("no film")
    return path


@pytest.mark.parametrize(("name", "labels"), [
    ("dot.png", ["beach"]), ("thin.png", ["beach"]), ("turning.gif", ["kitchen", "beach"]), ("one.mp4", ["beach"]),
    ("three.mp4", ["beach", "street"]),
])
def test_small_and_odd_sources_are_looked_at(run: Run, tmp_path: Path, name: str, labels: list[str]) -> None:
    code, records, said = run(bad(name, tmp_path), "--model", "imagenet")
    assert (code, said) == (0, "")
    found = scenes(records)
    assert [each["label"] for each in found] == labels
    assert all(each["end"] >= each["start"] and each["end_frame"] > each["start_frame"] for each in found)
    assert all(one["end"] == other["start"] for one, other in pairwise(found))
    assert found[0]["end"] > 0 or name.endswith("png")


def test_damaged_and_other_files_do_not_stop_the_rest(run: Run, tmp_path: Path) -> None:
    whole = film(tmp_path / "film.mp4", *((place, 10) for place in PLACES))
    code, records, said = run(bad("none.mp4", tmp_path), bad("cut.mp4", tmp_path), whole, "--model", "imagenet")
    assert code == 1
    ends = {Path(record["source"]).name: record["status"] for record in records if record["type"] == "end"}
    assert ends["none.mp4"] == "failed" and ends["film.mp4"] == "ok"
    assert ends["cut.mp4"] == "partial", "what can be had of a damaged film is looked at"
    assert [each["label"] for each in scenes(records) if "cut" in each["source"]][-1] == "street"
    assert len([each for each in scenes(records) if each["source"] == str(whole)]) == 3
    assert "Traceback" not in said


def test_a_panorama_of_500_megapixels_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    head = (50_000).to_bytes(4, "big") + (10_000).to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    rows = zlib.compress(bytes(50_001) * 100)  # of one grey, and fewer rows than it says: it is refused by its head
    (tmp_path / "wide.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows)
                                        + chunk(b"IEND", b""))
    code, records, said = run(tmp_path / "wide.png", "--model", "imagenet")
    assert code == 3 and said.count("\n") == 1 and "too large for an image" in said
    assert [record["error"]["code"] for record in records if record["type"] == "error"] == ["E_OPEN"]
