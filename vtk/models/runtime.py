"""Run a model file: OpenVINO on the CPU, onnxruntime or torch on CUDA, all behind one call."""

from __future__ import annotations

import difflib
import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vtk.errors import UsageError, WeightsError

if TYPE_CHECKING:
    import numpy as np

PRECISIONS = ("auto", "fp32", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """Where and how models run.

    Attributes:
        device: auto, cpu, cuda or cuda:N.
        precision: auto is bf16 on a CPU that computes in it and fp16 on CUDA, else fp32.
        batch: images a model call, where the file leaves it open; None: the device's own choice.
        threads: bound on the threads of one model; None: all.
        offline: never use the network.
        trust_weights: load checkpoints that can run code, and files without a known sha256.
    """

    device: str = "auto"
    precision: str = "auto"
    batch: int | None = None
    threads: int | None = None
    offline: bool = False
    trust_weights: bool = False

    def __post_init__(self) -> None:
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise UsageError(f"--device {self.device}: expected auto, cpu, cuda or cuda:N")
        if self.precision not in PRECISIONS:
            near = difflib.get_close_matches(self.precision, PRECISIONS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"--precision {self.precision}: expected one of {', '.join(PRECISIONS)}{hint}")


class Net(Protocol):
    """A model ready to run.

    Attributes:
        device: cpu or cuda:N.
        precision: what it computes in.
        shape: of the input, (batch, channels, height, width); None where the file leaves a side open.
        channels_last: whether the file itself wants (batch, height, width, channels); the call does not.
        batch: images a call of the model itself; more are looped over, a smaller tail is padded.
        metadata: what the file says of itself.
    """

    device: str
    precision: str
    shape: tuple[int | None, ...]
    channels_last: bool
    batch: int
    metadata: dict[str, str]

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs (N, …) float32 for images (N, C, H, W) float32; valid until the next call."""
        ...


def cuda_devices() -> int:
    """Return how many CUDA devices the driver offers, without loading a framework."""
    import ctypes

    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def pick_device(options: RuntimeOptions) -> str:
    """Return ``cpu`` or ``cuda:N`` for ``options``.

    Raises:
        UsageError: CUDA is asked for and there is no such device.
    """
    if options.device == "cpu":
        return "cpu"
    count = cuda_devices()
    if options.device == "auto":
        return "cuda:0" if count else "cpu"
    index = int(options.device.partition(":")[2] or 0)
    if index >= count:
        raise UsageError(f"--device {options.device}: the CUDA driver offers {count} devices; use --device cpu")
    return f"cuda:{index}"


def load(path: Path, options: RuntimeOptions, tensors: Path | None = None, *, logits: bool = False) -> Net:
    """Return the model in the ONNX, TFLite or IR file ``path``; ``tensors`` is the IR's .bin file.

    Args:
        path: of the file.
        options: device, precision, batch, threads.
        tensors: the IR's second file.
        logits: on the CPU the only output is what a softmax at the end of the first one takes, where there is one:
            finer than its probabilities, above all where these have 8 bits. On CUDA outputs stay as they are.

    Raises:
        WeightsError: the file cannot be read as a model.
        UsageError: the device or precision cannot be had.
    """
    suffix = path.suffix.lower()
    if suffix not in (".onnx", ".tflite", ".xml"):
        raise WeightsError(f"{path}: expected a .pt, .onnx, .tflite or .xml file")
    device = pick_device(options)
    if device != "cpu" and suffix != ".onnx":
        if options.device != "auto":
            raise UsageError(f"{path.name}: {suffix[1:]} models run on the CPU alone; use --device cpu")
        device = "cpu"
    if device != "cpu" and not _onnxruntime_has_cuda():
        if options.device != "auto":
            raise UsageError(f"{path.name}: ONNX models on CUDA need onnxruntime-gpu: pip install 'vidtk[gpu]'")
        device = "cpu"
    if device == "cpu":
        from vtk.models.openvino import OpenVinoNet

        return OpenVinoNet(path, options, tensors, logits)
    from vtk.models.cuda import OnnxNet

    return OnnxNet(path, options, device)


def _onnxruntime_has_cuda() -> bool:
    try:
        onnxruntime = importlib.import_module("onnxruntime")
    except ImportError:
        return False
    return "CUDAExecutionProvider" in onnxruntime.get_available_providers()
