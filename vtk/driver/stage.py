"""The stage protocol: what a command adds, and nothing of how it is driven."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from vtk.media.sampling import Sampling, Size

if TYPE_CHECKING:
    import numpy as np

    from vtk.errors import VtkError
    from vtk.media.info import MediaInfo

Record = dict[str, Any]


@dataclass(frozen=True)
class Opening:
    """How sources are opened: the options of vtk.media.video.open_media."""

    decoder: str = "auto"
    threads: int | None = None
    timeout: float = 10.0
    root: str | None = None
    framerate: float | None = None


@dataclass(slots=True)
class Source:
    """One source as a stage sees it.

    Attributes:
        name: the path or URL as the user typed it; every record's ``source``.
        mode: ``media`` when the stage looks at pixels alone, ``records`` when records that it reads came.
        info: what the reader knows of the media; None when the stage asked for no pixels.
        media: the ``media`` record, where one came.
        opening: how the run opens sources: what a stage opens by itself is opened so, too.
        ledgers: the ``end`` records of those before, in order; known when the source ends.
    """

    name: str
    mode: Literal["media", "records"] = "media"
    info: MediaInfo | None = None
    media: Record | None = None
    opening: Opening = Opening()
    ledgers: list[Record] = field(default_factory=list)

    @property
    def root(self) -> str | None:
        """The folder that relative names are resolved in, where the user gave one."""
        return self.opening.root

    @property
    def path(self) -> str:
        """The path that opens the source; a URL as it is."""
        from vtk.media.names import open_name

        return open_name(self.name, self.root)


@dataclass(slots=True)
class Frame:
    """One frame of a source as a stage sees it.

    Attributes:
        index: 0-based index in the original stream.
        t: seconds from the first frame.
        pts: timestamp in stream ticks, where the media has one.
        step: distance in frames to the previous frame that was looked at.
        image: (H, W, 3) uint8 RGB in the size that the stage asked for; None without pixels. Read only.
        scale: (sx, sy), what image pixels are multiplied by to give source pixels.
        records: the records of this frame of the types that the stage reads, in order.
        convert: what gives the frame in another size; None without pixels.
    """

    source: Source
    index: int
    t: float
    pts: int | None = None
    step: int = 1
    image: np.ndarray | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    records: list[Record] = field(default_factory=list)
    convert: Callable[[Size], np.ndarray] | None = None

    def sized(self, size: Size) -> np.ndarray:
        """Return the frame in ``size``, (H, W, 3) uint8 RGB, converted on demand: for the few that need a second size.

        Raises:
            ValueError: the frame has no pixels.
        """
        if self.convert is None:
            raise ValueError(f"frame {self.index} of {self.source.name} has no pixels")
        return self.convert(size)

    def keys(self) -> Record:
        """Return the keys that place a record in its source: source, frame, pts, t and step, absent ones left out."""
        keys: Record = {"source": self.source.name, "frame": self.index}
        if self.pts is not None:
            keys["pts"] = self.pts
        keys["t"] = round(self.t, 6)
        if self.step != 1:
            keys["step"] = self.step
        return keys


class Stage:
    """What a command adds to a stream. Subclasses set the class attributes and override what they need.

    A stage is cheap to construct (options only, names checked) and picklable; ``prepare`` loads models once in the
    process that runs it. States of several sources may be open at a time and never mix.

    Attributes:
        name: the command's name.
        reads, writes: record types.
        late_writes: those that only ``finish`` gives; the driver announces them with a ``run`` record, and says with
            another that they came.
        late: types that it wants to know before its first source, should they come at a run's end: where a ``run``
            record announces them the driver puts the input by until they came, and gives them to ``told``.
        early: types of records about a whole source that it wants before the source's first frame; after a stage that
            writes them a pipe has another pass, and brings them there as ``vtk sort`` does.
        needs: what must be complete before ``frames`` can work.
        holds: whether ``frames`` and ``end`` may also give records of earlier frames, from ``horizon`` on: the driver
            holds those back, so that the stream stays in order, and what follows in a pipe is another pass.
        sink: media or tables out; records reach stdout only with ``tee``.
        deferral: how the user leaves what ``finish`` gives to a later run, where there is a way: an option, in words.
        opens_media: whether it works from pixels when no record that it reads comes.
        whole: whether an error leaves nothing of what it makes of a source, which has failed then, not come in part.
        batch: how many frames of a source one call of ``frames`` gets at most.
        one_output: the file that it writes, where the user named one for whatever source comes.
    """

    name: str = ""
    reads: frozenset[str] = frozenset()
    writes: frozenset[str] = frozenset()
    late_writes: frozenset[str] = frozenset()
    late: frozenset[str] = frozenset()
    early: frozenset[str] = frozenset()
    needs: Literal["frame", "source", "run"] = "frame"
    holds: bool = False
    sink: bool = False
    tee: bool = False
    deferral: str = ""
    opens_media: bool = True
    whole: bool = False
    batch: int = 1
    one_output: Path | None = None

    @property
    def by(self) -> str:
        """The maker of this stage's records: command/model."""
        return self.name

    @property
    def across(self) -> bool:
        """Whether ``finish`` gives results across sources, for which one run has to see them all."""
        return type(self).finish is not Stage.finish

    @property
    def why_across(self) -> str:
        """Why several processes, each with some of the sources, could not do it, in words; where it is ``across``."""
        late = ", ".join(sorted(self.late_writes))
        what = f"its {late} records need all sources" if late else "it has results across sources"
        return f"{what}, and each process sees some of them"

    def maker(self, state: Any) -> str:
        """Return the maker of a source's records, where it depends on what came in; asked once the source ended."""
        return self.by

    def own_reading(self, state: Any) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames of a source it read by itself, not from the driver, and what was lost of them.

        Asked once the source ended.
        """
        return 0, ()

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results, the model's sha256 among them where it is used; JSON types only.

        Args:
            mode: how the source is worked on, ``media`` or ``records``.
        """
        return {}

    def prepare(self, mode: str = "media") -> None:
        """Load what the stage needs for sources of ``mode``: ``records`` where that is all that is known to come.

        Raises:
            WeightsError, UsageError: before any source is opened.
        """

    def check(self) -> None:
        """Refuse what the options name and is not there or cannot be used, as far as that shows without a model.

        All that ``--dry-run`` does; ``prepare`` refuses it too.

        Raises:
            VtkError: something is missing.
        """

    def expect(self, sources: Sequence[str]) -> None:
        """Take note of the sources of the run, where they are named beforehand, and refuse those that cannot be done.

        Before ``prepare``, in the process that was called.

        Raises:
            VtkError: something that they would have written is there, say.
        """

    def told(self, records: Sequence[Record]) -> None:
        """Take records of the types in ``late``, in lots, in order, before the sources that they are about."""

    def sampling(self, source: Source) -> Sampling:
        """Return the frames and the size that it wants of ``source``."""
        return Sampling(mode="none")

    def start(self, source: Source) -> Any:
        """Return the state of a newly opened source."""
        return None

    def picks(self, state: Any, frame: Frame) -> bool:
        """Return whether ``frame``, known by its records alone, is worth decoding.

        Asked of each frame with records that the stage reads, once, in order, before ``frames`` takes it and perhaps
        in another thread, where the stage's sampling is ``records``. The others come to ``frames`` as well; they may
        be without pixels.
        """
        return True

    def frames(self, state: Any, batch: Sequence[Frame]) -> list[list[Record]]:
        """Return the new records of each frame of ``batch``, in order: one list a frame."""
        return [[] for _ in batch]

    def horizon(self, state: Any) -> int:
        """Return the first frame that may still be given records, where the stage ``holds``."""
        return 0

    def unframed(self, state: Any, records: Sequence[Record]) -> list[Record]:
        """Take records of the source that belong to no frame (tracklets, scenes), and return what they give."""
        return []

    def overhear(self, records: Sequence[Record]) -> None:
        """Take records that come to neither ``frames`` nor ``unframed``: errors, ledgers, and what is of the whole run.

        Of what came in and of the stages before this one, in order, of any type; those of a source after its ``end``.
        """

    def end(self, state: Any, ok: bool = True) -> list[Record]:
        """Close a source and return its source-level records; ``ok`` is False after an error."""
        return []

    def finish(self) -> list[Record]:
        """Return what concerns the whole run, after the last source."""
        return []

    def mapper(self, sources: Sequence[str]) -> Stage | None:
        """Return the stage that does sources alone, in many processes, and leaves what ``reduce`` needs of each.

        Its maker, its options and its records of a source are those of this stage; it gives nothing at the run's end.
        None, where one process has to see all sources. Asked of stages that are ``across``.

        Args:
            sources: of the run, in its order.
        """
        return None

    def left(self) -> bytes:
        """Return, of a ``mapper``, what is left of the source that was done last, once; empty where that is nothing."""
        return b""

    def reduce(self, left: Iterable[bytes]) -> list[Record]:
        """Return what ``finish`` would after all sources: of what mappers left of them, in the order of sources."""
        raise NotImplementedError(f"{self.name} has no results across sources")
