"""A public server cannot have the user's own network asked: not by redirecting, not by its name.

127.0.0.2 plays the public address here.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.errors import ServerUnreachable
from model_heritage_backend.scanning.remote import peers
from model_heritage_backend.scanning.remote.download import download
from model_heritage_backend.scanning.remote.sources import HttpSource

OUTSIDE, INSIDE = "127.0.0.2", "127.0.0.1"


class Server:
    """Gives a file in parts, or leads elsewhere; ``asked`` are the paths it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.leads_to: str | None = None
        self.port = 0


@contextmanager
def serve(address: str, *, port: int = 0) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if state.leads_to is not None:
                self.send_response(302)
                self.send_header("Location", state.leads_to)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", "bytes 0-3/4")
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"data")

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence."""

    server = ThreadingHTTPServer((address, port), Handler)
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(autouse=True)
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "is_public", lambda address: address == OUTSIDE)


def test_redirections_do_not_lead_inside(tmp_path: Path) -> None:
    with serve(OUTSIDE) as outside, serve(INSIDE) as inside:
        outside.leads_to = f"http://{INSIDE}:{inside.port}/secret"
        url = f"http://{OUTSIDE}:{outside.port}/a.safetensors"
        with pytest.raises(ServerUnreachable, match="within your own network"):
            HttpSource(url)
        with pytest.raises(ServerUnreachable, match="within your own network"):
            download(url, tmp_path, most=100, on_bytes=[].append)
        assert (len(outside.asked), inside.asked) == (2, [])


def test_a_name_that_leads_elsewhere_the_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to = [OUTSIDE]
    look_up = socket.getaddrinfo

    def answer(host: str, *arguments: Any, **options: Any) -> object:
        return look_up(leads_to[0] if host == "rebinding.example" else host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    with serve(OUTSIDE) as outside, serve(INSIDE, port=outside.port) as inside:
        source = HttpSource(f"http://rebinding.example:{outside.port}/a.safetensors")
        leads_to[0] = INSIDE
        source._pool.clear()
        with pytest.raises(ServerUnreachable, match="within your own network"):
            source.read(0, 4)
        assert (len(outside.asked), inside.asked) == (1, [])


def test_who_asks_inside_means_it() -> None:
    with serve(INSIDE) as inside:
        source = HttpSource(f"http://{INSIDE}:{inside.port}/a.safetensors")
        assert source.read(0, 4) == b"data"
        source.close()


INNER = (
    "127.0.0.1 10.0.0.1 192.168.1.1 172.16.0.1 169.254.169.254 0.0.0.0 100.64.0.1 ::1 fe80::1%eth0 "
    "fd00::1 ::ffff:127.0.0.1 ::ffff:169.254.169.254 ::"
)


@pytest.mark.parametrize("address", INNER.split())
def test_what_is_not_public(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert not peers.is_public(address)
    assert peers.is_public("93.184.216.34")
    assert peers.is_public("2606:2800:220:1:248:1893:25c8:1946")
