"""``vtk pipe``: a pipe in one process."""

from typing import Annotated

import typer

from vtk.options import Common, pipe_command

Text = Annotated[str, typer.Argument(metavar="PIPE", help="Commands joined by |, in quotes.")]


@pipe_command
def run(common: Common, pipe: Text) -> None:
    """Run a pipe of commands in one process, with one decode.

    Reads and writes what the same pipe of processes would: the records are the same. Stages that need only their
    frame share one decode; one that needs a whole source begins a new pass (--dry-run shows the passes). Streams.

    Example: vtk pipe 'track --classes person | draw -o out.mp4' street.mp4
    """
    from vtk.driver.run import drive_all
    from vtk.piping import parse

    drive_all(parse(pipe, common), common)
