"""``python -m tests.chaos.soak``: a day in an hour.

Random operations, with the server's memory and open files recorded, all judged now and then.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from tests.chaos.audit import Audit
from tests.chaos.campaign import MODELS_EACH
from tests.chaos.client import Client
from tests.chaos.ledger import Ledger
from tests.chaos.servers import FreshPython, Victim

ROUNDS = 80
DEEP_EVERY = 10
SAMPLE_SECONDS = 2.0


class Gauge(threading.Thread):
    """Memory and open files of a server's worker, every so often."""

    def __init__(self, process: int) -> None:
        super().__init__(daemon=True)
        self._folder = Path(f"/proc/{process}")
        self._over = threading.Event()
        self.samples: list[tuple[float, int]] = []

    def run(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            status = (self._folder / "status").read_text()
            kilobytes = int(status.split("VmRSS:")[1].split()[0])
            self.samples.append((kilobytes / 1024, len(list((self._folder / "fd").iterdir()))))

    def end(self) -> None:
        self._over.set()
        self.join()

    def tell(self) -> dict[str, Any]:
        """Means of ten equal parts of the time: MiB and open files."""
        samples = self.samples or [(0.0, 0)]
        size = math.ceil(len(samples) / 10)
        parts = [samples[n : n + size] for n in range(0, len(samples), size)]
        return {
            "memory_mib": [round(sum(m for m, _ in part) / len(part)) for part in parts],
            "memory_peak_mib": round(max(memory for memory, _ in samples)),
            "open_files": [round(sum(f for _, f in part) / len(part)) for part in parts],
        }


def soak(
    folder: Path, *, operations: int, clients: int, seed: int, limit: float = math.inf
) -> dict[str, Any]:
    """All figures, JSON-ready; after ``limit`` seconds it ends with the round that is on."""
    ledger, gate = Ledger(clients * MODELS_EACH), threading.Event()
    victim = Victim(FreshPython(folder / "server.log"), folder / "data")
    victim.data_dir.mkdir()
    victim.start()
    victim.wait()
    audit = Audit(victim, ledger)
    gauge = Gauge(victim.list_processes()[-1])
    gauge.start()
    began = time.monotonic()
    done = 0
    for number in range(ROUNDS):
        steps = (operations - done) // (ROUNDS - number) // clients
        workers = [
            Client(victim, ledger, ledger.entries[n::clients], gate=gate, seed=each, steps=steps)
            for n, each in enumerate(range(seed + number * clients, seed + (number + 1) * clients))
        ]
        gate.set()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        done += steps * clients
        is_last = number == ROUNDS - 1 or time.monotonic() - began > limit
        audit.check(deep=is_last or number % DEEP_EVERY == 0)
        told = f"{time.monotonic() - began:.0f} s: {done} operations, {len(ledger.faults)} faults"
        print(told, gauge.tell(), file=sys.stderr, flush=True)
        if is_last or ledger.faults:
            break
    seconds = time.monotonic() - began
    gauge.end()
    victim.kill()
    return {
        "operations": done,
        "clients": clients,
        "seconds": round(seconds),
        "done": dict(sorted(ledger.done.items())),
        "models_at_the_end": len(ledger.list_stored()),
        **gauge.tell(),
        "faults": ledger.faults,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=math.inf, help="end after so many")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="heritage-soak-"))
    figures = soak(
        folder,
        operations=options.operations,
        clients=options.clients,
        seed=options.seed,
        limit=60 * options.minutes,
    )
    print(json.dumps(figures, indent=1))
    return 1 if figures["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
