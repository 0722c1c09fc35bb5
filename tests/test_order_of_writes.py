"""What a real server asks the system to do, in its order: that is what a power cut would test.

Every acknowledged upload was synced, named, its folder synced and its row committed, one after the
other, before the answer was begun.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.chaos.checkpoints import get_checksum, make_checkpoint
from tests.processes import RealServer

CALLS = "fsync,fdatasync,rename,renameat,renameat2,sendto,write,writev"


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_synced_named_synced_committed_answered(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    with RealServer(tmp_path / "data") as server:
        assert server.ask("PUT", "/api/models?name=first", make_checkpoint(0))[0] == 201
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
        prefer = {"Prefer": "respond-async"}
        assert server.ask("PUT", "/api/models?name=a", make_checkpoint(1), **prefer)[0] == 202
        time.sleep(0.2)
        os.kill(tracer.pid, signal.SIGINT)
        tracer.communicate(timeout=30)
    lines = trace.read_text().splitlines()
    checksum = get_checksum(1)
    [named] = [
        n for n, line in enumerate(lines) if "rename" in line and f"blobs/{checksum}" in line
    ]
    staged = re.search(r"staging/([0-9a-f]{32})", lines[named])
    assert staged is not None

    def find(pattern: str, *, after: int) -> int:
        return next(n for n, line in enumerate(lines) if n > after and re.search(pattern, line))

    synced = find(rf"fsync\(\d+<.*staging/{staged[1]}>", after=-1)
    marked = find(r"fsync\(\d+<.*/staging>", after=synced)
    folder = find(r"fsync\(\d+<.*/blobs>", after=named)
    committed = find(r"f(data)?sync\(\d+<.*app\.db-wal>", after=folder)
    answered = find(r"(sendto|write)\(\d+<.*\"HTTP/1\.1 202", after=-1)
    assert synced < marked < named < folder < committed < answered
