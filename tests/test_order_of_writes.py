"""What a real server asks the system to do, in its order: that is what a power cut would test.

Every acknowledged upload, whatever way it came, was synced, named, its folder synced and its row
committed, one after the other, before the answer was begun.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save

from tests.chaos.checkpoints import get_checksum, make_checkpoint
from tests.processes import RealServer

CALLS = "fsync,fdatasync,rename,renameat,renameat2,sendto,write,writev"
PREFER = {"Prefer": "respond-async"}
TUS = {"Tus-Resumable": "1.0.0"}
BOUNDARY = "order-of-writes"


def put(server: RealServer, number: int) -> None:
    content = make_checkpoint(number)
    assert server.ask("PUT", "/api/models?name=put", content, **PREFER)[0] == 202


def post(server: RealServer, number: int) -> None:
    part = 'Content-Disposition: form-data; name="file"; filename="post.safetensors"'
    head, foot = f"--{BOUNDARY}\r\n{part}\r\n\r\n", f"\r\n--{BOUNDARY}--\r\n"
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    body = head.encode() + make_checkpoint(number) + foot.encode()
    assert server.ask("POST", "/api/models", body, **PREFER, **kind)[0] == 202


def resume(server: RealServer, number: int) -> None:
    content = make_checkpoint(number)
    told = {"Upload-Length": str(len(content)), "Upload-Metadata": "filename dHVzLnNhZmV0ZW5zb3Jz"}
    connection = server.connect()
    connection.request("POST", "/api/uploads", headers=TUS | told)
    address = connection.getresponse().headers["Location"]
    connection.close()
    middle = len(content) // 2
    for start, piece in ((0, content[:middle]), (middle, content[middle:])):
        kind = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(start)}
        assert server.ask("PATCH", address, piece, **TUS, **kind)[0] == 204


WAYS = (
    (put, "staging", 202),
    (post, "staging", 202),
    # The last piece's answer is the one that counts.
    (resume, "resumable", 204),
)


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_synced_named_synced_committed_answered(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with RealServer(tmp_path / "data") as server:
        put(server, 0)
        tracer = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "20", "-e", f"trace={CALLS}", "-o", str(trace), "-p",
             str(server.find_worker())],
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert tracer.stderr is not None
        attached = tracer.stderr.readline()
        if "attached" not in attached:
            tracer.kill()
            tracer.communicate()
            pytest.skip(f"strace may not look: {attached.strip()}")
        for number, (send, _, _) in enumerate(WAYS, 1):
            # What jobs commit must not be taken for what the upload does.
            wait_for_jobs(server)
            send(server, number)
        time.sleep(0.2)
        os.kill(tracer.pid, signal.SIGINT)
        tracer.communicate(timeout=240)
    lines = trace.read_text().splitlines()
    for number, (_, folder, status) in enumerate(WAYS, 1):
        check_order(lines, get_checksum(number), folder=folder, status=status)


def wait_for_jobs(server: RealServer) -> None:
    while any(job["state"] != "done" for job in server.ask("GET", "/api/jobs")[1]["jobs"]):
        time.sleep(0.05)


def check_order(lines: list[str], checksum: str, *, folder: str, status: int) -> None:
    """``folder`` is where the file was received, ``status`` that of its answer."""
    [named] = [
        n for n, line in enumerate(lines) if "rename" in line and f"blobs/{checksum}" in line
    ]
    received = re.search(rf"{folder}/(\w+)\"", lines[named])
    assert received is not None, lines[named]

    def find(pattern: str, *, after: int, before: int | None = None) -> int:
        found = [n for n in range(after + 1, before or len(lines)) if re.search(pattern, lines[n])]
        assert found, f"{folder}: no {pattern} from line {after} to {before}"
        return found[-1] if before else found[0]

    # The last time before it got its name: of a resumable upload, every piece is synced.
    synced = find(rf"fsync\(\d+<.*{folder}/{received[1]}>", after=-1, before=named)
    marked = find(r"fsync\(\d+<.*/staging>", after=synced, before=named)
    entered = find(r"fsync\(\d+<.*/blobs>", after=named)
    committed = find(r"f(data)?sync\(\d+<.*app\.db-wal>", after=entered)
    answered = find(rf"(sendto|write)\(\d+<.*\"HTTP/1\.1 {status}", after=named)
    assert synced < marked < named < entered < committed < answered
    # Nothing was added to the file once it was synced.
    assert not any(f"{folder}/{received[1]}>" in line for line in lines[synced + 1 : named])


@pytest.mark.parametrize("way", ["raw", "form", "tus"])
def test_an_upload_is_written_once(server: RealServer, way: str) -> None:
    """What the server writes, to whatever file, while it takes a model in."""
    rng = np.random.default_rng(list(way.encode()))
    content = save({"weight": rng.standard_normal((1024, 2048)).astype(np.float32)})
    before = count_written(server)
    if way == "raw":
        status, _ = server.ask("PUT", "/api/models?name=raw", content)
    elif way == "form":
        body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="form.safetensors"'
        body += b"\r\n\r\n" + content + b"\r\n--x--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        status, _ = server.ask("POST", "/api/models", body, **kind)
    else:
        headers = {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(content))}
        headers["Content-Type"] = "application/offset+octet-stream"
        headers["Upload-Metadata"] = f"filename {base64.b64encode(b'tus.safetensors').decode()}"
        status, _ = server.ask("POST", "/api/uploads", content, **headers)
    assert status == 201
    written = count_written(server) - before
    assert len(content) <= written < 1.2 * len(content)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealServer]:
    with RealServer(tmp_path_factory.mktemp("once") / "data") as server:
        # What is written once and for all by the first upload does not count.
        assert server.ask("PUT", "/api/models?name=first", make_checkpoint(0))[0] == 201
        yield server


def count_written(server: RealServer) -> int:
    """Bytes that the process has given to the system to write, also to sockets."""
    lines = Path(f"/proc/{server.find_worker()}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))
