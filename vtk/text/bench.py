"""Find and read text against rapidocr, in turns in one process: ``python -m vtk.text.bench images|video``.

    images IMAGES [TRANSCRIPTS] a folder of pictures with MMOCR's textdet_test.json, and what stands there; without
                                TRANSCRIPTS a folder of pictures with ICDAR's gt_NAME.txt beside each
    video CLIP                  a clip, and beside it CLIP_gt.json with its lines (or --truth FILE)

images: every contestant has each picture --turns times after one that is not timed, one contestant after the other;
those at rapidocr's defaults once. ``words`` says how many readable words were read: the prediction whose polygon covers
the word's centre contains it, letters and digits alone, whatever their case. ``P R Hmean`` are found and ``E2E`` found
and read by ICDAR 2015's protocol: overlap at least 0.5, don't-cares left out, words of three letters or more; once of
the words that each contestant splits its lines into, once of the lines, since truth is words and both find lines.
The last line says how many transcripts of our fp32 are lost by what the CPU computes in by itself, bf16 where it has
it.

video: ``vtk spot-text CLIP`` as a process with its start-up, against rapidocr on --frames sampled frames without
loading it, extrapolated to all; in turns. CER is of the voted transcripts against the truth's lines; ``covered`` the
share of all frames that a line's track spans, ``seen`` of those in which it was.

rapidocr's engine onnxruntime is no dependency. It is looked for after vtk's own packages in the folder that --packages
names, into which it gets by ``pip install --no-deps --target FOLDER onnxruntime flatbuffers protobuf packaging``.

Prints a table. Ratios are those of medians, and above 1 where we are faster.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vtk.export.icdar import TextRows
from vtk.export.icdar_images import read_image_list, read_json, rows_of_mmocr
from vtk.media.video import open_media
from vtk.metrics.polygons import overlap_of_pairs
from vtk.metrics.text import IMAGE, Texts, combine_texts, edits_between, score_texts, spelled
from vtk.text.rivals import Page, Piece, Spot, contestants

DEFAULTS = "defaults"  # in the name of a contestant that is too slow for several turns


def picture(path: Path) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 RGB."""
    import cv2

    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise FileNotFoundError(f"{path}: no picture that OpenCV reads")
    return np.ascontiguousarray(image[:, :, ::-1])


def truth_of(folder: Path, transcripts: Path | None = None) -> dict[str, tuple[np.ndarray, TextRows]]:
    """Return the pictures of a folder and what stands in each, by name."""
    if transcripts is None:
        lists = sorted(folder.glob("gt_*.txt"))
        if not lists:
            raise FileNotFoundError(f"{folder}: found no gt_NAME.txt there, and no TRANSCRIPTS were given")
        names = {path: path.stem.removeprefix("gt_") for path in lists}
        files = {path.stem: path for path in folder.iterdir() if path.suffix != ".txt"}
        return {files[name].name: (picture(files[name]), read_image_list(path)) for path, name in names.items()}
    labels = folder / "textdet_test.json"
    rows = rows_of_mmocr(read_json(labels), str(labels), read_json(transcripts))
    files = {path.name: path for path in folder.rglob("*") if path.is_file()}
    return {Path(name).name: (picture(files[Path(name).name]), rows[name]) for name in rows}


def words_read(rows: TextRows, lines: Sequence[Piece]) -> tuple[int, int]:
    """Return how many readable words of a picture were read, and how many there are."""
    import cv2

    words = [(polygon.mean(axis=0), spelled(text))
             for polygon, text, ignored in zip(rows.polygon, rows.text, rows.ignored, strict=True) if not ignored]
    read = [any(word in spelled(line.text) and
                cv2.pointPolygonTest(line.quad.astype(np.float32), tuple(map(float, centre)), False) >= 0
                for line in lines) for centre, word in words if word]
    return sum(read), len(read)


def figures_of(truth: Sequence[TextRows], found: Sequence[Sequence[Piece]]) -> dict[str, float | int]:
    """Return P, R and Hmean of pictures, found and end to end, in percent."""
    scores = []
    for rows, pieces in zip(truth, found, strict=True):
        known = Texts(np.ones(len(rows.id), np.int64), np.arange(len(rows.id)), rows.polygon, rows.text)
        own = Texts(np.ones(len(pieces), np.int64), np.arange(len(pieces)),
                    [piece.quad.astype(np.float64) for piece in pieces], [piece.text for piece in pieces])
        scores.append(score_texts(known, np.array(rows.ignored, dtype=bool), own, IMAGE))
    return combine_texts(scores).figures()


def differing(pages: Sequence[Page], others: Sequence[Page]) -> tuple[int, int]:
    """Return how many lines of ``others`` have no line with their text where they stand in ``pages``; of how many."""
    differ = 0
    for page, other in zip(pages, others, strict=True):
        for line in other.lines:
            quads = [mine.quad.astype(np.float64) for mine in page.lines if mine.text == line.text]
            same = overlap_of_pairs(quads, [line.quad.astype(np.float64)], np.arange(len(quads)),
                                    np.zeros(len(quads), np.int64), "union") if quads else np.zeros(0)
            differ += not (same >= 0.5).any()
    return differ, sum(len(other.lines) for other in others)


def images(folder: Path, transcripts: Path | None, long_side: int, turns: int, packages: str | None) -> Iterator[str]:
    """Yield the lines of the table of pictures."""
    given = truth_of(folder, transcripts)
    spots: dict[str, Spot] = {name: load() for name, load in contestants(long_side, packages)}
    pages: dict[str, list[Page]] = {name: [] for name in spots}
    taken: dict[str, list[list[float]]] = {name: [] for name in spots}
    for image, _ in given.values():
        for name, spot in spots.items():
            pages[name].append(spot(image))  # not timed: shapes are compiled
            taken[name].append([])
        for turn in range(turns):
            for name, spot in spots.items():
                if turn == 0 or DEFAULTS not in name:
                    taken[name][-1].append(_seconds(spot, image))
    rows = [rows for _, rows in given.values()]
    ours = next(iter(spots))
    cost = {name: 1e3 * statistics.mean(map(statistics.median, times)) for name, times in taken.items()}
    yield f"{'':32}    ms  x ours  words   E2E Hmean of words  of lines   P R Hmean of words"
    for name in spots:
        read = [words_read(truth, page.lines) for truth, page in zip(rows, pages[name], strict=True)]
        words, lines = (figures_of(rows, [getattr(page, kind) for page in pages[name]]) for kind in ("words", "lines"))
        yield (f"{name:32}{cost[name]:6.1f}  {cost[name] / cost[ours]:6.2f}  {sum(a for a, _ in read):2}/"
               f"{sum(b for _, b in read):2}   {words['E2E_Hmean']:18.1f}  {lines['E2E_Hmean']:8.1f}   "
               f"{words['P']:.1f} {words['R']:.1f} {words['Hmean']:.1f}")
    exact = next(name for name in spots if "fp32" in name)
    differ, among = differing(pages[ours], pages[exact])
    yield f"transcripts of {exact} that {ours} has not: {differ} of {among}"


def video(clip: Path, truth: Path, long_side: int, turns: int, frames: int, packages: str | None) -> Iterator[str]:
    """Yield the lines of the table of a clip."""
    data = read_json(truth)
    seconds = data["frames"] / data["fps"]
    sampled = list(_sampled(clip, data["frames"], frames))
    spots = {name: load() for name, load in contestants(long_side, packages) if name.startswith("rapidocr")}
    for spot in spots.values():
        spot(sampled[0])
    ours: list[float] = []
    others: dict[str, list[float]] = {name: [] for name in spots}
    for turn in range(turns):
        begin = time.perf_counter()
        records = _spot_text(clip, long_side)
        ours.append(time.perf_counter() - begin)
        for name, spot in spots.items():
            others[name] += [_seconds(spot, image) for image in sampled[turn::turns]]
    own = statistics.median(ours)
    yield f"{'vtk spot-text, whole process':36}{own:8.1f} s   {seconds / own:.2f} x real time"
    for name, times in others.items():
        whole = statistics.mean(times) * data["frames"]
        yield f"{name:36}{whole:8.1f} s   {whole / own:.1f} x ours, from {len(times)} frames"
    yield from _tracks(records, data)
    texts = {precision: [each["text"] for each in _spot_text(clip, long_side, "--precision", precision)
                         if each["type"] == "text_track"] for precision in ("fp32", "bf16")}
    same = sum((Counter(texts["fp32"]) & Counter(texts["bf16"])).values())
    yield f"transcripts of tracks that bf16 changes: {len(texts['fp32']) - same} of {len(texts['fp32'])}"


def _tracks(records: Sequence[dict[str, Any]], data: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each text track: what it says, how far off, and when it was there."""
    edits = characters = 0
    for track in (record for record in records if record["type"] == "text_track"):
        best = min((edits_between(line["text"], track["text"]) for line in data["lines"]),
                   key=lambda each: each.character_edits / each.characters)
        edits, characters = edits + best.character_edits, characters + best.characters
        seen = sum(record["type"] == "text" and record.get("track_id") == track["track_id"] for record in records)
        yield (f"  track {track['track_id']}  {track['text']!r}  covered "
               f"{100 * (track['end_frame'] - track['start_frame']) / data['frames']:.1f} %, seen "
               f"{100 * seen / data['frames']:.1f} %")
    yield f"CER {100 * edits / max(characters, 1):.1f} % over them; the truth has {len(data['lines'])} lines"


def _spot_text(clip: Path, long_side: int, *options: str) -> list[dict[str, Any]]:
    """Return the records that ``vtk spot-text`` writes of a clip."""
    command = [sys.executable, "-m", "vtk", "spot-text", str(clip), "--long-side", str(long_side), *options]
    done = subprocess.run(command, capture_output=True, check=True)
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def _sampled(clip: Path, frames: int, count: int) -> Iterator[np.ndarray]:
    """Yield ``count`` pictures of a clip, evenly over it."""
    reader = open_media(str(clip))
    size = reader.info.width, reader.info.height
    from vtk.media.sampling import Size

    wanted = Size("exact", *size)
    chosen = set(np.linspace(0, frames - 1, count).astype(int).tolist())
    for decoded in reader.frames([wanted], lambda index, t: index in chosen):
        yield decoded.image(wanted).copy()
    reader.close()


def _seconds(spot: Spot, image: np.ndarray) -> float:
    begin = time.perf_counter()
    spot(image)
    return time.perf_counter() - begin


def main(argv: Sequence[str] | None = None) -> int:
    """Write the table that was asked for."""
    options = _options(argv)
    if options.what == "images":
        lines = images(options.images, options.transcripts, options.long_side, options.turns, options.packages)
    else:
        truth = options.truth or options.clip.with_name(f"{options.clip.stem}_gt.json")
        lines = video(options.clip, truth, options.long_side, options.turns, options.frames, options.packages)
    for line in lines:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(prog="python -m vtk.text.bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="what", required=True)
    still, moving = kinds.add_parser("images"), kinds.add_parser("video")
    still.add_argument("images", type=Path)
    still.add_argument("transcripts", type=Path, nargs="?")
    moving.add_argument("clip", type=Path)
    moving.add_argument("--truth", type=Path, help="JSON of frames, fps and lines (default: CLIP_gt.json)")
    moving.add_argument("--frames", type=int, default=30, help="sampled for rapidocr (default: %(default)s)")
    for kind in (still, moving):
        kind.add_argument("--long-side", type=int, default=640, help="in pixels (default: %(default)s)")
        kind.add_argument("--turns", type=int, default=3, help="timed (default: %(default)s)")
        kind.add_argument("--packages", metavar="FOLDER", help="where else onnxruntime is looked for")
    options = parser.parse_args(argv)
    if min(options.long_side, options.turns, getattr(options, "frames", 1)) < 1:
        parser.error("--long-side, --turns and --frames must be above 0")
    return options


if __name__ == "__main__":
    sys.exit(main())
