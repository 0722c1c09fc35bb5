"""A remote file as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import urllib3
from urllib3.util import Retry, Timeout

from model_heritage_backend.errors import InsufficientStorage, NotFound, ServerUnreachable
from model_heritage_backend.scanning.remote.peers import LeadsInside, PeerGuard
from model_heritage_backend.scanning.remote.sources import (
    CONNECT_SECONDS,
    HTTP,
    SILENCE_SECONDS,
    name_file,
    open_source,
)

PIECE = 1 << 20
NAME = "remote"


def download(url: str, folder: Path, *, most: int, on_bytes: Callable[[int], None]) -> Path:
    """Fetch a file into ``folder``; gives its path there, with the ending that its address has.

    Parameters
    ----------
    most : bytes for which there is room
    on_bytes : called with the number of bytes that came since the last call

    Raises
    ------
    InsufficientStorage
        When it does not fit.
    NotFound, ServerUnreachable
    """
    # Nothing of the address but its ending: it is a stranger's text.
    ending = PurePosixPath(name_file(url)).suffix
    target = folder / (NAME + (ending if ending.isascii() and ending[1:].isalnum() else ""))
    fetch = _fetch_http if url.lower().startswith(tuple(f"{s}://" for s in HTTP)) else _fetch_other
    fetch(url, target, most, on_bytes)
    return target


def _fetch_http(url: str, target: Path, most: int, on_bytes: Callable[[int], None]) -> None:
    pool = urllib3.PoolManager(
        timeout=Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS),
        retries=Retry(total=3, redirect=5, respect_retry_after_header=False),
    )
    PeerGuard().watch(pool)
    done = 0
    try:
        response = pool.request("GET", url, preload_content=False)
        if response.status == 404:
            raise NotFound("The server has no such file.")
        if response.status != 200:
            raise ServerUnreachable(f"The server answers with the status {response.status}.")
        with target.open("wb") as file:
            # Until nothing comes: urllib3 itself holds the length against what was announced.
            for piece in response.stream(PIECE):
                done += len(piece)
                _check_room(done, most)
                file.write(piece)
                on_bytes(len(piece))
    except LeadsInside as error:
        raise ServerUnreachable(f"The server is not asked on: {error.reason}.") from error
    except urllib3.exceptions.HTTPError as error:
        raise ServerUnreachable("The server broke off, or cannot be reached.") from error
    finally:
        pool.clear()


def _fetch_other(url: str, target: Path, most: int, on_bytes: Callable[[int], None]) -> None:
    source = open_source(url)
    _check_room(source.size, most)
    with target.open("wb") as file:
        for start in range(0, source.size, PIECE):
            piece = source.read(start, min(start + PIECE, source.size))
            file.write(piece)
            on_bytes(len(piece))


def _check_room(needed: int, most: int) -> None:
    if needed > most:
        raise InsufficientStorage("There is no room for this file among the temporary files.")
