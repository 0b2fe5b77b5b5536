"""What a user sets of a tracker: on the command line, or in a file by ``vtk tune track``."""

from __future__ import annotations

import tomllib
from pathlib import Path

from vtk.errors import UsageError


def read_options(text: str, tracker: str) -> tuple[str, dict[str, float]]:
    """Return the tracker's name and its options.

    Args:
        text: ``name=value,name=value``, or the path of a TOML file whose table ``track`` may name a ``tracker`` and
            hold a table ``options``; empty: none.
        tracker: the tracker's name where no file names one.

    Raises:
        UsageError: it is neither, or a value is no number.
    """
    if not text:
        return tracker, {}
    if "=" not in text:
        return _from_file(Path(text), tracker)
    options = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            options[name.strip()] = _number(value)
        except ValueError:
            raise UsageError(f"--options: {part!r} is not name=number") from None
    return tracker, options


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() and "." not in text else number


def _from_file(path: Path, tracker: str) -> tuple[str, dict[str, float]]:
    try:
        recipe = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UsageError(f"--options: no file {path}; name=value,name=value is the other form") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"--options: {path} cannot be read as TOML: {' '.join(str(error).split())}") from None
    table = recipe.get("track")
    if not isinstance(table, dict):
        raise UsageError(f"--options: {path} has no table [track] (it has {', '.join(recipe) or 'nothing'})")
    name, options = table.get("tracker", tracker), table.get("options", {})
    if not isinstance(name, str) or not isinstance(options, dict):
        raise UsageError(f"--options: {path}'s [track] needs tracker, a name, and a table [track.options]")
    return name, options
