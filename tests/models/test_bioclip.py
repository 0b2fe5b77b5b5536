"""BioCLIP's adapter on a small network that stands in for open_clip's, with files laid out as the hub has them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from vtk.errors import UsageError, VtkError, WeightsError
from vtk.models import zoo
from vtk.models.bioclip import NamedTaxa
from vtk.models.classifier import load_classifier
from vtk.models.runtime import RuntimeOptions

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
SCALE = 20.0
BIRDS = ["Animalia", "Chordata", "Aves", "Passeriformes", "Turdidae"]
# The same bird by two lists, a plant, a genus, and a name without a common one.
TAXA: list[Any] = [[[*BIRDS, "Turdus", "merula"], "Common Blackbird"], [["Plantae", "", "", "", "", "Abies", "alba"], "Silver Fir"],
                   [["Animalia", *BIRDS[1:], "Turdus", "Merula"], "Blackbird"], [[*BIRDS, "Turdus", ""], "Thrushes"],
                   [[*BIRDS, "Turdus", "pilaris"], ""]]
IMAGES = list(np.random.default_rng(0).integers(0, 256, (3, 40, 24, 3), np.uint8))


class Clip(nn.Module):
    """What is used of open_clip's networks."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.trunk = nn.Conv2d(3, 4, 16, 16)
        self.logit_scale = nn.Parameter(torch.tensor(SCALE).log())

    def encode_image(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return vectors (N, 4) of any length."""
        return self.trunk(pictures).mean((2, 3))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a mirror with all four files, where open_clip is our stand-in."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VTK_MIRROR", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setitem(sys.modules, "open_clip", SimpleNamespace(create_model=lambda name, **given: Clip()))
    for file in zoo.get("bioclip-2").hub:
        (tmp_path / file.repository / file.name).parent.mkdir(parents=True, exist_ok=True)
    model, data = tmp_path / "imageomics/bioclip-2", tmp_path / "imageomics/TreeOfLife-200M/embeddings"
    config = {"model_cfg": {"vision_cfg": {"image_size": 32}}, "preprocess_cfg": {"mean": [0.4] * 3, "std": [0.3] * 3}}
    (model / "open_clip_config.json").write_text(json.dumps(config))
    (model / "open_clip_model.safetensors").write_bytes(b"weights")
    np.save(data / "txt_emb_species.npy", vectors())
    (data / "txt_emb_species.json").write_text(json.dumps(TAXA))
    return tmp_path


def vectors() -> np.ndarray:
    """Return (4, 5) float32 of unit length, a column a taxon."""
    found = np.random.default_rng(1).standard_normal((4, 5)).astype(np.float32)
    return found / np.linalg.norm(found, axis=0)


def expected(columns: list[list[int]]) -> np.ndarray:
    """Return the log-probabilities of labels, each of some columns, by the formula."""
    import cv2

    small = np.stack([cv2.resize(image, (32, 32)) for image in IMAGES])
    values = torch.from_numpy(((small / 255 - 0.4) / 0.3).transpose(0, 3, 1, 2).astype(np.float32))
    with torch.inference_mode():
        seen = nn.functional.normalize(Clip().encode_image(values), dim=-1).numpy()
    shares = np.exp(SCALE * seen @ vectors())
    shares = np.stack([shares[:, each].sum(axis=1) for each in columns], axis=1)
    return np.log(shares / shares.sum(axis=1, keepdims=True))


def test_names_are_the_nearest_vectors(mirror: Path) -> None:
    model = load_classifier("bioclip-2", runtime=CPU)
    assert isinstance(model, NamedTaxa) and model.name == "bioclip-2" and len(model.sha256) == 64
    assert model.labels == ("Turdus merula (Common Blackbird)", "Abies alba (Silver Fir)", "Turdus pilaris")
    found = model.scores(IMAGES)
    np.testing.assert_allclose(found, expected([[0, 2], [1], [4]]), atol=1e-4)  # cosines of float32, times 20
    assert found.dtype == np.float32 and np.ptp(found, axis=1).min() > 0.1
    assert model.scores([]).shape == (0, 3)
    with pytest.raises(ValueError, match=r"images\[1\]: got \(9, 9\) uint8"):
        model.scores([IMAGES[0], np.zeros((9, 9), np.uint8)])


def test_labels_of_a_user_choose_among_them_and_are_another_model(mirror: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("turdus pilaris (Fieldfare)\nTurdus merula\n")
    model = load_classifier("bioclip-2", labels=labels, runtime=CPU)
    assert model.labels == ("turdus pilaris (Fieldfare)", "Turdus merula")
    np.testing.assert_allclose(model.scores(IMAGES), expected([[4], [0, 2]]), atol=1e-4)
    assert model.sha256 != load_classifier("bioclip-2", runtime=CPU).sha256


@pytest.mark.parametrize(("text", "words"), [
    ("Turdus merula\nTurdus sp.\n", "1 of its 2 names are no species of txt_emb_species.json, such as 'Turdus sp.'"),
    ("Turdus merula\nTURDUS merula\n", "'Turdus merula' comes twice"), ("background\n", "0 of its 0 names"),
    ("Thrushes\n", "such as 'Thrushes'"),
])  # fmt: skip
def test_labels_that_are_no_species(text: str, words: str, mirror: Path, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text(text)
    with pytest.raises(UsageError, match=words):
        load_classifier("bioclip-2", labels=labels, runtime=CPU)


def spoil(name: str, data: bytes | None) -> Callable[[Path], None]:
    """Return what changes or removes the file ``name`` below a mirror."""
    def change(mirror: Path) -> None:
        [path] = mirror.glob(f"imageomics/*/{name}")
        path.write_bytes(data) if data is not None else path.unlink()
    return change


@pytest.mark.parametrize(("change", "words"), [
    (spoil("open_clip_config.json", b"{}"), "not a configuration of open_clip: KeyError"),
    (spoil("open_clip_config.json", b"[1]"), "not a configuration of open_clip"),
    (spoil("open_clip_config.json", None), "^bioclip-2: open_clip_config.json of imageomics/bioclip-2 is not at hand"),
    (spoil("embeddings/txt_emb_species.json", b"[[1, 2]]"), "it is not a list of taxa"),
    (spoil("embeddings/txt_emb_species.json", b"[]"), "it names no species"),
    (spoil("embeddings/txt_emb_species.json", json.dumps([*TAXA, TAXA[0]]).encode()), "5 vectors, and .* more names"),
    (spoil("embeddings/txt_emb_species.npy", b"no array"), "it is not an array of NumPy"),
])  # fmt: skip
def test_files_that_are_something_else(change: Callable[[Path], None], words: str, mirror: Path) -> None:
    change(mirror)
    with pytest.raises(WeightsError, match=words) as caught:
        load_classifier("bioclip-2", runtime=CPU)
    assert "\n" not in str(caught.value)


def test_vectors_of_another_network(mirror: Path) -> None:
    [path] = mirror.glob("imageomics/*/embeddings/txt_emb_species.npy")
    np.save(path, np.ones((3, 5), np.float32))
    with pytest.raises(WeightsError, match="its vectors have 3 numbers, and those of pictures others"):
        load_classifier("bioclip-2", runtime=CPU)
    np.save(path, np.ones(5, np.int64))
    with pytest.raises(WeightsError, match=r"it is \(5,\) int64, expected a matrix, a column a taxon"):
        load_classifier("bioclip-2", runtime=CPU)


def test_the_extra_is_named_and_weights_are_refused(mirror: Path, tmp_path: Path,
                                                    monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(VtkError, match=r"^bioclip-2 needs open_clip: pip install 'vidtk\[clip\]'$"):
        load_classifier("bioclip-2", runtime=CPU)
    own = tmp_path / "mine.safetensors"
    own.write_bytes(b"x")
    with pytest.raises(UsageError, match="its network and its vectors of names belong together"):
        load_classifier("bioclip-2", own, runtime=CPU)
