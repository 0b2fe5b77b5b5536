"""The CPU runtime: OpenVINO, which reads ONNX, IR and TFLite."""

from __future__ import annotations

import shutil
import sys
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import Any

import numpy as np

from vtk.errors import UsageError, WeightsError
from vtk.models.cached import MODEL, converted_once
from vtk.models.runtime import RuntimeOptions
from vtk.models.weights import sha256_of
from vtk.threads import asked

HINTS = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}
AFTER_SOFTMAX = frozenset({"Convert", "FakeQuantize", "Reshape", "Squeeze"})  # that change no order of classes
COMPILED = 16  # input shapes of one model that are held ready; 640-pixel letterboxes of common aspect ratios fit
_MAKING = Lock()
_CORES: list[Any] = []


def openvino() -> ModuleType:
    """Import OpenVINO without its usage reports: it sends one on import where it finds openvino_telemetry."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as library

    return library


def core() -> Any:
    """Return this process's one OpenVINO Core, which lives as long as the process.

    For each Core the CPU plugin gives the calling thread a stack of its own for handlers of signals (sigaltstack). It
    unmaps that with the Core, yet leaves it in force where Cores end in the order in which they were made, or where
    another thread drops one (2026.4). The next Ctrl-C then was a segmentation fault, or wrote over what had come there.
    """
    with _MAKING:
        if not _CORES:
            _CORES.append(openvino().Core())
        return _CORES[0]


class OpenVinoNet:
    """A model file compiled for this CPU; see ``runtime.Net``."""

    device = "cpu"

    def __init__(self, path: Path, options: RuntimeOptions, tensors: Path | None = None, logits: bool = False) -> None:
        self._core = core()
        self.precision = self._pick_precision(options.precision)
        hint = HINTS[self.precision]
        self._config: dict[str, Any] = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
        if threads := options.threads or asked():
            self._config["INFERENCE_NUM_THREADS"] = threads
        self._model = self._read(path, tensors)
        if len(self._model.inputs) != 1:
            raise WeightsError(f"{path}: it has {len(self._model.inputs)} inputs, expected one, of images")
        # TFLite has none here; what stands there of one comes from being written.
        self.metadata = _flat(self._model.get_rt_info()) if path.suffix.lower() != ".tflite" else {}
        if logits:
            self._model = _before_softmax(self._model)
        self._model, self.channels_last = _as_nchw(self._model, path)
        sides = self._model.input(0).get_partial_shape()
        self.shape = tuple(side.get_length() if side.is_static else None for side in sides)
        self.batch = self.shape[0] or options.batch or 1
        self._path = path
        self._requests: OrderedDict[tuple[int, ...], Any] = OrderedDict()

    def _read(self, path: Path, tensors: Path | None) -> Any:
        """Return the model in a file; of TFLite what the cache has of it, which is read much sooner."""
        try:
            if path.suffix.lower() != ".tflite":
                return self._core.read_model(*([path, tensors] if tensors else [path]))
            # A cache that cannot be written to, or that was cut short, costs time alone.
            with suppress(WeightsError, OSError, RuntimeError):
                return self._reread(self._rewritten(path))
            return self._core.read_model(path)
        except RuntimeError as error:
            raise WeightsError(f"{path}: OpenVINO cannot read it: damaged, or no {path.suffix} model") from error

    def _reread(self, folder: Path) -> Any:
        """Return the model in a folder of the cache; one that cannot be read is taken away, for the next to make anew."""
        try:
            return self._core.read_model(folder / MODEL)
        except RuntimeError:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _rewritten(self, path: Path) -> Path:
        """Return the cache's folder with what OpenVINO makes of a TFLite file, to the last bit, written once."""
        def fill(folder: Path) -> None:
            openvino().save_model(self._core.read_model(path), folder / MODEL, compress_to_fp16=False)

        version = openvino().__version__.partition("-")[0]
        return converted_once(f"tflite-{sha256_of(path)[:32]}-{version}", fill)

    def _pick_precision(self, asked: str) -> str:
        offered = self._core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if asked == "auto":
            return "bf16" if "BF16" in offered else "fp32"
        if asked != "fp32" and asked.upper() not in offered:
            can = ", ".join(name for name in HINTS if name.upper() in offered)
            raise UsageError(f"--precision {asked}: this CPU computes in {can}")
        return asked

    def __call__(self, images: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for ``images``; see ``runtime.Net``."""
        shape = (self.batch, *images.shape[1:])
        if len(images) == self.batch:
            return self._infer(shape, images)
        parts = []
        for start in range(0, len(images), self.batch):
            part = images[start : start + self.batch]
            filled = len(part)
            if filled < self.batch:
                part = np.concatenate([part, np.zeros((self.batch - filled, *part.shape[1:]), part.dtype)])
            # Copied: the arrays of a request are overwritten by its next run.
            parts.append([output[:filled].copy() for output in self._infer(shape, part)])
        return [np.concatenate(outputs) for outputs in zip(*parts, strict=True)]

    def _infer(self, shape: tuple[int, ...], images: np.ndarray) -> list[np.ndarray]:
        outputs = self._request(shape).infer([images], share_inputs=True, share_outputs=True)
        return list(outputs.values())

    def _request(self, shape: tuple[int, ...]) -> Any:
        """Return the request for inputs of ``shape``, compiled the first time: faster than open shapes."""
        if shape in self._requests:
            self._requests.move_to_end(shape)
            return self._requests[shape]
        model = self._model
        try:
            if None in self.shape:
                model = model.clone()
                model.reshape(shape)
            compiled = self._core.compile_model(model, "CPU", self._config)
        except RuntimeError as error:
            reason = _reason(error)
            raise WeightsError(f"{self._path}: OpenVINO cannot compile it for inputs of {shape}: {reason}") from error
        self._requests[shape] = compiled.create_infer_request()
        if len(self._requests) > COMPILED:
            self._requests.popitem(last=False)
        return self._requests[shape]


def _as_nchw(model: Any, path: Path) -> tuple[Any, bool]:
    """Return ``model`` taking (N, C, H, W) float32, giving float32, and whether its file is channels last."""
    library = openvino()
    sides = model.input(0).get_partial_shape()
    if sides.rank.is_dynamic or sides.rank.get_length() != 4:
        raise WeightsError(f"{path}: its input has the shape {sides}, expected (batch, channels, height, width)")
    channels_last = sides[3].is_static and sides[3].get_length() == 3 and sides[1] != 3
    steps = library.preprocess.PrePostProcessor(model)
    steps.input(0).tensor().set_element_type(library.Type.f32)
    if channels_last:
        steps.input(0).tensor().set_layout(library.Layout("NCHW"))
        steps.input(0).model().set_layout(library.Layout("NHWC"))
    for index in range(len(model.outputs)):
        steps.output(index).tensor().set_element_type(library.Type.f32)
    return steps.build(), channels_last


def _before_softmax(model: Any) -> Any:
    """Return ``model`` ending with what the softmax at the end of its first output takes; itself where there is none."""
    source = model.outputs[0].get_node().input(0).get_source_output()
    while source.get_node().get_type_name() in AFTER_SOFTMAX:
        source = source.get_node().input(0).get_source_output()
    if source.get_node().get_type_name() != "Softmax":
        return model
    return openvino().Model([source.get_node().input(0).get_source_output()], model.get_parameters(), "logits")


def _flat(info: Any, prefix: str = "") -> dict[str, str]:
    """Return a model's runtime info as one level of strings, keys joined by dots."""
    flat: dict[str, str] = {}
    for key, value in dict(info.items() if hasattr(info, "items") else info).items():
        value = getattr(value, "value", value)
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = str(value)
    return flat


def _reason(error: RuntimeError) -> str:
    """Return the last line of OpenVINO's message that says something, cut at 200 characters."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:200]
