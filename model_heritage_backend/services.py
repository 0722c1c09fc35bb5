"""Use cases: what a request or a command asks for, between the routes and the rooms below."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from sqlalchemy.exc import IntegrityError

from model_heritage_backend.clustering import FamilyRecord, ModelManagementSystem
from model_heritage_backend.errors import DuplicateModel, InvalidRequest, InvalidWeights, NotFound
from model_heritage_backend.fingerprints import (
    Structure,
    describe_structure,
    fingerprint_weights,
)
from model_heritage_backend.jobs.executor import JobExecutor, Progress
from model_heritage_backend.models.database import Database, now
from model_heritage_backend.models.files import FileStore, StagedFile
from model_heritage_backend.models.lake import Lake, ModelView, fold, new_model_id
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import Job, Model
from model_heritage_backend.weights import open_weights

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 5000


@dataclass(frozen=True)
class Upload:
    """``placed`` is False while the model still waits for its place in the tree."""

    model_id: str
    job_id: str
    placed: bool
    structure: Structure


class HeritageService:
    """The application without HTTP.

    Parameters
    ----------
    database, files : where everything is kept
    fingerprint_cache_bytes : memory for fingerprints in use
    synchronous_seconds : how long an upload waits for its place in the tree
    """

    def __init__(
        self,
        database: Database,
        files: FileStore,
        *,
        fingerprint_cache_bytes: int,
        synchronous_seconds: float,
    ) -> None:
        self.files = files
        self.lake = Lake(database)
        self.store = SqlStore(database, files, cache_bytes=fingerprint_cache_bytes)
        self.management = ModelManagementSystem(self.store)
        self.jobs = JobExecutor(self.lake, self._work)
        self._database = database
        self._seconds = synchronous_seconds

    def start(self) -> None:
        """Clear away what unfinished uploads left, and go on with unfinished work."""
        self.files.sweep(self.lake.list_checksums())
        self.jobs.start()

    def stop(self) -> None:
        self.jobs.stop()
        self._database.close()

    # Models ------------------------------------------------------------------------------------

    def upload(
        self,
        staged: StagedFile,
        *,
        filename: str,
        name: str = "",
        description: str = "",
        wait: bool = True,
    ) -> Upload:
        """Take a received file in: durable before this returns, placed in the tree if ``wait``.

        Raises
        ------
        UnsupportedFormat, InvalidWeights
            When the file cannot be read; nothing of it stays.
        DuplicateModel
            When these bytes are stored already; ``existing_id`` names the model.
        InvalidRequest
            When name or description are not acceptable.
        """
        filename = PurePath(filename.replace("\\", "/")).name[:255]
        name = check_text("name", name or PurePath(filename).stem, NAME_LENGTH)
        if not name:
            raise InvalidRequest("The model needs a name.")
        description = check_text("description", description, DESCRIPTION_LENGTH, lines=True)
        staged.finish()
        with open_weights(staged.path) as weights:
            structure, file_format = describe_structure(weights), weights.format
        checksum = staged.checksum
        row = Model(
            id=new_model_id(),
            name=name,
            name_folded=fold(name),
            description=description,
            filename=check_text("filename", filename, 255),
            format=file_format,
            file_path=f"blobs/{checksum}",
            file_size=staged.size,
            checksum=checksum,
            total_parameters=structure.total_parameters,
            layer_count=structure.layer_count,
            structural_hash=structure.structural_hash,
            dtypes=dict(structure.dtypes),
            quality=[],
            claims={},
        )
        row.weights_uri = f"/api/models/{row.id}/download"
        model_id = row.id
        job_id = self._keep(staged, row)
        self.jobs.submit(job_id, awaited=wait)
        try:
            placed = self.jobs.wait(job_id, seconds=self._seconds) if wait else False
        except InvalidWeights:
            # Only reading every value showed that the file is damaged: nobody was told it is here.
            self._forget(model_id)
            raise
        return Upload(model_id, job_id, placed, structure)

    def _keep(self, staged: StagedFile, row: Model) -> str:
        """Blob first, row second, both durable; gives the id of the job that will place it."""
        with self.files.commit_lock:
            existing = self.lake.find_by_checksum(staged.checksum)
            if existing is not None:
                raise DuplicateModel(
                    f"The same file is stored as {existing.name!r}.", existing_id=existing.id
                )
            self.files.publish(staged)
            try:
                return self.lake.add(row)
            except IntegrityError as error:
                other = self.lake.find_by_checksum(staged.checksum)
                if other is None:
                    self.files.remove(staged.checksum)
                    raise
                raise DuplicateModel(
                    f"The same file is stored as {other.name!r}.", existing_id=other.id
                ) from error

    def reprocess(self, model_id: str) -> None:
        """Read the file again where needed and place the model again."""
        self.lake.get(model_id)
        job_id = self.lake.add_job("reprocess", model_id=model_id)
        self.jobs.submit(job_id, awaited=True)
        self.jobs.wait(job_id, seconds=self._seconds)

    def edit(self, model_id: str, *, name: str | None, description: str | None) -> None:
        values: dict[str, Any] = {}
        if name is not None:
            values["name"] = check_text("name", name, NAME_LENGTH)
            if not values["name"]:
                raise InvalidRequest("The model needs a name.")
            values["name_folded"] = fold(values["name"])
        if description is not None:
            values["description"] = check_text(
                "description", description, DESCRIPTION_LENGTH, lines=True
            )
        self.lake.change(model_id, values)

    def delete(self, model_id: str) -> None:
        """Remove a model and its file; its family is solved again without it."""
        checksum = self.lake.get(model_id).row.checksum
        with self.jobs.paused():
            self.management.remove_model(model_id)
            with self.files.commit_lock:
                if self.lake.find_by_checksum(checksum) is None:
                    self.files.remove(checksum)

    def _forget(self, model_id: str) -> None:
        checksum = self.lake.get(model_id).row.checksum
        with self.jobs.paused():
            self.store.remove_model(model_id)
            with self.files.commit_lock:
                self.files.remove(checksum)

    def identify(self, staged: StagedFile) -> dict[str, Any]:
        """Where would this file belong? Nothing of it is kept."""
        staged.finish()
        with open_weights(staged.path) as weights:
            fingerprint = fingerprint_weights(weights, checksum=staged.checksum)
        known = self.lake.find_by_checksum(staged.checksum)
        with self.jobs.paused():
            answer = self.management.identify(fingerprint, lambda: open_weights(staged.path))
        return answer | {"existing_id": known.id if known else None}

    # Families ------------------------------------------------------------------------------------

    def rebuild(self, family_id: str) -> tuple[str, dict[str, Any]]:
        """Solve a family again; (job id, result)."""
        self.store.get_family(family_id)
        job_id = self.lake.add_job("rebuild", family_id=family_id)
        self.jobs.submit(job_id, awaited=True)
        ended = self.jobs.wait(job_id, seconds=self._seconds)
        job = self.lake.get_job(job_id)
        return job_id, dict(job.result or {}) if ended else {"status": "queued"}

    def recluster(self) -> str:
        """Start solving everything from scratch; gives the job's id."""
        job_id = self.lake.add_job("recluster")
        self.jobs.submit(job_id)
        return job_id

    def get_tree(self, family_id: str) -> tuple[FamilyRecord, list[ModelView]]:
        family = self.store.get_family(family_id)
        return family, self.lake.list_by_ids(family.tree.members)

    # Work --------------------------------------------------------------------------------------

    def _work(self, job: Job, progress: Progress) -> dict[str, Any]:
        """Do one job; called by the executor's thread alone."""
        if job.kind in ("process", "reprocess"):
            return self._place(str(job.model_id), progress)
        if job.kind == "rebuild":
            progress(0.1, "solving the family")
            return self.management.rebuild_family_tree(str(job.family_id))
        return self.management.recluster_all_models(progress)

    def _place(self, model_id: str, progress: Progress) -> dict[str, Any]:
        progress(0.1, "reading the weights")
        try:
            self.store.add_model(model_id)
            progress(0.5, "finding the family")
            result = self.management.process_new_model(model_id)
        except NotFound:
            raise
        except Exception as error:
            self._mark_failed(model_id, error)
            raise
        self.lake.change(model_id, {"status": "ok", "error": None, "processed_at": now()})
        return {key: value for key, value in result.items() if key != "edge"}

    def _mark_failed(self, model_id: str, error: Exception) -> None:
        reason = getattr(error, "detail", "Something unexpected went wrong while reading it.")
        self.lake.change(model_id, {"status": "error", "error": reason, "processed_at": now()})


def check_text(field: str, value: str, limit: int, *, lines: bool = False) -> str:
    """Text that people typed, trimmed.

    Raises
    ------
    InvalidRequest
        When it is too long or holds control characters (``lines`` allows line breaks and tabs).
    """
    value = value.strip()
    if len(value) > limit:
        raise InvalidRequest(f"The {field} is longer than {limit} characters.")
    allowed = "\n\r\t" if lines else ""
    if any((ord(c) < 32 or 127 <= ord(c) < 160) and c not in allowed for c in value):
        raise InvalidRequest(f"The {field} contains control characters.")
    if any(0xD800 <= ord(c) < 0xE000 for c in value):
        raise InvalidRequest(f"The {field} is not valid text.")
    return value
