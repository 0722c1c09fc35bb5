"""Uploads that may break off and go on: from their announcement to a model."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from model_heritage_backend.errors import (
    Conflict,
    DuplicateModel,
    FileTooLarge,
    HeritageError,
    InvalidRequest,
)
from model_heritage_backend.models.bundles import BUNDLE_NAME, bundle
from model_heritage_backend.models.claims import FIELDS
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.reception import Check, Reception, UploadRecord, UploadState
from model_heritage_backend.models.receptions import Receptions
from model_heritage_backend.models.staged_files import StagedFile
from model_heritage_backend.services.claims import check_claims
from model_heritage_backend.services.intake import Intake, Upload
from model_heritage_backend.services.quotas import Quotas

logger = logging.getLogger(__name__)

ATTEMPTS = 3
STOP_SECONDS = 10.0
GIVEN_UP = HeritageError("The server ended whenever it looked at this file, so it was given up.")
UNEXPECTED = HeritageError("Something unexpected went wrong; the server's log has the details.")
PART = "part"
IS_PART = "1"


@dataclass(frozen=True)
class Body:
    """Bytes of one request.

    ``read(size)`` gives nothing at their end, ``expected`` is their announced number, ``check``
    their announced checksum; ``interrupt`` makes a ``read`` that waits return.
    """

    read: Callable[[int], bytes]
    expected: int | None
    check: Check | None
    interrupt: Callable[[], None]


class ResumableUploads:
    """Announce, append, finish, join.

    An upload that is whole goes the way of all others: ``Intake.upload``. Its words are
    checked when it is announced, not after gigabytes. What the end of the process interrupts goes
    on after the next start.
    """

    def __init__(
        self,
        intake: Intake,
        receptions: Receptions,
        *,
        files: FileStore,
        lake: Lake,
        quotas: Quotas,
    ) -> None:
        self._intake = intake
        self._receptions = receptions
        self._files = files
        self._lake = lake
        self._quotas = quotas
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._resume, name="uploads", daemon=True)

    # Life --------------------------------------------------------------------------------------

    def load(self) -> None:
        """Take over what a former process left; before ``FileStore.sweep``, which would remove
        bytes that were on their way into the store."""
        moves_files = self._files.blobs.takes_files
        for reception in self._receptions.load():
            record, is_there = reception.record, reception.path.is_file()
            # Where the store copies files, the bytes are here also after they were stored.
            copied = is_there and record.state is UploadState.PROCESSING and not moves_files
            if not record.state.settled and (copied or not is_there):
                with self._receptions.hold(reception.record.id):
                    self._find_bytes(reception)

    def start(self) -> None:
        """Go on with whole files that no model was made of yet."""
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def remove_expired(self) -> dict[str, Any]:
        """Remove uploads that nobody went on with in time; how many, for a job's result."""
        return {"expired_uploads": self._receptions.remove_expired()}

    # Use ---------------------------------------------------------------------------------------

    def get(self, upload_id: str) -> Reception:
        """Raises NotFound."""
        return self._receptions.get(upload_id)

    def get_expiry(self, reception: Reception) -> datetime:
        return self._receptions.get_expiry(reception)

    def create(
        self,
        length: int,
        *,
        metadata: dict[str, str],
        sent_metadata: str,
        body: Body | None,
        owner_id: str | None = None,
    ) -> Reception:
        """Announce an upload of ``length`` bytes, and take the first of them.

        Parameters
        ----------
        metadata : ``filename`` or ``name``, ``description``, claims; ``part`` is ``1`` for a file
            that waits until ``join`` makes one model of several
        sent_metadata : the same as it was sent
        owner_id : who announces it

        Raises
        ------
        InvalidRequest, InvalidWeights, FileTooLarge, InsufficientStorage, QuotaExceeded
        HeritageError
            As ``append``; ``extra['upload_id']`` then names the upload.
        """
        if metadata.get(PART, IS_PART) != IS_PART:
            raise InvalidRequest("The metadata 'part' is 1 or left out.")
        names = _get_names(metadata)
        check_claims(_get_claims(metadata))
        self._intake.check_names(**names, is_part=PART in metadata)
        self._quotas.check(owner_id, length)
        reception = self._receptions.create(
            length, metadata=metadata, sent_metadata=sent_metadata, owner_id=owner_id
        )
        if body is not None or length == 0:
            try:
                self.append(reception.record.id, offset=0, body=body)
            except HeritageError as error:
                error.extra.setdefault("upload_id", reception.record.id)
                raise
        return reception

    def append(self, upload_id: str, *, offset: int, body: Body | None) -> Reception:
        """Take more bytes; with the last ones, make the model.

        The model is stored when this returns, its place in the tree is found by its job. Repeating
        the last request, without bytes, gives the same answer again.

        Raises
        ------
        NotFound, UploadBusy, FileTooLarge, ChecksumMismatch, InsufficientStorage
        Conflict
            When ``offset`` is not where this upload stands; ``extra['offset']`` says where.
        InvalidRequest
            When the request breaks off.
        HeritageError
            The whole file is refused: what ``Intake.upload`` raises.
        """
        with self._receptions.hold(upload_id) as reception:
            if offset != reception.offset:
                raise Conflict(
                    f"This upload stands at {reception.offset}, not at {offset}.",
                    offset=reception.offset,
                )
            if reception.record.problem and reception.record.state is UploadState.FAILED:
                raise _build_error(reception.record.problem)
            if body is not None and reception.record.state is UploadState.RECEIVING:
                self._files.check_room(body.expected or 0)
                reception.interrupt = body.interrupt
                try:
                    reception.append(body.read, expected=body.expected, check=body.check)
                finally:
                    reception.interrupt = None
            elif body is not None and body.read(1):
                raise FileTooLarge("This upload is whole; the request has more than is missing.")
            if reception.complete and not reception.record.state.settled:
                self._finish(reception)
        return reception

    def delete(self, upload_id: str) -> None:
        """Forget an upload and its bytes; a model that was made of it stays.

        Raises
        ------
        NotFound, UploadBusy
        """
        with self._receptions.hold(upload_id) as reception:
            self._receptions.remove(reception)

    def join(
        self,
        upload_ids: Sequence[str],
        *,
        name: str,
        description: str,
        said: Mapping[str, Any],
        wait: bool,
        owner_id: str | None = None,
    ) -> Upload:
        """One model of several uploads that wait as its parts.

        When the model is refused the parts stay, so that a missing one can be added; of a
        duplicate they go.

        Raises
        ------
        NotFound, UploadBusy, InsufficientStorage
        Conflict
            When one of them is not whole, or no part.
        HeritageError
            What ``Intake.upload`` raises.
        """
        with ExitStack() as stack:
            # In one order, as two requests that join the same parts would wait for each other.
            held = [
                stack.enter_context(self._receptions.hold(upload_id))
                for upload_id in sorted(upload_ids)
            ]
            for reception in held:
                _refuse_other_states(reception.record)
            parts = [
                (
                    stack.enter_context(closing(r.open_whole())),
                    _get_names(r.record.metadata)["filename"],
                )
                for r in held
            ]
            staged: StagedFile = parts[0][0]
            filename = parts[0][1]
            if len(parts) > 1:
                staged = stack.enter_context(bundle(self._files, parts))
                filename = BUNDLE_NAME
            try:
                upload = self._intake.upload(
                    staged,
                    filename=filename,
                    name=name,
                    description=description,
                    said=said,
                    wait=wait,
                    owner_id=owner_id,
                )
            except DuplicateModel as error:
                for reception in held:
                    _settle_refused(reception, error)
                raise
            for reception in held:
                reception.settle(UploadState.DONE, model_id=upload.model_id, job_id=upload.job_id)
            return upload

    # Work --------------------------------------------------------------------------------------

    def _finish(self, reception: Reception) -> None:
        """A whole file waits if it is a part, else becomes a model."""
        if PART in reception.record.metadata:
            if reception.record.state is not UploadState.RECEIVED:
                reception.change(state=UploadState.RECEIVED)
            return
        if not reception.path.is_file():
            self._find_bytes(reception)
            if reception.record.state.settled:
                return
        staged = reception.open_whole()
        reception.change(
            state=UploadState.PROCESSING,
            checksum=staged.checksum,
            attempts=reception.record.attempts + 1,
            problem=None,
        )
        try:
            names = _get_names(reception.record.metadata)
            upload = self._intake.upload(
                staged,
                filename=names["filename"],
                name=names["name"],
                description=names["description"],
                said=_get_claims(reception.record.metadata),
                wait=False,
                owner_id=reception.record.owner_id,
            )
        except HeritageError as error:
            if error.status >= 500:
                # No fault of the file: it may be tried again.
                reception.change(state=UploadState.RECEIVED, attempts=0, problem=_describe(error))
            else:
                _settle_refused(reception, error)
            raise
        except Exception:
            _settle_refused(reception, UNEXPECTED)
            raise
        reception.settle(UploadState.DONE, model_id=upload.model_id, job_id=upload.job_id)

    def _find_bytes(self, reception: Reception) -> None:
        """Of an upload whose bytes were on their way into the store: either they came back, or
        they are a model, or the upload is forgotten."""
        files, checksum = self._files, reception.record.checksum
        if checksum is not None:
            with files.commit_lock:
                model = self._lake.find_by_checksum(checksum)
                if model is None and files.retract(checksum, reception.path):
                    reception.measure()
                    return
            if model is not None:
                reception.settle(UploadState.DONE, model_id=model.id)
                return
        logger.error("the bytes of the upload %s are missing", reception.record.id)
        self._receptions.remove(reception)

    def _resume(self) -> None:
        for upload_id in self._receptions.list_open():
            if self._stopping.is_set():
                return
            try:
                with self._receptions.hold(upload_id) as reception:
                    if not reception.complete or reception.record.state.settled:
                        continue
                    if reception.record.attempts < ATTEMPTS:
                        self._finish(reception)
                    else:
                        _settle_refused(reception, GIVEN_UP)
            except HeritageError as error:
                logger.warning("upload %s: %s", upload_id, error.detail)
            except Exception:
                # Those after it have nothing to do with its fault.
                logger.exception("upload %s failed", upload_id)


def _get_claims(metadata: dict[str, str]) -> dict[str, str]:
    """What the person says of the model; of tags one text, with commas between them."""
    return {field: metadata[field] for field in FIELDS if field in metadata}


def _get_names(metadata: dict[str, str]) -> dict[str, str]:
    name = metadata.get("name", "")
    return {
        "filename": metadata.get("filename") or name,
        "name": name,
        "description": metadata.get("description", ""),
    }


def _refuse_other_states(record: UploadRecord) -> None:
    if record.state is UploadState.DONE:
        raise DuplicateModel(
            f"The upload {record.id} is a model, or a part of one, already.",
            existing_id=record.model_id,
        )
    if record.state is UploadState.FAILED and record.problem:
        raise _build_error(record.problem)
    if PART not in record.metadata or record.state is not UploadState.RECEIVED:
        raise Conflict(f"The upload {record.id} is {record.state.value}, not a part that waits.")


def _settle_refused(reception: Reception, error: HeritageError) -> None:
    reception.settle(
        UploadState.FAILED,
        problem=_describe(error),
        existing_id=error.extra.get("existing_id"),
    )


def _describe(error: HeritageError) -> dict[str, Any]:
    """What is kept of an error."""
    return {
        "type": error.type,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "extra": error.extra,
    }


def _build_error(problem: dict[str, Any]) -> HeritageError:
    """The error that was described."""
    error = HeritageError(problem["detail"], **problem["extra"])
    error.type, error.title, error.status = (problem[n] for n in ("type", "title", "status"))
    return error
