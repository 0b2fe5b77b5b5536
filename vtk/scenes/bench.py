"""How well changes of shot are found, and how fast: ``python -m vtk.scenes.bench [CLIP…] [--truth FILE]``.

Films are drawn from seeds, with exact truth, and encoded; clips are scored where ``--truth`` says what is in them:
{"street.mp4": {"cuts": [120], "graduals": [[200, 225]], "unsure": [[300, 310]]}}, in frames. PySceneDetect runs on the
same files where it is installed. One JSON line for each implementation and set.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vtk.driver.ahead import Ahead
from vtk.driver.lines import IDLE
from vtk.errors import VtkError
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import open_media
from vtk.media.writer import VideoWriter
from vtk.metrics.shots import Score, Truth, score_changes, score_cuts, score_graduals
from vtk.models.transnet import TransNet, load_transnet
from vtk.scenes.films import HEIGHT, KINDS, WIDTH, plan
from vtk.scenes.looks import LOOK
from vtk.scenes.shots import Shots
from vtk.scenes.tiling import Change
from vtk.scenes.transnet import TransNetShots


# PySceneDetect's detectors, and the frames of a shot at least: its own default, and none as with us.
RIVALS = (("ContentDetector", None), ("ContentDetector", 1), ("AdaptiveDetector", None), ("AdaptiveDetector", 1))
# Frames that decoding runs ahead by, at most, as for the command.
AHEAD = 32


@dataclass(frozen=True)
class Case:
    """A file and what is in it; ``kinds`` names the kind of each gradual transition where that is known."""

    path: str
    truth: Truth
    kinds: tuple[str, ...] = ()


def changes(path: str, network: TransNet | None = None) -> list[Change]:
    """Return where a film goes from shot to shot, as we find it or, with ``network``, as TransNet V2 does.

    Decoding runs ahead in a thread of its own, and frames are made small outside it, as the command does.
    """
    reader = open_media(path)
    shots, size = (Shots(), LOOK) if network is None else (TransNetShots(network), network.size)
    ahead = Ahead(reader.frames([], lambda index, t: True), AHEAD)
    try:
        found = [shot for frame in ahead if frame is not IDLE
                 for shot in shots.add(frame.index, frame.t, frame.image(size))]
    finally:
        ahead.close()
        reader.close()
    return [shot.after for shot in [*found, *shots.finish()] if shot.after]


def decode(path: str) -> int:
    """Decode a file, converting nothing; return how many frames it has."""
    reader = open_media(path)
    try:
        return sum(1 for _ in reader.frames([], lambda index, t: True))
    finally:
        reader.close()


def convert(path: str) -> int:
    """Decode a file to RGB, as most programs take frames; return how many frames it has."""
    reader = open_media(path)
    try:
        return sum(len(frame.image(NATIVE)) > 0 for frame in reader.frames([NATIVE], lambda index, t: True))
    finally:
        reader.close()


def scale(path: str) -> int:
    """Decode a file to the small pictures that shots are found on; return how many frames it has."""
    reader = open_media(path)
    try:
        return sum(len(frame.image(LOOK)) > 0 for frame in reader.frames([LOOK], lambda index, t: True))
    finally:
        reader.close()


def pyscenedetect(name: str, shortest: int | None = None) -> Callable[[str], list[int]] | None:
    """Return PySceneDetect's detector of this name, None where it is not installed.

    Its defaults are kept, but for ``shortest``, the frames of a shot at least: by default 0.6 s, or 15 frames.
    """
    try:
        import scenedetect
    except ImportError:
        return None

    def run(path: str) -> list[int]:
        options = {} if shortest is None else {"min_scene_len": shortest}
        scenes = scenedetect.detect(path, getattr(scenedetect, name)(**options))
        return [start.frame_num for start, _ in scenes[1:]]

    return run


def quality(cases: Sequence[Case], network: TransNet | None = None) -> list[dict[str, Any]]:
    """Return a row for us, for TransNet V2 where it is given, and for each rival: recall, precision, F in percent."""
    rows = [{"implementation": "vtk"} | _ours(cases, [changes(case.path) for case in cases], KINDS)]
    if network is not None:  # it does not tell kinds
        rows.append({"implementation": network.name} | _ours(cases, [changes(case.path, network) for case in cases], ()))
    for name, shortest in RIVALS:
        rival = pyscenedetect(name, shortest)
        if rival is None:
            print(f"{name} left out: PySceneDetect is not installed", file=sys.stderr)
            continue
        found = [rival(case.path) for case in cases]
        title = f"pyscenedetect {name}" + ("" if shortest is None else f" min_scene_len={shortest}")
        rows.append({"implementation": title} | _told(
            {"cuts": _sum(score_cuts(case.truth, each) for case, each in zip(cases, found, strict=True)),
             "changes": _sum(score_changes(case.truth, each) for case, each in zip(cases, found, strict=True))}))
    return rows


def _ours(cases: Sequence[Case], found: Sequence[Sequence[Change]], kinds: Sequence[str]) -> dict[str, Any]:
    """Return scores of spans: of cuts, of gradual transitions by overlap, of ``kinds`` of these, and of all changes."""
    cuts = [[each.frame for each in film if each.kind == "cut"] for film in found]
    spans = [[(each.start_frame, each.end_frame) for each in film if each.kind != "cut"] for film in found]
    scores = {
        "cuts": _sum(score_cuts(case.truth, *both) for case, *both in zip(cases, cuts, spans, strict=True)),
        "graduals": _sum(score_graduals(case.truth, *both) for case, *both in zip(cases, cuts, spans, strict=True)),
        "changes": _sum(score_changes(case.truth, [each.frame for each in film])
                        for case, film in zip(cases, found, strict=True))}
    for kind in (kind for kind in kinds if any(kind in case.kinds for case in cases)):
        scores[kind] = _sum(_of_kind(kind, *each) for each in zip(cases, found, cuts, strict=True))
    return _told(scores)


def _of_kind(kind: str, case: Case, found: Sequence[Change], cuts: Sequence[int]) -> Score:
    """Return the score of one kind of transition: one that was taken for another kind counts as missed."""
    truth = replace(case.truth, graduals=tuple(
        span for span, each in zip(case.truth.graduals, case.kinds, strict=True) if each == kind))
    return score_graduals(truth, cuts, [(each.start_frame, each.end_frame) for each in found if each.kind == kind])


def _sum(scores: Iterable[Score]) -> Score:
    return sum(scores, Score())


def _told(scores: Mapping[str, Score]) -> dict[str, Any]:
    return {name: {"recall": round(100 * score.recall, 1), "precision": round(100 * score.precision, 1),
                   "F": round(100 * score.f1, 1), "there": score.there} for name, score in scores.items()}


def speed(path: str, turns: int, network: TransNet | None = None) -> dict[str, Any]:
    """Return how fast shots are found on a file beside decoding alone: frames a second over alternating runs.

    ``ratio`` is to decoding that converts nothing, ``ratio_rgb`` to decoding to RGB frames, ``ratio_scaled`` to decoding
    to the small pictures that shots are found on, each the median of the turns' own ratios, by the clock: what a user
    waits, where decoding leaves a core free. ``cpu_ratio`` and those after it compare the processor time of all threads
    instead, all that is spent: nothing is hidden in cores that stand idle, and others on the machine change it less.
    """
    ways: dict[str, Callable[[str], Any]] = {"decode": decode, "rgb": convert, "scale": scale, "shots": changes}
    if network is not None:
        ways[network.name] = partial(changes, network=network)
    for name in ("ContentDetector", "AdaptiveDetector"):
        rival = pyscenedetect(name)
        if rival is not None:
            ways[name] = rival
    count = decode(path)
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(turns + 1):
        for name, run in ways.items():
            begin, used = time.perf_counter(), time.process_time()
            run(path)
            if turn:
                taken[name].append((time.perf_counter() - begin, time.process_time() - used))

    def ratio(name: str, clock: int = 0) -> float:
        return round(statistics.median(one[clock] / other[clock] for one, other in
                                       zip(taken[name], taken["shots"], strict=True)), 3)

    reader = open_media(path)
    reader.close()
    return {"clip": os.path.basename(path), "width": reader.info.width, "height": reader.info.height, "frames": count,
            **{f"{name}_fps": round(count / statistics.median(each[0] for each in times), 1)
               for name, times in taken.items()},
            "ratio": ratio("decode"), "ratio_rgb": ratio("rgb"), "ratio_scaled": ratio("scale"),
            "cpu_ratio": ratio("decode", 1), "cpu_ratio_rgb": ratio("rgb", 1), "cpu_ratio_scaled": ratio("scale", 1),
            "turns": turns, "cores": os.cpu_count()}


def write_films(folder: Path, seeds: Iterable[int], clips: Sequence[np.ndarray]) -> list[Case]:
    """Encode a film for each seed and return them with their truth."""
    cases = []
    for seed in seeds:
        film, path = plan(seed, shots=10, clips=clips), folder / f"film{seed}.mp4"
        with VideoWriter(path, WIDTH, HEIGHT, film.fps, crf=23) as writer:
            for n, image in enumerate(film.frames()):
                writer.write(image, n / film.fps)
        cases.append(Case(str(path), film.truth, tuple(join.kind for join in film.joins if join.kind != "cut")))
    return cases


def read_material(text: str) -> np.ndarray:
    """Return the frames (N, HEIGHT, WIDTH, 3) of a clip, or of its frames from A up to B by CLIP:A:B."""
    path, *span = text.rsplit(":", 2) if text.count(":") >= 2 else (text,)
    start, end = (int(each) for each in span) if span else (0, sys.maxsize)
    reader, size = open_media(path), Size("exact", WIDTH, HEIGHT)
    try:
        return np.stack([frame.image(size) for frame in reader.frames([size], lambda index, t: start <= index < end)])
    finally:
        reader.close()


def read_truth(path: Path, clips: Sequence[str]) -> list[Case]:
    """Return the clips that a truth file knows, by their names without folders.

    Raises:
        VtkError: a clip is not in it, or the file is no such JSON.
    """
    try:
        known = json.loads(path.read_text())
        return [Case(clip, Truth(tuple(known[name]["cuts"]), tuple(map(tuple, known[name].get("graduals", ()))), 0,
                                 tuple(map(tuple, known[name].get("unsure", ())))))
                for clip in clips for name in [os.path.basename(clip)]]
    except KeyError as error:
        raise VtkError(f"{path} has no {error}: each clip needs its name and cuts there") from None
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise VtkError(f"{path}: {error}; a JSON object of clips is needed, each with cuts") from None


def main(words: Sequence[str] | None = None) -> None:
    """Print one JSON line for each implementation and set, and one for the speed on each clip."""
    parser = argparse.ArgumentParser(prog="python -m vtk.scenes.bench", description=__doc__)
    parser.add_argument("clip", nargs="*", help="video files")
    parser.add_argument("--truth", type=Path, help="JSON file that says what is in the clips")
    parser.add_argument("--films", type=int, default=8, help="how many films are made (default: 8; 0: none)")
    parser.add_argument("--seed", type=int, default=1000, help="seed of the first (default: 1000)")
    parser.add_argument("--material", action="append", default=[], metavar="CLIP[:A:B]",
                        help="a clip of one shot, or its frames A to B, that films take pieces of; may be repeated")
    parser.add_argument("--transnet", action="store_true", help="run TransNet V2 as well")
    parser.add_argument("--turns", type=int, default=5, help="timed runs of each, alternating (default: 5)")
    asked = parser.parse_args(words)
    if asked.films < 0 or asked.turns < 1:
        parser.error("--films must be 0 or more, and --turns 1 or more")
    try:
        network = load_transnet() if asked.transnet else None
        if asked.films:
            with tempfile.TemporaryDirectory() as folder:
                material = [read_material(text) for text in asked.material]
                seeds = range(asked.seed, asked.seed + asked.films)
                for row in quality(write_films(Path(folder), seeds, material), network):
                    print(json.dumps(row | {"set": "films", "films": asked.films, "seed": asked.seed,
                                            "material": len(material)}), flush=True)
        if asked.truth:
            for row in quality(read_truth(asked.truth, asked.clip), network):
                print(json.dumps(row | {"set": [os.path.basename(clip) for clip in asked.clip]}), flush=True)
        for clip in asked.clip:
            print(json.dumps({"implementation": "vtk"} | speed(clip, asked.turns, network)), flush=True)
    except VtkError as error:
        sys.exit(f"vtk.scenes.bench: {error}")


if __name__ == "__main__":
    main()
