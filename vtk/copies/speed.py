"""How many times faster than it plays a film is searched for copies: ``python -m vtk.copies.speed FOLDER``.

In FOLDER it makes, once, films of 720 lines and 30 frames a second of the clips that are given: two references, and
queries of which nothing, a tenth and all is copied. Each is read in three ways, one after the other in each turn: a
frame a second, by what changes, and by key frames first. It is looked for in a library of the references and of hours
of rows that are mixed of the vectors of pictures, shot by shot. A JSON line for each query and way says how long each
phase took, on the clock and by the processor, and how good the answer was.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vtk.copies import fast, finding
from vtk.copies.collecting import footprint_of, query_of
from vtk.copies.descriptors import DEFAULT, Descriptor, load_descriptor
from vtk.copies.finding import Search
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.gaps import Gaps
from vtk.copies.generate import probed
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match
from vtk.copies.references import MemoryReferences, References
from vtk.copies.speed_films import Films, films
from vtk.driver.chain import Opening
from vtk.errors import VtkError
from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES
from vtk.metrics.copies import micro, score_pair
from vtk.models.embedder import EmbedderOptions
from vtk.models.runtime import RuntimeOptions

WAYS = ("uniform:1", "adaptive", "fast")
PHASES = ("decode", "describe", "search", "align", "refine")
PICTURES = 400  # of which rows are mixed at most
VIDEO = 600  # rows of a video that is mixed
_SHOT = (3, 10)  # rows of a shot, both included
_NOISE = 0.02  # of each component, by which rows of a shot differ: two of them have a cosine of about 0.9


@dataclass(slots=True)
class Phases:
    """Seconds by phase, on the clock and of all threads of this process; a phase within another is not the other's."""

    wall: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    cpu: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    _now: str = ""
    _since: tuple[float, float] = (0.0, 0.0)

    @contextmanager
    def of(self, phase: str) -> Iterator[None]:
        """Count what is done here for ``phase``; all of ``refine`` is its own."""
        before = self._now
        self._turn(phase if before != "refine" else before)
        try:
            yield
        finally:
            self._turn(before)

    def timed(self, phase: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``call``, counted for ``phase``."""

        def counted(*arguments: Any, **options: Any) -> Any:
            with self.of(phase):
                return call(*arguments, **options)

        return counted

    def _turn(self, phase: str) -> None:
        now = time.perf_counter(), time.process_time()
        if self._now:
            self.wall[self._now] += now[0] - self._since[0]
            self.cpu[self._now] += now[1] - self._since[1]
        self._now, self._since = phase, now


@dataclass(frozen=True, slots=True)
class Run:
    """What one way to read one query came to."""

    matches: list[Match]
    phases: Phases
    frames: int
    decoded: int | None


def run(way: str, path: str, references: References, opening: Opening, refined: bool) -> Run:
    """Look for a query once, and say what it took."""
    phases, descriptor = Phases(), references.descriptor
    lookers = FileLookers(path, references, opening) if refined else None
    # What looks more closely at ends, by the name under which each way calls it.
    closer = [(module, name, "refine") for module, name in ((finding, "refine"), (finding, "ended"), (fast, "ended"))
              if hasattr(module, name)]  # fmt: skip
    with ExitStack() as stack:
        for owner, name, phase in ((descriptor, "describe", "describe"), (references, "search", "search"),
                                   (references, "footprint", "search"), (Gaps, "read", "decode"),
                                   (Gaps, "decode", "decode"), *closer):  # fmt: skip
            stack.enter_context(_replaced(owner, name, phases.timed(phase, getattr(owner, name))))
        with phases.of("align"):
            if way == "fast":
                found = fast.fast_look(path, references, Search(), opening, lookers)
                return Run(found.matches, phases, len(found.query.whole), found.decoded)
            with phases.of("decode"):
                query = query_of(path, descriptor, FramePlan.parse(way), opening)
            return Run(finding.find(query, references, Search(), lookers), phases, len(query.whole), None)


@contextmanager
def _replaced(owner: Any, name: str, by: Callable[..., Any]) -> Iterator[None]:
    """Put ``by`` in place of a method for a while."""
    there, old = name in vars(owner), vars(owner).get(name)
    setattr(owner, name, by)
    try:
        yield
    finally:
        setattr(owner, name, old) if there else delattr(owner, name)


def library(made: Films, descriptor: Descriptor, pictures: Sequence[Path], hours: float) -> MemoryReferences:
    """Return the references of the films among ``hours`` of rows that are no copies."""
    references = MemoryReferences(descriptor)
    for path in made.references:
        references.add(footprint_of(str(path), descriptor))
    if not hours:
        return references
    chosen = pictures[:: max(1, len(pictures) // PICTURES)]
    vectors = descriptor.describe([load(str(path))[0] for path in chosen])
    for number in range(int(np.ceil(hours * 3600 / VIDEO))):
        references.add(mixed(vectors, descriptor.space, number))
    return references


def mixed(vectors: np.ndarray, space: str, number: int) -> Footprint:
    """Return ten minutes, a row a second, of shots that each are the mixture of two of (N, D) vectors, and noise."""
    rng = np.random.default_rng([7, number])
    rows: list[np.ndarray] = []
    while sum(map(len, rows)) < VIDEO:
        one, other = vectors[rng.integers(len(vectors), size=2)]
        shot = one + rng.uniform(0, 1) * other
        shot = shot / max(float(np.linalg.norm(shot)), 1e-12)
        length = int(rng.integers(_SHOT[0], _SHOT[1] + 1))
        rows.append(shot + _NOISE / 2 * rng.normal(size=(length, vectors.shape[1])))
    made = np.concatenate(rows)[:VIDEO].astype(np.float32)
    made /= np.maximum(np.linalg.norm(made, axis=1, keepdims=True), np.float32(1e-12))
    return Footprint(f"mixed:{number}", np.arange(VIDEO), np.arange(float(VIDEO)), made, np.ones(VIDEO, np.float32),
                     float(VIDEO), 25.0, 320, 240, space)  # fmt: skip


def row(way: str, share: float, made: Films, runs: Sequence[Run], seconds: float) -> dict[str, Any]:
    """Return the line of a query and a way: medians over runs, seconds by phase, and how good the answer is."""
    wall = {phase: float(np.median([each.phases.wall[phase] for each in runs])) for phase in PHASES}
    cpu = {phase: float(np.median([each.phases.cpu[phase] for each in runs])) for phase in PHASES}
    total, busy = (float(np.median([sum(side.values()) for side in sides])) for sides in
                   ([each.phases.wall for each in runs], [each.phases.cpu for each in runs]))
    last = runs[-1]
    return {"way": way, "copied": share, "seconds": round(seconds, 1), "realtime": round(seconds / total, 1),
            "realtime_unrefined": round(seconds / max(total - wall["refine"], 1e-9), 1),
            "per_cpu_second": round(seconds / busy, 1),
            "per_cpu_second_unrefined": round(seconds / max(busy - cpu["refine"], 1e-9), 1),
            "wall": {phase: round(value, 3) for phase, value in wall.items()},
            "cpu": {phase: round(value, 3) for phase, value in cpu.items()},
            "align_share": round(cpu["align"] / busy, 4), "frames": last.frames, "decoded": last.decoded,
            **_quality(last.matches, made, share)}


def _quality(matches: Sequence[Match], made: Films, share: float) -> dict[str, Any]:
    """Return the segment precision, recall and F, and how many segments were found and are true."""
    truth = made.truth[made.queries[share].name]
    scores = []
    for path in made.references:
        found = [(match.start, match.ref_start, match.end, match.ref_end) for match in matches
                 if match.ref == str(path)]  # fmt: skip
        true = [(copy["start"], copy["ref_start"], copy["end"], copy["ref_end"]) for copy in truth
                if copy["ref"] == path.name]  # fmt: skip
        scores.append(score_pair(*(np.array(boxes, float).reshape(-1, 4) for boxes in (found, true))))
    overlaps = micro(scores)
    known = {str(path) for path in made.references}
    return {"found": len(matches), "true": len(truth), "false_references": sum(each.ref not in known
                                                                              for each in matches),
            **{name: None if np.isnan(value) else round(float(value), 4)
               for name, value in overlaps._asdict().items()}}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Write a JSON line a query and way; return 0, or 2 where something cannot be used."""
    asked = _parser().parse_args(argv)
    try:
        made = films(Path(asked.folder), list(map(Path, asked.copied)), list(map(Path, asked.strange)), asked.seconds,
                     (asked.lines * 16 // 9, asked.lines))  # fmt: skip
        descriptor = load_descriptor(asked.descriptor, EmbedderOptions(runtime=RuntimeOptions(
            precision=asked.precision, batch=asked.batch)))
        pictures = sorted(path for path in Path(asked.pictures).rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES) \
            if asked.pictures else []
        if asked.hours and not pictures:
            raise VtkError(f"--hours {asked.hours:g}: name --pictures, a folder of some, to mix them of")
        references = library(made, descriptor, pictures, asked.hours)
        for line in compared(made, references, asked.ways.split(","), asked.turns, not asked.no_refine):
            sys.stdout.write(json.dumps(line | {"descriptor": descriptor.name, "library_hours": round(
                references.rows / 3600, 1), "cores": os.cpu_count(), "turns": asked.turns}) + "\n")
            sys.stdout.flush()
    except (VtkError, ValueError) as error:
        sys.stderr.write(f"vtk.copies.speed: {error}\n")
        return 2
    return 0


def compared(made: Films, references: References, ways: Sequence[str], turns: int,
             refined: bool) -> Iterator[dict[str, Any]]:
    """Yield the line of each query and way, after one run of each way that is not timed."""
    opening = Opening()
    for way in ways:
        run(way, str(made.queries[min(made.queries)]), references, opening, refined)
    for share, path in made.queries.items():
        runs: dict[str, list[Run]] = {way: [] for way in ways}
        for _ in range(turns):
            for way in ways:
                runs[way].append(run(way, str(path), references, opening, refined))
        seconds = probed(str(path)).duration
        for way in ways:
            yield row(way, share, made, runs[way], seconds) | {"mbit_per_s": round(
                path.stat().st_size * 8e-6 / seconds, 2)}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.speed", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="for the films, which are kept")
    parser.add_argument("--copied", nargs="+", required=True, metavar="CLIP", help="of which references are made")
    parser.add_argument("--strange", nargs="+", required=True, metavar="CLIP", help="that queries show besides")
    parser.add_argument("--pictures", metavar="FOLDER", help="of whose pictures rows of the library are mixed")
    parser.add_argument("--hours", type=float, default=20.0, help="of such rows (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=180.0, help="of a query (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=720, help="of a picture (default: %(default)s)")
    parser.add_argument("--ways", default=",".join(WAYS), help="comma-separated (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=3, help="timed runs of each (default: %(default)s)")
    parser.add_argument("--descriptor", default=DEFAULT)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--batch", type=int, help="frames a call of the network; the default is its own")
    parser.add_argument("--no-refine", action="store_true", help="leave ends as the frames at hand have them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
