"""Whether the server can do its work now: what that depends on, asked one by one."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from model_heritage_backend.errors import HeritageError, InsufficientStorage, NotReady
from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.files import FileStore

OK = "ok"


class Readiness:
    """Asks the database, the data folder, the disk and the queue."""

    def __init__(self, database: Database, files: FileStore, executor: Executor) -> None:
        self._database = database
        self._files = files
        self._executor = executor
        self._checks: dict[str, Callable[[], str]] = {
            "database": self._ask_database,
            "data_folder": self._write_file,
            "disk": self._look_at_disk,
            "queue": self._look_at_queue,
            **({} if files.blobs.takes_files else {"storage": self._ask_storage}),
        }

    def check(self) -> dict[str, str]:
        """Dependency -> ``ok``.

        Raises
        ------
        NotReady
            When one is not.
        """
        found = self.ask()
        wrong = [name for name, answer in found.items() if answer != OK]
        if wrong:
            raise NotReady(" ".join(found[name] for name in wrong), failing=wrong, checks=found)
        return found

    def ask(self) -> dict[str, str]:
        """Dependency -> ``ok`` or what is wrong."""
        return {name: check() for name, check in self._checks.items()}

    def _ask_database(self) -> str:
        try:
            with self._database.read() as session:
                session.execute(select(1))
        except (SQLAlchemyError, HeritageError):
            return "The database does not answer."
        return OK

    def _write_file(self) -> str:
        path = self._files.staging / f"ready-{uuid.uuid4().hex}"
        try:
            path.write_bytes(b"")
            path.unlink()
        except OSError:
            return "The data folder cannot be written."
        return OK

    def _look_at_disk(self) -> str:
        try:
            self._files.check_room(0)
        except InsufficientStorage:
            return "Less is free on the disk than uploads leave to it."
        except OSError:
            return "The data folder is not there."
        return OK

    def _ask_storage(self) -> str:
        try:
            self._files.blobs.ask()
        except HeritageError:
            return "The storage of the files does not answer."
        return OK

    def _look_at_queue(self) -> str:
        return OK if self._executor.is_working else "Jobs are not being worked at."
