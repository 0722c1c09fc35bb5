"""Server-Sent Events of one job: its progress, until it is over.

An open stream keeps a thread of the server. So only a part of all threads may serve streams, and
streams end when the server stops; whoever listens connects again by itself.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from model_heritage_backend.errors import HeritageError, NotSignedIn
from model_heritage_backend.models.job_queue import ENDED_STATES

LOOK_SECONDS = 0.25
HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 1.0
"""How long a listener goes on who may not come in any more."""
RECONNECT_MS = 2000
MEDIA_TYPE = "text/event-stream"


class TooManyStreams(HeritageError):
    """All the threads that may serve streams do."""

    type = "too-many-streams"
    title = "Too many streams are open"
    status = 503
    retry_after = 5


class EventStreams:
    """The streams of one server.

    Parameters
    ----------
    limit : how many may be open at the same time

    Attributes
    ----------
    is_serving : asked again and again; once it says no, every stream ends
    """

    def __init__(self, *, limit: int) -> None:
        self.is_serving: Callable[[], bool] = lambda: True
        self._free = threading.BoundedSemaphore(limit)

    def take(self) -> Callable[[], None]:
        """Reserve a stream; gives what is to be called when it has ended.

        Raises
        ------
        TooManyStreams
        """
        if not self._free.acquire(blocking=False):
            raise TooManyStreams("Too many clients are listening; ask for the job itself instead.")
        return self._free.release

    def follow(
        self, look: Callable[[], dict[str, Any]], *, recheck: Callable[[], None]
    ) -> Iterator[str]:
        """Events of a job as ``look`` shows it now.

        ``progress`` at first and whenever it changed; ``done`` with its last state when it is over,
        however it ended. Comments in between keep the connection alive. The stream ends when
        ``recheck`` raises NotSignedIn; who connects again is told so.
        """
        yield f"retry: {RECONNECT_MS}\n\n"
        shown: dict[str, Any] | None = None
        spoke = checked = time.monotonic()
        while self.is_serving():
            if time.monotonic() - checked >= RECHECK_SECONDS:
                checked = time.monotonic()
                try:
                    recheck()
                except NotSignedIn:
                    return
            job = look()
            if job != shown:
                shown, spoke = job, time.monotonic()
                over = job["state"] in ENDED_STATES
                yield _write_event("done" if over else "progress", job)
                if over:
                    return
            elif time.monotonic() - spoke >= HEARTBEAT_SECONDS:
                spoke = time.monotonic()
                yield ": still here\n\n"
            time.sleep(LOOK_SECONDS)


def _write_event(name: str, job: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(job)}\n\n"
