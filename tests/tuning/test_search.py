"""The choice of the best, its way back to the defaults, and the folds, on figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
from walkers import scene, write_records

from vtk.errors import VtkError
from vtk.metrics.mot import Boxes, prepare_truth
from vtk.tuning import search
from vtk.tuning.search import Scorer, tune
from vtk.tuning.sequences import Labelled
from vtk.tuning.space import gridded, make_space, sampled
from vtk.tuning.stored import Stored

SORT = make_space("sort", ["max_age=1,2", "min_hits=3,1", "least_overlap=0.3,0.2"], grid=True)
Gains = Callable[[str, Mapping[str, float]], float]


@pytest.fixture
def scorer_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scorer]:
    """Return a maker of scorers that give 50 and what a function of the sequence's name and the options adds."""

    def make(names: str, gains: Gains, runs: list[str] | None = None) -> Scorer:
        def figure(sequence: Labelled, tracker: str, options: Mapping[str, float], metric: str) -> float:
            assert (tracker, metric) == ("sort", "HOTA")
            if runs is not None:
                runs.append(f"{sequence.name}{options}")
            return 50 + gains(sequence.name, options)

        monkeypatch.setattr(search, "figure", figure)
        return Scorer([Labelled(name, None, None) for name in names], SORT)  # type: ignore[arg-type]

    return make


def test_what_helps_some_is_not_what_others_may_expect(scorer_of: Callable[..., Scorer]) -> None:
    """max_age 2 is good for A and B and bad for C: the tuned mean rises, the held-out mean falls."""
    def gains(name: str, options: Mapping[str, float]) -> float:
        return ({"A": 3.0, "B": 3.0, "C": -4.0}[name] if options["max_age"] == 2 else 0.0) + (
            0.03 if options["min_hits"] == 1 else 0.0)

    tuning = tune(scorer_of("ABC", gains), gridded(SORT))
    assert tuning.trials[0] == (1, 3, 0.3)
    assert tuning.table.shape == (8, 3)
    assert tuning.best == (2, 3, 0.3), "min_hits pays 0.03, less than the margin: it stays at its default"
    assert tuning.figures.tolist() == [53, 53, 46]
    assert [fold.config for fold in tuning.folds] == [(1, 3, 0.3), (1, 3, 0.3), (2, 3, 0.3)]
    assert tuning.held_out.tolist() == [50, 50, 46]
    assert tuning.held_out.mean() < tuning.table[0].mean() < tuning.figures.mean()


def test_the_margin_is_for_all_options_together(scorer_of: Callable[..., Scorer]) -> None:
    """Each of three options pays 0.03: one may go back for 0.05, two cost 0.06."""
    def gains(name: str, options: Mapping[str, float]) -> float:
        return 0.03 * ((options["max_age"] == 2) + (options["min_hits"] == 1) + (options["least_overlap"] == 0.2))

    assert tune(scorer_of("A", gains), gridded(SORT)).best == (1, 1, 0.2)
    assert tune(scorer_of("A", gains), gridded(SORT), margin=0).best == (2, 1, 0.2)
    assert tune(scorer_of("A", gains), gridded(SORT), margin=0.1).best == (1, 3, 0.3)


def test_the_way_back_may_find_better(scorer_of: Callable[..., Scorer]) -> None:
    """The best trial carries an option that harms; without it the choice is better than any trial."""
    def gains(name: str, options: Mapping[str, float]) -> float:
        return 2.0 * (options["max_age"] == 2) - 1.0 * (options["min_hits"] == 1)

    tuning = tune(scorer_of("AB", gains), [(1, 3, 0.3), (2, 1, 0.3), (1, 1, 0.2)])
    assert tuning.best == (2, 3, 0.3)
    assert tuning.figures.tolist() == [52, 52]
    assert tuning.held_out.tolist() == [52, 52]


def test_equal_trials_leave_the_defaults(scorer_of: Callable[..., Scorer]) -> None:
    tuning = tune(scorer_of("AB", lambda name, options: 0.0), gridded(SORT), margin=0)
    assert tuning.best == SORT.default
    assert [fold.config for fold in tuning.folds] == [SORT.default] * 2


def test_one_sequence_has_no_folds(scorer_of: Callable[..., Scorer]) -> None:
    tuning = tune(scorer_of("A", lambda name, options: options["max_age"]), gridded(SORT))
    assert tuning.best == (2, 3, 0.3)
    assert tuning.folds == []
    assert tuning.held_out.shape == (0,)


def test_no_run_is_done_twice_and_all_are_told(scorer_of: Callable[..., Scorer]) -> None:
    runs: list[str] = []
    scorer = scorer_of("AB", lambda name, options: options["max_age"], runs)
    told: list[tuple[int, int]] = []
    scorer._hear = lambda done, known: told.append((done, known))
    configs = gridded(SORT)
    tune(scorer, [configs[0], configs[7]])
    assert len(runs) == len(set(runs))
    assert told[0] == (0, 4)
    assert told[-1] == (len(runs), len(runs))
    assert all(done <= known for done, known in told)
    again = len(runs)
    assert scorer.table([configs[7], configs[0], configs[7]]).tolist() == [[52, 52], [51, 51], [52, 52]]
    assert len(runs) == again


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> list[Labelled]:
    """Return two small sequences with detections and ground truth."""
    folder = tmp_path_factory.mktemp("walks")
    sequences = []
    for seed, name in enumerate("AB"):
        records, rows = scene(seed, source=f"{name}.mp4")
        stored = Stored()
        stored.read(str(write_records(folder / f"{name}.jsonl", records)))
        truth = Boxes(rows[:, 0].astype(int), rows[:, 1].astype(int), np.c_[rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
        sequences.append(Labelled(name, stored.sources()[0], prepare_truth(truth)))
    return sequences


def test_the_number_of_processes_changes_nothing(walks: list[Labelled]) -> None:
    space = make_space("sort")
    found = []
    for jobs in (1, 2):
        with Scorer(walks, space, "MOTA", jobs) as scorer:
            found.append(tune(scorer, sampled(space, 6, 3)))
    one, two = found
    assert np.array_equal(one.table, two.table)
    assert (one.best, one.folds) == (two.best, two.folds)
    assert len(np.unique(one.table)) > 4, "options make a difference"


def test_a_process_that_dies_is_said_in_a_line(walks: list[Labelled], monkeypatch: pytest.MonkeyPatch) -> None:
    class Dead:
        def map(self, *arguments: object) -> None:
            raise BrokenProcessPool("a child was terminated")

        def shutdown(self, cancel_futures: bool) -> None:
            assert cancel_futures

    space = make_space("sort")
    with Scorer(walks, space) as scorer:
        monkeypatch.setattr(scorer, "_pool", Dead())
        with pytest.raises(VtkError, match="a process of --jobs died, maybe for want of memory") as caught:
            scorer.table([space.default])
    assert caught.value.code == "E_WORKER"
