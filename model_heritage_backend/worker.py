"""A process that does the jobs which servers send over Redis."""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.errors import HeritageError, InvalidRequest


def work(queues: Sequence[str], *, burst: bool = False) -> int:
    """Do jobs until told to stop.

    Parameters
    ----------
    queues : names, the one that is looked at first standing first
    burst : end when no job waits

    Returns
    -------
    The exit code: 0 after a normal stop, 1 when the worker cannot start.
    """
    from redis.exceptions import RedisError

    from model_heritage_backend.app import close_app, create_app
    from model_heritage_backend.routes.views import EXTENSION

    try:
        settings, redis_url = _load()
        app = create_app(settings, is_worker=True)
    except HeritageError as error:
        print(error.detail, file=sys.stderr)
        return 1
    try:
        app.extensions[EXTENSION].work(redis_url, queues, burst=burst)
    except RedisError as error:
        print(f"Redis cannot be reached: {error}.", file=sys.stderr)
        return 1
    finally:
        close_app(app)
    return 0


def is_at_work() -> bool:
    """Whether Redis knows a worker of this machine that is alive.

    Raises
    ------
    InvalidRequest
        When there is no Redis, by the settings.
    """
    from redis.exceptions import RedisError
    from rq import Worker

    from model_heritage_backend.jobs.redis_queue import connect

    _, redis_url = _load()
    try:
        known = Worker.all(connection=connect(redis_url))
    except RedisError:
        return False
    return any(worker.hostname == socket.gethostname() for worker in known)


def _load() -> tuple[Settings, str]:
    settings = load_settings()
    if settings.redis_url is None:
        raise InvalidRequest("A worker needs REDIS_URL, over which servers send their jobs.")
    return settings, settings.redis_url
