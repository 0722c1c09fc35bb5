"""The one family of errors: raised anywhere, caught once per entry (HTTP, command line).

Each class is one ``type`` of RFC 9457 problem and one HTTP status. ``detail`` is a sentence for
people; it never contains server paths. ``extra`` members are added to the problem document.
"""

from __future__ import annotations

from typing import Any


class HeritageError(Exception):
    """Something the user can understand and act on."""

    type = "error"
    title = "Something went wrong"
    status = 500
    transient = False
    """Whether the same may succeed a little later: the fault is the world's, not the request's."""
    retry_after: int | None = None
    """Seconds after which asking again makes sense; a header of the answer."""

    def __init__(self, detail: str, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.extra = extra


class InvalidRequest(HeritageError):
    type = "invalid-request"
    title = "The request is not valid"
    status = 400


class NotSignedIn(HeritageError):
    """The server asks who calls, and no valid token was sent."""

    type = "not-signed-in"
    title = "A token is needed"
    status = 401


class NotAllowed(HeritageError):
    """Whoever calls is known, but may not do this; the detail names the role that may."""

    type = "not-allowed"
    title = "This is not allowed"
    status = 403


class TooManyAttempts(HeritageError):
    """Too many unknown tokens came from one address."""

    type = "too-many-attempts"
    title = "Too many failed attempts"
    status = 429
    transient = True


class TooManyChanges(HeritageError):
    """Somebody asks for more changes than the setting ``changes_per_minute`` allows."""

    type = "too-many-changes"
    title = "Too many changes at once"
    status = 429
    transient = True


class NotFound(HeritageError):
    type = "not-found"
    title = "Not found"
    status = 404


class Conflict(HeritageError):
    type = "conflict"
    title = "The request contradicts the present state"
    status = 409


class DuplicateModel(Conflict):
    """The same bytes are already stored; ``extra['existing_id']`` names the model."""

    type = "duplicate-model"
    title = "This model is already here"


class NotConfigured(Conflict):
    """What was asked for needs a setting that is not given; the detail names it."""

    type = "not-configured"
    title = "This is not set up here"


class PreconditionFailed(HeritageError):
    """The state is no longer the one that the request's ``If-Match`` names."""

    type = "precondition-failed"
    title = "The state has changed"
    status = 412


class FileTooLarge(HeritageError):
    type = "file-too-large"
    title = "The file is too large"
    status = 413


class UnsupportedFormat(HeritageError):
    """The content is not a checkpoint format that can be read; the detail names what was found."""

    type = "unsupported-format"
    title = "This file format cannot be read"
    status = 415


class InvalidWeights(HeritageError):
    """A checkpoint format that is known, but this file breaks its rules or exceeds a limit."""

    type = "invalid-weights"
    title = "This file is not a valid checkpoint"
    status = 422


class InsufficientStorage(HeritageError):
    type = "insufficient-storage"
    title = "The server's disk is full"
    status = 507
    transient = True


class NotReady(HeritageError):
    """``extra['checks']`` tells for every dependency ``ok`` or what is wrong with it."""

    type = "not-ready"
    title = "The server cannot do its work now"
    status = 503
    retry_after = 10


LACK_OF_MEMORY = "This needs more memory than the server may take (setting memory_limit_bytes)."


class OutOfMemory(HeritageError):
    """What was asked for needs more memory than the server has or may take."""

    type = "out-of-memory"
    title = "The server's memory is not enough"
    status = 503


class QuotaExceeded(HeritageError):
    """More would be kept than a setting allows; the detail says which, and how much there is."""

    type = "quota-exceeded"
    title = "No more may be kept"
    status = 507


class ServerUnreachable(HeritageError):
    """Another server, on which the answer depends, does not answer or refuses."""

    type = "server-unreachable"
    title = "Another server does not do its part"
    status = 502
