"""Processes of ``vtk`` that begin with its libraries imported already: forks of one that did nothing else.

To import them takes longer than most tests' work. A fork has its own arguments, folder, variables, pipes and exit code,
and ends as any Python process does; what it cannot have are variables that libraries read when they are imported.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Lock, Thread

# What most commands import. Not torch, whose threads do not outlive a fork, nor what few commands need.
IMPORTED = (
    "av.video", "cv2", "numba", "numpy", "openvino", "PIL.Image", "pydantic.main", "typer", "zoneinfo",
    "vtk.cli", "vtk.schema", "vtk.driver.run", "vtk.driver.stream", "vtk.driver.source_run", "vtk.media.fingerprint",
    "vtk.media.pyav", "vtk.media.image", "vtk.media.video", "vtk.media.writer", "vtk.models.motion",
    "vtk.models.openvino", "vtk.kernels.association.cpu", "vtk.kernels.kalman.cpu", "vtk.tracking.stage",
    "vtk.copies.stage", "vtk.liveness.stage", "vtk.piping", "vtk.reid.stage", "vtk.report.draw", "vtk.scenes.stage",
    "vtk.species.stage", "vtk.text.stage",
)  # fmt: skip


def same_imports(environment: dict[str, str], other: dict[str, str]) -> bool:
    """Tell whether two environments differ only in what is read later than at import."""
    differing = {name for name, _ in environment.items() ^ other.items()}
    return all(name.startswith(("VTK_", "PYTEST_")) for name in differing)


class Forks:
    """A process that waits, and forks for each command it is told.

    Args:
        environment: what libraries find in it when they are imported.
    """

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.lock = Lock()
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], pass_fds=[theirs.fileno()],
                                        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        theirs.close()

    def run(self, arguments: list[str], stdin: bytes, cwd: Path | None, timeout: float,
            environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        """Run ``vtk`` with ``arguments`` as ``subprocess.run`` would, one at a time."""
        with self.lock:
            return self._run(arguments, stdin, cwd, timeout, environment)

    def _run(self, arguments: list[str], stdin: bytes, cwd: Path | None, timeout: float,
             environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
        (read_in, write_in), (read_out, write_out), (read_err, write_err) = os.pipe(), os.pipe(), os.pipe()
        request = {"arguments": arguments, "cwd": os.fspath(cwd or Path.cwd()), "environment": environment}
        theirs = [read_in, write_out, write_err]
        socket.send_fds(self.channel, [json.dumps(request).encode(errors="surrogateescape")], theirs)
        for end in theirs:
            os.close(end)
        said: dict[int, bytes] = {}
        threads = [Thread(target=_feed, args=(write_in, stdin), daemon=True),
                   *(Thread(target=_drain, args=(end, said), daemon=True) for end in (read_out, read_err))]
        for thread in threads:
            thread.start()
        number = int(self.channel.recv(64))
        self.channel.settimeout(timeout)
        try:
            status = int(self.channel.recv(64))
        except TimeoutError:
            os.kill(number, signal.SIGKILL)
            self.channel.settimeout(None)
            self.channel.recv(64)
            raise subprocess.TimeoutExpired(["vtk", *arguments], timeout) from None
        finally:
            self.channel.settimeout(None)
        for thread in threads:
            thread.join()
        return subprocess.CompletedProcess(["vtk", *arguments], os.waitstatus_to_exitcode(status), said[read_out],
                                           said[read_err])

    def close(self) -> None:
        """End the process that waits."""
        self.channel.close()
        self.process.wait()


def _feed(end: int, data: bytes) -> None:
    try:
        with open(end, "wb", buffering=0) as pipe:
            while data:
                data = data[pipe.write(data):]
    except BrokenPipeError:
        pass


def _drain(end: int, said: dict[int, bytes]) -> None:
    with open(end, "rb") as pipe:
        said[end] = pipe.read()


def wait(channel: socket.socket) -> None:
    """Fork for each request; returns in the fork alone, which is then as one that was started for it."""
    while True:
        data, ends, _, _ = socket.recv_fds(channel, 1 << 20, 3)
        if not data:
            sys.exit()
        number = os.fork()
        if number == 0:
            channel.close()
            become(json.loads(data), ends)
            return
        for end in ends:
            os.close(end)
        channel.send(str(number).encode())
        channel.send(str(os.waitpid(number, 0)[1]).encode())


def become(request: dict[str, object], ends: list[int]) -> None:
    """Take the pipes, the folder, the variables and the arguments of a request."""
    for target, end in enumerate(ends):
        os.dup2(end, target)
        os.close(end)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv[1:] = request["arguments"]
    sys.path[0] = request["cwd"]


if __name__ == "__main__":
    for name in IMPORTED:
        importlib.import_module(name)
    sys.modules["numba"].njit(lambda value: value + 1)(1)  # what the compiler sets up once
    gc.freeze()
    wait(socket.socket(fileno=int(sys.argv[1])))
    from vtk.cli import main

    main()
