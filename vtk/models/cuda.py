"""The CUDA runtimes: ONNX files through onnxruntime-gpu, torch modules in half precision."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.models.runtime import RuntimeOptions

BATCH = 16  # images a call where the model leaves it open


class OnnxNet:
    """An ONNX file on CUDA; see ``runtime.Net``. It computes in the precision of the file."""

    channels_last = False

    def __init__(self, path: Path, options: RuntimeOptions, device: str) -> None:
        onnxruntime = importlib.import_module("onnxruntime")
        provider = ("CUDAExecutionProvider", {"device_id": int(device.partition(":")[2] or 0)})
        try:
            self._session = onnxruntime.InferenceSession(str(path), providers=[provider])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise WeightsError(f"{path}: onnxruntime cannot load it: {' '.join(str(error).split())[:160]}") from error
        entry = self._session.get_inputs()[0]
        self._name = entry.name
        self._dtype = np.float16 if "float16" in entry.type else np.float32
        self.device = device
        self.precision = "fp16" if self._dtype == np.float16 else "fp32"
        if options.precision not in ("auto", self.precision):
            raise UsageError(f"--precision {options.precision}: {path.name} is {self.precision}, and on CUDA "
                             "an ONNX file runs as it is")
        self.shape = tuple(side if isinstance(side, int) else None for side in entry.shape)
        self.batch = self.shape[0] or options.batch or BATCH
        meta = self._session.get_modelmeta().custom_metadata_map
        self.metadata = {f"framework.{key}": value for key, value in meta.items()}

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for ``images``; see ``runtime.Net``."""
        parts = []
        for start in range(0, len(images), self.batch):
            part = images[start : start + self.batch].astype(self._dtype, copy=False)
            filled = len(part)
            if filled < self.batch:
                part = np.concatenate([part, np.zeros((self.batch - filled, *part.shape[1:]), part.dtype)])
            outputs = self._session.run(None, {self._name: np.ascontiguousarray(part)})
            parts.append([output[:filled].astype(np.float32, copy=False) for output in outputs])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]


class TorchNet:
    """A torch module that maps images to one tensor or several; see ``runtime.Net``."""

    channels_last = False

    def __init__(self, module: Any, options: RuntimeOptions, device: str) -> None:
        import torch

        self._torch = torch
        precision = options.precision if options.precision != "auto" else "fp16" if device != "cpu" else "fp32"
        self._dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
        self._module = module.to(device=device, dtype=self._dtype).eval()
        self.device, self.precision = device, precision
        self.shape = (None, 3, None, None)
        self.batch = options.batch or (BATCH if device != "cpu" else 1)
        self.metadata: dict[str, str] = {}

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for ``images``; see ``runtime.Net``."""
        torch = self._torch
        parts = []
        # Else convolutions of float32 are computed in TF32, which has fp16's precision.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=self.precision != "fp32"):
            for start in range(0, len(images), self.batch):
                part = torch.from_numpy(images[start : start + self.batch]).to(self.device, self._dtype)
                filled = len(part)
                if filled < self.batch:
                    part = torch.cat([part, part.new_zeros(self.batch - filled, *part.shape[1:])])
                outputs = self._module(part)
                outputs = outputs if isinstance(outputs, (list, tuple)) else [outputs]
                parts.append([output[:filled].float().cpu().numpy() for output in outputs])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]
