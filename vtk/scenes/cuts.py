"""Hard cuts: one picture, and the next has nothing of it, nor has what follows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise, product

from vtk.scenes.looks import FLAT, Look, Overlay, deviations, likeness, overlay, picture_area

# Seconds before and after a cut that tell what change is usual, and looks at least and at most.
AROUND, FEWEST, MOST = 0.4, 2, 12
# Levels of 255 that a cut changes at least, and how many times what is usual there.
LEAST, TIMES = 3.0, 1.5
# Of the changes around, the share that counts as usual: the rest may be cuts and flashes.
USUAL = 0.75
# Correlation from which two pictures show the same, shifted or not, and how much less alike than their neighbours
# pictures before and after a cut are.
SAME, LESS = 0.75, 0.15
# Looks and seconds that an effect over a cut lasts at most.
EFFECT, EFFECT_SECONDS = 4, 0.25
# Looks before and after that are compared, in looks from the cut.
BEFORE, AFTER = (1, 2, 5, 9), (0, 1, 4, 9)


def is_cut(looks: Sequence[Look], at: int) -> bool:
    """Return whether a shot ends before ``looks[at]``; looks up to AROUND seconds on either side tell."""
    if not 0 < at < len(looks):
        return False
    change = looks[at].change
    if change < LEAST:
        return False
    start, end = reach(looks, at)
    around = [look.change for n, look in enumerate(looks[start:end], start) if n not in (0, at)]
    if around and change < TIMES * sorted(around)[int(USUAL * (len(around) - 1))]:
        return False
    return _differs(looks[start:end], at - start)


def is_shot(looks: Sequence[Look], seconds: float) -> bool:
    """Return whether looks between two cuts, ``seconds`` apart, are a shot: two, not flat, each like the next.

    What an effect lays over a cut, a flash or a leak of light, changes from frame to frame.
    """
    if len(looks) > EFFECT or seconds > EFFECT_SECONDS:
        return True
    area = picture_area(looks)
    pictures = [overlay(look, area) for look in looks]
    return len(looks) > 1 and float(deviations(looks, area).max()) > FLAT and all(
        likeness(one, other) > SAME for one, other in pairwise(pictures))


def reach(looks: Sequence[Look], at: int) -> tuple[int, int]:
    """Return the range of looks that tell about a cut before ``looks[at]``."""
    t = looks[at].t
    start, end = at, at + 1
    while start > 0 and at - start < MOST and (at - start < FEWEST or t - looks[start - 1].t <= AROUND):
        start -= 1
    while end < len(looks) and end - at < MOST and (end - at < FEWEST or looks[end].t - t <= AROUND):
        end += 1
    return start, end


def _differs(looks: Sequence[Look], at: int) -> bool:
    """Return whether nothing before ``at`` is like anything from it on: a flash or a passer-by is over by then."""
    area = picture_area(looks)
    before = [at - n for n in BEFORE if n <= at]
    after = [at + n for n in AFTER if at + n < len(looks)]

    @cache  # mostly the first pair tells
    def laid(n: int) -> Overlay:
        return overlay(looks[n], area)

    across = -1.0
    for one, other in product(before, after):
        across = max(across, likeness(laid(one), laid(other)))
        if across > SAME:
            return False
    pairs = [each[:2] for each in (before, after) if len(each) > 1]
    usual = sum(likeness(laid(one), laid(other)) for one, other in pairs)
    return not pairs or across < usual / len(pairs) - LESS
