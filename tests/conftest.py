"""Shared fixtures: real media, and the command line as a subprocess."""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import hypothesis
import pytest
from forked import Forks, same_imports

ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("VTK_SHARED", ROOT.parent / "shared")).resolve()
if (SHARED / "models").is_dir():
    os.environ.setdefault("VTK_MIRROR", str(SHARED / "models"))

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("vtk", deadline=None)
hypothesis.settings.load_profile("vtk")

Vtk = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of real media and weights, or skip the test where it is absent."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"no real media: {SHARED} is absent (set VTK_SHARED)")
    return SHARED


@cache
def forks(order: str) -> Forks:
    """Return this process's one source of forks whose sets have an ``order``, PYTHONHASHSEED; it ends with this."""
    found = Forks({**os.environ, "PYTHONHASHSEED": order})
    atexit.register(found.close)
    return found


def run_vtk(*args: str | os.PathLike[str], stdin: bytes = b"", cwd: Path | None = None, timeout: float = 300,
            **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run ``python -m vtk`` with ``args`` and return the finished process, its output as bytes.

    The process is a fork with libraries imported already, unless ``env`` has what they read when they are imported.
    """
    words, environment = list(map(os.fspath, args)), {**os.environ, **env}
    source = forks(environment.setdefault("PYTHONHASHSEED", "random")) if hasattr(os, "fork") else None
    if source and all(isinstance(word, str) for word in words) and same_imports(environment, source.environment):
        return source.run(words, stdin, cwd, timeout, environment)
    return subprocess.run([sys.executable, "-m", "vtk", *words], input=stdin, capture_output=True, cwd=cwd,
                          timeout=timeout, env=environment, check=False)


@pytest.fixture(scope="session")
def vtk() -> Vtk:
    """Return ``run_vtk``."""
    return run_vtk


# Whole files go to one process each, in this order: what takes minutes begins first, or all wait for it at the end.
LONGEST = ("kernels/test_triton.py", "test_docs.py", "commands/test_pipe_pairs.py", "commands/test_spot_text.py",
           "commands/test_track_figures.py", "commands/test_filters.py", "kernels/test_parity.py",
           "engines/test_folder_ways.py", "test_examples.py", "kernels/test_cache.py", "commands/test_reid.py",
           "kernels/test_fuzz.py", "commands/test_pipe.py", "text/test_stage.py", "commands/test_detect_copy.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest before the others."""
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.relative_to(ROOT / "tests").as_posix(), len(ranks)))
