"""The wheel: one top-level name, everything in it, nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile

import pytest

from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy of what git tracks, with the build tools of this environment."""
    import shutil

    copy = tmp_path_factory.mktemp("source")
    ignored = shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc", "*.egg-info")
    for name in ("vtk", "commands", "kernels"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)],
                   check=True, capture_output=True)
    return zipfile.ZipFile(next(out.glob("*.whl")))


def test_the_wheel_has_one_top_level_name(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"vtk"}


def test_the_wheel_has_every_module_and_no_test(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for folder, home in (("vtk", "vtk"), ("commands", "vtk/commands"), ("kernels", "vtk/kernels")):
        for path in (ROOT / folder).rglob("*.py"):
            assert f"{home}/{path.relative_to(ROOT / folder)}" in names, path
    assert "vtk/py.typed" in names
    assert not [name for name in names if "test" in name]


def test_the_scripts_and_the_licence_are_stated(wheel: zipfile.ZipFile) -> None:
    info = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(info).decode().split("\n")[1:3] == ["vidtk = vtk.cli:main", "vtk = vtk.cli:main"]
    metadata = wheel.read(info.replace("entry_points.txt", "METADATA")).decode()
    assert "License-Expression: AGPL-3.0-or-later" in metadata
    assert "Name: vidtk" in metadata
