"""``vtk export coco|cvat|labelstudio|fiftyone`` and ``vtk import coco``: boxes as data sets, and back where there is a way."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from xml.etree import ElementTree

import pytest
from called import caller
from PIL import Image

Vtk = Callable[..., "CompletedProcess[bytes]"]


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vtk:
    """Return a function that runs a command line in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return caller(capfdbinary, monkeypatch)


def media(source: str, kind: str = "video", **keys: Any) -> dict[str, Any]:
    """Return a media record of 200 x 100 pixels; of a video 25 frames a second, 50 in all."""
    more = {"fps": 25.0, "duration": 2.0, "frames": 50} if kind == "video" else {}
    return {"v": 1, "type": "media", "by": "probe", "source": source, "kind": kind, "width": 200, "height": 100,
            **more, **keys}


def box(source: str, frame: int, track: int | None = None, label: str = "person", **keys: Any) -> dict[str, Any]:
    """Return a track record, or a detection where there is no track."""
    kind = "detection" if track is None else "track"
    record = {"v": 1, "type": kind, "by": f"{kind}/x", "source": source, "frame": frame, "t": frame / 25}
    return record | ({} if track is None else {"track_id": track}) | {
        "xyxy": [10.25, 20.0, 60.5, 70.75], "score": 0.75, "label": label, "class_id": 2 if label == "car" else 0} | keys


def write(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    """Return a file of records: a video with a track that is gone for a while and a second one, and two pictures."""
    write(tmp_path / "in.jsonl", media("v/a.mp4"), *(box("v/a.mp4", frame, 3) for frame in (4, 5, 6)),
          box("v/a.mp4", 10, 3, pts=5120), box("v/a.mp4", 10, 4, "car", xyxy=[-5.0, 0.0, 210.0, 100.0], pts=5120),
          {"v": 1, "type": "shot", "by": "r/x", "source": "v/a.mp4", "start": 0.0, "end": 2.0, "start_frame": 0,
           "end_frame": 50},
          media("p.jpg", "image"), box("p.jpg", 0), box("p.jpg", 0, label="car", score=1.0),
          media("q.png", "image"), {"v": 1, "type": "end", "by": "detection/x", "source": "q.png", "status": "ok",
                                    "frames": {"decoded": 1, "processed": 1, "skipped": 0}, "records": 0,
                                    "types": ["detection"]})
    return tmp_path / "in.jsonl"


def only(stream: Path, *sources: str) -> Path:
    """Return a file of the records of some sources."""
    some = [line for line in stream.read_text().splitlines() if json.loads(line)["source"] in sources]
    stream.with_name("some.jsonl").write_text("\n".join(some))
    return stream.with_name("some.jsonl")


def test_pycocotools_reads_it(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    assert vtk("export", "coco", stream, "-o", "gt.json").returncode == 0
    assert vtk("export", "coco", stream, "--results", "-o", "results.json").returncode == 0
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco.COCO(str(tmp_path / "gt.json"))
        score = evaluation.COCOeval(truth, truth.loadRes(str(tmp_path / "results.json")), "bbox")
        score.evaluate()
        score.accumulate()
        score.summarize()
    assert score.stats[0] == pytest.approx(1.0)  # mAP of results that are the truth
    assert [truth.loadCats(number)[0]["name"] for number in sorted(truth.cats)] == ["person", "car"]
    names = [image["file_name"] for image in truth.loadImgs(sorted(truth.imgs))]
    assert names == [*(f"v/a.mp4/{frame:06d}.jpg" for frame in (4, 5, 6, 10)), "p.jpg", "q.png"]
    [first, *_] = truth.loadAnns(truth.getAnnIds(imgIds=[1]))
    assert (first["bbox"], first["area"], first["track_id"]) == ([10.25, 20.0, 50.25, 50.75], 2550.19, 3)


def test_coco_comes_back(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    vtk("export", "coco", stream, "-o", "gt.json")
    found = vtk("import", "coco", "gt.json")
    assert found.returncode == 0, found.stderr
    records = [json.loads(line) for line in found.stdout.splitlines()]
    boxes = [json.loads(line) for line in stream.read_text().splitlines() if '"xyxy"' in line]
    assert [{**record, "by": ""} for record in records if "xyxy" in record] == [{**one, "by": ""} for one in boxes]
    assert [(one["source"], one["kind"], one["width"]) for one in records if one["type"] == "media"] == [
        ("v/a.mp4", "video", 200), ("p.jpg", "image", 200), ("q.png", "image", 200)]
    assert [(one["source"], one["records"]) for one in records if one["type"] == "end"] == [
        ("v/a.mp4", 5), ("p.jpg", 2), ("q.png", 0)]
    (tmp_path / "back.jsonl").write_bytes(found.stdout)
    assert vtk("export", "coco", "back.jsonl", "-o", "again.json").returncode == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "gt.json").read_bytes()


def test_results_have_the_ids_of_a_data_set(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    (tmp_path / "gt.json").write_text(json.dumps({
        "images": [{"id": 77, "file_name": "train/p.jpg"}, {"id": 5, "file_name": "000004.jpg"}],
        "categories": [{"id": 18, "name": "person"}], "annotations": []}))
    found = vtk("export", "coco", stream, "--results", "--like", "gt.json", "-o", "r.json")
    assert [(one["image_id"], one["category_id"]) for one in json.loads((tmp_path / "r.json").read_text())] == [
        (5, 18), (77, 18)]
    assert b"1 of 2 boxes are left out: gt.json has no category car" in found.stderr
    assert b"4 of 5 boxes are left out: gt.json has no image v/a.mp4/000005.jpg" in found.stderr
    back = vtk("import", "coco", "r.json", "--like", "gt.json", "--images", "photos")
    assert b'"source":"photos/train/p.jpg"' in back.stdout
    assert b"give --results" in vtk("export", "coco", stream, "--like", "gt.json", "-o", "x.json").stderr
    assert b"cannot read" in vtk("export", "coco", stream, "--results", "--like", "no.json", "-o", "x.json").stderr


def test_odd_coco_files(vtk: Vtk, tmp_path: Path) -> None:
    images = [{"id": 1, "file_name": "a.jpg", "width": 20, "height": 10}, {"id": "x", "file_name": "b.jpg"}]
    annotations = [
        {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "segmentation": {"counts": "abc", "size": [10, 20]}},
        {"image_id": "x", "category_id": 9, "bbox": [0.127, 0, 5, 5], "score": 7.5, "iscrowd": 1},
        {"image_id": 2, "category_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 1, "bbox": [1, 2, -3, 4]},
        {"image_id": 1, "category_id": 1}, {"image_id": 1, "bbox": "wide"}, 7, {"image_id": [1], "bbox": [1, 1, 1, 1]}]
    (tmp_path / "odd.json").write_text(json.dumps({"images": images, "annotations": annotations,
                                                   "categories": [{"id": 1, "name": "cat"}]}))
    found = vtk("import", "coco", "odd.json")
    assert found.returncode == 1
    assert found.stderr.count(b"\n") == 7, found.stderr  # six that cannot be used, and what is left out of one
    assert b"annotation 3: no image 2: passed over" in found.stderr
    assert b"annotation 5: no 'bbox'" in found.stderr
    assert b"the outlines of 1 annotations are left out" in found.stderr
    boxes = [json.loads(line) for line in found.stdout.splitlines() if b'"xyxy"' in line]
    assert [(one["xyxy"], one["score"], one["label"], one["class_id"]) for one in boxes] == [
        ([1.0, 2.0, 4.0, 6.0], 1.0, "cat", 1), ([0.13, 0.0, 5.13, 5.0], 1.0, "9", 9)]
    assert (boxes[1]["raw_score"], boxes[1]["iscrowd"]) == (7.5, 1)
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "cut.json").write_text('{"images": [')
    for name, said in (("list.json", b"give --like"), ("cut.json", b"is no JSON"), ("no.json", b"No such file")):
        found = vtk("import", "coco", name)
        assert found.returncode == 3 and said in found.stderr
        assert b'"status":"failed"' in found.stdout
    assert vtk("import", "coco", "cut.json", "odd.json").returncode == 1


def test_cvat_has_tracks_with_their_ends(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    assert vtk("export", "cvat", stream, "--out-dir", "out").returncode == 0
    root = ElementTree.parse(tmp_path / "out" / "v" / "a.xml").getroot()
    assert root.findtext("meta/task/original_size/width") == "200" and root.findtext("meta/task/size") == "50"
    assert [name.text for name in root.iterfind("meta/task/labels/label/name")] == ["car", "person"]
    person, car = root.findall("track")
    assert [(int(one.get("frame", "")), one.get("outside")) for one in person] == [
        (4, "0"), (5, "0"), (6, "0"), (7, "1"), (10, "0"), (11, "1")]
    assert (person.get("label"), person[0].get("xtl"), person[0].get("ybr")) == ("person", "10.25", "70.75")
    assert car[0].get("xtl") == "-5.00"
    pictures = ElementTree.parse(tmp_path / "out" / "images.xml").getroot()
    assert [(one.get("name"), len(one)) for one in pictures.findall("image")] == [("p.jpg", 2), ("q.png", 0)]


def test_cvat_interpolates_between_frames_that_were_looked_at(vtk: Vtk, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", media("a.mp4"), box("a.mp4", 0, 1), box("a.mp4", 10, 1, step=10),
          box("a.mp4", 30, 1, "dog <&\"\x01", step=10), box("a.mp4", 49, 1, "dog <&\"\x01", step=10))
    assert vtk("export", "cvat", "in.jsonl", "-o", "a.xml").returncode == 0
    [track] = ElementTree.parse(tmp_path / "a.xml").getroot().findall("track")
    assert [(int(one.get("frame", "")), one.get("outside")) for one in track] == [
        (0, "0"), (10, "0"), (20, "1"), (30, "0"), (40, "1"), (49, "0")], "none is outside after the last frame"
    assert track.get("label") == "person"


def test_a_cvat_file_holds_one_video_or_all_pictures(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    assert vtk("export", "cvat", only(stream, "p.jpg", "q.png"), "-o", "p.xml").returncode == 0
    assert (tmp_path / "p.xml").read_text().count("<image ") == 2
    found = vtk("export", "cvat", stream, "-o", "x.xml")
    assert found.returncode == 1
    assert b"x.xml holds v/a.mp4 already, and p.jpg came too: give --out-dir" in found.stderr


def test_label_studio_has_percents_and_frames_from_1(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    assert vtk("export", "labelstudio", stream, "-o", "t.json", "--url-prefix", "/d?=").returncode == 0
    video, picture, empty = json.loads((tmp_path / "t.json").read_text())
    assert video["data"] == {"video": "/d?=v/a.mp4", "source": "v/a.mp4"}
    person, car, shot = video["predictions"][0]["result"]
    assert [(one["frame"], one["enabled"]) for one in person["value"]["sequence"]] == [
        (5, True), (6, True), (7, False), (11, False)]
    first = person["value"]["sequence"][0]
    assert (first["x"], first["y"], first["width"], first["height"]) == (5.125, 20.0, 25.125, 50.75)
    assert (person["value"]["framesCount"], person["value"]["duration"], person["meta"]) == (50, 2.0, {"text": ["track 3"]})
    [whole] = car["value"]["sequence"]
    assert (whole["x"], whole["width"]) == (0.0, 100.0), "it is cut to the frame"
    assert shot["value"] == {"ranges": [{"start": 1, "end": 50}], "timelinelabels": ["shot"]}
    assert [one["value"]["rectanglelabels"] for one in picture["predictions"][0]["result"]] == [["person"], ["car"]]
    assert empty["predictions"][0]["result"] == []


def test_fiftyone_has_samples_and_frames(vtk: Vtk, stream: Path, tmp_path: Path) -> None:
    (tmp_path / "p.jpg").touch()
    assert vtk("export", "fiftyone", only(stream, "p.jpg", "q.png"), "-o", "photos").returncode == 0
    first, second = json.loads((tmp_path / "photos" / "samples.json").read_text())["samples"]
    assert (first["filepath"], second["filepath"]) == (str(tmp_path / "p.jpg"), "q.png")
    [person, _] = first["predictions"]["detections"]
    assert person["bounding_box"] == [0.05125, 0.2, 0.25125, 0.5075] and person["confidence"] == 0.75
    assert vtk("export", "fiftyone", only(stream, "v/a.mp4"), "-o", "films", "--field", "tracks").returncode == 0
    [film] = json.loads((tmp_path / "films" / "samples.json").read_text())["samples"]
    assert film["shots"]["detections"][0]["support"] == [1, 50]
    frames = json.loads((tmp_path / "films" / film["frames"]).read_text())["frames"]
    assert [(key, len(frame["tracks"]["detections"])) for key, frame in frames.items()] == [
        ("5", 1), ("6", 1), ("7", 1), ("11", 2)]
    assert frames["11"]["tracks"]["detections"][1]["index"] == 4
    metadata = json.loads((tmp_path / "films" / "metadata.json").read_text())
    assert metadata["media_type"] == "video" and "version" not in metadata
    mixed = vtk("export", "fiftyone", stream, "-o", "both")
    assert mixed.returncode == 1 and b"p.jpg is an image, and videos came before" in mixed.stderr
    assert b"--overwrite" in vtk("export", "fiftyone", stream, "-o", "films").stderr


@pytest.mark.parametrize("form", ["coco", "cvat", "labelstudio"])
def test_sizes_come_from_files_or_are_asked_for(vtk: Vtk, tmp_path: Path, form: str) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (320, 160)).save(tmp_path / "photos" / "a.png")
    write(tmp_path / "in.jsonl", box("a.png", 0))
    found = vtk("export", form, "in.jsonl", "-o", "out")
    assert found.returncode == 1 and found.stderr.count(b"\n") == 1
    assert b"no media record" in found.stderr and b"--root" in found.stderr
    assert not (tmp_path / "out").exists()
    assert vtk("export", form, "in.jsonl", "-o", "out", "--root", "photos").returncode == 0
    assert "320" in (tmp_path / "out").read_text()
    assert vtk("export", form, "in.jsonl", "-o", "out", "--size", "640x360", "--overwrite").returncode == 0
    assert "640" in (tmp_path / "out").read_text()
    assert b"such as 1920x1080" in vtk("export", form, "in.jsonl", "-o", "x", "--size", "640").stderr


def test_several_makers_need_a_choice_and_a_bad_source_stops_nothing(vtk: Vtk, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", media("a.mp4"), box("a.mp4", 0, 1), box("a.mp4", 0, 1, by="track/y"), media("b.mp4"),
          box("b.mp4", 0, 1))
    found = vtk("export", "coco", "in.jsonl", "-o", "a.json")
    assert found.returncode == 1 and b"track records of 2 makers" in found.stderr
    assert [one["source"] for one in json.loads((tmp_path / "a.json").read_text())["images"]] == ["b.mp4"]
    assert vtk("export", "coco", "in.jsonl", "-o", "b.json", "--by", "track/y").returncode == 0
    assert b"--overwrite" in vtk("export", "coco", "in.jsonl", "-o", "a.json").stderr
    assert b"--type is 'car'" in vtk("export", "coco", "in.jsonl", "-o", "c.json", "--type", "car").stderr


def test_they_end_a_pipe_in_one_process_and_pass_records_on(vtk: Vtk, clip: Path, tmp_path: Path) -> None:
    tracks = vtk("track", clip, "--detector", "motion").stdout
    (tmp_path / "in.jsonl").write_bytes(tracks)
    through = vtk("export", "coco", "in.jsonl", "-o", "a.json", "--tee")
    assert through.returncode == 0 and through.stdout.startswith(tracks)
    found = vtk("pipe", "track --detector motion | export coco -o b.json", clip)
    assert found.returncode == 0, found.stderr
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").stat().st_size > 2000
