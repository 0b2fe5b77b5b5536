"""Identities over the files of many runs, each of which embedded a part of the sources."""

from __future__ import annotations

from pathlib import Path

import orjson

from vtk.driver.late import announcement, conclusion
from vtk.errors import RecordError, UsageError
from vtk.options import Common
from vtk.records import dump, parse
from vtk.reid.identity_records import Deciding, identity_records
from vtk.reid.people import check_gallery
from vtk.reid.tracklets import Store, from_record

MARK = b'"embedding"'
LATE = ("identity",)
# Shared options that say which sources are worked on, how, and where records of a source go: here there are none.
OF_SOURCES = ("inputs", "files_from", "root", "shard", "jobs", "out_dir", "resume", "every", "fps", "start", "end",
              "limit", "framerate")


def finish_run(folder: Path, deciding: Deciding, common: Common) -> str:
    """Write the identities of all tracklets that the ``.jsonl`` files below ``folder`` have embeddings of.

    ``run`` records stand around them as around those of a run over the sources, so that tracks may follow them in a
    pipe to what draws and shows people.

    Returns:
        What the user should know besides: what would be done, or that there was nothing to do; else nothing.

    Raises:
        UsageError: there are no such files, or options are given that are of a run over sources.
        RecordError: a line cannot be read, or the embeddings are of two spaces; it says in which file.
    """
    from vtk.driver.run import open_output

    _check(common)
    if common.dry_run:
        if deciding.gallery is not None:
            check_gallery(deciding.gallery)
        return f"{len(files_below(folder))} files below {folder} -> {common.output or 'stdout'}"
    with open_output(common) as write:
        store, by = gathered(folder)
        if not len(store):
            return f"vtk reid: no embedding of a track in the .jsonl files below {folder}: --embed-only writes them"
        records = identity_records(store, deciding, by)
        write([dump(record) for record in (announcement(by, LATE), *records, conclusion(by, LATE, records))])
    return ""


def _check(common: Common) -> None:
    """Raise UsageError where an option is given that would do nothing."""
    plain = Common()
    for option in OF_SOURCES:
        if getattr(common, option) != getattr(plain, option):
            what = ("name no other inputs" if option in ("inputs", "files_from")
                    else f"--{option.replace('_', '-')} does not go with it")
            raise UsageError(f"--finish reads what earlier runs wrote: {what}")


def gathered(folder: Path) -> tuple[Store, str]:
    """Return the tracklets in the ``.jsonl`` files below ``folder``, and their maker.

    Raises:
        UsageError: there are no such files.
        RecordError: a line cannot be read, or cannot stand beside those before.
    """
    store, by = Store(), "reid"
    for path in files_below(folder):
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if MARK not in line:
                    continue
                try:
                    record = parse(line)
                    if record["type"] == "embedding" and "track_id" in record:
                        store.add(from_record(record))
                        by = record["by"]
                except (RecordError, orjson.JSONDecodeError) as error:
                    raise RecordError(f"{path}, line {number}: {error}") from None
    return store, by


def files_below(folder: Path) -> list[Path]:
    """Return the ``.jsonl`` files below ``folder``, by name.

    Raises:
        UsageError: there are none.
    """
    if not folder.is_dir():
        raise UsageError(f"--finish {folder}: a folder of .jsonl files is needed, such as --out-dir makes")
    files = sorted(path for path in folder.rglob("*.jsonl") if path.is_file())
    if not files:
        raise UsageError(f"--finish {folder}: there is no .jsonl file below it")
    return files
