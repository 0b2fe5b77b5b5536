"""Names of species: how labels, occurrences and lists of taxa are told to mean the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

RANKS = ("species", "genus", "family", "order", "class")
# Genus and epithet at the head of a name with authors; a sign of a hybrid may stand before either.
_BINOMIAL = re.compile(r"(×\s?)?([^\W\d_][\w-]+)\s+(\([^)]*\)\s+)?(×\s?)?([^\W\d_a-z]?[^\W\d_A-Z][\w-]+)")
_BELOW = frozenset({"species", "subspecies", "variety", "subvariety", "form", "subform", "infraspecific_name"})


@lru_cache(maxsize=1 << 16)
def key_of(name: str) -> str:
    """Return what two spellings of a name share: letter case, underscores and spaces do not count."""
    return " ".join(unicodedata.normalize("NFC", name).replace("_", " ").casefold().split())


def filled(path: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Return a path with the ranks that it lacks taken from another of the same species."""
    return tuple(mine or theirs for mine, theirs in zip(path, other, strict=True))


def binomial(name: str, rank: str = "") -> str:
    """Return genus and epithet of a scientific name, authors and what is below the species left out.

    Args:
        name: such as ``Parus caeruleus Linnaeus, 1758`` or ``Alouatta_palliata``.
        rank: of the name, as Darwin Core writes it; empty: unknown, then two words are taken for a species.

    Returns:
        The name of the species; empty where the name is of a higher rank.
    """
    if rank and rank.casefold() not in _BELOW:
        return ""
    found = _BINOMIAL.match(" ".join(unicodedata.normalize("NFC", name).replace("_", " ").split()))
    if found is None or not found[5][0].islower():
        return ""
    return f"{'× ' if found[1] else ''}{found[2][:1].upper()}{found[2][1:]} {'× ' if found[4] else ''}{found[5]}"
