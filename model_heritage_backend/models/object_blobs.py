"""Stored files in an S3-compatible object storage, one object each, through fsspec.

An object is there as a whole or not at all, and a PUT that was answered is durable. Every part
goes with a checksum that the storage verifies, and the length is asked for once more before a row
names the object. Credentials, region and endpoint are those of the usual AWS variables.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.models.blob_cache import BlobCache
from model_heritage_backend.models.blobs import (
    DAMAGED,
    Blob,
    BlobEntry,
    DamagedFile,
    StorageUnavailable,
)
from model_heritage_backend.models.staged_files import room_on_disk

logger = logging.getLogger(__name__)

PART = 16 << 20
MOST_PARTS = 9000
"""S3 allows 10,000."""
CONNECTIONS = 4
AHEAD = 8 << 20
"""Fetched at a time of what is read piece by piece."""
TRIES = 2
OPTIONS = {
    "connect_timeout": 5,
    "read_timeout": 60,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
    "max_pool_connections": 32,
}


class ObjectBlobs:
    """Objects ``<prefix>/<sha256>`` of a bucket.

    Parameters
    ----------
    address : ``s3://bucket/prefix``
    cache : of files that are read on this machine
    check_room : raises InsufficientStorage when so many bytes do not fit on this machine's disk

    Raises
    ------
    InvalidRequest
        When the packages for it are not installed.
    """

    takes_files = False

    def __init__(
        self, address: str, *, cache: BlobCache, check_room: Callable[[int], None]
    ) -> None:
        try:
            import s3fs
            from aiohttp import ClientError as BodyError
            from botocore.exceptions import BotoCoreError, ClientError
        except ImportError:
            raise InvalidRequest(
                "storage_url needs more packages: pip install 'model-heritage[s3]'."
            ) from None
        self.address = address
        self._bucket, _, prefix = address.removeprefix("s3://").strip("/").partition("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self.cache = cache
        self._check_room = check_room
        self._errors = (OSError, BotoCoreError, ClientError, BodyError)
        self._system: Any = s3fs.S3FileSystem(config_kwargs=dict(OPTIONS), skip_instance_cache=True)
        # Times those of the options below it.
        self._system.retries = TRIES

    def send(self, path: Path, checksum: str) -> None:
        size = path.stat().st_size
        if self._find_size(checksum) != size:
            self._put(path, checksum, size)

    def keep(self, path: Path, checksum: str, *, anew: bool = False) -> None:
        # What was sent without the lock may have been removed by somebody's deletion.
        size = path.stat().st_size
        if anew:
            self.cache.drop(checksum)
        if anew or self._find_size(checksum) != size:
            self._put(path, checksum, size)
        self.cache.adopt(path, checksum)

    def take_back(self, checksum: str, path: Path) -> bool:
        self.remove(checksum)
        return path.is_file()

    def remove(self, checksum: str) -> None:
        self.cache.drop(checksum)
        # S3 answers in the same way whether there was one or not.
        self._call("delete_object", Key=self._prefix + checksum)

    def has(self, checksum: str) -> bool:
        return self._find_size(checksum) is not None

    def open(self, checksum: str) -> Blob:
        size = self._find_size(checksum)
        if size is None:
            raise FileNotFoundError(checksum)
        return _ObjectBlob(size, lambda start, stop: self._read(checksum, start, stop))

    def borrow(self, checksum: str) -> AbstractContextManager[Path]:
        return self.cache.borrow(checksum, lambda target: self._fetch(checksum, target))

    def list_all(self) -> Iterator[BlobEntry]:
        further: dict[str, str] | None = {}
        while further is not None:
            page = self._call("list_objects_v2", Prefix=self._prefix, **further)
            for entry in page.get("Contents", ()):
                checksum = entry["Key"].removeprefix(self._prefix)
                yield BlobEntry(checksum, entry["Size"], entry["LastModified"].timestamp())
            token = page.get("NextContinuationToken")
            further = {"ContinuationToken": token} if token else None

    def ask(self) -> None:
        self._call("head_bucket")

    def give_room(self) -> None:
        self.cache.trim(0)

    def _get_path(self, checksum: str) -> str:
        return f"{self._bucket}/{self._prefix}{checksum}"

    def _find_size(self, checksum: str) -> int | None:
        try:
            with self._reach():
                answer = self._system.call_s3(
                    "head_object", Bucket=self._bucket, Key=self._prefix + checksum
                )
                return int(answer["ContentLength"])
        except FileNotFoundError:
            return None

    def _call(self, method: str, **values: str) -> dict[str, Any]:
        """A request that does not fail for want of an object, only for want of the bucket."""
        with self._reach(may_miss=False):
            answer: dict[str, Any] = self._system.call_s3(method, Bucket=self._bucket, **values)
            return answer

    def _put(self, path: Path, checksum: str, size: int) -> None:
        with self._reach(may_miss=False):
            self._system.put_file(
                str(path),
                self._get_path(checksum),
                chunksize=max(PART, size // MOST_PARTS),
                max_concurrency=CONNECTIONS,
            )
        if self._find_size(checksum) != size:
            raise StorageUnavailable("The storage did not take the file as it was sent.")

    def _read(self, checksum: str, start: int, stop: int) -> bytes:
        with self._reach():
            return bytes(self._system.cat_file(self._get_path(checksum), start=start, end=stop))

    def _fetch(self, checksum: str, target: Path) -> None:
        size = self._find_size(checksum)
        if size is None:
            raise FileNotFoundError(checksum)
        self._check_room(size)
        # Others fill this machine's disk, too: that is no fault of the storage.
        with self._reach(), room_on_disk():
            self._system.get_file(self._get_path(checksum), str(target))
        with target.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != checksum:
                raise DamagedFile(DAMAGED)

    @contextmanager
    def _reach(self, *, may_miss: bool = True) -> Iterator[None]:
        """What goes wrong within is StorageUnavailable; but what is not there may be."""
        try:
            yield
        except self._errors as error:
            if may_miss and isinstance(error, FileNotFoundError):
                raise
            # It may name hosts and keys: for the log, not for who uploads.
            logger.error("the storage of the files: %s", error)
            raise StorageUnavailable(
                "The storage of the files does not answer, or refuses; try again later."
            ) from error


class _ObjectBlob:
    """Read from front to back for the most part, so more is fetched than is asked for."""

    def __init__(self, size: int, read: Callable[[int, int], bytes]) -> None:
        self.size = size
        self._read = read
        self._start, self._block = 0, b""

    def read_at(self, offset: int, count: int) -> bytes:
        stop = min(offset + count, self.size)
        if not self._start <= offset <= stop <= self._start + len(self._block):
            self._start, self._block = (
                offset,
                self._read(offset, max(stop, min(offset + AHEAD, self.size))),
            )
        return self._block[offset - self._start : stop - self._start]

    def close(self) -> None:
        self._block = b""
