"""The CPU runtime: shapes, batches, precisions, broken files, and no network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError, WeightsError
from vtk.models import openvino as openvino_module
from vtk.models import runtime
from vtk.models.openvino import core, openvino
from vtk.models.runtime import RuntimeOptions, load

FP32 = RuntimeOptions(device="cpu", precision="fp32")


def save(path: Path, shape: list[int], element: str = "f32") -> Path:
    """Write a model that doubles its input of ``shape``; -1 is an open side."""
    library = openvino()
    ops = library.opset13
    kind = getattr(library.Type, element)
    images = ops.parameter(library.PartialShape(shape), kind, name="images")
    doubled = ops.multiply(images, ops.constant(np.array(2, {"f32": "f4", "f16": "f2"}[element])))
    library.save_model(library.Model([doubled], [images], "double"), path, compress_to_fp16=False)
    return path


TFLITE = "mobilenet_v2_1.0_224_inat_bird_quant.tflite"


def test_what_is_kept_of_tflite_gives_the_same_bits(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read from the file, written and read again, read from what was written; logits, too, which end it elsewhere."""
    path, images = shared / "models" / TFLITE, np.random.default_rng(3).random((1, 3, 224, 224), np.float32) * 255
    for logits in (False, True):
        with monkeypatch.context() as patched:
            patched.setattr(openvino_module, "converted_once", unwritable)
            wanted = load(path, FP32, logits=logits)(images)[0].copy()
        monkeypatch.setenv("VTK_HOME", str(tmp_path / str(logits)))
        for _ in range(2):
            net = load(path, FP32, logits=logits)
            assert net.metadata == {} and (net(images)[0] == wanted).all()
        assert len(list(tmp_path.glob(f"{logits}/converted/tflite-*/model.xml"))) == 1


def test_a_cache_that_is_damaged_is_done_without(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    load(shared / "models" / TFLITE, FP32)
    (kept,) = tmp_path.glob("converted/tflite-*/model.xml")
    for damage in (lambda: kept.write_text("<net"), kept.with_suffix(".bin").unlink, kept.unlink):
        damage()
        for _ in range(2):  # it is made anew at the second time, at the latest
            assert load(shared / "models" / TFLITE, FP32).shape == (1, 3, 224, 224)
        assert kept.read_text().endswith("</net>\n") and kept.with_suffix(".bin").stat().st_size > 1e6


def test_a_damaged_tflite_file_leaves_nothing_behind(tmp_path: Path, shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(tmp_path / "home"))
    path = tmp_path / "cut.tflite"
    path.write_bytes((shared / "models" / TFLITE).read_bytes()[:5000])
    with pytest.raises(WeightsError, match="cut.tflite: OpenVINO cannot read it: damaged, or no .tflite model"):
        load(path, FP32)
    assert not list(tmp_path.glob("home/converted/*"))


def unwritable(key: str, fill: object) -> Path:
    raise WeightsError("cannot write")


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "CPU", ""])
def test_unknown_device(device: str) -> None:
    with pytest.raises(UsageError, match=r"expected auto, cpu, cuda or cuda:N"):
        RuntimeOptions(device=device)


def test_unknown_precision_gets_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean fp16"):
        RuntimeOptions(precision="f16")


def test_cuda_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cuda_devices", lambda: 1)
    assert runtime.pick_device(RuntimeOptions(device="cuda")) == "cuda:0"
    assert runtime.pick_device(RuntimeOptions(device="auto")) == "cuda:0"
    assert runtime.pick_device(RuntimeOptions(device="cpu")) == "cpu"
    with pytest.raises(UsageError, match="offers 1 devices"):
        runtime.pick_device(RuntimeOptions(device="cuda:1"))


def test_cuda_without_its_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    monkeypatch.setattr(runtime, "cuda_devices", lambda: 1)
    monkeypatch.setattr(runtime, "_onnxruntime_has_cuda", lambda: False)
    with pytest.raises(UsageError, match=r"pip install 'vidtk\[gpu\]'"):
        load(shared / "models" / "yolox_nano.onnx", RuntimeOptions(device="cuda"))
    assert load(shared / "models" / "yolox_nano.onnx", RuntimeOptions()).device == "cpu"
    with pytest.raises(UsageError, match="xml models run on the CPU alone"):
        load(save(tmp_path / "m.xml", [1, 3, 8, 8]), RuntimeOptions(device="cuda"))


@pytest.mark.parametrize("shape, batch, expected", [
    ([1, 3, 8, 8], None, 1), ([2, 3, 8, 8], 5, 2), ([-1, 3, 8, 8], 4, 4), ([-1, 3, -1, -1], None, 1)])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_any_number_of_images(tmp_path: Path, shape: list[int], batch: int | None, expected: int, count: int) -> None:
    net = load(save(tmp_path / "m.xml", shape), RuntimeOptions("cpu", "fp32", batch))
    assert net.batch == expected and net.shape == tuple(None if side < 0 else side for side in shape)
    images = np.random.default_rng(count).random((count, 3, 8, 8), np.float32)
    np.testing.assert_array_equal(net(images)[0], images * 2)


def test_channels_last_and_half_files_take_the_same_input(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((1, 3, 4, 6), np.float32)
    last = load(save(tmp_path / "last.xml", [1, 4, 6, 3]), FP32)
    assert last.channels_last and last.shape == (1, 3, 4, 6)
    np.testing.assert_array_equal(last(images)[0], images.transpose(0, 2, 3, 1) * 2)
    half = load(save(tmp_path / "half.xml", [1, 3, 4, 6], "f16"), FP32)
    # 2^-10: the distance of half-precision numbers in [1, 2).
    np.testing.assert_allclose(half(images)[0], images * 2, atol=2**-10)
    assert half(images)[0].dtype == np.float32


def test_batches_agree_with_single_images(shared: Path) -> None:
    """The file's batch is fixed at 1: eight images go one by one."""
    net = load(shared / "models" / "yolox_nano.onnx", RuntimeOptions("cpu", "fp32", 8))
    images = np.random.default_rng(0).uniform(0, 255, (3, 3, 416, 416)).astype(np.float32)
    together = net(images)[0]
    assert net.batch == 1 and together.shape == (3, 3549, 85)
    for index in range(3):
        np.testing.assert_array_equal(net(images[index : index + 1])[0][0], together[index])


def test_precisions(shared: Path) -> None:
    path = shared / "models" / "yolox_nano.onnx"
    offered = core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    assert load(path, RuntimeOptions("cpu")).precision == ("bf16" if "BF16" in offered else "fp32")
    assert load(path, FP32).precision == "fp32"
    if "FP16" not in offered:
        with pytest.raises(UsageError, match="--precision fp16: this CPU computes in fp32"):
            load(path, RuntimeOptions("cpu", "fp16"))


@pytest.mark.parametrize("name", ["a.onnx", "a.tflite", "a.xml"])
@pytest.mark.parametrize("body", [b"", b"hello", b"\x00" * 4096])
def test_broken_files(tmp_path: Path, name: str, body: bytes) -> None:
    (tmp_path / name).write_bytes(body)
    with pytest.raises(WeightsError, match="OpenVINO cannot read it: damaged, or no "):
        load(tmp_path / name, FP32)


def test_files_that_are_no_image_models(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected a .pt, .onnx, .tflite or .xml file"):
        load(tmp_path / "notes.txt", FP32)
    with pytest.raises(WeightsError, match=r"expected \(batch, channels, height, width\)"):
        load(save(tmp_path / "m.xml", [1, 8]), FP32)


def test_what_the_file_says_of_itself(tmp_path: Path, shared: Path) -> None:
    """ONNX metadata is field 14 of the model: an entry appended to a file is legal protobuf."""
    entry = b"\x0a\x05names\x12\x0b{0: 'mice'}"
    path = tmp_path / "named.onnx"
    path.write_bytes((shared / "models" / "yolox_nano.onnx").read_bytes() + b"\x72" + bytes([len(entry)]) + entry)
    assert load(path, FP32).metadata["framework.names"] == "{0: 'mice'}"


def test_no_socket_opens(shared: Path, tmp_path: Path) -> None:
    """OpenVINO reports its use on import unless it is kept from it, and ultralytics asks name servers."""
    code = """
import socket
def refuse(*args, **kwargs): raise SystemExit(f"a socket was used: {args}")
for name in ("connect", "connect_ex", "sendto"): setattr(socket.socket, name, refuse)
socket.getaddrinfo = socket.create_connection = refuse
import threading
threading.excepthook = lambda args: refuse(args)
import numpy as np
from vtk.models.detector import load_detector
for name in ("yolox-nano", "pedestrian-adas"):
    load_detector(name).start()([np.zeros((64, 64, 3), np.uint8)])
from vtk.models.checkpoint import _ultralytics_kept_quiet
with _ultralytics_kept_quiet():
    import ultralytics
    from ultralytics.utils import ONLINE
assert not ONLINE
import time; time.sleep(0.2)
"""
    result = run(code, VTK_OFFLINE="1", VTK_HOME=str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


@pytest.mark.parametrize("end", ["nets.pop(0); nets.pop(0)", "one = Thread(target=nets.clear); one.start(); one.join()"])
def test_a_signal_is_handled_when_networks_are_gone(end: str, tmp_path: Path) -> None:
    """In the order in which they came, or in another thread: a Core of its own each ended the process, by SIGSEGV."""
    code = f"""
import os, signal
from pathlib import Path
from threading import Thread
import numpy as np
from vtk.models.runtime import RuntimeOptions, load
nets = [load(Path({str(save(tmp_path / "m.xml", [1, 3, 8, 8]))!r}), RuntimeOptions("cpu", "fp32")) for _ in range(2)]
for net in nets:
    assert (net(np.ones((1, 3, 8, 8), np.float32))[0] == 2).all()
del net
{end}
signal.signal(signal.SIGTERM, lambda *args: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
"""
    result = run(code)
    assert (result.returncode, result.stdout, result.stderr) == (0, b"handled\n", b"")


def test_onnx_needs_no_torch(shared: Path, tmp_path: Path) -> None:
    code = """
import sys, numpy as np
from vtk.models.detector import load_detector
for name in ("yolox-nano", "yolov8n-int8", "pedestrian-adas", "motion"):
    load_detector(name).start()([np.zeros((64, 64, 3), np.uint8)])
print([name for name in ("torch", "ultralytics", "timm", "torchvision", "pandas") if name in sys.modules])
"""
    result = run(code, VTK_HOME=str(tmp_path))
    assert result.stdout == b"[]\n", result.stderr.decode()


def run(code: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, **env}, check=False)
