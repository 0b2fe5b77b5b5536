"""Classifiers of timm's hub, out of a cache in the hub's layout, with small networks that are not trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file

from vtk.errors import UsageError, VtkError, WeightsError
from vtk.models import zoo
from vtk.models.classifier import load_classifier
from vtk.models.runtime import RuntimeOptions
from vtk.models.timm_classifier import _repository, read_config, species_of

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = RuntimeOptions("cpu", "fp32", offline=True)
SPECIES = [f"{index:05}_Animalia_Chordata_Aves_Passeriformes_Paridae_Parus_species{index}" for index in range(7)]
CONFIG: dict[str, Any] = {
    "architecture": "test_resnet", "num_classes": 7, "label_names": SPECIES,
    "pretrained_cfg": {"input_size": [3, 64, 64], "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3], "crop_pct": 1.0,
                       "num_classes": 7, "classifier": "fc"},
}
INAT21 = ("inat21-eva02-large", "inat21-vit-large", "inat21-convnext-large")
IMAGES = list(np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), np.uint8))


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep conversions and the hub's files of this machine out."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def network(outputs: int = 7) -> torch.nn.Module:
    """Return a small network whose classes differ."""
    torch.manual_seed(0)
    net = timm.create_model("test_resnet", num_classes=outputs).eval()
    torch.nn.init.normal_(net.get_classifier().weight)
    return net


def put(hub: Path, repository: str, config: dict[str, Any], net: torch.nn.Module) -> Path:
    """Write the files of a repository into the hub's cache, in its layout; return where the weights lie."""
    cache = hub / f"models--{repository.replace('/', '--')}"
    folder = cache / "snapshots" / ("0" * 40)
    folder.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("0" * 40)
    (folder / "config.json").write_text(json.dumps(config))
    save_file(net.state_dict(), folder / "model.safetensors")
    return folder / "model.safetensors"


@pytest.mark.parametrize(("name", "repository"), [("timm:small.ft_inat21", "timm/small.ft_inat21"),
                                                  ("timm:someone/small", "someone/small"),
                                                  (INAT21[0], zoo.get(INAT21[0]).hub[0].repository)])
def test_scores_and_names_are_those_of_the_hub(name: str, repository: str, tmp_path: Path) -> None:
    net = network()
    put(tmp_path / "hub", repository, CONFIG, net)
    model = load_classifier(name, runtime=CPU)
    assert model.name == name and model.labels[:2] == ("Parus species0", "Parus species1") and len(model.labels) == 7
    values = (np.stack(IMAGES) / 255 - (0.4, 0.5, 0.6)) / (0.2, 0.25, 0.3)
    with torch.inference_mode():
        expected = net(torch.from_numpy(values.transpose(0, 3, 1, 2).astype(np.float32))).log_softmax(1).numpy()
    np.testing.assert_allclose(model.scores(IMAGES), expected, atol=1e-4)  # sums of float32 in another order
    assert np.ptp(expected, axis=1).min() > 0.5


@pytest.mark.parametrize("name", INAT21)
def test_rows_of_the_table_name_the_repository_that_is_loaded(name: str) -> None:
    model = zoo.get(name)
    assert {file.repository for file in model.hub} == {_repository(model.arch)}


def test_offline_it_says_what_is_missing() -> None:
    with pytest.raises(WeightsError, match=r"^timm:small.ft_inat21: config.json of timm/small.ft_inat21 is not at hand"
                                           r": the network is off; one run with .* --weights$") as caught:
        load_classifier("timm:small.ft_inat21", runtime=CPU)
    assert caught.value.code == "E_OFFLINE"


def test_classes_without_names_need_labels(tmp_path: Path) -> None:
    config = {key: value for key, value in CONFIG.items() if key != "label_names"}
    put(tmp_path / "hub", "timm/small", config, network())
    with pytest.raises(UsageError, match="does not name its 7 classes; give their names with --labels FILE"):
        load_classifier("timm:small", runtime=CPU)
    labels = tmp_path / "labels.txt"
    labels.write_text("background\n" + "".join(f"bird {index}\n" for index in range(6)))
    model = load_classifier("timm:small", labels=labels, runtime=CPU)
    assert model.labels == tuple(f"bird {index}" for index in range(6))
    assert (np.exp(model.scores(IMAGES)).sum(axis=1) < 0.999).all()  # less the background's


@pytest.mark.parametrize(("change", "outputs", "words"), [
    ({"architecture": "no_such_net"}, 7, "has no network 'no_such_net'; upgrade timm"),
    ({"num_classes": 5}, 7, "7 labels, and the network has 5 outputs"),
    ({"label_names": SPECIES[:5], "num_classes": 5}, 7, r"with 5 classes: it has in another shape fc.weight \(7, "),
    ({"architecture": None}, 7, "has no network 'None'"),
    ({"num_classes": "many"}, 7, "is not one of timm's: ValueError"),
])  # fmt: skip
def test_configs_and_weights_that_do_not_fit(change: dict[str, Any], outputs: int, words: str, tmp_path: Path) -> None:
    put(tmp_path / "hub", "timm/small", {**CONFIG, **change}, network(outputs))
    with pytest.raises(VtkError, match=words) as caught:
        load_classifier("timm:small", runtime=CPU)
    assert "\n" not in str(caught.value)


def test_a_users_own_weights(tmp_path: Path) -> None:
    path, labels = tmp_path / "mine.pt", tmp_path / "labels.txt"
    torch.save({"state_dict": network(3).state_dict()}, path)
    labels.write_text("a\nb\nc\n")
    model = load_classifier("timm:test_resnet", path, labels, CPU)
    assert model.name == "mine" and model.labels == ("a", "b", "c") and model.scores(IMAGES).shape == (3, 3)
    with pytest.raises(UsageError, match="timm:test_resnet --weights: give the names of its classes, too"):
        load_classifier("timm:test_resnet", path, runtime=CPU)
    with pytest.raises(UsageError, match="timm has no network of that name"):
        load_classifier("timm:nothing", path, labels, CPU)


def test_names_of_classes() -> None:
    assert species_of("02850_Animalia_Chordata_Aves_Piciformes_Picidae_Picus_viridis") == "Picus viridis"
    assert species_of("Picus viridis") == "Picus viridis" and species_of("a_b_c_d") == "a_b_c_d"
    names = read_config({"architecture": "resnet18", "num_classes": 1000}).labels
    assert len(set(names)) == 1000 and names[0] == "tench, Tinca tinca" and names[134].startswith("crane: large")
