"""Files of the hub: the cache, a mirror folder, the hub's own cache, and what is said where they are in none."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.errors import WeightsError
from vtk.models import hub, zoo
from vtk.models.recipe import HubFile
from vtk.models.weights import at_hand

FILE = HubFile("someone/network", "parts/model.safetensors")
NETWORK = "eva02_large_patch14_clip_336.merged2b_ft_inat21"


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what this machine has out, and the network."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VTK_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("VTK_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))


def put(root: Path, file: HubFile) -> Path:
    """Lay an empty file down as OWNER/NAME/FILE."""
    path = root / file.repository / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def cache(root: Path, file: HubFile, kind: str = "models") -> Path:
    """Lay an empty file down as the hub's cache does."""
    folder = root / f"{kind}--{file.repository.replace('/', '--')}"
    path = folder / "snapshots" / ("0" * 40) / file.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text("0" * 40)
    return path


def test_our_cache_goes_before_a_mirror_and_a_mirror_before_the_hubs(tmp_path: Path) -> None:
    assert hub.locate(FILE) is None
    for lay, folder in ((cache, "hub"), (put, "mirror"), (put, "home/weights")):
        path = lay(tmp_path / folder, FILE)
        assert hub.locate(FILE) == path and hub.fetch("it", FILE, False) == path
    assert hub.locate(FILE, "1.0") is None  # a folder does not say what version it has


def test_a_data_set_is_not_a_model_of_the_same_name(tmp_path: Path) -> None:
    data = HubFile(FILE.repository, FILE.name, True)
    path = cache(tmp_path / "hub", data, "datasets")
    assert hub.locate(data) == path == hub.fetch("it", data, True) and hub.locate(FILE) is None


@pytest.mark.parametrize("file", [FILE, HubFile("no such name", "x"), HubFile("a/b/c", "x")])
def test_what_is_nowhere_is_said_in_a_line(file: HubFile) -> None:
    assert hub.locate(file) is None
    with pytest.raises(WeightsError, match=rf"^it: {file.name} of {file.repository} is not at hand: the network is off; "
                                           r"one run with the network brings it") as caught:
        hub.fetch("it", file, False)
    assert caught.value.code == "E_OFFLINE" and "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["inat21-eva02-large", f"timm:{NETWORK}", f"timm:timm/{NETWORK}"])
def test_a_model_is_pulled_when_all_of_it_is_here(name: str, tmp_path: Path) -> None:
    parts = zoo.get("inat21-eva02-large").hub
    for part in parts:
        assert not hub.pulled(name) and not at_hand(zoo.get("inat21-eva02-large"))
        cache(tmp_path / "hub", part)
    assert len(parts) == 2 and hub.pulled(name) and at_hand(zoo.get("inat21-eva02-large"))
    assert not hub.pulled("inat21-vit-large")


def test_other_models_are_pulled_where_their_files_are(tmp_path: Path) -> None:
    assert hub.pulled("motion") and not hub.pulled("nothing") and not hub.pulled("timm:") and not hub.pulled("imagenet")
    for file in zoo.get("imagenet").files:
        (tmp_path / "mirror").mkdir(exist_ok=True)
        (tmp_path / "mirror" / file.name).touch()
    assert hub.pulled("imagenet")
