"""The heap stays in few arenas."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library here has no arenas")

COUNT = """
import ctypes, os, sys, threading
from vtk.driver import heap

os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])

if sys.argv[1] == "shared":
    heap.share()
ready = threading.Barrier(33)
def hold():
    memory = bytearray(100_000)  # from malloc: Python's own pools hold small things alone
    ready.wait()
    ready.wait()
    del memory
threads = [threading.Thread(target=hold) for _ in range(32)]
[thread.start() for thread in threads]
ready.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
file = ctypes.c_void_p(libc.fopen(sys.argv[2].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
ready.wait()
"""


def arenas(tmp_path: Path, how: str, **environment: str) -> int:
    """Return how many arenas 32 threads on two processors take memory from."""
    plain = {key: value for key, value in os.environ.items() if not key.startswith("MALLOC_")}
    subprocess.run([sys.executable, "-c", COUNT, how, str(tmp_path / "info")], check=True, env=plain | environment)
    return (tmp_path / "info").read_text().count("<heap nr=")


def test_threads_share_arenas(tmp_path: Path) -> None:
    assert arenas(tmp_path, "own") > 2  # what it is for
    assert arenas(tmp_path, "shared") <= 2


def test_what_the_user_set_stays(tmp_path: Path) -> None:
    assert arenas(tmp_path, "shared", MALLOC_ARENA_MAX="1") == 1
