"""OpenVINO files that are made of others, each written once into the cache."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vtk.errors import WeightsError
from vtk.models.weights import home

MODEL, TENSORS = "model.xml", "model.bin"


def converted_once(key: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache's folder ``key`` with model.xml in it, filled by ``fill`` where it is missing.

    A folder that is there is whole: it is written under another name and renamed.

    Raises:
        WeightsError: there is no place for it.
    """
    folder = home() / "converted" / key
    if (folder / MODEL).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=folder.parent))
    except OSError as error:
        where = f"{folder.parent}: {error.strerror}"
        raise WeightsError(f"cannot write {where}; set VTK_HOME to a folder with space") from error
    try:
        fill(part)
        with suppress(OSError):  # another process was faster: its folder is as good
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    if not (folder / MODEL).is_file():
        raise WeightsError(f"cannot write {folder}; set VTK_HOME to a folder with space")
    return folder
