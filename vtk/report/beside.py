"""A source beside what it copies: both pictures, what they are, and where on the source's time that is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from vtk.errors import VtkError
from vtk.media.frames import Decoded
from vtk.media.sampling import Size
from vtk.report.canvas import Style
from vtk.report.copied import Copied, Copy
from vtk.report.lettering import fitted, printable, text_width, write
from vtk.report.opposite import Opposite
from vtk.report.palette import Colour

GROUND: Colour = (18, 18, 18)
PANE: Colour = (30, 30, 30)
RAIL: Colour = (64, 64, 64)
INK: Colour = (236, 236, 236)
QUIET: Colour = (128, 128, 128)


class Beside:
    """Puts each frame of a source beside the frame of the reference that it shows.

    From the top: captions; the source's frame and, in a pane of the same size, the reference's, never stretched; the
    source's time with its copied spans. The size is the same for all frames, whatever the references are.

    Args:
        name: the source.
        copied: its copies.
        width, height: of its frames in pixels.
        duration: of the source in seconds, as far as it is known.
        style: of its frames; sizes of letters and lines are taken from it.
        root: the folder that relative names of references are resolved in.
    """

    def __init__(self, name: str, copied: Copied, width: int, height: int, duration: float, style: Style,
                 root: str | None = None) -> None:
        self._copied, self._style = copied, style
        self._opposite = Opposite(root)
        self._names = short_names([name, *copied.refs])
        self._name = self._names[name]
        self._wide, self._high = width, height
        self._gap = 2 * max(1, style.line)
        self._pad = max(3, round(style.letters / 3))
        self._row = style.letters + 2 * self._pad
        self._in_one = copied.most == 1 and all(
            self._fits(self._names[copy.ref], "  ".join([clock(copy.ref_end), *_told(copy)]))
            for *_, copy in copied.spans())
        self._head = self._row * (1 if self._in_one else 2)
        self._foot = max(8, style.letters) + 2 * self._pad
        self._foot += (self._head + height + self._foot) % 2
        self._seconds = max(duration, copied.end)
        self._left = width + self._gap  # where the right pane begins
        # One picture for all: of one a frame, some megabytes each, the allocator keeps many (1.7 GB of 720p, measured).
        self._out = self._blank()
        self._rail = self._out[self._head + height:].copy()
        self._seen: object = None  # what the right pane shows

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels, both even."""
        return self._out.shape[1], self._out.shape[0]

    @property
    def failed(self) -> dict[str, VtkError]:
        """The references that could not be opened, with why."""
        return self._opposite.failed

    def picture(self, image: np.ndarray, t: float) -> np.ndarray:
        """Return the picture of second ``t``, (H, W, 3) uint8 RGB, which the next call paints over.

        Args:
            image: (height, width, 3) uint8 RGB, the source's frame as it is drawn.
            t: seconds from the source's first frame.
        """
        out = self._out
        out[:self._head] = GROUND
        out[self._head:self._head + self._high, :self._wide] = image
        out[self._head + self._high:] = self._rail
        self._caption(out, 0, self._name, clock(t))
        shown = self._copied.at(t)
        if shown:
            moment = max(0.0, shown[0].opposite(t))
            self._show_reference(shown[0], moment)
            told = "  ".join([clock(moment), *(_told(shown[0]) if self._in_one else ())])
            self._caption(out, self._left, self._names[shown[0].ref], told, self._copied.colour(shown[0].ref))
            if not self._in_one:
                self._below(out, shown, t)
        else:
            self._show("no copy", None, False)
        self._mark(out, t)
        return out

    def close(self) -> None:
        """Close the reference that is open."""
        self._opposite.close()

    def _blank(self) -> np.ndarray:
        """Return what is the same in all pictures: the ground, and the source's time with the copied spans."""
        width = 2 * self._wide + self._gap
        frame = np.full((self._head + self._high + self._foot, width, 3), GROUND, np.uint8)
        rail = frame[self._head + self._high + self._pad:][:self._foot - 2 * self._pad]
        rail[:, self._pad:width - self._pad] = RAIL
        for start, end, copy in self._copied.spans():
            left = self._place(start)
            rail[:, left:max(left + 1, self._place(end))] = self._copied.colour(copy.ref)
        return frame

    def _place(self, t: float) -> int:
        """Return the column at which second ``t`` of the source is."""
        long = 2 * self._wide + self._gap - 2 * self._pad
        share = min(max(t / self._seconds, 0.0), 1.0) if self._seconds > 0 else 0.0
        return self._pad + round(share * long)

    def _mark(self, out: np.ndarray, t: float) -> None:
        """Mark the place of second ``t``: white in black, so that it is seen on every colour."""
        line = max(2, self._style.line)
        left = min(self._place(t), out.shape[1] - self._pad) - line // 2
        foot = out[self._head + self._high + self._pad // 2:][:self._foot - self._pad]
        foot[:, left - line:left + 2 * line] = 0
        foot[:, left:left + line] = 255

    def _show_reference(self, copy: Copy, t: float) -> None:
        """Show the reference's frame of second ``t``, mirrored back where it is mirrored."""
        frame = self._opposite.frame(copy.ref, t)
        gone = "reference cannot be opened" if copy.ref in self.failed else "nothing there"
        self._show(gone if frame is None else (copy.ref, copy.hflip, frame.index), frame, copy.hflip)

    def _show(self, what: object, frame: Decoded | None, hflip: bool) -> None:
        """Fill the right pane, unless ``what`` is there already, with a frame, or with a text on dark."""
        if what == self._seen:
            return
        pane = self._out[self._head:self._head + self._high, self._left:]
        pane[...] = PANE
        if frame is None:
            self._say(pane, str(what))
        else:
            self._fit(pane, frame, hflip)
        self._seen = what

    def _fit(self, pane: np.ndarray, frame: Decoded, hflip: bool) -> None:
        """Put a frame into the middle of the pane, as large as it can be."""
        width, height = self._opposite.size
        scale = min(self._wide / width, self._high / height)
        wide, high = max(1, round(width * scale)), max(1, round(height * scale))
        image = frame.image(Size("exact", wide, high))
        top, left = (self._high - high) // 2, (self._wide - wide) // 2
        pane[top:top + high, left:left + wide] = image[:, ::-1] if hflip else image

    def _say(self, pane: np.ndarray, text: str) -> None:
        """Write a quiet line into the middle of a pane."""
        size, font = self._style.letters, self._style.font
        text = fitted(text, size, pane.shape[1], font)
        write(pane, text, (pane.shape[1] - text_width(text, size, font)) // 2, (pane.shape[0] + round(0.7 * size)) // 2,
              size, QUIET, font)

    def _caption(self, out: np.ndarray, left: int, name: str, told: str, colour: Colour | None = None) -> None:
        """Write over a pane what it is, and at its right end, in letters that stay in place, what changes."""
        size, font, pad = self._style.letters, self._style.font, self._pad
        baseline = (self._row + round(0.7 * size)) // 2
        x, right = left + pad, left + self._wide - pad
        if colour is not None:
            out[baseline - round(0.7 * size):baseline, x:x + round(0.7 * size)] = colour
            x += round(0.7 * size) + pad
        told = fitted(told, size, right - x, font)
        column = right - text_width(re.sub(r"\d", "0", told), size, font)
        write(out, told, column, baseline, size, INK, font)
        write(out, fitted(printable(name, font=font), size, column - 2 * pad - x, font), x, baseline, size, INK, font)

    def _fits(self, name: str, told: str) -> bool:
        """Return whether a pane is wide enough for a name and what is told of it."""
        size, font = self._style.letters, self._style.font
        return text_width(name + told, size, font) + size + 6 * self._pad <= self._wide

    def _below(self, out: np.ndarray, shown: Sequence[Copy], t: float) -> None:
        """Write under the caption what is told of the copy that is shown, and what else is copied at second ``t``."""
        size, font, pad = self._style.letters, self._style.font, self._pad
        baseline = self._row + (self._row + round(0.7 * size)) // 2 - pad
        x, right, told = self._left + pad, self._left + self._wide - pad, "  ".join(_told(shown[0]))
        write(out, fitted(told, size, right - x, font), x, baseline, size, INK, font)
        x += text_width(told + "  ", size, font)
        if len(shown) == 1 or x >= right:
            return
        others = ", ".join(f"{self._names[copy.ref]} {clock(max(0.0, copy.opposite(t)))} {copy.score:.2f}"
                           for copy in shown[1:])
        text = fitted(printable(f"  also {others}", 400, font), size, right - x, font)
        write(out, text, x, baseline, size, QUIET, font)


def _told(copy: Copy) -> list[str]:
    """Return what is told of a copy: its score, its speed where that is not 1, and whether it is mirrored."""
    speed = [f"{copy.speed:.2f}×"] if round(copy.speed, 2) != 1 else []
    return [f"score {copy.score:.2f}", *speed, *(["mirrored"] if copy.hflip else [])]


def clock(t: float) -> str:
    """Return seconds as m:ss.cc, or h:mm:ss.cc from an hour on."""
    hundredths = round(t * 100)
    minutes, rest = divmod(hundredths, 6000)
    text = f"{rest // 100:02}.{rest % 100:02}"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Return each name by the last parts of its path that no other name ends in."""
    parts = {name: PurePosixPath(name).parts or (name,) for name in dict.fromkeys(names)}
    found: dict[str, str] = {}
    for name, mine in parts.items():
        depth = next((depth for depth in range(1, len(mine)) if sum(
            other[-depth:] == mine[-depth:] for other in parts.values()) == 1), len(mine))
        found[name] = "/".join(mine[-depth:]) if depth < len(mine) else name
    return found
