"""Embedders of frames: MobileNet on its real weights, and SSCD's loader on a small TorchScript of the same signature."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from vtk.errors import UsageError, WeightsError
from vtk.models import torch_net, zoo
from vtk.models.embedder import EmbedderOptions, load_embedder, space_of
from vtk.models.net_embedder import unit
from vtk.models.runtime import RuntimeOptions
from vtk.models.weights import sha256_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
TRUSTED = RuntimeOptions("cpu", "fp32", offline=True, trust_weights=True)
SIZE = (64, 48)
CROPS = list(np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3), np.uint8))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep conversions of this machine out."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))


class Small(torch.nn.Module):
    """What SSCD is, small: a trunk, generalised means over the map, a projection, unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 7, 4), torch.nn.BatchNorm2d(8), torch.nn.ReLU())
        self.projection = torch.nn.Linear(8, 16)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        means = self.trunk(images).clamp(min=1e-6).pow(3).mean((2, 3)).pow(1 / 3)
        return torch.nn.functional.normalize(self.projection(means))


def saved(path: Path, how: str, net: torch.nn.Module | None = None) -> torch.nn.Module:
    """Save a network as TorchScript, traced or scripted, and return it."""
    torch.manual_seed(0)
    net = (net or Small()).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        script = torch.jit.script(net) if how == "scripted" else torch.jit.trace(net, torch.zeros(1, 3, *SIZE))
        torch.jit.save(script, path)
    return net


def vectors_of(net: torch.nn.Module) -> np.ndarray:
    """Return what a network itself makes of CROPS, normalised by ImageNet's means."""
    takes = zoo.get("sscd").input
    values = torch.from_numpy(np.stack(CROPS)).permute(0, 3, 1, 2) / 255
    values = (values - torch.tensor(takes.mean)[:, None, None]) / torch.tensor(takes.std)[:, None, None]
    with torch.inference_mode():
        return unit(net(values).numpy())


@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_a_torchscript_of_sscds_signature(how: str, tmp_path: Path) -> None:
    path = tmp_path / "own.torchscript.pt"
    expected = vectors_of(saved(path, how))
    embedder = load_embedder("sscd", "copy", EmbedderOptions(path, SIZE, TRUSTED))
    np.testing.assert_allclose(embedder.embed(CROPS), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(CROPS[2:3]), expected[2:3], atol=1e-5)
    assert embedder.dimensions == 16 and embedder.name.startswith("own.torchscript")
    assert space_of(embedder) == f"{embedder.name}@{sha256_of(path)[:12]}"
    assert np.abs(expected[0] - expected[1]).max() > 1e-3, "the network tells nothing apart"


def test_what_runs_on_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch itself in bf16; here on a CPU by another name."""
    path = tmp_path / "own.pt"
    expected = vectors_of(saved(path, "traced"))
    monkeypatch.setattr(torch_net, "pick_device", lambda options: "cpu:0")
    rough = load_embedder("sscd", "copy", EmbedderOptions(path, SIZE, RuntimeOptions(trust_weights=True)))
    assert (rough.precision, rough.batch) == ("bf16", 16)
    assert ((rough.embed(CROPS) * expected).sum(axis=1) > 0.999).all()


def test_a_model_file_goes_without_torch_and_without_trust(tmp_path: Path) -> None:
    """ImageNet's means apply to a user's own ONNX or OpenVINO file too."""
    from vtk.models.conversion import convert

    torch.manual_seed(0)
    net = Small().eval()
    convert(net, (2, 3, *SIZE), (-1, 3, *SIZE), tmp_path)
    embedder = load_embedder("sscd", "copy", EmbedderOptions(tmp_path / "model.xml", None, CPU))
    np.testing.assert_allclose(embedder.embed(CROPS), vectors_of(net), atol=1e-5)


class Several(torch.nn.Module):
    """A network that gives no vectors."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(1)


def test_what_is_refused(tmp_path: Path) -> None:
    path, damaged, other = tmp_path / "own.pt", tmp_path / "damaged.pt", tmp_path / "other.pt"
    saved(path, "scripted")
    with pytest.raises(WeightsError, match=r"own.pt: a TorchScript file holds code that is run, and its sha256, "
                                           r"[0-9a-f]{64}, is not in the table; .*--trust-weights loads it$") as caught:
        load_embedder("sscd", "copy", EmbedderOptions(path, SIZE, CPU))
    assert caught.value.code == "E_HASH"
    damaged.write_bytes(path.read_bytes()[:500])
    with pytest.raises(WeightsError, match="damaged.pt: torch cannot run it as TorchScript on 3 x 64 x 48") as caught:
        load_embedder("sscd", "copy", EmbedderOptions(damaged, SIZE, TRUSTED))
    assert "\n" not in str(caught.value)
    torch.save(Small().state_dict(), other)
    with pytest.raises(WeightsError, match="other.pt: torch cannot run it as TorchScript"):
        load_embedder("sscd", "copy", EmbedderOptions(other, SIZE, TRUSTED))
    saved(other, "scripted", Several())
    with pytest.raises(WeightsError, match=r"for two pictures it gives \(2, 64, 48\), expected two vectors$"):
        load_embedder("sscd", "copy", EmbedderOptions(other, SIZE, TRUSTED))
    with pytest.raises(UsageError, match=r"no copy model 'mobilnet': did you mean 'mobilenet'\? there is mobilenet, s"):
        load_embedder("mobilnet", "copy")


def test_sscd_itself_is_said_to_be_missing() -> None:
    with pytest.raises(WeightsError, match=r"the weights of sscd \(sscd_disc_mixup.torchscript.pt, 98.8 MB\) are not "
                                           r"at hand: the network is off; at hand: .*vtk models pull sscd$") as caught:
        load_embedder("sscd", "copy", EmbedderOptions(runtime=CPU))
    assert caught.value.code == "E_OFFLINE"


def test_mobilenet_finds_the_same_picture_again(shared: Path) -> None:
    """Its real weights: a picture darker, smaller and badly encoded is nearer to itself than to any other."""
    files = sorted((shared / "data/recognize-scene/imagenet_scene_like").iterdir())[:8]
    pictures = [cv2.cvtColor(cv2.imread(str(file)), cv2.COLOR_BGR2RGB) for file in files]
    edited = []
    for picture in pictures:
        small = (cv2.resize(picture, (200, 150), interpolation=cv2.INTER_AREA) * 0.8).astype(np.uint8)
        edited.append(cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 20])[1], cv2.IMREAD_COLOR))
    embedder = load_embedder("mobilenet", "copy", EmbedderOptions(runtime=CPU))
    similarity = embedder.embed(edited) @ embedder.embed(pictures).T
    assert (similarity.argmax(axis=1) == np.arange(len(pictures))).all()
    assert embedder.dimensions == 1024 and space_of(embedder) == "mobilenet@f409ef4f73fc"
    rough = load_embedder("mobilenet", "copy", EmbedderOptions(runtime=RuntimeOptions("cpu", offline=True)))
    assert ((rough.embed(pictures) * embedder.embed(pictures)).sum(axis=1) > 0.99).all()
