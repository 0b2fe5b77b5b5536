"""Backgrounds that stay with a library of references, so that whoever searches it has normalised scores.

    references.normalise(fit_norm(references.parts, [footprint_of(each, references.descriptor) for each in films]))

They are kept as an entry each of a table beside those of the references. What is stored of these stays as it is.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from vtk.copies.background import Background, Whitened, fit
from vtk.copies.descriptors import DctDescriptor, Descriptor, PdqDescriptor
from vtk.copies.footprint import Footprint
from vtk.copies.reference_place import NORM
from vtk.copies.union import Union
from vtk.errors import UsageError
from vtk.library import Entry, Library, LibraryError, Space

MOST = 8192  # frames of a background: with a thousand dimensions they take 32 MB, and all pairs of them a second


def fit_norm(descriptor: Descriptor, footprints: Iterable[Footprint],
             dimensions: int | None = None) -> list[Background]:
    """Return the background of each network of ``descriptor``.

    Args:
        descriptor: that made the vectors; its parts that are no networks have no background.
        footprints: of sources that have nothing in common with each other, nor with what will be searched.
        dimensions: of whitened vectors; None: see ``background.fit``.

    Raises:
        UsageError: it has no network, or the footprints are too few.
    """
    united = isinstance(descriptor, Union)
    parts = descriptor.parts if united else (descriptor,)
    networks = [number for number, part in enumerate(parts) if not isinstance(part, (DctDescriptor, PdqDescriptor))]
    if not networks:
        raise UsageError(f"descriptor {descriptor.name} has no network, and nothing to normalise")
    vectors: list[list[np.ndarray]] = [[] for _ in parts]
    sources: list[str] = []
    for each in footprints:
        for held, some in zip(vectors, descriptor.split(each.vectors) if united else [each.vectors], strict=True):
            held.append(some)
        sources += [each.source] * len(each)
    chosen = np.linspace(0, len(sources) - 1, min(MOST, len(sources))).round().astype(int)
    names = np.array(sources)[chosen]
    try:
        return [fit(np.concatenate(vectors[number])[chosen], names, parts[number].space, dimensions)
                for number in networks]
    except ValueError as error:
        raise UsageError(f"the background does not do: {error}") from None


def normalised(descriptor: Descriptor, backgrounds: Mapping[str, Background]) -> Descriptor:
    """Return ``descriptor`` with its scores normalised by the backgrounds of its parts' spaces, by those alone."""
    if isinstance(descriptor, Union):
        return Union([normalised(part, backgrounds) for part in descriptor.parts])
    plain = descriptor.descriptor if isinstance(descriptor, Whitened) else descriptor
    return Whitened(plain, backgrounds[plain.space]) if plain.space in backgrounds else plain


def norm_version(tables: str, space: Space) -> int:
    """Return the number of the last change to what ``write_norm`` keeps; 0 where there was none."""
    kept = _kept(tables, space)
    return kept.version if kept is not None else 0


def read_norm(tables: str, space: Space) -> dict[str, Background]:
    """Return the backgrounds, by space, that ``write_norm`` keeps under an address for a library of ``space``.

    Raises:
        LibraryError: they are damaged.
    """
    kept = _kept(tables, space)
    found: dict[str, Background] = {}
    for entry in kept.read(vectors=False) if kept is not None else ():
        try:
            found[entry.id] = Background.from_bytes(base64.b64decode(entry.extra["stored"]), f"'{tables}/{NORM}'")
        except (KeyError, ValueError, UsageError) as error:
            raise LibraryError(f"library '{tables}' has a background that cannot be used: {error}") from None
    return found


def write_norm(tables: str, space: Space, backgrounds: Sequence[Background]) -> None:
    """Keep backgrounds under an address, in one commit, in the place of those that are there."""
    kept = Library.open(f"{tables}/{NORM}", space)
    gone = {entry.id for entry in kept.read(vectors=False)} - {each.space for each in backgrounds}
    if backgrounds:
        kept.add([Entry(each.space, np.ones(1, np.float32), "norm",
                        extra={"stored": base64.b64encode(each.to_bytes()).decode()}) for each in backgrounds],
                 replace=True)
    if gone:
        kept.remove(ids=sorted(gone))


def _kept(tables: str, space: Space) -> Library | None:
    try:
        return Library.open(f"{tables}/{NORM}", space, create=False)
    except LibraryError as error:
        if str(error).startswith("no library at"):
            return None
        raise
