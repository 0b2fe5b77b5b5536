"""Films to cut: key frames where they are known to be, pictures that no other frame has, and how alike two are."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from vtk.media.sampling import NATIVE
from vtk.media.video import open_media

WIDTH, HEIGHT, COUNT, GROUP = 160, 112, 60, 15
STEADY = [index / 20 for index in range(COUNT)]
# Intervals of 40, 80 and 120 ms by turns.
VARYING = np.cumsum([0, *([0.04, 0.08, 0.12] * COUNT)])[:COUNT].tolist()


def picture(index: int) -> np.ndarray:
    """Return a picture that no other frame has, smooth enough to be coded well."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    waves = [np.sin((x + 3 * index) / 11 + y / 17 + phase) for phase in (0, 2, 4)]
    return (128 + 90 * np.stack(waves, axis=-1)).astype(np.uint8)


def film(path: Path, codec: str = "libx264", times: Sequence[float] = STEADY, sound: bool = False,
         **options: str) -> Path:
    """Write a film with a key frame at every 15th frame, frames between them that build on later ones, and a tone."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=20)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000 if path.suffix != ".avi" else 20)
        stream.options = {"g": str(GROUP), "sc_threshold": "0", **options}
        tone = out.add_stream("aac", rate=16000, layout="mono") if sound else None
        for index, t in enumerate(times):
            frame = av.VideoFrame.from_ndarray(picture(index), "rgb24")
            frame.pts, frame.time_base = round(t / stream.time_base), stream.time_base
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
        if tone is not None:
            samples = np.sin(np.arange(round(16000 * (times[-1] + 0.05))) / 8).astype(np.float32)
            for begin in range(0, len(samples), 1024):
                frame = av.AudioFrame.from_ndarray(samples[None, begin : begin + 1024], "fltp", "mono")
                frame.sample_rate, frame.pts = 16000, begin
                out.mux(tone.encode(frame))
            out.mux(tone.encode())
    return path


def seen(path: Path | str, start: float | None = None, end: float | None = None) -> list[tuple[float, np.ndarray]]:
    """Return (seconds, picture) of the frames of a file that are shown in a span."""
    reader = open_media(str(path))
    found = [(frame.t, frame.image(NATIVE)) for frame in reader.frames([NATIVE], lambda index, t: True, start, end)]
    assert not reader.errors
    reader.close()
    return found


def likenesses(a: list[tuple[float, np.ndarray]], b: list[tuple[float, np.ndarray]]) -> list[float]:
    """Return the peak signal-to-noise ratio of each pair of pictures in dB; infinite where they are equal."""
    assert len(a) == len(b)
    assert np.allclose([t - a[0][0] for t, _ in a], [t - b[0][0] for t, _ in b], atol=0.0021)
    errors = [float(((x.astype(float) - y) ** 2).mean()) for (_, x), (_, y) in zip(a, b)]
    return [10 * float(np.log10(255**2 / error)) if error else float("inf") for error in errors]
