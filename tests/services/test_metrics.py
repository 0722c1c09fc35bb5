from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from model_heritage_backend.places import COUNTERS_FOLDER
from tests.databases import postgres_only
from tests.processes import RealServer

COUNT = """
import os, sys
from model_heritage_backend.services.metrics import Metrics
metrics = Metrics()
for _ in range(int(sys.argv[1])):
    metrics.count_request(
        method="GET", route="/a", status=200, seconds=0.5, slow=False, problem=None
    )
print(os.getpid())
print(metrics.render().decode())
"""
ASKED = 30


def count(folder: Path, times: int) -> tuple[str, str]:
    """(process id, what it tells) of a process that counts so many requests, and ends."""
    run = subprocess.run(
        [sys.executable, "-c", COUNT, str(times)],
        env={**os.environ, COUNTERS_FOLDER: str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    pid, _, told = run.stdout.partition("\n")
    return pid, told


def find(told: str, name: str) -> list[float]:
    """The values of the samples whose names and labels a pattern matches."""
    return [float(value) for value in re.findall(rf"^{name} (\S+)$", told, re.MULTILINE)]


def test_every_process_tells_what_all_have_counted(tmp_path: Path) -> None:
    count(tmp_path, 2)
    pid, told = count(tmp_path, 3)
    assert find(told, r"model_heritage_http_requests_total\{.*\}") == [5.0]
    assert find(told, r"model_heritage_http_request_seconds_count\{.*\}") == [5.0]
    assert find(told, r"model_heritage_slow_requests_total") == [0.0]
    assert find(told, r"model_heritage_info\{.*\}") == [1.0]
    # The first one lives no more.
    assert re.findall(r'^process_open_fds\{pid="(\d+)"\}', told, re.MULTILINE) == [pid]


@postgres_only
def test_a_server_of_two_processes(tmp_path: Path) -> None:
    variables = {"MODEL_HERITAGE_PROCESSES": "2", "TMPDIR": str(tmp_path)}
    with RealServer(tmp_path / "data", **variables) as server:

        def tell() -> str:
            connection = server.connect()
            connection.request("GET", "/metrics")
            told = connection.getresponse().read().decode()
            connection.close()
            return told

        for _ in range(ASKED):
            assert server.ask("GET", "/api/stats")[0] == 200
        requests = r'model_heritage_http_requests_total\{.*route="/api/stats".*\}'
        for _ in range(ASKED):
            assert find(tell(), requests) == [float(ASKED)]
        assert len(find(tell(), r"process_open_fds\{pid=.*\}")) == 2
        assert len(list(tmp_path.glob("model-heritage-*"))) == 1
        assert server.stop() == 0
    assert not list(tmp_path.glob("model-heritage-*"))
