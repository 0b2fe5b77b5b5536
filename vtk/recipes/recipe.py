"""A pipe in a TOML file: its commands, their options, and options of the whole pipe; read, changed and printed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from vtk.errors import UsageError

SUFFIX = ".toml"
KEYS = ("stage", "run")
# What a recipe cannot say of the whole pipe: which files, and what this one run shows of itself.
NOT_OF_RECIPES = frozenset({"inputs", "pipe", "settings", "print_config", "dry_run", "quiet", "profile", "traceback",
                            "help"})


@dataclass
class Recipe:
    """A pipe and its options.

    Attributes:
        name: what messages call it: the file, or the pipe's text.
        commands: the words of each command, as a shell would give them.
        run: options of the whole pipe, as words.
    """

    name: str
    commands: list[list[str]]
    run: list[str] = field(default_factory=list)


def is_recipe(text: str) -> bool:
    """Return whether what stands for a pipe names a recipe's file."""
    return text.endswith(SUFFIX) and "|" not in text


def shipped() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(entry.name for entry in files("vtk.recipes").iterdir() if entry.name.endswith(SUFFIX))


def read(name: str) -> Recipe:
    """Return the recipe in file ``name``, or the one that comes with the package where there is no such file.

    Raises:
        UsageError: there is neither; the file is no TOML, or says what no pipe could do.
    """
    path = Path(name)
    if path.is_file():
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"recipe {name}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}") from None
    elif name in shipped():
        text = (files("vtk.recipes") / name).read_text("utf-8")
    else:
        raise UsageError(f"recipe {name}: no such file; those that come with vtk are {', '.join(shipped())}")
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"recipe {name}: {error}") from None
    return _of(name, content)


def _of(name: str, content: dict[str, Any]) -> Recipe:
    """Return the recipe that a file holds."""
    from vtk.cli import load

    for key in content:
        if key not in KEYS:
            raise UsageError(f"recipe {name}: '{key}' is no part of a recipe; [[stage]] tables and a [run] table are")
    stages, run = content.get("stage"), content.get("run", {})
    if not isinstance(stages, list) or not stages or not all(isinstance(stage, dict) for stage in stages):
        raise UsageError(f"recipe {name}: it needs a [[stage]] table for each command of the pipe")
    if not isinstance(run, dict):
        raise UsageError(f"recipe {name}: 'run' is a table of options, [run]")
    commands = []
    for number, stage in enumerate(stages, 1):
        command = stage.get("command")
        if not isinstance(command, str) or not command.split():
            raise UsageError(f"recipe {name}: stage {number} needs command = \"NAME\"")
        where = f"recipe {name}, stage {number} ({command})"
        options = {key: value for key, value in stage.items() if key != "command"}
        words = command.split()
        commands.append([*words, *_words(where, params_of(words), options)])
    params = [param for param in load("pipe").params if param.name not in NOT_OF_RECIPES]
    return Recipe(name, commands, list(_words(f"recipe {name}, [run]", params, run)))


def params_of(words: Sequence[str]) -> list[Any]:
    """Return the options of the command that ``words`` begin with, ``export mot`` say.

    Raises:
        UsageError: there is no such command.
    """
    from vtk.cli import COMMANDS, load, nearest

    if words[0] not in {row[0] for row in COMMANDS}:
        raise UsageError(f"no command '{words[0]}' for a pipe: {nearest(words[0])}")
    command = load(words[0])
    for word in words[1:]:
        below = getattr(command, "commands", {})
        if word not in below:
            break
        command = below[word]
    return [param for param in command.params if param.opts[0].startswith("-")]


def key_of(param: Any) -> str:
    """Return what an option is called in a recipe: its long name, without the dashes."""
    return next((name for name in param.opts if name.startswith("--")), param.opts[0]).lstrip("-")


def change(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Return the recipe with options set as ``COMMAND.OPTION=VALUE`` says; COMMAND is a name, or a number from 1.

    Raises:
        UsageError: the pipe has no such command, several of that name, or the command no such option.
    """
    commands = [list(words) for words in recipe.commands]
    for setting in settings:
        place, equals, value = setting.partition("=")
        command, dot, option = place.rpartition(".")
        if not equals or not dot or not option:
            raise UsageError(f"--set is '{setting}': COMMAND.OPTION=VALUE is needed, such as track.classes=person")
        number = _place(recipe, command, setting)
        words = commands[number]
        words += _words(f"--set {setting}", params_of(words), {option: _value(value)})
    return Recipe(recipe.name, commands, recipe.run)


def _place(recipe: Recipe, command: str, setting: str) -> int:
    """Return which command of a pipe a setting is about."""
    names = [words[0] for words in recipe.commands]
    if command.isdecimal() and 1 <= int(command) <= len(names):
        return int(command) - 1
    if names.count(command) > 1:
        numbers = " and ".join(str(number) for number, name in enumerate(names, 1) if name == command)
        raise UsageError(f"--set {setting}: there are several {command} in the pipe; name one by its number, {numbers}")
    if command not in names:
        raise UsageError(f"--set {setting}: there is no '{command}' in the pipe; it has {', '.join(names)}")
    return names.index(command)


def _value(text: str) -> Any:
    """Return a value as TOML reads it; what is none is text, and numbers and dates are as they were written."""
    try:
        value = tomllib.loads(f"x = {text}")["x"]
    except (tomllib.TOMLDecodeError, KeyError):
        return text
    return value if isinstance(value, (bool, str, list, dict)) else text


def _words(where: str, params: Sequence[Any], options: dict[str, Any]) -> Iterator[str]:
    """Yield options as the words that a shell would give."""
    known = {name.lstrip("-"): param for param in params for name in param.opts if name.startswith("--")}
    for key, value in options.items():
        param = known.get(key)
        if param is None:
            near = get_close_matches(key, known, n=1)
            raise UsageError(f"{where}: no option '{key}'" + (f": did you mean '{near[0]}'?" if near else ""))
        yield from _word(where, key, param, value)


def _word(where: str, key: str, param: Any, value: Any) -> Iterator[str]:
    """Yield the words of one option."""
    if param.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{where}: '{key}' is {value!r}, true or false is needed")
        off = param.secondary_opts[:1]
        if value or off:
            yield param.opts[0] if value else off[0]
        return
    if isinstance(value, list) and not any(isinstance(item, (list, dict, bool)) for item in value):
        if param.multiple:
            yield from (f"--{key}={item}" for item in value)
        else:
            yield f"--{key}={','.join(map(str, value))}"
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
        yield f"--{key}={value}"
    elif isinstance(value, (date, time)):
        yield f"--{key}={value.isoformat()}"
    else:
        raise UsageError(f"{where}: '{key}' is {value!r}, text, a number or a list of them is needed")


def as_toml(tables: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Yield the lines of TOML tables, each a head such as ``[run]`` and values; what is None as a comment.

    Raises:
        UsageError: a text cannot be written in UTF-8.
    """
    for place, (head, values) in enumerate(tables):
        if place:
            yield ""
        yield head
        for key, value in values.items():
            yield f"{key} = {_toml(value)}" if value is not None else f"# {key} ="


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, (int, float)):
        return repr(value)
    text = json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{value!r} cannot be written into a recipe: it is not UTF-8") from None
    return text
