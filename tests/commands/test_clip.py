"""``vtk clip``: the right frames in the right files, sources of every kind, and what is wrong in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from called import caller
from cut_films import film, likenesses, seen

Vtk = Callable[..., "CompletedProcess[bytes]"]


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, place: Path) -> Vtk:
    run = caller(capfdbinary, monkeypatch)
    return lambda *words, **keys: run("clip", *words, **{"cwd": place, **keys})


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a film of 3 s, a key frame at every 15th of its 60 frames, with sound."""
    folder = tmp_path_factory.mktemp("films")
    film(folder / "a.mp4", sound=True, bf="2", preset="veryfast")
    return folder


@pytest.fixture
def place(films: Path, tmp_path: Path) -> Path:
    (tmp_path / "a.mp4").symlink_to(films / "a.mp4")
    return tmp_path


def told(*spans: tuple[float, float], source: str = "a.mp4", label: str = "room", **keys: object) -> bytes:
    """Return records of scenes, and the ledger."""
    records = [{"v": 1, "type": "scene", "by": "recognize-scene/x", "source": source, "start": start, "end": end,
                "label": label, "score": 0.9, **keys} for start, end in spans]
    end = {"v": 1, "type": "end", "by": "recognize-scene/x", "source": source, "status": "ok", "records": len(spans),
           "frames": {"decoded": 60, "processed": 60, "skipped": 0}, "types": ["scene"]}
    return b"".join(json.dumps(record).encode() + b"\n" for record in [*records, end])


def rows(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "clips.jsonl").read_bytes().splitlines()]


@pytest.mark.parametrize(("how", "head"), [("smart", 0.0), ("exact", 0.0), ("copy", 0.25)])
def test_each_span_is_a_file_of_its_frames(how: str, head: float, vtk: Vtk, place: Path) -> None:
    given = told((1.0, 2.6), (0.0, 0.75))
    done = vtk("--out-dir", "out", "--cut", how, "--tee", stdin=given)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(given)
    folder = place / "out" / "a.mp4"
    assert sorted(path.name for path in folder.iterdir()) == [
        "000000.000-000000.750-room.mp4", "000001.000-000002.600-room.mp4", "clips.jsonl"]
    first, second = rows(folder)
    assert (first["file"], second["file"]) == ("000000.000-000000.750-room.mp4", "000001.000-000002.600-room.mp4")
    assert (second["start"], second["end"], second["shown_start"]) == (1.0, 2.6, 1.0 - head)
    start, end = float(str(second["shown_start"])), float(str(second["shown_end"]))
    found = likenesses(seen(place / "a.mp4", start, end - 1e-6), seen(folder / str(second["file"])))
    assert len(found) == second["frames"]
    assert found.count(float("inf")) == second["copied"]
    assert min(found) > 34
    if how != "copy":
        assert (second["frames"], second["shown_end"]) == (32, 2.6)
    assert (second["copied"] > 20) == (how != "exact")  # type: ignore[operator]


def test_frames_say_where_exactly(vtk: Vtk, place: Path) -> None:
    done = vtk("-o", "b.mp4", "--cut", "exact", stdin=told((1.0, 1.5), start_frame=21, end_frame=29))
    assert done.returncode == 0, done.stderr
    assert min(likenesses(seen(place / "a.mp4")[21:29], seen(place / "b.mp4"))) > 34


def test_a_span_is_said_by_hand(vtk: Vtk, place: Path) -> None:
    done = vtk("a.mp4", "--start", "0.5", "--end", "1.5", "-o", "b.mp4")
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert min(likenesses(seen(place / "a.mp4", 0.5, 1.5), seen(place / "b.mp4"))) > 34
    done = vtk("a.mp4", "--start", "2.9", "-o", "c.mp4", "--cut", "copy")
    assert done.stderr == b"vtk clip: c.mp4 begins 0.65 s before 2.9 s, at a key frame\n"
    assert len(seen(place / "c.mp4")) == 15


def test_spans_are_joined(vtk: Vtk, place: Path) -> None:
    """Of one there is something to copy, of the other not: both are encoded."""
    done = vtk("-o", "b.mp4", "--join", stdin=told((0.8, 1.0), (2.0, 2.75)))
    assert done.returncode == 0, done.stderr
    frames = seen(place / "a.mp4")
    made = seen(place / "b.mp4")
    assert len(made) == 4 + 15
    expected = [(index / 20, frames[number][1]) for index, number in enumerate([*range(16, 20), *range(40, 55)])]
    assert min(likenesses(expected, made)) > 34
    assert not [path for path in place.iterdir() if path.name.startswith(".vtk")]


def test_one_output_takes_one_span(vtk: Vtk, place: Path) -> None:
    done = vtk("-o", "b.mp4", stdin=told((0, 1), (1, 2)))
    assert done.returncode != 0
    assert b"2 spans came: --join puts them in one file" in done.stderr
    assert not (place / "b.mp4").exists()
    (place / "b.mp4").write_bytes(b"mine")
    done = vtk("-o", "b.mp4", stdin=told((0, 1)))
    assert (done.returncode, done.stderr) == (2, b"vtk: b.mp4 exists: --overwrite replaces it\n")
    assert (place / "b.mp4").read_bytes() == b"mine"
    assert vtk("-o", "b.mp4", "--overwrite", stdin=told((0, 1))).returncode == 0
    done = vtk("-o", "a.mp4", "--overwrite", stdin=told((0, 1)))
    assert done.returncode != 0 and b"is the source itself" in done.stderr


def test_a_bad_source_stops_neither_the_others_nor_other_spans(vtk: Vtk, place: Path) -> None:
    (place / "text.mp4").write_text("no video at all")
    given = told((0, 1), source="gone.mp4") + told((0, 1), source="text.mp4") + told((0, 1), source="p.png") + told(
        (0.0, 0.5), (7.0, 8.0), (1.5, 2.0))
    done = vtk("--out-dir", "out", stdin=given)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 4
    for piece in (b"gone.mp4: 0.000 to 1.000 s is not cut: cannot be opened", b"p.png: is an image",
                  b"7.000 to 8.000 s is not cut: no frame is shown"):
        assert piece in done.stderr
    assert [row["start"] for row in rows(place / "out" / "a.mp4")] == [0.0, 1.5]


def test_damage_in_a_span_is_told_of(vtk: Vtk, place: Path) -> None:
    film(place / "harmed.mkv", preset="ultrafast", bf="0")
    data = bytearray((place / "harmed.mkv").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    (place / "harmed.mkv").write_bytes(data)
    done = vtk("harmed.mkv", "--start", "0.2", "--end", "2.9", "--cut", "exact", "-o", "b.mp4")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and b"b.mp4 lacks something: " in done.stderr
    assert 20 < len(seen(place / "b.mp4")) <= 54


def test_odd_labels_and_none(vtk: Vtk, place: Path) -> None:
    assert vtk("--out-dir", "out", stdin=told()).returncode == 0
    assert not (place / "out").exists()
    done = vtk("--out-dir", "out", stdin=told((0, 0.5), label="../../x"))
    assert done.returncode == 0, done.stderr
    assert {path.relative_to(place / "out").as_posix() for path in place.rglob("*.mp4") if "out" in path.parts} == {
        "a.mp4", "a.mp4/000000.000-000000.500-______x.mp4"}


def test_usage(vtk: Vtk) -> None:
    for words, said in ((["a.mp4"], b"say where to write"),
                        (["a.mp4", "-o", "b.mp4"], b"no span of it came"),
                        (["a.mp4", "-o", "b.xyz", "--start", "1"], b"a name that ends in"),
                        (["a.mp4", "-o", "b.mp4", "--cut", "cleverly"], b"--cut is 'cleverly'"),
                        (["a.mp4", "-o", "b.mp4", "--types", "scenes"], b"--types has 'scenes'"),
                        (["a.mp4", "-o", "b.mp4", "--every", "2"], b"vtk clip cuts spans"),
                        (["a.mp4", "-o", "b.mp4", "--start", "2", "--end", "1"], b"--end 1 is not after --start 2"),
                        (["a.mp4", "-o", "no/b.mp4", "--start", "2"], b"there is no folder no")):
        done = vtk(*words)
        assert done.returncode in (2, 3) and said in done.stderr, done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_in_a_pipe(vtk: Vtk, place: Path, capfdbinary: pytest.CaptureFixture[bytes],
                   monkeypatch: pytest.MonkeyPatch) -> None:
    run = caller(capfdbinary, monkeypatch)
    done = run("pipe", "recognize-scene --shots-only | clip --out-dir out", "a.mp4", cwd=place)
    assert done.returncode == 0, done.stderr
    [row] = rows(place / "out" / "a.mp4")
    assert (row["type"], row["frames"], row["copied"]) == ("shot", 60, 60)
    made = seen(place / "out" / "a.mp4" / str(row["file"]))
    assert np.array_equal(made[-1][1], seen(place / "a.mp4")[-1][1])
