"""The command ``serve``: the web server, as ``python run_server.py`` starts it."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from model_heritage_backend.errors import InvalidRequest

WORKERS_NEED = ("redis", "rq", "psycopg")
NEEDED = ("flask", "apiflask", "flask_sqlalchemy", "gunicorn")


def run_server(*, host: str | None, port: int | None, data_dir: Path | None) -> int:
    """Serve until told to stop; options win over the environment and config.yaml.

    Raises
    ------
    InvalidRequest
        When the packages of the server are not installed.
    """
    require_server()
    from model_heritage_backend.server import serve

    options = {"host": host, "port": port, "data_dir": data_dir}
    return serve(**{name: value for name, value in options.items() if value is not None})


def run_worker(queues: Sequence[str], *, burst: bool) -> int:
    """Do the jobs of servers until told to stop.

    Raises
    ------
    InvalidRequest
        When the packages of the server or of its workers are not installed.
    """
    require_server()
    missing = [name for name in WORKERS_NEED if importlib.util.find_spec(name) is None]
    if missing:
        raise InvalidRequest(
            f"Workers need {', '.join(missing)}: pip install 'model-heritage[postgres,redis]'."
        )
    from model_heritage_backend.worker import work

    return work(queues, burst=burst)


def require_server() -> None:
    """Raises InvalidRequest when what only the server needs was not installed."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise InvalidRequest(
            "This installation has no server in it "
            f"({', '.join(missing)} missing): pip install 'model-heritage[server]'."
        )
