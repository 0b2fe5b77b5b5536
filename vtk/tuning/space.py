"""What is tried: the options of a tracker, the values of each, and which of their combinations."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from vtk.errors import UsageError
from vtk.tracking.trackers import SEARCH, defaults, make_tracker

Value = float | None  # None: a default that is no number, the tracker's own rule
Config = tuple[Value, ...]  # a value for each searched option, in the order of ``Space.values``

MOST_COMBINATIONS = 10_000  # of a grid; at a tenth of a second a run of a sequence, that is hours


@dataclass(frozen=True, slots=True)
class Space:
    """The options of a tracker that are searched.

    Attributes:
        tracker: its name.
        default: the default of each searched option, a configuration.
        values: the values to try of each searched option, two or more; the default need not be one.
        fixed: the options that have one value in all trials.
    """

    tracker: str
    default: Config
    values: dict[str, tuple[Value, ...]]
    fixed: dict[str, float]

    @property
    def size(self) -> int:
        """The number of combinations of values, the defaults where they are none of them left out."""
        return math.prod(map(len, self.values.values()))

    def options(self, config: Config) -> dict[str, float]:
        """Return the tracker options of a configuration, those without a number left out."""
        named = dict(zip(self.values, config, strict=True))
        return self.fixed | {option: value for option, value in named.items() if value is not None}

    def plain(self, config: Config, option: str) -> Config:
        """Return ``config`` with the default of ``option``."""
        place = list(self.values).index(option)
        return (*config[:place], self.default[place], *config[place + 1:])


def make_space(tracker: str, settings: Sequence[str] = (), grid: bool = False) -> Space:
    """Return what there is to try of a tracker.

    Args:
        tracker: one that SEARCH has.
        settings: ``option=v1,v2,…``, the values of an option in place of those it would have; one value fixes it.
        grid: whether the options of ``settings`` alone are searched, else those of SEARCH too.

    Raises:
        UsageError: a name or a value is not one that the tracker takes.
    """
    if tracker not in SEARCH:
        raise UsageError(f"no tracker '{tracker}' that can be tuned: there are {', '.join(SEARCH)}")
    known = defaults(tracker)
    given = _parsed(tracker, settings)
    values: dict[str, tuple[Value, ...]] = {} if grid else dict(SEARCH[tracker])
    values |= {option: numbers for option, numbers in given.items() if len(numbers) > 1}
    fixed = {option: numbers[0] for option, numbers in given.items() if len(numbers) == 1}
    for option in fixed:
        values.pop(option, None)
    return Space(tracker, tuple(known[option] for option in values), values, fixed)


def gridded(space: Space) -> list[Config]:
    """Return the defaults, then every combination of values.

    Raises:
        UsageError: there is nothing to combine, or too many combinations.
    """
    if not space.values:
        raise UsageError("--grid tries the combinations of --set: give it an option with two values or more, as in "
                         "--set high=0.3,0.4")
    if space.size > MOST_COMBINATIONS:
        raise UsageError(f"--grid: {space.size} combinations of {', '.join(space.values)}, at most "
                         f"{MOST_COMBINATIONS} are tried; give --set fewer values, or leave --grid out")
    return list(dict.fromkeys([space.default, *itertools.product(*space.values.values())]))


def sampled(space: Space, trials: int, seed: int) -> list[Config]:
    """Return ``trials`` distinct configurations, the defaults first; all there are where these are fewer.

    Each of the others departs from the defaults in a random number of options: small steps and large ones are tried,
    while values drawn for all options at once would hardly ever leave one where it was.
    """
    others = [[value for value in values if value != default]
              for values, default in zip(space.values.values(), space.default, strict=True)]
    if trials >= math.prod(len(values) + 1 for values in others):
        choices = [(default, *values) for values, default in zip(others, space.default, strict=True)]
        return list(itertools.product(*choices))
    chance = random.Random(seed)
    places = range(len(others))
    found = {space.default: None}
    while len(found) < trials:
        config = list(space.default)
        for place in chance.sample(places, chance.randint(1, len(places))):
            config[place] = chance.choice(others[place])
        found[tuple(config)] = None
    return list(found)


def _parsed(tracker: str, settings: Sequence[str]) -> dict[str, tuple[float, ...]]:
    given: dict[str, tuple[float, ...]] = {}
    for setting in settings:
        option, _, text = setting.partition("=")
        option = option.strip()
        words = [word.strip() for word in text.split(",") if word.strip()]
        if not option or not words:
            raise UsageError(f"--set {setting}: option=value,value is needed, as in --set high=0.3,0.4")
        if option in given:
            raise UsageError(f"--set {option} is given twice: put all its values into one, --set {option}=1,2")
        given[option] = tuple(dict.fromkeys(_number(tracker, option, word) for word in words))
    return given


def _number(tracker: str, option: str, word: str) -> float:
    """Return the value that ``word`` means, an int where the default is one."""
    try:
        value = float(word)
    except ValueError:
        raise UsageError(f"--set {option}: '{word}' is no number") from None
    whole = type(defaults(tracker).get(option)) is int
    if whole and not value.is_integer():
        raise UsageError(f"--set {option}: {tracker} takes whole numbers there, got {word}")
    try:
        make_tracker(tracker, options={option: int(value) if whole else value})
    except ValueError as error:
        raise UsageError(f"--set {option}={word}: {error}") from None
    return int(value) if whole else value
