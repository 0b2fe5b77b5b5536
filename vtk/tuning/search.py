"""The search: trials scored on every sequence, the best chosen, and the choice put to the test."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from types import TracebackType

import numpy as np

from vtk import threads
from vtk.errors import VtkError
from vtk.tuning.sequences import Labelled
from vtk.tuning.space import Config, Space
from vtk.tuning.trial import figure

Hear = Callable[[int, int], None]  # told of the runs done so far, and of those known to be needed


class Scorer:
    """Runs configurations over sequences, each once, in this process or in several.

    Args:
        metric: one of ``vtk.tuning.trial.METRICS``.
        jobs: number of processes; it has no influence on the figures.
        hear: told how far it is.
    """

    def __init__(self, sequences: Sequence[Labelled], space: Space, metric: str = "HOTA", jobs: int = 1,
                 hear: Hear = lambda done, known: None) -> None:
        self.sequences, self.space, self.metric = list(sequences), space, metric
        self._hear = hear
        self._known: dict[Config, np.ndarray] = {}
        self._done = 0
        # Not forked: the libraries that are loaded here may have threads.
        self._pool = None if jobs == 1 else ProcessPoolExecutor(
            jobs, get_context("spawn"), _settle, (threads.asked() or max(1, threads.available() // jobs),))

    def __enter__(self) -> Scorer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def table(self, configs: Sequence[Config]) -> np.ndarray:
        """Return the figure of each configuration on each sequence, (C, S) float64 in percent.

        Raises:
            VtkError: E_WORKER, a process died.
        """
        new = list(dict.fromkeys(config for config in configs if config not in self._known))
        count = len(self.sequences)
        runs = [(sequence, self.space.tracker, self.space.options(config), self.metric)
                for config in new for sequence in self.sequences]
        figures = []
        self._hear(self._done, self._done + len(runs))
        try:
            for one in map(_run, runs) if self._pool is None else self._pool.map(_run, runs):
                figures.append(one)
                self._hear(self._done + len(figures), self._done + len(runs))
        except BrokenProcessPool:
            raise VtkError("a process of --jobs died, maybe for want of memory; fewer jobs need less",
                           code="E_WORKER") from None
        self._done += len(runs)
        self._known |= dict(zip(new, np.array(figures).reshape(len(new), count), strict=True))
        return np.array([self._known[config] for config in configs]).reshape(len(configs), count)


@dataclass(frozen=True, slots=True)
class Fold:
    """A sequence that was held out: the configuration chosen on the others, and its figure here, in percent."""

    config: Config
    figure: float


@dataclass(frozen=True, slots=True)
class Tuning:
    """What a search found.

    Attributes:
        names: the sequences.
        trials: the configurations tried, the defaults first.
        table: (trials, sequences) float64, their figures in percent.
        best: the configuration chosen on all sequences, and its figures (sequences,).
        folds: a fold for each sequence; none where there is one sequence alone.
    """

    names: list[str]
    trials: list[Config]
    table: np.ndarray
    best: Config
    figures: np.ndarray
    folds: list[Fold]

    @property
    def held_out(self) -> np.ndarray:
        """The figures (sequences,) of the folds, in percent."""
        return np.array([fold.figure for fold in self.folds])


def tune(scorer: Scorer, configs: Sequence[Config], margin: float = 0.05) -> Tuning:
    """Score configurations on every sequence, choose the best, and try the same choice on sequences held out.

    Args:
        configs: what to try, the defaults first.
        margin: percent points that the mean over sequences may fall for an option to stay at its default.
    """
    table = scorer.table(configs)
    count = len(scorer.sequences)
    everything = np.arange(count)
    held_out = [np.delete(everything, place) for place in everything] if count > 1 else []
    best, *chosen = _choose(scorer, configs, table, [everything, *held_out], margin)
    figures = scorer.table([best, *chosen])
    folds = [Fold(config, float(figures[1 + place, place])) for place, config in enumerate(chosen)]
    return Tuning([one.name for one in scorer.sequences], list(configs), table, best, figures[0], folds)


def _choose(scorer: Scorer, configs: Sequence[Config], table: np.ndarray, groups: Sequence[np.ndarray],
            margin: float) -> list[Config]:
    """Return for each group of sequences the configuration of the highest mean over it, made plain.

    Plain: all defaults where these are within ``margin`` of the highest; else one option after the other goes back to
    its default where the mean stays within. So a choice never departs from the defaults for nothing.
    """
    means = [table[:, group].mean(axis=1) for group in groups]
    highest = [float(mean.max()) for mean in means]
    chosen = [configs[0 if mean[0] >= high - margin else int(mean.argmax())]
              for mean, high in zip(means, highest, strict=True)]
    for option in scorer.space.values:
        plain = [scorer.space.plain(config, option) for config in chosen]
        rows = scorer.table(plain)
        for place, group in enumerate(groups):
            mean = float(rows[place, group].mean())
            if mean >= highest[place] - margin:
                chosen[place], highest[place] = plain[place], max(highest[place], mean)
    return chosen


def _run(run: tuple[Labelled, str, dict[str, float], str]) -> float:
    return figure(*run)


def _settle(bound: int) -> None:
    """Make a new process ready: its share of the processors, and interrupts left to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threads.bound(bound)
