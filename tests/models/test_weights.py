"""Where weights are looked for, in which order, and that nothing unchecked is loaded."""

from __future__ import annotations

import hashlib
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from vtk.errors import WeightsError
from vtk.models import weights, zoo

BODY = b"weights of a small model"
SHA = hashlib.sha256(BODY).hexdigest()
INPUT = zoo.Input(8, 8)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VTK_MIRROR", raising=False)
    monkeypatch.delenv("VTK_OFFLINE", raising=False)
    return tmp_path / "home"


def model(**file: object) -> zoo.Model:
    entry = zoo.File(**{"name": "a.onnx", "sha256": SHA, "bytes": len(BODY)} | file)
    return zoo.Model("a", "detect", "yolox", INPUT, (entry,), "MIT", True, "nothing")


def put(path: Path, body: bytes = BODY) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def test_order_of_places(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site" / "shipper"
    shipped = put(package / "models" / "a.onnx")
    put(package / "__init__.py", b"raise RuntimeError('looking for a file must not run the package')")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    wanted = model(package="shipper:models/a.onnx")
    assert weights.resolve(wanted, offline=True).paths == (shipped,)
    mirrored = put(tmp_path / "mirror" / "a.onnx")
    monkeypatch.setenv("VTK_MIRROR", str(mirrored.parent))
    assert weights.resolve(wanted, offline=True).paths == (mirrored,)
    cached = put(home / "weights" / "a.onnx")
    assert weights.resolve(wanted, offline=True).paths == (cached,)
    own = put(tmp_path / "own.onnx", b"anything")
    found = weights.resolve(wanted, own, offline=True)
    assert found.paths == (own,) and found.sha256 == hashlib.sha256(b"anything").hexdigest() and not found.official
    assert "shipper" not in sys.modules


def test_mirror_is_used_in_place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_MIRROR", str(put(tmp_path / "mirror" / "a.onnx").parent))
    found = weights.resolve(model(), offline=True)
    assert found.sha256 == SHA and found.official
    assert not (home / "weights").exists()


@pytest.mark.parametrize("place", ["home/weights", "mirror"])
def test_wrong_hash_is_an_error_wherever_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("VTK_MIRROR", str(tmp_path / "mirror"))
    path = put(tmp_path / place / "a.onnx", b"something else")
    with pytest.raises(WeightsError, match=r"its sha256 is \w+…, expected .*delete or replace") as caught:
        weights.resolve(model())
    assert caught.value.code == "E_HASH" and str(path) in str(caught.value)


def test_other_known_export_is_accepted(home: Path) -> None:
    put(home / "weights" / "a.onnx", b"another export")
    other = hashlib.sha256(b"another export").hexdigest()
    assert weights.resolve(model(also=(other,)), offline=True).sha256 == other


def test_hash_is_read_once_and_again_after_a_change(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(home / "weights" / "a.onnx")
    assert weights.sha256_of(path) == SHA
    with monkeypatch.context() as patched:
        patched.setattr(hashlib, "file_digest", lambda *_: pytest.fail("it was read a second time"))
        assert weights.sha256_of(path) == SHA
    put(path, b"something else, as long.")
    assert len(b"something else, as long.") == len(BODY)
    assert weights.sha256_of(path) == hashlib.sha256(b"something else, as long.").hexdigest()
    for stamp in (home / "stamps").iterdir():
        stamp.write_text("{torn")
    assert weights.sha256_of(path) == hashlib.sha256(b"something else, as long.").hexdigest()


def test_cache_that_cannot_be_written_still_verifies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(put(tmp_path / "file") / "home"))
    assert weights.sha256_of(put(tmp_path / "a.onnx")) == SHA


def test_offline_names_the_file_what_is_at_hand_and_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_OFFLINE", "1")
    with pytest.raises(WeightsError) as caught:
        weights.resolve(zoo.get("yolo11n"))
    message = str(caught.value)
    assert caught.value.code == "E_OFFLINE"
    assert "yolo11n.pt, 5.6 MB" in message and "at hand: motion" in message and "vtk models pull yolo11n" in message


def test_mirror_only_file_names_the_mirror() -> None:
    with pytest.raises(WeightsError, match="no public address.*a mirror in VTK_MIRROR"):
        weights.resolve(zoo.get("yolov8n-int8"))


def test_url_mirror_goes_before_the_official_address(server, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.body = BODY
    monkeypatch.setenv("VTK_MIRROR", f"{server.url}/plain/")
    found = weights.resolve(model(url=f"{server.url}/official/a.onnx"))
    assert found.paths == (home / "weights" / "a.onnx",) and server.asked == [("/plain/a.onnx", None)]
    weights.resolve(model(), offline=True)
    assert len(server.asked) == 1


def test_official_address_follows_a_mirror_without_the_file(server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.body = BODY
    monkeypatch.setenv("VTK_MIRROR", f"{server.url}/absent")
    assert weights.resolve(model(url=f"{server.url}/plain/a.onnx")).sha256 == SHA
    assert [path for path, _ in server.asked] == ["/absent/a.onnx", "/plain/a.onnx"]


def test_offline_asks_no_url_mirror(server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_MIRROR", f"{server.url}/plain")
    with pytest.raises(WeightsError):
        weights.resolve(model(), offline=True)
    assert server.asked == []


def test_unknown_hash_needs_trust(home: Path) -> None:
    put(home / "weights" / "a.onnx")
    unknown = model(sha256=None)
    with pytest.raises(WeightsError, match=f"its sha256 is {SHA}.*--trust-weights"):
        weights.resolve(unknown)
    assert weights.resolve(unknown, trust=True).sha256 == SHA


def test_own_files(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="found nothing there"):
        weights.resolve(model(), tmp_path / "absent.onnx")
    with pytest.raises(WeightsError, match="found a folder there"):
        weights.resolve(model(), tmp_path)
    xml = put(tmp_path / "m.xml")
    with pytest.raises(WeightsError, match="m.bin, are not beside it"):
        weights.resolve(model(), xml)
    tensors = put(tmp_path / "m.bin", b"tensors")
    first = weights.resolve(model(), xml)
    assert first.paths == (xml, tensors)
    put(tensors, b"others!")
    assert weights.resolve(model(), xml).sha256 != first.sha256


def test_several_files_are_one_hash(shared: Path, monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("VTK_MIRROR", str(shared / "models"))
    wanted = zoo.get("pedestrian-adas")
    found = weights.resolve(wanted, offline=True)
    digests = "".join(str(file.sha256) for file in wanted.files)
    assert found.sha256 == hashlib.sha256(digests.encode()).hexdigest()
    shutil.copytree(shared / "models", home / "weights", ignore=lambda *_: ["models.tsv"], dirs_exist_ok=True)
    assert weights.at_hand(replace(wanted)) and weights.locate(wanted.files[0]).origin == "cache"
