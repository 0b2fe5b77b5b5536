"""``vtk stats``: what is in these records?"""

from typing import Annotated

import typer

from vtk.options import Common, record_command


@record_command
def run(
    common: Common,
    by: Annotated[str, typer.Option(
        metavar="KEYS", show_default=False,
        help="Count records by the values of these keys alone: source, label, type,label or error.code.")] = "",
    top: Annotated[int, typer.Option(min=1, metavar="N", help="Show so many rows of long lists.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Count what records hold: types, labels, sources, tracks, scores, texts, identities, copies, errors.

    Reads records, from files, folders of --out-dir (all .jsonl in them) or stdin. Writes a page of text, 80 columns
    wide, errors first: sources by status, frames looked at, labels, scores and sizes of boxes, how long tracks, scenes
    and shots last, which texts, people and copies came most. Lines that are no records are named on stderr; exits 1
    then. Streams: holds a row for each source and each label, and 100,000 texts, people and copied pairs; of one source
    at a time the tracks.

    Example: vtk track street.mp4 | vtk stats
    """
    import sys

    import orjson

    from vtk.driver.progress import Reporter
    from vtk.driver.run import open_output
    from vtk.errors import EXIT_PARTIAL, RecordError
    from vtk.stats.counting import Statistics
    from vtk.stats.grouping import Grouped
    from vtk.stats.printing import grouped_lines, lines_of
    from vtk.stats.reading import chunks_of

    counted = Grouped([key.strip() for key in by.split(",")]) if by else Statistics()
    reporter, wrong, take, loads = Reporter(common.quiet), 0, counted.take, orjson.loads
    with open_output(common) as write:
        for name, before, lines in chunks_of(common.inputs):
            for number, line in enumerate(lines, before + 1):
                try:
                    take(loads(line))
                except (orjson.JSONDecodeError, RecordError) as error:
                    if line.strip():
                        wrong += 1
                        code = getattr(error, "code", "E_JSON")
                        reporter.error("stats", f"{name + ', ' if name else ''}line {number}",
                                       RecordError(str(error), code=code if isinstance(code, str) else "E_JSON"))
        whole = counted.summary(top) | ({"bad_lines": wrong} if wrong else {})
        printed = grouped_lines(whole) if by else lines_of(whole)
        write([orjson.dumps(whole)] if as_json else [line.encode("utf-8", "replace") for line in printed])
    if wrong:
        sys.exit(EXIT_PARTIAL)
