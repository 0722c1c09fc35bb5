"""Serving the application with gunicorn, from Python."""

from __future__ import annotations

import socket
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.errors import HeritageError

UPLOAD_SECONDS = 3600


class Server(BaseApplication):  # type: ignore[misc]
    """One process, many threads: the genealogy has one writer.

    The application is made in the worker, after gunicorn has forked: compiled loops and linear
    algebra must not start their threads before.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        options = {
            "bind": f"{self._settings.host}:{self._settings.port}",
            "worker_class": "gthread",
            "workers": 1,
            "threads": self._settings.threads,
            "timeout": UPLOAD_SECONDS,
            "graceful_timeout": 30,
            "control_socket_disable": True,
            "loglevel": "warning",
            "worker_exit": _close,
            "proc_name": "model-heritage",
        }
        for name, value in options.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Any:
        try:
            self.app = create_app(self._settings)
        except HeritageError as error:
            print(error.detail, file=sys.stderr)
            # 4 tells gunicorn that the application cannot be loaded: it stops instead of retrying.
            sys.exit(4)
        return self.app


def _close(server: Any, worker: Any) -> None:  # noqa: ARG001 (gunicorn's signature)
    app = getattr(worker.app, "app", None)
    if app is not None:
        close_app(app)


def serve(**overrides: Any) -> int:
    """Serve until told to stop; the process's exit code."""
    try:
        settings = load_settings(**overrides)
        _check_port(settings)
    except HeritageError as error:
        print(error.detail, file=sys.stderr)
        return 1
    everywhere = ("127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 (compared, not bound)
    shown = "localhost" if settings.host in everywhere else settings.host
    print(f"Model Heritage is at http://{shown}:{settings.port} (Ctrl-C stops it)", flush=True)
    Server(settings).run()
    return 0


class PortTaken(HeritageError):
    type = "port-taken"
    title = "The port is taken"


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). Is a "
                "server running already? MODEL_HERITAGE_PORT chooses another port."
            ) from error
