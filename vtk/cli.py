"""The command line: the table of commands, loaded one at a time, and errors turned into exit codes."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer
from typer.core import TyperGroup

from vtk.errors import EXIT_INTERRUPT, EXIT_PARTIAL, EXIT_PIPE, EXIT_USAGE, UsageError, VtkError

# name, kind, what it does: the first line of the command's docstring (tests/test_cli.py compares them). With it
# ``vtk --help`` loads no command. A new command is one file in commands/ and one row here.
COMMANDS: tuple[tuple[str, str, str], ...] = (
    ("detect", "filter", "Detect objects in media."),
    ("track", "filter", "Detect objects and give each an id that stays with it from frame to frame."),
    ("spot-text", "filter", "Find text, follow it, read it, and say from when to when it was on screen."),
    ("reid", "filter", "Tell who is who across videos, by what a track looks like and when it was seen."),
    ("detect-copy", "filter", "Find which seconds of which references a video shows."),
    ("face-antispoof", "filter",
     "Tell live faces from photos, screens and masks: live, spoof or unsure, with score and thresholds."),
    ("classify-species", "filter", "Say which species pictures and films show, given where and when they were made."),
    ("recognize-scene", "filter", "Find the shots of a film, and say where each was filmed."),
    ("probe", "filter", "Say what is known of media: size, rate, codec, duration."),
    ("sort", "filter", "Bring records into the order that commands need."),
    ("import", "filter", "Turn files of other tools into records."),
    ("draw", "sink", "Draw records onto their media."),
    ("sheet", "sink", "Show who or what was found on one picture: a row for each, of the crops that show it best."),
    ("crop", "sink", "Cut what records show out of its frames: a folder of pictures for each label, track or identity."),
    ("frames", "sink", "Extract frames as image files."),
    ("redact", "sink", "Hide what records show: faces, people, text."),
    ("clip", "sink", "Cut the spans that records tell of out of their media."),
    ("report", "sink", "Show any records on one page: what went wrong, timelines, charts, people, copies, and tables to search."),
    ("export", "sink", "Turn records into files of other tools."),
    ("pipe", "tool", "Run a pipe of commands in one process, with one decode."),
    ("stats", "tool",
     "Count what records hold: types, labels, sources, tracks, scores, texts, identities, copies, errors."),
    ("watch", "tool", "Run a pipe over the files of a folder as they land, with models that stay loaded."),
    ("eval", "tool", "Score results against ground truth."),
    ("calibrate", "tool", "Find a model's thresholds on labelled data."),
    ("scene", "tool", "Fit a classifier of your own labels on pictures, and check it."),
    ("tune", "tool", "Search options on stored records, against ground truth."),
    ("validate", "tool", "Check that records are of the vocabulary."),
    ("schema", "tool", "Print the JSON Schema of records."),
    ("gallery", "tool", "Look at, mend and clear the people that vtk reid --gallery remembers."),
    ("library", "tool", "Keep the references that copies are looked for in."),
    ("species", "tool", "Keep what is known of species: where and when they were seen."),
    ("models", "tool", "List, fetch, find and verify models."),
    ("doctor", "tool", "Report versions, devices, decoders, caches and what is wrong with them."),
)
# ``vtk import`` lives in commands/import_.py: a module cannot be named by a keyword.
KEYWORDS = frozenset({"import"})

# TyperGroup's own error class; Typer vendors Click and exports only its children.
ClickException: type[Exception] = typer.BadParameter.__mro__[2]


def module_of(name: str) -> str:
    """Return the module that holds command ``name``: ``spot-text`` is ``vtk.commands.spot_text``."""
    stem = name.replace("-", "_")
    return f"vtk.commands.{stem}_" if stem in KEYWORDS else f"vtk.commands.{stem}"


def load(name: str) -> Any:
    """Return the command named ``name``, made of the module's ``app``, else of its ``run``, and guarded."""
    module = importlib.import_module(module_of(name))
    app = getattr(module, "app", None)
    if app is None:
        app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
        app.command(name)(module.run)
    command = typer.main.get_command(app)
    _finish(command)
    return command


def _finish(command: Any) -> None:
    """Guard a command and every one below it, and leave the examples in their help unwrapped."""
    command.help = re.sub(r"\n(Examples?:)", "\n\b\n\\1", command.help or "")
    if command.callback is not None:
        command.callback = _guarded(command.callback)
    for part in getattr(command, "commands", {}).values():
        _finish(part)


def _guarded(run: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a command's callback: a closed pipe, an interrupt and a bug of ours end the process with a code each.

    The first two are quiet; a bug is one line, and its traceback comes with --traceback or VTK_TRACEBACK.
    """

    @wraps(run)
    def guarded(**given: Any) -> Any:
        try:
            result = run(**given)
            if sys.stdout is not None:
                sys.stdout.flush()
            return result
        except BrokenPipeError:
            _mute_stdout()
            sys.exit(EXIT_PIPE)
        except KeyboardInterrupt:
            sys.exit(EXIT_INTERRUPT)
        except (VtkError, typer.Exit, typer.Abort, ClickException, SystemExit):
            raise
        except Exception as error:
            if given.get("traceback") or os.environ.get("VTK_TRACEBACK"):
                raise
            switch = "--traceback" if "traceback" in given else "VTK_TRACEBACK=1"
            print(f"vtk: internal error, {type(error).__name__}: {_one_line(error)} ({switch} shows where)",
                  file=sys.stderr)
            sys.exit(EXIT_PARTIAL)

    return guarded


class Commands(TyperGroup):
    """The group of all commands, each imported when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands, in the table's order."""
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command named ``cmd_name``, or None."""
        return load(cmd_name) if cmd_name in self.list_commands(ctx) else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table of commands without importing one."""
        for kind, title in (("filter", "Filters (records out)"), ("sink", "Sinks (media out)"), ("tool", "Tools")):
            with formatter.section(title):
                formatter.write_dl([(name, text) for name, row_kind, text in COMMANDS if row_kind == kind])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return (name, command, rest), or fail with the nearest name."""
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise UsageError(f"no command '{args[0]}': {nearest(args[0])}")
        return super().resolve_command(ctx, args)


def nearest(name: str) -> str:
    """Return a hint at the command that ``name`` may have meant."""
    from difflib import get_close_matches

    near = get_close_matches(name, [row[0] for row in COMMANDS], n=1)
    return f"did you mean '{near[0]}'?" if near else "see vtk --help"


def _version(value: bool) -> None:
    if value:
        from vtk import __version__

        typer.echo(f"vtk {__version__}")
        raise typer.Exit()


def application() -> Any:
    """Return the whole command line as one command object."""
    app = typer.Typer(cls=Commands, rich_markup_mode=None, pretty_exceptions_enable=False, no_args_is_help=True,
                      context_settings={"help_option_names": ["-h", "--help"]})

    @app.callback()
    def vtk(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True,
                                         help="Print the version and exit.")) -> None:
        """Shell commands for video understanding: media or JSONL in, JSONL out.

        Commands compose in pipes: vtk track street.mp4 | vtk draw -o out.mp4
        """

    return typer.main.get_command(app)


class Printed:
    """The process's stdout as commands print to it: where it cannot be written, an error that its user can mend."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def buffer(self) -> "Printed":
        """The stream of bytes below."""
        return Printed(self._stream.buffer)

    def write(self, data: Any) -> int:
        """Write ``data``.

        Raises:
            VtkError: it cannot be written.
        """
        return self._tried(lambda: self._stream.write(data))

    def flush(self) -> None:
        """Hand on what is held back; see ``write``."""
        self._tried(self._stream.flush)

    def _tried(self, work: Callable[[], Any]) -> Any:
        try:
            return work()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise VtkError(f"cannot write stdout: {error.strerror or error}", code="E_WRITE") from None


def main() -> None:
    """Run the command line and exit with its code."""
    plain = sys.stdout
    if plain is not None:  # closed by who started us
        sys.stdout = Printed(plain)  # type: ignore[assignment]
    try:
        code = _run()
    finally:
        sys.stdout = plain
    sys.exit(code)


def _run() -> int:
    """Run the command line and return its code; an error is a line on stderr."""
    try:
        code = application().main(prog_name="vtk", standalone_mode=False, complete_var="_VTK_COMPLETE")
        if sys.stdout is not None:  # help and version are no command's
            sys.stdout.flush()
    except BrokenPipeError:
        _mute_stdout()
        code = EXIT_PIPE
    except VtkError as error:
        if error.code == "E_WRITE":
            _mute_stdout()
        print(f"vtk: {_one_line(error)}", file=sys.stderr)
        code = error.exit_code
    except ClickException as error:
        code = EXIT_USAGE
        message = error.format_message()  # type: ignore[attr-defined]
        context = getattr(error, "ctx", None)
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[attr-defined]
        else:
            print(f"vtk: {message} ({context.command_path} --help)" if context else f"vtk: {message}", file=sys.stderr)
    except typer.Abort:
        code = EXIT_INTERRUPT
    return code if isinstance(code, int) else 0


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _mute_stdout() -> None:
    """Point stdout at nothing, so that the interpreter's last flush cannot fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
