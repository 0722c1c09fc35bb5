"""Serving the application with gunicorn, from Python."""

from __future__ import annotations

import gc
import ipaddress
import logging
import os
import resource
import shutil
import signal
import socket
import sys
import tempfile
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.errors import HeritageError
from model_heritage_backend.places import COUNTERS_FOLDER
from model_heritage_backend.routes.log_lines import start_logging
from model_heritage_backend.web_worker import PatientWorker

WORKER_SECONDS = 300
CONNECTIONS = 2000
DESCRIPTORS = 8192
"""Wanted for so many connections and the files that they send or fetch."""
GRACE_SECONDS = 15
STOPPING = (signal.SIGINT, signal.SIGQUIT)
CANNOT_LOAD = 4
"""Exit code of a worker that tells gunicorn to give up instead of trying again and again."""


class PortTaken(HeritageError):
    type = "port-taken"
    title = "The port is taken"


class OpenDoor(HeritageError):
    type = "open-door"
    title = "Anyone in the network could change everything"


class ServerLog(Logger):  # type: ignore[misc]  # (gunicorn has no types)
    """What gunicorn has to say goes where everything goes, in the same form."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self.loglevel = logging.WARNING
        self._access_log_enabled = False
        self.error_log.setLevel(self.loglevel)
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]  # (likewise)
    """One process, many threads: the genealogy has one writer, unless PostgreSQL sees to turns.

    The application is made in the worker, after gunicorn has forked: compiled loops and linear
    algebra start threads of their own, and threads do not survive a fork.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: Any = None
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        options = {
            "bind": f"{host}:{self.settings.port}",
            "worker_class": PatientWorker,
            "worker_connections": CONNECTIONS,
            "workers": self.settings.processes,
            "threads": self.settings.threads,
            # How long the whole worker may seem dead; a slow upload does not count.
            "timeout": WORKER_SECONDS,
            "graceful_timeout": GRACE_SECONDS,
            "control_socket_disable": True,
            "logger_class": ServerLog,
            "post_worker_init": _stop_once,
            "worker_exit": _close,
            "proc_name": "model-heritage",
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # What is loaded now stays: looking through it for garbage again and again would be a sixth
        # of the time to the first answer, and part of every later search.
        gc.disable()
        from model_heritage_backend.app import create_app

        limit_memory(self.settings.memory_limit_bytes)
        try:
            self.app = create_app(self.settings)
        except HeritageError as error:
            print(error.detail, file=sys.stderr, flush=True)
            sys.exit(CANNOT_LOAD)
        gc.freeze()
        gc.enable()
        return self.app

    def greet(self, worker: Any) -> None:
        """The application is there: whoever started the server may know where."""
        from model_heritage_backend.routes.jobs import STREAMS

        self.app.extensions[STREAMS].is_serving = lambda: worker.alive
        everywhere = ("127.0.0.1", "::1", "::", "0.0.0.0")  # noqa: S104 (compared, not bound)
        shown = "localhost" if self.settings.host in everywhere else self.settings.host
        if worker.age > 1:
            # The first of several processes speaks for all.
            return
        port = self.settings.port
        print(f"Model Heritage is at http://{shown}:{port} (Ctrl-C stops it)", flush=True)


def limit_memory(limit: int | None) -> None:
    """Let this process have no more memory of its own than ``limit`` bytes.

    Beyond that Python raises MemoryError where it asks for more, and only what asked fails. Files
    that the system keeps in memory by itself do not count.
    """
    if limit is not None:
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _stop_once(worker: Any) -> None:
    """What stops a worker stops it once. Ctrl-C reaches master and worker alike, and the master
    signals as well: a second signal could wait for ever for a lock that the first handler holds,
    or raise in the midst of closing, which gives running jobs back.
    """

    def handle(number: int, frame: Any) -> None:
        _ignore_signals()
        worker.handle_quit(number, frame)

    for number in STOPPING:
        signal.signal(number, handle)


def _ignore_signals() -> None:
    for number in STOPPING:
        signal.signal(number, signal.SIG_IGN)


def _close(server: Any, worker: Any) -> None:  # noqa: ARG001 (gunicorn's signature)
    from model_heritage_backend.app import close_app

    _ignore_signals()
    worker.wait_for_start()
    if worker.app.app is not None:
        close_app(worker.app.app)


def serve(**overrides: Any) -> int:
    """Serve until told to stop.

    Parameters
    ----------
    overrides : settings by name, which win over the environment and config.yaml

    Returns
    -------
    The exit code: 0 after a normal stop, 1 when the server cannot start.
    """
    try:
        settings = load_settings(**overrides)
        check_door(settings)
        _check_port(settings)
        # Of the process that watches over the one that serves. Only that one writes to the file.
        start_logging(settings.log_level, format_=settings.log_format)
    except HeritageError as error:
        print(error.detail, file=sys.stderr)
        return 1
    master = os.getpid()
    _allow_descriptors()
    if settings.processes > 1:
        os.environ[COUNTERS_FOLDER] = tempfile.mkdtemp(prefix="model-heritage-")
    try:
        Server(settings).run()
    except SystemExit as stop:
        # The worker, a fork of this process, leaves through here too, with a code for its master.
        if os.getpid() != master:
            raise
        # Python gives up handlers of its own as it ends: one more Ctrl-C would kill it.
        _ignore_signals()
        if settings.processes > 1:
            shutil.rmtree(os.environ.pop(COUNTERS_FOLDER), ignore_errors=True)
        return 1 if stop.code else 0
    return 0


def check_door(settings: Settings) -> None:
    """Refuse to let everyone in from everywhere, unless that is wanted in so many words.

    Raises
    ------
    OpenDoor
        When access is open and the address can be reached from other machines.
    """
    if settings.access != "open" or settings.open_beyond_loopback:
        return
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    except OSError:
        # Nothing can be bound there: the check of the port says so.
        return
    if not all(ipaddress.ip_address(address[0]).is_loopback for *_, address in found):
        raise OpenDoor(
            f"With open access, whoever reaches {settings.host} could change and delete "
            "everything. Set MODEL_HERITAGE_ACCESS=token, or listen on 127.0.0.1; "
            "MODEL_HERITAGE_OPEN_BEYOND_LOOPBACK=true allows it all the same."
        )


def _allow_descriptors() -> None:
    """As many open files as wanted, as far as the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _check_port(settings: Settings) -> None:
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise PortTaken(
            f"Port {settings.port} on {settings.host} cannot be used ({error.strerror}). Is a "
            "server running already? MODEL_HERITAGE_PORT chooses another port."
        ) from error
