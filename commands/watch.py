"""``vtk watch``: a pipe over files as they land."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from vtk.options import Common, watch_command

Folder = Annotated[str, typer.Argument(metavar="DIR", help="The folder, with all below it.")]
Text = Annotated[str, typer.Argument(metavar="PIPE", help="Commands joined by |, in quotes; or a recipe, FILE.toml.")]
OutDir = Annotated[Path, typer.Option(metavar="DIR", help="Write one file a source: DIR/SOURCE.jsonl.",
                                      show_default=False)]
Settle = Annotated[float, typer.Option(min=0.0, metavar="SECONDS", help="A file that stays as it is for so long has landed.")]
Poll = Annotated[float | None, typer.Option(
    min=0.05, metavar="SECONDS", show_default=False,
    help="List the folder this often and do not ask the system for changes: of network folders it does not tell.")]
Once = Annotated[bool, typer.Option("--once", help="Stop when what is there is done.")]
MaxIdle = Annotated[float | None, typer.Option(min=0.0, metavar="SECONDS", show_default=False,
                                               help="Stop when nothing has landed for so long.")]


@watch_command
def run(common: Common, context: typer.Context, folder: Folder, pipe: Text, out_dir: OutDir, settle: Settle = 2.0, poll: Poll = None,
        once: Once = False, max_idle: MaxIdle = None) -> None:
    """Run a pipe over the files of a folder as they land, with models that stay loaded.

    Reads the media files that are in DIR and that come, in folders below it too, each when it is whole: closed, not
    changed for --settle SECONDS, and not called .part, .tmp or .NAME. Writes what vtk pipe would to --out-dir; with --tee
    to stdout as well. What was finished before is passed over, as with --resume; a file that changes is done again.
    Streams. The first Ctrl-C or SIGTERM ends it after the file that it works on, the second at once.

    Example: vtk watch videos 'track --classes person' --out-dir out --once
    """
    from vtk.errors import UsageError
    from vtk.piping import made_by, of_run, parse, split
    from vtk.recipes.recipe import Recipe, is_recipe, read
    from vtk.watching.running import Patience, watch

    recipe = read(pipe) if is_recipe(pipe) else Recipe(pipe, split(pipe))
    stated = of_run(recipe)
    for name in stated.keys() - context.params.keys():
        raise UsageError(f"recipe {recipe.name}, [run]: {name} is nothing that watch could do")
    stated = {name: value for name, value in stated.items()
              if getattr(context.get_parameter_source(name), "name", "") == "DEFAULT"}
    common = replace(common, **stated, out_dir=out_dir)
    watch(parse(recipe.commands, common), folder, common, Patience(settle, poll, once, max_idle),
          made_by(recipe.commands))
