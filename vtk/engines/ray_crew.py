"""The actors of a run on a Ray cluster: how many there are, what each does, and what is done when one dies."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vtk.engines.local import WorkerError
from vtk.engines.ray_worker import Hello, Plan, Report, Worker
from vtk.engines.storage import DiskFolder, Storage, part_name
from vtk.engines.worker import lost_lines
from vtk.errors import VtkError

ATTEMPTS = 3  # one more than for processes of one machine: on a cluster a machine may go that had no fault in it
STARTS = 3  # actors that die one after another before any of them was ready
PATIENCE = 30.0  # seconds without any actor after which the user is told
LOOK = 5.0  # seconds between two looks at how large the cluster is
SEEN = 10.0  # seconds that a file may take to be seen from another machine


@dataclass(frozen=True)
class Needs:
    """What an actor takes of a machine."""

    cpus: int = 1
    gpus: int = 0

    def fit(self, resources: dict[str, float]) -> int:
        """Return how many actors ``resources`` have room for."""
        room = int(resources.get("CPU", 0) // self.cpus)
        return min(room, int(resources.get("GPU", 0) // self.gpus)) if self.gpus else room

    def __str__(self) -> str:
        return f"{self.cpus} CPU{'s' * (self.cpus > 1)}" + (f" and {self.gpus} GPU" if self.gpus else "")


@dataclass
class _Post:
    """An actor, and the number of the source that it does; None while it loads its models."""

    actor: Any
    number: int | None = None


class Crew:
    """Actors that do sources, each a source at a time; what is in flight is as many as there are actors.

    Args:
        ray: the module, joined to a cluster.
        plan: for the actors.
        storage: what they write to.
        sources: of the run.
        names: of their files.
        needs: of each actor.
        most: how many there are at most; None: as many as the cluster has room for, and one more that waits, for which
            a cluster that can will add a machine.
        token: of this run, in the names of part files.
    """

    def __init__(self, ray: Any, plan: Plan, storage: Storage, sources: Sequence[str], names: Sequence[str],
                 needs: Needs, most: int | None, token: str) -> None:
        self._ray = ray
        self._plan, self._storage = plan, storage
        self._sources, self._names = sources, names
        self._needs, self._most, self._token = needs, most, token
        self._waiting = deque(range(len(sources)))
        self._tries = Counter[int]()
        self._posts: dict[Any, _Post] = {}  # by the reference of what each was asked
        self._actor = ray.remote(Worker).options(num_cpus=needs.cpus, num_gpus=needs.gpus, max_restarts=0)
        self._shared = ray.put(plan)
        self._room, self._looked = 0, float("-inf")
        self._died = 0
        self._nodes: set[str] = set()
        self._begun, self._told = time.monotonic(), False

    def reports(self) -> Iterator[tuple[int, Report] | VtkError | None]:
        """Yield the number and the report of each source, as they are done.

        None tells that nothing happened for a while, an error that it is to be told to the user.

        Raises:
            VtkError: no source can be done, or none can be written.
        """
        left = len(self._sources)
        while left:
            self._hire()
            ready, _ = self._ray.wait(list(self._posts), num_returns=1, timeout=1.0)
            if not ready:
                yield self._silence()
                continue
            for ref in self._ray.wait(list(self._posts), num_returns=len(self._posts), timeout=0)[0]:
                found = self._hear(self._posts.pop(ref), ref)
                if found is not None:
                    left -= 1
                    yield found

    def close(self) -> None:
        """End all actors, and take away what they had begun to write."""
        for post in self._posts.values():
            self._dismiss(post)
        self._posts = {}

    def _hire(self) -> None:
        """Start actors, as many as there is work and room for."""
        starting = sum(post.number is None for post in self._posts.values())
        if self._most is not None:
            room = self._most - len(self._posts)
        else:
            if time.monotonic() - self._looked > LOOK:
                self._room, self._looked = self._needs.fit(self._ray.cluster_resources()), time.monotonic()
            room = max(1, self._room - (len(self._posts) - starting)) - starting
        for _ in range(min(room, len(self._waiting) - starting)):
            actor = self._actor.remote(self._shared)
            self._posts[actor.ready.remote()] = _Post(actor)

    def _hear(self, post: _Post, ref: Any) -> tuple[int, Report] | None:
        """Take in what an actor says, or that it died, and give it something to do."""
        number = post.number
        try:
            said = self._ray.get(ref)
        except self._ray.exceptions.RayError as error:
            self._dismiss(post)
            if number is None:
                self._died += 1
                if self._died >= STARTS:
                    raise WorkerError(f"no worker starts on the cluster: {_reason(error)}; every machine needs vidtk, "
                                      "of the same version") from None
                return None
            return self._again(number, WorkerError(
                f"the worker that did it died ({type(error).__name__}), {ATTEMPTS} times; out of memory, or a damaged "
                "file that crashes a decoder"))
        if isinstance(said, VtkError):
            if number is None or self._tries[number] >= ATTEMPTS:
                raise said
            self._waiting.appendleft(number)
        self._died = 0
        self._give(post)
        if isinstance(said, (Hello, VtkError)) or number is None:
            return None
        if not said.kept and said.node not in self._nodes:
            self._see(self._names[number], said.node)
            self._nodes.add(said.node)
        return number, said

    def _give(self, post: _Post) -> None:
        """Give an actor the next source, or end it."""
        post.number = None
        if not self._waiting:
            self._dismiss(post)
            return
        post.number = self._waiting.popleft()
        self._tries[post.number] += 1
        ref = post.actor.do.remote(self._sources[post.number], self._names[post.number], self._try(post.number))
        self._posts[ref] = post

    def _again(self, number: int, error: VtkError) -> tuple[int, Report] | None:
        """Let another actor do a source, or write that none could."""
        if self._tries[number] < ATTEMPTS:
            self._waiting.appendleft(number)
            return None
        lines, outcome = lost_lines(self._plan.factories, self._sources[number], error)
        with self._storage.writing(self._names[number], f"{self._token}-0") as file:
            file.writelines(line + b"\n" for line in lines)
        return number, Report(outcome, len(lines))

    def _dismiss(self, post: _Post) -> None:
        """End an actor, and take away the part that it wrote."""
        with suppress(Exception):  # it may be gone
            self._ray.kill(post.actor)
        if post.number is not None:
            self._storage.remove(part_name(self._names[post.number], self._try(post.number)))

    def _try(self, number: int) -> str:
        return f"{self._token}-{self._tries[number]}"

    def _see(self, name: str, node: str) -> None:
        """Raise VtkError where what a machine wrote on its disk is not seen here."""
        until = time.monotonic() + SEEN
        while isinstance(self._storage, DiskFolder) and not self._storage.has(name):
            if time.monotonic() > until:
                raise VtkError(f"machine {node} wrote {name} into {self._storage.place}, and it is not seen here: "
                               "--out-dir must be a folder that all machines share, or object storage", code="E_WRITE")
            time.sleep(0.1)

    def _silence(self) -> VtkError | None:
        """Return what to tell the user when no actor has started for long; once."""
        starting = all(post.number is None for post in self._posts.values())
        if self._told or not starting or time.monotonic() - self._begun < PATIENCE:
            return None
        self._told = True
        has = self._ray.cluster_resources()
        return VtkError(f"still waiting for the cluster: a worker needs {self._needs}, and of its "
                        f"{has.get('CPU', 0):g} CPUs and {has.get('GPU', 0):g} GPUs none are free", code="E_WAIT")


def _reason(error: Exception) -> str:
    """Return the line of an error of Ray's that says most: the last of what it quotes."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in reversed(lines) if "Error" in line), lines[0] if lines else type(error).__name__)
