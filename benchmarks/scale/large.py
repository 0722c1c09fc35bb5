"""A very large file uploaded to a real server, beside ``cp`` and ``sha256sum`` of it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.scale.rows import Row, at_least, at_most, time_once
from model_heritage_backend.errors import InsufficientStorage
from model_heritage_backend.places import PROJECT

BLOCK = 1 << 22
GIGABYTE = 1 << 30
START_SECONDS = 240


class Server:
    """``run_server.py`` on a folder; its memory is watched while it works."""

    def __init__(self, folder: Path) -> None:
        self.port = 20_000 + os.getpid() % 20_000
        self._process = subprocess.Popen(
            [sys.executable, "run_server.py"],
            cwd=PROJECT,
            env=os.environ
            | {
                "MODEL_HERITAGE_DATA_DIR": str(folder),
                "MODEL_HERITAGE_PORT": str(self.port),
                "MODEL_HERITAGE_MAX_UPLOAD_BYTES": str(64 * GIGABYTE),
                "MODEL_HERITAGE_LOG_LEVEL": "ERROR",
            },
        )
        self.peak = 0
        threading.Thread(target=self._watch, daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.ask("GET", "/api/session")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                break

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> dict[str, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=3600, blocksize=BLOCK)
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return {name.lower(): value for name, value in answer.getheaders()}

    def put(self, path: Path) -> None:
        with path.open("rb") as file:
            headers = {"Content-Length": str(path.stat().st_size)}
            self.ask("PUT", f"/api/models?filename={path.name}", file, headers)

    def send_resumable(self, path: Path) -> None:
        """By tus: announced, then its bytes."""
        name = base64.b64encode(path.name.encode()).decode()
        size = str(path.stat().st_size)
        tus = {"Tus-Resumable": "1.0.0"}
        made = self.ask(
            "POST",
            "/api/uploads",
            headers=tus | {"Upload-Length": size, "Upload-Metadata": f"filename {name}"},
        )
        with path.open("rb") as file:
            headers = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
            headers |= {"Content-Length": size}
            self.ask("PATCH", made["location"], file, tus | headers)

    def send_form(self, path: Path) -> None:
        """As a page without scripts does."""
        head = (
            b'--x\r\nContent-Disposition: form-data; name="file"; filename="'
            + path.name.encode()
            + b'"\r\n\r\n'
        )
        tail = b"\r\n--x--\r\n"

        def read() -> Iterator[bytes]:
            yield head
            with path.open("rb") as file:
                while block := file.read(BLOCK):
                    yield block
            yield tail

        headers = {"Content-Length": str(len(head) + path.stat().st_size + len(tail))}
        headers["Content-Type"] = "multipart/form-data; boundary=x"
        self.ask("POST", "/api/models", read(), headers)

    def count_written(self) -> int:
        """Bytes that the server and its workers have sent to disks."""
        return sum(
            int(line.split()[1])
            for one in self._list_processes()
            for line in Path(f"/proc/{one}/io").read_text().splitlines()
            if line.startswith("write_bytes")
        )

    def count_seconds(self) -> float:
        """Of processor that they have used."""
        ticks = 0
        for one in self._list_processes():
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def _watch(self) -> None:
        while self._process.poll() is None:
            self.peak = max(self.peak, self._measure())
            time.sleep(0.1)

    def _measure(self) -> int:
        """Bytes of the server and of its workers that are not files."""
        total = 0
        for one in self._list_processes():
            try:
                status = Path(f"/proc/{one}/status").read_text()
            except OSError:
                continue
            lines = [line for line in status.splitlines() if line.startswith("RssAnon")]
            total += sum(int(line.split()[1]) * 1024 for line in lines)
        return total

    def _list_processes(self) -> list[str]:
        pid = str(self._process.pid)
        listed = subprocess.run(
            ["ps", "-o", "pid=", "--pid", pid, "--ppid", pid],
            capture_output=True,
            text=True,
            check=False,
        )
        # Not the program that lists them.
        return [one for one in listed.stdout.split() if Path(f"/proc/{one}/io").exists()]

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


WAYS: Mapping[str, Callable[[Server, Path], None]] = {
    "raw PUT": Server.put,
    "form": Server.send_form,
    "tus": Server.send_resumable,
}


def write_large(path: Path, size: int) -> None:
    """A bf16 checkpoint of about so many bytes, written piece by piece."""
    rows, columns = 4096, 4096
    count = max(size // (rows * columns * 2), 1)
    header, offset = {}, 0
    for layer in range(count):
        end = offset + rows * columns * 2
        header[f"layers.{layer}.weight"] = {
            "dtype": "BF16",
            "shape": [rows, columns],
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(header).encode()
    rng = np.random.default_rng(1)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for _ in range(count):
            values = rng.standard_normal((rows, columns), np.float32)
            file.write((values.view(np.uint32) >> 16).astype("<u2").tobytes())


def measure(folder: Path | None = None, *, size: int = 6 * GIGABYTE) -> Iterator[Row]:
    """Rows of a raw PUT and of a resumable upload.

    Raises
    ------
    InsufficientStorage
        When there is no room for the file, a copy and the stored model.
    """
    with tempfile.TemporaryDirectory(dir=folder) as place:
        if shutil.disk_usage(place).free < 3.5 * size:
            raise InsufficientStorage(f"This takes {3.5 * size / 1e9:.0f} GB of disk.")
        path = Path(place) / "large.safetensors"
        write_large(path, size)
        gigabytes = path.stat().st_size / 1e9
        plain = time_once(lambda: _copy_and_hash(path))
        for name in WAYS:
            data = Path(place) / "data"
            server = Server(data)
            try:
                before = server.peak or server._measure()
                written, used = server.count_written(), server.count_seconds()
                took = time_once(partial(WAYS[name], server, path))
                written, used = server.count_written() - written, server.count_seconds() - used
                grown = (server.peak - before) / 1e6
            finally:
                server.stop()
            what, peer = f"{gigabytes:.1f} GB by {name}", "cp + sha256sum"
            yield at_least(what, gigabytes / took, "GB/s", peer, gigabytes / plain, 0.7)
            yield at_most(f"{what}, processor", used, "s", "time of cp + sha256sum", plain, None)
            yield at_most(f"{what}, written", written / 1e9, "GB", "1.01 x", 1.01 * gigabytes)
            yield at_most(f"memory of it, {name}", max(grown, 0.1), "MB", "limit", 150.0)
            yield at_least(f"{what}, size", gigabytes, "GB", "specification", 5.0)
            shutil.rmtree(data)


def _copy_and_hash(path: Path) -> None:
    copy = path.with_suffix(".copy")
    subprocess.run(["cp", path, copy], check=True)
    subprocess.run(["sync", copy], check=True)
    subprocess.run(["sha256sum", copy], check=True, stdout=subprocess.DEVNULL)
    copy.unlink()
