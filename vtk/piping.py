"""The text of a pipe, ``'detect | track | draw -o out.mp4'``, turned into planned commands."""

from __future__ import annotations

import shlex

from vtk.driver.run import Planned, collect
from vtk.errors import UsageError

# Options of a whole pipe: given to one command inside it, they would have to hold for all.
_OF_THE_PIPE = ("inputs", "files_from", "root", "shard", "jobs", "output", "out_dir", "resume", "decoder", "timeout",
                "framerate", "threads", "dry_run")


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


def parse(text: str) -> list[Planned]:
    """Return the planned commands of a pipe, each with its options checked.

    Raises:
        UsageError: no such command, an option that it does not have, or one that belongs to the whole pipe.
    """
    planned: list[Planned] = []
    for words in split(text):
        found = collect(lambda words=words: _parse_one(words))
        if len(found) != 1:
            raise UsageError(f"'{words[0]}' has no stage that a pipe could run: filters and sinks can stand in one")
        _check(words[0], found[0])
        planned += found
    for plan, words in zip(planned[:-1], split(text), strict=False):
        stage = plan.factory()
        if stage.sink and not stage.tee:
            raise UsageError(f"'{words[0]}' ends a pipe; --tee lets records pass it")
    return planned


def _parse_one(words: list[str]) -> None:
    from vtk.cli import COMMANDS, ClickException, load, nearest

    name, *args = words
    if name not in {row[0] for row in COMMANDS}:
        raise UsageError(f"no command '{name}' for a pipe: {nearest(name)}")
    try:
        load(name).main(args, prog_name=name, standalone_mode=False)
    except ClickException as error:
        raise UsageError(f"{name}: {error.format_message()}") from None  # type: ignore[attr-defined]


def _check(name: str, plan: Planned) -> None:
    from vtk.options import Common

    plain = Common()
    for option in _OF_THE_PIPE:
        if getattr(plan.common, option) != getattr(plain, option):
            what = "input" if option == "inputs" else f"--{option.replace('_', '-')}"
            raise UsageError(f"{name}: {what} belongs to the whole pipe: give it after the pipe's text")
