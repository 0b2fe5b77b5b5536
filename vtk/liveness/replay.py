"""Film live faces and their replays, and say exactly which is which: ``python -m vtk.liveness.replay PICTURE… -o CLIP``.

Each picture (or video) of a face is filmed twice, with an empty room after each take: once as if the camera stood
before the person, once from a phone's screen, with its subpixels and the moiré that they make, glare, bands of the
refresh, a bezel, and colours off. The camera is held in a hand, hunts for focus and has noise; the clip is encoded
with loss. CLIP is any video file; beside it stands CLIP.json:

    {"format": …, "width", "height", "fps", "seed", "takes": [{"source", "kind": "live" or "replay", "start_frame",
    "end_frame", "corners": [[[x, y], 4 times, clockwise from the upper left], a frame]}]}

The corners are of the picture in the clip, pixels: what lies outside of them is made up (a live take mirrors the
picture beyond its edges) and belongs to no truth. The same seed and sources make the same clip. A simulated replay is
no real one: figures on such clips compare ways to judge, and say nothing about how many attacks are found.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import EXIT_OK, UsageError, VtkError
from vtk.liveness.filming import Hand, empty, live, replayed
from vtk.media.names import source_name
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import open_media
from vtk.media.writer import VideoWriter

FORMAT = "vtk replay truth 1"
KINDS: dict[str, Callable[[np.ndarray, Hand, int, float], tuple[np.ndarray, np.ndarray]]] = {
    "live": live, "replay": replayed}
_LONGEST = 960  # pixels of the long side: the frames of a video are held in memory


@dataclass(frozen=True, slots=True)
class Plan:
    """How a clip is filmed.

    Attributes:
        width, height, fps: of the clip.
        seconds: of a take.
        gap: seconds of the empty room after each, longer than any tracker waits for a lost face (2 s).
        crf: the encoder's; more is worse.
        seed: of the camera's movements and noise.
    """

    width: int = 640
    height: int = 480
    fps: float = 25.0
    seconds: float = 4.0
    gap: float = 2.5
    crf: int = 26
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.width, self.height) < 64 or max(self.width, self.height) > 4096:
            raise UsageError(f"--size {self.width}x{self.height}: sides from 64 to 4096 pixels are needed")
        if not (1 <= self.fps <= 240 and self.seconds * self.fps >= 1 and 0 <= self.gap <= 60):
            raise UsageError(f"--fps {self.fps:g}, --seconds {self.seconds:g}, --gap {self.gap:g}: 1 to 240 frames a "
                             "second, takes of at least a frame and gaps up to a minute are needed")


PLAN = Plan()


def pictures(path: str, frames: int) -> list[np.ndarray]:
    """Return the picture in a file, or the first ``frames`` frames of a video, (h, w, 3) uint8 RGB each.

    Raises:
        MediaError: it cannot be read.
    """
    with closing(open_media(path)) as reader:
        info = reader.info
        size = NATIVE if max(info.width, info.height) <= _LONGEST else Size("long", _LONGEST)
        return [np.array(frame.image(size)) for frame in islice(reader.frames([size], lambda index, t: True), frames)]


def film(sources: Sequence[str], path: Path, plan: Plan = PLAN) -> dict[str, Any]:
    """Film live and replayed takes of each source into a video; return the truth.

    A source shorter than a take runs forth and back.

    Raises:
        UsageError: there are no sources.
        MediaError: a source cannot be read, or the clip not be written.
    """
    if not sources:
        raise UsageError("no pictures are given: name some of faces")
    count, gap = round(plan.seconds * plan.fps), round(plan.gap * plan.fps)
    takes: list[dict[str, Any]] = []
    hand, at = Hand.of(plan.width, plan.height, plan.seed), 0
    with closing(VideoWriter(path, plan.width, plan.height, plan.fps, crf=plan.crf)) as writer:
        for source in sources:
            shown = pictures(source, count)
            for kind, filmed in KINDS.items():
                places = []
                for frame, picture in enumerate(_there_and_back(shown, count), at):
                    image, corners = filmed(picture, hand, frame, frame / plan.fps)
                    writer.write(image, frame / plan.fps)
                    places.append(corners.round(2).tolist())
                takes.append({"source": source_name(os.path.basename(source)), "kind": kind, "start_frame": at,
                              "end_frame": at + count, "corners": places})
                for frame in range(at + count, at + count + gap):
                    writer.write(empty(hand, frame, frame / plan.fps), frame / plan.fps)
                at += count + gap
    return {"format": FORMAT, "width": plan.width, "height": plan.height, "fps": plan.fps, "seed": plan.seed,
            "takes": takes}


def truth_of(path: Path) -> dict[str, Any]:
    """Return the truth of a clip, from the file beside it.

    Raises:
        UsageError: there is none, or it is another file.
    """
    beside = truth_path(path)
    try:
        truth = json.loads(beside.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"{beside} cannot be read ({error}): make the clip with "
                         "python -m vtk.liveness.replay") from None
    if not isinstance(truth, dict) or truth.get("format") != FORMAT:
        raise UsageError(f"{beside} is no truth of python -m vtk.liveness.replay")
    return truth


def truth_path(path: Path) -> Path:
    """Return where the truth of a clip stands."""
    return path.with_name(path.name + ".json")


def _there_and_back(shown: Sequence[np.ndarray], count: int) -> Iterator[np.ndarray]:
    """Yield ``count`` pictures, forth and back where there are fewer."""
    period = max(1, 2 * (len(shown) - 1))
    for index in range(count):
        place = index % period
        yield shown[place if place < len(shown) else period - place]


def main(arguments: Sequence[str] | None = None) -> int:
    """Film what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m vtk.liveness.replay", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", nargs="+", help="pictures or videos of a face each")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the video to write; its truth beside it")
    parser.add_argument("--size", default="640x480", help="of the clip, WIDTHxHEIGHT pixels")
    parser.add_argument("--fps", type=float, default=PLAN.fps, help="frames a second")
    parser.add_argument("--seconds", type=float, default=PLAN.seconds, help="of a take")
    parser.add_argument("--gap", type=float, default=PLAN.gap, help="seconds of the empty room after each take")
    parser.add_argument("--crf", type=int, default=PLAN.crf, help="the encoder's constant rate factor")
    parser.add_argument("--seed", type=int, default=PLAN.seed, help="of the camera's movements and noise")
    given = parser.parse_args(arguments)
    try:
        width, _, height = given.size.partition("x")
        if not (width.isdecimal() and height.isdecimal()):
            raise UsageError(f"--size {given.size}: WIDTHxHEIGHT is needed, such as 640x480")
        plan = Plan(int(width), int(height), given.fps, given.seconds, given.gap, given.crf, given.seed)
        truth = film(given.pictures, given.output, plan)
        truth_path(given.output).write_text(json.dumps(truth) + "\n")
    except VtkError as error:
        sys.stderr.write(f"replay: {error}\n")
        return error.exit_code
    return EXIT_OK


if __name__ == "__main__":
    sys.exit(main())
