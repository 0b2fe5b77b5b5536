"""``vtk validate``: are these records?"""

from vtk.options import Common, record_command


@record_command
def run(common: Common) -> None:
    """Check that records are of the vocabulary.

    Reads records, from files or stdin: each line's keys, shapes and ranges, that no span ends before it starts, the
    order of the stream. Writes an error record for each line that is wrong, nothing where all are right; exits 1 where
    one is wrong. Streams.

    Example: vtk validate out.jsonl
    """
    import sys

    from vtk.driver.link import error_record
    from vtk.driver.progress import Reporter
    from vtk.driver.records_in import record_chunks
    from vtk.driver.run import open_output
    from vtk.driver.stream import BadLine, RecordStream
    from vtk.errors import EXIT_PARTIAL, RecordError
    from vtk.records import TYPES, check_whole, dump

    reporter, wrong = Reporter(common.quiet), 0
    with open_output(common) as write:
        try:
            for event in RecordStream(record_chunks(common.inputs), frozenset(TYPES), check_whole).events():
                found = getattr(event, "before", [event])
                for bad in (entry for entry in found if isinstance(entry, BadLine)):
                    wrong += 1
                    reporter.error("validate", f"line {bad.number}", bad.error)
                    write([dump(error_record("validate", "validate", bad.error, bad.source, bad.number))])
        except RecordError as error:  # a newer vocabulary: nothing after it can be judged
            wrong += 1
            reporter.error("validate", None, error)
            write([dump(error_record("validate", "validate", error, fatal=True))])
    if wrong:
        sys.exit(EXIT_PARTIAL)
