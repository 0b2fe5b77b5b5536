"""Was every frame looked at? What the ledgers of those before say; where they do not say it, nothing is shown."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

from vtk.records import Record

# Types that a maker may derive from others: it looks where those are, and they say which frames were looked at.
PARENTS = {"track": {"detection"}, "face": {"detection", "track"}, "species": {"detection", "track"}}
# What is told of a whole track, and the records that say where it was.
WHOLE = {"tracklet": "track", "text_track": "text", "face_track": "face"}


def lacking(ledgers: Sequence[Record], types: Collection[str], frames: int, step: int, interval: float,
            hold: float) -> str | None:
    """Return why what came may not tell of all there is to hide, in words; None where it does.

    Args:
        ledgers: the ``end`` records of those before, in order.
        types: the record types that are hidden.
        frames: how many the source has.
        step: the most frames from one that was looked at to the next, as records say.
        interval: seconds from a frame to the next.
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
        gap = max(step, math.ceil(decoded / processed)) if processed < decoded else 1
        if gap > 1 and gap * interval > hold + 1e-6:
            return (f"{ledger['by']} looked at every {gap}th frame, {gap * interval:.2f} s apart, and --hold is "
                    f"{hold:g} s")
    return None


def _finders(ledgers: Sequence[Record], types: Collection[str]) -> list[Record]:
    """Return the ledgers of those that looked for what is hidden in the pictures, not among what others had found."""
    found, known = [], set[str]()
    for ledger in ledgers:
        made = set(ledger.get("types", ()))
        if made & set(types) and not any(PARENTS.get(kind, set()) & known for kind in made):
            found.append(ledger)
        known |= made
    return found
