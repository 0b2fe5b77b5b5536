"""The network of two streams: shapes, its tree of labels, that it learns, and its files. There are no weights yet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vtk.errors import UsageError, WeightsError
from vtk.models import twostream, weights, zoo
from vtk.models.classifier import ClassifierOptions
from vtk.models.runtime import RuntimeOptions
from vtk.models.twostream import TwoStreamModel, hashed, load_two_stream, name_labels, read, write
from vtk.models.twostream_loss import two_stream_loss, with_ancestors
from vtk.models.twostream_network import Plan, TwoStream, levels_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
PLAN = Plan(features=12, parts=6, width=32, layers=1, heads=2, texts=64)
NAMES = ("indoor", "kitchen", "train_station", "outdoor", "street", "beach")
PARENTS = (-1, 0, 0, -1, 3, 3)
LEAVES = ("kitchen", "train_station", "street", "beach")
SPACE = "dots@0123456789ab"


class Dots:
    """Stands for an embedder: vectors of 12 numbers, of the mean colour of a crop."""

    name, sha256, dimensions, batch, precision = "dots", "0123456789ab" + "0" * 52, 12, 1, "fp32"

    def embed(self, crops: Any) -> np.ndarray:
        """Return (N, 12) of unit length."""
        means = np.stack([crop.reshape(-1, 3).mean(0) / 255 for crop in crops])
        made = np.concatenate([means, 1 - means, means**2, np.ones_like(means)], 1).astype(np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def net() -> TwoStream:
    """Return a small network that is not trained."""
    torch.manual_seed(0)
    net = TwoStream(PLAN, PARENTS)
    name_labels(net, NAMES)
    return net.eval()


def spans(size: int = 3, long: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return frames, which there are, and texts of spans drawn from a seed."""
    draw = torch.Generator().manual_seed(1)
    frames = torch.randn(size, long, PLAN.parts, PLAN.features, generator=draw)
    present = torch.ones(size, long, dtype=torch.bool)
    texts = torch.from_numpy(np.stack([hashed(word, PLAN.texts) for word in ("kitchen", "", "beach bar")[:size]]))
    return frames, present, texts


def images(count: int = 2) -> list[np.ndarray]:
    """Return pictures of different sizes, drawn from a seed."""
    draw = np.random.default_rng(2)
    return [draw.integers(0, 256, (20 + 7 * n, 31, 3), np.uint8) for n in range(count)]


def test_frames_that_are_not_there_and_words_that_are_not_do_not_count(net: TwoStream) -> None:
    frames, present, texts = spans()
    with torch.inference_mode():
        scores = net(frames, present, texts)
        assert all(each.shape == (3, 6) and bool(each.isfinite().all()) for each in scores)
        padded = torch.cat([frames, torch.full_like(frames[:, :2], 9.0)], 1)
        more = torch.cat([present, torch.zeros_like(present[:, :2])], 1)
        for one, other in zip(net(padded, more, texts), scores, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
        mute = net(frames, present, torch.zeros_like(texts))
        assert torch.equal(mute.temporal[1], scores.temporal[1])  # the one where nothing was written
        assert not torch.allclose(mute.temporal[0], scores.temporal[0], atol=1e-3)
        turned = net(frames.flip(1), present, texts)
        assert not torch.allclose(turned.temporal, scores.temporal, atol=1e-3)  # one stream knows the order
        torch.testing.assert_close(turned.parts, scores.parts, atol=1e-5, rtol=1e-5)  # the other does not
        low, high = torch.minimum(scores.temporal, scores.parts), torch.maximum(scores.temporal, scores.parts)
        assert bool(((scores.fused >= low - 1e-5) & (scores.fused <= high + 1e-5)).all())


def test_what_speaks_for_a_parent_speaks_for_its_children(net: TwoStream) -> None:
    frames, present, texts = spans()
    with torch.inference_mode():
        before = net(frames, present, texts).temporal
        net.labels.bias[0] += 1.0
        rise = net(frames, present, texts).temporal - before
    share = float(torch.nn.functional.softplus(net.labels.gamma.detach()))
    expected = torch.tensor([1.0, share, share, 0.0, 0.0, 0.0]).expand(3, 6)
    torch.testing.assert_close(rise, expected, atol=1e-4, rtol=0)
    assert share > 0.1


def test_the_tree_of_labels() -> None:
    assert levels_of(PARENTS) == ((0, 3), (1, 2, 4, 5)) and levels_of((2, 0, -1)) == ((2,), (0,), (1,))
    for bad in ((1, 0), (0,), (), (-2,), (5, -1), ("a",)):
        with pytest.raises(ValueError, match="parents: "):
            levels_of(bad)
    targets = with_ancestors(torch.tensor([[0.0, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0.5, 0]]), PARENTS)
    assert targets.tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0.5, 0.5, 0]]
    assert with_ancestors(torch.tensor([0.0, 1, 0]), (2, 0, -1)).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"targets: got \(2,\), expected \(..., 6\)"):
        with_ancestors(torch.zeros(2), PARENTS)


def test_the_loss_by_hand() -> None:
    from vtk.models.twostream_network import Scores

    zero, target = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    assert float(two_stream_loss(Scores(zero, zero, zero), target)) == pytest.approx(3 * np.log(2), abs=1e-6)
    fused = torch.tensor([[2.0, -2.0]], requires_grad=True)
    stream = torch.zeros(1, 2, requires_grad=True)
    soft = 1 / (1 + np.exp(-1.0))  # 2 softened by T = 2
    apart = np.log(2) + soft * np.log(soft) + (1 - soft) * np.log(1 - soft)  # KL to an even chance
    expected = 2 * np.log(2) + np.log1p(np.exp(-2)) + 4 * 2 * apart
    loss = two_stream_loss(Scores(stream, stream, fused), target, 2.0)
    assert float(loss.detach()) == pytest.approx(expected, abs=1e-5)
    loss.backward()
    # What the streams differ in from both of them teaches the streams alone.
    torch.testing.assert_close(fused.grad, (torch.sigmoid(fused.detach()) - target) / 2)
    assert float(stream.grad[0, 0]) < 0 < float(stream.grad[0, 1])
    with pytest.raises(ValueError, match=r"targets: got \(1, 3\), expected \(1, 2\)"):
        two_stream_loss(Scores(zero, zero, zero), torch.zeros(1, 3))
    with pytest.raises(ValueError, match="temperature: got 0"):
        two_stream_loss(Scores(zero, zero, zero), target, 0)


def test_it_learns_eight_spans_by_heart(net: TwoStream) -> None:
    draw = torch.Generator().manual_seed(3)
    frames = torch.randn(8, 3, PLAN.parts, PLAN.features, generator=draw)
    present, texts = torch.ones(8, 3, dtype=torch.bool), torch.zeros(8, PLAN.texts)
    leaves = torch.tensor([1, 2, 4, 5, 1, 2, 4, 5])
    targets = with_ancestors(torch.nn.functional.one_hot(leaves, 6).float(), PARENTS)
    net.train()
    torch.manual_seed(4)
    steps, losses = torch.optim.AdamW(net.parameters(), 6e-3), []
    for _ in range(60):
        loss = two_stream_loss(net(frames, present, texts), targets)
        steps.zero_grad()
        loss.backward()
        steps.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 10
    net.eval()
    with torch.inference_mode():
        scores = net(frames, present, texts)
    for each in scores:
        assert torch.equal((each > 0).float(), targets)


def test_a_file_gives_back_what_was_written(net: TwoStream, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twostream, "load_embedder", lambda name, task, options: Dots())
    path = tmp_path / "places.pth"
    write(net, NAMES, SPACE, path)
    again, names, space = read(path)
    assert names == NAMES and space == SPACE and again.plan == PLAN and not again.training
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in net.state_dict().items())
    model = load_two_stream(path, CPU)
    assert isinstance(model, TwoStreamModel) and model.name == "places" and model.labels == LEAVES
    assert model.paths[0] == ("indoor", "kitchen") and len(model.sha256) == 64
    span = model.span(images(), "beach")
    assert span.shape == (4,) and span.dtype == np.float32 and np.exp(span).sum() == pytest.approx(1, abs=1e-5)
    assert not np.allclose(span, model.span(images()), atol=1e-4)  # the words count
    np.testing.assert_array_equal(model.scores(images())[1], model.span(images()[1:]))
    assert model.scores([]).shape == (0, 4)
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"expected \(h, w, 3\) uint8 RGB"):
            model.span([bad])
    with pytest.raises(ValueError, match="images: got none"):
        model.span([])


def test_a_label_is_no_likelier_than_what_it_belongs_to(net: TwoStream) -> None:
    with torch.inference_mode():
        net.labels.bias.copy_(torch.tensor([-9.0, 6.0, -9.0, 4.0, 4.0, -9.0]))
        net.labels.gamma.fill_(-20.0)  # parents do not speak for children: the kitchen is sure, its being indoors is not
    span = TwoStreamModel("x", "0", net, NAMES, Dots()).span(images())
    assert LEAVES[int(span.argmax())] == "street" and span[0] < span[2] - 3


@pytest.mark.parametrize(("change", "words"), [
    ({"labels": ["a", "a", "b", "c", "d", "e"]}, "its labels are .* expected different names"),
    ({"labels": ["a"]}, "its labels are "), ({"parents": [1, 0, 0, -1, 3, 3]}, "its tree of labels does not hold: .*ring"),
    ({"plan": {"width": 3}}, "its plan is "), ({"space": "dots"}, "expected 6 of MODEL@HASH"),
    ({"plan": {"features": 12, "parts": 2, "width": 32, "layers": 1, "heads": 2, "texts": 64}}, "it is for 2 parts"),
    ({"plan": {"features": 12, "parts": 6, "width": 33, "layers": 1, "heads": 2, "texts": 64}}, "multiple of 2 heads"),
    ({"plan": {"features": 13, "parts": 6, "width": 32, "layers": 1, "heads": 2, "texts": 64}}, "in another shape enter"),
])  # fmt: skip
def test_files_that_do_not_hold_are_refused(change: dict[str, Any], words: str, net: TwoStream, tmp_path: Path) -> None:
    path = tmp_path / "places.pth"
    write(net, NAMES, SPACE, path)
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    with pytest.raises(WeightsError, match=words) as caught:
        read(path)
    assert "\n" not in str(caught.value)


def test_other_files_and_other_vectors_are_refused(net: TwoStream, tmp_path: Path,
                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "places.pth"
    path.write_text("no weights")
    with pytest.raises(WeightsError, match="damaged, or not those of two streams"):
        read(path)
    torch.save([1], path)
    with pytest.raises(WeightsError, match="it holds no state_dict, plan, labels and 2 more"):
        read(path)
    write(net, NAMES, "dots@ffffffffffff", path)
    monkeypatch.setattr(twostream, "load_embedder", lambda name, task, options: Dots())
    with pytest.raises(WeightsError, match="trained on vectors of dots@ffffffffffff, .*here are dots@0123456789ab"):
        load_two_stream(path, CPU)
    with pytest.raises(WeightsError, match="found nothing there"):
        load_two_stream(tmp_path / "none.pth", CPU)
    write(net, NAMES, SPACE, path)
    found = weights.resolve(zoo.custom(zoo.get("twostream"), "places"), path, offline=True)
    with pytest.raises(UsageError, match="has its labels in the file of its weights"):
        twostream.build(zoo.get("twostream"), found, ClassifierOptions(path, tmp_path / "labels.txt", CPU))


def test_words_as_vectors() -> None:
    one, other, third = (hashed(text, 512) for text in ("Train_Station", "train stations", "beach"))
    assert float(one @ other) > 0.5 > abs(float(one @ third)) + 0.2
    assert not hashed("", 512).any() and not hashed("… !", 512).any() and one.dtype == np.float32
    assert int(np.abs(hashed("kitchen", 64)).argmax()) == int(np.abs(hashed("KITCHEN", 64)).argmax())


def test_the_mirrors_network_makes_its_vectors(shared: Path, tmp_path: Path) -> None:
    from vtk.models.embedder import EmbedderOptions, load_embedder, space_of

    embedder = load_embedder("mobilenet", "copy", EmbedderOptions(runtime=CPU))
    torch.manual_seed(0)
    write(TwoStream(Plan(), PARENTS), NAMES, space_of(embedder), tmp_path / "mine.pth")
    model = load_two_stream(tmp_path / "mine.pth", CPU)
    assert np.exp(model.span(images(3), "exit")).sum() == pytest.approx(1, abs=1e-5)
