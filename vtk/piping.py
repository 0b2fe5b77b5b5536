"""The text of a pipe, ``'detect | track | draw -o out.mp4'``, turned into planned commands."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from vtk.driver.run import Planned, collect
from vtk.errors import UsageError
from vtk.options import Common

if TYPE_CHECKING:
    from collections.abc import Iterator

# Options of a whole pipe: given to one command inside it, they would have to hold for all.
_OF_THE_PIPE = ("inputs", "files_from", "root", "shard", "jobs", "unordered", "devices", "engine", "address", "output",
                "out_dir", "resume", "decoder", "timeout", "framerate", "threads", "dry_run")
# Those of them that a command may go by before it is driven: where its references are and how they are opened, or what
# does not go with a part of the sources.
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


def parse(text: str, common: Common = Common()) -> list[Planned]:
    """Return the planned commands of a pipe, each with its options checked.

    Args:
        text: the pipe.
        common: the options of the whole pipe; its commands are planned as each would be that was given them.

    Raises:
        UsageError: no such command, an option that it does not have, or one that belongs to the whole pipe.
    """
    planned: list[Planned] = []
    for words in split(text):
        command = _command(words[0])
        given = [*_handed_on(command, common), *words[1:]]  # first, so that one that is given inside is the last word
        found = collect(lambda command=command, words=words, given=given: _parse_one(command, words[0], given))
        if len(found) != 1:
            raise UsageError(f"'{words[0]}' has no stage that a pipe could run: filters and sinks can stand in one")
        _check(words[0], command, found[0], common)
        planned += found
    for plan, words in zip(planned[:-1], split(text), strict=False):
        stage = plan.factory()
        if stage.sink and not stage.tee:
            raise UsageError(f"'{words[0]}' ends a pipe; --tee lets records pass it")
    return planned


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
