"""One folder of clips, some of them broken, done in every way there is: the same records each time, or it says so.

    python -m vtk.engines.folder_bench --clips 200 --broken 5

Each way is done twice: as it is, and killed in the middle (SIGKILL, all its processes) and started again. What is
compared is all lines of all files, sorted: a line too many, a line too few or one that differs shows. ``left`` counts
files that are no finished output. Ways whose tool is not there are passed over.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import typer

EXAMPLES = Path(__file__).parents[2] / "examples"
PIPE = "detect --model motion | track"
VIDEOS = "videos"
RESUMED = ("jobs", "shard", "ray", "one")  # others go on by themselves


@dataclass(frozen=True)
class Told:
    """What a folder of outputs holds.

    Attributes:
        lines: of all files, sorted.
        files: how many there are.
        left: files that are no finished output.
        seconds, processor: that it took, by the clock and of all processes but those killed and Ray's.
    """

    lines: list[bytes]
    files: int
    left: int
    seconds: float
    processor: float

    @property
    def digest(self) -> str:
        """The hash of the sorted lines."""
        return hashlib.sha256(b"".join(self.lines)).hexdigest()[:12]


def make_folder(folder: Path, clips: int, broken: int) -> None:
    """Write ``clips`` short clips into ``folder``, of which ``broken`` are text, empty or cut, spread among the others."""
    import numpy as np

    from vtk.media.writer import VideoWriter

    folder.mkdir(parents=True)
    ground = np.random.default_rng(7).integers(60, 90, (96, 160, 3), dtype=np.uint8)
    bad = {round((number + 0.5) * clips / broken) for number in range(broken)}
    for number in range(clips):
        path = folder / f"clip{number:04}.mp4"
        with VideoWriter(path.with_suffix(".mkv"), 160, 96, 12) as writer:
            for index in range(12 + 3 * (number % 5)):
                picture, x = ground.copy(), 8 + (3 + number % 4) * index % 110
                if index >= 4:  # the first frames show the background alone
                    picture[30 : 50, x : x + 24] = 40 * (number % 3) + 160
                writer.write(picture, index / 12)
        if number in bad:
            _break(path.with_suffix(".mkv"), len([other for other in bad if other < number]))
        path.with_suffix(".mkv").rename(path)


def _break(path: Path, kind: int) -> None:
    data = path.read_bytes()
    path.write_bytes((b"not a film\n", b"", data[: len(data) // 2], data[:300],
                      data[: len(data) // 3] + bytes(2000) + data[len(data) // 3 + 2000 :])[kind % 5])


def ways(pipe: str, out: str) -> dict[str, list[list[str]]]:
    """Return the command lines of each way to do the folder ``videos`` into ``out``, where its tools are there."""
    whole = [sys.executable, "-m", "vtk", "pipe", pipe, VIDEOS, "--out-dir", out, "--quiet"]
    found = {"one": [whole], "jobs": [[*whole, "--jobs", "2"]],
             "shard": [[*whole, "--shard", f"{part}/3"] for part in (1, 2, 3)]}
    if find_spec("ray") is not None:
        found["ray"] = [[*whole, "--engine", "ray", "--address", "local", "--jobs", "2"]]
    found["watch"] = [[sys.executable, "-m", "vtk", "watch", VIDEOS, pipe, "--out-dir", out, "--once", "--quiet"]]
    if not EXAMPLES.is_dir():  # installed without the sources
        return found
    script = ["bash", str(EXAMPLES / "parallel.sh"), VIDEOS, out, "2", pipe]
    if shutil.which("parallel"):
        found["parallel"] = [script]
    found["xargs"] = [["env", f"PATH={_without_parallel(out)}:{os.environ['PATH']}", *script]]
    if shutil.which("make"):
        found["make"] = [["make", "--silent", "-j2", "-f", str(EXAMPLES / "Makefile"), f"VIDEOS={VIDEOS}",
                          f"OUT={out}", f"PIPE={pipe}", f"PYTHON={sys.executable}"]]
    found["slurm"] = [["env", f"SLURM_ARRAY_TASK_ID={part}", "SLURM_ARRAY_TASK_COUNT=3", "bash",
                       str(EXAMPLES / "slurm.sh"), VIDEOS, out, "3", pipe] for part in (1, 2, 3)]
    return found


def _without_parallel(out: str) -> str:
    """Return a folder whose ``parallel`` is not GNU's."""
    folder = Path(out).resolve().with_name("bin")
    folder.mkdir(exist_ok=True)
    (folder / "parallel").unlink(missing_ok=True)
    (folder / "parallel").symlink_to(shutil.which("false") or "/bin/false")
    return str(folder)


def do(place: Path, name: str, pipe: str, out: str, files: int, kill: bool) -> Told:
    """Do the folder in ``place`` in one way; with ``kill`` only after it was killed with half of the ``files`` done.

    Raises:
        RuntimeError: a command could not do its work.
    """
    commands = ways(pipe, str(place / out))[name]
    environment = {**os.environ, "VTK": str(_vtk(place)), "FILES": "8"}
    began, spent = time.perf_counter(), _spent()
    if kill:
        _killed(place, commands, place / out, environment, files // 2)
        commands = [[*command, "--resume"] for command in commands] if name in RESUMED else commands
    for command in commands:
        found = subprocess.run(command, cwd=place, env=environment, capture_output=True, check=False)
        if found.returncode not in (0, 1, 3) or not (place / out).is_dir():  # some of the clips are bad
            raise RuntimeError(f"{name}: exit code {found.returncode}: {found.stderr.decode()[-2000:]}")
    return told(place / out, time.perf_counter() - began, _spent() - spent)


def _killed(place: Path, commands: list[list[str]], out: Path, environment: dict[str, str], files: int) -> None:
    """Run commands until they finished ``files`` files, then end all their processes at once."""
    for command in commands:
        with subprocess.Popen(command, cwd=place, env=environment, start_new_session=True, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and len(list(out.rglob("*.jsonl"))) < files:
                time.sleep(0.005)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                return
    raise RuntimeError(f"{' '.join(commands[-1])}: was done before it could be killed")


def _vtk(place: Path) -> Path:
    script = place / "vtk"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vtk "$@"\n')
    script.chmod(0o755)
    return script


def _spent() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def told(out: Path, seconds: float = 0.0, processor: float = 0.0) -> Told:
    """Return what the files below ``out`` hold."""
    files = [path for path in out.rglob("*") if path.is_file()]
    finished = [path for path in files if path.suffix == ".jsonl"]
    lines = sorted(line for path in finished for line in path.read_bytes().splitlines(True))
    left = [path for path in files if path.suffix not in (".jsonl", ".csv")]
    return Told(lines, len(finished), len(left), seconds, processor)


def rows(place: Path, clips: int, broken: int, pipe: str, names: list[str], kill: bool) -> Iterator[tuple[str, Told]]:
    """Make a folder of clips in ``place`` and yield what each way tells of it, whole and killed."""
    make_folder(place / VIDEOS, clips, broken)
    for name in names or list(ways(pipe, str(place / "out"))):
        for after_kill in (False, True) if kill else (False,):
            label = f"{name}, killed" if after_kill else name
            yield label, do(place, name, pipe, f"out-{label.replace(', ', '-')}", clips, after_kill)


def main() -> None:
    """Print a row for each way; the exit code is 1 where two differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=200)
    parser.add_argument("--broken", type=int, default=5)
    parser.add_argument("--pipe", default=PIPE)
    parser.add_argument("--ways", default="", help="Comma-separated; all without.")
    parser.add_argument("--no-kill", dest="kill", action="store_false")
    given = parser.parse_args()
    names = [name for name in given.ways.split(",") if name]
    digests = set()
    with tempfile.TemporaryDirectory(prefix="vtk-folder-") as place:
        typer.echo(f"{'way':16} {'files':>5} {'records':>8} {'digest':>13} {'left':>4} {'seconds':>8} {'CPU':>7}")
        for name, found in rows(Path(place), given.clips, given.broken, given.pipe, names, given.kill):
            digests.add(found.digest)
            typer.echo(f"{name:16} {found.files:5} {len(found.lines):8} {found.digest:>13} {found.left:4} "
                       f"{found.seconds:8.1f} {found.processor:7.1f}")
    sys.exit(len(digests) != 1)


if __name__ == "__main__":
    main()
