"""The loader of Places365's ResNets, on state dicts of the same keys: MIT's own weights are not at hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision

from vtk.errors import WeightsError
from vtk.models import places365, weights, zoo
from vtk.models.classifier import load_classifier
from vtk.models.places365_labels import PLACES
from vtk.models.runtime import RuntimeOptions

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
IMAGES = list(np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), np.uint8))


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Keep conversions of this machine out, and make each once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTK_HOME", str(tmp_path_factory.mktemp("home")))
        yield


def network(arch: str = "resnet18", outputs: int = 365) -> torch.nn.Module:
    """Return a network that is not trained, its batch norms not those of a new one."""
    torch.manual_seed(0)
    net = torchvision.models.get_model(arch, weights=None, num_classes=outputs).eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return net


def saved(net: torch.nn.Module, path: Path, wrapped: bool = True) -> Path:
    """Save a network as MIT does: of torch 0.2, so without counts of batches, trained on several cards, in a dict."""
    state = {f"module.{key}": value for key, value in net.state_dict().items() if "num_batches" not in key}
    told = {"epoch": 90, "arch": "resnet18", "state_dict": state, "best_prec1": 54.65} if wrapped else net.state_dict()
    torch.save(told, path, _use_new_zipfile_serialization=not wrapped)
    return path


@pytest.mark.parametrize("wrapped", [True, False])
def test_scores_are_those_of_the_network(wrapped: bool, tmp_path: Path) -> None:
    net = network()
    model = load_classifier("places365-resnet18", saved(net, tmp_path / "own.pth.tar", wrapped), runtime=CPU)
    assert model.labels == PLACES and len(set(PLACES)) == 365 and model.name == "own.pth"
    scores = model.scores(IMAGES)
    # Of a picture the network sees the middle 87.5 %, resized: here it gets the same.
    from vtk.models.net_classifier import fitted

    seen = np.stack([fitted(image, zoo.get("places365-resnet18").input) for image in IMAGES]) / 255
    values = (seen - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)
    with torch.inference_mode():
        expected = net(torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))).log_softmax(1).numpy()
    np.testing.assert_allclose(scores, expected, atol=1e-4)  # sums of float32 in another order, over 18 layers
    assert np.ptp(expected, axis=1).min() > 0.5  # and the classes differ by far more than that


def test_the_larger_one_reads_its_own_keys_alone(tmp_path: Path) -> None:
    path = saved(network("resnet50"), tmp_path / "fifty.pth.tar")
    assert isinstance(places365.read(path, "resnet50").fc, torch.nn.Linear)
    with pytest.raises(WeightsError, match="are not those of Places365's resnet18: it .*has besides"):
        places365.read(path, "resnet18")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has in another shape fc.weight \(1000, 512\) for \(365, 512\)"):
        places365.read(saved(network(outputs=1000), tmp_path / "imagenet.pth"), "resnet18")
    net = network()
    net.fc.bias.data[3] = torch.nan
    with pytest.raises(WeightsError, match="with values that are not finite fc.bias"):
        places365.read(saved(net, tmp_path / "nan.pth"), "resnet18")
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(WeightsError, match="no dict of tensors"):
        places365.read(tmp_path / "list.pth", "resnet18")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(WeightsError, match="damaged, or not those of Places365"):
        places365.read(tmp_path / "text.pth", "resnet18")


def test_without_the_network_the_message_says_what_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VTK_MIRROR", raising=False)
    with pytest.raises(WeightsError, match="resnet50_places365.pth.tar.*the network is off.*vtk models pull places365"):
        load_classifier("places365-resnet50", runtime=CPU)


def test_a_file_that_nobody_vouches_for_needs_trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_MIRROR", str(tmp_path))
    saved(network(), tmp_path / "resnet18_places365.pth.tar")
    with pytest.raises(WeightsError, match="no published one is known to check it against; --trust-weights"):
        load_classifier("places365-resnet18", runtime=CPU)
    found = weights.resolve(zoo.get("places365-resnet18"), offline=True, trust=True)
    assert places365.read(found.paths[0], "resnet18")


def test_the_labels_are_the_official_ones(shared: Path) -> None:
    lines = (shared / "data" / "recognize-scene" / "categories_places365.txt").read_text().splitlines()
    assert [line.split()[0][3:] for line in lines] == list(PLACES)
