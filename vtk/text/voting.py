"""One transcript from many readings of the same text, by vote over aligned characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite

from vtk.text.alignment import align

Reading = tuple[str, Sequence[float], float]

_NOTHING = ""  # what a reading says of a slot in which it has no character
_INSERTION = 1.0  # cost of a new slot; that of a substitution is at most as much, so a slot is not split in two


@dataclass(slots=True)
class _Ballot:
    """All readings of one text: its units, the votes for each, and the vote that it has where it says nothing."""

    units: list[str]
    votes: list[float]
    silent: float

    def strength(self) -> tuple[float, list[str]]:
        """Return what ballots are sorted by, strongest first, whatever order they came in."""
        return -self.silent, self.units


@dataclass(slots=True)
class _Slot:
    """The votes that stand against each other at one place of the text."""

    votes: dict[str, float] = field(default_factory=dict)
    total: float = 0.0

    def cast(self, unit: str, vote: float) -> None:
        """Add a vote for ``unit``."""
        self.votes[unit] = self.votes.get(unit, 0.0) + vote
        self.total += vote

    def against(self, unit: str) -> float:
        """Return the share in [0, 1] of the votes that are for something else than ``unit``."""
        return 1.0 - self.votes.get(unit, 0.0) / self.total

    def winner(self) -> str:
        """Return what most votes are for; among equals what was cast first, by the stronger ballot."""
        return max(self.votes, key=self.votes.__getitem__)


def vote(readings: Iterable[Reading]) -> tuple[str, float]:
    """Return the transcript that readings of one text agree on, character by character.

    Readings are aligned one after the other to a network of slots, each with the characters that stand at one place;
    then each slot elects a character, or none. A character's vote is the weight of its reading times its score; a
    reading that has no character in a slot votes for none there with its weight times its mean score. Equal texts
    vote together, and texts are aligned from the strongest to the weakest, so the result does not depend on the order
    of the readings (the sums are made in one order, too, so not even by rounding).

    Text is taken as code points in the order of its letters, for right-to-left scripts as for any, and as it is,
    without Unicode normalisation. A combining mark stays with the code point before it and is voted for with it.

    Args:
        readings: (text, scores, weight): scores in [0, 1], one for each code point of text; weight positive, such as
            the quality of the view. A reading without text does not vote: nothing was read, which does not say that
            nothing is there.

    Returns:
        the text, and its score in [0, 1]: the mean over its characters (with their marks) of the votes for each as a
        share of all weight, which for a single reading is the mean of its scores. ("", 0.0) where nothing votes.

    Raises:
        ValueError: the scores are not as many as the code points, or a score or weight is out of range.

    Source: Fiscus, A post-processing system to yield reduced word error rates: ROVER, ASRU 1997, with characters in
    the place of words; that a null votes with its reading's mean score instead of a tuned constant, and alignment by
    shares of votes instead of 0 or 1, are ours.
    """
    ballots, weight = _ballots(readings)
    if not ballots:
        return "", 0.0
    slots: list[_Slot] = []
    cast: list[_Ballot] = []
    for ballot in sorted(ballots, key=_Ballot.strength):
        slots = _joined(slots, ballot, sum(earlier.silent for earlier in cast))
        cast.append(ballot)
    elected = [(unit, slot.votes[unit]) for slot in slots if (unit := slot.winner()) != _NOTHING]
    if not elected:
        return "", 0.0
    return "".join(unit for unit, _ in elected), min(1.0, sum(votes for _, votes in elected) / len(elected) / weight)


def _ballots(readings: Iterable[Reading]) -> tuple[list[_Ballot], float]:
    """Return one ballot for each different text, and the weight of all readings that vote."""
    alike: dict[str, list[tuple[float, list[float]]]] = {}
    for index, (text, scores, weight) in enumerate(readings):
        if len(scores) != len(text):
            raise ValueError(f"readings[{index}]: got {len(scores)} scores, expected {len(text)}, one a code point")
        if not (isfinite(weight) and weight > 0):
            raise ValueError(f"readings[{index}]: got weight {weight}, expected a positive number")
        if not all(0 <= each <= 1 for each in scores):
            raise ValueError(f"readings[{index}]: got scores {list(scores)}, expected numbers in [0, 1]")
        if text:
            alike.setdefault(text, []).append((float(weight), [float(each) for each in scores]))
    ballots = []
    for text, found in alike.items():
        spans, found = _spans(text), sorted(found)
        # A mark that is read badly spoils its letter.
        votes = [[weight * min(scores[a:b]) for a, b in spans] for weight, scores in found]
        sums = [sum(column) for column in zip(*votes, strict=True)]
        ballots.append(_Ballot([text[a:b] for a, b in spans], sums, sum(sums) / len(sums)))
    weights = sorted(weight for found in alike.values() for weight, _ in found)
    # Characters that are all read with score 0 have no vote to lose by.
    return [ballot for ballot in ballots if ballot.silent > 0], sum(weights)


def _spans(text: str) -> list[tuple[int, int]]:
    """Return where each code point of ``text`` with the combining marks after it begins and ends."""
    starts = [index for index, each in enumerate(text) if index == 0 or not unicodedata.category(each).startswith("M")]
    return list(zip(starts, [*starts[1:], len(text)], strict=True))


def _joined(slots: list[_Slot], ballot: _Ballot, silent: float) -> list[_Slot]:
    """Return the slots with the votes of ``ballot``, and new ones for what it alone has, ``silent`` against it."""
    result = []
    pairs = align([[slot.against(unit) for unit in ballot.units] for slot in slots],
                  [slot.against(_NOTHING) for slot in slots], _INSERTION, len(ballot.units))
    for place, unit in pairs:
        slot = _Slot() if place is None else slots[place]
        if place is None and silent:
            slot.cast(_NOTHING, silent)
        if unit is None:
            slot.cast(_NOTHING, ballot.silent)
        else:
            slot.cast(ballot.units[unit], ballot.votes[unit])
        result.append(slot)
    return result
