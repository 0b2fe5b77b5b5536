"""What is printed of a search: a TOML recipe that ``vtk track --options`` reads, the same as JSON, the best trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from vtk.driver.progress import printable
from vtk.evaluation.table import table
from vtk.tuning.search import Tuning
from vtk.tuning.space import Config, Space

HELD_OUT = "cross-validated"


@dataclass(frozen=True, slots=True)
class Search:
    """How a search was made.

    Attributes:
        command: the command line, its words quoted.
        metric, protocol: what was maximised, and by which protocol's rules.
        how: ``grid`` or ``random``.
        seed: of the random choice.
    """

    space: Space
    command: str
    metric: str
    protocol: str
    how: str
    seed: int


def recipe(search: Search, tuning: Tuning) -> list[str]:
    """Return the lines of the TOML recipe, with the figures as comments."""
    space = search.space
    rows = {printable(name): dict(zip(_columns(tuning), figures, strict=True))
            for name, figures in zip(tuning.names, _figures(tuning).T.tolist(), strict=True)}
    if len(rows) > 1:
        rows["MEAN"] = dict(zip(_columns(tuning), _figures(tuning).mean(axis=1).tolist(), strict=True))
    said = [printable(search.command), "", *table(f"{search.metric} ({search.protocol})", rows, _columns(tuning)), "",
            *_legend(search, tuning)]
    lines = [f"# {line}".rstrip() for line in said]
    lines += ["", "[track]", f'tracker = "{space.tracker}"', "", "[track.options]"]
    lines += [f"{option} = {value!r}  # fixed" for option, value in space.fixed.items()]
    for option, value, default in zip(space.values, tuning.best, space.default, strict=True):
        lines.append(f"# {option} is left at its default" if value is None else f"{option} = {value!r}" + (
            "" if value == default else "  # no number by default" if default is None else f"  # default {default!r}"))
    return lines


def report(search: Search, tuning: Tuning) -> dict[str, Any]:
    """Return the facts of a search as one JSON object, figures in percent with four decimals."""
    space = search.space

    def figures(values: np.ndarray) -> dict[str, Any]:
        return {"mean": _rounded(values.mean()),
                "sequences": {name: _rounded(value) for name, value in zip(tuning.names, values, strict=True)}}

    told: dict[str, Any] = {
        "command": search.command, "tracker": space.tracker, "metric": search.metric, "protocol": search.protocol,
        "search": search.how, "options": space.options(tuning.best), "defaults": figures(tuning.table[0]),
        "tuned": figures(tuning.figures)}
    if search.how == "random":
        told["seed"] = search.seed
    if tuning.folds:
        chosen = {name: space.options(fold.config) for name, fold in zip(tuning.names, tuning.folds, strict=True)}
        told["cross_validated"] = {**figures(tuning.held_out), "options": chosen}
    told["trials"] = [{"options": space.options(config), **figures(row)}
                      for config, row in zip(tuning.trials, tuning.table, strict=True)]
    return told


def best_trials(search: Search, tuning: Tuning, most: int = 10) -> list[str]:
    """Return the lines of a table of the defaults and the ``most`` best trials, each with how it departs from them."""
    means = tuning.table.mean(axis=1)
    order = [0, *(place for place in np.argsort(-means, kind="stable").tolist() if place)][:most + 1]
    names = [printable(name) for name in tuning.names]
    rows = {f"{place}": dict(zip([*names, "MEAN"], [*tuning.table[place].tolist(), float(means[place])], strict=True))
            for place in order}
    head, *lines = table("TRIAL", rows, [*names, "MEAN"])
    return [head, *(f"{line}  {_departure(search.space, tuning.trials[place])}"
                    for line, place in zip(lines, order, strict=True))]


def _columns(tuning: Tuning) -> list[str]:
    return ["defaults", "tuned", *([HELD_OUT] if tuning.folds else [])]


def _figures(tuning: Tuning) -> np.ndarray:
    """Return the figures of each column on each sequence, (columns, sequences)."""
    return np.array([tuning.table[0], tuning.figures, *([tuning.held_out] if tuning.folds else [])])


def _legend(search: Search, tuning: Tuning) -> list[str]:
    """Return the lines that say what the figures mean and how they came about."""
    fixed = " and ".join(f"{option} = {value!r}" for option, value in search.space.fixed.items())
    count = f"{len(tuning.trials)} trial{'s' * (len(tuning.trials) != 1)}"
    return [
        "defaults: the tracker's own options" + (f", but {fixed}" if fixed else ""),
        "tuned: the options below, on the sequences that they were chosen on",
        f"{HELD_OUT}: each sequence with options chosen in the same way on the others: the fairest guess at new ones"
        if tuning.folds else f"not {HELD_OUT}: that takes two sequences or more, so nothing is known of new ones",
        f"{count}{f' at random, seed {search.seed}' if search.how == 'random' else ', a grid'}; the highest mean over "
        "sequences is chosen, options that do not pay at their defaults"]


def _departure(space: Space, config: Config) -> str:
    parts = [f"{option}={'default' if value is None else format(value, '.4g')}"
             for option, value, default in zip(space.values, config, space.default, strict=True) if value != default]
    return " ".join(parts) or "defaults"


def _rounded(value: float) -> float:
    return round(float(value), 4)
