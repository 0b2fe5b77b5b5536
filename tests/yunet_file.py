"""An ONNX file of YuNet's signature, written byte by byte, its numbers random: two programs that read it compare."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

STRIDES = (8, 16, 32)
# What each output is about: width and mean. Boxes of two strides, points around the middle of the cell.
OUTPUTS = {"cls": (1, 0.7), "obj": (1, 0.7), "bbox": (4, 0.6), "kps": (10, 0.5)}
SPREAD = 0.3  # standard deviation of the outputs over noise of all grey levels


def write_yunet(path: Path, height: int = 64, width: int = 96, seed: int = 0, outputs: tuple[str, ...] = tuple(OUTPUTS)
                ) -> Path:
    """Write a network with an input (1, 3, height, width) and ``outputs`` for each stride, in YuNet's order."""
    rng = np.random.default_rng(seed)
    nodes, tensors, results = [], [], []
    for name in outputs:
        size, mean = OUTPUTS[name]
        for stride in STRIDES:
            cells = (height // stride) * (width // stride)
            out = f"{name}_{stride}"
            # 147: the root mean square of evenly spread grey levels, which a filter sums up.
            filters = rng.normal(0, SPREAD / (147 * stride * 3**0.5), (size, 3, stride, stride))
            tensors += [_floats(f"{out}_w", filters), _floats(f"{out}_b", np.full(size, mean)),
                        _tensor(f"{out}_s", [3], 7, struct.pack("<3q", 1, cells, size))]
            nodes += [_node("Conv", ["input", f"{out}_w", f"{out}_b"], f"{out}_c", _ints("strides", [stride] * 2)),
                      _node("Transpose", [f"{out}_c"], f"{out}_t", _ints("perm", [0, 2, 3, 1])),
                      _node("Reshape", [f"{out}_t", f"{out}_s"], out)]
            results.append(_value(out, [1, cells, size]))
    graph = b"".join([_each(1, nodes), _part(2, b"yunet"), _each(5, tensors),
                      _part(11, _value("input", [1, 3, height, width])), _each(12, results)])
    path.write_bytes(_number(1, 8) + _part(7, graph) + _part(8, _part(1, b"") + _number(2, 13)))
    return path


def _varint(value: int) -> bytes:
    parts = []
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _part(field: int, body: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(body)) + body


def _each(field: int, bodies: list[bytes]) -> bytes:
    return b"".join(_part(field, body) for body in bodies)


def _tensor(name: str, sides: list[int], kind: int, raw: bytes) -> bytes:
    return b"".join(_number(1, side) for side in sides) + _number(2, kind) + _part(8, name.encode()) + _part(9, raw)


def _floats(name: str, array: np.ndarray) -> bytes:
    return _tensor(name, list(array.shape), 1, array.astype("<f4").tobytes())


def _ints(name: str, values: list[int]) -> bytes:
    return _part(1, name.encode()) + b"".join(_number(8, value) for value in values) + _number(20, 7)


def _node(kind: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    return b"".join([_each(1, [name.encode() for name in inputs]), _part(2, output.encode()), _part(4, kind.encode()),
                     _each(5, list(attributes))])


def _value(name: str, sides: list[int]) -> bytes:
    shape = _each(1, [_number(1, side) for side in sides])
    return _part(1, name.encode()) + _part(2, _part(1, _number(1, 1) + _part(2, shape)))
