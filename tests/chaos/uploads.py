"""Ways to send a checkpoint, one request at a time."""

from __future__ import annotations

import time

from tests.chaos.checkpoints import make_checkpoint
from tests.chaos.servers import Victim

TUS = {"Tus-Resumable": "1.0.0"}
FILENAME = {"Upload-Metadata": "filename YS5zYWZldGVuc29ycw=="}
REST_SECONDS = 60.0


def put(victim: Victim, number: int, name: str) -> int:
    """The status of a plain upload."""
    path = f"/api/models?name={name}&filename=a.safetensors"
    return victim.ask("PUT", path, make_checkpoint(number))[0]


def announce(victim: Victim, length: int) -> str:
    """The address of a new resumable upload."""
    headers = TUS | FILENAME | {"Upload-Length": str(length)}
    status, _, told = victim.fetch("POST", "/api/uploads", None, headers)
    assert status == 201, status
    return told["Location"]


def append(victim: Victim, address: str, offset: int, content: bytes) -> int:
    headers = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": str(offset)}
    return victim.ask("PATCH", address, content, TUS | headers)[0]


def wait_for_jobs(victim: Victim) -> None:
    """Until all of them are done."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        states = {job["state"] for job in victim.ask("GET", "/api/jobs")[1]["jobs"]}
        if states <= {"done"}:
            return
        assert time.monotonic() < deadline, states
        time.sleep(0.05)
