"""``vtk pipe``: a pipe in one process."""

from dataclasses import replace
from typing import Annotated

import typer

from vtk.options import Common, pipe_command

Text = Annotated[str, typer.Argument(metavar="PIPE", help="Commands joined by |, in quotes; or a recipe, FILE.toml.")]
Settings = Annotated[list[str] | None, typer.Option(
    "--set", metavar="COMMAND.OPTION=VALUE", show_default=False,
    help="Set an option of a command of the pipe; COMMAND is a name, or a number from 1. May be given several times.")]
PrintConfig = Annotated[bool, typer.Option("--print-config", help="Print the recipe of this pipe, with all its options, "
                                                                  "and stop.")]


@pipe_command
def run(common: Common, context: typer.Context, pipe: Text, settings: Settings = None,
        print_config: PrintConfig = False) -> None:
    """Run a pipe of commands in one process, with one decode.

    Reads and writes what the same pipe of processes would: the records are the same. Stages that need only their
    frame share one decode; one that needs a whole source begins a new pass (--dry-run shows the passes). Streams.

    A recipe is a pipe in a TOML file: a [[stage]] table for each command, with command = "track" and its options, and
    a [run] table of options of the whole pipe, which those on the command line outdo. people.toml, text.toml and
    copies.toml come with vtk; a file of that name goes first.

    Example: vtk pipe 'track --classes person | draw -o out.mp4' street.mp4

    Example: vtk pipe people.toml videos/ --set track.classes=person,car --out-dir out
    """
    from vtk.driver.run import drive_all
    from vtk.piping import described, of_run, parse, split
    from vtk.recipes.recipe import Recipe, change, is_recipe, read

    recipe = change(read(pipe) if is_recipe(pipe) else Recipe(pipe, split(pipe)), settings or ())
    given = {name for name in context.params if getattr(context.get_parameter_source(name), "name", "") != "DEFAULT"}
    common = replace(common, **{name: value for name, value in of_run(recipe).items() if name not in given})
    planned = parse(recipe.commands, common)
    if print_config:
        typer.echo("\n".join(described(recipe, common)))
        return
    drive_all(planned, common)
