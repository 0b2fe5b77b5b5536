"""Compiled code is found again by the next process, wherever it can be written, whoever compiles beside."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

import vtk
import vtk.kernels
from vtk.kernels.case import families, functions

# Compiling takes seconds: where all families fare alike, this one stands for them.
ONE = ("nms",)

# Calls every kernel of the families named, and tells where each compiled function is cached and whether it was found
# there. A function that only compiled ones call is part of theirs in the cache: who finds those never asks for it.
PROGRAM = f"""
import json, sys
from importlib import import_module
import numpy as np
from vtk.kernels.case import cases
report = {{}}
for family, name in {list(functions())!r}:
    if family not in sys.argv[1:]:
        continue
    arguments = cases(family).inputs(name, 63, np.random.default_rng(0))
    result = getattr(import_module("vtk.kernels." + family), name)(**arguments)
    wanted = getattr(import_module("vtk.kernels." + family + ".reference"), name)(**arguments)
    pairs = zip(*(each if isinstance(each, tuple) else (each,) for each in (result, wanted)), strict=True)
    assert all(np.allclose(one, other, rtol=0, atol=1e-3, equal_nan=True) for one, other in pairs), name
    for key, value in vars(import_module("vtk.kernels." + family + ".cpu")).items():
        if hasattr(value, "inspect_llvm"):
            hits, misses = (sum(value.stats.__getattribute__(kind).values()) for kind in ("cache_hits", "cache_misses"))
            if hits + misses:
                report[f"{{family}}.{{key}}"] = [value.stats.cache_path, hits, misses]
print(json.dumps(report))
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with a copy of the package and no caches in it."""
    package, kernels = Path(vtk.__file__).parent, Path(vtk.kernels.__file__).parent
    (tmp_path / "site" / "vtk").mkdir(parents=True)
    for name in ("__init__.py", "threads.py"):
        shutil.copy(package / name, tmp_path / "site" / "vtk")
    shutil.copytree(kernels, tmp_path / "site" / "vtk" / "kernels", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "site"


def _start(installed: Path, families: Iterable[str] = ONE, **environment: str) -> subprocess.Popen[str]:
    env = os.environ | {"PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"} | environment
    env.pop("NUMBA_CACHE_DIR", None)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *families], cwd=installed, env=env, text=True, **pipes)


def _report(process: subprocess.Popen[str]) -> dict[str, tuple[str, int, int]]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return json.loads(out)


def _lock(installed: Path) -> None:
    """Make a cache beside the sources impossible, for root too: a file stands where its folder would."""
    for family in families():
        (installed / "vtk" / "kernels" / family / "__pycache__").write_text("")


def test_processes_that_compile_at_once_do_not_disturb_each_other(installed: Path) -> None:
    """Both compile the same families at the same time, and then others, each its own."""
    known = families()
    shared, rest = known[:4], known[4:]
    both = [[*shared, *rest[::2]], [*shared, *rest[1::2]]]
    together = [_start(installed, some) for some in both]
    for some, report in zip(both, map(_report, together), strict=True):
        assert {name.split(".")[0] for name in report} == set(some)
    after = _report(_start(installed, known))
    assert {name.split(".")[0] for name in after} == set(known)
    assert all(path.startswith(str(installed)) for path, _, _ in after.values())
    assert all(hits >= 1 and misses == 0 for _, hits, misses in after.values()), "the third process compiled again"


def test_read_only_installation_caches_for_the_user(installed: Path, tmp_path: Path) -> None:
    _lock(installed)
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home" / ".cache")}
    first, second = (_report(_start(installed, **home)) for _ in range(2))
    assert all(path.startswith(home["XDG_CACHE_HOME"]) for path, _, _ in first.values())
    assert all(misses >= 1 for _, _, misses in first.values())
    assert all(hits >= 1 and misses == 0 for _, hits, misses in second.values())


def test_without_any_home_the_temporary_folder_serves(installed: Path, tmp_path: Path) -> None:
    _lock(installed)
    (tmp_path / "temporary").mkdir()
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null/cache", "TMPDIR": str(tmp_path / "temporary")}
    first, second = (_report(_start(installed, **nowhere)) for _ in range(2))
    assert all(path.startswith(nowhere["TMPDIR"]) for path, _, _ in first.values())
    assert all(hits >= 1 and misses == 0 for _, hits, misses in second.values())
    # What others can write is not executed: the folder is left alone for a new one.
    (folder,) = (tmp_path / "temporary").iterdir()
    assert folder.stat().st_mode & 0o077 == 0
    folder.chmod(0o777)
    third = _report(_start(installed, **nowhere))
    assert all(folder not in Path(path).parents and misses >= 1 for path, _, misses in third.values())
