"""A data folder of the server's kind for a program alone: models in SQL, files beside them."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from model_heritage_backend.clustering import HeritageStore, ModelManagementSystem
from model_heritage_backend.config import load_settings
from model_heritage_backend.errors import DuplicateModel, HeritageError, NotFound
from model_heritage_backend.models.bundles import BUNDLE_NAME, bundle
from model_heritage_backend.models.database import Database, open_engine
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.staged_files import StagedFile
from model_heritage_backend.models.storage import open_files
from model_heritage_backend.services.engine import EngineOptions
from model_heritage_backend.services.heritage_service import HeritageService
from model_heritage_backend.weights import list_parts


class Library:
    """Models that stay: what ``open_library`` gives.

    Attributes
    ----------
    system : the management system on these models
    store : its store, on SQL
    """

    def __init__(self, service: HeritageService) -> None:
        self._service = service

    @property
    def system(self) -> ModelManagementSystem:
        return self._service.management

    @property
    def store(self) -> HeritageStore:
        return self._service.store

    def add(self, path: str | os.PathLike[str], *, name: str | None = None) -> str:
        """Copy a checkpoint, or the folder of a model's parts, into the library, and find its
        place; gives its id. Bytes that are there already change nothing.

        Raises
        ------
        HeritageError
            When the file cannot be read, or its place cannot be found.
        """
        source = Path(path).expanduser()
        if not source.exists():
            raise NotFound(f"There is no file {source}.")
        parts = list_parts(source)
        with self._receive(parts) as staged:
            try:
                upload = self._service.intake.upload(
                    staged,
                    filename=source.name if len(parts) == 1 else BUNDLE_NAME,
                    name=name or source.stem,
                )
            except DuplicateModel as duplicate:
                return str(duplicate.extra["existing_id"])
        row = self._service.lake.get(upload.model_id).row
        if row.error is not None:
            raise HeritageError(row.error)
        return upload.model_id

    def _receive(self, parts: list[Path]) -> StagedFile:
        received: list[tuple[StagedFile, str]] = []
        for part in parts:
            with part.open("rb") as file:
                size = part.stat().st_size
                staged = self._service.files.receive(file.read, expected_bytes=size)
            received.append((staged, part.name))
        return received[0][0] if len(received) == 1 else bundle(self._service.files, received)


@contextlib.contextmanager
def open_library(
    folder: str | os.PathLike[str], *, database_url: str | None = None
) -> Iterator[Library]:
    """A folder of models and their genealogy, made when it is not there; one program at a time.

    ``model-heritage serve --data-dir`` serves the same folder.

    Parameters
    ----------
    database_url : SQLAlchemy address of a database; else ``DATABASE_URL``, else ``app.db`` there

    Raises
    ------
    Conflict
        When a server or another program has the folder.

    Examples
    --------
    >>> with open_library("library") as library:
    ...     base = library.add(models / "base.safetensors")
    ...     tuned = library.add(models / "tuned.safetensors")
    >>> with open_library("library") as library:  # another day
    ...     print(library.system.get_model_lineage(tuned)["parent"]["name"])
    base
    """
    settings = load_settings(
        data_dir=Path(folder).expanduser(),
        **({} if database_url is None else {"database_url": database_url}),
    )
    files = open_files(
        settings.data_dir,
        max_file_bytes=settings.max_upload_bytes,
        storage_url=settings.storage_url,
        storage_cache_bytes=settings.storage_cache_bytes,
    )
    files.acquire(shared=settings.is_shared)
    try:
        database = Database(open_engine(settings.resolved_database_url))
        upgrade_database(database.engine)
        service = HeritageService(
            database,
            files,
            fingerprint_cache_bytes=settings.fingerprint_cache_bytes,
            synchronous_seconds=threading.TIMEOUT_MAX,
            upload_expiry_hours=settings.upload_expiry_hours,
            max_unfinished_bytes=settings.max_unfinished_bytes,
            engine=EngineOptions.choose(settings),
        )
        service.start()
        try:
            yield Library(service)
        finally:
            service.stop()
    finally:
        files.release()
