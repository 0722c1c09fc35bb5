"""Processes that solve families side by side, for one job: Python would give threads one core.

Each has connections of its own, loads what it needs by ids, and sends the tree back; whoever asked
stores it, so that there is one writer. Evidence of pairs of files is kept where it is found.
"""

from __future__ import annotations

import queue
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import islice
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from model_heritage_backend.clustering.family_tasks import FamilyTask, solve_task
from model_heritage_backend.clustering.genealogy import (
    FamilyTree,
    choose_threshold,
    get_threshold,
)
from model_heritage_backend.clustering.threads import stay_single
from model_heritage_backend.clustering.watching import Watch, watch_nobody
from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.family_reader import FamilyReader
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.object_blobs import ObjectBlobs
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.storage import open_files
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.weights.limits import Limits, choose_limits, get_limits

BEAT_SECONDS = 0.5
AHEAD = 16
"""Families that each process may be ahead of one that takes long."""
STOP_SECONDS = 5.0

Stages = list[tuple[str, float]]
Answer = tuple[FamilyTree, Stages]


class SolverLost(HeritageError):
    """A process ended in the middle of a family. What was solved before is stored, so the next
    attempt goes on from there."""

    type = "solver-lost"
    title = "A process that solves families has ended"
    status = 503
    transient = True


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What a process needs to know to solve families of this lake."""

    database_url: str = field(repr=False)
    data_dir: Path
    engine: EngineOptions
    storage_url: str | None = None
    storage_cache_bytes: int = 0
    limits: Limits = field(default_factory=get_limits)
    threshold: float = field(default_factory=get_threshold)

    @classmethod
    def find(cls, database: Database, files: FileStore, engine: EngineOptions) -> Workplace:
        """That of this process."""
        url = database.engine.url.render_as_string(hide_password=False)
        place = cls(database_url=url, data_dir=files.data_dir, engine=engine)
        if isinstance(files.blobs, ObjectBlobs):
            address, limit = files.blobs.address, files.blobs.cache.limit
            return replace(place, storage_url=address, storage_cache_bytes=limit)
        return place

    def open(self) -> Callable[[FamilyTask], Answer]:
        """Ready to solve, in a process of its own."""
        choose_limits(**vars(self.limits))
        choose_threshold(self.threshold)
        stay_single()
        database = Database(open_engine(self.database_url))
        files = open_files(
            self.data_dir,
            max_file_bytes=1,
            storage_url=self.storage_url,
            storage_cache_bytes=self.storage_cache_bytes,
        )
        store = SqlStore(database, files, cache_bytes=0)
        reader = FamilyReader(database, store)
        stages: Stages = []
        management = self.engine.build(
            store, lambda stage, seconds: stages.append((stage, seconds))
        )

        def solve(task: FamilyTask) -> Answer:
            stages.clear()
            reader.read(task.members)
            tree = solve_task(task, reader, management.tree_builder)
            return tree, list(stages)

        return solve


class SolvingCrew:
    """``Solvers`` that are processes. They begin with the first task and end with the last.

    Parameters
    ----------
    processes : how many, >= 1
    watch : told how long each family took
    """

    def __init__(
        self, workplace: Workplace, *, processes: int, watch: Watch = watch_nobody
    ) -> None:
        self._workplace = workplace
        self._processes = processes
        self._watch = watch

    def solve(
        self, tasks: Iterable[FamilyTask], *, beat: Callable[[], None]
    ) -> Generator[FamilyTree, None, None]:
        """Trees in the order of the tasks.

        Raises
        ------
        SolverLost
            When a process was killed.
        HeritageError
            When a family cannot be solved.
        """
        waiting: deque[Future[Answer]] = deque()
        coming = iter(tasks)
        colleagues = [_Colleague(self._workplace) for _ in range(self._processes)]
        idle: queue.SimpleQueue[_Colleague] = queue.SimpleQueue()
        for colleague in colleagues:
            idle.put(colleague)

        def ask(task: FamilyTask) -> Answer:
            colleague = idle.get()
            try:
                return colleague.solve(task)
            finally:
                idle.put(colleague)

        # A thread for each process, which waits for its answers.
        with ThreadPoolExecutor(self._processes) as pool:
            try:
                while True:
                    free = AHEAD * self._processes - len(waiting)
                    waiting.extend(pool.submit(ask, task) for task in islice(coming, free))
                    if not waiting:
                        return
                    tree, stages = _await(waiting.popleft(), beat)
                    for stage, seconds in stages:
                        self._watch(stage, seconds)
                    yield tree
            finally:
                for future in waiting:
                    future.cancel()
                for colleague in colleagues:
                    colleague.stop()


class _Colleague:
    """One process, seen from this one."""

    def __init__(self, workplace: Workplace) -> None:
        # Not forked: locks and connections that other threads hold now must not come along.
        context = get_context("spawn")
        self._channel, theirs = context.Pipe()
        self._process = context.Process(
            target=_work, args=(workplace, theirs), name="solver", daemon=True
        )
        self._process.start()
        # The process alone has this end now: when it ends, whatever the reason, so does the pipe.
        theirs.close()

    def solve(self, task: FamilyTask) -> Answer:
        try:
            self._channel.send(task)
            answer: Answer | HeritageError = self._channel.recv()
        except (EOFError, OSError):
            self._process.join(STOP_SECONDS)
            code = self._process.exitcode
            if code is not None and code > 0:
                raise RuntimeError("a family could not be solved; the reason is above") from None
            raise SolverLost(f"A process that solves families was killed ({code}).") from None
        if isinstance(answer, HeritageError):
            raise answer
        return answer

    def stop(self) -> None:
        """At once: it holds nothing that would be lost."""
        self._process.terminate()
        self._process.join(STOP_SECONDS)


def _await(future: Future[Answer], beat: Callable[[], None]) -> Answer:
    while not wait([future], BEAT_SECONDS).done:
        beat()
    return future.result()


def _work(workplace: Workplace, channel: Connection[Any, Any]) -> None:
    """A process's whole life: until nobody is at the other end any more, or something unexpected
    happens, which Python then tells."""
    # Who is told to stop by Ctrl-C is the server, which then ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, BrokenPipeError):
        solve = workplace.open()
        while True:
            channel.send(_try(solve, channel.recv()))


def _try(solve: Callable[[FamilyTask], Answer], task: FamilyTask) -> Answer | HeritageError:
    try:
        return solve(task)
    except HeritageError as error:
        # What it has beside its sentence need not survive the way.
        return type(error)(error.detail)
