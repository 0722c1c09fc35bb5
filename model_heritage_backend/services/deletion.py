"""Deleting many models: what follows is told first, and one job does it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.errors import NotFound
from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.jobs.run import Progress
from model_heritage_backend.models.database import Database
from model_heritage_backend.models.deletions import Deletion, Deletions
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.job_queue import JobQueue
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.owners import Owners
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import Job

OWNER = "owner"
"""In a job's parameters: whose models it deletes, where it is about all that somebody brought."""


class DeletionService:
    """Of a model at once; of families, and of everything that somebody brought, by a job."""

    def __init__(
        self,
        database: Database,
        files: FileStore,
        sound_files: SoundFiles,
        lake: Lake,
        store: SqlStore,
        management: ModelManagementSystem,
        queue: JobQueue,
        executor: Executor,
    ) -> None:
        self._deletions = Deletions(database)
        self._owners = Owners(database)
        self._files = files
        self._sound_files = sound_files
        self._lake = lake
        self._store = store
        self._management = management
        self._queue = queue
        self._executor = executor

    def weigh_model(self, model_id: str) -> Deletion:
        """What deleting it would do. Raises NotFound."""
        self._lake.get(model_id)
        return self._deletions.weigh([model_id])

    def weigh_family(self, family_id: str) -> Deletion:
        """What deleting all its members would do. Raises NotFound."""
        return self._deletions.weigh(self._store.get_family(family_id).tree.members)

    def weigh_owner(self, owner_id: str) -> Deletion:
        """What deleting all that somebody brought would do. Raises NotFound."""
        return self._deletions.weigh(self._list_models(owner_id))

    def delete_model(self, model_id: str) -> None:
        """Remove a model and its file; its family is solved again without it. Raises NotFound."""
        with self._executor.paused(), self._files.ballast.make_room():
            row = self._lake.get(model_id).row
            # Should the process die in the middle, this job solves the family after the restart.
            job_id = None
            if row.family_id is not None:
                job_id = self._queue.add("rebuild", model_id=model_id, family_id=row.family_id)
            with self._removing([row.checksum]):
                try:
                    result = self._management.remove_model(model_id)
                except BaseException:
                    if job_id is not None:
                        self._executor.submit(job_id)
                    raise
            if job_id is not None:
                self._queue.finish(job_id, result)

    def start_family(self, family_id: str) -> str:
        """Delete all members in the background; gives the job's id. Raises NotFound."""
        return self._start(self.weigh_family(family_id), family_id=family_id)

    def start_owner(self, owner_id: str) -> str:
        """Delete all that somebody brought, in the background; gives the job's id.

        Raises
        ------
        NotFound
            When they have no models.
        """
        return self._start(self.weigh_owner(owner_id), about={OWNER: owner_id})

    def work(self, job: Job, progress: Progress) -> dict[str, Any]:
        """The job. Stopped in the middle, it deletes the rest the next time, and solves the
        families that the first time had left without some of their members."""
        parameters = job.parameters
        wanted = parameters["models"]
        if OWNER in parameters:
            # The same file may have come again meanwhile, from somebody else.
            still = set(self._owners.list_models(parameters[OWNER]))
            wanted = [model_id for model_id in wanted if model_id in still]
        freed = self._deletions.weigh(wanted)
        rows = self._lake.list_by_ids(freed.models)
        checksums = [view.row.checksum for view in rows]
        progress(0.1, f"deleting {len(rows)} models")
        with self._files.ballast.make_room(), self._removing(checksums):
            result = self._management.remove_models(freed.models, families=parameters["families"])
        return result | {"models_deleted": len(rows), "bytes_freed": freed.bytes}

    @contextmanager
    def _removing(self, checksums: Sequence[str]) -> Iterator[None]:
        """Of the rows that go within the block, the files go after it."""
        with self._files.commit_lock:
            for checksum in checksums:
                self._files.mark(checksum)
        try:
            yield
        finally:
            for checksum in checksums:
                with self._files.commit_lock:
                    if self._lake.has_checksum(checksum):
                        self._files.confirm(checksum)
                    else:
                        self._files.remove(checksum)
                        self._sound_files.forget(checksum)

    def _list_models(self, owner_id: str) -> Sequence[str]:
        models = self._owners.list_models(owner_id)
        if not models:
            raise NotFound(f"Nobody of the id {owner_id!r} has models here.")
        return models

    def _start(
        self,
        deletion: Deletion,
        *,
        family_id: str | None = None,
        about: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        # Before the job itself begins, its row is written several times.
        self._files.ballast.throw_off()
        named = {"models": list(deletion.models), "families": list(deletion.families)}
        job_id = self._queue.add("delete", family_id=family_id, parameters={**named, **about})
        self._executor.submit(job_id)
        return job_id
