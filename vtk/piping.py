"""The text of a pipe, ``'detect | track | draw -o out.mp4'``, turned into planned commands."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtk.driver.run import Planned, collect
from vtk.errors import UsageError
from vtk.options import Common
from vtk.recipes.recipe import NOT_OF_RECIPES, Recipe, as_toml, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# Options of a whole pipe: given to one command inside it, they would have to hold for all.
_OF_THE_PIPE = ("inputs", "files_from", "root", "shard", "jobs", "unordered", "devices", "engine", "address", "output",
                "out_dir", "resume", "decoder", "timeout", "framerate", "threads", "dry_run")
# Those of them that a command may go by before it is driven: where its references are and how they are opened, or what
# does not go with a part of the sources.
_OF_SINKS = {"output", "out_dir", "overwrite"}  # these are a sink's own
# Where a command writes what it makes, beside records.
_PLACES = frozenset({"output", "out_dir", "thumbs", "plot"})
_HANDED_ON = ("root", "shard", "decoder", "timeout", "framerate", "threads")


def split(text: str) -> list[list[str]]:
    """Return the words of each command of a pipe, as a shell would split them.

    Raises:
        UsageError: a quote is open, or a command is empty.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError as error:
        raise UsageError(f"pipe '{text}': {str(error).lower()}") from None
    commands: list[list[str]] = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        elif set(word) == {"|"}:
            raise UsageError(f"pipe '{text}': '{word}' is not a pipe; commands are joined by a single |")
        else:
            commands[-1].append(word)
    commands = [words[1:] if words[:1] == ["vtk"] else words for words in commands]
    if not all(commands):
        raise UsageError(f"pipe '{text}': a command is empty; write it as 'detect | track'")
    return commands


def parse(commands: Sequence[list[str]], common: Common = Common()) -> list[Planned]:
    """Return the planned commands of a pipe, each with its options checked.

    Args:
        commands: the words of each.
        common: the options of the whole pipe; its commands are planned as each would be that was given them.

    Raises:
        UsageError: no such command, an option that it does not have, or one that belongs to the whole pipe.
    """
    planned: list[Planned] = []
    for words in commands:
        command = _command(words[0])
        given = [*_handed_on(command, common), *words[1:]]  # first, so that one that is given inside is the last word
        found = collect(lambda command=command, words=words, given=given: _parse_one(command, words[0], given))
        if len(found) != 1:
            raise UsageError(f"'{words[0]}' has no stage that a pipe could run: filters and sinks can stand in one")
        _check(words[0], command, found[0], common)
        planned += found
    for plan, words in zip(planned[:-1], commands, strict=False):
        stage = plan.factory()
        if stage.sink and not stage.tee:
            raise UsageError(f"'{words[0]}' ends a pipe; --tee lets records pass it")
    return planned


def described(recipe: Recipe, common: Common) -> Iterator[str]:
    """Yield the lines of a recipe that does what ``recipe`` does, with every option of every command.

    Args:
        recipe: the pipe.
        common: the options of the whole pipe.
    """
    from vtk.cli import COMMANDS, load

    plain = Common()
    whole = {key_of(param): getattr(common, param.name) for param in load("pipe").params
             if param.name not in NOT_OF_RECIPES and getattr(common, param.name) != getattr(plain, param.name)}
    tables = [("[run]", whole)] if whole else []
    kinds = {name: kind for name, kind, _ in COMMANDS}
    for words in recipe.commands:
        left_out = {*NOT_OF_RECIPES, *_OF_THE_PIPE, "null", "overwrite"} - (
            _OF_SINKS if kinds[words[0]] == "sink" else set())
        name, params, values = _resolved(words)
        tables.append(("[[stage]]", {"command": name, **{
            key_of(param): values[param.name] for param in params if param.name not in left_out}}))
    yield from as_toml(tables)


def made_by(commands: Sequence[list[str]]) -> Iterator[tuple[str, Path]]:
    """Yield each option by which a command of a pipe writes what it makes, with the file or folder."""
    for words in commands:
        name, params, values = _resolved(words)
        for param in params:
            if param.name in _PLACES and isinstance(values[param.name], Path):
                yield f"{name} --{key_of(param)}", values[param.name]


def _resolved(words: list[str]) -> tuple[str, list[Any], dict[str, Any]]:
    """Return the name of a command, its options, and the value of each."""
    command, rest, name = _command(words[0]), words[1:], [words[0]]
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest, name = command.commands[rest[0]], rest[1:], [*name, rest[0]]
    context = command.make_context(" ".join(name), list(rest))
    return " ".join(name), [param for param in command.params if param.name in context.params], context.params


def _command(name: str) -> Any:
    from vtk.cli import COMMANDS, load, nearest

    if name not in {row[0] for row in COMMANDS}:
        raise UsageError(f"no command '{name}' for a pipe: {nearest(name)}")
    return load(name)


def _parse_one(command: Any, name: str, words: list[str]) -> None:
    from vtk.cli import ClickException

    try:
        command.main(words, prog_name=name, standalone_mode=False)
    except ClickException as error:
        raise UsageError(f"{name}: {error.format_message()}") from None  # type: ignore[attr-defined]


def _handed_on(command: Any, common: Common) -> Iterator[str]:
    """Yield the options of the whole pipe that a command has, as words."""
    plain = Common()
    for param in command.params:
        if param.name in _HANDED_ON and getattr(common, param.name) != getattr(plain, param.name):
            yield f"{param.opts[0]}={getattr(common, param.name)}"
        elif param.name == "quiet" and common.quiet:
            yield param.opts[0]


def _check(name: str, command: Any, plan: Planned, common: Common) -> None:
    has, plain = {param.name for param in command.params}, Common()
    for option in _OF_THE_PIPE:
        if getattr(plan.common, option) != getattr(common if option in has.intersection(_HANDED_ON) else plain, option):
            what = "input" if option == "inputs" else f"--{option.replace('_', '-')}"
            raise UsageError(f"{name}: {what} belongs to the whole pipe: give it after the pipe's text")


def of_run(recipe: Recipe) -> dict[str, Any]:
    """Return the options of the whole pipe that a recipe gives, by field of ``Common``.

    Raises:
        UsageError: a value is none that the option takes.
    """
    from vtk.cli import ClickException, load

    command = load("pipe")
    try:
        context = command.make_context("pipe", [*recipe.run, "--", "probe"])
    except ClickException as error:
        raise UsageError(f"recipe {recipe.name}, [run]: {error.format_message()}") from None  # type: ignore[attr-defined]
    return {name: value for name, value in context.params.items()
            if name not in NOT_OF_RECIPES and getattr(context.get_parameter_source(name), "name", "") == "COMMANDLINE"}
