"""Boxes as CVAT's XML 1.1: a file a video, with tracks, and one file of all pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from vtk.errors import UsageError
from vtk.export.boxes import Box, Boxes
from vtk.export.outputs import Outputs

PICTURES = "images.xml"


class CvatFormat:
    """Writes CVAT for video 1.1 of videos, as they close, and CVAT for images 1.1 of pictures, in one file.

    Args:
        output: the file of a video, or of all pictures; - is stdout.
        out_dir: the folder with a file for each video, and images.xml for all pictures.
        overwrite: whether files that exist are replaced.
        tee: whether records go on to stdout.

    Raises:
        UsageError: no output or two are named.
    """

    def __init__(self, output: Path | None, out_dir: Path | None, overwrite: bool, tee: bool) -> None:
        self._outputs = Outputs("cvat", ".xml", output, out_dir, overwrite, tee)
        self._output, self._out_dir = output, out_dir
        self._pictures: list[Boxes] = []
        self._video = ""

    def check(self) -> None:
        """Refuse an output that exists or cannot be."""
        self._outputs.prepare()
        if self._out_dir is not None:
            self._outputs.check_free(self._out_dir / PICTURES)

    def begin(self, source: str) -> None:
        """Nothing: whether it is a picture is known when it closes."""

    def add(self, boxes: Boxes) -> list[str]:
        """Write a video's file; put a picture by.

        Raises:
            UsageError: the file is there, or has another source in it.
        """
        if boxes.image:
            if self._video and self._out_dir is None:
                raise UsageError(f"{self._output} holds {self._video} already, and {boxes.name} came too: give "
                                 "--out-dir DIR for videos and pictures")
            self._pictures.append(boxes)
            return []
        if self._pictures and self._out_dir is None:
            raise UsageError(f"-o {self._output} is to hold the picture {self._pictures[0].name}, and the video "
                             f"{boxes.name} came too: give --out-dir DIR")
        path = self._outputs.place(boxes.name)
        self._video = boxes.name
        self._outputs.write(path, [line.encode() for line in video_lines(boxes)])
        return []

    def close(self) -> None:
        """Write the pictures' file."""
        if self._pictures:
            path = self._output if self._output is not None else (self._out_dir or Path()) / PICTURES
            self._outputs.write(path, [line.encode() for line in image_lines(self._pictures)])


def video_lines(boxes: Boxes) -> Iterator[str]:
    """Yield the XML of a video: a track for each track, and one of a single frame for each box without."""
    last = max((box.frame for box in boxes.boxes), default=-1)
    frames = max(boxes.frames or 0, last + 1)
    yield from _head(boxes.name, frames, "interpolation", [boxes])
    for number, (label, some) in enumerate(tracks_of(boxes.boxes)):
        yield f'  <track id="{number}" label={quoteattr(label)} source="auto">'
        for box, outside in keyframes(some, frames):
            yield (f'    <box frame="{box.frame}" keyframe="1" outside="{outside:d}" occluded="0" {_corners(box)} '
                   'z_order="0"></box>')
        yield "  </track>"
    yield "</annotations>"


def image_lines(pictures: Sequence[Boxes]) -> Iterator[str]:
    """Yield the XML of pictures."""
    yield from _head("pictures", len(pictures), "annotation", pictures)
    for number, boxes in enumerate(pictures):
        yield (f'  <image id="{number}" name={quoteattr(boxes.name)} width="{boxes.width}" height="{boxes.height}">')
        for box in boxes.boxes:
            yield (f'    <box label={quoteattr(_plain(box.label))} source="auto" occluded="0" {_corners(box)} '
                   'z_order="0"></box>')
        yield "  </image>"
    yield "</annotations>"


def tracks_of(boxes: Iterable[Box]) -> list[tuple[str, list[Box]]]:
    """Return the boxes of each track with its label, that of most of them; a box without a track is one by itself."""
    by_track: dict[int, list[Box]] = {}
    alone = 0
    for box in boxes:
        alone -= box.track < 0
        by_track.setdefault(box.track if box.track >= 0 else alone, []).append(box)
    found = []
    for some in by_track.values():
        labels = [box.label for box in some]
        found.append((_plain(max(dict.fromkeys(labels), key=labels.count)), some))
    return found


def keyframes(boxes: Sequence[Box], frames: int) -> Iterator[tuple[Box, bool]]:
    """Yield a track's boxes, each with whether it says that the object is gone: at the frame after it was last seen.

    Between two frames that were looked at one after the other, ``step`` apart, CVAT interpolates.
    """
    ended: Box | None = None
    for place, box in enumerate(boxes):
        if ended is not None and ended.frame == box.frame:
            continue  # twice in a frame
        yield box, False
        ended = box
        following = boxes[place + 1] if place + 1 < len(boxes) else None
        if following is not None and following.frame - box.frame <= max(following.step, 1):
            continue
        gone = box.frame + (1 if following is None else max(following.step, 1))
        if gone < (frames if following is None else following.frame):
            yield box._replace(frame=gone), True


def _head(name: str, frames: int, mode: str, sources: Sequence[Boxes]) -> Iterator[str]:
    labels = sorted({_plain(box.label) for boxes in sources for box in boxes.boxes})
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield "<annotations>\n  <version>1.1</version>\n  <meta>\n    <task>"
    yield f"      <name>{escape(_plain(name))}</name>\n      <size>{frames}</size>\n      <mode>{mode}</mode>"
    yield f"      <start_frame>0</start_frame>\n      <stop_frame>{max(frames - 1, 0)}</stop_frame>\n      <labels>"
    for label in labels:
        yield f"        <label><name>{escape(label)}</name><type>any</type><attributes></attributes></label>"
    yield "      </labels>"
    if mode == "interpolation":
        size = sources[0]
        yield (f"      <original_size>\n        <width>{size.width}</width>\n        <height>{size.height}</height>\n"
               "      </original_size>")
    yield "    </task>\n  </meta>"


def _corners(box: Box) -> str:
    return f'xtl="{box.x1:.2f}" ytl="{box.y1:.2f}" xbr="{box.x2:.2f}" ybr="{box.y2:.2f}"'


def _plain(text: str) -> str:
    """Return a text without the control characters that XML cannot hold."""
    return "".join(letter if letter >= " " and letter not in "\ufffe\uffff" else " " for letter in text)
