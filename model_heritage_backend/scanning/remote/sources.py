"""Where remote bytes come from: HTTP servers that give ranges, and whatever fsspec reaches."""

from __future__ import annotations

import re
import threading
import time
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.util import Retry, Timeout

from model_heritage_backend.errors import (
    HeritageError,
    InvalidRequest,
    InvalidWeights,
    NotFound,
    ServerUnreachable,
)
from model_heritage_backend.scanning.remote.peers import LeadsInside, PeerGuard
from model_heritage_backend.version import __version__

CONNECTIONS = 16
CONNECT_SECONDS, SILENCE_SECONDS, ANSWER_SECONDS = 10.0, 30.0, 120.0
"""To reach the server; of silence within an answer; for a whole answer."""
TRIES, PAUSE_SECONDS = 3, 0.3
HEAD_BYTES = 1 << 16
"""Asked for first: enough for the header of most files."""
LARGEST = 1 << 50
CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")
HTTP = ("http", "https")


class NoRanges(HeritageError):
    """The server gives whole files only; ``size`` is what it says of this one, None for nothing."""

    type = "no-ranges"
    title = "The server gives whole files only"

    def __init__(self, detail: str, *, size: int | None) -> None:
        super().__init__(detail)
        self.size = size


class Source(Protocol):
    """One remote file. ``read`` may be called by several threads."""

    name: str
    size: int
    head: bytes
    """Its first bytes, which were asked for to learn its size."""
    bytes_read: int
    requests: int

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to ``stop``; raises HeritageError when they do not come."""
        ...

    def close(self) -> None: ...


def is_url(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def open_source(url: str) -> Source:
    """Reach a file by its address.

    Raises
    ------
    NoRanges
        When an HTTP server would only send all of it.
    NotFound, ServerUnreachable, InvalidRequest
    """
    return HttpSource(url) if urlsplit(url).scheme.lower() in HTTP else FsspecSource(url)


def name_file(url: str) -> str:
    """The last part of an address, for people."""
    return urlsplit(url).path.rstrip("/").rpartition("/")[2] or url


class HttpSource:
    """A file behind an HTTP server, over connections that are kept open.

    What the server says is checked: that it sends just what was asked for, and that the file
    stays the same meanwhile.
    """

    def __init__(self, url: str) -> None:
        self.name = name_file(url)
        self.bytes_read = self.requests = 0
        self._lock = threading.Lock()
        self._pool = urllib3.PoolManager(
            maxsize=CONNECTIONS,
            block=True,
            timeout=Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
            retries=Retry(
                total=TRIES,
                redirect=5,
                status_forcelist=(429, 500, 502, 503, 504),
                backoff_factor=PAUSE_SECONDS,
                respect_retry_after_header=False,
                raise_on_status=False,
            ),
            headers={
                "User-Agent": f"model-heritage/{__version__}",
                # Ranges count the bytes of the file, not of something packed.
                "Accept-Encoding": "identity",
            },
        )
        PeerGuard().watch(self._pool)
        self._url = url
        self._tag: str | None = None
        self.size = 0
        self.head = self._open()

    def _open(self) -> bytes:
        response = self._ask(0, HEAD_BYTES)
        try:
            self._follow(response)
            if response.status == 200:
                length = response.headers.get("Content-Length", "")
                size = int(length) if length.isdecimal() and len(length) < 19 else None
                raise NoRanges(
                    "This server does not give parts of files: it would have to be read whole.",
                    size=size,
                )
            if response.status == 416:
                raise InvalidWeights("The file is empty.")
            first, last, self.size = self._check(response)
            if first != 0 or last != min(HEAD_BYTES, self.size) - 1 or self.size > LARGEST:
                raise self._broken("it sends other parts of the file than were asked for")
            tag = response.headers.get("ETag", "")
            # A weak tag may stay while bytes change.
            self._tag = tag if tag.startswith('"') else None
            return self._take(response, last + 1)
        except BaseException:
            # The rest of a whole file is not waited for.
            response.close()
            raise

    def _follow(self, response: urllib3.BaseHTTPResponse) -> None:
        """Ask at once where redirections led, the next time."""
        for step in response.retries.history if response.retries else ():
            if step.redirect_location:
                self._url = urljoin(self._url, step.redirect_location)

    def read(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        response = self._ask(start, stop)
        try:
            if response.status in (200, 412):
                raise InvalidWeights("The file changed on its server while it was read.")
            if self._check(response) != (start, stop - 1, self.size):
                raise self._broken("it sends other parts of the file than were asked for")
            return self._take(response, stop - start)
        except BaseException:
            response.close()
            raise

    def close(self) -> None:
        self._pool.clear()

    def _ask(self, start: int, stop: int) -> urllib3.BaseHTTPResponse:
        headers = {**self._pool.headers, "Range": f"bytes={start}-{stop - 1}"}
        if self.size and self._tag:
            headers["If-Range"] = self._tag
        try:
            response = self._pool.request("GET", self._url, headers=headers, preload_content=False)
        except LeadsInside as error:
            raise ServerUnreachable(f"{self._host} is not asked on: {error.reason}.") from error
        except urllib3.exceptions.HTTPError as error:
            reason = str(getattr(error, "reason", None) or type(error).__name__)
            raise ServerUnreachable(f"{self._host} cannot be reached: {reason[:200]}.") from error
        with self._lock:
            self.requests += 1
        if response.status in (200, 206, 412, 416):
            return response
        response.close()
        if response.status in (404, 410):
            raise NotFound(f"{self._host} has no such file.")
        raise ServerUnreachable(f"{self._host} answers with the status {response.status}.")

    def _check(self, response: urllib3.BaseHTTPResponse) -> tuple[int, int, int]:
        """First byte, last byte, length of the file, as the answer states them."""
        match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if response.status != 206 or match is None:
            raise self._broken("it does not say which part of the file it sends")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise self._broken("it packs what it sends")
        first, last, size = (int(number) for number in match.groups())
        return first, last, size

    def _take(self, response: urllib3.BaseHTTPResponse, count: int) -> bytes:
        """Exactly the body that was announced, in limited time."""
        deadline = time.monotonic() + ANSWER_SECONDS
        body = bytearray()
        try:
            while len(body) <= count:
                piece = response.read1(count + 1 - len(body))
                if not piece:
                    break
                body += piece
                if time.monotonic() > deadline:
                    raise self._broken(f"an answer took more than {ANSWER_SECONDS:.0f} seconds")
        except urllib3.exceptions.HTTPError as error:
            raise ServerUnreachable(f"{self._host} broke off its answer.") from error
        if len(body) != count:
            raise self._broken("its answer has another length than it announced")
        response.release_conn()
        with self._lock:
            self.bytes_read += count
        return bytes(body)

    @property
    def _host(self) -> str:
        return urlsplit(self._url).netloc.rpartition("@")[2] or "The server"

    def _broken(self, reason: str) -> ServerUnreachable:
        return ServerUnreachable(f"{self._host} does not answer as HTTP wants it: {reason}.")


class FsspecSource:
    """A file that fsspec reaches: s3://, gs://, hf://, sftp:// and many more."""

    def __init__(self, url: str) -> None:
        self.name = name_file(url)
        self.bytes_read = self.requests = 0
        self._lock = threading.Lock()
        scheme = urlsplit(url).scheme
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise InvalidRequest(
                f"Reading {scheme}:// needs more packages: pip install 'model-heritage[remote]' "
                "('model-heritage[s3]' for s3://, 'model-heritage[gcs]' for gs://)."
            ) from None
        try:
            self._files, self._path = url_to_fs(url)
        except (ImportError, ValueError) as error:
            raise InvalidRequest(f"{scheme}:// cannot be read: {error}") from None
        self.size = int(self._guard("size", self._path) or 0)
        self.head = self.read(0, min(HEAD_BYTES, self.size))

    def read(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        data = bytes(self._guard("cat_file", self._path, start=start, end=stop))
        with self._lock:
            self.requests += 1
            self.bytes_read += len(data)
        if len(data) != stop - start:
            raise ServerUnreachable(f"{self.name}: the storage gave another length than asked for.")
        return data

    def close(self) -> None:
        pass

    def _guard(self, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self._files, method)(*arguments, **options)
        except FileNotFoundError:
            raise NotFound(f"There is no file {self.name} there.") from None
        except Exception as error:
            # Each kind of storage has errors of its own.
            raise ServerUnreachable(
                f"{self.name} cannot be read: {type(error).__name__}: {str(error)[:200]}"
            ) from error
