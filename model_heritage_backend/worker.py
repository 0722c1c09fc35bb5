"""A process that does the jobs which servers send over Redis."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from model_heritage_backend.config import load_settings
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
        settings = load_settings()
        if settings.redis_url is None:
            raise InvalidRequest("A worker needs REDIS_URL, over which servers send their jobs.")
        app = create_app(settings, is_worker=True)
    except HeritageError as error:
        print(error.detail, file=sys.stderr)
        return 1
    try:
        app.extensions[EXTENSION].work(settings.redis_url, queues, burst=burst)
    except RedisError as error:
        print(f"Redis cannot be reached: {error}.", file=sys.stderr)
        return 1
    finally:
        close_app(app)
    return 0
