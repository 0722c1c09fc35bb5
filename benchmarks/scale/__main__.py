"""Speed and size beside peers and limits that are measured in the same run.

``python -m benchmarks.scale`` prints a table and writes it as Markdown and JSON into
benchmarks/results/. Lakes of synthetic models are kept in a folder and made where they are missing:
``--models 100000`` takes 2.4 GB and some minutes the first time.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

# Before numpy is imported: figures are of one thread, unless they say so.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from benchmarks.scale import engine, lakes, large, nearest, reading, uploads
from benchmarks.scale.lake import fill_lake
from benchmarks.scale.rows import Row, describe_run, format_report, write_report

RESULTS = Path(__file__).parent.parent / "results" / "scale"
LAKES = Path(__file__).parent.parent / "cache" / "lakes"
SMALL = 100


def prepare_lake(folder: Path, models: int) -> Path:
    """The folder of a lake of so many models."""
    place = folder / str(models)
    if not (place / "app.db").exists():
        place.mkdir(parents=True, exist_ok=True)
        fill_lake(place / "app.db", models)
    return place


def measure_lakes(folder: Path, models: int) -> Iterator[Row]:
    small, big = prepare_lake(folder, SMALL), prepare_lake(folder, models)
    yield from uploads.list_rows(uploads.measure(small, big), f"{models:,}")
    yield from lakes.measure_room(big)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--models", type=int, default=10_000, help="in the large lake")
    parser.add_argument("--solved", type=int, default=2000, help="in the lake that is reclustered")
    parser.add_argument("--gigabytes", type=float, default=6.0, help="of the very large file")
    parser.add_argument(
        "--routes", type=int, default=20_000, help="of which the nearest are sought"
    )
    parser.add_argument("--lakes", type=Path, default=LAKES, help="folder that lakes are kept in")
    parser.add_argument("--out", type=Path, default=RESULTS, help="without a suffix")
    parts: Mapping[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
        "reading": lambda _: reading.measure(),
        "engine": lambda _: engine.measure(),
        "lakes": lambda o: measure_lakes(o.lakes, o.models),
        "recluster": lambda o: lakes.measure_recluster(prepare_lake(o.lakes, o.solved)),
        "concurrent": lambda _: lakes.measure_concurrent(),
        "nearest": lambda o: nearest.measure(o.routes),
        "large": lambda o: large.measure(size=int(o.gigabytes * large.GIGABYTE)),
    }
    parser.add_argument("--parts", nargs="+", choices=list(parts), default=list(parts))
    options = parser.parse_args(arguments)
    rows: list[Row] = []
    for name in options.parts:
        for row in parts[name](options):
            print(*row.list_cells(), sep=" | ", file=sys.stderr, flush=True)
            rows.append(row)
    print(format_report(rows, describe_run()))
    write_report(rows, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
