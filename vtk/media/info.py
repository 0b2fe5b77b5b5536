"""What is known of a source before its frames are read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """A source's properties, as its ``media`` record states them.

    Attributes:
        width, height: pixels of the displayed frame (rotation applied).
        fps: average frames per second; None for images.
        duration: seconds; None where the container does not say.
        rotation: degrees clockwise that were applied, one of 0, 90, 180, 270.
        vfr: whether frame intervals vary.
        frames: the frame count that the container declares, which may lie.
        size: bytes; None for streams.
        fingerprint: short hash of size, head and tail of the file; None for streams.
        decoder: which reader read it: pyav, decord, opencv or pillow.
    """

    kind: Literal["video", "image", "sequence", "stream"]
    width: int
    height: int
    fps: float | None = None
    duration: float | None = None
    codec: str | None = None
    rotation: int = 0
    vfr: bool = False
    frames: int | None = None
    size: int | None = None
    fingerprint: str | None = None
    decoder: str = "pyav"
