"""Sources added to references: what is there already as it is now is not read again, what cannot be read is left out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence

from vtk.copies.collecting import footprint_of
from vtk.copies.footprint import FramePlan
from vtk.copies.references import Outcome, References
from vtk.driver.chain import Opening
from vtk.errors import MediaError
from vtk.media.fingerprint import fingerprint
from vtk.media.names import is_stream, open_name


def add_sources(references: References, sources: Sequence[str], plan: FramePlan = FramePlan(),
                opening: Opening = Opening(),
                failed: Callable[[str, MediaError], None] | None = None) -> Iterator[tuple[str, Outcome]]:
    """Yield each source once it is among the references, and what came of it.

    Args:
        references: take them.
        sources: as ``footprint_of`` takes them.
        plan, opening: see there.
        failed: told of each that cannot be read, or not all of it; None raises where nothing can.

    Raises:
        MediaError: a source cannot be read, and nobody is told.
    """
    for source in sources:
        try:
            if references.has(source, _fingerprint(source, opening.root), str(plan)):
                yield source, "unchanged"
                continue
            damage: list[MediaError] = []
            footprint = footprint_of(source, references.descriptor, plan, opening, damage=damage)
        except MediaError as error:
            if failed is None:
                raise
            failed(source, error)
            continue
        outcome = references.add(footprint)
        if damage and failed is not None:
            failed(source, MediaError(f"{damage[0]}; it was added without the frames that are lost", code=damage[0].code))
        yield source, outcome


def _fingerprint(source: str, root: str | None) -> str | None:
    """Return the fingerprint of a file; None for streams, cameras and folders of images, which are read each time."""
    if is_stream(source) or source.startswith("seq:"):
        return None
    try:
        path = open_name(source, root)
        return fingerprint(path) if os.path.isfile(path) else None
    except (OSError, ValueError):  # opening it says what is wrong
        return None
