"""How fast the page of ``vtk report`` is made, opens and answers in Chromium: ``python -m vtk.report.page_bench``.

Prints a JSON line: seconds and MB of memory to make it of records that are made up, milliseconds from navigation until
its tables are painted (median of --turns), to search and to sort all rows, and the longest frame while it is scrolled through.
"""

from __future__ import annotations

import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from vtk.report.browser import Browser
from vtk.report.page.stage import ReportStage

FRAME_OBJECTS = 20
SOURCES = 5

# Milliseconds that a change of what is shown takes, until it is painted.
_TIMED = """(async () => {{
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const begin = performance.now();
  window.vtkReport.records.go({change});
  await painted();
  return performance.now() - begin;
}})()"""
_SCROLL = """(async () => {
  const grid = window.vtkReport.records.grid.scroll, times = [];
  for (let turn = 0; turn < 40; turn += 1) {
    const begin = performance.now();
    grid.scrollTop = (turn * 7919 * 28) % grid.scrollHeight;
    await new Promise((done) => requestAnimationFrame(done));
    times.push(performance.now() - begin);
  }
  return Math.max(...times);
})()"""


def made_up(count: int) -> Iterator[dict[str, Any]]:
    """Yield ``count`` track records of SOURCES films, and what is told of each film's tracks and end."""
    a_film, noise = count // SOURCES, random.Random(0)
    for number in range(SOURCES):
        source = f"films/{number}.mp4"
        yield {"v": 1, "type": "media", "by": "probe", "source": source, "kind": "video", "width": 1920, "height": 1080,
               "fps": 25.0}
        for row in range(a_film):
            frame, place = divmod(row, FRAME_OBJECTS)
            x, y = (round(noise.uniform(low, high), 2) for low, high in ((0, 1800), (0, 900)))
            yield {"v": 1, "type": "track", "by": "track/bench", "source": source, "frame": frame, "pts": frame * 512,
                   "t": round(frame / 25, 6), "xyxy": [x, y, round(x + 60.25, 2), round(y + 120.75, 2)],
                   "score": round(noise.uniform(0.3, 1), 4), "label": ("person", "car", "dog")[place % 3],
                   "class_id": place % 3, "track_id": place + FRAME_OBJECTS * (frame // 200)}
        for track in range(FRAME_OBJECTS * (a_film // FRAME_OBJECTS // 200 + 1)):
            start = 8.0 * (track // FRAME_OBJECTS)
            yield {"v": 1, "type": "tracklet", "by": "track/bench", "source": source, "track_id": track, "start": start,
                   "end": start + 8.0, "label": ("person", "car", "dog")[track % 3], "score": 0.7, "observations": 200,
                   "best": {"frame": int(start * 25), "xyxy": [10.0, 200.5, 70.0, 380.75]}}
        yield {"v": 1, "type": "end", "by": "track/bench", "source": source, "status": "ok", "records": a_film,
               "frames": {"decoded": a_film // FRAME_OBJECTS, "processed": a_film // FRAME_OBJECTS, "skipped": 0}}


def write_page(path: Path, count: int, rows: int = 200_000) -> float:
    """Write the page of ``count`` records, made up on the way; return the seconds that it took."""
    from vtk.driver.chain import Opening, Step
    from vtk.driver.passes import Tally, run_passes

    lines = map(orjson.dumps, made_up(count))
    stage = ReportStage(path, thumbs=0, rows=rows, overwrite=True)
    begin = time.perf_counter()
    for _ in run_passes([Step(stage)], None, iter(lambda: list(islice(lines, 1000)), []), Opening(), Tally()):
        pass
    return time.perf_counter() - begin


def run(records: Annotated[int, typer.Option(help="Track records.")] = 100_000,
        rows: Annotated[int, typer.Option(help="Of a table, at most.")] = 200_000,
        turns: Annotated[int, typer.Option(min=1, help="How often the page is opened.")] = 5) -> None:
    """Make a page of made-up records, and time it in headless Chromium."""
    with tempfile.TemporaryDirectory(prefix="vtk-page-") as folder, Browser() as browser:
        page = Path(folder) / "page.html"
        seconds = write_page(page, records, rows)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3  # KiB on Linux
        opened = [browser.open(page) for _ in range(turns)]
        search = browser.ask(_TIMED.format(change="{q: 'person score>0.9'}"))
        sort = browser.ask(_TIMED.format(change="{q: '', sort: 'score:desc'}"))
        found = {"records": records, "page_mb": round(page.stat().st_size / 1e6, 2), "make_s": round(seconds, 2),
                 "peak_mb": round(peak),
                 "open_ms": round(statistics.median(opened)), "open_ms_most": round(max(opened)),
                 "search_ms": round(search), "sort_ms": round(sort), "scroll_ms_most": round(browser.ask(_SCROLL))}
        if browser.troubles:
            typer.echo(f"page_bench: {browser.troubles}", err=True)
            sys.exit(1)
    typer.echo(orjson.dumps(found).decode())


if __name__ == "__main__":
    typer.run(run)
