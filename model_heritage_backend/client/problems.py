"""A server's problem documents (RFC 9457) as errors of the one family."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from model_heritage_backend.errors import HeritageError

COMMON = frozenset({"type", "title", "status", "detail"})


class ServerProblem(HeritageError):
    """A refusal for which there is no class of its own here; told by its ``type``."""

    def __init__(self, detail: str, *, type: str, title: str, status: int, **extra: Any) -> None:
        super().__init__(detail, **extra)
        self.type = type
        self.title = title
        self.status = status


class JobFailed(HeritageError):
    """A job ended without success; ``extra['job_id']`` and ``extra['model_id']`` name what."""

    type = "job-failed"
    title = "The job did not succeed"


class UploadInterrupted(HeritageError):
    """The connection was lost for good; ``extra['upload_id']`` lets the upload go on later."""

    type = "upload-interrupted"
    title = "The upload was interrupted"


def build_error(status: int, problem: Mapping[str, Any]) -> HeritageError:
    """The error that a problem document stands for.

    Examples
    --------
    >>> problem = {"type": "/problems/not-found", "detail": "There is no model 'm_1'.", "x": 1}
    >>> error = build_error(404, problem)
    >>> type(error).__name__, str(error), error.extra
    ('NotFound', "There is no model 'm_1'.", {'x': 1})
    """
    kind = str(problem.get("type", "")).rpartition("/")[2]
    title = str(problem.get("title") or f"The server answered with status {status}")
    detail = str(problem.get("detail") or title)
    # An error's arguments are words of ours: members that would not fit are the server's fault.
    extra = {name: value for name, value in problem.items() if name not in COMMON}
    found = next((each for each in _list_kinds(HeritageError) if each.type == kind), None)
    error = found(detail) if found else ServerProblem(detail, type=kind, title=title, status=status)
    error.extra = extra
    return error


def _list_kinds(parent: type[HeritageError]) -> Iterator[type[HeritageError]]:
    for kind in parent.__subclasses__():
        if kind.__module__ == HeritageError.__module__:
            yield kind
            yield from _list_kinds(kind)
