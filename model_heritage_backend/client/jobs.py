"""What can be asked of a server's jobs, and lists that come page by page."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from model_heritage_backend.client.problems import JobFailed
from model_heritage_backend.client.records import RemoteJob
from model_heritage_backend.client.transport import Transport

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds between two looks at a job."""
PAGE = 200


class JobClient:
    """The part of ``Client`` that is about work which the server does in its own time.

    Examples
    --------
    >>> isinstance(client, JobClient)
    True
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def recluster(self, *, force: bool = False) -> RemoteJob:
        """Ask for all families and trees from scratch; ``wait_for_job`` tells when it is done.

        Parameters
        ----------
        force : solve also families that are as what they are made of asks for

        Examples
        --------
        >>> client.recluster().kind
        'recluster'
        """
        asked = {"force": "true"} if force else {}
        answer = self._transport.ask("POST", "/clustering/recluster", params=asked)
        return self.get_job(answer["job_id"])

    def list_jobs(self, *, state: str | None = None) -> Iterator[RemoteJob]:
        """Jobs, the newest first.

        Examples
        --------
        >>> len(list(client.list_jobs(state="failed")))
        0
        """
        return map(RemoteJob.of, self._list("/jobs", "jobs", {"state": state}))

    def get_job(self, job_id: str) -> RemoteJob:
        """One job, by its id. Raises NotFound.

        Examples
        --------
        >>> client.get_job(client.recluster().id).kind
        'recluster'
        """
        return RemoteJob.of(self._transport.ask("GET", address("jobs", job_id)))

    def wait_for_job(self, job_id: str, *, timeout: float | None = None) -> RemoteJob:
        """The job, once it is done.

        Parameters
        ----------
        timeout : seconds after which TimeoutError is raised; None waits for ever

        Raises
        ------
        JobFailed
            When it failed or was cancelled.

        Examples
        --------
        >>> client.wait_for_job(client.recluster().id, timeout=60).state
        'done'
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = FIRST_PAUSE
        while not (job := self.get_job(job_id)).is_over:
            if deadline is not None and time.monotonic() >= deadline:
                raise TimeoutError(f"The job {job_id} was not done in {timeout:g} seconds.")
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if job.state != "done":
            detail = job.error or f"The job was {job.state}."
            raise JobFailed(detail, job_id=job.id, model_id=job.model_id)
        return job

    def _list(self, path: str, name: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = self._transport.ask(
                "GET", path, params={**params, "limit": PAGE, "cursor": cursor}
            )
            yield from page[name]
            cursor = page["next_cursor"]
            if cursor is None:
                return


def address(*words: str) -> str:
    """A path of ids, which are anybody's text."""
    return "".join(f"/{quote(word, safe='')}" for word in words)
