"""Files made of others: whole or not there, for every user of the cache, and what is in their way."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vtk.errors import WeightsError
from vtk.models.cached import MODEL, converted_once


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which what is converted is kept."""
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "converted"


def filling(*texts: str) -> Callable[[Path], None]:
    """Return what fills a folder with each of ``texts`` in turn."""
    left = list(texts)
    return lambda folder: (folder / MODEL).write_text(left.pop(0)) and None


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_made_once(kept: Path) -> None:
    fill = filling("one")
    for _ in range(3):
        assert (converted_once("key", fill) / MODEL).read_text() == "one"
    assert names(kept) == ["key"]


def test_a_folder_that_is_not_whole_gives_way(kept: Path) -> None:
    """As an interrupted deletion leaves it."""
    (kept / "key").mkdir(parents=True)
    (kept / "key" / "model.bin").write_text("rest")
    fill = filling("one")
    for _ in range(2):
        assert (converted_once("key", fill) / MODEL).read_text() == "one"
    assert names(kept) == ["key"] and names(kept / "key") == [MODEL]


def test_who_is_slower_takes_what_is_there(kept: Path) -> None:
    def slow(folder: Path) -> None:
        converted_once("key", filling("faster"))
        (folder / MODEL).write_text("slower")

    assert (converted_once("key", slow) / MODEL).read_text() == "faster"
    assert names(kept) == ["key"]


def test_other_users_read_it_as_the_umask_says(kept: Path) -> None:
    script = ("import os; os.umask(0o022)\nfrom pathlib import Path\nfrom vtk.models.cached import converted_once\n"
              "converted_once('key', lambda folder: (folder / 'model.xml').write_text('x') and None)\n")
    subprocess.run([sys.executable, "-c", script], check=True)
    assert stat.S_IMODE((kept / "key").stat().st_mode) == 0o755


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), OSError(errno.EDQUOT, "Quota"),
                                   RuntimeError("basic_ios::clear: iostream error")], ids=["full", "quota", "OpenVINO"])
def test_a_full_disk_is_said(kept: Path, error: Exception) -> None:
    def fill(folder: Path) -> None:
        (folder / "model.bin").write_text("a part")
        raise error

    with pytest.raises(WeightsError, match="key: the disk is full; set VTK_HOME to a folder with space"):
        converted_once("key", fill)
    assert names(kept) == []


def test_openvino_says_so_of_a_full_disk(kept: Path) -> None:
    """The kernel ends files of this process at a size, as a full disk does; OpenVINO's word for it is known."""
    script = """
import resource, signal
import numpy as np
from vtk.errors import WeightsError
from vtk.models.cached import converted_once
from vtk.models.openvino import openvino
library = openvino()
images = library.opset13.parameter(library.PartialShape([1000, 1000]), library.Type.f32)
model = library.Model([library.opset13.add(images, library.opset13.constant(np.ones((1000, 1000), "f4")))], [images], "m")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    converted_once("key", lambda folder: library.save_model(model, folder / "model.xml", compress_to_fp16=False))
except WeightsError as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "the disk is full" in said and names(kept) == []


def test_other_errors_are_those_of_who_fills(kept: Path) -> None:
    def fill(folder: Path) -> None:
        raise RuntimeError("of another kind")

    with pytest.raises(RuntimeError, match="of another kind"):
        converted_once("key", fill)
    assert names(kept) == []


def test_no_place_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VTK_HOME", os.fspath(tmp_path / "file"))
    with pytest.raises(WeightsError, match="cannot write .*converted: Not a directory; set VTK_HOME"):
        converted_once("key", filling("one"))
