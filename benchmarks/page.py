"""How soon the pages show something, and how soon they answer, with many models in the lake.

``python -m benchmarks.page`` (``make bench-page``) fills a lake of 10,000 rows, starts a server on
the built pages, and drives a Chromium over it. Ends with status 1 when a budget is exceeded.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.page_lake import fill_lake

PROJECT = Path(__file__).resolve().parents[1]
PAINT_MS = 1000.0
ANSWER_MS = 100.0
START_SECONDS = 60


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--models", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    node = shutil.which("node")
    if chromium is None or node is None:
        print("Chromium and Node.js are needed.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        fill_lake(Path(folder) / "app.db", options.models)
        port = _find_port()
        environment = {
            **os.environ,
            "MODEL_HERITAGE_DATA_DIR": folder,
            "MODEL_HERITAGE_HOST": "127.0.0.1",
            "MODEL_HERITAGE_PORT": str(port),
        }
        # It complains of every file: there are rows only.
        server = subprocess.Popen(
            [sys.executable, "run_server.py"],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            base = f"http://127.0.0.1:{port}"
            _wait_for(base, server)
            facts = {"base": base, "chromium": chromium, "rounds": options.rounds}
            found = subprocess.run(
                [node, str(Path(__file__).with_name("page.mjs")), json.dumps(facts)],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        finally:
            server.terminate()
            server.wait(timeout=30)
    return _report(json.loads(found.stdout), models=options.models)


def _report(found: dict[str, dict[str, list[float]]], *, models: int) -> int:
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{models:,} models; {os.cpu_count()} processors, load {load}; milliseconds")
    exceeded = False
    for kind, title, budget in (
        ("paints", "first contentful paint", PAINT_MS),
        ("answers", "interaction, from the event to the next paint", ANSWER_MS),
    ):
        print(f"\n{title}, budget {budget:.0f}")
        for name, values in found[kind].items():
            ordered = sorted(values)
            median = ordered[len(ordered) // 2]
            late = median >= budget
            exceeded |= late
            mark = "  exceeded" if late else ""
            print(f"  {name:<38} median {median:>5.0f}   worst {ordered[-1]:>5.0f}{mark}")
    return 1 if exceeded else 0


def _find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(base: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{base}/api/session", timeout=60):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
    raise SystemExit("The server did not start.")


if __name__ == "__main__":
    sys.exit(main())
