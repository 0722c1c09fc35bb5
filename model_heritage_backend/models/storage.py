"""Where files are kept, by the settings."""

from __future__ import annotations

from pathlib import Path

from model_heritage_backend.models.blob_cache import BlobCache
from model_heritage_backend.models.files import RESERVE, FileStore
from model_heritage_backend.models.object_blobs import ObjectBlobs

CACHE = "cache"


def open_files(
    data_dir: Path,
    *,
    max_file_bytes: int,
    reserve_bytes: int = RESERVE,
    storage_url: str | None = None,
    storage_cache_bytes: int = 0,
) -> FileStore:
    """The file store of a data folder.

    Parameters
    ----------
    storage_url : of an object storage for whole files; without one they are in the folder, too
    storage_cache_bytes : of the folder, for files of the object storage that were read

    Raises
    ------
    InvalidRequest
        When the folder cannot be used, or a package is missing.
    StorageUnavailable
    """
    files = FileStore(data_dir, max_file_bytes=max_file_bytes, reserve_bytes=reserve_bytes)
    if storage_url is not None:
        cache = BlobCache(data_dir / CACHE, limit=storage_cache_bytes)
        files.blobs = ObjectBlobs(storage_url, cache=cache, check_room=files.check_room)
        files.blobs.ask()
    return files
