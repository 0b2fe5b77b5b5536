"""What is known of media, and frames as image files: the stages behind ``vtk probe`` and ``vtk frames``."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vtk.driver.inputs import output_path
from vtk.driver.stage import Frame, Record, Source, Stage
from vtk.errors import UsageError, VtkError
from vtk.media.sampling import NATIVE, Sampling, Size

FORMATS = ("jpg", "png", "webp")


class ProbeStage(Stage):
    """Opens each source, decodes one frame to prove it readable, and adds nothing but its ``media`` record."""

    name = "probe"
    writes = frozenset({"media"})

    def sampling(self, source: Source) -> Sampling:
        """Return a sampling that opens the source and takes no frame."""
        return Sampling(limit=0)


class FramesStage(Stage):
    """Writes frames as image files: DIR/SOURCE/000123.jpg, numbered by their index in the source."""

    name = "frames"
    sink = True
    reads = frozenset({"detection", "track", "text", "face", "species"})

    def __init__(self, out_dir: Path, sampling: Sampling = Sampling(), at: Sequence[float] = (), format: str = "jpg",
                 quality: int = 92, size: int | None = None, overwrite: bool = False, tee: bool = False) -> None:
        if format not in FORMATS:
            raise UsageError(f"--format is '{format}': it is one of {', '.join(FORMATS)}")
        if not 1 <= quality <= 100:
            raise UsageError(f"--quality is {quality}: a number from 1 to 100 is needed")
        if any(time < 0 for time in at):
            raise UsageError(f"--at has {min(at):g}: seconds from the first frame are needed")
        if at and sampling.mode != "all":
            raise UsageError("--at and --every or --fps all say which frames to take: give one of them")
        self._out_dir, self._sampling, self._at = out_dir, sampling, tuple(sorted(at))
        self._format, self._quality, self._overwrite, self.tee = format, quality, overwrite, tee
        self._size = Size("long", size) if size is not None else NATIVE

    def options(self, mode: str = "media") -> Record:
        """Return the options that change the images."""
        return {"sampling": dataclasses.asdict(self._sampling), "at": list(self._at), "format": self._format,
                "quality": self._quality, "size": dataclasses.asdict(self._size)}

    def sampling(self, source: Source) -> Sampling:
        """Return the frames asked for; with records and nothing asked, the frames of the records."""
        wanted = self._sampling
        if self._at:
            wanted = dataclasses.replace(wanted, mode="at", times=self._at, limit=len(self._at),
                                         start=max(0.0, self._at[0] - 1e-6) or None)
        elif source.mode == "records" and wanted.mode == "all":
            wanted = dataclasses.replace(wanted, mode="records")
        return wanted.sized(self._size)

    def start(self, source: Source) -> Any:
        """Make the folder of the source and return it."""
        folder = self._out_dir / output_path(source.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise VtkError(f"cannot make folder {folder}: {error.strerror}", code="E_WRITE") from None
        return folder

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Write each frame."""
        from vtk.media.image import write_image

        for frame in batch:
            path = os.path.join(state, f"{frame.index:06d}.{self._format}")
            if not self._overwrite and os.path.exists(path):
                raise VtkError(f"{path} exists: --overwrite replaces it", code="E_WRITE")
            write_image(path, frame.image, self._quality)
        return [[] for _ in batch]
