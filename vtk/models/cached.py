"""OpenVINO files that are made of others, each written once into the cache."""

from __future__ import annotations

import errno
import shutil
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from vtk.errors import WeightsError
from vtk.models.weights import home

MODEL, TENSORS = "model.xml", "model.bin"
# What says that a disk, or a user's share of it, is full; and OpenVINO's word for a stream that takes no more.
FULL, UNWRITTEN = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "basic_ios"


def converted_once(key: str, fill: Callable[[Path], None]) -> Path:
    """Return the cache's folder ``key`` with model.xml in it, filled by ``fill`` where it is missing.

    A folder that is there is whole: it is written under another name and renamed. One without model.xml, which an
    interrupted deletion leaves, gives way to a new one.

    Raises:
        WeightsError: there is no place for it, or it cannot be read.
    """
    folder = home() / "converted" / key
    part = folder.parent / f".part-{uuid.uuid4().hex}"
    try:
        if (folder / MODEL).is_file():
            return folder
        folder.parent.mkdir(parents=True, exist_ok=True)
        part.mkdir()
    except OSError as error:
        raise WeightsError(_no_place(f"{folder.parent}: {error.strerror}")) from error
    try:
        fill(part)
        _put(part, folder)
    except (OSError, RuntimeError) as error:
        if not _is_full(error):
            raise
        raise WeightsError(_no_place(f"{folder}: the disk is full")) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return folder


def _put(part: Path, folder: Path) -> None:
    """Rename what is whole to its name."""
    with suppress(OSError):
        part.rename(folder)
    if (folder / MODEL).is_file():  # ours, or another process was faster: its folder is as good
        return
    shutil.rmtree(folder, ignore_errors=True)
    try:
        part.rename(folder)
    except OSError as error:
        raise WeightsError(_no_place(f"{folder}: {error.strerror}")) from error


def _is_full(error: OSError | RuntimeError) -> bool:
    """Tell whether what was raised on writing says that there is no more space."""
    return error.errno in FULL if isinstance(error, OSError) else UNWRITTEN in str(error)


def _no_place(why: str) -> str:
    return f"cannot write {why}; set VTK_HOME to a folder with space"
