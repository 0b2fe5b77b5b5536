"""Identities over the files of many runs, each of which embedded a part of the sources."""

from __future__ import annotations

from pathlib import Path

import orjson

from vtk.errors import RecordError, UsageError
from vtk.options import Common
from vtk.records import dump, parse
from vtk.reid.identity_records import Deciding, identity_records
from vtk.reid.tracklets import Store, from_record

MARK = b'"embedding"'


def finish_run(folder: Path, deciding: Deciding, common: Common) -> None:
    """Write the identities of all tracklets that the ``.jsonl`` files below ``folder`` have embeddings of.

    Raises:
        UsageError: there are no such files, or other inputs are named too.
        RecordError: a line cannot be read, or the embeddings are of two spaces; it says in which file.
    """
    from vtk.driver.run import open_output

    if common.inputs or common.files_from is not None:
        raise UsageError("--finish reads what earlier runs wrote: name no other inputs")
    store, by = gathered(folder)
    records = identity_records(store, deciding, by)
    with open_output(common) as write:
        write([dump(record) for record in records])


def gathered(folder: Path) -> tuple[Store, str]:
    """Return the tracklets in the ``.jsonl`` files below ``folder``, and their maker.

    Raises:
        UsageError: there are no such files.
        RecordError: a line cannot be read, or cannot stand beside those before.
    """
    if not folder.is_dir():
        raise UsageError(f"--finish {folder}: a folder of .jsonl files is needed, such as --out-dir makes")
    files = sorted(path for path in folder.rglob("*.jsonl") if path.is_file())
    if not files:
        raise UsageError(f"--finish {folder}: there is no .jsonl file below it")
    store, by = Store(), "reid"
    for path in files:
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
