"""The cache remembers, forgets what is out of date, and never stops a scan."""

from __future__ import annotations

import os
import sqlite3
import time
import types
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import save_file

from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.scanning import cache as cache_module
from model_heritage_backend.scanning.cache import FILE_NAME, ScanCache, find_cache_folder
from model_heritage_backend.weights import open_weights


def make_fingerprint(folder: Path) -> Fingerprint:
    save_file({"w": torch.arange(100.0).reshape(10, 10)}, folder / "a.safetensors")
    with open_weights(folder / "a.safetensors") as weights:
        return fingerprint_weights(weights, checksum="c" * 64)


def settle(path: Path, *, seconds_ago: float = 10) -> os.stat_result:
    when = time.time() - seconds_ago
    os.utime(path, (when, when))
    return path.stat()


def test_remembers_between_runs(tmp_path: Path) -> None:
    fingerprint = make_fingerprint(tmp_path)
    status = settle(tmp_path / "a.safetensors")
    first = ScanCache(tmp_path / "cache")
    first.save_checksum(status, "c" * 64)
    first.save_fingerprint(fingerprint)
    first.get_evidence()["key"] = {"value": 0.1}
    first.close()

    second = ScanCache(tmp_path / "cache")
    assert second.find_checksum(status) == "c" * 64
    found = second.find_fingerprint("c" * 64)
    assert found is not None
    assert found.to_bytes() == fingerprint.to_bytes()
    evidence = second.get_evidence()
    assert dict(evidence) == {"key": {"value": 0.1}}
    del evidence["key"]
    assert len(evidence) == 0
    with pytest.raises(KeyError):
        del evidence["key"]
    assert second.find_fingerprint("d" * 64) is None
    assert (second.was_damaged, second.problem) == (False, None)
    second.close()


def test_in_memory_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = ScanCache(None)
    cache.get_evidence()["key"] = {"value": 0.1}
    assert cache.find_evidence("key") == {"value": 0.1}
    cache.close()
    assert list(tmp_path.iterdir()) == []


def test_a_changed_file_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    cache = ScanCache(None)
    cache.save_checksum(settle(path), "c" * 64)
    path.write_bytes(b"2")
    assert cache.find_checksum(path.stat()) is None
    cache.close()


def test_a_file_changed_just_now_is_not_remembered(tmp_path: Path) -> None:
    """It could change once more without its time stamp telling."""
    path = tmp_path / "a"
    path.write_bytes(b"1")
    cache = ScanCache(None)
    cache.save_checksum(path.stat(), "c" * 64)
    assert cache.find_checksum(path.stat()) is None
    cache.close()


def test_other_versions_entries_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ScanCache(tmp_path)
    cache.get_evidence()["key"] = {"value": 0.1}
    cache.close()
    monkeypatch.setattr(cache_module, "PROGRAM", "another")
    cache = ScanCache(tmp_path)
    assert len(cache.get_evidence()) == 0
    cache.close()


def test_a_damaged_cache_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"this is no database" * 100)
    cache = ScanCache(tmp_path)
    assert cache.was_damaged
    cache.get_evidence()["key"] = {"value": 0.1}
    assert cache.problem is None
    cache.close()


def test_a_failing_cache_tells_but_does_not_stop(tmp_path: Path) -> None:
    cache = ScanCache(tmp_path)
    other = sqlite3.connect(tmp_path / FILE_NAME)
    other.execute("DROP TABLE evidence")
    other.close()
    cache.save_evidence("key", {})
    assert cache.find_evidence("key") is None
    assert cache.problem is not None
    assert "evidence" in cache.problem
    cache.close()


def test_a_folder_that_cannot_be_made_is_an_os_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match=r"file|directory"):
        ScanCache(tmp_path / "file" / "cache")


def test_two_scans_may_share_it(tmp_path: Path) -> None:
    first, second = ScanCache(tmp_path), ScanCache(tmp_path)
    first.get_evidence()["a"] = {"value": 1}
    second.get_evidence()["b"] = {"value": 2}
    assert sorted(first.get_evidence()) == ["a", "b"]
    first.close()
    second.close()


def test_huge_inode_numbers_fit() -> None:
    largest = 2**64 - 1
    status = types.SimpleNamespace(
        st_dev=largest, st_ino=largest, st_size=1, st_mtime=0.0, st_mtime_ns=0
    )
    cache = ScanCache(None)
    cache.save_checksum(cast(os.stat_result, status), "c" * 64)
    assert cache.find_checksum(cast(os.stat_result, status)) == "c" * 64
    cache.close()


def test_the_folder_follows_the_xdg_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert find_cache_folder() == tmp_path / "model-heritage"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert find_cache_folder() == tmp_path / "home" / ".cache" / "model-heritage"
