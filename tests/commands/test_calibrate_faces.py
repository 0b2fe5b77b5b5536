"""``vtk calibrate face-antispoof``: a file that vtk face-antispoof takes, and what is wrong in one line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from face_records import BY, drawn, end, face, lines, write_set
from said import Said, runner

from conftest import Vtk
from vtk.errors import UsageError
from vtk.liveness.calibration import read
from vtk.liveness.stage import LivenessStage


@pytest.fixture
def calibrate(shared: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk calibrate face-antispoof`` in this process, with weights at hand."""
    return runner(capfd, "calibrate", "face-antispoof")


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    """Return a folder of labels with faces.jsonl beside it."""
    records = write_set(tmp_path / "faces", drawn(0, 60, 2), {"print": drawn(1, 40, -2)})
    (tmp_path / "faces.jsonl").write_bytes(lines(records))
    return tmp_path / "faces"


def test_a_file_for_these_networks(faces: Path, calibrate: Callable[..., Said], tmp_path: Path) -> None:
    said = calibrate(faces, "--records", tmp_path / "faces.jsonl", "-o", tmp_path / "c.json")
    assert (said.code, said.out) == (0, "") and "0 live videos and 0 of attacks with a track" in said.err
    made = read(tmp_path / "c.json")
    made.check(LivenessStage().scores_by())
    assert made.track == made.face and made.track_scale == 1
    assert made.maker.detector.startswith("rfb-320@") and made.maker.precision == "fp32"
    assert made.report["face"]["live"] == 60 and made.report["face"]["attacks"]["print"]["sources"] == 40
    assert made.report["face"]["APCER"] <= 5 and made.report["face"]["BPCER"] <= 5
    with pytest.raises(UsageError, match="overwrite"):
        calibrate(faces, "--records", tmp_path / "faces.jsonl", "-o", tmp_path / "c.json")
    wide = calibrate(faces, "--records", tmp_path / "faces.jsonl", "--target-apcer", "20", "-q")
    assert wide.err == "" and json.loads(wide.out)["face"][1] <= made.face.live_from


def test_parts(calibrate: Callable[..., Said], tmp_path: Path) -> None:
    rows, records = ["file,label,attack,split,subject"], []
    for number, score in enumerate([*drawn(0, 80, 2), *drawn(1, 80, -2)]):
        kind, part = ("live" if number < 80 else "spoof"), ("test" if number % 4 == 0 else "train")
        rows.append(f"{number}.jpg,{kind},,{part},{number % 40 if number < 44 else ''}")
        records += [face(f"{number}.jpg", score), end(f"{number}.jpg")]
    (tmp_path / "labels.csv").write_text("\n".join(rows))
    (tmp_path / "f.jsonl").write_bytes(lines(records))
    words = (tmp_path, "--records", tmp_path / "f.jsonl", "-q")
    report = calibrate(*words, "--check", "test").report["report"]
    assert report["face"]["live"] == 60 and "part" not in report, "all but the part that is checked on"
    assert report["check"]["part"] == "test" and report["check"]["face"]["live"] == 20
    assert "live_from" not in report["check"]["face"]["interval"]
    named = calibrate(*words, "--part", "train", "--check", "test").report["report"]
    assert named["face"] == report["face"] and named["part"] == "train"
    aloud = calibrate(*words[:3], "--check", "test").err
    assert "subjects are in part" not in aloud
    assert "calibrated on together" not in aloud, "one part is left"
    both = calibrate(*words[:3]).err
    assert "parts test, train are calibrated on together, so that none is left for vtk eval" in both
    (tmp_path / "labels.csv").write_text("\n".join([*rows, "more.jpg,live,,train,0"]))
    assert "1 subjects are in part test and in what is calibrated on" in calibrate(*words[:3], "--check", "test").err
    for more, said in ((["--part", "x"], "--part x: there is test, train"), (["--check", "x"], "--check x"),
                       (["--part", "test", "--check", "test"], "the part that is calibrated on")):
        with pytest.raises(UsageError, match=said):
            calibrate(*words, *more)


def test_what_is_wrong(faces: Path, calibrate: Callable[..., Said], tmp_path: Path) -> None:
    words = (faces, "--records", tmp_path / "faces.jsonl")
    for more, said in ((["--target-apcer", "1"], "40 attacks of type print: 100 at least are needed to tell 1 %"),
                       (["--target-bpcer", "0"], "--target-bpcer 0"), (["--model", "minifasnett"], "minifasnet"),
                       (["--gates", "x=1"], "x")):
        with pytest.raises(UsageError, match=said):
            calibrate(*words, *more)
    (tmp_path / "other.jsonl").write_bytes((tmp_path / "faces.jsonl").read_bytes().replace(b"rfb-320+", b"yunet+"))
    with pytest.raises(UsageError, match=f"faces are by .*yunet.minifasnet, and the models given are {BY[:20]}"):
        calibrate(faces, "--records", tmp_path / "other.jsonl")
    with pytest.raises(UsageError, match=r"faces/real/0.jpg is labelled and not there, like 99 others"):
        calibrate(faces)
    found = calibrate(*words, "--target-apcer", "1", "--allow-few")
    assert "40 attacks of type print: fewer than the 100 with which 1 % can be told from none" in found.err
    assert found.code == 0
    (tmp_path / "torn.jsonl").write_bytes((tmp_path / "faces.jsonl").read_bytes() + b'{"v": 1, "ty')
    torn = calibrate(faces, "--records", tmp_path / "torn.jsonl")
    assert torn.code == 1 and "torn.jsonl, line 201: " in torn.err and torn.report == calibrate(*words).report


def test_models_run_over_a_folder(shared: Path, calibrate: Callable[..., Said], tmp_path: Path, vtk: Vtk) -> None:
    """The fakes and as many live faces, linked into a folder; the file is then taken, and by other networks refused."""
    data = shared / "data" / "face-antispoof" / "benchmarks"
    if not data.is_dir():
        pytest.skip("no shared faces")
    for kind, folder in (("live", "real"), ("spoof", "fake")):
        (tmp_path / "set" / kind).mkdir(parents=True)
        for path in sorted((data / folder).glob("*.jpg"))[:12]:
            (tmp_path / "set" / kind / path.name).symlink_to(path)
    (tmp_path / "set" / "live" / "empty.jpg").write_bytes(b"")
    said = calibrate(tmp_path / "set", "--allow-few", "--target-apcer", "15", "-o", tmp_path / "c.json")
    assert said.code == 1 and "empty.jpg" in said.err, "it is calibrated on the others"
    assert "fewer than the 20 with which 5 %" in said.err
    made = read(tmp_path / "c.json")
    assert made.report["face"]["attacks"]["attack"]["sources"] >= 7
    [name] = [path.name for path in (tmp_path / "set" / "live").iterdir()][:1]
    found = vtk("face-antispoof", tmp_path / "set" / "live" / name, "--calibration", tmp_path / "c.json")
    faces = [json.loads(line) for line in found.stdout.splitlines() if b'"type":"face"' in line]
    assert found.returncode == 0 and faces[0]["thresholds"] == [made.face.spoof_below, made.face.live_from]
    other = json.loads((tmp_path / "c.json").read_text()) | {"precision": "bf16"}
    (tmp_path / "other.json").write_text(json.dumps(other))
    found = vtk("face-antispoof", tmp_path / "set" / "live" / name, "--calibration", tmp_path / "other.json")
    assert found.returncode == 2 and b"its thresholds are for precision bf16, and this is fp32" in found.stderr


def test_records_without_a_face(faces: Path, calibrate: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_bytes(lines([end("faces/real/0.jpg"), end("faces/print/0.jpg")]))
    with pytest.raises(UsageError, match="no live faces that can be judged: both live faces and attacks are needed"):
        calibrate(faces, "--records", tmp_path / "none.jsonl")
