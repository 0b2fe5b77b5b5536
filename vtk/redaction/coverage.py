"""Was every frame looked at? What the ledgers of those before say; where they do not say it, nothing is shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from vtk.records import Record

# Types that a maker may derive from others: it looks where those are, and they say which frames were looked at.
PARENTS = {"track": {"detection"}, "face": {"detection", "track"}, "species": {"detection", "track"}}
# What is told of a whole track, and the records that say where it was.
WHOLE = {"tracklet": "track", "text_track": "text", "face_track": "face"}


def lacking(ledgers: Sequence[Record], types: Collection[str], frames: int, step: int, apart: Callable[[int], float],
            hold: float) -> str | None:
    """Return why what came may not tell of all there is to hide, in words; None where it does.

    Args:
        ledgers: the ``end`` records of those before, in order.
        types: the record types that are hidden.
        frames: how many the source has.
        step: the most frames from one that was looked at to the next, as records say.
        apart: gives the most seconds that lie between two frames, by how many frames further the second one is.
        hold: seconds that what is found is hidden for, before and after.
    """
    for ledger in ledgers:
        if ledger["status"] != "ok":
            return f"{ledger['by']} ended {ledger['status']}"
    finders = _finders(ledgers, types)
    if not finders:
        return ("no end record says that its frames were looked at: let those of vtk detect, track, spot-text or "
                "face-antispoof pass")
    for ledger in finders:
        decoded, processed = ledger["frames"].get("decoded", 0), ledger["frames"].get("processed", 0)
        if decoded < frames or not processed:
            return f"{ledger['by']} looked at {decoded} of {frames} frames"
        gap = max(step, math.ceil(decoded / processed))
        if gap > 1 and (seconds := apart(gap)) > hold + 1e-6:
            return f"{ledger['by']} looked at every {gap}th frame, {seconds:.2f} s apart, and --hold is {hold:g} s"
    return None


def _finders(ledgers: Sequence[Record], types: Collection[str]) -> list[Record]:
    """Return the ledgers of those that looked for what is hidden in the pictures, not among what others had found.

    Where what is hidden was found among that of others, they are those that found it.
    """
    found, wanted = [], set(types)
    for place in range(len(ledgers) - 1, -1, -1):
        made = set(ledgers[place].get("types", ()))
        if not made & wanted:
            continue
        known = {kind for ledger in ledgers[:place] for kind in ledger.get("types", ())}
        parents = {parent for kind in made for parent in PARENTS.get(kind, ())} & known
        wanted |= parents
        if not parents:
            found.append(ledgers[place])
    return found[::-1]
