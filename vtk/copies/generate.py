"""Make edited copies of videos and say exactly what is copied: ``python -m vtk.copies.generate OUT SOURCES…``.

OUT gets the queries (MP4, without sound) and four files. ``truth.jsonl`` holds ``copy`` records, sources and
references by file name, times in seconds. ``manifest.jsonl`` holds a line a query: its family, and each of its pieces
in order with what was done to it. ``pairs.csv`` names each query with each reference: all that are to be compared, so
that whoever scores knows which pairs hold no copy. ``sources.json`` says which sources are references, which are
strangers (shown around and behind copies and in negatives, never copied from, so they do not belong into a library),
and which were left out and why. The same seed and sources make the same queries.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

import numpy as np

from vtk.copies.plans import SHORTEST, Plan, Source, drawn
from vtk.copies.rendering import render, row_of, truth_of
from vtk.errors import EXIT_NOTHING, EXIT_OK, EXIT_PARTIAL, MediaError, UsageError, VtkError
from vtk.media.names import source_name
from vtk.media.video import open_media
from vtk.records import dump

TRUTH, MANIFEST, PAIRS, SOURCES = "truth.jsonl", "manifest.jsonl", "pairs.csv", "sources.json"
_STRANGERS = 0.3  # share of the sources that nothing is copied from, where they are not named

Note = Callable[[str], None]


def probed(path: str) -> Source:
    """Return what is known of a video.

    Raises:
        MediaError: it cannot be read, is no video, or is shorter than a piece.
    """
    with closing(open_media(path)) as reader:
        info = reader.info
        seconds = info.duration or (info.frames / info.fps if info.frames and info.fps else None)
        if info.kind != "video" or not info.fps:
            raise MediaError(f"is of kind {info.kind}, a video file is needed", code="E_OPEN")
        if seconds is None:
            seconds = max((frame.t for frame in reader.frames([], lambda index, t: True)), default=0.0) + 1 / info.fps
    if seconds < SHORTEST:
        raise MediaError(f"lasts {seconds:.2f} s, {SHORTEST:g} s are needed", code="E_OPEN")
    return Source(source_name(os.path.basename(path)), path, info.width, info.height, info.fps, float(seconds))


def gathered(names: Iterable[str], left_out: Mapping[str, str], note: Note) -> tuple[list[Source], dict[str, str]]:
    """Return the videos among files and in folders, and why others were left out; ``note`` gets a line for each.

    Args:
        left_out: file name → why it is not wanted.

    Raises:
        UsageError: two files have one name, so that the truth could not tell them apart.
    """
    found: dict[str, Source] = {}
    why: dict[str, str] = {}
    for path in dict.fromkeys(_files(names)):
        try:
            if os.path.basename(path) in left_out:
                raise MediaError(left_out[os.path.basename(path)])
            source = probed(path)
        except MediaError as error:
            why[path] = str(error)
            note(f"{source_name(path)} left out: {error}")
            continue
        before = found.setdefault(source.name, source)
        if os.path.realpath(before.path) != os.path.realpath(path):
            raise UsageError(f"{before.path} and {path} have one name: rename one, the truth names files by it")
    return [found[name] for name in sorted(found)], why


def divided(sources: Sequence[Source], seed: int, strange: Collection[str] = ()) -> tuple[list[Source], list[Source]]:
    """Return references and strangers: those of the names ``strange``, or else some that are drawn.

    Raises:
        UsageError: one of both would be empty.
    """
    if not strange:
        order = np.random.default_rng([seed, len(sources)]).permutation(len(sources))
        strange = {sources[at].name for at in order[:max(1, round(_STRANGERS * len(sources)))]}
    references = [source for source in sources if source.name not in strange]
    strangers = [source for source in sources if source.name in strange]
    if not references or not strangers:
        raise UsageError(f"got {len(references)} videos to copy from and {len(strangers)} that are not copied: "
                         "one of each is needed")
    return references, strangers


def generate(out: Path, plans: Iterable[Plan], references: Sequence[Source], note: Note) -> tuple[int, int]:
    """Write each plan's query into ``out``, and what is true of it; return how many came and how many failed.

    A query whose sources cannot be read any more, or that cannot be written, is left out, and ``note`` gets a line.
    """
    made = failed = 0
    with _written(out / TRUTH) as truth, _written(out / MANIFEST) as manifest, _written(out / PAIRS) as pairs:
        table = csv.writer(pairs, lineterminator="\n")
        table.writerow(("query_id", "reference_id"))
        for plan in plans:
            try:
                spans = render(plan, out / plan.name)
            except MediaError as error:
                note(f"{plan.name} left out: {error}")
                failed += 1
                continue
            truth.writelines(dump(record).decode() + "\n" for record in truth_of(plan, spans))
            manifest.write(dump(row_of(plan, spans)).decode() + "\n")
            table.writerows((plan.name, reference.name) for reference in references)
            made += 1
    return made, failed


def main(argv: Sequence[str] | None = None) -> int:
    """Write the queries; return 0, 1 where one was left out, 3 where none came."""
    options = _parser().parse_args(argv)
    try:
        _check(options)
        duplicates = _duplicates(options.pairs)
        sources, why = gathered([*options.sources, *options.strangers], duplicates, _note)
        strange = {source_name(os.path.basename(path)) for path in _files(options.strangers)}
        references, strangers = divided(sources, options.seed, strange)
        Path(options.out).mkdir(parents=True, exist_ok=True)
        listing = {"references": [source_name(each.path) for each in references],
                   "strangers": [source_name(each.path) for each in strangers],
                   "left_out": {source_name(path): reason for path, reason in why.items()}}
        Path(options.out, SOURCES).write_text(json.dumps(listing, indent=1) + "\n", "utf-8")
        plans = (drawn(index, options.seed, references, strangers, options.longest, options.long_side)
                 for index in range(options.queries))
        made, failed = generate(Path(options.out), plans, references, _note)
    except VtkError as error:
        _note(str(error))
        return error.exit_code
    except OSError as error:
        _note(f"{options.out} cannot be written: {error.strerror}")
        return EXIT_PARTIAL
    return EXIT_NOTHING if not made else EXIT_PARTIAL if failed else EXIT_OK


def _check(options: argparse.Namespace) -> None:
    """Raise UsageError for a number that no set can be made with."""
    for name, least in (("queries", 1), ("seed", 0), ("longest", SHORTEST), ("long_side", 16)):
        if not least <= (value := getattr(options, name)) < float("inf"):
            raise UsageError(f"--{name.replace('_', '-')} is {value}: {least:g} or more is needed")


def _files(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        if os.path.isdir(name):
            yield from sorted(entry.path for entry in os.scandir(name) if entry.is_file())
        else:
            yield name


def _duplicates(path: str | None) -> dict[str, str]:
    """Return file name → why it is left out, for each video that a list of pairs says to show another one."""
    if path is None:
        return {}
    try:
        pairs = json.loads(Path(path).read_bytes())["pairs"]
        return {os.path.basename(pair["query"]): f"shows what {pair['reference']} shows" for pair in pairs}
    except OSError as error:
        raise UsageError(f"--pairs {path} cannot be read: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--pairs {path} is no list of pairs ({error!r}): "
                         '{"pairs": [{"query": FILE, "reference": FILE}]} is needed') from None


@contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """Open a file to write, whole under its name only at the end."""
    part = path.with_name(path.name + ".part")
    with part.open("w", encoding="utf-8", newline="") as file:
        yield file
    part.replace(path)


def _note(line: str) -> None:
    sys.stderr.write(f"vtk.copies.generate: {line}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.generate", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", help="folder for the queries and what is true of them")
    parser.add_argument("sources", nargs="+", help="videos, or folders of them")
    parser.add_argument("--queries", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes another set (default: %(default)s)")
    parser.add_argument("--strangers", nargs="+", default=[], metavar="VIDEO", help="videos or folders that nothing is "
                        "copied from; by default three in ten of the sources, one at least")
    parser.add_argument("--pairs", metavar="JSON", help="which sources show the same: {\"pairs\": [{\"query\": FILE, "
                        "\"reference\": FILE}]}; each query file is left out")
    parser.add_argument("--longest", type=float, default=12.0, help="seconds of a source in one piece (default: 12)")
    parser.add_argument("--long-side", type=int, default=640, help="of a query, in pixels, at most (default: 640)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
