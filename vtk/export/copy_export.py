"""Copy records as VCSL's JSON or VSC's csv: one file of a whole run, whichever sources it had."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vtk.evaluation.copy_lanes import CopyLanes, naming
from vtk.export.copies import CopyRows, vcsl_lines, vsc_lines

_LINES = {"vcsl": vcsl_lines, "vsc": vsc_lines}


def export_copies(form: str, names: Sequence[str], maker: str, note: Callable[[str], None]) -> tuple[list[bytes], bool]:
    """Return the lines of a file of the copies in record files, and whether every line of these could be used.

    Videos are called by the shortest name that tells them apart: film for a/film.mp4, film.mp4 where there is also a
    film.mkv, else as they were typed.

    Args:
        form: ``vcsl`` or ``vsc``.
        names: files of records; ``-`` or none is stdin.
        maker: write the copies of this maker (``by``) alone; empty: of the only one that there is.
        note: is told of lines that cannot be used, and of sources that a command did not finish.

    Raises:
        UsageError: a file cannot be read, there are no copies among the records, or several makers' and none chosen.
        RecordError: there are lines, and not one is a record.
    """
    lanes = CopyLanes(maker or None)
    for name in names or [None]:
        lanes.read(name)
    rows = lanes.rows()
    for number, where, error in lanes.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    for source, status in lanes.unfinished.items():
        note(f"{source} ended as {status}: there may be copies that nobody looked for")
    return [line.encode() for line in _LINES[form](_renamed(rows))], not lanes.bad


def _renamed(rows: CopyRows) -> CopyRows:
    name = naming({*rows.query, *rows.ref})
    return CopyRows(rows.where, [*map(name, rows.query)], [*map(name, rows.ref)], rows.boxes, rows.score, rows.scored,
                    dict.fromkeys((name(query), name(ref)) for query, ref in rows.pairs))
