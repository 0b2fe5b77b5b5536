"""CoText's network: the shape of every stage, gradients where training needs them, and its samples."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from cotext_pictures import ideal, picture, quad
from vtk.kernels.masked_roi import masked_roi
from vtk.metrics.polygons import polygon_overlap
from vtk.models.cotext_network import ROI, CoText, boxes_of
from vtk.models.cotext_roi import differentiable_roi, sample
from vtk.models.cotext_spotter import CoTextSpotter
from vtk.models.cotext_weights import LOWERCASE

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def net() -> CoText:
    torch.manual_seed(0)
    return CoText().eval()


def count(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_parameters(net: CoText) -> None:
    """By hand. Joining: reductions 128 (64 + 128 + 256 + 512) and twice six steps of 128 (9 + 128), with norms of 2.

    Reader: 3 x 3 over 512, 3 x 3 and 4 x 1 over 128, an LSTM of two directions, 38 classes.
    """
    steps = 128 * (9 + 128 + 2)
    assert count(net.trunk.backbone) == 11_176_512  # torchvision's ResNet-18 without its classifier
    assert count(net.trunk) - count(net.trunk.backbone) == 128 * 960 + 4 * 256 + 2 * 6 * steps == 337_408
    assert count(net.detector) == 128 * 512 * 9 + 256 + 128 * 6 + 6 == 590_854
    lstm = 2 * (4 * 128 * (128 + 128) + 2 * 4 * 128)
    assert count(net.reader) == 128 * 512 * 9 + 256 + 128 * 128 * 9 + 256 + 128 * 128 * 4 + 128 + lstm + 257 * 38
    assert count(net.reader) == 1_077_414 and count(net.tracker) == 512_000 and count(net) == 13_694_188


@torch.inference_mode()
def test_shapes_of_every_stage(net: CoText) -> None:
    images = torch.zeros(2, 3, 64, 96)
    levels = net.trunk.backbone(images)
    assert [tuple(each.shape) for each in levels] == [
        (2, 64, 16, 24), (2, 128, 8, 12), (2, 256, 4, 6), (2, 512, 2, 3)]
    reduced = [reduce(level) for reduce, level in zip(net.trunk.reduce, levels, strict=True)]
    sides = [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert [tuple(each.shape) for each in reduced] == [(2, 128, *side) for side in sides]
    for pyramid in net.trunk.pyramids:
        reduced = pyramid(reduced)
        assert [tuple(each.shape) for each in reduced] == [(2, 128, *side) for side in sides]
    assert len(net.trunk.pyramids) == 2 and net.trunk(images).shape == (2, 512, 16, 24)
    maps = net(images)
    assert maps.detection.shape == (2, 6, 16, 24) and maps.recognition.shape == (2, 128, 16, 24)
    quads = torch.tensor(np.stack([quad(30, 20, 40, 12), quad(60, 40, 10, 30), quad(50, 30, 30, 10, 20)]))
    rois = net.rois(maps.recognition, quads, torch.tensor([0, 1, 1]))
    assert rois.shape == (3, 128, 8, 32)
    assert net.reader.halve(rois).shape == (3, 128, 4, 32)
    assert net.reader.flatten(net.reader.halve(rois)).shape == (3, 128, 1, 32)
    logits = net.read(rois)
    assert logits.shape == (3, 32, 38)
    tracker = net.tracker
    assert tracker.visual(rois).shape == (3, 128, 8, 32)
    assert tracker.waves(boxes_of(quads)).shape == (3, 4, 128)
    assert tracker.position(tracker.waves(boxes_of(quads))[..., None]).shape == (3, 128, 128, 1)
    assert tracker.semantic(logits[..., None]).shape == (3, 128, 38, 1)
    assert net.embed(rois, quads, logits).shape == (3, 128)
    none = net.rois(maps.recognition, quads[:0], torch.zeros(0, dtype=torch.int64))
    assert net.read(none).shape == (0, 32, 38) and net.embed(none, quads[:0], net.read(none)).shape == (0, 128)


def test_sides_that_are_no_multiple_of_32(net: CoText) -> None:
    with torch.inference_mode():
        assert net(torch.zeros(1, 3, 44, 52)).detection.shape == (1, 6, 11, 13)


def test_the_waves_of_a_place_by_hand(net: CoText) -> None:
    """7.36 pixels are one unit; the first frequency is 1, the 33rd is 1000^-0.5."""
    waves = net.tracker.waves(torch.tensor([[7.36, 0, 736.0, 14.72]]))[0]
    np.testing.assert_allclose(waves[0, [0, 64]], [np.sin(1), np.cos(1)], atol=1e-6)
    np.testing.assert_allclose(waves[2, [32, 96]], [np.sin(100 / 1000**0.5), np.cos(100 / 1000**0.5)], atol=1e-5)
    np.testing.assert_allclose(waves[1, :64], 0)
    assert boxes_of(torch.tensor([[[2.0, 1], [10, 3], [9, 7], [1, 5]]])).tolist() == [[5.5, 4, 9, 6]]


@pytest.mark.parametrize("training", [True, False])
def test_gradients_reach_every_part(training: bool) -> None:
    torch.manual_seed(1)
    net = CoText().train(training)
    for name, parameter in net.named_parameters():
        if name.endswith("bn2.weight"):  # 0 at first, so that a block begins as the identity
            torch.nn.init.ones_(parameter)
    quads = torch.tensor(np.stack([quad(24, 20, 40, 12), quad(40, 40, 40, 16)]))
    maps = net(torch.randn(2, 3, 64, 64))
    rois = net.rois(maps.recognition, quads, torch.tensor([0, 1]))
    logits = net.read(rois)
    embedded = net.embed(rois, quads, logits)
    sum(each.square().mean() for each in (maps.detection, logits, embedded)).backward()
    dead = [name for name, each in net.named_parameters() if each.grad is None or not bool(each.grad.any())]
    assert not dead


def test_the_tracker_alone_can_be_trained() -> None:
    """As in the second stage: all else is frozen, and the kernel samples the map."""
    torch.manual_seed(1)
    net = CoText().requires_grad_(False)
    net.tracker.requires_grad_(True)
    maps = net(torch.randn(1, 3, 64, 64))
    quads = torch.tensor(quad(24, 20, 40, 12)[None])
    rois = net.rois(maps.recognition, quads, torch.zeros(1, dtype=torch.int64))
    net.embed(rois, quads, net.read(rois)).sum().backward()
    assert all(each.grad is not None for each in net.tracker.parameters()) and not rois.requires_grad


def texts(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return a map of two pictures, quads, their pictures, labels and ids; some lie across the border or outside."""
    rng = np.random.default_rng(seed)
    quads = [quad(*rng.uniform((0, 0, 10, 4), (80, 60, 70, 30)), rng.uniform(-60, 60)) for _ in range(12)]
    quads += [quad(-90, -90, 20, 10), quad(30, 30, 8, 40), np.zeros((4, 2), np.float32)]
    features = torch.tensor(rng.normal(0, 1, (2, 5, 15, 20)).astype(np.float32))
    labels = torch.tensor(rng.integers(0, 4, (2, 15, 20)).astype(np.int32)).repeat_interleave(1, 0)
    image_ids = torch.tensor(rng.integers(0, 2, len(quads)))
    return features, torch.tensor(np.stack(quads)), image_ids, labels, torch.tensor(rng.integers(1, 4, len(quads)))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("vertical", [None, 1.5])
def test_samples_for_training_equal_the_kernels(masked: bool, vertical: float | None) -> None:
    """Four float32 products and three sums, of values up to 4: four roundings of 2^-24 each, 1e-6 in all."""
    features, quads, image_ids, labels, ids = texts(3)
    mask = {"labels": labels, "ids": ids} if masked else {}
    ours = differentiable_roi(features, quads, ROI, stride=4, image_ids=image_ids, vertical=vertical, **mask)
    kernel = masked_roi(features, quads, ROI, stride=4, image_ids=image_ids, vertical=vertical, **mask)
    assert ours.shape == kernel.shape == (15, 5, 8, 32) and float(kernel.abs().sum()) > 100
    np.testing.assert_allclose(ours.numpy(), kernel.numpy(), rtol=0, atol=2e-6)
    if not masked and vertical is None:
        assert not bool(ours[[12, 14]].any())


def test_the_map_decides_which_way_is_taken() -> None:
    features, quads, image_ids, _, _ = texts(4)
    fixed = sample(features, quads, ROI, stride=4, image_ids=image_ids)
    free = sample(features.requires_grad_(), quads, ROI, stride=4, image_ids=image_ids)
    assert free.requires_grad and not fixed.requires_grad
    with torch.no_grad():
        assert not sample(features, quads, ROI, stride=4, image_ids=image_ids).requires_grad
    np.testing.assert_allclose(free.detach().numpy(), fixed.numpy(), atol=2e-6)


def test_gradients_of_samples() -> None:
    """Numerically, in float64, and exactly: the map of shares times the gradient."""
    _, quads, image_ids, labels, ids = texts(5)
    rows = slice(0, 3)
    features = torch.randn(2, 2, 15, 20, dtype=torch.float64, requires_grad=True)

    def run(values: torch.Tensor) -> torch.Tensor:
        return differentiable_roi(values, quads[rows], (2, 3), stride=4, image_ids=image_ids[rows], labels=labels,
                                  ids=ids[rows])  # fmt: skip

    assert bool(run(features).any())
    assert torch.autograd.gradcheck(run, (features,))


def test_samples_equal_grid_sample_times_the_mask(net: CoText) -> None:
    """The oracle: torch's own bilinear sampling of the map times the mask of a text, dilated by a cell.

    Upright and turned rectangles, so that the samples are an affine grid; float32 grids in [-1, 1] over 160 cells are
    exact to 1e-5 of a cell.
    """
    quads = np.stack([quad(120, 60, 180, 36), quad(430, 70, 300, 40, 8), quad(130, 220, 150, 30, -35)])
    _, _, labels = ideal(quads, 96, 160)
    torch.manual_seed(2)
    features = torch.randn(1, 128, 96, 160)
    corners, ids = torch.tensor(quads), torch.arange(1, 4)
    got = net.rois(features, corners, torch.zeros(3, dtype=torch.int64), torch.tensor(labels)[None], ids)
    u, v = (np.arange(32) + 0.5) / 32, (np.arange(8) + 0.5) / 8
    for index, (origin, right, _, down) in enumerate(quads):
        points = origin + u[None, :, None] * (right - origin) + v[:, None, None] * (down - origin)
        grid = torch.tensor(2 * points / np.array([640, 384]) - 1, dtype=torch.float32)[None]
        mask = torch.max_pool2d(torch.tensor(labels == index + 1, dtype=torch.float32)[None, None], 3, 1, 1)
        oracle = grid_sample(features * mask, grid, align_corners=False)
        np.testing.assert_allclose(got[index].numpy(), oracle[0].numpy(), atol=2e-4)
        assert float(mask.sum()) < 0.2 * mask.numel() and float(oracle.abs().mean()) > 0.1


def test_the_detector_learns_a_picture_and_finds_its_texts() -> None:
    """A dozen steps of the dice loss on one picture; then the spotter's own way through network and maps."""
    torch.manual_seed(0)
    quads = np.stack([quad(50, 24, 80, 30), quad(80, 66, 84, 26, 10)])
    image = picture(["hotel", "taxi12"], quads, 96, 128)
    targets = [torch.tensor(each > 0).float() for each in ideal(quads, 24, 32)[:2]]
    net = CoText().train()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 0.5  # a dozen steps must do
    optimiser = torch.optim.Adam([*net.trunk.parameters(), *net.detector.parameters()], 1e-3)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    batch = ((torch.tensor(image) / 255 - mean) / deviation).permute(2, 0, 1)[None]
    for _ in range(16):
        maps = [each.sigmoid() for each in net(batch).detection[0, :2]]
        loss = sum(1 - 2 * (map_ * target).sum() / (map_.square().sum() + target.square().sum() + 0.002)
                   for map_, target in zip(maps, targets, strict=True))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    found = CoTextSpotter(net, LOWERCASE, long_side=128).find([image])[0]
    overlap = polygon_overlap(quads, found.quads)
    print("loss", loss.item(), "IoU", overlap.max(axis=1), "scores", found.scores, file=sys.stderr)
    assert len(found.quads) == 2 and overlap.max(axis=1).min() > 0.7
