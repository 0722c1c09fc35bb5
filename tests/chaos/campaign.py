"""A server killed again and again while clients use it, and judged after every restart."""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from model_heritage_backend.errors import HeritageError
from model_heritage_backend.models.migrate import downgrade_database
from model_heritage_backend.places import PROJECT
from model_heritage_backend.services.backups import check_data, restore_backup
from tests.chaos.audit import Audit
from tests.chaos.client import Client
from tests.chaos.ledger import Ledger
from tests.chaos.servers import Starter, Victim

MODELS_EACH = 6
REST_SECONDS = 150.0
USE_SECONDS = 20.0
FIRST_ANSWER_SECONDS = 5.0
START_KILL_SHARE = 0.25
BACKUP_SHARE = 0.25
MIGRATION_EVERY = 8
EARLIER_REVISION = "-1"
MOST_FAULTS = 20


@dataclass
class Figures:
    """What a campaign came to."""

    kills: int = 0
    kills_at_start: int = 0
    kills_while_migrating: int = 0
    backups_begun: int = 0
    backups_whole: int = 0
    first_answers: list[float] = field(default_factory=list)
    first_models: list[float] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)
    late: list[str] = field(default_factory=list)

    def to_dict(self, ledger: Ledger, seconds: float) -> dict[str, Any]:
        answers, models = sorted(self.first_answers), sorted(self.first_models)
        return {
            "kills": self.kills,
            "kills_at_start": self.kills_at_start,
            "kills_while_migrating": self.kills_while_migrating,
            "backups_begun": self.backups_begun,
            "backups_whole": self.backups_whole,
            "restarts_judged": len(answers),
            "first_answer_seconds": {
                "median": round(answers[len(answers) // 2], 2),
                "longest": round(answers[-1], 2),
                "late": self.late,
                "of_the_database_median": round(models[len(models) // 2], 2),
                "of_the_database_longest": round(models[-1], 2),
                "load_of_the_machine": f"{min(self.loads):.1f} to {max(self.loads):.1f}",
            },
            "done": dict(sorted(ledger.done.items())),
            "models_at_the_end": len(ledger.list_stored()),
            "seconds": round(seconds),
            "faults": ledger.faults,
        }


class Campaign:
    """One run of so many kills.

    Parameters
    ----------
    folder : empty; for the data and all else
    longest_life : seconds from opening the gate to the clients until the kill, at most
    deep_every : so many judgements apart, the genealogy is held against one from scratch
    first_answer : seconds from a start to the first answer, more of which is a fault on a machine
        that nobody else uses
    """

    def __init__(
        self,
        starter: Starter,
        folder: Path,
        *,
        clients: int,
        seed: int,
        longest_life: float,
        deep_every: int,
        first_answer: float = FIRST_ANSWER_SECONDS,
    ) -> None:
        self.ledger = Ledger(clients * MODELS_EACH)
        self.figures = Figures()
        self._folder = folder
        self._victim = Victim(starter, folder / "data")
        self._audit = Audit(self._victim, self.ledger)
        self._random = random.Random(seed)
        self._gate = threading.Event()
        self._longest_life = longest_life
        self._deep_every = deep_every
        self._first_answer = first_answer
        self._backups: list[tuple[Path, subprocess.Popen[bytes], set[str]]] = []
        self._clients = [
            Client(
                self._victim,
                self.ledger,
                self.ledger.entries[number::clients],
                gate=self._gate,
                seed=seed * 1000 + number,
            )
            for number in range(clients)
        ]

    def run(self, kills: int, *, seconds: float = math.inf) -> dict[str, Any]:
        """Kill so many times, or for so long; all figures, JSON-ready."""
        began = time.monotonic()
        (self._folder / "data").mkdir(parents=True)
        self._victim.start()
        self._victim.wait()
        for client in self._clients:
            client.start()
        while self.figures.kills < kills and len(self.ledger.faults) < MOST_FAULTS:
            if time.monotonic() - began > seconds:
                break
            self._live()
            if len(self.figures.first_answers) % MIGRATION_EVERY == MIGRATION_EVERY - 1:
                self._migrate()
            while self._random.random() < START_KILL_SHARE and self.figures.kills < kills:
                self._die_at_start()
            self._victim.start()
            self._judge()
        for client in self._clients:
            client.end()
        for client in self._clients:
            client.join(REST_SECONDS)
        self._check_backups()
        self._victim.kill()
        return self.figures.to_dict(self.ledger, time.monotonic() - began)

    def _live(self) -> None:
        """Clients at work, perhaps a backup, and death."""
        before = self.ledger.count_all()
        self._gate.set()
        first, second = (self._random.uniform(0.0, self._longest_life / 2) for _ in range(2))
        time.sleep(first)
        if self._random.random() < BACKUP_SHARE:
            self._begin_backup()
        time.sleep(second)
        # On a slow machine a life may be over before anything was asked for, or any model stored.
        deadline = time.monotonic() + USE_SECONDS
        while time.monotonic() < deadline:
            if self.ledger.count_all() > before and "stored" in self.ledger.done:
                break
            time.sleep(0.02)
        self._victim.kill()
        self._gate.clear()
        self._kill_backups()
        self.figures.kills += 1
        for client in self._clients:
            if not client.rest(REST_SECONDS):
                self.ledger.accuse("a client waits for a dead server")

    def _die_at_start(self) -> None:
        self._victim.start()
        time.sleep(self._random.uniform(0.0, self._longest_life))
        self._victim.kill()
        self.figures.kills += 1
        self.figures.kills_at_start += 1

    def _migrate(self) -> None:
        """The database of the version before, whose upgrade is killed."""
        engine = create_engine(f"sqlite:///{self._victim.data_dir}/app.db")
        downgrade_database(engine, EARLIER_REVISION)
        engine.dispose()
        self._die_at_start()
        self.figures.kills_while_migrating += 1

    def _judge(self) -> None:
        seconds = self._victim.wait()
        load, cores = os.getloadavg()[0], os.cpu_count() or 1
        self.figures.first_answers.append(seconds)
        self.figures.first_models.append(self._victim.wait("/api/models?limit=1"))
        self.figures.loads.append(load)
        if seconds > self._first_answer:
            late = f"{seconds:.1f} s at load {load:.1f}"
            self.figures.late.append(late)
            # Where others have the machine, nothing is known of ours.
            if load <= cores + 1:
                self.ledger.accuse(f"the first answer took {late}")
        deep = len(self.figures.first_answers) % self._deep_every == 0
        self._audit.check(deep=deep)

    # Backups -----------------------------------------------------------------------------------

    def _begin_backup(self) -> None:
        target = self._folder / f"backup-{self.figures.backups_begun}"
        promised = {e.checksum for e in self.ledger.entries if e.stored}
        process = subprocess.Popen(
            [sys.executable, "-m", "model_heritage_backend", "backup", str(target), "--data-dir",
             str(self._victim.data_dir)],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        self.figures.backups_begun += 1
        self._backups.append((target, process, promised))

    def _kill_backups(self) -> None:
        for _, process, _ in self._backups:
            with contextlib.suppress(ProcessLookupError):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _check_backups(self) -> None:
        """A killed backup is refused; one that came to its end can be restored, every byte."""
        for target, process, _ in self._backups:
            again = target.with_name(f"{target.name}-again")
            try:
                restore_backup(target, again, advance=lambda _: None)
            except HeritageError as error:
                if process.returncode == 0:
                    self.ledger.accuse(f"{target.name} cannot be restored: {error.detail}")
                continue
            self.figures.backups_whole += 1
            for problem in check_data(again, quick=False, advance=lambda _: None).problems:
                self.ledger.accuse(f"{target.name}: {problem}")
