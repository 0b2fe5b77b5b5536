"""What re-identification is worth and what it costs: ``python -m vtk.reid.bench halves|rate …``."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from vtk.driver.run import run
from vtk.driver.stage import Frame
from vtk.export.mot import read_mot
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import open_media
from vtk.metrics.retrieval import b_cubed
from vtk.models import zoo
from vtk.models.embedder import load_embedder
from vtk.records import Record, make
from vtk.reid.identity_records import Deciding
from vtk.reid.stage import CROPS, DEFAULT, Plan, ReidStage, State
from vtk.tracking import TrackStage

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# Times that each is timed, in turn; the median counts.
TURNS = 5


@app.command()
def halves(
    video: Annotated[Path, typer.Argument(help="A video.")],
    truth: Annotated[Path, typer.Argument(help="Its ground truth, a MOT file: who is where.")],
    models: Annotated[str, typer.Option("--model", help="Embedders, comma-separated.")] = DEFAULT,
    threshold: Annotated[float | None, typer.Option(help="Instead of the model's own.")] = None,
    same: Annotated[str, typer.Option(help="Ids that are one person, such as 5,9 1,19: a MOT file gives another id to "
                                           "whoever comes back.")] = "",
) -> None:
    """Cut a video in two and say how well people are found again in the other half, by B-cubed precision, recall, F.

    Tracks are the ground truth's, so that what is measured is who is who. With and without the constraint that two
    tracks of one half at one time are two people.
    """
    person = {int(number): group.split(",")[0] for group in same.split() for number in group.split(",")}
    with tempfile.TemporaryDirectory() as folder:
        records, known = in_halves(video, truth, Path(folder))
        for model in models.split(","):
            for overlap in (True, False):
                stage = ReidStage(model, plan=Plan(classes=()), deciding=Deciding(threshold, overlap=overlap))
                found = {(record["source"], record["track_id"]): record["identity"]
                         for record in run([stage], records=records) if record["type"] == "identity"}
                groups = np.array([found[key] for key in sorted(found)])
                people = np.array([int(person.get(key[1], key[1])) for key in sorted(found)])
                score = b_cubed(groups, people)
                print(json.dumps({
                    "model": model, "video": video.name, "constraint": overlap, "tracklets": len(found),
                    "people": len(set(people.tolist())), "identities": len(set(groups.tolist())),
                    "missing": len(known) - len(found), "precision": round(100 * score[0], 1),
                    "recall": round(100 * score[1], 1), "F": round(100 * score[2], 1)}))


def in_halves(video: Path, truth: Path, folder: Path) -> tuple[list[Record], set[tuple[str, int]]]:
    """Return the ``track`` records of two sources, each of which shows a half of ``video``, and their keys.

    Both are the same file by two names, so that no picture is encoded again; a track's id is the person.
    """
    tracks = true_tracks(video, truth)
    middle = (tracks[-1]["frame"] + 1) // 2
    links = [folder / f"half{half}{video.suffix}" for half in (1, 2)]
    for link in links:
        link.symlink_to(video.resolve())
    for track in tracks:
        track["source"] = str(links[track["frame"] >= middle])
    return tracks, {(track["source"], track["track_id"]) for track in tracks}


def true_tracks(video: Path, truth: Path) -> list[Record]:
    """Return ``track`` records of the rows of a MOT file, by frame and id; they name no class."""
    rows = read_mot(truth)
    reader = open_media(str(video))
    fps = reader.info.fps or 25.0
    reader.close()
    boxes = np.concatenate([rows.xywh[:, :2], rows.xywh[:, :2] + rows.xywh[:, 2:]], axis=1)
    return [make("track", "import/mot", str(video), frame=frame, t=round(frame / fps, 6), track_id=int(rows.id[row]),
                 xyxy=boxes[row].round(2).tolist(), score=1.0)
            for row in np.lexsort((rows.id, rows.frame)).tolist() for frame in (int(rows.frame[row]) - 1,)]


class _Timed(ReidStage):
    """The stage with a clock that stands still while a frame is converted."""

    spent = 0.0

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Look at frames as the stage does, without the time of their conversion."""
        def convert(make: Callable[[Size], np.ndarray]) -> Callable[[Size], np.ndarray]:
            def timed(size: Size) -> np.ndarray:
                begin = time.perf_counter()
                try:
                    return make(size)
                finally:
                    self.spent -= time.perf_counter() - begin
            return timed

        given = [replace(frame, convert=convert(frame.convert)) if frame.convert is not None else frame
                 for frame in batch]
        begin = time.perf_counter()
        try:
            return super().frames(state, given)
        finally:
            self.spent += time.perf_counter() - begin

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """End a source as the stage does."""
        begin = time.perf_counter()
        try:
            return super().end(state, ok)
        finally:
            self.spent += time.perf_counter() - begin


@app.command()
def rate(
    clip: Annotated[Path, typer.Argument(help="A video with people, or a folder of crops.")],
    truth: Annotated[Path | None, typer.Argument(help="A MOT file with its tracks; else they are found.")] = None,
    model: Annotated[str, typer.Option(help="The embedder.")] = DEFAULT,
    detector: Annotated[str, typer.Option(help="What finds the tracks where none are given.")] = "motion",
    crops: Annotated[int, typer.Option("--crops-per-track", help="As vtk reid has it.")] = CROPS,
) -> None:
    """Say how many crops a second the stage embeds, and how many its model does alone, in turns in one run.

    The model gets crops that fit it already. The stage chooses, cuts, fits and embeds; ``run`` is what a user waits for:
    the stage, and the reading, decoding and writing around it.
    """
    embedder, takes = load_embedder(model, "reid"), zoo.get(model, "reid").input
    fitting = [cv2.resize(crop, (takes.width, takes.height)) for crop in _crops(clip)]
    feed = _feed(clip, truth, detector)
    times: dict[str, list[float]] = {"model": [], "stage": [], "run": []}
    for turn in range(TURNS + 1):
        stage = _Timed(model, plan=Plan(crops, classes=(), images=clip.is_dir(), embed_only=True))
        stage.prepare("records")
        begin = time.perf_counter()
        count = sum(record.get("crops", 0) for record in run([stage], **feed))
        whole = time.perf_counter() - begin
        begin = time.perf_counter()
        for index in range(count):
            embedder.embed([fitting[index % len(fitting)]])
        if turn:  # the first one is to get warm
            for name, spent in (("model", time.perf_counter() - begin), ("stage", stage.spent), ("run", whole)):
                times[name].append(spent)
    middle = {name: statistics.median(spent) for name, spent in times.items()}
    ratio = statistics.median(model / stage for model, stage in zip(times["model"], times["stage"], strict=True))
    print(json.dumps({"model": model, "clip": clip.name, "crops": count, "precision": embedder.precision,
                      **{f"{name} crops/s": round(count / spent, 1) for name, spent in middle.items()},
                      "stage to model": round(ratio, 3)}))


def _feed(clip: Path, truth: Path | None, detector: str) -> dict[str, Any]:
    """Return what ``run`` gets: the tracks of a video, or the images of a folder."""
    if clip.is_dir():
        return {"sources": [str(path) for path in sorted(clip.iterdir()) if path.suffix.lower() in (".png", ".jpg")]}
    if truth is None:
        return {"records": list(run([TrackStage(detector=detector)], sources=[str(clip)]))}
    return {"records": true_tracks(clip, truth)}


def _crops(clip: Path) -> Iterator[np.ndarray]:
    """Yield pictures to embed, (h, w, 3) uint8 RGB: what they show does not matter for the time that it takes."""
    if clip.is_dir():
        for path in sorted(clip.iterdir())[:32]:
            reader = open_media(str(path))
            yield from (frame.image(NATIVE) for frame in reader.at([0], [NATIVE]))
            reader.close()
        return
    reader = open_media(str(clip))
    yield from (frame.image(NATIVE)[100:356, 100:228] for frame in reader.at(range(0, 32), [NATIVE]))
    reader.close()


if __name__ == "__main__":
    app()
