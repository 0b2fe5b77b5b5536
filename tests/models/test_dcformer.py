"""DC-Former: shapes and sizes by hand, timm's own ViT as the reference, its file, and the embedder made of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch

from vtk.errors import UsageError, WeightsError
from vtk.models import dcformer_weights
from vtk.models.dcformer_network import CAMERA_WEIGHT, DCFormer, Plan
from vtk.models.embedder import EmbedderOptions, load_embedder
from vtk.models.runtime import RuntimeOptions

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = Plan(height=64, width=32, cameras=3, identities=5)  # 5 x 2 patches
CPU = RuntimeOptions("cpu", "fp32")


@pytest.fixture
def net() -> DCFormer:
    torch.manual_seed(0)
    return DCFormer("dcformer-s", SMALL).eval()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("dcformer") / "ours.pth"
    dcformer_weights.write(DCFormer("dcformer-s", SMALL), path)
    return path


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def images(rows: int, plan: Plan = SMALL) -> torch.Tensor:
    return torch.randn(rows, 3, plan.height, plan.width, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(("arch", "width", "whole"), [("dcformer-s", 384, 21_683_328), ("dcformer-b", 768, 85_833_984)])
def test_parameters_by_hand(arch: str, width: int, whole: int) -> None:
    """A block: two norms, 3 D x D with biases, D x D, and D to 4 D and back; 12 of them between patches and norm."""
    block = 4 * width + (3 * width + 3) * width + (width + 1) * width + 8 * width * width + 5 * width
    with torch.device("meta"):
        bare, trained = DCFormer(arch), DCFormer(arch, Plan(cameras=6, identities=10))
    trunk = (3 * 16 * 16 + 1) * width + 12 * block + 2 * width
    assert count(bare) == trunk + (2 + 2 + 21 * 10) * width
    assert count(trained) == count(bare) + 6 * width + 2 * (2 * width + 10 * width) == whole
    assert bare.dimensions == 2 * width
    # timm's ViT has one class token, 197 positions, and a patch projection of the same size.
    with torch.device("meta"):
        vit = timm.create_model(f"vit_{'small' if width == 384 else 'base'}_patch16_224", num_classes=0)
    assert count(bare) == count(vit) + (2 + 212 - 1 - 197) * width


@pytest.mark.parametrize(("height", "grid"), [(256, (21, 10)), (384, (31, 10))])
def test_patches_overlap(height: int, grid: tuple[int, int]) -> None:
    plan = Plan(height=height)
    with torch.device("meta"):
        net = DCFormer("dcformer-s", plan)
        assert net.patch_embed["proj"](torch.zeros(1, 3, height, 128)).shape == (1, 384, *grid)
    assert plan.grid == grid and net.position.shape == (1, grid[0] * grid[1], 384)


def test_shapes_at_full_size() -> None:
    plan = Plan(tokens=3)
    net = DCFormer("dcformer-s", plan).eval()
    seen: list[tuple[int, ...]] = []
    net.blocks[11].register_forward_hook(lambda _, args, out: seen.append(tuple(out.shape)))
    with torch.inference_mode():
        vectors = net(images(2, plan))
    assert seen == [(2, 3 + 210, 384)] and vectors.shape == (2, 3 * 384) and net.dimensions == 3 * 384
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))


def test_vectors_are_the_tokens_before_their_norms(net: DCFormer) -> None:
    with torch.inference_mode():
        features, vectors = net.features(images(2)), net(images(2))
    assert features.shape == (2, 2, 384)
    joined = torch.cat([features[:, 0], features[:, 1]], dim=1)
    torch.testing.assert_close(vectors, joined / joined.norm(dim=1, keepdim=True))
    assert not torch.allclose(features[:, 0], features[:, 1], atol=1e-2)


def test_training_gives_each_token_its_own_classification(net: DCFormer) -> None:
    views = net.train()(images(4), torch.tensor([0, 2, -1, 1]))
    assert views.features.shape == (4, 2, 384) and views.logits.shape == (4, 2, 5)
    for token in range(2):
        own = views.features[:, token]
        normed = (own - own.mean(0)) / (own.var(0, unbiased=False) + net.necks[token].eps).sqrt()
        torch.testing.assert_close(views.logits[:, token], normed @ net.classifiers[token].weight.T, atol=1e-4, rtol=0)
    torch.nn.functional.cross_entropy(views.logits.flatten(0, 1), torch.arange(8) % 5).backward()
    still = [name for name, parameter in net.named_parameters() if parameter.grad is None]
    assert still == ["necks.0.bias", "necks.1.bias"]
    rates = [getattr(block.drop_path1, "drop_prob", 0.0) for block in net.blocks]
    assert rates == pytest.approx([0.1 * index / 11 for index in range(12)])


def test_there_is_something_to_train() -> None:
    with pytest.raises(ValueError, match="plan: got no identities"):
        DCFormer("dcformer-s", Plan(height=64, width=32)).train()(images(2))


@torch.inference_mode()
def test_a_camera_is_added_to_every_token(net: DCFormer) -> None:
    picture = images(1)
    known = [net.features(picture, torch.tensor([camera])) for camera in range(3)]
    assert all((known[0] - other).abs().max() > 1e-3 for other in known[1:])
    torch.testing.assert_close(net.features(picture.expand(3, -1, -1, -1), torch.arange(3)), torch.cat(known),
                               atol=1e-4, rtol=0)
    unknown = net.features(picture)
    torch.testing.assert_close(net.features(picture, torch.tensor([-1])), unknown)
    added = CAMERA_WEIGHT * net.camera
    for shift, expected in ((added[1], known[1]), (added.mean(0), unknown)):
        plain = DCFormer("dcformer-s", Plan(height=64, width=32)).eval()
        plain.load_state_dict({key: value for key, value in net.state_dict().items()
                               if not key.startswith(("camera", "necks", "classifiers"))})
        plain.cls_position += shift
        plain.position += shift
        torch.testing.assert_close(plain.features(picture, torch.tensor([1])), expected, atol=1e-4, rtol=0)
    assert CAMERA_WEIGHT == 3.0


@torch.inference_mode()
def test_one_token_without_overlap_is_timms_vit() -> None:
    torch.manual_seed(2)
    vit = timm.create_model("vit_small_patch16_224", img_size=(64, 64), num_classes=3).eval()
    vit.cls_token.normal_()
    plan = Plan(tokens=1, height=64, width=64, stride=16)
    net = DCFormer("dcformer-s", plan).eval()
    dcformer_weights.start_from(net, vit.state_dict())
    net.cls_position.copy_(vit.pos_embed[:, :1])
    picture = images(2, plan)
    torch.testing.assert_close(net.features(picture)[:, 0], vit.forward_features(picture)[:, 0], atol=1e-5, rtol=0)


@torch.inference_mode()
def test_starting_from_a_vit_of_224(net: DCFormer) -> None:
    vit = timm.create_model("vit_small_patch16_224", pretrained=False)
    state = vit.state_dict()
    ramp = torch.arange(14.0)[:, None, None] + 100 * torch.arange(14.0)[None, :, None] + torch.zeros(384)
    state["pos_embed"] = torch.cat([torch.full((1, 1, 384), 7.0), ramp.reshape(1, 196, 384)], dim=1)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    dcformer_weights.start_from(net, state)
    assert torch.equal(net.cls_token, vit.cls_token.expand(1, 2, 384))
    # Halfway positions of 14 cells in 5 and in 2: (place + 0.5) * 14 / cells - 0.5, and a ramp is its own stretch.
    rows, columns = (torch.arange(5) + 0.5) * 14 / 5 - 0.5, (torch.arange(2) + 0.5) * 14 / 2 - 0.5
    expected = (rows[:, None] + 100 * columns[None]).reshape(1, 10, 1).expand(1, 10, 384)
    torch.testing.assert_close(net.position, expected, atol=1e-3, rtol=0)
    assert torch.equal(net.blocks[11].attn.qkv.weight, vit.blocks[11].attn.qkv.weight)
    kept = ("cls_position", "camera", "necks.0.weight", "classifiers.1.weight")
    assert all(torch.equal(net.state_dict()[key], before[key]) for key in kept)


@pytest.mark.parametrize(("change", "words"), [
    (lambda state: state.pop("cls_token"), "got no dict of tensors with cls_token and pos_embed"),
    (lambda state: state.update(cls_token=torch.zeros(1, 1, 192)), r"got cls_token \(1, 1, 192\)"),
    (lambda state: state.update(pos_embed=torch.zeros(1, 198, 384)), r"pos_embed \(1, 198, 384\), expected"),
    (lambda state: state.update(dist_token=torch.zeros(1, 1, 384)), "it has besides dist_token$"),
    (lambda state: state.pop("norm.bias"), "it does not have norm.bias$"),
])
def test_what_is_no_vit_is_refused(net: DCFormer, change: Callable[[dict[str, Any]], object], words: str) -> None:
    state = {key: value for key, value in net.state_dict().items() if key.startswith(("patch", "blocks", "norm"))}
    state |= {"cls_token": torch.zeros(1, 1, 384), "pos_embed": torch.zeros(1, 5, 384)}
    change(state)
    with pytest.raises(ValueError, match=words):
        dcformer_weights.start_from(net, state)


def test_wrong_plans_and_pictures(net: DCFormer) -> None:
    with pytest.raises(ValueError, match="arch: got 'vit', expected dcformer-s or dcformer-b"):
        DCFormer("vit")
    for wrong in ({"tokens": 0}, {"height": 8}, {"stride": 17}, {"cameras": -1}, {"identities": True}, {"width": 1e9}):
        [(name, value)] = wrong.items()
        with pytest.raises(ValueError, match=f"{name}: got {value}, expected"):
            Plan(**wrong)
    for shape in ((2, 3, 32, 64), (3, 64, 32), (2, 1, 64, 32)):
        with pytest.raises(ValueError, match=r"images: got .* expected \(B, 3, 64, 32\)"):
            net(torch.zeros(shape))


def test_a_file_comes_back_as_it_was_written(file: Path, net: DCFormer, monkeypatch: pytest.MonkeyPatch) -> None:
    back = dcformer_weights.read(file)
    assert back.plan == SMALL and not back.training and not back.necks[0].bias.requires_grad
    assert all(torch.equal(value, back.state_dict()[key]) for key, value in net.state_dict().items())
    with torch.inference_mode():
        assert torch.equal(back(images(2)), net(images(2)))
    halves = torch.load(file, weights_only=True)
    halves["state_dict"] = {key: value.half() for key, value in halves["state_dict"].items()}
    monkeypatch.setattr(torch, "load", lambda *_, **__: halves)
    rough = dcformer_weights.read(file)
    assert rough.position.dtype == torch.float32 and rough.necks[0].num_batches_tracked.dtype == torch.int64
    with torch.inference_mode():
        assert ((rough(images(2)) * net(images(2))).sum(1) > 0.9999).all()


def put(saved: dict[str, Any], key: str, value: Any) -> None:
    saved["state_dict"][key] = value


@pytest.mark.parametrize(("change", "words"), [
    (lambda saved: saved.pop("plan"), "it holds no plan; expected state_dict, arch, plan"),
    (lambda saved: saved.update(arch="dcformer-x"), "its arch is 'dcformer-x', expected dcformer-s"),
    (lambda saved: saved.update(plan={"tokens": 2}), "its plan is {'tokens': 2}, expected a dict of cameras, height"),
    (lambda saved: saved["plan"].update(tokens=10**9), "its plan does not hold: tokens: got 1000000000, expected 1 to"),
    (lambda saved: saved["plan"].update(tokens="2"), "tokens: got '2', expected 1 to"),
    (lambda saved: saved["plan"].update(cameras=4), r"in another shape camera \(3, 384\) for \(4, 384\)$"),
    (lambda saved: saved["plan"].update(cameras=0), "it has besides camera$"),
    (lambda saved: [saved["state_dict"].pop(f"blocks.{index}.norm1.weight") for index in range(5)],
     "it does not have blocks.0.norm1.weight, blocks.1.norm1.weight, blocks.2.norm1.weight and 2 more$"),
    (lambda saved: put(saved, "norm.bias", torch.full((384,), torch.inf)), "values that are not finite norm.bias$"),
    (lambda saved: put(saved, "norm.bias", "x"), "its state_dict is no dict of tensors"),
])
def test_files_that_do_not_fit(file: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], object],
                               words: str) -> None:  # fmt: skip
    saved = torch.load(file, weights_only=True)
    change(saved)
    monkeypatch.setattr(torch, "load", lambda *_, **__: saved)
    with pytest.raises(WeightsError, match=words) as caught:
        dcformer_weights.read(file)
    assert str(caught.value).startswith(str(file)) and "\n" not in str(caught.value)


def test_the_embedder(file: Path, net: DCFormer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal to the network itself on crops of other sizes, alone and in company; without torch from then on."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    embedder = load_embedder("dcformer-s", "reid", EmbedderOptions(weights=file, runtime=CPU))
    assert (embedder.name, embedder.dimensions, embedder.precision) == ("ours", 768, "fp32")
    crops = list(np.random.default_rng(0).integers(0, 256, (9, 64, 32, 3), np.uint8))
    values = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2) / 255
    with torch.inference_mode():
        expected = net((values - 0.5) / 0.5).numpy()
    np.testing.assert_allclose(embedder.embed(crops), expected, atol=1e-5)
    np.testing.assert_allclose(embedder.embed(crops[4:5]), expected[4:5], atol=1e-5)
    assert embedder.embed([np.repeat(crops[0], 2, axis=0)]) @ expected[0] > 0.9
    code = f"""
import sys
from pathlib import Path
from vtk.models.embedder import EmbedderOptions, load_embedder
from vtk.models.runtime import RuntimeOptions
made = load_embedder("dcformer-s", "reid", EmbedderOptions(Path({str(file)!r}), (64, 32), RuntimeOptions("cpu")))
print(made.dimensions, "torch" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"768 False\n"
    with pytest.raises(UsageError, match="--input 256x128: .*ours.pth was made for 64x32; leave --input away"):
        load_embedder("dcformer-s", "reid", EmbedderOptions(file, (256, 128), CPU))
    with pytest.raises(WeightsError, match="its arch is 'dcformer-s', expected dcformer-b"):
        load_embedder("dcformer-b", "reid", EmbedderOptions(file, runtime=CPU))
    assert not list((tmp_path / "converted").glob(".part-*"))


def test_there_are_no_weights_yet() -> None:
    with pytest.raises(WeightsError, match="dcformer-b has no trained weights yet .*--weights FILE"):
        load_embedder("dcformer-b", "reid")
    assert asdict(Plan())["tokens"] == 2
