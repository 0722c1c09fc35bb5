"""gunicorn's threaded worker, made patient: slow clients do not keep quick ones waiting.

gunicorn gives a connection a thread as soon as it is there, and the thread waits for whatever the
client sends. A few clients that dawdle are enough then to stop everything. Here a request gets a
thread when its head has arrived as a whole. What can take long through no fault of the server (a
body that is sent, a file that is fetched, a stream of events) has threads of its own, of which
there are many, since they mostly wait; everything else keeps the few that do the work.

And the worker listens before it has its application, which takes seconds to load: meanwhile the
doorman says that the process lives, and all other requests wait, without a thread, as if nobody
had taken them up yet.
"""

from __future__ import annotations

import contextlib
import functools
import re
import selectors
import socket
import struct
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

from model_heritage_backend import doorman

HEAD_BYTES = 1 << 15
"""Of the longest head. gunicorn would wait for 800 KB of one, each with a thread."""
TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\n\r\n"
HEAD_SECONDS = 30.0
IDLE_SECONDS = 60
"""How long a connection may send nothing of a body, or take nothing of an answer."""
LOOK_SECONDS = 0.1
LONG_THREADS = 512
CLOSE_WAIT = 8
"""Linux's number of this state of TCP."""
HEAD_END = b"\r\n\r\n"
HAS_BODY = re.compile(rb"\r\n(transfer-encoding:|content-length:[ \t]*0*[1-9])", re.IGNORECASE)
LONG_ANSWER = re.compile(rb"[A-Z]+ [^? ]*/(download|events|export)[? ]")


def takes_long(head: bytes) -> bool:
    """Whether a request with this head waits for its client, rather than the client for it.

    Examples
    --------
    >>> takes_long(b"GET /api/models HTTP/1.1\\r\\nHost: here\\r\\n\\r\\n")
    False
    >>> takes_long(b"PUT /api/models?name=a HTTP/1.1\\r\\nContent-Length: 12\\r\\n\\r\\n")
    True
    >>> takes_long(b"GET /api/models/m_1/download HTTP/1.1\\r\\n\\r\\n")
    True
    """
    return HAS_BODY.search(head) is not None or LONG_ANSWER.match(head) is not None


class PatientWorker(ThreadWorker):  # type: ignore[misc]
    """See the module."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._long_pool = ThreadPoolExecutor(LONG_THREADS, thread_name_prefix="long")
        # Without a thread yet: those that have sent nothing wait in the poller; those that have
        # sent part of a head are looked at now and then, as the poller would tell of it for ever.
        self._silent: dict[TConn, float] = {}
        self._begun: dict[TConn, float] = {}
        # Whole heads that wait for the application.
        self._held: dict[TConn, float] = {}
        self._served: set[TConn] = set()
        self._started: Future[Any] | None = None
        self._is_open = False

    # The application ---------------------------------------------------------------------------

    def load_wsgi(self) -> None:
        self.wsgi = doorman.answer
        starter = ThreadPoolExecutor(1, thread_name_prefix="start")
        self._started = starter.submit(self.app.wsgi)
        starter.shutdown(wait=False)
        if self.cfg.workers > 1:
            # Others may be able to answer what this one would keep waiting.
            self._open(self._started)
        else:
            self._started.add_done_callback(
                lambda started: self.method_queue.defer(self._open, started)
            )

    def _open(self, started: Future[Any]) -> None:
        """Serve whoever waits; or end, as a worker does that gunicorn must not try again."""
        self.booted = started.exception() is None
        self.wsgi = started.result()
        self.app.greet(self)
        self._is_open = True
        held, self._held = self._held, {}
        for conn, deadline in held.items():
            self._look(conn, deadline)

    def wait_for_start(self) -> None:
        """Until there is an application, or there will be none."""
        if self._started is not None:
            wait([self._started])

    # From connection to thread -----------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        limit = struct.pack("ll", IDLE_SECONDS, 0)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        self.nr_conns += 1
        self._attend(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """A kept connection's next request is a request like any other."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._attend(conn)

    def _attend(self, conn: TConn) -> None:
        conn.sock.setblocking(False)
        self._silent[conn] = time.monotonic() + HEAD_SECONDS
        wake = functools.partial(self._on_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, wake)

    def _on_readable(self, conn: TConn, client: socket.socket) -> None:
        self.poller.unregister(client)
        self._look(conn, self._silent.pop(conn))

    def _look(self, conn: TConn, deadline: float) -> None:
        """Give it a thread if its head is there."""
        try:
            head = conn.sock.recv(HEAD_BYTES, socket.MSG_PEEK)
        except BlockingIOError:
            head = None
        except OSError:
            head = b""
        is_part = head is None or HEAD_END not in head
        if is_part and head is not None and len(head) >= HEAD_BYTES:
            self._refuse(conn)
            return
        late = not self.alive or time.monotonic() > deadline
        if head == b"" or (is_part and (late or _has_gone(conn.sock))):
            self._drop(conn)
        elif is_part:
            self._begun[conn] = deadline
        elif not self._is_open and not doorman.is_for_doorman(head):
            self._held[conn] = deadline
        else:
            conn.data_ready = True
            self._serve(conn, self._long_pool if takes_long(head) else self.tpool)

    def _serve(self, conn: TConn, pool: ThreadPoolExecutor) -> None:
        self._served.add(conn)
        outcome = pool.submit(self.handle, conn)
        outcome.add_done_callback(
            lambda done: self.method_queue.defer(self.finish_request, conn, done)
        )

    def enqueue_req(self, conn: TConn) -> None:
        """gunicorn's own way to a thread: for a request that came right behind another."""
        self._serve(conn, self._long_pool)

    def finish_request(self, conn: TConn, fs: Future[Any]) -> None:
        self._served.discard(conn)
        super().finish_request(conn, fs)

    def _refuse(self, conn: TConn) -> None:
        with contextlib.suppress(OSError):
            conn.sock.send(TOO_LONG)
        self._drop(conn)

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    # The loop ----------------------------------------------------------------------------------

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        super().wait_for_and_dispatch_events(LOOK_SECONDS if self._begun else timeout)
        begun, self._begun = self._begun, {}
        for conn, deadline in begun.items():
            self._look(conn, deadline)
        # They are in the order in which they came.
        while self._silent:
            conn, deadline = next(iter(self._silent.items()))
            if self.alive and time.monotonic() <= deadline:
                break
            del self._silent[conn]
            self.poller.unregister(conn.sock)
            self._drop(conn)

    def run(self) -> None:
        super().run()
        for conn in [*self._begun, *self._silent, *self._held]:
            conn.close()
        # The time of grace is over: threads that still wait for a client must not be waited for.
        for conn in list(self._served):
            with contextlib.suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
        self._long_pool.shutdown(wait=False, cancel_futures=True)

    def handle_quit(self, sig: int, frame: Any) -> None:
        self._long_pool.shutdown(wait=False, cancel_futures=True)
        super().handle_quit(sig, frame)


def _has_gone(client: socket.socket) -> bool:
    """Whether the other side will send no more, of which what it has sent before tells nothing."""
    option = getattr(socket, "TCP_INFO", None)
    if option is None:
        return False
    try:
        return client.getsockopt(socket.IPPROTO_TCP, option, 1)[0] == CLOSE_WAIT
    except OSError:
        return False
