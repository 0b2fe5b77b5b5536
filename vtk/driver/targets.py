"""Where a command writes what it makes of pictures and films: one file that was named, or one a source below a folder."""

from __future__ import annotations

from pathlib import Path

from vtk.driver.inputs import output_path
from vtk.errors import UsageError
from vtk.media.writer import MUXERS

IMAGES = (".png", ".jpg", ".jpeg", ".webp")
VIDEOS = tuple(MUXERS)
# Sources whose names their films keep below a folder; others get .mp4 behind theirs, which plays more widely.
_KEPT = (".mp4", ".m4v", ".mov", ".mkv")


def shows_image(path: Path) -> bool:
    """Return whether a file of this name holds an image."""
    return path.name.lower().endswith(IMAGES)


class Target:
    """Names the file of each source.

    Args:
        output: the file of the one source that may come.
        out_dir: the folder below which each source has its own; of the two one is given.

    Raises:
        UsageError: ``output`` is named neither as an image nor as a video.
    """

    def __init__(self, output: Path | None, out_dir: Path | None) -> None:
        if output is not None and output.suffix.lower() not in (*IMAGES, *VIDEOS):
            raise UsageError(f"-o {output}: a name that ends in {', '.join((*VIDEOS, *IMAGES))} is needed")
        self._output, self._out_dir = output, out_dir
        self._taken: str | None = None

    def of(self, source: str, image: bool) -> Path:
        """Return the file of a source, which is an ``image`` or a video.

        Raises:
            UsageError: the named file is another source's, or named as the other kind.
        """
        if self._out_dir is not None:
            name = output_path(source)
            kept = name.lower().endswith(IMAGES if image else _KEPT)
            return self._out_dir / (name if kept else name + (".png" if image else ".mp4"))
        path = self._output or Path()
        if self._taken not in (None, source):
            raise UsageError(f"-o {path} holds {self._taken} already, and {source} came too: "
                             "give --out-dir DIR for several sources")
        if image != shows_image(path):
            kind, suffixes = ("an image", IMAGES) if image else ("a video", VIDEOS)
            raise UsageError(f"-o {path}: {source} is {kind}, a name that ends in {', '.join(suffixes)} is needed")
        self._taken = source
        return path
