"""``vtk sort``: records in order."""

from vtk.options import Common, record_command


@record_command
def run(common: Common) -> None:
    """Bring records into the order that commands need.

    Reads records, from files or stdin. Writes them all: errors of lines that could not be used, run records that
    announce, then sources in the order in which they first came: media, then what is drawn over frames (copies that no
    run announced, scenes, species of spans), frames rising, other source-level records, end records last; results of
    the run after everything.
    Buffers: holds all lines, on disk beyond half a million.

    Example: cat detections.jsonl texts.jsonl | vtk sort | vtk draw -o out.mp4
    """
    import sys

    from vtk.driver.link import error_record
    from vtk.driver.records_in import record_files
    from vtk.driver.run import open_output
    from vtk.errors import EXIT_PARTIAL
    from vtk.records import dump
    from vtk.sorting import Sorter

    sorter = Sorter()
    try:
        with open_output(common) as write:
            for line in record_files(common.inputs):
                sorter.add(line)
            for number, error in sorter.bad:
                write([dump(error_record("sort", "sort", error, line=number))])
            for line in sorter.sorted():
                write([line])
    finally:
        sorter.close()
    for number, error in sorter.bad[:20]:
        if not common.quiet:
            print(f"vtk sort: line {number}: {error} [{error.code}]", file=sys.stderr)
    if sorter.bad:
        sys.exit(EXIT_PARTIAL)
