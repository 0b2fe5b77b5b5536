"""Figures of faces with labels, their intervals, subgroups, thresholds of a dev set, and the pictures of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from face_records import drawn

from vtk.errors import UsageError
from vtk.evaluation.liveness import Rule, chosen, evaluate_liveness, sample_of
from vtk.evaluation.liveness_plots import MOST, SIDE, TICKS, det, histograms, write_plots
from vtk.liveness.decision import Thresholds
from vtk.liveness.labelled import Labelled
from vtk.liveness.presentations import Gathered, Presentation, Seen
from vtk.metrics.liveness import auc, bpcer_at, resampled


def presentations(live: Sequence[float], subjects: bool = False, tone: Sequence[str] = (),
                  **attacks: Sequence[float]) -> list[Presentation]:
    """Return pictures with these scores, answered at 0.2 and 0.8; with ``subjects`` two are of each."""
    made = []
    for kind, scores in {"": live, **attacks}.items():
        for number, score in enumerate(scores):
            name, bounds = f"{kind or 'real'}{number}.jpg", Thresholds(0.2, 0.8)
            columns = {"tone": tone[number % len(tone)]} if tone else {}
            label = Labelled(name, Path(name), not kind, kind or None, f"{kind}{number // 2}" if subjects else None,
                             None, columns)
            made.append(Presentation(label, name, "face", Seen(score, bounds.verdict(score), (0.2, 0.8), False, 1.0)))
    return made


def gathered(some: list[Presentation], silent: Sequence[str | None] = (), ledgered: bool = True) -> Gathered:
    quiet = [Labelled(f"none{number}", Path("x"), kind is None, kind) for number, kind in enumerate(silent)]
    return Gathered(some, quiet, [], [], [], ledgered)


def test_figures_by_hand() -> None:
    some = presentations([0.9, 0.9, 0.5, 0.1], print=[0.1, 0.9, 0.1, 0.1], mask=[0.1, 0.95])
    found = evaluate_liveness(gathered(some, [None, "mask", "mask", "glasses"]))
    assert found.worst == "mask" and found.whole.figures["APCER"] == 50
    assert {kind: group.figures["APCER"] for kind, group in found.attacks.items() if "APCER" in group.figures} == {
        "print": 25, "mask": 50}
    assert found.live.figures == {"live": 4, "BPCER": 25, "unsure": 25, "BPNRR": 20}
    assert found.attacks["mask"].figures["APNRR"] == 50 and found.attacks["print"].figures["APNRR"] == 0
    assert found.attacks["glasses"].figures == {"attacks": 0, "APNRR": 100}
    whole = found.whole.figures
    assert (whole["ACER"], whole["HTER"]) == (37.5, pytest.approx((100 / 3 + 25) / 2))
    assert whole["accuracy"] == 60 and whole["APNRR"] == 100 and whole["BPNRR"] == 20
    assert not {"BPCER10", "BPCER20", "BPCER100"} & whole.keys()
    assert found.notes == ["BPCER10 (10 %), BPCER20 (5 %), BPCER100 (1 %) are left out: mask has 2 attacks, and such "
                           "an APCER takes 10, 20, 100 of each type"]
    silent = evaluate_liveness(gathered(some, [None], ledgered=False))
    assert "BPNRR" not in silent.whole.figures and "APNRR" not in silent.whole.figures


def test_no_response_is_of_files_though_all_faces_count() -> None:
    """Two faces of one print and three of one live picture; of each kind another file has none: half of the files."""
    some = presentations([0.9], print=[0.1])
    found = evaluate_liveness(gathered([*some, some[0], some[0], some[1]], [None, "print"]))
    assert found.live.figures["live"] == 3 and found.attacks["print"].figures["attacks"] == 2
    assert found.whole.figures["BPNRR"] == found.whole.figures["APNRR"] == 50


def test_bpcer_at_what_is_defined() -> None:
    found = evaluate_liveness(gathered(presentations(drawn(0, 40, 1), print=drawn(1, 20, -1), mask=drawn(2, 30, -2))))
    whole, prints, masks = found.whole.figures, found.attacks["print"].figures, found.attacks["mask"].figures
    assert {"BPCER10", "BPCER20"} <= whole.keys() and "BPCER100" not in whole
    assert whole["BPCER20"] == max(prints["BPCER20"], masks["BPCER20"]), "the worst type sets the threshold"
    assert "print has 20 attacks, and such an APCER takes 100 of each type" in found.notes[0]


def test_intervals() -> None:
    """Of none of nine the exact interval is up to 33.6 %, and ACER's is half of it and of BPCER's."""
    found = evaluate_liveness(gathered(presentations([0.9] * 90 + [0.1] * 10, print=[0.1] * 9)))
    spread = found.whole.spread
    assert found.whole.figures["APCER"] == 0 and spread["APCER"] == (0, pytest.approx(33.627, abs=1e-3))
    low, high = spread["BPCER"]
    assert 3 <= low <= 6 and 15 <= high <= 18, "of 10 of 100"
    assert spread["ACER"] == (low / 2, pytest.approx((33.627 + high) / 2, abs=1e-3))
    assert spread == evaluate_liveness(gathered(presentations([0.9] * 90 + [0.1] * 10, print=[0.1] * 9))).whole.spread
    pairs = evaluate_liveness(gathered(presentations([0.9] * 90 + [0.1] * 10, subjects=True, print=[0.1] * 9)))
    assert np.ptp(pairs.whole.spread["BPCER"]) > 1.2 * (high - low), "half as many subjects, root two as wide"


def test_the_interval_of_the_worst_type_knows_of_types_of_which_there_are_few() -> None:
    """One of 40 prints passes and none of 3 masks: of masks as many as 71 in 100 may."""
    found = evaluate_liveness(gathered(presentations([0.9] * 40, print=[0.9] + [0.1] * 39, mask=[0.1] * 3)))
    assert found.worst == "print" and found.whole.figures["APCER"] == 2.5
    assert found.whole.spread["APCER"][1] == pytest.approx(100 * (1 - 0.025 ** (1 / 3)), abs=1e-3)


def test_intervals_are_the_same_though_equal_presentations_are_drawn_as_one() -> None:
    """Ten faces of each file, of few different scores: resamples weigh them, and are those of all rows."""
    rng = np.random.default_rng(0)
    some = [replace(each, seen=replace(each.seen, score=score, verdict=Thresholds(0.2, 0.8).verdict(score)))
            for each in presentations([0.5] * 40, print=[0.5] * 30)
            for score in rng.choice([0.1, 0.5, 0.9][:2 + each.label.live], 10).tolist()]
    sample = sample_of(some)
    few, times = sample.merged()
    assert len(few.scores) <= 70 * 3 < len(sample.scores) == 700 == times.sum()
    assert list(dict.fromkeys(few.groups)) == list(dict.fromkeys(sample.groups))
    spread = evaluate_liveness(gathered(some)).whole.spread
    curves = resampled(sample.kinds, sample.groups, lambda weights: np.stack(
        [auc(sample.curve(weights)), bpcer_at(sample.curve(weights), 0.01)], axis=-1))
    assert spread["AUC"] == pytest.approx(np.percentile(100 * curves[:, 0], (2.5, 97.5)), abs=1e-9)
    assert spread["BPCER100"] == pytest.approx(np.percentile(100 * curves[:, 1], (2.5, 97.5)), abs=1e-9)


def test_one_class_alone() -> None:
    live = evaluate_liveness(gathered(presentations([0.9, 0.1])))
    assert live.whole.figures["BPCER"] == 50 and not {"APCER", "ACER", "EER", "AUC"} & live.whole.figures.keys()
    assert live.worst is None and live.notes == ["there are no attacks: figures of both classes are left out"]
    attacks = evaluate_liveness(gathered(presentations([], print=[0.9, 0.1])))
    assert attacks.whole.figures["APCER"] == 50 and "BPCER" not in attacks.live.figures
    assert attacks.notes == ["there are no live faces: figures of both classes are left out"]
    with pytest.raises(UsageError, match="nothing to score"):
        evaluate_liveness(gathered([], [None]))


def test_by_column() -> None:
    some = presentations([0.9, 0.1] * 25, tone=("light", "dark"), print=[0.1, 0.9] * 12)
    found = evaluate_liveness(gathered(some), column="tone")
    assert {value: (group.figures["BPCER"], group.figures["APCER"], group.figures["live"])
            for value, group in found.by.items()} == {"light": (0, 0, 25), "dark": (100, 100, 25)}
    assert found.small == ["dark", "light"], "12 prints of each"
    assert found.by["light"].spread["BPCER"][1] == pytest.approx(100 * (1 - 0.025 ** (1 / 25)), abs=1e-3)
    with pytest.raises(UsageError, match="--by age: no labelled face has this column; there is tone"):
        evaluate_liveness(gathered(some), column="age")
    mixed = [*presentations([0.9] * 30, tone=("light",)), *presentations([], print=[0.1] * 30)]
    assert evaluate_liveness(gathered(mixed), column="tone").by.keys() == {"light", "(not said)"}
    assert evaluate_liveness(gathered(mixed), column="tone").small == []


def test_thresholds_of_words() -> None:
    some = presentations([0.3, 0.7, 0.8, 0.9], print=[0.1, 0.2, 0.4, 0.75])
    assert chosen("0.5", some) == Rule((0.5, 0.5), "threshold 0.5")
    assert chosen("apcer=25", some).thresholds == (0.4001, 0.4001)
    assert chosen("apcer=0", some).thresholds == (0.7501, 0.7501)
    assert chosen("bpcer=25", some, "a dev set") == Rule((0.7, 0.7), "threshold 0.7000, bpcer=25 of a dev set")
    equal = chosen("eer", some)
    assert equal.same and 0.4 < equal.thresholds[0] <= 0.7 and "the very set scored here" in equal.said
    at = evaluate_liveness(gathered(some), equal).whole.figures
    assert at["APCER"] == at["BPCER"] == at["EER"] == 25
    for words in ("1.5", "-1", "nan", "eer=3", "apcer", "apcer=", "apcer=100", "bpcer=x", "half", ""):
        with pytest.raises(UsageError, match="a score from 0 to 1, eer, apcer=PERCENT or bpcer=PERCENT"):
            chosen(words, some)
    with pytest.raises(UsageError, match="the dev set has live faces alone or attacks alone"):
        chosen("eer", presentations([0.1]), "the dev set")


def test_a_threshold_leaves_nothing_unsure() -> None:
    sample = sample_of(presentations([0.3, 0.5], print=[0.5, 0.1]), Rule((0.5, 0.5)))
    assert sample.told.tolist() == [0, 1, 1, 0]


def test_the_curve_is_drawn_where_the_errors_are() -> None:
    """One type at 20 % and 10 %: its corner is at these ticks, and nothing lies beyond."""
    scores = [0.9] * 90 + [0.1] * 10, [0.5] * 20 + [0.05] * 80
    picture = det(sample_of(presentations(scores[0], print=scores[1]), Rule((0.3, 0.3))))
    from scipy.special import ndtri

    ends = ndtri(0.005), ndtri(TICKS[-1] / 100)

    def place(share: float) -> int:
        return round((ndtri(share) - ends[0]) / (ends[1] - ends[0]) * SIDE)

    x, y = 90 + place(0.2), 45 + SIDE - place(0.1)
    orange = np.abs(picture.astype(int) - np.array((230, 159, 0))).sum(axis=2) < 60
    assert orange[y - 3:y + 4, x - 3:x + 4].any(), "the point of the answers, and the corner"
    assert orange[y + 20:45 + SIDE - 3, x - 1:x + 2].all(axis=0).any(), "down from there"
    assert orange[y - 1:y + 2, 95:x - 10].all(axis=1).any(), "left from there"
    assert not orange[50:y - 10, x + 10:90 + SIDE - 5].any(), "above and right of it there is nothing"


def test_of_many_types_the_points_are_their_own() -> None:
    """Twelve types, one attack each, all spoofs but the last, which is called live: no point is at its 100 %."""
    types = {f"{number:02}": [0.1] * 2 for number in range(11)} | {"11": [0.9]}
    sample = sample_of(presentations([0.9] * 40, **types))
    assert len(sample.types) == 12 > MOST
    picture = det(sample)
    left, right, below = 90, 90 + SIDE, 45 + SIDE + 5  # points have a radius of 5, the thickest line one of 3
    assert (picture[below, right - 2:right + 3] == 255).all(), "it has the fewest attacks: left out"
    assert (picture[below, left - 1:left + 2] < 255).any(), "the others' points are at none of both"


def test_bars_stand_where_scores_are() -> None:
    picture = histograms(sample_of(presentations([0.99] * 9 + [0.01], print=[0.5] * 4)), (0.2, 0.8))
    blue = (picture == (0, 114, 178)).all(axis=2)[70:164, 64:64 + 720]
    edges = np.flatnonzero(np.diff(np.concatenate([[0], blue.any(axis=0), [0]])))
    assert edges.tolist() == [1, 14, 707, 720], "the first of fifty bars, and the last"
    assert blue[:, 710].sum() == 94 and 9 <= blue[:, 5].sum() <= 12, "one in nine as high"
    orange = (picture == (230, 159, 0)).all(axis=2)[200:294, 64:64 + 720]
    assert np.flatnonzero(orange.any(axis=0)).min() == 361, "0.5 belongs to the bar that begins there"


def test_files_of_plots(tmp_path: Path) -> None:
    some = presentations(drawn(0, 60, 2), print=drawn(1, 40, -2), replay=drawn(2, 9, -1))
    write_plots(tmp_path / "plots", some)
    for name in ("det.png", "scores.png"):
        picture = cv2.imread(str(tmp_path / "plots" / name))
        assert picture is not None and picture.shape[1] > 700 and (picture < 100).any()
    write_plots(tmp_path / "live", presentations([0.9]))
    assert [path.name for path in (tmp_path / "live").iterdir()] == ["scores.png"]
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--plots .*file"):
        write_plots(tmp_path / "file", some)
