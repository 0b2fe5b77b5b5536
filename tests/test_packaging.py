"""The wheel: one top-level name, everything in it, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from clips import make_clip

from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy of its sources, with the build tools of this environment."""
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
    assert {"vtk/report/page/page.html", "vtk/report/page/page.css", "vtk/report/page/main.js"} <= set(names)
    assert not [name for name in names if "test" in name]


def test_the_wheel_works_where_it_is_unpacked(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """An editable install reads the folders of the tree: only the wheel shows whether the mapping holds."""
    wheel.extractall(tmp_path / "site")
    clip = make_clip(tmp_path / "clip.mp4")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site")}

    def python(*arguments: str) -> str:
        return subprocess.run([sys.executable, *arguments], cwd=tmp_path, env=environment, check=True, text=True,
                              capture_output=True).stdout

    where = python("-c", "import vtk.commands, vtk.kernels.nms.cpu; print(vtk.commands.__file__, vtk.kernels.__file__)")
    assert [Path(path).parent.relative_to(tmp_path).as_posix() for path in where.split()] == [
        "site/vtk/commands", "site/vtk/kernels"]
    assert '"type":"track"' in python("-m", "vtk", "track", str(clip), "--detector", "motion")


def test_the_scripts_and_the_licence_are_stated(wheel: zipfile.ZipFile) -> None:
    info = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert wheel.read(info).decode().split("\n")[1:3] == ["vidtk = vtk.cli:main", "vtk = vtk.cli:main"]
    metadata = wheel.read(info.replace("entry_points.txt", "METADATA")).decode()
    assert "License-Expression: AGPL-3.0-or-later" in metadata
    assert "Name: vidtk" in metadata
