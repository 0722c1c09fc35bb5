"""From a received file to a stored model."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from sqlalchemy.exc import IntegrityError

from model_heritage_backend.clustering import ModelManagementSystem
from model_heritage_backend.errors import Conflict, DuplicateModel, InvalidRequest
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.jobs.executor import Executor
from model_heritage_backend.jobs.outcome import Outcome
from model_heritage_backend.jobs.run import Stopped
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.folding import fold
from model_heritage_backend.models.job_queue import build_job
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.sound_files import SoundFiles
from model_heritage_backend.models.staged_files import StagedFile
from model_heritage_backend.models.tables import Job, Model
from model_heritage_backend.services.admission import Admission
from model_heritage_backend.services.claims import check_claims
from model_heritage_backend.services.metrics import Metrics
from model_heritage_backend.services.model_rows import build_model
from model_heritage_backend.services.quotas import Quotas
from model_heritage_backend.services.texts import check_text
from model_heritage_backend.weights import is_misnamed, open_weights
from model_heritage_backend.weights.checkpoint_set import refuse_lone_part

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 5000
FILENAME_LENGTH = 255
READERS = 8
STORED = "The same file is stored as {!r}."


@dataclass(frozen=True)
class Upload:
    """``placed`` is False while the model still waits for its place in the tree."""

    model_id: str
    job_id: str
    placed: bool
    total_parameters: int
    layer_count: int
    structural_hash: str


class Intake:
    """Takes files in: from the body of a request, from parts that came one by one, or from a folder
    that is imported.

    Parameters
    ----------
    synchronous_seconds : how long an upload waits for its place in the tree
    """

    def __init__(
        self,
        lake: Lake,
        files: FileStore,
        sound_files: SoundFiles,
        management: ModelManagementSystem,
        executor: Executor,
        *,
        admission: Admission,
        quotas: Quotas,
        metrics: Metrics,
        synchronous_seconds: float,
    ) -> None:
        self._lake = lake
        self._files = files
        self._sound_files = sound_files
        self._management = management
        self._executor = executor
        self._admission = admission
        self._quotas = quotas
        self._metrics = metrics
        self._seconds = synchronous_seconds
        # Many may send at the same time; of so many, files are read at the same time.
        self._reading = threading.BoundedSemaphore(READERS)

    def upload(
        self,
        staged: StagedFile,
        *,
        filename: str,
        name: str = "",
        description: str = "",
        said: Mapping[str, Any] = MappingProxyType({}),
        wait: bool = True,
        owner_id: str | None = None,
    ) -> Upload:
        """Take a received file in: durable before this returns, placed in the tree if ``wait``.

        Every value of the file is read before anything is kept, so that a file that cannot be
        read leaves no trace. ``said``: what the person claims of it, see ``check_claims``;
        ``owner_id``: who brings it.

        Raises
        ------
        UnsupportedFormat, InvalidWeights
            When the file cannot be read.
        FamilyFull
            When its family is as large as one may be.
        DuplicateModel
            When these bytes are stored already; ``existing_id`` names the model.
        QuotaExceeded
            When there, or their owner, may keep no more.
        InvalidRequest
            When name, description or claims are not acceptable.
        """
        with self._metrics.count_upload():
            filename, name, description = self.check_names(
                filename=filename, name=name, description=description
            )
            said = check_claims(said)
            staged.finish()
            self._refuse_duplicate(staged)
            self._quotas.check(owner_id, staged.size)
            row, fingerprint = self._read(staged)
            row.name, row.name_folded, row.description = name, fold(name), description
            row.filename, row.file_size, row.owner_id = filename, staged.size, owner_id
            if is_misnamed(staged.path, filename):
                row.quality = [*row.quality, "misnamed"]
            job = build_job("process", model_id=row.id)
            # What the answer needs is read before the row is stored: it may be deleted meanwhile.
            model_id, job_id = row.id, job.id
            outcome = self._store(staged, row, fingerprint, job, said)
        return Upload(
            model_id=model_id,
            job_id=job_id,
            placed=wait and ends_in_time(outcome, self._seconds),
            total_parameters=fingerprint.total_parameters,
            layer_count=fingerprint.layer_count,
            structural_hash=fingerprint.structural_hash,
        )

    def check_names(
        self, *, filename: str, name: str, description: str, is_part: bool = False
    ) -> tuple[str, str, str]:
        """File name, name and description as they are kept.

        Raises
        ------
        InvalidRequest
            When one is not acceptable.
        InvalidWeights
            When the file is a part of a model, by its name, and ``is_part`` does not say so.
        """
        filename = PurePath(filename.replace("\\", "/")).name
        filename = check_text("file name", filename, FILENAME_LENGTH)
        name = check_text("name", name or PurePath(filename).stem, NAME_LENGTH)
        if not name:
            raise InvalidRequest("The model needs a name.")
        description = check_text("description", description, DESCRIPTION_LENGTH, lines=True)
        if not is_part:
            refuse_lone_part(filename)
        return filename, name, description

    def _read(self, staged: StagedFile) -> tuple[Model, Fingerprint]:
        """Every value of the file."""
        measure = self._metrics.measure
        with ExitStack() as stack:
            stack.enter_context(self._reading)
            with measure("file_conversion"):
                weights = stack.enter_context(open_weights(staged.path))
            self._admission.check_format(weights.format)
            with measure("signature_extraction"):
                fingerprint = fingerprint_weights(weights, checksum=staged.checksum)
            with measure("structural_analysis"):
                return build_model(weights, fingerprint), fingerprint

    def _refuse_duplicate(self, staged: StagedFile) -> None:
        existing = self._lake.find_by_checksum(staged.checksum)
        if existing is None:
            return
        detail = STORED.format(existing.name)
        if self._mend(staged):
            detail += " What was stored of it was damaged, and has been put right."
        raise DuplicateModel(detail, existing_id=existing.id)

    def _mend(self, staged: StagedFile) -> bool:
        """Put a received file in the place of one that is missing or damaged; whether it was."""
        checksum = staged.checksum
        with self._files.commit_lock:
            if not self._sound_files.is_lost(checksum) or not self._lake.find_by_checksum(checksum):
                return False
            self._files.publish(staged, anew=True)
            self._files.confirm(checksum)
        self._sound_files.forget(checksum)
        return True

    def _store(
        self,
        staged: StagedFile,
        row: Model,
        fingerprint: Fingerprint,
        job: Job,
        said: Mapping[str, Any],
    ) -> Outcome:
        """Keep the file and have its place found, if its family has room for it."""
        model_id, job_id = row.id, job.id
        self._admission.check_family(model_id, fingerprint)
        try:
            self._keep(staged, row, fingerprint, job, said)
            self._metrics.count_model(parameters=fingerprint.total_parameters, size=staged.size)
            outcome = self._executor.submit(job_id)
        except BaseException:
            self._admission.reject(model_id)
            raise
        self._admission.confirm(model_id)
        return outcome

    def _keep(
        self,
        staged: StagedFile,
        row: Model,
        fingerprint: Fingerprint,
        job: Job,
        said: Mapping[str, Any],
    ) -> None:
        """Blob first, rows second, both durable."""
        checksum = staged.checksum
        with self._files.sending(staged, self._lake.has_checksum), self._files.commit_lock:
            existing = self._lake.find_by_checksum(checksum)
            if existing is not None:
                raise DuplicateModel(STORED.format(existing.name), existing_id=existing.id)
            self._quotas.check(row.owner_id, row.file_size)
            self._files.publish(staged)
            try:
                self._lake.add(row, fingerprint, job, said)
            except BaseException as error:
                # Whatever went wrong, nobody will be told that the file is here.
                self._files.retract(checksum, staged.path)
                if isinstance(error, IntegrityError) and self._lake.find(row.id) is not None:
                    raise Conflict(
                        "Another model's checksum begins like this file's: both cannot be stored."
                    ) from error
                raise
            self._files.confirm(checksum)

    def identify(self, staged: StagedFile) -> dict[str, Any]:
        """Where would this file belong? Nothing of it is kept."""
        staged.finish()
        with open_weights(staged.path) as weights:
            fingerprint = fingerprint_weights(weights, checksum=staged.checksum)
        known = self._lake.find_by_checksum(staged.checksum)
        with self._executor.paused():
            answer = self._management.identify(fingerprint, lambda: open_weights(staged.path))
        return answer | {"existing_id": known.id if known else None}


def ends_in_time(outcome: Outcome, seconds: float) -> bool:
    """Whether a job ended; how it ended is in the model's status."""
    try:
        error = outcome.exception(seconds)
    except TimeoutError:
        return False
    return not isinstance(error, Stopped)
