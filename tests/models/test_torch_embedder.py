"""Embedders of torch: timm's networks equal to timm itself, what is refused, and where weights come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from vtk.errors import UsageError, VtkError, WeightsError
from vtk.models import torch_net
from vtk.models.conversion import convert
from vtk.models.embedder import PIXELS, EmbedderOptions, load_embedder, space_of
from vtk.models.net_embedder import unit
from vtk.models.runtime import RuntimeOptions
from vtk.models.weights import sha256_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
SIZE = (64, 32)
CROPS = list(np.random.default_rng(0).integers(0, 256, (5, *SIZE, 3), np.uint8))


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep conversions and the hub's files of this machine out."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def made(name: str, **options: Any) -> torch.nn.Module:
    """Return a network whose norms have statistics of their own, or many would put out next to nothing."""
    torch.manual_seed(0)
    net = timm.create_model(name, **options)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.1, 1)
            module.running_mean.normal_(0, 0.1)
    return net.eval()


def vectors_of(net: torch.nn.Module, mean: tuple[float, ...], std: tuple[float, ...]) -> np.ndarray:
    """Return what a network itself makes of CROPS."""
    values = torch.from_numpy(np.stack(CROPS)).permute(0, 3, 1, 2) / 255
    values = (values - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
    with torch.inference_mode():
        return unit(net(values).numpy())


def save_wrapped(state: dict[str, torch.Tensor], path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": {f"module.{key}": value for key, value in state.items()}}, path)


@pytest.mark.parametrize(("name", "save"), [("test_resnet", torch.save), ("test_efficientnet", save_wrapped),
                                            ("test_convnext", save_file)])
def test_a_network_of_timm(name: str, save: Callable[[Any, Path], None], tmp_path: Path) -> None:
    """Weights with a classifier give the vectors of the network without one."""
    path = tmp_path / ("own.safetensors" if save is save_file else "own.pt")
    net = made(name, num_classes=7)
    save(net.state_dict(), path)
    embedder = load_embedder(f"timm:{name}", "reid", EmbedderOptions(path, SIZE, CPU))
    net.reset_classifier(0)
    expected = vectors_of(net, net.pretrained_cfg["mean"], net.pretrained_cfg["std"])
    assert embedder.dimensions == expected.shape[1] == net.num_features
    np.testing.assert_allclose(embedder.embed(CROPS), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(CROPS[3:4]), expected[3:4], atol=1e-5)
    assert np.abs(expected[0] - expected[1]).max() > 1e-3, "the network tells nothing apart"
    assert space_of(embedder) == f"own:64x32@{sha256_of(path)[:12]}"


def test_a_vit_at_another_size(tmp_path: Path) -> None:
    """Its positions are stretched as timm itself stretches them, and its input is 256 x 128 unless said."""
    path = tmp_path / "vit.pt"
    torch.save(made("test_vit").state_dict(), path)
    embedder = load_embedder("timm:test_vit", "reid", EmbedderOptions(path, SIZE, CPU))
    net = timm.create_model("test_vit", pretrained=True, pretrained_cfg_overlay={"file": str(path)}, num_classes=0,
                            img_size=SIZE).eval()  # fmt: skip
    np.testing.assert_allclose(embedder.embed(CROPS), vectors_of(net, (0.5,) * 3, (0.5,) * 3), atol=1e-5)
    whole = load_embedder("timm:test_vit", "reid", EmbedderOptions(path, runtime=CPU))
    assert np.abs(whole.embed(CROPS) - embedder.embed(CROPS)).max() > 1e-3
    assert space_of(whole) == f"vit@{sha256_of(path)[:12]}" != space_of(embedder), "the size that is not said is its own"
    folders = list((tmp_path / "home" / "converted").iterdir())
    assert len(folders) == 2 and sorted(each.name for each in folders[0].iterdir()) == [
        "input.json", "model.bin", "model.xml"]
    stamps = [(each / "model.bin").stat().st_mtime_ns for each in folders]
    load_embedder("timm:test_vit", "reid", EmbedderOptions(path, SIZE, CPU))
    assert [(each / "model.bin").stat().st_mtime_ns for each in folders] == stamps, "it was converted again"


def test_what_runs_on_cuda(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch itself, in bf16 and batches of 16; here on a CPU by another name."""
    path = tmp_path / "own.pt"
    torch.save(made("test_vit").state_dict(), path)
    exact = load_embedder("timm:test_vit", "reid", EmbedderOptions(path, SIZE, CPU)).embed(CROPS)
    monkeypatch.setattr(torch_net, "pick_device", lambda options: "cpu:0")
    rough = load_embedder("timm:test_vit", "reid", EmbedderOptions(path, SIZE, RuntimeOptions(offline=True)))
    assert (rough.precision, rough.batch) == ("bf16", 16)
    assert ((rough.embed(CROPS) * exact).sum(axis=1) > 0.999).all()
    same = load_embedder("timm:test_vit", "reid", EmbedderOptions(path, SIZE, RuntimeOptions("cpu", "fp32", batch=2)))
    assert same.batch == 2
    np.testing.assert_allclose(same.embed(CROPS), exact, atol=1e-5)


def test_timms_own_weights(tmp_path: Path) -> None:
    """Without --weights the hub's file is taken, here out of its cache, in the layout that the hub has."""
    with pytest.raises(WeightsError, match=r"^timm:test_resnet: model.safetensors of timm/test_resnet.r160_in1k is not "
                                           r"at hand: the network is off; one run with .* --weights$") as caught:
        load_embedder("timm:test_resnet", "reid", EmbedderOptions(size=SIZE, runtime=CPU))
    assert caught.value.code == "E_OFFLINE"
    cache = tmp_path / "hub" / "models--timm--test_resnet.r160_in1k"
    path = cache / "snapshots" / ("0" * 40) / "model.safetensors"
    path.parent.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    net = made("test_resnet")
    save_file(net.state_dict(), path)
    embedder = load_embedder("timm:test_resnet", "reid", EmbedderOptions(size=SIZE, runtime=CPU))
    assert space_of(embedder) == f"timm:test_resnet:64x32@{sha256_of(path)[:12]}"
    net.reset_classifier(0)
    np.testing.assert_allclose(embedder.embed(CROPS), vectors_of(net, *[(0.5,) * 3] * 2), atol=1e-5)


@pytest.mark.parametrize(("name", "words"), [
    ("timm:restnet18", "no timm network 'restnet18': did you mean 'timm:res"),
    ("timm:resnet18.nonsense", "timm has no weights of that tag; leave away what follows the dot"),
    ("timm:beit3_giant_patch14_224", "timm hands out no weights for it on the hub; give a file with --weights"),
    ("timm:", r"no reid model 'timm:': .*timm:NAME takes any network of timm"),
    ("timm:test_vit", "--input 60x32: timm's test_vit does not take it: .*60.* patch size"),
])
def test_wrong_names_and_sizes(name: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "own.pt"
    torch.save({"weight": torch.zeros(1)}, path)
    given = None if "beit3" in name else path
    with pytest.raises(VtkError, match=words) as caught:
        load_embedder(name, "reid", EmbedderOptions(given, (60, 32), CPU))
    assert "\n" not in str(caught.value)


def test_files_that_do_not_fit(tmp_path: Path) -> None:
    path, other = tmp_path / "own.pt", tmp_path / "own.safetensors"
    for saved, words in (
        (made("test_vit").state_dict(), r"not have conv1.0.weight, \S+, \S+ and \d+ more; it has besides cls_token, "),
        (made("test_resnet", in_chans=1).state_dict(), r"conv1.0.weight \(\d+, 1, 3, 3\) for \(\d+, 3, 3, 3\)$"),
        ({"state_dict": {}}, "it holds no dict of tensors, nor one under state_dict or model"),
        ([1, 2], "it holds no dict of tensors"),
        ({"a": 1}, "it holds no dict of tensors"),
    ):
        torch.save(saved, path)
        with pytest.raises(WeightsError, match=words) as caught:
            load_embedder("timm:test_resnet", "reid", EmbedderOptions(path, SIZE, CPU))
        assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))
    other.write_bytes(b"not tensors")
    with pytest.raises(WeightsError, match="safetensors cannot load it: damaged"):
        load_embedder("timm:test_resnet", "reid", EmbedderOptions(other, SIZE, CPU))
    assert not list((tmp_path / "home" / "converted").iterdir()), "something half made was left behind"


class Colours(torch.nn.Module):
    """Means of colours and of their squares over a picture of any size."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return torch.cat([images.mean((2, 3)), images.square().mean((2, 3))], dim=1)


def test_a_model_file_of_open_size_takes_what_input_says(tmp_path: Path) -> None:
    convert(Colours(), (2, 3, 16, 16), (-1, 3, -1, -1), tmp_path)
    path = tmp_path / "model.xml"
    crop = np.zeros((40, 20, 3), np.uint8)
    crop[::2, ::2] = 240  # a pixel in four: shrunk, the squares of the means are less than the means of the squares
    embedders = [load_embedder("retail-0277", "reid", EmbedderOptions(path, size, CPU))
                 for size in ((40, 20), (20, 10), (256, 128), None)]
    found = [embedder.embed([crop]) for embedder in embedders]
    assert [space_of(each).rpartition("@")[0] for each in embedders] == ["model:40x20", "model:20x10", "model", "model"]
    plain = np.concatenate([crop.mean((0, 1)), (crop / 1.0 * crop).mean((0, 1))])
    np.testing.assert_allclose(found[0][0], plain / np.linalg.norm(plain), atol=1e-6)
    assert np.abs(found[0] - found[1]).max() > 1e-4
    np.testing.assert_array_equal(found[2], found[3])  # the table's own size


@pytest.mark.parametrize("pixels", [None, *PIXELS])
def test_a_model_file_gets_the_values_that_it_takes(pixels: str | None, tmp_path: Path) -> None:
    """Of one colour, by hand: the means and the squares of its three values, as each name says that they are."""
    convert(Colours(), (2, 3, 16, 16), (-1, 3, 16, 16), tmp_path)
    colour = np.array([200, 100, 50], np.float64)
    crop = np.full((16, 16, 3), colour, np.uint8)
    made = load_embedder("retail-0277", "reid", EmbedderOptions(tmp_path / "model.xml", runtime=CPU, pixels=pixels))
    values = {"imagenet": (colour / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225], "half": colour / 127.5 - 1,
              "unit": colour / 255}.get(str(pixels), colour[::-1])
    expected = np.concatenate([values, values**2])
    np.testing.assert_allclose(made.embed([crop])[0], expected / np.linalg.norm(expected), atol=1e-4)
    assert space_of(made).rpartition("@")[0] == ("model" if pixels in (None, "bgr255") else f"model:{pixels}")


@pytest.mark.parametrize(("name", "weights", "pixels", "words"), [
    ("retail-0277", "own.onnx", "imagnet", "--pixels imagnet: there is imagenet, half, unit, bgr255"),
    ("timm:test_vit", "own.onnx", "half", "--pixels half: test_vit has its own"),
    ("retail-0277", None, "half", "--pixels goes with --weights FILE: retail-0277 has its own"),
])
def test_values_that_nobody_takes(name: str, weights: str | None, pixels: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load_embedder(name, "reid", EmbedderOptions(Path(weights) if weights else None, pixels=pixels))


def test_a_state_dict_needs_the_name_of_its_network(tmp_path: Path) -> None:
    torch.save(made("test_resnet").state_dict(), tmp_path / "own.pt")
    with pytest.raises(WeightsError, match=r"own.pt: a file of .onnx, .tflite or .xml is needed.*--model timm:NAME"):
        load_embedder("retail-0277", "reid", EmbedderOptions(tmp_path / "own.pt", runtime=CPU))


def test_what_openvino_cannot_convert_is_said(tmp_path: Path) -> None:
    class Looks(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return torch.fft.fft2(images).sum().to(torch.complex64).log()

    with pytest.raises(WeightsError, match="^OpenVINO cannot convert Looks: .*aten::log") as caught:
        convert(Looks(), (2, 3, 16, 16), (-1, 3, 16, 16), tmp_path)
    assert "\n" not in str(caught.value)
