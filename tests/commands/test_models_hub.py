"""``vtk models`` on models whose files are the hub's."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from vtk.cli import load
from vtk.errors import WeightsError
from vtk.models import zoo

NAME = "inat21-convnext-large"
Models = Callable[..., list[str]]


@pytest.fixture
def models(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Models:
    """Return a function that runs vtk models in this process, and returns its lines."""
    for key, value in {"VTK_HOME": tmp_path / "home", "VTK_MIRROR": tmp_path / "mirror", "VTK_OFFLINE": "1"}.items():
        monkeypatch.setenv(key, str(value))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def run(*words: str) -> list[str]:
        capsys.readouterr()
        load("models").main(list(words), prog_name="vtk models", standalone_mode=False)
        return capsys.readouterr().out.splitlines()

    return run


def lay(mirror: Path) -> list[Path]:
    """Write the files of the model into a mirror folder."""
    paths = [mirror / file.repository / file.name for file in zoo.get(NAME).hub]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    return paths


def test_what_is_not_here_is_said(models: Models) -> None:
    [row] = [line for line in models("list") if line.startswith(f"{NAME} ")]
    assert row.endswith("-") and "unknown" in row and "top-1 90.62" in row
    with pytest.raises(WeightsError, match=rf"timm/.*/config.json, timm/.*/model.safetensors of {NAME} not found"):
        models("path", NAME)
    with pytest.raises(WeightsError, match="^twostream.pth of twostream not found .*; vtk models pull twostream says what"):
        models("path", "twostream")
    with pytest.raises(WeightsError, match=rf"^{NAME}: config.json of timm/.* is not at hand: the network is off"):
        models("pull", NAME)


def test_what_is_here_is_found_and_its_hash_is_nobodys_word(models: Models, tmp_path: Path) -> None:
    paths = lay(tmp_path / "mirror")
    assert models("path", NAME) == list(map(str, paths))
    assert models("pull", NAME) == [f"{NAME}: {paths[0]}, {paths[1]}"]
    [row] = [line for line in models("list") if line.startswith(f"{NAME} ")]
    assert row.endswith("hub")
    for line, path in zip(models("verify", NAME), paths, strict=True):
        state, name, digest, where = line.split()
        assert (state, where) == ("unknown", str(path)) and name.endswith(path.name)
        assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
