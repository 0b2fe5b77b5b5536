"""Time decoding to a model's input size, each decoder in turns: ``python -m vtk.media.bench CLIP``.

With ``--keys`` our reader alone: key frames, and those with one frame a second in long gaps, beside full decoding for
one frame a second.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import numpy as np

from vtk.errors import VtkError
from vtk.media.sampling import Size

if TYPE_CHECKING:
    from vtk.media.frames import Decoded
    from vtk.media.video import Reader

Decode = Callable[[str, tuple[int, int]], int]


def ours(path: str, size: tuple[int, int]) -> int:
    """Decode by our default reader."""
    from vtk.media.video import open_media

    reader = open_media(path)
    wanted = Size("exact", *size)
    try:
        return sum(frame.image(wanted).shape[1] == size[0] for frame in reader.frames([wanted], lambda index, t: True))
    finally:
        reader.close()


def opencv(path: str, size: tuple[int, int]) -> int:
    """Decode by cv2.VideoCapture, then cv2.resize: what most programs do. The frames stay BGR."""
    import cv2

    capture, count = cv2.VideoCapture(path), 0
    while True:
        done, frame = capture.read()
        if not done:
            return count
        cv2.resize(frame, size)
        count += 1


def pyav_full(path: str, size: tuple[int, int]) -> int:
    """Decode by PyAV to RGB in full size, then cv2.resize."""
    import av
    import cv2

    with av.open(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        return sum(cv2.resize(frame.to_ndarray(format="rgb24"), size) is not None for frame in container.decode(stream))


def decord(path: str, size: tuple[int, int]) -> int:
    """Decode by decord, which scales as it decodes."""
    import decord

    video = decord.VideoReader(path, width=size[0], height=size[1])
    return sum(video.next().asnumpy().shape[1] == size[0] for _ in range(len(video)))


def torchcodec(path: str, size: tuple[int, int]) -> int:
    """Decode by torchcodec, which scales as it decodes, as many threads as cores."""
    from torchcodec.decoders import VideoDecoder
    from torchcodec.transforms import Resize

    video = VideoDecoder(path, num_ffmpeg_threads=0, dimension_order="NHWC", transforms=[Resize((size[1], size[0]))])
    return sum(frame.shape[1] == size[0] for frame in video)


DECODERS: dict[str, Decode] = {"vtk": ours, "opencv": opencv, "pyav-full": pyav_full, "decord": decord,
                               "torchcodec": torchcodec}
_PACKAGES = {"vtk": "av", "opencv": "opencv-python", "pyav-full": "av"}


def compare(path: str, long_side: int, turns: int) -> list[dict[str, object]]:
    """Return a row for each decoder that can be loaded: frames a second over ``turns`` alternating runs.

    One run of each comes before and is not timed. ``ratio`` is to OpenCV's median. ``cpu_ms`` a frame is the time of
    all threads: what decoding takes from the model beside it, and the better figure where others use the machine.
    """
    from vtk.media.video import open_media

    reader = open_media(path)
    size = Size("long", long_side).of(reader.info.width, reader.info.height)
    reader.close()
    rates: dict[str, list[float]] = {}
    busy: dict[str, list[float]] = {}
    rows: dict[str, dict[str, object]] = {}
    for name, decode in DECODERS.items():
        try:
            rows[name] = {"implementation": name, "version": _version(name), "frames": decode(path, size)}
            rates[name], busy[name] = [], []
        except Exception as error:  # whatever keeps a rival from running is its result
            print(f"{name} left out: {type(error).__name__}: {str(error).splitlines()[0]}", file=sys.stderr)
            rows.pop(name, None)
    for _ in range(turns):
        for name in rates:
            begin, used = time.perf_counter(), time.process_time()
            count = DECODERS[name](path, size)
            rates[name].append(count / (time.perf_counter() - begin))
            busy[name].append((time.process_time() - used) / count * 1000)
    clip = {"clip": os.path.basename(path), "size": list(size), "turns": turns, "cores": os.cpu_count(),
            "machine": platform.machine()}
    return [_row(rows[name], rates, name) | {"cpu_ms": round(float(np.median(busy[name])), 2)} | clip for name in rates]


def second_by_second(path: str, size: Size) -> tuple[int, int]:
    """Decode all and convert one frame a second; return how many were given and how many decoded."""
    from vtk.media.sampling import Sampling

    return _given(path, lambda reader: reader.frames([size], Sampling("fps", fps=1).chooser()))


def key_frames(path: str, size: Size) -> tuple[int, int]:
    """Decode and convert the key frames alone."""
    return _given(path, lambda reader: reader.key_frames([size], closest=1.0))


def filled(path: str, size: Size) -> tuple[int, int]:
    """Decode the key frames, and what lies between those more than a second apart; convert one frame a second."""
    return _given(path, lambda reader: reader.key_frames([size], closest=1.0, furthest=1.0))


WAYS: dict[str, Callable[[str, Size], tuple[int, int]]] = {
    "1-fps": second_by_second, "key-frames": key_frames, "key-frames-filled": filled}


def compare_ways(path: str, long_side: int, turns: int) -> list[dict[str, object]]:
    """Return a row for each way to read a clip sparsely: how many times faster than it plays, over alternating runs.

    One run of each comes before and is not timed. ``ratio`` is to the median of full decoding, ``spacing`` the longest
    seconds without a key frame.
    """
    from vtk.media.video import open_media

    reader = open_media(path)
    clip = {"clip": os.path.basename(path), "size": list(Size("long", long_side).of(reader.info.width,
                                                                                    reader.info.height)),
            "seconds": reader.info.duration, "spacing": reader.key_spacing(), "turns": turns, "cores": os.cpu_count(),
            "machine": platform.machine()}
    reader.close()
    if not clip["seconds"]:
        raise VtkError("does not say how long it is; --keys needs a clip that does")
    counts = {name: way(path, Size("long", long_side)) for name, way in WAYS.items()}
    taken: dict[str, list[float]] = {name: [] for name in WAYS}
    busy: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(turns):
        for name, way in WAYS.items():
            begin, used = time.perf_counter(), time.process_time()
            way(path, Size("long", long_side))
            taken[name].append(time.perf_counter() - begin)
            busy[name].append(time.process_time() - used)
    full = float(np.median(taken["1-fps"]))
    return [{"implementation": name, "given": counts[name][0], "decoded": counts[name][1],
             "realtime": round(float(clip["seconds"] / np.median(taken[name])), 1),
             "ratio": round(full / float(np.median(taken[name])), 2),
             "cpu_s": round(float(np.median(busy[name])), 3)} | clip for name in WAYS]


def _given(path: str, read: Callable[[Reader], Iterator[Decoded]]) -> tuple[int, int]:
    from vtk.media.video import open_media

    reader = open_media(path)
    try:
        return sum(1 for _ in read(reader)), reader.decoded
    finally:
        reader.close()


def _row(row: dict[str, object], rates: Mapping[str, list[float]], name: str) -> dict[str, object]:
    low, median, high = np.percentile(rates[name], (10, 50, 90))
    ratio = float(median / np.median(rates["opencv"])) if "opencv" in rates else None
    return row | {"fps": round(float(median), 1), "p10": round(float(low), 1), "p90": round(float(high), 1),
                  "ratio": round(ratio, 3) if ratio is not None else None}


def _version(name: str) -> str:
    try:
        return version(_PACKAGES.get(name, name))
    except PackageNotFoundError:
        return "unknown"


def main() -> None:
    """Print one JSON line a decoder, or a way."""
    parser = argparse.ArgumentParser(prog="python -m vtk.media.bench", description=__doc__)
    parser.add_argument("clip", nargs="+", help="video files")
    parser.add_argument("--size", type=int, default=640, help="long side in pixels (default: 640)")
    parser.add_argument("--turns", "--runs", type=int, default=5, help="timed runs of each decoder (default: 5)")
    parser.add_argument("--keys", action="store_true", help="compare ways to read a clip sparsely, not decoders")
    asked = parser.parse_args()
    rows = compare_ways if asked.keys else compare
    for clip in asked.clip:
        try:
            for row in rows(clip, asked.size, asked.turns):
                print(json.dumps(row), flush=True)
        except VtkError as error:
            sys.exit(f"vtk.media.bench: {clip}: {error}")


if __name__ == "__main__":
    main()
