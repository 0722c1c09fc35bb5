"""Fingerprints of many checkpoints: from the cache, or by several threads from the files."""

from __future__ import annotations

import hashlib
import os
import stat
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from model_heritage_backend.clustering.memory_store import hash_file, name_set
from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.fingerprints import (
    Fingerprint,
    fingerprint_sampled,
    fingerprint_weights,
)
from model_heritage_backend.interop.document_text import DocumentError
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import FoundFile
from model_heritage_backend.weights import list_parts, open_weights
from model_heritage_backend.weights.checkpoint_set import refuse_lone_part

PASSES = 2
"""Every byte of a new file is read twice: for its checksum and for its fingerprint."""
LARGE = 64 << 20
"""Bytes from which both are done at the same time, as one file alone may keep a machine busy."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Files with their fingerprints, in the order given, and the files that could not be read."""

    files: list[tuple[FoundFile, Fingerprint]] = field(default_factory=list)
    errors: list[DocumentError] = field(default_factory=list)


def count_workers() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_files(
    files: Sequence[FoundFile],
    cache: ScanCache,
    *,
    on_bytes: Callable[[int], None],
    on_error: Callable[[DocumentError], None],
    workers: int | None = None,
    sampled: bool = False,
) -> Reading:
    """Fingerprint every file, from the cache where it is there.

    When it is interrupted, the cache has all files that were finished.

    Parameters
    ----------
    on_bytes : called with bytes done since the last call; over all files, the sum of their sizes
        times ``PASSES``
    on_error : called with each file that cannot be read, as it is met
    workers : files read at the same time; as many as there are processors unless given
    sampled : read samples only; see ``fingerprint_sampled``
    """
    reader = _Reader(cache, on_bytes, on_error, sampled=sampled)
    with ThreadPoolExecutor(workers or count_workers()) as pool:
        try:
            found = [future.result() for future in [pool.submit(reader.read, f) for f in files]]
        except BaseException:
            reader.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    reading = Reading()
    for file, one in zip(files, found, strict=True):
        if isinstance(one, DocumentError):
            reading.errors.append(one)
        else:
            reading.files.append((file, one))
    return reading


class _Stopped(Exception):
    """Somebody no longer wants what is being read."""


class _Reader:
    """Files one by one, in several threads."""

    def __init__(
        self,
        cache: ScanCache,
        on_bytes: Callable[[int], None],
        on_error: Callable[[DocumentError], None],
        *,
        sampled: bool,
    ) -> None:
        self._cache = cache
        self._on_bytes = on_bytes
        self._on_error = on_error
        self._sampled = sampled
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def stop(self) -> None:
        self._stopped.set()

    def read(self, file: FoundFile) -> Fingerprint | DocumentError:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            if self._stopped.is_set():
                raise _Stopped
            with self._lock:
                done += count
                self._on_bytes(count)

        found: Fingerprint | DocumentError
        try:
            found = read_fingerprint(file.path, self._cache, advance, sampled=self._sampled)
        except HeritageError as error:
            found = DocumentError.of(file.shown, error)
            with self._lock:
                self._on_error(found)
        # Cached and refused files are not read; tied tensors are read twice.
        with self._lock:
            self._on_bytes(PASSES * file.size - done)
        return found


def read_fingerprint(
    path: Path, cache: ScanCache, on_bytes: Callable[[int], None], *, sampled: bool = False
) -> Fingerprint:
    """One file's fingerprint, computed or remembered.

    Raises
    ------
    HeritageError
        When the file cannot be read or is no checkpoint.
    """
    before: list[os.stat_result] = []
    try:
        if path.is_file():
            refuse_lone_part(path.name)
        parts = list_parts(path)
        before = [part.stat() for part in parts]
        remembered = find_fingerprint(parts, before, cache, sampled=sampled)
        if remembered is not None:
            return remembered
        _refuse_again(parts, before, cache)
        # Opening comes first: what is no checkpoint is refused before its bytes are hashed.
        fingerprint, checksums = _summarise(path, parts, cache, on_bytes, sampled=sampled)
        if [identify(part.stat()) for part in parts] != [identify(status) for status in before]:
            raise InvalidWeights("The file changed while it was read.") from BlockingIOError()
    except OSError as error:
        raise InvalidWeights(f"The file cannot be read: {error.strerror}.") from None
    except HeritageError as error:
        if len(before) == 1 and not _blames_machine(error):
            cache.save_refusal(path.name, before[0], error.type, error.detail)
        raise
    cache.save_fingerprint(fingerprint)
    for status, checksum in zip(before, checksums, strict=True):
        cache.save_checksum(status, checksum, sampled=sampled)
    return fingerprint


def find_fingerprint(
    parts: Sequence[Path], statuses: Sequence[os.stat_result], cache: ScanCache, *, sampled: bool
) -> Fingerprint | None:
    """What is remembered of files that have not changed since."""
    known = [cache.find_checksum(status, sampled=sampled) for status in statuses]
    checksums = [checksum for checksum in known if checksum is not None]
    if len(checksums) < len(parts):
        return None
    checksum = checksums[0] if sampled else name_set(parts, checksums)
    return cache.find_fingerprint(checksum)


def _refuse_again(
    parts: Sequence[Path], statuses: Sequence[os.stat_result], cache: ScanCache
) -> None:
    """Raise the error by which an unchanged file was refused before."""
    refusal = cache.find_refusal(parts[0].name, statuses[0]) if len(parts) == 1 else None
    if refusal is not None:
        kind, detail = refusal
        raise (UnsupportedFormat if kind == UnsupportedFormat.type else InvalidWeights)(detail)


def _blames_machine(error: BaseException | None) -> bool:
    """Whether the file may be read the next time: a disk failed, memory or time was short."""
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _summarise(
    path: Path,
    parts: Sequence[Path],
    cache: ScanCache,
    on_bytes: Callable[[int], None],
    *,
    sampled: bool,
) -> tuple[Fingerprint, list[str]]:
    """The fingerprint of a file, and what its parts are called in the cache."""
    with open_weights(path) as weights:
        if sampled:
            fingerprint = name_sample(fingerprint_sampled(weights, checksum=""))
            return fingerprint, [fingerprint.checksum] * len(parts)
        if sum(part.stat().st_size for part in parts) < LARGE:
            checksums = [hash_file(part, on_bytes) for part in parts]
            checksum = name_set(parts, checksums)
            known = cache.find_fingerprint(checksum)
            if known is None:
                known = fingerprint_weights(weights, checksum=checksum, progress=on_bytes)
            return known, checksums
        with ThreadPoolExecutor(1) as beside:
            stopped = threading.Event()

            def advance(count: int) -> None:
                if stopped.is_set():
                    raise _Stopped
                on_bytes(count)

            hashing = beside.submit(lambda: [hash_file(part, advance) for part in parts])
            try:
                fingerprint = fingerprint_weights(weights, checksum="", progress=on_bytes)
            except BaseException:
                stopped.set()
                raise
            checksums = hashing.result()
        return replace(fingerprint, checksum=name_set(parts, checksums)), checksums


def name_sample(fingerprint: Fingerprint) -> Fingerprint:
    """With a checksum of what was read, as the whole file was not: SHA-256 over the sample."""
    digest = hashlib.sha256(b"sampled" + replace(fingerprint, checksum="").to_bytes())
    return replace(fingerprint, checksum=digest.hexdigest())


def identify(status: os.stat_result) -> tuple[int, ...]:
    """What stays the same while nobody writes to a file."""
    kind = stat.S_IFMT(status.st_mode)
    return kind, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
