"""Time a pipe in one process and in a process a command: ``python -m vtk.engines.pipe_bench CLIP [PIPE]``.

Runs, in turn, ``vtk pipe``, the same commands through shell pipes, and each command alone on the records of those before
it. Prints a JSON object a way: medians of seconds and CPU seconds, start of processes included, and the most memory at a
time, over all processes (PSS, MB). The last object: ``speed_up`` of one process over shell pipes, ``equal``, whether
the records are, and ``overlap``, seconds of the one process as a share of the most that bounds it: the slowest
command alone, or its CPU seconds divided among the processors.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import typer

from vtk.engines.jobs_bench import children_of, pss_of
from vtk.threads import available

PIPE = "track --detector yolox-nano --classes person | reid | draw -o {out}/seen.mp4 --overwrite --tee"
VTK = f"{shlex.quote(sys.executable)} -m vtk"


def main() -> None:
    """Parse the arguments, run all ways, print what they took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("pipe", nargs="?", default=PIPE, help="{out} stands for a scratch folder")
    parser.add_argument("--size", metavar="WxH", help="make the clip this large")
    parser.add_argument("--frames", type=int, default=0, help="repeat the clip up to so many frames")
    parser.add_argument("--turns", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vtk-pipe-bench-") as name:
        folder = Path(name)
        clip = options.clip
        if options.size or options.frames:
            clip = made(options.clip, folder / "clip.mp4", options.size, options.frames)
        report(folder, clip, options.pipe.format(out=folder), options.turns)


def made(clip: Path, path: Path, size: str | None, frames: int) -> Path:
    """Return a clip of ``frames`` frames in ``size``, of the frames of another one, again and again."""
    from vtk.media.sampling import NATIVE, Size
    from vtk.media.video import open_media
    from vtk.media.writer import VideoWriter

    reader = open_media(str(clip))
    width, height = map(int, size.split("x")) if size else (reader.info.width, reader.info.height)
    wanted = Size("exact", width, height) if size else NATIVE
    fps = reader.info.fps or 25.0
    with VideoWriter(path, width, height, fps, crf=23) as writer:
        count, least = 0, frames or 1
        while count < least:
            for frame in open_media(str(clip)).frames([wanted], lambda index, t: True):
                if frames and count == frames:
                    break
                writer.write(frame.image(wanted), count / fps)
                count += 1
    return path


def report(folder: Path, clip: Path, pipe: str, turns: int) -> None:
    """Run all ways ``turns`` times and print the medians."""
    commands = [part.strip() for part in pipe.split("|")]
    ways = {"one process": f"{VTK} pipe {shlex.quote(pipe)} {shlex.quote(str(clip))} > {folder}/fused",
            "shell pipes": " | ".join([f"{VTK} {commands[0]} {shlex.quote(str(clip))}",
                                       *(f"{VTK} {command}" for command in commands[1:])]) + f" > {folder}/piped"}
    for place, command in enumerate(commands):
        source = f"< {folder}/{place - 1}" if place else shlex.quote(str(clip))
        ways[f"{command.split()[0]} alone"] = f"{VTK} {command} {source} > {folder}/{place}"
    took: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for _ in range(turns):
        for way, line in ways.items():
            took[way].append(timed(line))
    middle = {way: {key: statistics.median(each[key] for each in runs) for key in runs[0]} for way, runs in took.items()}
    for way, figures in middle.items():
        typer.echo(json.dumps({"way": way, **{key: round(value, 2) for key, value in figures.items()}}))
    one = middle["one process"]
    slowest = max(figures["seconds"] for way, figures in middle.items() if way.endswith(" alone"))
    typer.echo(json.dumps({
        "pipe": pipe.replace(str(folder), "{out}"), "turns": turns, "processors": available(),
        "speed_up": round(middle["shell pipes"]["seconds"] / one["seconds"], 2),
        "equal": (folder / "fused").read_bytes() == (folder / "piped").read_bytes(),
        "overlap": round(one["seconds"] / max(slowest, one["cpu_seconds"] / available()), 2)}))


def timed(line: str) -> dict[str, float]:
    """Return what a shell line took: seconds, CPU seconds, and the most memory of its processes at a time in MB."""
    before, begin = os.times(), time.perf_counter()
    process = subprocess.Popen(["bash", "-eo", "pipefail", "-c", line])
    most = 0
    while process.poll() is None:
        most = max(most, sum(map(pss_of, family_of(process.pid))))
        time.sleep(0.5)  # what is asked halts the process for some milliseconds
    if process.returncode:
        raise SystemExit(f"{line}: exit code {process.returncode}, expected 0")
    seconds, after = time.perf_counter() - begin, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return {"seconds": seconds, "cpu_seconds": spent, "pss_mb": most / 1024}


def family_of(process: int) -> list[int]:
    """Return a process and all below it."""
    family = [process]
    for each in family:
        family += children_of(each)
    return family


if __name__ == "__main__":
    main()
