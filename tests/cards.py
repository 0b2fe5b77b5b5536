"""Small clips whose frames show their own number, made with PyAV."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, BITS = 128, 96, 16
RED = (200, 30, 30)


def card(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Return a frame that shows ``number`` as 2 × 8 black and white blocks above a red strip."""
    image = np.full((height, width, 3), RED, np.uint8)
    noise = np.random.default_rng(number).integers(0, 256, (height // 4, width // 8, 3), np.uint8)
    image[-len(noise):, :width // 8] = noise  # so that a packet has bytes to damage
    block_h, block_w = height // 3, width // 8
    for bit in range(BITS):
        row, column = divmod(bit, 8)
        value = 235 if number >> bit & 1 else 16
        image[row * block_h:(row + 1) * block_h, column * block_w:(column + 1) * block_w] = value
    return image


def number_on(image: np.ndarray) -> int:
    """Return the number that a frame shows, in any size; -1 where the red strip is not where it belongs."""
    height, width = image.shape[:2]
    strip = image[int(height * 0.75):int(height * 0.95), width // 4:width * 3 // 4].reshape(-1, 3).mean(0)
    if not (strip[0] > 140 and strip[1] < 100 and strip[2] < 100):
        return -1
    number = 0
    for bit in range(BITS):
        row, column = divmod(bit, 8)
        y, x = (row + 0.5) * height / 3, (column + 0.5) * width / 8
        spot = image[int(y - height / 16):int(y + height / 16) + 1, int(x - width / 48):int(x + width / 48) + 1]
        number |= int(spot.mean() > 125) << bit
    return number


def encode(path: Path, count: int = 40, codec: str = "libx264", *, fps: int = 25, gop: int = 10, bframes: int = 2,
           pix_fmt: str = "yuv420p", ticks: Iterable[int] | None = None, options: dict[str, str] | None = None,
           muxer: dict[str, str] | None = None, audio: bool = False, video: bool = True, fmt: str | None = None,
           turn: Callable[[np.ndarray], np.ndarray] = lambda image: image) -> Path:
    """Write a clip of ``count`` cards; ``ticks`` gives their times in milliseconds, else ``fps``."""
    with av.open(os.fspath(path), "w", format=fmt, options=muxer or {}) as out:
        sound = out.add_stream("aac", rate=16000) if audio else None
        if video:
            stream = out.add_stream(codec, rate=fps)
            stored = turn(card(0))
            stream.width, stream.height, stream.pix_fmt = stored.shape[1], stored.shape[0], pix_fmt
            stream.options = dict(options or {})
            stream.gop_size = gop
            if codec.startswith("libx26"):
                stream.max_b_frames = bframes
                stream.options |= {"preset": "ultrafast", "crf": "12", "bf": str(bframes)}
            if codec == "libx265":
                stream.options |= {"x265-params": f"log-level=none:bframes={bframes}:keyint={gop}"}
            times = list(ticks) if ticks is not None else None
            if times is not None:
                stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
            for number in range(count):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(turn(card(number))), format="rgb24")
                frame.pts = number if times is None else times[number]
                frame.time_base = Fraction(1, fps) if times is None else Fraction(1, 1000)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        if sound is not None:
            for start in range(0, int(16000 * count / fps), 1024):
                tone = (np.sin(np.arange(start, start + 1024) / 8) * 8000).astype(np.float32)[None] / 32768
                block = av.AudioFrame.from_ndarray(tone, format="fltp", layout="mono")
                block.sample_rate, block.pts, block.time_base = 16000, start, Fraction(1, 16000)
                out.mux(sound.encode(block))
            out.mux(sound.encode(None))
    return path


def box(data: bytes, *names: bytes) -> tuple[int, int]:
    """Return (start, end) of the content of the MP4 box reached by ``names``."""
    start, end = 0, len(data)
    for name in names:
        while True:
            size, kind = struct.unpack_from(">I4s", data, start)
            if kind == name:
                start, end = start + 8, start + size
                break
            start += size
            if start >= end:
                raise ValueError(f"no box {name!r}")
    return start, end


def rotate_flag(path: Path, degrees: int) -> Path:
    """Set the display matrix of an MP4 to a clockwise rotation."""
    data = bytearray(path.read_bytes())
    start, _ = box(data, b"moov", b"trak", b"tkhd")
    one = 0x10000
    a, b = {90: (0, one), 180: (-one, 0), 270: (0, -one)}[degrees]
    struct.pack_into(">9i", data, start + 40, a, b, 0, -b, a, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def damage(path: Path, to: Path, at: float, length: int) -> Path:
    """Copy ``path`` with ``length`` bytes overwritten by noise at the share ``at`` of its length."""
    data = bytearray(path.read_bytes())
    begin = int(len(data) * at)
    data[begin:begin + length] = np.random.default_rng(7).integers(0, 256, length, np.uint8).tobytes()
    to.write_bytes(data)
    return to


def cut(path: Path, to: Path, share: float) -> Path:
    """Copy the first ``share`` of a file."""
    data = path.read_bytes()
    to.write_bytes(data[:int(len(data) * share)])
    return to
