"""Checkpoints of ultralytics: converted once, equal to ultralytics' own predictions, and never loaded unasked."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.errors import WeightsError
from vtk.models.cuda import TorchNet
from vtk.models.detector import load_detector
from vtk.models.runtime import RuntimeOptions

BUS = Path(importlib.util.find_spec("ultralytics").submodule_search_locations[0]) / "assets" / "bus.jpg"
TRUSTED = RuntimeOptions("cpu", "fp32", trust_weights=True)

# Weights of a yaml are untrained: every box scores alike. Statistics of a real picture and a last layer of random
# weights spread the scores, and its bias puts the 200th best score at 0.3: order, suppression and classes are tested.
MAKE = """
import sys, cv2, numpy as np, torch
from ultralytics import YOLO
torch.manual_seed(0)
image = cv2.imread(sys.argv[1])
model = YOLO(sys.argv[2] + ".yaml")
net = model.model.train()
for module in net.modules():
    if isinstance(module, torch.nn.BatchNorm2d):
        module.momentum = 1.0
x = torch.from_numpy(cv2.resize(image, (480, 640))[:, :, ::-1].copy()).permute(2, 0, 1)[None].float() / 255
with torch.no_grad():
    net(x)
    net.eval()
    head = net.model[-1]
    name = "one2one_cv3" if getattr(head, "one2one_cv2", None) is not None else "cv3"
    for branch in getattr(head, name):
        branch[-1].weight.normal_(0, 0.1)
        branch[-1].bias.zero_()
    raw = net(x)[1]
    logits = raw.get("one2one", raw)["scores"].flatten()
    for branch in getattr(head, name):
        branch[-1].bias.fill_(-0.85 - logits.topk(200).values[-1])
model.ckpt = {}
model.save(sys.argv[3])
nms = False if "26" in sys.argv[2] else None
said = YOLO(sys.argv[3]).predict(image, conf=0.3, device="cpu", verbose=False, nms=nms)
boxes = said[0].boxes
np.savez(sys.argv[3] + ".npz", xyxy=boxes.xyxy.numpy(), scores=boxes.conf.numpy(), class_ids=boxes.cls.numpy())
"""


@pytest.fixture(scope="module", params=["yolo11n", "yolo26n"])
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint that ultralytics saved, beside it what ultralytics predicts with it on bus.jpg."""
    folder = tmp_path_factory.mktemp("checkpoint")
    path = folder / f"{request.param}-own.pt"
    env = {**os.environ, "YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    made = subprocess.run([sys.executable, "-c", MAKE, str(BUS), request.param, str(path)], capture_output=True,
                          env=env, cwd=folder, check=False)
    assert made.returncode == 0, made.stderr.decode()
    return path


@pytest.fixture(scope="module")
def home(checkpoint: Path) -> Path:
    return checkpoint.parent / "home"


@pytest.fixture(autouse=True)
def use_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(home))


def bus() -> np.ndarray:
    return np.ascontiguousarray(cv2.imread(str(BUS))[:, :, ::-1])


def test_unknown_checkpoint_is_not_loaded(checkpoint: Path, home: Path) -> None:
    with pytest.raises(WeightsError, match="a checkpoint can run code .*--trust-weights loads it") as caught:
        load_detector(weights=checkpoint, runtime=RuntimeOptions("cpu"))
    assert caught.value.code == "E_HASH" and not (home / "converted").exists()


def test_equals_ultralytics(checkpoint: Path) -> None:
    """In fp32: the same number of boxes, each with one of its class within 0.5 pixels of 1080 and 0.002 of score.

    The runtimes sum in another order, and an untrained network amplifies it; at thresholds one box in 50 may turn.
    Its boxes may be inside out, which we leave out and ultralytics does not.
    """
    said = dict(np.load(f"{checkpoint}.npz"))
    some = (said["xyxy"][:, 2:] > said["xyxy"][:, :2]).all(axis=1)
    said = {key: value[some] for key, value in said.items()}
    found = load_detector(weights=checkpoint, min_score=0.3, runtime=TRUSTED).start()([bus()])[0]
    assert 50 <= len(said["scores"]) < 300 and len(set(said["class_ids"].tolist())) >= 3, "a dull checkpoint"
    assert abs(len(found) - len(said["scores"])) <= len(said["scores"]) // 50
    apart = np.abs(said["xyxy"][:, None] - found.xyxy[None]).max(axis=2)
    near = (apart <= 0.5) & (np.abs(said["scores"][:, None] - found.scores[None]) <= 0.002)
    near &= said["class_ids"][:, None] == found.class_ids[None]
    assert near.any(axis=1).mean() >= 0.98 and near.any(axis=0).mean() >= 0.98
    assert (np.diff(found.scores) <= 0).all()


LOAD = """
import sys
from pathlib import Path
import numpy as np
from vtk.models.detector import load_detector
from vtk.models.runtime import RuntimeOptions
detector = load_detector(sys.argv[1], runtime=RuntimeOptions("cpu", "fp32", trust_weights=True))
detector.start()([np.zeros((64, 64, 3), np.uint8)])
print(detector.name, len(detector.labels), [name for name in ("torch", "ultralytics") if name in sys.modules])
"""


def test_converted_once_and_quietly(checkpoint: Path, tmp_path: Path) -> None:
    """Two processes at once convert; both end well; a third one needs no torch; nothing is written elsewhere."""
    env = {**os.environ, "VTK_HOME": str(tmp_path / "home"), "HOME": str(tmp_path / "user")}
    (tmp_path / "user").mkdir()
    both = [subprocess.Popen([sys.executable, "-c", LOAD, str(checkpoint)], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, env=env, cwd=tmp_path) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    name = checkpoint.stem.encode()
    assert [out for out, _ in said] == [name + b" 80 ['torch', 'ultralytics']\n"] * 2, said
    assert [err for _, err in said] == [b"", b""]
    folders = list((tmp_path / "home" / "converted").iterdir())
    assert len(folders) == 1
    assert {path.name for path in folders[0].iterdir()} == {"model.xml", "model.bin", "about.json"}
    third = subprocess.run([sys.executable, "-c", LOAD, str(checkpoint)], capture_output=True, env=env, cwd=tmp_path,
                           check=False)
    assert third.stdout == name + b" 80 []\n"
    assert not any(path.is_file() for path in (tmp_path / "user").rglob("*")), "written outside the cache"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "user"}


def test_any_canvas_and_batch(checkpoint: Path) -> None:
    """The conversion keeps sides open: wide, high and small pictures, alone and together."""
    runtime = RuntimeOptions("cpu", "fp32", 2, trust_weights=True)
    detector = load_detector(weights=checkpoint, min_score=0.3, runtime=runtime)
    images = [bus(), bus()[:400], bus()[:, :200], bus()[::8, ::8]]
    images = [np.ascontiguousarray(image) for image in images]
    assert detector.batch == 2
    for together, image in zip(detector.start()(images), images, strict=True):
        alone = detector.start()([image])[0]
        np.testing.assert_array_equal(together.class_ids, alone.class_ids)
        np.testing.assert_allclose(together.xyxy, alone.xyxy, atol=0.01)  # pixels; padding a batch moves no sum


def test_torch_net_agrees_with_the_conversion(checkpoint: Path) -> None:
    """What runs on CUDA, here on the CPU in fp32; 0.1 pixels: an untrained network amplifies the order of sums."""
    from vtk.models import checkpoint as module
    from vtk.models.runtime import load
    from vtk.models.weights import sha256_of

    net, about = module.read(checkpoint)
    images = np.random.default_rng(0).random((3, 3, 160, 128), np.float32)
    torch_net = TorchNet(net, RuntimeOptions(precision="fp32", batch=2), "cpu")
    folder = module.converted(checkpoint, sha256_of(checkpoint))
    there, here = torch_net(images)[0], load(folder / "model.xml", TRUSTED)(images)[0]
    assert there.shape == here.shape and about.side == 640 and len(about.names) == 80
    if there.shape[2] == 6:  # end to end: rows of equal scores may change places
        there, here = (np.sort(array[:, :, 4], axis=1) for array in (there, here))
    np.testing.assert_allclose(there, here, rtol=0, atol=0.1)


@pytest.mark.parametrize("body", [b"", b"hello", b"PK\x03\x04" + b"\x00" * 100])
def test_broken_checkpoint(tmp_path: Path, body: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.pt").write_bytes(body)
    with pytest.raises(WeightsError, match="bad.pt: ultralytics cannot load it as a checkpoint"):
        load_detector(str(tmp_path / "bad.pt"), runtime=TRUSTED)
    assert capfd.readouterr().out == ""
