"""``vtk face-antispoof``: real faces in pictures of all kinds, and wrong inputs and options."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import cv2
import numpy as np
import pytest
from PIL import Image
from said import streamer
from small_faces import small_faces

from vtk.records import Record, check, make

Judge = Callable[..., tuple[int, list[Record], str]]


@pytest.fixture
def judge(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Return a function that runs ``vtk face-antispoof`` here and returns its code, records and stderr."""

    run = streamer(capfdbinary, monkeypatch, "face-antispoof")

    def judged(*words: object) -> tuple[int, list[Record], str]:
        code, records, err = run(*words)
        for record in records:
            check(record)
        return code, records, err

    return judged


@pytest.fixture
def face(shared: Path) -> np.ndarray:
    """Return (383, 261, 3) uint8 BGR, a live face at 90, 41, 174, 153."""
    found = cv2.imread(str(shared / "data" / "face-antispoof" / "benchmarks" / "real" / "person101.jpg"))
    assert found is not None
    return found


def faces(records: list[Record]) -> list[Record]:
    return [record for record in records if record["type"] == "face"]


def save(path: Path, image: np.ndarray) -> Path:
    cv2.imwrite(str(path), image)
    return path


def small(image: np.ndarray, wide: int = 20) -> np.ndarray:
    """Return a picture in which the face is ``wide`` pixels wide, on a grey ground."""
    shrunk = cv2.resize(image, None, fx=wide / 84, fy=wide / 84, interpolation=cv2.INTER_AREA)
    ground = np.full((200, 300, 3), 100, np.uint8)
    ground[40:40 + shrunk.shape[0], 60:60 + shrunk.shape[1]] = shrunk
    return ground


def cartoon() -> np.ndarray:
    """Return a drawn face."""
    image = np.full((240, 320, 3), 255, np.uint8)
    cv2.circle(image, (160, 120), 80, (160, 200, 255), -1)
    for x in (130, 190):
        cv2.circle(image, (x, 100), 10, (255, 255, 255), -1)
        cv2.circle(image, (x, 100), 5, (0, 0, 0), -1)
    cv2.ellipse(image, (160, 150), (35, 20), 0, 0, 180, (0, 0, 200), -1)
    return image


def test_pictures_without_a_face_are_no_failure(judge: Judge, tmp_path: Path) -> None:
    save(tmp_path / "ground.png", np.full((240, 320, 3), 128, np.uint8))
    save(tmp_path / "dot.png", np.zeros((1, 1, 3), np.uint8))
    save(tmp_path / "line.png", np.full((200, 1, 3), 90, np.uint8))
    code, records, said = judge(tmp_path)
    assert (code, said) == (0, "") and not faces(records)
    assert [record["status"] for record in records if record["type"] == "end"] == ["ok"] * 3


@pytest.mark.parametrize(("name", "reason"), [
    ("cut", "cut"), ("small", "small"), ("grey", "grey"), ("cartoon", "doubtful")])
def test_faces_that_are_not_judged_say_why(judge: Judge, face: np.ndarray, tmp_path: Path, name: str,
                                           reason: str) -> None:
    image = {"cut": face[:, :132], "small": small(face), "grey": cv2.cvtColor(face, cv2.COLOR_BGR2GRAY),
             "cartoon": cartoon()}[name]
    code, records, _ = judge(save(tmp_path / "face.png", image))
    assert code == 0
    if name == "cartoon" and not faces(records):
        return  # it need not be taken for a face; where it is, it is not judged
    found = max(faces(records), key=lambda record: record["xyxy"][2])  # another's is at the left
    assert found["verdict"] == "unsure" and reason in found["reasons"]


def test_an_upside_down_face_is_a_face_or_none(judge: Judge, face: np.ndarray, tmp_path: Path) -> None:
    """Neither network learned from such: where one is found its score counts as any; this one is never called live."""
    code, records, _ = judge(save(tmp_path / "face.png", face[::-1]))
    assert code == 0 and all(found["verdict"] != "live" for found in faces(records))


def test_two_hundred_faces(judge: Judge, shared: Path, tmp_path: Path) -> None:
    """20 to 40 pixels wide: all have a record, the largest first, and next to none is judged."""
    crowd, _ = small_faces(shared)
    code, records, _ = judge(save(tmp_path / "crowd.png", crowd[..., ::-1]), "--tile", 320)
    found = faces(records)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (record["xyxy"] for record in found)]
    assert code == 0 and 190 <= len(found) <= 210 and areas == sorted(areas, reverse=True)
    assert np.mean(["small" in record.get("reasons", ()) for record in found]) > 0.95


def test_whatever_the_file_the_face_is_the_same(judge: Judge, face: np.ndarray, tmp_path: Path) -> None:
    """16 bits, CMYK and a turned JPEG: the same box, and a live face in each."""
    rgb = Image.fromarray(face[..., ::-1])
    turned = Image.Exif()
    turned[0x112] = 6
    save(tmp_path / "deep.png", face.astype(np.uint16) * 257)
    rgb.convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    lying = Image.fromarray(np.ascontiguousarray(np.rot90(face[..., ::-1])))
    lying.save(tmp_path / "turned.jpg", exif=turned, quality=95)
    code, records, _ = judge(tmp_path)
    assert code == 0 and len(faces(records)) == 3
    for found in faces(records):
        np.testing.assert_allclose(found["xyxy"], [90, 43, 175, 151], atol=5)
        assert found["verdict"] == "live"


def test_an_animated_picture_is_a_video(judge: Judge, face: np.ndarray, tmp_path: Path) -> None:
    shown = [Image.fromarray(np.roll(face[..., ::-1], step, 1)) for step in range(5)]
    shown[0].save(tmp_path / "face.gif", save_all=True, append_images=shown[1:], duration=100)
    code, records, _ = judge(tmp_path / "face.gif")
    assert code == 0 and not faces(records)
    assert [record["observations"] for record in records if record["type"] == "face_track"] == [5]


def test_damaged_pictures_do_not_stop_the_rest(judge: Judge, face: np.ndarray, tmp_path: Path) -> None:
    whole = save(tmp_path / "c.jpg", face)
    (tmp_path / "a.jpg").write_bytes(b"")
    (tmp_path / "b.jpg").write_bytes(whole.read_bytes()[:6000])
    code, records, said = judge(tmp_path)
    assert code == 1 and len(faces(records)) == 1 and said.count("\n") == 2
    assert [record["error"]["code"] for record in records if record["type"] == "error"] == ["E_EMPTY", "E_DECODE"]


def test_a_box_outside_the_frame_has_no_score(vtk: Callable[..., CompletedProcess[bytes]], face: np.ndarray,
                                              tmp_path: Path) -> None:
    picture = save(tmp_path / "face.png", face)
    boxes = [[900.0, 10.0, 990.0, 120.0], [-60.0, 41.0, 24.0, 153.0], [90.0, 41.0, 174.0, 153.0]]
    given = b"".join(json.dumps(make("detection", "detect/hand", str(picture), frame=0, t=0.0, xyxy=box, score=0.99,
                                     label="face")).encode() + b"\n" for box in boxes)
    done = vtk("face-antispoof", stdin=given)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    told = [(found["verdict"], found.get("reasons")) for found in faces(records)]
    assert told == [("unsure", ["cut"]), ("live", None)]
    [error] = [record["error"] for record in records if record["type"] == "error"]
    assert done.returncode == 0 and not error["fatal"] and error["code"] == "E_OUTSIDE"
    assert error["message"] == "1 box of a face lies outside of the frame: it has no score"


def test_the_faces_of_people_keep_the_ids_of_their_tracks(vtk: Callable[..., CompletedProcess[bytes]], face: np.ndarray,
                                                         tmp_path: Path) -> None:
    """A real face twice in one picture, and a box with nobody in it."""
    picture = save(tmp_path / "two.png", np.hstack([face, face]))
    people = {7: [70.0, 20.0, 210.0, 383.0], 9: [331.0, 20.0, 471.0, 383.0], 11: [200.0, 250.0, 261.0, 383.0]}
    records = [make("track", "track/hand", str(picture), frame=0, t=0.0, xyxy=box, score=0.9, track_id=number,
                    label="person") for number, box in people.items()]
    done = vtk("face-antispoof", stdin=b"".join(json.dumps(record).encode() + b"\n" for record in records))
    found = {each["track_id"]: each for each in faces([json.loads(line) for line in done.stdout.splitlines()])}
    assert done.returncode == 0 and set(found) == {7, 9}
    for number, left in ((7, 0), (9, 261)):
        # What two detectors call a face differs at hair and chin: a fifth of its width.
        assert np.allclose(found[number]["xyxy"], [left + 90, 41, left + 174, 153], atol=17)
        assert found[number]["by"] == "face-antispoof/hand+rfb-320+minifasnet"


@pytest.mark.parametrize(("words", "message"), [
    (["--model", "nope"], "no liveness model 'nope'"),
    (["--detector", "motion"], "--detector motion finds no faces"),
    (["--thresholds", "0.9,0.1"], "the lower one first"),
    (["--thresholds", "some"], "--thresholds some: expected LOW,HIGH"),
    (["--gates", "min_siz=3"], "did you mean min_size?"),
    (["--gates", "min_size=a"], "--gates min_size=a: a number is needed"),
    (["--gates", "brightness=0.4"], "two numbers, LOW:HIGH, are needed"),
    (["--min-face-score", "7"], "--min-face-score 7: expected a number from 0 to 1"),
    (["--tile", "16"], "--tile 16: expected 32 pixels or more"),
    (["--calibration", "nope.json"], "--calibration nope.json: No such file"),
    (["--weights", "nope.onnx"], "--weights nope.onnx: found nothing there"),
    (["--model", "cdcn-epcr"], "cdcn-epcr has no trained weights yet"),
])
def test_usage(judge: Judge, face: np.ndarray, tmp_path: Path, words: list[str], message: str) -> None:
    code, records, said = judge(save(tmp_path / "face.png", face), *words)
    assert (code, records) == (2, []) and message in said and said.count("\n") == 1


def test_without_weights_it_says_how_to_bring_them(judge: Judge, face: np.ndarray, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VTK_MIRROR")
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    code, records, said = judge(save(tmp_path / "face.png", face), "--offline")
    assert (code, records) == (2, []) and "vtk models pull minifasnet" in said and said.count("\n") == 1
