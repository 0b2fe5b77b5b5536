"""Shared fixtures: real media, and the command line as a subprocess."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("VTK_SHARED", ROOT.parent / "shared")).resolve()
if (SHARED / "models").is_dir():
    os.environ.setdefault("VTK_MIRROR", str(SHARED / "models"))

Vtk = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real media and weights, or skip the test where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real media: {SHARED} is absent (set VTK_SHARED)")
    return SHARED


def run_vtk(*args: str | os.PathLike[str], stdin: bytes = b"", cwd: Path | None = None, timeout: float = 300,
            **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m vtk`` with ``args`` and return the finished process, its output as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "vtk", *map(os.fspath, args)],
        input=stdin, capture_output=True, cwd=cwd, timeout=timeout, env={**os.environ, **env}, check=False,
    )


@pytest.fixture(scope="session")
def vtk() -> Vtk:
    """Return ``run_vtk``."""
    return run_vtk


# Whole files go to one process each, in this order: what takes minutes begins first, or all wait for it at the end.
LONGEST = ("kernels/test_triton.py", "commands/test_detect_copy.py", "commands/test_filters.py", "test_docs.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest before the others."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.relative_to(ROOT / "tests").as_posix(), len(ranks)))
