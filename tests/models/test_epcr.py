"""EPCR's two networks: shapes and sizes by hand, folded against unfolded, their file, and the scorers made of them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d

from vtk.errors import WeightsError
from vtk.models import epcr_weights
from vtk.models.cdcn_network import CentralConv
from vtk.models.epcr_network import EPCR, Plan, Views
from vtk.models.face_crops import clipped, crop
from vtk.models.liveness import Face, load_liveness
from vtk.models.runtime import RuntimeOptions

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", offline=True)
SMALL = {"cdcn-epcr": Plan(64), "transfas": Plan(64)}
ARCHS = [*SMALL]
PICTURE = np.random.default_rng(3).integers(0, 256, (90, 120, 3), np.uint8)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a cache of the tests' own, so that each network is converted once."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTK_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module", params=ARCHS)
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of a small network whose running means are those of the pictures that it is tried on."""
    path = tmp_path_factory.mktemp("epcr") / f"{request.param}.pth"
    epcr_weights.write(settled(EPCR(request.param, SMALL[request.param])), path)
    return path


def settled(net: EPCR) -> EPCR:
    """Return the network in eval mode, its means those of some pictures, its scores between 0 and 1."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # the last batch counts
    with torch.no_grad():
        for _ in range(2):
            net.train()(images(4, net.plan.side))
        net.eval()
        net.classifier.weight *= 0.3
        net.classifier.bias.fill_(0.5)
    return net


def images(rows: int, side: int) -> torch.Tensor:
    return torch.randn(rows, 3, side, side, generator=torch.Generator().manual_seed(1))


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_cdcn_by_hand() -> None:
    """Parameters of each layer, 9 for a pair of channels and 2 for a norm; sizes of an input of 256 pixels."""
    with torch.device("meta"):
        net = EPCR("cdcn-epcr")
        shapes = []
        for part in (net.trunk.stem, *net.trunk.blocks, net.trunk.fuse):
            part.register_forward_hook(lambda module, given, found: shapes.append(tuple(found.shape[1:])))
        views = net.train()(torch.empty(2, 3, 256, 256))
    pairs = [(3, 64)]
    for first in (64, 128, 128):
        pairs += [(first, 128), (128, 196), (196, 128)]
    pairs += [(384, 128), (128, 64)]
    assert count(net.trunk) == sum(9 * inner * outer + 2 * outer for inner, outer in pairs)
    assert count(net.projector) == count(net.predictor) == 64 * 64 + 2 * 64 + 64 * 64 + 64
    assert count(net.classifier) == 65
    assert shapes == [(64, 128, 128), (128, 64, 64), (128, 32, 32), (128, 16, 16), (64, 32, 32)]
    assert net.plan == Plan(256, 0.7) and {each.theta for each in net.modules() if isinstance(each, CentralConv)} == {0.7}
    assert [tuple(each.shape) for each in views] == [(2, 64, 32, 32)] * 2 + [(2, 1, 32, 32)] * 2


def test_transfas_by_hand() -> None:
    """DeiT-tiny without its classifier, four norms, three blocks of attention, two layers of the decoder."""
    with torch.device("meta"):
        net = EPCR("transfas")
        shapes = []
        for part in (*net.trunk.fusions, *(each.unit for each in net.trunk.fusions), net.trunk.decode):
            part.register_forward_hook(lambda module, given, found: shapes.append(tuple(found.shape[1:])))
        views = net.train()(torch.empty(2, 3, 224, 224))
    width = 192
    block = 4 * width + (3 * width + 3) * width + (width + 1) * width + 8 * width * width + 5 * width
    deit = (3 * 16 * 16 + 1) * width + width + 197 * width + 12 * block + 2 * width
    decoder = 9 * (width * 128 + 128 * 64) + 2 * (128 + 64)
    assert count(net.trunk) == deit + 4 * 2 * width + 3 * block + decoder
    assert shapes == [(392, 192), (196, 192)] * 3 + [(64, 28, 28)]
    assert [tuple(each.shape) for each in views] == [(2, 64, 28, 28)] * 2 + [(2, 1, 28, 28)] * 2


def test_a_central_convolution_is_its_definition() -> None:
    torch.manual_seed(0)
    conv, x = CentralConv(5, 7, 0.7), torch.randn(2, 5, 8, 9)
    weights = conv.weight
    wanted = conv2d(x, weights, padding=1) - 0.7 * conv2d(x, weights.sum((2, 3), keepdim=True))
    torch.testing.assert_close(conv(x), wanted, atol=0, rtol=0)
    plain = conv.plain()
    assert plain.bias is None and not plain.weight.requires_grad
    torch.testing.assert_close(plain(x), wanted, atol=1e-5, rtol=0)
    torch.testing.assert_close(CentralConv(5, 7, 0)(x).shape, wanted.shape)


def test_folded_equals_unfolded(tmp_path: Path) -> None:
    """The whole network: in float64 but for roundings, in float32 to 1e-5 of a score and of a map's largest value."""
    net, path = settled(EPCR("cdcn-epcr", Plan(80))), tmp_path / "ours.pth"
    epcr_weights.write(net, path)
    folded = epcr_weights.read(path, "cdcn-epcr").fold()
    assert folded.folded and not any(isinstance(each, CentralConv) for each in folded.modules())
    assert any(isinstance(each, CentralConv) for each in net.modules()) and not folded.training
    some = images(3, 80)
    with torch.inference_mode():
        for one, other in ((folded.trunk, net.trunk), (folded, net)):
            wanted = other(some)
            torch.testing.assert_close(one(some), wanted, atol=1e-5 * max(1, wanted.max().item()), rtol=0)
        assert 0 < net(some).min() < net(some).max() < 1
        exact, wide = epcr_weights.read(path).double(), some.double()
        wanted = exact.trunk(wide)
        torch.testing.assert_close(exact.fold().trunk(wide), wanted, atol=1e-12, rtol=0)
    with pytest.raises(ValueError, match="net: got a folded network, expected the one that was trained"):
        epcr_weights.write(folded, tmp_path / "again.pth")


@pytest.mark.parametrize("arch", ARCHS)
def test_scores_are_means_of_the_map_and_views_train(arch: str) -> None:
    net, some = settled(EPCR(arch, SMALL[arch])), images(3, 64)
    with torch.inference_mode():
        spoof = net.classifier(net.projector(net.trunk(some))).mean((1, 2, 3))
        torch.testing.assert_close(net(some), 1 - spoof)
        net.classifier.bias += 5
        assert net(some).tolist() == [0, 0, 0], "more than surely a spoof is a spoof"
    views = net.train()(some)
    assert isinstance(views, Views)
    torch.testing.assert_close(views.spoof_predicted, net.classifier(views.predicted))
    sum(each.square().mean() for each in views).backward()
    assert all(each.grad is not None and each.grad.isfinite().all() for name, each in net.named_parameters()
               if not name.startswith("trunk.backbone.norm.")), "a part is not trained"  # fmt: skip
    with pytest.raises(ValueError, match=r"images: got \(1, 3, 32, 64\), expected \(B, 3, 64, 64\)"):
        net(torch.zeros(1, 3, 32, 64))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_comes_back(file: Path, tmp_path: Path, suffix: str) -> None:
    net, path = epcr_weights.read(file), tmp_path / f"ours{suffix}"
    epcr_weights.write(net, path)
    again = epcr_weights.read(path, net.arch)
    assert again.plan == net.plan and not again.training and not again.folded
    with torch.inference_mode():
        torch.testing.assert_close(again(images(2, 64)), net(images(2, 64)), atol=0, rtol=0)


def put(saved: dict[str, Any], key: str, value: Any) -> None:
    saved["state_dict"][key] = value


@pytest.mark.parametrize(("change", "words"), [
    (lambda saved: saved.pop("plan"), "it holds no plan; expected state_dict, arch, plan, as EPCR's are saved"),
    (lambda saved: saved.update(arch="cdcn"), "its arch is 'cdcn', expected cdcn-epcr"),
    (lambda saved: saved.update(plan={"side": 64}), "its plan is {'side': 64}, expected a dict of side, theta"),
    (lambda saved: saved["plan"].update(side=65), "its plan does not hold: side: got 65, expected a multiple of 16"),
    (lambda saved: saved["plan"].update(theta=2), "its plan does not hold: theta: got 2, expected 0 to 1"),
    (lambda saved: saved["state_dict"].pop("classifier.bias"), "those of cdcn-epcr: it does not have classifier.bias$"),
    (lambda saved: put(saved, "classifier.bias", torch.tensor([torch.inf])), "not finite classifier.bias$"),
    (lambda saved: put(saved, "classifier.bias", "x"), "its state_dict is no dict of tensors"),
])
def test_files_that_do_not_fit(tmp_path: Path, change: Callable[[dict[str, Any]], object], words: str) -> None:
    path, net = tmp_path / "ours.pth", EPCR("cdcn-epcr", Plan(64))
    saved = {"state_dict": net.state_dict(), "arch": net.arch, "plan": asdict(net.plan)}
    change(saved)
    torch.save(saved, path)
    with pytest.raises(WeightsError, match=words) as caught:
        epcr_weights.read(path, "cdcn-epcr")
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    path = tmp_path / "ours.safetensors"
    save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(WeightsError, match=r"it holds no arch, plan; expected"):
        epcr_weights.read(path)
    save_file({"a": torch.zeros(1)}, path, {"arch": "transfas", "plan": "no"})
    with pytest.raises(WeightsError, match=r"its plan is 'no', expected a dict of side, theta"):
        epcr_weights.read(path)
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match="safetensors cannot load it: damaged, or not EPCR's"):
        epcr_weights.read(path)


def test_the_scorer(file: Path, home: Path) -> None:
    """Equal to the unfolded network itself, alone and in company; without torch from then on."""
    faces = [Face(PICTURE, (10, 10, 30, 40)), Face(PICTURE, (60, 20, 90.7, 50.2)), Face(PICTURE, (-5, 70, 20, 99))]
    net, model = epcr_weights.read(file), load_liveness(file.stem, file, CPU)
    crops = np.stack([crop(face, clipped, 1.5, 64) for face in faces])
    with torch.inference_mode():
        expected = net((torch.from_numpy(crops).permute(0, 3, 1, 2) - 127.5) / 128).numpy()
    assert (model.name, model.precision, model.batch) == (file.stem, "fp32", 1)
    scores = model.scores(faces)
    np.testing.assert_allclose(scores, expected, atol=1e-5)
    np.testing.assert_array_equal(model.scores(faces[1:2]), scores[1:2])
    assert np.ptp(expected) > 1e-4, "the network tells nothing apart"
    code = f"""
import sys
from pathlib import Path
from vtk.models.liveness import load_liveness
from vtk.models.runtime import RuntimeOptions
print(load_liveness({file.stem!r}, Path({str(file)!r}), RuntimeOptions("cpu")).name, "torch" in sys.modules)
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert told == f"{file.stem} False\n".encode()
    other = next(each for each in ARCHS if each != file.stem)
    with pytest.raises(WeightsError, match=f"its arch is '{file.stem}', expected {other}"):
        load_liveness(other, file, CPU)


@pytest.mark.parametrize(("xyxy", "expected"), [
    ((40, 30, 60, 50), (35, 25, 65, 55)),  # 20 pixels, 30 around their middle
    ((40, 30, 61, 51), (34, 24, 67, 57)),  # 31.5: whatever pixel is touched
    ((0, 0, 20, 20), (0, 0, 25, 25)),  # cut off at the edges
    ((110, 80, 130, 100), (105, 75, 120, 90)),
    ((119.9, 89.9, 500, 500), (24, 0, 120, 90)),
])
def test_where_crops_lie(xyxy: tuple[float, ...], expected: tuple[int, ...]) -> None:
    assert clipped((90, 120), xyxy, 1.5) == expected


@pytest.mark.parametrize("arch", ARCHS)
def test_there_are_no_weights_yet(arch: str) -> None:
    with pytest.raises(WeightsError, match=f"{arch} has no trained weights yet .*--weights FILE"):
        load_liveness(arch)
    with pytest.raises(ValueError, match="arch: got 'cdcn', expected cdcn-epcr or transfas"):
        EPCR("cdcn")
