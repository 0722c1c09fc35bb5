"""An HTTP server that gives files of a folder, in more and less honest ways."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class FileServer:
    """``manner`` names how it answers; it may be changed at any time."""

    folder: Path
    manner: str = "ranges"
    url: str = ""
    sent: int = 0
    tag: str = '"one"'
    asked: list[str] = field(default_factory=list)


@contextmanager
def serve_files(folder: Path) -> Iterator[FileServer]:
    state = FileServer(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _make_handler(state))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _make_handler(state: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16
        timeout = 5

        def do_GET(self) -> None:
            state.asked.append(self.path)
            path = self.path.lstrip("/").partition("?")[0]
            if path.startswith("moved/"):
                self._answer(302, {"Location": f"/{path.removeprefix('moved/')}"}, b"")
                return
            file = state.folder / path
            if not file.is_file():
                self._answer(404, {}, b"")
                return
            data = file.read_bytes()
            wanted = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
            if state.manner == "fails":
                self._answer(403, {}, b"")
            elif (
                wanted is None
                or state.manner == "whole"
                or self.headers.get("If-Range", state.tag) != state.tag
            ):
                self._answer(200, {}, data)
            else:
                start, stop = int(wanted[1]), min(int(wanted[2]) + 1, len(data))
                self._give_part(data, start, stop)

        def _is_unchanged(self) -> bool:
            return self.headers.get("If-Range", state.tag) == state.tag

        def _give_part(self, data: bytes, start: int, stop: int) -> None:
            part, size = data[start:stop], str(len(data))
            headers = {"ETag": state.tag}
            match state.manner:
                case "other part":
                    start += 1
                case "no place":
                    self._answer(206, headers, part)
                    return
                case "shorter":
                    part = part[:-1]
                case "longer":
                    part += b"x"
                case "packed":
                    headers["Content-Encoding"] = "gzip"
                case "other size":
                    size = "9" * 30
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
            self._answer(206, headers, part)

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            try:
                self.wfile.write(body)
                self.wfile.flush()
                state.sent += len(body)
            except OSError:
                # Whoever asked has left, as a client may.
                self.close_connection = True

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence."""

    return Handler
