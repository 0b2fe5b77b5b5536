"""Torch modules as OpenVINO files, written once into the cache."""

from __future__ import annotations

import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout, suppress
from pathlib import Path
from typing import Any

from vtk.errors import WeightsError
from vtk.models.openvino import openvino
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


def convert(module: Any, example: Sequence[int], taken: Sequence[int], folder: Path) -> None:
    """Write ``module`` as OpenVINO IR into ``folder``, its weights in float32.

    Args:
        module: from images to tensors, in eval mode, on the CPU.
        example: (batch, channels, height, width) that it is traced with.
        taken: the same of what the file takes; -1 where that is open.
        folder: that exists.

    Raises:
        WeightsError: OpenVINO has no such network.
    """
    library = openvino()
    import torch

    with warnings.catch_warnings(), redirect_stdout(sys.stderr), torch.no_grad():
        warnings.simplefilter("ignore")  # the tracer warns of every shape that Python sees
        try:
            model = library.convert_model(module, example_input=(torch.zeros(*example),),
                                          input=[library.PartialShape(list(taken))])  # fmt: skip
        except Exception as error:  # the exceptions of OpenVINO's readers share no base class
            reason = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip(" -")[:160]
            raise WeightsError(f"OpenVINO cannot convert {type(module).__name__}: {reason}") from error
    library.save_model(model, folder / MODEL, compress_to_fp16=False)
