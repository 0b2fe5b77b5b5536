"""``vtk schema``: the vocabulary as JSON Schema."""

from typing import Annotated

import typer

TypeName = Annotated[str | None, typer.Argument(metavar="[TYPE]",
                                               help="A record type; without it, the whole vocabulary.")]


def run(kind: TypeName = None) -> None:
    """Print the JSON Schema of records.

    Reads nothing. Prints one JSON object: the schema of TYPE, or of every type.

    Example: vtk schema detection | jq .required
    """
    import orjson

    from vtk.errors import UsageError
    from vtk.records import TYPES
    from vtk.schema import schema

    if kind is not None and kind not in TYPES:
        raise UsageError(f"no record type '{kind}': the types are {', '.join(TYPES)}")
    typer.echo(orjson.dumps(schema(kind), option=orjson.OPT_INDENT_2))
