"""Options that commands share, declared once: ``Common`` and the decorators that put it in a command's signature."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from vtk.errors import UsageError
from vtk.media.sampling import Sampling

Inputs = Annotated[list[str], typer.Argument(
    metavar="INPUT", show_default=False,
    help="Files, folders, globs, URLs, seq:FOLDER, webcam:0. Without any, or with -, records on stdin.")]
FilesFrom = Annotated[Path | None, typer.Option(metavar="FILE", help="Read inputs from FILE, one a line; - is stdin.")]
Null = Annotated[bool, typer.Option("--null", "-0", help="Inputs in --files-from end with NUL, not newline.")]
Root = Annotated[Path | None, typer.Option(metavar="DIR", help="Resolve relative sources in DIR.")]
Shard = Annotated[str | None, typer.Option(metavar="I/N",
                                           help="Take the I-th of N stable parts of the sources, I from 1.")]
Jobs = Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False,
                                   help="Work on N sources at a time, each in its own process.")]
Unordered = Annotated[bool, typer.Option("--unordered", help="With --jobs, write sources as they are done.")]
Devices = Annotated[str, typer.Option(metavar="0,1", show_default=False,
                                      help="With --jobs, divide these CUDA devices among the processes.")]
Engine = Annotated[str, typer.Option(metavar="local|ray", help="Run on this machine, or on a Ray cluster.")]
Address = Annotated[str, typer.Option(metavar="HOST:PORT", show_default=False,
                                      help="The Ray cluster's address. Without it: the one that this machine is of.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE",
                                      help="Write records to FILE, which appears when it is complete; - is stdout.")]
OutDir = Annotated[Path | None, typer.Option(metavar="DIR", help="Write one file a source: DIR/SOURCE.jsonl.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
Resume = Annotated[bool, typer.Option("--resume", help="Keep what an earlier run of -o or --out-dir finished.")]
Only = Annotated[bool, typer.Option("--only", help="Drop the records that came in, except errors.")]
Tee = Annotated[bool, typer.Option("--tee", help="Pass the records on to stdout as well.")]
Every = Annotated[int, typer.Option(min=1, metavar="N", help="Look at every N-th frame.")]
Fps = Annotated[float | None, typer.Option(min=0.0, metavar="X", show_default=False, help="Look at X frames a second.")]
Start = Annotated[float | None, typer.Option(metavar="SECONDS", help="Begin at this time.")]
End = Annotated[float | None, typer.Option(metavar="SECONDS", help="Stop before this time.")]
Limit = Annotated[int | None, typer.Option(min=0, metavar="N", help="Look at no more than N frames a source.")]
Device = Annotated[str, typer.Option(metavar="auto|cpu|cuda:N", help="Where the model runs.")]
Precision = Annotated[str, typer.Option(metavar="auto|fp32|bf16|fp16",
                                        help="fp32 gives results that agree across machines.")]
Batch = Annotated[int | None, typer.Option(min=1, metavar="N", show_default=False, help="Frames a model call.")]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", envvar="VTK_THREADS", show_default=False,
                                      help="Bound on the threads of each library.")]
Offline = Annotated[bool, typer.Option("--offline", help="Never use the network for weights.")]
TrustWeights = Annotated[bool, typer.Option(
    "--trust-weights", help="Load checkpoints of unknown hash. They can run code: only files that you trust.")]
Decoder = Annotated[str, typer.Option(
    metavar="auto|pyav|decord|opencv",
    help="auto is pyav. decord is wrong on MPEG-TS and cannot open AV1; opencv stops silently at damage.")]
Timeout = Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Give up on a silent stream after this.")]
Framerate = Annotated[float | None, typer.Option(min=0.001, metavar="X", show_default=False,
                                          help="Frames a second of seq:FOLDER.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say on stderr what would be done, and stop.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress and no messages on stderr.")]
Profile = Annotated[bool, typer.Option("--profile", help="Say on stderr where the time went.")]
Traceback = Annotated[bool, typer.Option("--traceback", help="Show where an unexpected error came from.")]


@dataclass(frozen=True)
class Common:
    """The shared options of one command, as the user gave them."""

    inputs: Inputs = ()  # type: ignore[assignment]
    files_from: FilesFrom = None
    null: Null = False
    root: Root = None
    shard: Shard = None
    jobs: Jobs = None
    unordered: Unordered = False
    devices: Devices = ""
    engine: Engine = "local"
    address: Address = ""
    output: Output = None
    out_dir: OutDir = None
    overwrite: Overwrite = False
    resume: Resume = False
    only: Only = False
    tee: Tee = False
    every: Every = 1
    fps: Fps = None
    start: Start = None
    end: End = None
    limit: Limit = None
    device: Device = "auto"
    precision: Precision = "auto"
    batch: Batch = None
    offline: Offline = False
    trust_weights: TrustWeights = False
    threads: Threads = None
    decoder: Decoder = "auto"
    timeout: Timeout = 10.0
    framerate: Framerate = None
    dry_run: DryRun = False
    quiet: Quiet = False
    profile: Profile = False
    traceback: Traceback = False

    def __post_init__(self) -> None:
        if self.output == Path("-"):  # stdout, as elsewhere
            object.__setattr__(self, "output", None)

    @property
    def sampling(self) -> Sampling:
        """The frames that --every, --fps, --start, --end and --limit ask for."""
        if self.fps is not None and self.every != 1:
            raise UsageError("--fps and --every both say which frames to look at: give one of them")
        if self.fps is not None and not self.fps > 0:
            raise UsageError(f"--fps is {self.fps:g}: a number above 0 is needed")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise UsageError(f"--end {self.end:g} is not after --start {self.start:g}")
        mode = "fps" if self.fps is not None else "every" if self.every > 1 else "all"
        return Sampling(mode, every=self.every, fps=self.fps or 0.0, start=self.start, end=self.end, limit=self.limit)

    @property
    def runtime(self) -> Any:
        """The RuntimeOptions that --device, --precision, --batch, --threads and --offline ask for."""
        from vtk.models.runtime import RuntimeOptions

        return RuntimeOptions(device=self.device, precision=self.precision, batch=self.batch, threads=self.threads,
                              offline=self.offline, trust_weights=self.trust_weights)


_INPUT = ("inputs", "files_from", "null", "root", "shard")
_OUTPUT = ("jobs", "unordered", "devices", "engine", "address", "output", "out_dir", "overwrite", "resume", "only")
_MEDIA = ("every", "fps", "start", "end", "limit", "decoder", "timeout", "framerate")
_MODEL = ("device", "precision", "batch", "offline", "trust_weights")
_ALWAYS = ("threads", "dry_run", "quiet", "profile", "traceback")


def filter_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a command that reads media or records and writes records."""
    return _with_common(run, (*_INPUT, *_OUTPUT, *_MEDIA, *_MODEL, *_ALWAYS))


def media_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a filter that uses no model."""
    return _with_common(run, (*_INPUT, *_OUTPUT, *_MEDIA, *_ALWAYS))


def sink_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a command that writes media, and passes records with --tee."""
    return _with_common(run, (*_INPUT, "tee", *_MEDIA, *_ALWAYS))


def pipe_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a whole pipe: what its commands look at is each one's own."""
    return _with_common(run, (*_INPUT, *_OUTPUT, "decoder", "timeout", "framerate", *_ALWAYS))


def watch_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a pipe whose sources come while it runs."""
    return _with_common(run, ("root", "shard", "tee", "decoder", "timeout", "threads", "quiet", "traceback"))


def record_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a command over records alone."""
    return _with_common(run, ("inputs", "output", "overwrite", "quiet", "traceback"))


def table_command(run: Callable[..., None]) -> Callable[..., None]:
    """Give ``run(common, …)`` the options of a command that writes tables of records, and passes them with --tee."""
    return _with_common(run, ("tee", "quiet", "traceback"))


def _with_common(run: Callable[..., None], names: tuple[str, ...]) -> Callable[..., None]:
    own = dict(inspect.signature(run, eval_str=True).parameters)
    own.pop("common")
    names = tuple(name for name in names if name not in own)
    hints = get_type_hints(Common, include_extras=True)
    fields = {field.name: field for field in dataclasses.fields(Common)}
    shared = {name: inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=hints[name],
                                      default=None if name == "inputs" else fields[name].default) for name in names}

    def command(**given: Any) -> None:
        values = {name: given.pop(name) for name in names}
        values["inputs"] = tuple(values.get("inputs") or ())
        run(Common(**values), **given)

    parameters = [param.replace(kind=inspect.Parameter.KEYWORD_ONLY) for param in own.values()]
    inputs = [shared.pop("inputs")] if "inputs" in shared else []
    command.__signature__ = inspect.Signature([*parameters, *inputs, *shared.values()])  # type: ignore[attr-defined]
    command.__name__, command.__doc__, command.__module__ = run.__name__, run.__doc__, run.__module__
    command.__annotations__ = {}
    return command
