"""``vtk crop``: the right pixels under the right names, and what is wrong in one line."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from called import caller
from PIL import Image

from conftest import Vtk
from vtk.media.writer import VideoWriter

WIDTH, HEIGHT, COUNT = 160, 120, 30
RED, GREEN, BLUE = (220, 30, 30), (30, 200, 30), (40, 60, 230)


def clip(path: Path, *colours: tuple[int, int, int]) -> None:
    """Write a clip of 3 s in which boxes of ``colours`` stand side by side, each 30 × 60 pixels, on grey."""
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for place, colour in enumerate(colours):
        image[30:90, 10 + 50 * place : 40 + 50 * place] = colour
    with VideoWriter(path, WIDTH, HEIGHT, 10) as writer:
        for index in range(COUNT):
            writer.write(image, index / 10)


def tracks(source: str, count: int, **keys: object) -> list[dict[str, object]]:
    """Return the records of a clip's boxes, track 1 the first."""
    return [{"v": 1, "type": "track", "by": "track/x", "source": source, "frame": frame, "t": frame / 10,
             "xyxy": [10 + 50 * place, 30, 40 + 50 * place, 90], "score": 0.9, "label": "person",
             "track_id": place + 1, **keys} for frame in range(COUNT) for place in range(count)]


def detections(source: str, count: int, **keys: object) -> list[dict[str, object]]:
    """Return the same as detections."""
    return [{key: value for key, value in record.items() if key != "track_id"} | {"type": "detection", "by": "d"} | keys
            for record in tracks(source, count)]


def lines(*records: dict[str, object]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def manifest(folder: Path) -> list[dict[str, object]]:
    """Return the rows, once it is sure that they are of all the files that there are."""
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_bytes().splitlines()]
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert found - {"manifest.jsonl", "labels.csv"} == {row["file"] for row in rows}
    assert len({row["file"] for row in rows}) == len(rows)
    return rows


def colour_of(path: Path) -> tuple[int, int, int]:
    """Return which of the three colours a crop's middle has."""
    image = np.asarray(Image.open(path).convert("RGB")).astype(int)
    middle = image[image.shape[0] // 2, image.shape[1] // 2]
    return min((RED, GREEN, BLUE), key=lambda colour: np.abs(middle - colour).sum())


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return what runs ``vtk`` in this process."""
    return caller(capfdbinary, monkeypatch)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a.mp4, of red and green, and b.mp4, of blue and red."""
    folder = tmp_path_factory.mktemp("place")
    clip(folder / "a.mp4", RED, GREEN)
    (folder / "films").mkdir()
    clip(folder / "films" / "a.mp4", BLUE, RED)
    return folder


def test_each_box_is_a_picture_in_the_folder_of_its_label(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    stream = lines(*detections("a.mp4", 1), *detections("films/a.mp4", 1, label="car"))
    found = vtk("crop", "-o", tmp_path / "out", "--tee", "--csv", stdin=stream, cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    assert [line for line in found.stdout.splitlines() if b'"by": "d"' in line] == stream.splitlines(), "records pass"
    rows = manifest(tmp_path / "out")
    assert [row["file"] for row in rows[::COUNT]] == ["person/a.mp4-000000-0.jpg", "car/films+a.mp4-000000-0.jpg"]
    assert len(rows) == 2 * COUNT
    assert rows[3] == {"file": "person/a.mp4-000003-0.jpg", "group": "person", "source": "a.mp4", "frame": 3, "t": 0.3,
                       "type": "detection", "xyxy": [10, 30, 40, 90], "label": "person", "score": 0.9,
                       "window": [10, 30, 40, 90], "width": 30, "height": 60}
    for row in rows:
        path = tmp_path / "out" / str(row["file"])
        assert Image.open(path).size == (30, 60)
        assert colour_of(path) == (RED if row["source"] == "a.mp4" else BLUE)
    table = list(csv.DictReader((tmp_path / "out" / "labels.csv").open()))
    assert [(row["file"], row["label"], row["source"]) for row in table] == [
        (row["file"], row["label"], row["source"]) for row in rows]


def test_the_folders_are_an_image_folder(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    from torchvision.datasets import ImageFolder

    stream = lines(*(record for each in zip(*[detections("a.mp4", 2)[place::2] for place in (0, 1)], strict=True)
                     for record in (each[0], each[1] | {"label": "../traffic/light"})))
    assert vtk("crop", "-o", tmp_path / "out", "--per-folder", "4", "--csv", stdin=stream, cwd=place).returncode == 0
    data = ImageFolder(str(tmp_path / "out"))
    assert data.classes == ["%2E.+traffic+light", "person"] and len(data) == 8
    assert [int(np.asarray(image)[30, 15].argmax()) for image, _ in data] == [1] * 4 + [0] * 4
    assert not (tmp_path / "traffic").exists()
    from vtk.heads.labelled import read_labelled

    assert {each.label for each in read_labelled(tmp_path / "out")} == {"../traffic/light", "person"}


def test_of_a_track_the_best_are_kept(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    records = [record | {"score": 0.99 if record["frame"] in (4, 17, 28) else 0.5} for record in tracks("a.mp4", 2)]
    out = tmp_path / "out"
    assert vtk("crop", "-o", out, "--per-track", "3", "--by", "track", stdin=lines(*records), cwd=place).returncode == 0
    rows = manifest(out)
    assert [(row["group"], row["frame"]) for row in rows] == [
        (f"a.mp4-{track}", frame) for track in (1, 2) for frame in (4, 17, 28)]
    assert [colour_of(out / str(row["file"])) for row in rows] == [RED] * 3 + [GREEN] * 3
    found = vtk("crop", "-o", out, "--apart", "1", "--overwrite", stdin=lines(*records), cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    assert [(row["track_id"], row["frame"]) for row in manifest(out)] == [
        (track, frame) for frame in (0, 10, 20) for track in (1, 2)]
    assert not (out / "a.mp4-1").exists(), "what the earlier run wrote is gone"


def test_identities_of_several_sources_share_a_folder(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    run = {"v": 1, "type": "run", "by": "reid/x", "late": ["identity"]}
    names = [{"v": 1, "type": "identity", "by": "reid/x", "source": source, "track_id": track, "identity": who,
              "score": 1.0} for source, track, who in (("a.mp4", 1, "Ann"), ("films/a.mp4", 2, "Ann"),
                                                       ("films/a.mp4", 1, 7))]
    stream = lines(run, *tracks("a.mp4", 2), *tracks("films/a.mp4", 2), *names, {**run, "status": "ok", "records": 3})
    ask = ("crop", "-o", tmp_path / "out", "--by", "identity", "--per-track", "2")
    found = vtk(*ask, stdin=stream, cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    rows = manifest(tmp_path / "out")
    assert {(row["identity"], row["source"], row["track_id"]) for row in rows} == {
        ("Ann", "a.mp4", 1), ("Ann", "films/a.mp4", 2), (7, "films/a.mp4", 1)}
    assert {path.name for path in (tmp_path / "out").iterdir() if path.is_dir()} == {"Ann", "7"}
    assert {colour_of(tmp_path / "out" / str(row["file"])) for row in rows if row["identity"] == "Ann"} == {RED}
    found = vtk(*ask, "--overwrite", stdin=lines(*tracks("a.mp4", 2)), cwd=place)
    assert found.returncode == 1
    assert b"none of 60 boxes has an identity: vtk reid gives them" in found.stderr and found.stderr.count(b"\n") == 1


def test_a_box_of_several_types_is_cropped_once(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    merged = [record for pair in zip(detections("a.mp4", 1), tracks("a.mp4", 1, xyxy=[11, 30, 41, 90]), strict=True)
              for record in pair]
    out = tmp_path / "out"
    assert vtk("crop", "-o", out, stdin=lines(*merged), cwd=place).returncode == 0
    assert {row["type"] for row in manifest(out)} == {"track"} and len(manifest(out)) == COUNT
    assert vtk("crop", "-o", out, "--overwrite", "--types", "detection", stdin=lines(*merged), cwd=place).returncode == 0
    assert [row["type"] for row in manifest(out)] == ["detection"] * COUNT
    both = [detections("a.mp4", 1)[0], {**detections("a.mp4", 1)[0], "type": "species", "topk": [
        {"label": "Parus major", "score": 0.5}]}, {**detections("a.mp4", 2)[1], "frame": 0, "t": 0}]
    del both[1]["label"]
    assert vtk("crop", "-o", out, "--overwrite", stdin=lines(*both), cwd=place).returncode == 0
    assert [(row["type"], row["label"]) for row in manifest(out)] == [("species", "Parus major"),
                                                                      ("detection", "person")]


def test_species_without_a_box_are_whole_pictures(vtk: Vtk, tmp_path: Path) -> None:
    Image.new("RGB", (90, 50), RED).save(tmp_path / "a.png")
    told = {"v": 1, "type": "species", "by": "classify-species", "source": "a.png", "frame": 0, "t": 0.0,
            "topk": [{"label": "Parus major", "score": 0.4}], "label": "Parus", "score": 0.8}
    found = vtk("crop", "-o", "out", stdin=lines(told), cwd=tmp_path)
    assert (found.returncode, found.stderr) == (0, b"")
    [row] = manifest(tmp_path / "out")
    assert (row["file"], row["xyxy"]) == ("Parus/a.png-000000-0.jpg", [0, 0, 90, 50])
    assert Image.open(tmp_path / "out" / str(row["file"])).size == (90, 50)


@pytest.mark.parametrize(("options", "count"), [
    (("--classes", "person"), COUNT), (("--classes", "car,bus"), 0), (("--min-score", "0.95"), 0),
    (("--min-size", "30"), COUNT), (("--min-size", "31"), 0), (("--every", "10"), 3), (("--end", "1"), 10)])
def test_what_is_asked_for_is_cropped(vtk: Vtk, place: Path, tmp_path: Path, options: tuple[str, ...],
                                      count: int) -> None:
    found = vtk("crop", "-o", tmp_path / "out", *options, stdin=lines(*detections("a.mp4", 1)), cwd=place)
    assert (found.returncode, found.stderr) == (0, b"")
    assert len(manifest(tmp_path / "out")) == count


def test_sizes_and_formats(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    stream = lines(*detections("a.mp4", 1)[:1])
    for number, (options, size) in enumerate((
            (("--margin", "0.5"), (55, 120)), (("--square",), (60, 60)), (("--size", "20"), (10, 20)),
            (("--size", "20", "--fit", "pad", "--format", "png"), (20, 20)), (("--format", "webp"), (30, 60)))):
        out = tmp_path / str(number)
        assert vtk("crop", "-o", out, "--by", "none", *options, stdin=stream, cwd=place).returncode == 0
        [row] = manifest(out)
        assert Image.open(out / str(row["file"])).size == size == (row["width"], row["height"])


def test_a_bad_source_does_not_stop_the_others(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_text("none")
    os.symlink(place / "a.mp4", tmp_path / "good.mp4")
    stream = lines(*detections("gone.mp4", 1), *detections("broken.mp4", 1),
                   *[record | {"xyxy": [500, 500, 540, 540]} for record in detections("good.mp4", 1)[:1]],
                   *detections("good.mp4", 1)[1:3])
    found = vtk("crop", "-o", "out", stdin=stream, cwd=tmp_path)
    assert found.returncode == 1 and found.stderr.count(b"\n") == 2
    assert b"gone.mp4" in found.stderr and b"broken.mp4" in found.stderr
    assert [row["file"] for row in manifest(tmp_path / "out")] == [f"person/good.mp4-00000{frame}-0.jpg"
                                                                  for frame in (1, 2)]


def test_nothing_is_replaced_unasked(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    out, stream = tmp_path / "out", lines(*detections("a.mp4", 1)[:3])
    assert vtk("crop", "-o", out, stdin=stream, cwd=place).returncode == 0
    (out / "person" / "mine.txt").write_text("kept")
    found = vtk("crop", "-o", out, stdin=stream, cwd=place)
    assert found.returncode == 3 and b"has crops of a.mp4 already: --overwrite replaces them" in found.stderr
    assert found.stderr.count(b"\n") == 1
    named = vtk("pipe", f"detect --model motion | crop -o {out}", "a.mp4", "films/a.mp4", cwd=place)
    assert named.returncode == 2 and b"has crops of a.mp4 already" in named.stderr, "before any work"
    other = lines(*detections("a.mp4", 1, label="car")[:1])
    assert vtk("crop", "-o", out, "--overwrite", stdin=other, cwd=place).returncode == 0
    assert [path.name for path in (out / "person").iterdir()] == ["mine.txt"], "what it did not write stays"
    (out / "person" / "mine.txt").unlink()
    assert [row["file"] for row in manifest(out)] == ["car/a.mp4-000000-0.jpg"]
    plain = tmp_path / "plain" / "person"
    plain.mkdir(parents=True)
    (plain / "a.mp4-000000-0.jpg").write_text("somebody's")
    found = vtk("crop", "-o", plain.parent, stdin=stream, cwd=place)
    assert found.returncode == 3 and b"a.mp4-000000-0.jpg exists: --overwrite replaces it" in found.stderr
    assert (plain / "a.mp4-000000-0.jpg").read_text() == "somebody's"


def test_a_folder_grows_by_sources(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    out, first = tmp_path / "out", lines(*detections("a.mp4", 1)[:2])
    assert vtk("crop", "-o", out, "--csv", stdin=first, cwd=place).returncode == 0
    assert vtk("crop", "-o", out, stdin=lines(*detections("films/a.mp4", 1)[:2]), cwd=place).returncode == 0
    files = [f"person/{name}-00000{frame}-0.jpg" for name in ("a.mp4", "films+a.mp4") for frame in (0, 1)]
    assert [row["file"] for row in manifest(out)] == files
    assert [row["file"] for row in csv.DictReader((out / "labels.csv").open())] == files, "it goes on with the table"
    again = lines(*detections("a.mp4", 1, label="car")[1:2], *detections("gone.mp4", 1))
    assert vtk("crop", "-o", out, "--overwrite", stdin=again, cwd=place).returncode == 1
    assert [row["file"] for row in manifest(out)] == [*files[2:], "car/a.mp4-000001-0.jpg"]


def test_crops_of_a_source_that_fails_now_stay(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    out, stream = tmp_path / "out", lines(*detections("a.mp4", 1)[:2])
    assert vtk("crop", "-o", out, stdin=stream, cwd=place).returncode == 0
    assert vtk("crop", "-o", out, "--overwrite", stdin=stream, cwd=tmp_path).returncode == 3, "it is not there"
    assert len(manifest(out)) == 2
    found = vtk("detect", "--model", "motion", "a.mp4", cwd=tmp_path)
    assert b'"status":"failed"' in found.stdout
    assert vtk("crop", "-o", out, "--overwrite", stdin=found.stdout, cwd=tmp_path).returncode != 0
    assert len(manifest(out)) == 2, "that nothing came says nothing"
    beyond = lines(*[detections("a.mp4", 1, label="car")[0], *detections("a.mp4", 1, frame=999, t=99.9, label="car")[:1]])
    broken = lines(*[record | {"score": "high"} for record in detections("a.mp4", 1)[:1]])
    assert vtk("crop", "-o", out, "--overwrite", stdin=broken + beyond, cwd=place).returncode == 1
    assert "car/a.mp4-000000-0.jpg" in [row["file"] for row in manifest(out)]


def test_a_run_that_broke_off_is_known_to_the_next(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim-000000-0.jpg"
    (out / "cat").mkdir(parents=True)
    for name in ("a.mp4", "b"):
        (out / "cat" / f"{name}-000000-0.jpg").write_text("left")
    victim.write_text("outside")
    rows = [{"file": "cat/a.mp4-000000-0.jpg", "source": "a.mp4"}, {"file": "cat/b-000000-0.jpg", "source": "b"},
            {"file": "../victim-000000-0.jpg", "source": "a.mp4"}, {"file": 3}, [1]]
    (out / "manifest.jsonl.part").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"fi')
    stream = lines(*detections("a.mp4", 1)[:1])
    found = vtk("crop", "-o", out, stdin=stream, cwd=place)
    assert found.returncode == 2 and b"is of a run that broke off, or is still at work: --overwrite" in found.stderr
    assert vtk("crop", "-o", out, "--overwrite", stdin=stream, cwd=place).returncode == 0
    assert [row["file"] for row in manifest(out)] == ["cat/b-000000-0.jpg", "person/a.mp4-000000-0.jpg"]
    assert victim.exists() and not (out / "manifest.jsonl.part").exists()


def test_in_a_pipe_the_same_crops_come(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    whole = vtk("pipe", f"detect --model motion | crop -o {tmp_path / 'pipe'} --tee", "a.mp4", cwd=place)
    assert whole.returncode == 0, whole.stderr.decode()
    found = vtk("detect", "--model", "motion", "a.mp4", cwd=place)
    alone = vtk("crop", "-o", tmp_path / "alone", "--tee", stdin=found.stdout, cwd=place)
    assert alone.stdout == whole.stdout
    assert (tmp_path / "pipe" / "manifest.jsonl").read_bytes() == (tmp_path / "alone" / "manifest.jsonl").read_bytes()
    refused = vtk("pipe", f"detect --model motion | crop -o {tmp_path / 'jobs'}", "--jobs", "2", "a.mp4", cwd=place)
    assert refused.returncode == 2 and b"its manifest is of all sources" in refused.stderr


def test_who_is_who_is_waited_for_in_a_pipe_too(vtk: Vtk, place: Path, tmp_path: Path, clip: Path) -> None:
    (tmp_path / "a.mp4").symlink_to(clip)
    stages = (("track", "--detector", "motion"), ("reid", "--model", "colour", "--threshold", "0.9", "--classes", "motion"))
    crop = ("crop", "--by", "identity", "--per-track", "2", "-o")
    stream = b""
    for number, words in enumerate(stages):
        stream = vtk(*words, *(() if number else ("a.mp4",)), stdin=stream, cwd=tmp_path).stdout
    assert vtk(*crop, "shell", stdin=stream, cwd=tmp_path).returncode == 0
    text = " | ".join(" ".join(words) for words in (*stages, (*crop, "pipe")))
    assert vtk("pipe", text, "a.mp4", cwd=tmp_path).returncode == 0
    assert manifest(tmp_path / "shell") == manifest(tmp_path / "pipe") and manifest(tmp_path / "pipe")


@pytest.mark.parametrize(("options", "message"), [
    (("--by", "a b"), "--by 'a b': one of label, track"), (("--types", "scene"), "'scene' records have no boxes"),
    (("--format", "gif"), "--format is 'gif': it is one of jpg"), (("--fit", "wide"), "--fit is 'wide'"),
    (("--margin", "-1"), "--margin is -1: a number from 0 to 10"), (("--size", "0"), "--size is 0"),
    (("--quality", "101"), "--quality is 101"), (("--min-score", "2"), "--min-score is 2"),
    (("--apart", "nan"), "--apart is nan")])
def test_options_out_of_range_are_one_line(vtk: Vtk, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    found = vtk("crop", "-o", tmp_path / "out", *options)
    assert found.returncode == 2 and message in found.stderr.decode() and found.stderr.count(b"\n") == 1
    assert not (tmp_path / "out").exists()


def test_keys_that_boxes_lack_are_said(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    for options, message in ((("--by", "mood"), b"none of 30 boxes has a 'mood' that is a name or a number"),
                             (("--by", "track"), b"none of 30 boxes has a track_id: vtk track follows them"),
                             (("--per-track", "2"), b"none of 30 boxes has a track_id: vtk track follows them")):
        found = vtk("crop", "-o", tmp_path / "out", "--overwrite", *options, stdin=lines(*detections("a.mp4", 1)),
                    cwd=place)
        assert found.returncode == 1 and message in found.stderr and found.stderr.count(b"\n") == 1


def test_an_image_that_cannot_be_written_is_one_line(vtk: Vtk, place: Path, tmp_path: Path) -> None:
    (tmp_path / "person").write_text("a file where a folder belongs")
    found = vtk("crop", "-o", tmp_path, stdin=lines(*detections("a.mp4", 1)), cwd=place)
    assert found.returncode == 3 and b"cannot write" in found.stderr and found.stderr.count(b"\n") == 1
    found = vtk("crop", "-o", tmp_path / "person", stdin=b"")
    assert found.returncode == 2 and b"person: it is no folder" in found.stderr


def test_a_full_disk_is_one_line_a_source(vtk: Vtk, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows go to a device that takes none, as a full disk does."""
    real = open

    def full(path: object, mode: str = "r", **given: object) -> object:
        return real("/dev/full" if str(path).endswith(".jsonl.part") and mode == "ab" else path, mode, **given)

    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    monkeypatch.setattr("vtk.cropping.manifest.open", full, raising=False)
    found = vtk("crop", "-o", tmp_path / "out", stdin=lines(*detections("a.mp4", 1)), cwd=place)
    assert found.returncode and b"internal error" not in found.stderr and b"E_INTERNAL" not in found.stderr
    assert b"manifest.jsonl: No space left on device [E_WRITE]" in found.stderr and found.stderr.count(b"\n") == 2


def test_people_of_a_real_clip_are_cropped(vtk: Vtk, shared: Path, tmp_path: Path) -> None:
    """The ground truth's boxes of PETS09-S2L1: each crop has its box's proportions, and none is empty."""
    folder = shared / "data" / "track"
    truth = next((folder / "PETS09-S2L1").rglob("gt.txt"))
    boxes = vtk("import", "mot", truth, "--source", str(folder / "vtest.avi")).stdout
    some = b"".join(line + b"\n" for line in boxes.splitlines() if json.loads(line).get("frame", 999) < 40)
    assert some
    found = vtk("crop", "-o", tmp_path / "out", "--per-track", "2", "--by", "track", stdin=some)
    assert (found.returncode, found.stderr) == (0, b"")
    rows = manifest(tmp_path / "out")
    assert len(rows) == 2 * len({row["track_id"] for row in rows}) >= 8
    for row in rows:
        x1, y1, x2, y2 = row["xyxy"]  # type: ignore[misc]
        assert abs(row["width"] - (x2 - x1)) <= 1 and abs(row["height"] - (y2 - y1)) <= 1  # type: ignore[operator]
        assert np.asarray(Image.open(tmp_path / "out" / str(row["file"]))).std() > 10
