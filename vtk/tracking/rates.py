"""What it is worth that motion goes by time: ``python -m vtk.tracking.rates GT DETECTIONS [GT DETECTIONS …]``.

Takes some of the frames of a sequence and tracks their detections twice: by their true times, and as if the frames
taken were the frames of a video, one interval from each to the next (dt = 1). Tracks end after equally many seconds of
patience in both, so that motion alone differs. A third run tracks every frame. All three are scored on the frames
taken, against their ground truth; what a run loses is the HOTA of the third less its own.

Prints one JSON object a sequence, tracker and sampling, then one over all sequences where there are several; the same
as a table on stderr. Detections are MOT files; scores of any range come into [0, 1] as ``vtk import mot`` brings them,
by all frames. The rate is that of the sequence's seqinfo.ini, else --fps.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from vtk.errors import VtkError
from vtk.evaluation.sequences import TrackSequence, read_truth
from vtk.evaluation.tracks import choose_protocol, prepare
from vtk.export.mot import read_mot
from vtk.export.scores import unit_scores
from vtk.export.seqinfo import seqinfo_of
from vtk.metrics.mot import Boxes, score_sequence
from vtk.tracking.tracker import TIME_SLACK, Tracker
from vtk.tracking.trackers import make_tracker

# SORT and BoT-SORT know no time: with them nothing differs.
TRACKERS = ("vtk", "bytetrack", "ocsort")
RUNS = ("full", "time", "dt_1")


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence to take frames of.

    Attributes:
        boxes: by frame from 0: (N, 4) float32 xyxy in pixels, all of positive area.
        scores: by frame: (N,) float32 in [0, 1].
        interval: seconds from a frame to the next.
        truth: its ground truth, frames from 1.
        size: width and height of the frame in pixels, where seqinfo.ini states them.
    """

    name: str
    boxes: list[np.ndarray]
    scores: list[np.ndarray]
    interval: float
    truth: TrackSequence
    size: tuple[int, int] | None


class ByTrueTime:
    """Goes before a tracker class: tracks end by the true times of frames that the tracker is told are evenly spaced.

    Attributes:
        times: (F,) float64, the true time in seconds of each frame that it is told of.
    """

    times: np.ndarray

    def _expired(self: Tracker, t: float, unseen: int) -> np.ndarray:  # type: ignore[misc]
        gone = self.times[round(t / self.interval)] - self.times[self.tracks.last_frame]  # type: ignore[attr-defined]
        return gone > self.max_lost + TIME_SLACK


def main(argv: list[str] | None = None) -> int:
    """Write the rows; return 1 where a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vtk.tracking.rates", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="GT DETECTIONS", help="MOT files, in pairs")
    parser.add_argument("--fps", type=float, help="frames a second (default: by seqinfo.ini)")
    parser.add_argument("--trackers", default=",".join(TRACKERS),
                        help=f"of {', '.join(TRACKERS)} (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=10, help="draws of each random sampling (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the first draw (default: %(default)s)")
    options = parser.parse_args(argv)
    names = options.trackers.split(",")
    if unknown := sorted(set(names) - set(TRACKERS)):
        parser.error(f"got tracker {', '.join(unknown)}, expected some of {', '.join(TRACKERS)}")
    if len(options.files) % 2 or options.seeds < 1:
        parser.error("files come in pairs, GT DETECTIONS, and one draw at least is needed")
    try:
        sequences = [read(*pair, options.fps) for pair in zip(options.files[::2], options.files[1::2], strict=True)]
    except VtkError as error:
        sys.stderr.write(f"vtk.tracking.rates: {error}\n")
        return 1
    seeds = range(options.seed, options.seed + options.seeds)
    sys.stderr.write(f"{'sequence':14} {'tracker':10} {'frames taken':18} {'all':>6} {'by time':>8} {'dt = 1':>7}   loses "
                     f"{'by time':>7} {'dt = 1':>7}\n")
    for row in rows(sequences, names, seeds):
        sys.stdout.write(json.dumps(row) + "\n")
        sys.stdout.flush()
        sys.stderr.write(summary(row))
    return 0


def read(truth: str, detections: str, fps: float | None) -> Sequence:
    """Return the sequence of a pair of MOT files.

    Raises:
        VtkError: a file cannot be read, or the rate is not known.
    """
    [(name, known)] = read_truth([truth]).items()
    found = read_mot(detections)
    xyxy = np.concatenate([found.xywh[:, :2], found.xywh[:, :2] + found.xywh[:, 2:]], axis=1).astype(np.float32)
    scores = unit_scores(found.score, found.frame)[0].astype(np.float32)
    whole = (xyxy[:, 2:] > xyxy[:, :2]).all(axis=1)
    count = int(max(found.frame.max(initial=0), known.boxes.frame.max(initial=0)))
    rows_of = [np.flatnonzero(whole & (found.frame == frame)) for frame in range(1, count + 1)]
    info = seqinfo_of(detections, fps)
    return Sequence(name, [xyxy[here] for here in rows_of], [scores[here] for here in rows_of], 1 / info.fps, known,
                    (info.width, info.height) if info.width and info.height else None)


def samplings(count: int, seeds: Iterable[int]) -> dict[str, list[np.ndarray]]:
    """Return the ways to take frames of ``count``: for each its draws, (F,) int64 indices that increase.

    A draw of every n-th frame begins at another of the first n.
    """
    draws = list(seeds)
    return {
        "all": [np.arange(count)],
        **{f"every {step}": [np.arange(first, count, step) for first in range(step)] for step in (2, 3, 5)},
        "gaps 1 to 5": [_irregular(count, seed) for seed in draws],
        "bursts": [_bursts(count, seed) for seed in draws],
    }


def _irregular(count: int, seed: int) -> np.ndarray:
    """Return frames at distances between 1 and 5, each as likely."""
    frames = np.cumsum(np.r_[0, np.random.default_rng(seed).integers(1, 6, count)])
    return frames[frames < count]


def _bursts(count: int, seed: int) -> np.ndarray:
    """Return 3 to 6 frames in a row, then nothing for 3 to 6, and so on."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 7, count)
    taken = np.repeat(np.arange(count) % 2 == 0, lengths)[:count]
    return np.flatnonzero(taken)


def rows(sequences: list[Sequence], trackers: Iterable[str], seeds: Iterable[int]) -> Iterator[dict[str, object]]:
    """Yield a row for each sequence, tracker and sampling, then their means where there are several sequences."""
    seeds = list(seeds)
    for tracker in trackers:
        means: dict[str, list[Mapping[str, float]]] = {}
        for sequence in sequences:
            full = track(sequence, tracker, np.arange(len(sequence.boxes)))
            for sampling, draws in samplings(len(sequence.boxes), seeds).items():
                hota = [compare(sequence, tracker, taken, full) for taken in draws]
                mean = {run: float(np.mean([one[run] for one in hota])) for run in RUNS}
                means.setdefault(sampling, []).append(mean)
                yield {"sequence": sequence.name, "tracker": tracker, "sampling": sampling, "draws": len(draws),
                       "frames": round(float(np.mean([len(taken) for taken in draws])), 1)} | _figures(mean) | {
                       "draws_better": sum(one["time"] > one["dt_1"] for one in hota),
                       "draws_worse": sum(one["time"] < one["dt_1"] for one in hota)}
        if len(sequences) > 1:
            for sampling, each in means.items():
                yield {"sequence": "mean", "tracker": tracker, "sampling": sampling} | _figures(
                    {run: float(np.mean([one[run] for one in each])) for run in RUNS})


def _figures(hota: Mapping[str, float]) -> dict[str, float]:
    """Return HOTA of the three runs in percent, and what two of them lose against every frame."""
    return {"hota_full": round(hota["full"], 2), "hota_time": round(hota["time"], 2),
            "hota_dt_1": round(hota["dt_1"], 2), "loss_time": round(hota["full"] - hota["time"], 2),
            "loss_dt_1": round(hota["full"] - hota["dt_1"], 2)}


def compare(sequence: Sequence, tracker: str, taken: np.ndarray, full: Boxes) -> dict[str, float]:
    """Return HOTA in percent of the three runs, on the frames ``taken``; ``full`` are the tracks of every frame."""
    found = {"full": full.take(np.isin(full.frame, taken + 1)), "time": track(sequence, tracker, taken),
             "dt_1": track(sequence, tracker, taken, even=True)}
    mine = sequence.truth.take(np.isin(sequence.truth.boxes.frame, taken + 1))
    ready = prepare(mine, choose_protocol({mine.name: mine}))
    return {run: float(score_sequence(ready, boxes, ("HOTA",)).figures().get("HOTA", 0.0))
            for run, boxes in found.items()}


def track(sequence: Sequence, name: str, taken: np.ndarray, even: bool = False) -> Boxes:
    """Return the tracks of the frames ``taken``, numbered as in the ground truth.

    Args:
        even: whether the tracker is told that these frames are all there are, an interval from each to the next;
            tracks end by the true times all the same.
    """
    tracker = make_tracker(name)
    if even:
        tracker = type("Even", (ByTrueTime, type(tracker)), {"times": taken * sequence.interval})()
    tracker.interval, tracker.size = sequence.interval, sequence.size
    told = np.arange(len(taken)) if even else taken
    steps = np.diff(told, prepend=told[:1] - 1)
    frames, ids, boxes = [], [], []
    for frame, as_told, step in zip(taken.tolist(), told.tolist(), steps.tolist(), strict=True):
        found = sequence.boxes[frame]
        made = tracker.update(as_told, round(as_told * sequence.interval, 6), step, found, sequence.scores[frame],
                              np.zeros(len(found), np.int64))
        shown = made.track_ids > 0
        frames.append(np.full(int(shown.sum()), frame + 1))
        ids.append(made.track_ids[shown])
        boxes.append(made.boxes[shown])
    return Boxes(*(np.concatenate([empty, *column]) for empty, column in
                   zip((np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4))), (frames, ids, boxes),
                       strict=True)))


def summary(row: Mapping[str, object]) -> str:
    """Return a row as a line for people."""
    return (f"{row['sequence']:14} {row['tracker']:10} {row['sampling']:18} {row['hota_full']:6.2f} "
            f"{row['hota_time']:8.2f} {row['hota_dt_1']:7.2f}         {row['loss_time']:7.2f} {row['loss_dt_1']:7.2f}\n")


if __name__ == "__main__":
    sys.exit(main())
