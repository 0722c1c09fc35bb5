"""What the world does to a server: full disks, locked databases, clocks that jump."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_heritage_backend.models.database_file import DatabaseFile
from tests.chaos.checkpoints import get_checksum, make_checkpoint
from tests.chaos.conftest import FULL, StartVictim
from tests.chaos.uploads import announce, append, put, wait_for_jobs

DISK_BYTES = 64 << 20
RESERVE_BYTES = 8 << 20
LOCKED_SECONDS = 20.0 if FULL else 3.0
WAIT_SECONDS = LOCKED_SECONDS / 2
YEARS = 10 * 365 * 86_400


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("mounting a small disk needs more rights")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def get_free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def fill(folder: Path) -> None:
    """Until not a byte is left."""
    with pytest.raises(OSError), (folder / "more").open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    assert get_free(folder) == 0


def test_on_a_full_disk_one_reads_and_deletes(start: StartVictim, small_disk: Path) -> None:
    victim = start(small_disk / "data", MODEL_HERITAGE_DISK_RESERVE_BYTES=str(RESERVE_BYTES))
    for number in range(5):
        assert put(victim, number, f"model-{number}") == 201
    ids = [f"m_{get_checksum(number)[:16]}" for number in range(5)]
    # The reserve is left alone: there would be room for this file.
    (small_disk / "others").write_bytes(b"x" * (get_free(small_disk) - RESERVE_BYTES - 10_000))
    assert put(victim, 5, "over-the-mark") == 507
    # Then others take the last byte.
    fill(small_disk)
    assert put(victim, 5, "no-room") == 507
    with pytest.raises(AssertionError, match="507"):
        announce(victim, 10)
    for path in ("/api/models", "/api/families", "/api/stats", f"/api/models/{ids[1]}/download"):
        assert victim.ask("GET", path)[0] == 200
    for again in (False, True):
        assert victim.ask("DELETE", f"/api/models/{ids[again]}")[0] == 204
        # Also for one that is started anew.
        victim.kill()
        victim.start()
        victim.wait()
    # A job that deletes many goes through as well.
    fill(small_disk)
    family = victim.ask("GET", f"/api/models/{ids[2]}")[1]["family_id"]
    assert victim.ask("DELETE", f"/api/families/{family}")[0] == 202
    wait_for_jobs(victim)
    (small_disk / "others").unlink()
    assert put(victim, 5, "room-again") == 201
    assert victim.ask("GET", "/api/models")[1]["total"] == 3
    assert DatabaseFile(victim.data_dir / "app.db").find_faults() == []


def test_a_locked_database_is_waited_for_and_then_refused(start: StartVictim) -> None:
    """By some other program, which knows nothing of turns. Nothing of what was refused is here."""
    victim = start(MODEL_HERITAGE_DATABASE_WAIT_SECONDS=str(WAIT_SECONDS))
    assert put(victim, 0, "before") == 201
    path = f"/api/models/m_{get_checksum(0)[:16]}"
    kind = {"Content-Type": "application/json"}
    with contextlib.closing(sqlite3.connect(victim.data_dir / "app.db")) as other:
        other.isolation_level = None
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert victim.ask("GET", "/api/models")[0] == 200
        status, _, headers = victim.fetch("PATCH", path, b'{"name": "a"}', kind)
        assert (status, headers["Retry-After"]) == (503, "5")
        assert time.monotonic() - began >= WAIT_SECONDS
        status, _, headers = victim.fetch(
            "PUT", "/api/models?name=b&filename=b.safetensors", make_checkpoint(1)
        )
        assert (status, headers["Retry-After"]) == (503, "5")
        assert time.monotonic() - began >= LOCKED_SECONDS
        other.execute("ROLLBACK")
    assert victim.ask("PATCH", path, b'{"name": "a"}', kind)[0] == 200
    assert [m["name"] for m in victim.ask("GET", "/api/models")[1]["models"]] == ["a"]
    assert put(victim, 1, "b") == 201


def test_clocks_that_jump_lose_nothing(start: StartVictim, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text("0")
    victim = start(CHAOS_CLOCK=str(clock))
    content = make_checkpoint(9)
    address = announce(victim, len(content))
    for number, jump in enumerate((0, YEARS, -YEARS, 0)):
        clock.write_text(str(jump))
        assert put(victim, 2 * number, f"model-{number}") == 201
        # What others announce makes what has expired go.
        announce(victim, len(content))
    models = victim.ask("GET", "/api/models")[1]["models"]
    assert {model["status"] for model in models} == {"ok"}
    dates = sorted(model["created_at"][:4] for model in models)
    assert int(dates[-1]) - int(dates[0]) in (19, 20)
    clock.write_text(str(YEARS))
    assert append(victim, address, 0, content) == 204
    wait_for_jobs(victim)
    for jump in (-YEARS, YEARS):
        clock.write_text(str(jump))
        victim.kill()
        victim.start()
        victim.wait()
        assert victim.ask("GET", "/api/models")[1]["total"] == 5
        wait_for_jobs(victim)
