"""``vtk doctor``: is this installation well?"""

from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def run(as_json: AsJson = False) -> None:
    """Report versions, devices, decoders, caches and what is wrong with them.

    Reads nothing. Exits 1 where something is wrong, and says what mends it.

    Example: vtk doctor --json | jq .packages
    """
    import orjson

    from vtk.diagnosis import facts, problems
    from vtk.errors import EXIT_PARTIAL

    found, wrong = facts(), problems()
    if as_json:
        typer.echo(orjson.dumps({**found, "problems": wrong}, option=orjson.OPT_INDENT_2))
    else:
        for name, value in found.items():
            text = ", ".join(f"{key} {item}" for key, item in value.items() if item is not None) if isinstance(
                value, dict) else ", ".join(value) if isinstance(value, list) else value
            typer.echo(f"{name:10} {text if text is not None else '-'}")
        for line in wrong:
            typer.echo(f"PROBLEM    {line}")
    if wrong:
        raise typer.Exit(EXIT_PARTIAL)
