"""Torch modules as OpenVINO files."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from vtk.errors import WeightsError
from vtk.models.cached import MODEL
from vtk.models.openvino import openvino


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
