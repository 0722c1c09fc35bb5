"""How fast a checkpoint becomes a fingerprint, beside reading its bytes and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.scale.rows import Row, at_least, at_most, measure_peak, time_once
from model_heritage_backend.fingerprints import fingerprint_sampled, fingerprint_weights
from model_heritage_backend.weights import open_weights

BLOCK = 1 << 20
REPEATED = 7


def write_model(path: Path, dtype: str, layers: int) -> None:
    """Layers of 1024 x 4096, as safetensors; bf16 by its bits, which numpy does not know."""
    import torch
    from safetensors.torch import save_file

    noise = torch.Generator().manual_seed(1)
    kind = {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
    save_file(
        {
            f"layers.{layer}.weight": torch.randn(1024, 4096, generator=noise).to(kind)
            for layer in range(layers)
        },
        path,
    )


def forget(path: Path) -> None:
    """Take the file out of the machine's memory, so that the next reading is cold."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def read_plainly(path: Path) -> None:
    buffer = bytearray(BLOCK)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def take_fingerprint(path: Path) -> None:
    with open_weights(path) as weights:
        fingerprint_weights(weights, checksum="0" * 64)


def take_sample(path: Path) -> None:
    with open_weights(path) as weights:
        fingerprint_sampled(weights, checksum="0" * 64)


def measure_growth(path: Path, small: Path) -> float:
    """Megabytes by which the most memory that this process had grows. Loops are compiled, or
    loaded, for a ``small`` file."""
    take_fingerprint(small)
    before = measure_peak()
    take_fingerprint(path)
    return max(measure_peak() - before, 0.1)


def measure(*, layers: int = 64) -> Iterator[Row]:
    """``layers``: of 8 MB (bf16) or 16 MB (fp32) each."""
    with tempfile.TemporaryDirectory() as folder:
        for dtype in ("bf16", "fp32"):
            path = Path(folder) / f"{dtype}.safetensors"
            small = Path(folder) / f"small-{dtype}.safetensors"
            write_model(path, dtype, layers)
            write_model(small, dtype, 1)
            yield from measure_file(path, small, dtype)
            path.unlink()


def measure_file(path: Path, small: Path, dtype: str) -> Iterator[Row]:
    size = path.stat().st_size / 1e9

    def take_turns(*works: Callable[[Path], None], cold: bool = False) -> list[float]:
        """Median seconds of each. Disks, and neighbours, change their speed within a minute."""
        times: list[list[float]] = [[] for _ in works]
        for _ in range(REPEATED):
            for work, found in zip(works, times, strict=True):
                if cold:
                    forget(path)
                found.append(time_once(partial(work, path)))
        return [median(found) for found in times]

    take_fingerprint(path)
    plain, ours = take_turns(read_plainly, take_fingerprint, cold=True)
    yield at_least(f"fingerprint, {dtype}, cold", size / ours, "GB/s", "read", size / plain, 0.85)
    plain, ours, sampled = take_turns(read_plainly, take_fingerprint, take_sample)
    yield at_least(f"fingerprint, {dtype}, warm", size / ours, "GB/s", "read", size / plain, 0.3)
    # In a process of its own, as the most memory that a process had is never forgotten.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        grown = pool.submit(measure_growth, path, small).result()
    yield at_most(f"memory of it, {dtype}", grown, "MB", "limit", 150.0)
    yield at_most(f"sampled, {dtype}", sampled, "s", "full", ours, 200.0)
