"""Kill ``vtk library add`` in the middle of its work, and look at what is there: ``python -m vtk.copies.kills``.

Some clips are added by the command, one process or two at once, and each gets SIGKILL at a random moment: while it
starts, while it makes the library, or after its first line. Before the next ones start, some clips are replaced by
others of the same name. After each kill every reference whose line was printed must be there, as it was then or as its
file is now, once, with all vectors of its frames; ``list`` and a search must work.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import typer

from vtk.copies.collecting import footprint_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.footprint import Footprint
from vtk.copies.reference_library import ReferenceLibrary
from vtk.library import LibraryError
from vtk.media.fingerprint import fingerprint
from vtk.media.writer import VideoWriter

CLIPS, VERSIONS = 24, 2
STARTING = 4.0  # seconds from the start of a process within which one in three is killed
WORKING = 1.0  # seconds from its first line within which the others are
HALF = 2**-10  # what float16 leaves of a component of a vector
DESCRIPTOR = DctDescriptor()


@dataclass
class Found:
    """What came of the kills.

    Attributes:
        kills: of processes that were at work; those that had ended by themselves do not count.
        told: lines that were printed, by what they say.
        early: kills before the first line.
        lost: what was found wrong, a line each.
        last: of each reference the version that was acknowledged last.
    """

    kills: int = 0
    told: dict[str, int] = field(default_factory=dict)
    early: int = 0
    lost: list[str] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)


class Clips:
    """The clips in a folder, each in one of its versions.

    Attributes:
        versions: of each clip that is there now, by name.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.versions = folder, dict.fromkeys((f"videos/{number}.mp4" for number in range(count)), 0)
        (folder / "videos").mkdir(parents=True)
        self._kept: dict[tuple[str, int], tuple[Path, Footprint]] = {}
        for number, name in enumerate(self.versions):
            for version in range(VERSIONS):
                path = folder / f"{number}-{version}.mp4"
                _write(path, number * VERSIONS + version)
                self._kept[name, version] = path, footprint_of(str(path), DESCRIPTOR)
            self.put(name, 0)

    def put(self, name: str, version: int) -> None:
        """Make a clip be in a version."""
        shutil.copy(self._kept[name, version][0], self.folder / name)
        self.versions[name] = version

    def version(self, name: str, print_: str | None) -> int | None:
        """Return the version that has a fingerprint; None where none has."""
        return next((version for version in range(VERSIONS)
                     if fingerprint(str(self._kept[name, version][0])) == print_), None)

    def footprint(self, name: str, version: int) -> Footprint:
        """Return the footprint of a version."""
        return self._kept[name, version][1]


def run(folder: Path, kills: int, seed: int = 0, count: int = CLIPS) -> Found:
    """Kill ``kills`` processes that add ``count`` clips in ``folder``, which is made; say what was found."""
    chance, clips, found = random.Random(seed), Clips(folder, count), Found()
    while found.kills < kills:
        at_once = min(chance.choice((1, 1, 2)), kills - found.kills)
        processes = [_started(folder) for _ in range(at_once)]
        lines = [line for process in processes for line in _killed(process, chance, found)]
        for line in lines:
            outcome, name = line.split()
            found.told[outcome] = found.told.get(outcome, 0) + 1
            found.last[name] = clips.versions[name]
        _check(folder, clips, found)
        for name in chance.sample(sorted(clips.versions), count // 2):
            clips.put(name, chance.randrange(VERSIONS))
    done = _started(folder)
    out, err = done.communicate()
    if done.returncode or len(out.splitlines()) != count:
        found.lost.append(f"the last one ended with {done.returncode}: {err.decode()[-500:]}")
    found.last = dict(clips.versions)
    _check(folder, clips, found, alone=True)
    return found


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.kills", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=100, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    given = parser.parse_args()
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder) / "kills", given.kills, given.seed)
    typer.echo(json.dumps({"kills": found.kills, "before_the_first_line": found.early, "acknowledged": found.told,
                      "lost": found.lost[:20], "seconds": round(time.perf_counter() - start)}))
    return 1 if found.lost else 0


def _write(path: Path, number: int) -> None:
    """Write a clip of two seconds, 20 frames of blocks that no other clip has."""
    rng = np.random.default_rng(number)
    with VideoWriter(path, 96, 64, 10.0, crf=14, preset="ultrafast") as writer:
        for index in range(20):
            blocks = rng.integers(50, 200, (8, 12, 1))
            writer.write(np.repeat(np.repeat(blocks, 8, 0), 8, 1).repeat(3, 2).astype(np.uint8), index / 10)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "vtk", "library", "add", "videos", "--library", "films.lance",
                             "--descriptor", "dct", "--threads", "1"], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, bufsize=0, env={**os.environ, "PYTHONUNBUFFERED": "1"})


def _killed(process: subprocess.Popen[bytes], chance: random.Random, found: Found) -> list[str]:
    """Kill a process at a random moment; return the lines that it had printed."""
    first = b""
    if chance.random() < 2 / 3:
        first = process.stdout.readline()  # type: ignore[union-attr]
        time.sleep(chance.uniform(0, WORKING))
    else:
        time.sleep(chance.uniform(0, STARTING))
    found.kills += process.poll() is None
    process.kill()
    out, err = process.communicate()
    if process.returncode > 0:
        found.lost.append(f"a process ended with {process.returncode}: {err.decode()[-500:]}")
    # A line that the kill cut short was not acknowledged.
    lines = [line.decode() for line in (first + out).split(b"\n")[:-1]]
    found.early += not lines
    return lines


def _check(folder: Path, clips: Clips, found: Found, alone: bool = False) -> None:
    """Note what is wrong with the library; ``alone``: nothing may be there that no reference names."""
    try:
        references = ReferenceLibrary.open(str(folder / "films.lance"), DESCRIPTOR, create=False)
    except LibraryError as error:
        if found.last or not str(error).startswith("no library at"):
            found.lost.append(f"after {found.kills} kills: {error}")
        return
    known = {each.source: each for each in references.list()}
    entries = sum(1 for _ in references._library.read(vectors=False))
    if entries != len(known):
        found.lost.append(f"after {found.kills} kills: {entries - len(known)} references twice")
    found.lost += [f"after {found.kills} kills: {name} is gone" for name in found.last if name not in known]
    shown = 0
    for name, each in known.items():
        version = clips.version(name, each.fingerprint)
        if version is None or version not in (found.last.get(name), clips.versions[name]):
            found.lost.append(f"after {found.kills} kills: {name} is of version {version}")
            continue
        expected, stored = clips.footprint(name, version), references.footprint(name)
        shown += int(expected.vectors.any(axis=1).sum())
        if stored.vectors.shape != expected.vectors.shape or np.abs(stored.vectors - expected.vectors).max() > HALF:
            found.lost.append(f"after {found.kills} kills: {name} has other vectors")
        scores, rows = references.search(expected.vectors, 1)
        if not (references.locate(rows[:, 0])[0] == list(known).index(name)).all() or scores.min() < 0.99:
            found.lost.append(f"after {found.kills} kills: {name} is not found")
    stored_frames = sum(map(len, references._frames))
    if alone and stored_frames != shown:
        found.lost.append(f"{stored_frames} frames are stored, and references have {shown}")


if __name__ == "__main__":
    sys.exit(main())
