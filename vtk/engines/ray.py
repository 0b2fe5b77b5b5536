"""Many sources on a Ray cluster: actors that hold the models, and write each source's records themselves.

Neither frames nor records pass through the cluster's store: what comes back of a source is how it ended.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, redirect_stdout
from itertools import chain
from typing import Any

from vtk.driver.chain import OfRun, Opening
from vtk.driver.inputs import output_path
from vtk.driver.lines import IDLE
from vtk.driver.output import RUN_FILE, check_targets
from vtk.driver.passes import Begin, Done, Tally
from vtk.engines.ray_crew import Crew, Needs
from vtk.engines.ray_worker import Plan
from vtk.engines.reduce import Factory, Reducer, split_across
from vtk.engines.storage import Storage, folder_of, open_storage, whole_of
from vtk.errors import UsageError, VtkError
from vtk.options import Common

GPU_CPUS = 4  # processors beside each GPU: they decode while it works
CONNECT = 10.0  # seconds that the head may take to answer
# Read by Ray when it is imported or joined: no usage reports over the network, no hints at devices.
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


def run_ray(factories: Sequence[Factory], sources: Sequence[str], opening: Opening, tally: Tally,
            common: Common) -> Iterator[Any]:
    """Yield Begin and Done of each source as it is done on the cluster, IDLE where nothing is; records go to --out-dir.

    Args:
        factories: the stages of the pipe, picklable.
        sources: their names, as every machine sees them; each is worked on whole by one actor.
        opening: how they are opened.
        tally: what happened is counted there.
        common: --out-dir; --address; --jobs, the number of actors; --threads, the processors that each takes, else one;
            --device cuda, a GPU for each; --resume and --overwrite.

    Raises:
        UsageError: Ray or the cluster is not there, or a file is that may not be replaced.
        VtkError: models cannot be loaded, or records cannot be written.
    """
    alone, reducer = split_across(factories, sources, "--engine ray")
    needs = _needs(common)
    if common.out_dir is None:
        raise ValueError("run_ray: expected --out-dir, got none")
    storage = open_storage(common.out_dir)
    names = [f"{output_path(source)}.jsonl" for source in sources]
    _check(storage, sources, names, common, reducer is None)
    if not sources:
        return
    plan = Plan(alone, opening, needs.cpus, storage.place, common.resume, os.getcwd(), _relative(sources, opening),
                {name: value for name, value in os.environ.items() if name.startswith("VTK_")})
    token = secrets.token_hex(4)
    heads: list[OfRun] = []
    with (joined(common.address) as ray,
          closing(Crew(ray, plan, storage, sources, names, needs, common.jobs, token)) as crew):
        for found in crew.reports():
            if found is None:
                yield IDLE
            elif isinstance(found, VtkError):
                tally.hear("ray", None, found)
            else:
                number, report = found
                yield Begin(sources[number])
                if reducer is not None:
                    heads += [fresh for lines in report.of_run if (fresh := reducer.said(lines))]
                    reducer.take(number, report.left or [b""] * len(alone))
                tally.kept += report.kept
                if not report.kept:
                    tally.add(report.outcome)
                yield Done(sources[number], report.outcome, report.records)
    if reducer is not None:
        _conclude(storage, token, heads, reducer, tally)


def _conclude(storage: Storage, token: str, heads: Sequence[OfRun], reducer: Reducer, tally: Tally) -> None:
    """Write what concerns the whole run, where there is anything."""
    with closing(reducer):
        rest = reducer.lines(tally)
        first = [] if heads else next((part for part in rest if part), [])
        if not (heads or first):
            return
        with storage.writing(RUN_FILE, f"{token}-0") as file:
            for part in chain(heads, [first], rest):
                file.writelines(line + b"\n" for line in part)


def _check(storage: Storage, sources: Sequence[str], names: Sequence[str], common: Common, resumable: bool) -> None:
    """Refuse files that may not be replaced, and take away what earlier runs had begun to write of these sources."""
    there = storage.names({folder_of(name) for name in names})
    check_targets(storage.place, sources, common.overwrite or common.resume, resumable, there)
    wanted = set(names)
    for name in there:
        if whole_of(name) in wanted:
            storage.remove(name)


def _needs(common: Common) -> Needs:
    """Return what an actor takes of a machine: the processors that --threads says, and a GPU where --device asks for it.

    Raises:
        UsageError: --device names another CUDA device than the first: an actor sees one alone.
    """
    if not common.device.startswith("cuda"):
        return Needs(common.threads or 1)
    if common.device not in ("cuda", "cuda:0"):
        raise UsageError(f"--device is '{common.device}': on a cluster each worker sees one GPU, which is cuda:0")
    return Needs(common.threads or GPU_CPUS, 1)


def _relative(sources: Sequence[str], opening: Opening) -> bool:
    """Return whether names mean what they do in this folder alone."""
    from vtk.media.names import is_stream

    if opening.root is not None:
        return not os.path.isabs(opening.root)
    return any(not is_stream(source) and not source.startswith(("/", "file:", "seq:/")) for source in sources)


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Give Ray's module, joined to a cluster: that at ``address``, else that of this machine, else one of its own.

    Ray prints what becomes of machines on stdout; of that the records and stderr tell what concerns the run.
    """
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ImportError:
        raise UsageError("--engine ray needs Ray, which is not installed: pip install 'vidtk[ray]'") from None
    if address.startswith("ray://"):
        raise UsageError(f"--address is '{address}': run vtk on a machine of the cluster and give its HOST:PORT, or auto")
    ours = not ray.is_initialized()
    if ours:
        _reach(address or os.environ.get("RAY_ADDRESS", ""))
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        if ours:
            try:
                ray.init(address=address or None, log_to_driver=False, logging_level=logging.CRITICAL,
                         include_dashboard=False)
            except Exception as error:
                said = str(error).strip().splitlines() or [type(error).__name__]
                raise UsageError(f"cannot join the Ray cluster{f' at {address}' if address else ''}: {said[0]}") from None
        try:
            yield ray
        finally:
            if ours:
                ray.shutdown()


def _reach(address: str) -> None:
    """Raise UsageError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT).close()
    except OSError as error:
        raise UsageError(f"cannot join the Ray cluster at {address}: {error.strerror or error}; ray start --head says the "
                         "address") from None
