"""Figures beside what they are held against, as one table."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

HEADER = ("what", "found", "peer or limit", "of it", "ratio", "asked", "holds")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One figure.

    Attributes
    ----------
    found, unit : what was measured
    peer, against : what it is held against, in the same unit: measured in the same run, or a limit
    ratio : how many times better than that
    asked : least ratio that was asked for; None where only the figure is told
    """

    what: str
    found: float
    unit: str
    peer: str
    against: float
    ratio: float
    asked: float | None = None

    @property
    def holds(self) -> bool | None:
        return None if self.asked is None else self.ratio >= self.asked

    def list_cells(self) -> list[str]:
        return [
            self.what,
            f"{self.found:.4g} {self.unit}",
            self.peer,
            f"{self.against:.4g} {self.unit}",
            f"{self.ratio:.3g}",
            "" if self.asked is None else f"{self.asked:g}",
            {None: "", True: "yes", False: "no"}[self.holds],
        ]


def at_most(
    what: str, found: float, unit: str, peer: str, against: float, asked: float | None = 1.0
) -> Row:
    """A figure that is better the less it is."""
    ratio = against / found if found > 0 else float("inf")
    return Row(
        what=what, found=found, unit=unit, peer=peer, against=against, ratio=ratio, asked=asked
    )


def at_least(
    what: str, found: float, unit: str, peer: str, against: float, asked: float | None = 1.0
) -> Row:
    """A figure that is better the more it is."""
    ratio = found / against
    return Row(
        what=what, found=found, unit=unit, peer=peer, against=against, ratio=ratio, asked=asked
    )


def measure_peak(process: int | None = None) -> float:
    """Most memory that this process had, or another, in MB; what ``getrusage`` tells is its
    parent's, too."""
    lines = Path(f"/proc/{process or 'self'}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3


def time_median(work: Callable[[], object], times: int = 5) -> float:
    """Median seconds on the clock, after one unmeasured run."""
    work()
    return median(time_once(work) for _ in range(times))


def time_once(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def describe_run() -> dict[str, Any]:
    """Machine, load and commit."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "commit": commit.stdout.strip() or "unknown",
        "machine": f"{os.cpu_count()} x {platform.machine()}, {memory / 2**30:.0f} GB",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def format_report(rows: Sequence[Row], run: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in run.items())
    table = [HEADER, ["---"] * len(HEADER), *(row.list_cells() for row in rows)]
    lines = [f"| {' | '.join(cells)} |" for cells in table]
    return f"{told}\n\n" + "\n".join(lines) + "\n"


def write_report(rows: Sequence[Row], path: Path) -> None:
    """``path`` with the suffixes .md and .json."""
    run = describe_run()
    path.with_suffix(".md").write_text(format_report(rows, run))
    plain = [asdict(row) | {"holds": row.holds} for row in rows]
    path.with_suffix(".json").write_text(json.dumps({"run": run, "rows": plain}, indent=1) + "\n")
