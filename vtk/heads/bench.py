"""What heads are worth with few pictures, and what views cost: ``python -m vtk.heads.bench shots|views LABELS``."""

from __future__ import annotations

import json
import statistics
import time
from itertools import accumulate
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vtk.driver.progress import counted
from vtk.heads.checking import figures
from vtk.heads.features import AT_ONCE, Features, averaged, load_features
from vtk.heads.fitting import Fit, fit_head
from vtk.heads.labelled import Labelled
from vtk.heads.running import Source, parts
from vtk.media.image import load
from vtk.models.views import VIEWS

app = typer.Typer(add_completion=False, rich_markup_mode=None)
# Views that are averaged, cheap ones first.
SETS = (("whole",), ("centre",), ("flips",), ("quadrants",), ("whole", "flips"), ("whole", "flips", "centre"),
        ("whole", "quadrants"), ("whole", "flips", "centre", "quadrants"), ("scales",), ("whole", "scales"))
# Pictures that are timed, and the times that each is, in turn; the median counts.
TIMED, TURNS = 32, 5

Labels = Annotated[Path, typer.Argument(help="As vtk scene fit-head takes it.")]
Part = Annotated[str, typer.Option(help="Fit on this part.")]
Check = Annotated[str, typer.Option(help="Check on this part.")]
Where = Annotated[list[str] | None, typer.Option(help="Take only rows with COLUMN=VALUE.")]
FitWhere = Annotated[list[str] | None, typer.Option(help="The same, for the rows that are fitted on alone.")]
Network = Annotated[str, typer.Option("--features", help="As vtk scene fit-head has it.")]


@app.command()
def shots(labels: Labels, part: Part = "train", check: Check = "test", where: Where = None,
          network: Network = "mobilenet", views: Annotated[str, typer.Option(help="As vtk scene.")] = "whole",
          counts: Annotated[str, typer.Option("--shots", help="Pictures of each label, comma-separated.")] = "1,5",
          draws: Annotated[int, typer.Option(min=2, help="Times that they are drawn.")] = 20,
          seed: Annotated[int, typer.Option(help="Of the draws.")] = 0) -> None:
    """Say what top-1 is with few pictures of each label, mean and standard deviation over draws, and with all.

    Beside the head, the class whose mean vector is nearest: what a head has to beat.
    """
    features = load_features(network, views=views.split(","))
    fitted, checked = parts(Source(labels, where=tuple(where or ())), part, check)
    vectors, others = _vectors(features, fitted), _vectors(features, checked)
    names, other_names = (np.array([each.label for each in some], object) for some in (fitted, checked))
    said = {"features": features.space, "views": views, "labels": len(set(names)), "checked": len(checked)}
    random = np.random.default_rng(seed)
    for count in [*map(int, counts.split(",")), None]:
        heads, means = [], []
        for _ in range(draws if count else 1):
            rows = _drawn(names, count, random)
            head = fit_head(vectors[rows], names[rows].tolist(), features, Fit())
            heads.append(figures(head, others, other_names.tolist())[0]["top1"])
            means.append(_nearest_mean(vectors[rows], names[rows], others, other_names))
        print(json.dumps({**said, "shots": count or "all", "draws": len(heads), "head": _spread(heads),
                          "nearest mean": _spread(means)}))


@app.command("views")
def compare_views(labels: Labels, part: Part = "train", check: Check = "test", where: Where = None,
                  fit_where: FitWhere = None, network: Network = "mobilenet") -> None:
    """Say what each choice of views is worth and what it costs: top-1, and pictures a second, read and decoded before.

    Each picture is looked at once for all choices; times are of pictures on their own, in turns.
    """
    everything = load_features(network, views=tuple(VIEWS))
    fitted, checked = parts(Source(labels, None, tuple(where or ()), tuple(fit_where or ())), part, check)
    looks, others = _looks(everything, fitted), _looks(everything, checked)
    images = [load(str(each.path))[0] for each in checked[:TIMED]]
    times: dict[tuple[str, ...], list[float]] = {views: [] for views in SETS}
    for turn in range(TURNS + 1):
        for views in SETS:
            begin = time.perf_counter()
            Features(everything.embedder, views).vectors(images)
            if turn:  # the first is to get warm
                times[views].append(time.perf_counter() - begin)
    lengths = [len(VIEWS[view](images[0])) for view in VIEWS]
    ends = dict(zip(VIEWS, accumulate(lengths), strict=True))
    for views in SETS:
        columns = [column for view in views for column in range(ends[view] - len(VIEWS[view](images[0])), ends[view])]
        head = fit_head(averaged(looks[:, columns]), [each.label for each in fitted],
                        Features(everything.embedder, views), Fit())
        found = figures(head, averaged(others[:, columns]), [each.label for each in checked])[0]
        print(json.dumps({"views": ",".join(views), "looks": len(columns), "fitted": len(fitted),
                          "checked": len(checked), **{key: round(found[key], 3) for key in ("top1", "NLL")},
                          "pictures/s": round(len(images) / statistics.median(times[views]), 1)}))


def _looks(features: Features, pictures: list[Labelled]) -> np.ndarray:
    made = []
    with counted(len(pictures), "picture", False) as heard:
        for start in range(0, len(pictures), AT_ONCE):
            some = [load(str(each.path))[0] for each in pictures[start:start + AT_ONCE]]
            made.append(features.looks(some))
            heard(len(some))
    return np.concatenate(made)


def _vectors(features: Features, pictures: list[Labelled]) -> np.ndarray:
    with counted(len(pictures), "picture", False) as heard:
        return features.of(pictures, heard)


def _drawn(names: np.ndarray, count: int | None, random: np.random.Generator) -> np.ndarray:
    """Return the rows (M,) of ``count`` pictures of each label, drawn; of all where it is None."""
    if count is None:
        return np.arange(len(names))
    groups = [np.flatnonzero(names == name) for name in sorted(set(names))]
    return np.concatenate([random.choice(group, min(count, len(group)), replace=False) for group in groups])


def _nearest_mean(vectors: np.ndarray, names: np.ndarray, others: np.ndarray, true: np.ndarray) -> float:
    """Return the percentage of ``others`` (M, D) to which, by cosine, their label's mean of ``vectors`` is nearest."""
    labels = sorted(set(names))
    means = averaged(np.stack([vectors[names == label].mean(axis=0, keepdims=True) for label in labels]))
    return 100 * float(np.mean(np.array(labels, object)[(others @ means.T).argmax(axis=1)] == true))


def _spread(values: list[float]) -> list[float]:
    """Return mean and standard deviation of a sample; of one value the mean alone."""
    return [round(statistics.mean(values), 2), *([round(statistics.stdev(values), 2)] if len(values) > 1 else [])]


if __name__ == "__main__":
    app()
