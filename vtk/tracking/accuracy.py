"""How well trackers track, ours and others', on the same boxes: ``python -m vtk.tracking.accuracy GT DETECTIONS …``.

Every tracker gets the boxes and scores of the detections, frame by frame, with its published defaults; its tracks are
scored against the ground truth by TrackEval. Scores of any range come into [0, 1] as ``vtk import mot`` brings them.
Others are the ByteTrack of trackers, ultralytics and BoxMOT, and norfair, where they are installed, or in the folder
that --packages names (vtk.tracking.bench says how they get there).

Prints one JSON object a tracker: HOTA in percent by sequence, and the mean; on stderr which others are missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from vtk.errors import VtkError
from vtk.evaluation.tracks import choose_protocol, prepare
from vtk.metrics.mot import Boxes, score_sequence
from vtk.tracking.bench import importable
from vtk.tracking.rates import Sequence, read, track
from vtk.tracking.rivals import RIVALS, Rival
from vtk.tracking.trackers import TRACKERS


def main(argv: list[str] | None = None) -> int:
    """Write the rows; return 1 where a file cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m vtk.tracking.accuracy", description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="GT DETECTIONS", help="MOT files, in pairs")
    parser.add_argument("--fps", type=float, help="frames a second (default: by seqinfo.ini)")
    parser.add_argument("--rivals", default=",".join(RIVALS), help="of other packages (default: %(default)s)")
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="where else rivals are looked for")
    options = parser.parse_args(argv)
    names = [name for name in options.rivals.split(",") if name]
    if len(options.files) % 2 or set(names) - set(RIVALS):
        parser.error(f"files come in pairs, GT DETECTIONS; rivals are {', '.join(RIVALS)}")
    try:
        sequences = [read(*pair, options.fps) for pair in zip(options.files[::2], options.files[1::2], strict=True)]
    except VtkError as error:
        sys.stderr.write(f"vtk.tracking.accuracy: {error}\n")
        return 1
    contestants: dict[str, Callable[[Sequence], Boxes]] = {
        f"vtk {name}": partial(_ours, name=name) for name in TRACKERS}
    contestants |= {f"{name} {rival.version}": partial(_theirs, rival=rival)
                    for name, rival in importable(names, options.packages).items()}
    for name, run in contestants.items():
        sys.stdout.write(json.dumps({"tracker": name} | hota(sequences, run)) + "\n")
        sys.stdout.flush()
    return 0


def hota(sequences: list[Sequence], run: Callable[[Sequence], Boxes]) -> Mapping[str, float]:
    """Return HOTA in percent, two decimals, of what ``run`` makes of each sequence, and the mean."""
    figures = {}
    for sequence in sequences:
        truth = prepare(sequence.truth, choose_protocol({sequence.name: sequence.truth}))
        figures[sequence.name] = score_sequence(truth, run(sequence), ("HOTA",)).figures().get("HOTA", 0.0)
    return {name: round(float(figure), 2) for name, figure in
            {**figures, "mean": np.mean(list(figures.values()))}.items()}


def _ours(sequence: Sequence, name: str) -> Boxes:
    return track(sequence, name, np.arange(len(sequence.boxes)))


def _theirs(sequence: Sequence, rival: Rival) -> Boxes:
    """Return the tracks of another package's tracker, frames without boxes passed too."""
    update = rival.start()
    frames, ids, boxes = [], [], []
    for index, (found, scores) in enumerate(zip(sequence.boxes, sequence.scores, strict=True)):
        for box, number, _, _ in rival.rows(update(rival.prepared(found, scores, np.zeros(len(found), np.int64)))):
            frames.append(index + 1)
            ids.append(int(number))
            boxes.append(box)
    return Boxes(np.array(frames, np.int64), np.array(ids, np.int64), np.array(boxes, np.float64).reshape(-1, 4))


if __name__ == "__main__":
    sys.exit(main())
