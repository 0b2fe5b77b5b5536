"""Zero-shot classifiers, with a small network of open_clip that is not trained where open_clip is installed."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vtk.errors import UsageError, VtkError, WeightsError
from vtk.models import zero_shot
from vtk.models.classifier import load_classifier, model_name
from vtk.models.open_clip_network import Prepared, taken, tokenizer_of
from vtk.models.runtime import RuntimeOptions
from vtk.models.zero_shot import load_zero_shot, remembered, spoken

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
SMALL = {"embed_dim": 32,
         "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
         "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1}}
RANDOM = np.random.default_rng(0)
IMAGES = [RANDOM.integers(0, 256, shape, np.uint8) for shape in ((40, 60, 3), (60, 40, 3), (32, 32, 3))]
VECTORS = RANDOM.normal(size=(2, 5)).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def place(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Keep conversions and vectors of this machine out, and make each once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTK_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path_factory.mktemp("hub")))
        yield


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Return a file of three labels and a background."""
    path = tmp_path / "labels.txt"
    path.write_text("forest/broadleaf\nbackground\ntrain_station\nGaststätte\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Return a network of open_clip that is not trained, and a file of its weights."""
    open_clip = pytest.importorskip("open_clip", reason="open_clip is not installed: pip install 'vidtk[clip]'")
    import torch

    config = tmp_path_factory.mktemp("clip") / "vtk-small.json"
    config.write_text(json.dumps(SMALL))
    open_clip.add_model_config(config)
    torch.manual_seed(0)
    net = open_clip.create_model("vtk-small", device="cpu", precision="fp32").eval()
    torch.nn.init.normal_(net.text_projection)
    torch.nn.init.normal_(net.visual.proj)
    torch.save(net.state_dict(), config.with_suffix(".pt"))
    return net, config.with_suffix(".pt")


def test_scores_are_those_of_open_clip(small: tuple[Any, Path], labels: Path) -> None:
    import open_clip
    import torch
    from PIL import Image

    net, weights = small
    model = load_zero_shot("clip:vtk-small", labels, CPU, weights)
    assert model.labels == ("forest/broadleaf", "train_station", "Gaststätte") and model.name == "vtk-small"
    told = open_clip.image_transform(32, is_train=False)  # bicubic and the shorter side, by default
    names = ("broadleaf forest", "train station", "Gaststätte")
    sentences = [template.format(name) for name in names for template in zero_shot.TEMPLATES]
    with torch.inference_mode():
        seen = net.encode_image(torch.stack([told(Image.fromarray(image)) for image in IMAGES]), normalize=True)
        texts = net.encode_text(open_clip.get_tokenizer("vtk-small")(sentences), normalize=True)
        texts = torch.nn.functional.normalize(texts.reshape(3, -1, 32).mean(1), dim=1)
        expected = (net.logit_scale.exp() * seen @ texts.T).log_softmax(1).numpy()
    scores = model.scores(IMAGES)
    np.testing.assert_allclose(scores, expected, atol=1e-4)  # sums of float32 in another order
    assert scores.dtype == np.float32 and np.ptp(expected, axis=1).min() > 0.05


def test_vectors_of_texts_are_kept_and_other_labels_are_others(
        small: tuple[Any, Path], labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, weights = small
    before = load_classifier("clip:vtk-small", weights, labels, CPU)
    monkeypatch.setattr(zero_shot, "loaded", lambda *args: pytest.fail("the network was loaded again"))
    again = load_classifier("clip:vtk-small", weights, labels, CPU)
    assert again.sha256 == before.sha256
    np.testing.assert_array_equal(again.scores(IMAGES), before.scores(IMAGES))
    monkeypatch.undo()
    labels.write_text("a\nb\n")
    other = load_classifier("clip:vtk-small", weights, labels, CPU)
    assert other.labels == ("a", "b") and other.sha256 != before.sha256
    np.testing.assert_allclose(np.exp(other.scores(IMAGES)).sum(axis=1), 1, atol=1e-5)
    monkeypatch.setattr(zero_shot, "TEMPLATES", zero_shot.TEMPLATES[:1])
    assert load_classifier("clip:vtk-small", weights, labels, CPU).sha256 != other.sha256, "other sentences"


def test_other_files_and_names_are_refused(small: tuple[Any, Path], labels: Path, tmp_path: Path) -> None:
    import torch

    (tmp_path / "text.pt").write_text("no weights")
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pt")
    for file in ("text.pt", "other.pt"):
        with pytest.raises(WeightsError, match=f"{file}: open_clip cannot load it as vtk-small: .*") as caught:
            load_zero_shot("clip:vtk-small", labels, CPU, tmp_path / file)
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="no network 'ViT-B-33': did you mean 'ViT-B-32'"):
        load_zero_shot("clip:ViT-B-33/openai", labels, CPU)
    with pytest.raises(UsageError, match="knows no weights 'mine' of ViT-B-32: there is openai, "):
        load_zero_shot("clip:ViT-B-32/mine", labels, CPU)
    with pytest.raises(UsageError, match="knows no weights '' of vtk-small: there is none"):
        load_zero_shot("clip:vtk-small", labels, CPU)
    with pytest.raises(WeightsError, match="open_clip_model.safetensors of timm/ViT-B-16-SigLIP2 is not at hand"):
        load_zero_shot("siglip", labels, CPU)


def test_words_of_the_hub_are_not_fetched_when_the_network_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    class Library:
        """Stands for open_clip."""

        @staticmethod
        def get_model_config(name: str) -> dict[str, Any]:
            """Return what it says of a network."""
            return {"text_cfg": {"hf_tokenizer_name": "someone/words"} if name == "sig" else {}}

        @staticmethod
        def get_tokenizer(name: str, **options: Any) -> str:
            """Return a tokenizer, where it is at hand."""
            asked.append(options)
            if options:
                raise OSError("someone/words is not\nin the cache")
            return "splits"

    assert tokenizer_of(Library, "plain", True) == tokenizer_of(Library, "sig", False) == "splits"
    with pytest.raises(WeightsError, match="sig: the words of its texts cannot be had: someone/words is not in the cache"):
        tokenizer_of(Library, "sig", True)
    assert asked == [{}, {}, {"local_files_only": True}]
    monkeypatch.setenv("VTK_OFFLINE", "1")
    with pytest.raises(WeightsError, match="and need transformers, which the extra brings"):
        tokenizer_of(Library, "sig", False)


def test_names_and_labels_are_checked_before_open_clip(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(UsageError, match=r"clip needs open_clip: pip install 'vidtk\[clip\]'"):
        load_zero_shot("clip", labels, CPU)
    with pytest.raises(UsageError, match="no zero-shot model 'clop': there is clip, siglip"):
        load_zero_shot("clop", labels, CPU)
    with pytest.raises(UsageError, match="knows no labels of its own: give names with --labels FILE"):
        load_classifier("clip:ViT-B-32/openai", runtime=CPU)
    assert model_name("siglip") == "siglip" and model_name("clip:a/b") == "clip:a/b"
    for text, words in (("background\n", "names the background alone"), ("a\nb\na\n", "lines 1 and 3 are both 'a'")):
        labels.write_text(text)
        with pytest.raises(WeightsError, match=words):
            load_zero_shot("clip", labels, CPU)
    labels.write_bytes("Café\n".encode("latin-1"))
    with pytest.raises(VtkError, match="line 1 is not utf-8; save the labels as UTF-8"):
        load_zero_shot("clip", labels, CPU)


def test_a_damaged_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    made: list[int] = []

    def make() -> np.ndarray:
        made.append(1)
        return VECTORS

    assert remembered("net", ("a", "b"), make) is not None and len(made) == 1
    [path] = (zero_shot.home() / "texts").glob("*.npy")
    np.testing.assert_array_equal(remembered("net", ("a", "b"), make), VECTORS)
    assert len(made) == 1
    raw = path.read_bytes()
    for damaged in (raw[:-1], raw[:-1] + bytes([raw[-1] ^ 1]), b"", raw[:40]):
        path.write_bytes(damaged)
        np.testing.assert_array_equal(remembered("net", ("a", "b"), make), VECTORS)
        assert path.read_bytes() == raw
    assert len(made) == 5
    remembered("net", ("b", "a"), make)
    assert len(made) == 6 and not list(path.parent.glob(".part-*"))


@pytest.mark.parametrize("size", [(1, 1), (7, 900), (900, 7), (33, 32), (1, 5000)])
@pytest.mark.parametrize("squash", [False, True])
def test_pictures_of_any_shape_fill_the_input(size: tuple[int, int], squash: bool) -> None:
    takes = Prepared(32, squash, False, (0.5,) * 3, (0.5,) * 3)
    image = np.full((*size, 3), 77, np.uint8)
    found = taken(image, takes)
    assert found.shape == (32, 32, 3) and (found == 77).all()


def test_pictures_are_cut_as_torchvision_cuts_them() -> None:
    from PIL import Image
    from torchvision import transforms

    takes = Prepared(32, False, False, (0.5,) * 3, (0.5,) * 3)
    theirs = transforms.Compose([transforms.Resize(32, transforms.InterpolationMode.BICUBIC),
                                 transforms.CenterCrop(32)])
    for image in IMAGES:
        np.testing.assert_array_equal(taken(image, takes), np.asarray(theirs(Image.fromarray(image))))
    for bad in (np.zeros((4, 4), np.uint8), np.zeros((0, 4, 3), np.uint8), np.zeros((4, 4, 3), np.float32)):
        with pytest.raises(ValueError, match=r"images\[2\]: got .*expected \(h, w, 3\) uint8 RGB"):
            taken(bad, takes, 2)


def test_labels_are_spoken() -> None:
    assert [spoken(label) for label in ("kitchen", "market/outdoor", "subway_station/platform", "ice cream")] == [
        "kitchen", "outdoor market", "platform subway station", "ice cream"]
