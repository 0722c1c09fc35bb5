"""Many files by several threads: the same answer, refusals remembered, an end when told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.scanning import reading as reading_module
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import find_checkpoints
from model_heritage_backend.scanning.reading import PASSES, Reading, read_files


def read(folder: Path, cache: ScanCache, *, workers: int = 2, sampled: bool = False) -> Reading:
    seen: list[int] = []
    files = find_checkpoints(folder).files
    result = read_files(
        files,
        cache,
        on_bytes=seen.append,
        on_error=lambda _: None,
        workers=workers,
        sampled=sampled,
    )
    assert sum(seen) == PASSES * sum(file.size for file in files)
    return result


@pytest.fixture
def folder(tmp_path: Path, zoo_family: Zoo) -> Path:
    for name in ("base", "noisy", "rotated"):
        shutil.copy(zoo_family.path(name), tmp_path / f"{name}.safetensors")
    (tmp_path / "bad.pt").write_bytes(b"nothing")
    for path in tmp_path.iterdir():
        os.utime(path, (1, 1))
    return tmp_path


def as_bytes(result: Reading) -> list[tuple[str, bytes]]:
    return [(file.shown, fingerprint.to_bytes()) for file, fingerprint in result.files]


def test_threads_and_two_passes_at_once_change_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = read(folder, ScanCache(None), workers=1)
    assert [error.path for error in alone.errors] == ["bad.pt"]
    assert as_bytes(read(folder, ScanCache(None), workers=4)) == as_bytes(alone)
    monkeypatch.setattr(reading_module, "LARGE", 0)
    assert as_bytes(read(folder, ScanCache(None))) == as_bytes(alone)


def test_refusals_are_remembered_but_not_what_the_machine_did(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ScanCache(None)
    first = read(folder, cache)

    def fail(path: Path) -> None:
        raise InvalidWeights("The disk is on fire.") from OSError()

    monkeypatch.setattr(reading_module, "open_weights", fail)
    assert read(folder, cache).errors == first.errors
    (folder / "new.pt").write_bytes(b"x")
    os.utime(folder / "new.pt", (1, 1))
    assert [error.detail for error in read(folder, cache).errors][1:] == ["The disk is on fire."]
    monkeypatch.undo()
    assert "fire" not in read(folder, cache).errors[1].detail


def test_what_was_read_before_an_interruption_is_kept(folder: Path) -> None:
    cache = ScanCache(None)
    files = find_checkpoints(folder).files
    done = 0

    def interrupt(count: int) -> None:
        nonlocal done
        done += count
        if done > 1.5 * PASSES * files[1].size:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_files(files, cache, on_bytes=interrupt, on_error=lambda _: None, workers=1)
    known = [cache.find_checksum(file.path.stat()) is not None for file in files]
    assert known.count(True) == 1


def test_samples_have_names_of_their_own(folder: Path) -> None:
    cache = ScanCache(None)
    whole, samples = read(folder, cache), read(folder, cache, sampled=True)
    assert [print_.level for _, print_ in samples.files] == ["sampled"] * 3
    checksums = {print_.checksum for result in (whole, samples) for _, print_ in result.files}
    assert len(checksums) == 6
    assert as_bytes(read(folder, cache, sampled=True)) == as_bytes(samples)
    cache.close()
