from __future__ import annotations

import hashlib
import json
import math
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import load_settings
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.services.backups import (
    LIST,
    check_data,
    find_time,
    restore_backup,
    verify_backup,
)
from model_heritage_backend.services.upkeep import NOTE, Plan, Upkeep
from tests.chaos.checkpoints import get_checksum, make_checkpoint
from tests.databases import sqlite_only
from tests.served import MakeApp, get_service, list_edges, upload, wait_for_jobs

HOUR = timedelta(hours=1)
pytestmark = sqlite_only


def ignore(_count: int) -> None:
    """No progress is shown."""


def make_upkeep(app: Any, folder: Path, **plan: Any) -> Upkeep:
    service = get_service(app)
    return Upkeep(
        service.files.data_dir,
        Plan(backup_folder=folder, **plan),
        sound_files=service.sound_files,
        blobs=service.files.blobs,
        list_checksums=service.lake.list_checksums,
    )


def set_time(backup: Path, text: str) -> None:
    content = json.loads((backup / LIST).read_text())
    (backup / LIST).write_text(json.dumps(content | {"made_at": text}))


def test_backups_share_files_and_old_ones_go(
    make_app: MakeApp, zoo_family: Zoo, tmp_path: Path
) -> None:
    app = make_app()
    client = app.test_client()
    upkeep = make_upkeep(app, tmp_path / "backups", backup_every=HOUR, backup_keep=2)
    upload(client, zoo_family.path("base"))
    assert upkeep.is_due()
    first = upkeep.back_up()
    assert not upkeep.is_due()
    upload(client, zoo_family.path("noisy"))
    second = upkeep.back_up()
    shared = [path.stat().st_nlink for path in sorted((second / "blobs").iterdir())]
    assert sorted(shared) == [1, 2]
    third = upkeep.back_up()
    assert upkeep.list_backups() == [second, third]
    assert not first.exists()
    for backup in (second, third):
        assert verify_backup(backup, advance=ignore).problems == []
    # One that was killed in the middle is no backup, and goes before the next.
    (third / LIST).unlink()
    assert upkeep.list_backups() == [second]
    fourth = upkeep.back_up()
    assert upkeep.list_backups() == [second, fourth]
    assert not third.exists() or third == fourth
    blob = next((fourth / "blobs").iterdir())
    blob.chmod(0o600)
    blob.write_bytes(b"x" * blob.stat().st_size)
    [problem] = verify_backup(fourth, advance=ignore).problems
    assert blob.name in problem


def test_a_backup_is_read_again(make_app: MakeApp, zoo_family: Zoo, tmp_path: Path) -> None:
    app = make_app()
    upload(app.test_client(), zoo_family.path("base"))
    upkeep = make_upkeep(app, tmp_path / "backups", backup_every=HOUR, scrub_every=HOUR)
    assert not upkeep.is_verifying_due()
    with pytest.raises(InvalidRequest):
        upkeep.verify()
    first = upkeep.back_up()
    assert upkeep.is_verifying_due()
    assert upkeep.verify() == []
    assert not upkeep.is_verifying_due()
    state = upkeep.get_state()
    assert state["last_verified_at"] is not None
    assert state["backup_problem"] is None
    # Later ones are not read before it is time; then damage is found, and does not go on.
    second = upkeep.back_up()
    assert not upkeep.is_verifying_due()
    (first / NOTE).write_text(json.dumps({"at": "2001-01-01T00:00:00Z", "problems": []}))
    assert upkeep.is_verifying_due()
    blob = next((second / "blobs").iterdir())
    assert blob.stat().st_nlink == 2
    blob.chmod(0o600)
    blob.write_bytes(b"x" * blob.stat().st_size)
    [problem] = upkeep.verify()
    assert blob.name in problem
    assert upkeep.get_state()["backup_problem"] == problem
    third = upkeep.back_up()
    assert [path.stat().st_nlink for path in (third / "blobs").iterdir()] == [1]
    assert verify_backup(third, advance=ignore).problems == []


def test_cleaning_up_by_itself(make_app: MakeApp, zoo_family: Zoo) -> None:
    app = make_app()
    client = app.test_client()
    maintenance = get_service(app).maintenance
    # Where nothing happened yet, there is nothing to clean up.
    assert not maintenance.start_if_due(timedelta(0))
    upload(client, zoo_family.path("base"))
    assert not maintenance.start_if_due(HOUR)
    assert maintenance.start_if_due(timedelta(0))
    wait_for_jobs(client)
    [job] = client.get("/api/jobs?kind=cleanup").get_json()["jobs"]
    assert job["state"] == "done"
    assert not maintenance.start_if_due(HOUR)
    asked: list[timedelta] = []
    upkeep = Upkeep(
        get_service(app).files.data_dir,
        Plan(backup_every=timedelta(milliseconds=1), clean_every=HOUR),
        blobs=get_service(app).files.blobs,
        sound_files=get_service(app).sound_files,
        list_checksums=set,
        clean_up=asked.append,
    )
    upkeep.start()
    deadline = time.monotonic() + 120
    while not asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    upkeep.stop()
    # Not at every look.
    assert asked == [HOUR]


def test_what_fails_keeps_nothing_else_from_being_done(
    make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = get_service(make_app())
    asked: list[timedelta] = []
    upkeep = Upkeep(
        service.files.data_dir,
        Plan(
            backup_folder=tmp_path / "backups",
            backup_every=timedelta(milliseconds=1),
            scrub_every=HOUR,
            clean_every=HOUR,
        ),
        blobs=service.files.blobs,
        sound_files=service.sound_files,
        list_checksums=set,
        clean_up=asked.append,
    )
    tried: list[float] = []

    def fail() -> list[str]:
        tried.append(time.monotonic())
        raise InvalidRequest("This is no whole backup.")

    monkeypatch.setattr(upkeep, "verify", fail)
    upkeep.start()
    deadline = time.monotonic() + 20
    while not asked or len(upkeep.list_backups()) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    upkeep.stop()
    # Nor is it tried at every look.
    assert len(tried) == 1


def test_figures_of_backups(make_app: MakeApp, tmp_path: Path) -> None:
    def read(app: Any) -> dict[str, float]:
        found = get_service(app).metrics.registry.collect()
        return {s.name: s.value for family in found for s in family.samples if not s.labels}

    assert "model_heritage_backups" not in read(make_app())
    app = make_app(backup_folder=tmp_path / "backups", backup_hours=2)
    figures = read(app)
    assert figures["model_heritage_backup_age_seconds"] == math.inf
    assert figures["model_heritage_backup_interval_seconds"] == 7200
    assert figures["model_heritage_damaged_files"] == 0
    upkeep = get_service(app).upkeep
    set_time(upkeep.back_up(), "2026-01-01T00:00:00Z")
    upkeep.verify()
    figures = read(app)
    assert figures["model_heritage_backups"] == 1
    assert 86_400 < figures["model_heritage_backup_age_seconds"] < math.inf
    assert 0 <= figures["model_heritage_backup_verified_age_seconds"] < 60
    assert figures["model_heritage_backup_problem"] == 0


def test_clocks_may_jump(make_app: MakeApp, tmp_path: Path) -> None:
    upkeep = make_upkeep(make_app(), tmp_path / "backups", backup_every=HOUR)
    backup = upkeep.back_up()
    for text, due in (
        ("2001-01-01T00:00:00Z", True),
        ("2999-01-01T00:00:00Z", True),
        ("nonsense", True),
    ):
        set_time(backup, text)
        assert upkeep.is_due() is due
    # The newest is the one that was made last, whatever the clock said.
    set_time(backup, "2999-01-01T00:00:00Z")
    latest = upkeep.back_up()
    assert upkeep.list_backups() == [backup, latest]
    assert not upkeep.is_due()


def test_the_thread_follows_the_plan(make_app: MakeApp, tmp_path: Path, zoo_family: Zoo) -> None:
    folder = tmp_path / "backups"
    app = make_app(backup_folder=folder, backup_hours=0.05 / 3600, scrub_days=1e-6, backup_keep=3)
    client, upkeep = app.test_client(), get_service(app).upkeep
    list_checksums, failed = upkeep._list_checksums, threading.Event()

    def fail_once() -> set[str]:
        if failed.is_set():
            return list_checksums()
        failed.set()
        raise RuntimeError("nobody foresaw this")

    upkeep._list_checksums = fail_once
    upload(client, zoo_family.path("base"))
    checksum = hashlib.sha256(zoo_family.path("base").read_bytes()).hexdigest()
    deadline = time.monotonic() + 240
    state: dict[str, Any] = {"backups": 0, "damaged_files": []}
    # Not the first, which may have been made before the upload.
    while not any((b.parent / "blobs" / checksum).is_file() for b in folder.glob("*/backup.json")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    blob = get_service(app).files.data_dir / "blobs" / checksum
    blob.write_bytes(b"x" * blob.stat().st_size)
    while state["backups"] < 3 or not state["damaged_files"]:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
        state = client.get("/api/maintenance/upkeep").get_json()
    assert state["last_backup_at"].endswith("Z")
    assert state["damaged_files"] == [checksum]
    assert failed.is_set()
    # One of the backups had the file whole, and the later ones share it.
    assert state["backup_problem"] is None
    upkeep.stop()
    for backup in folder.glob("*/backup.json"):
        assert verify_backup(backup.parent, advance=ignore).problems == []


def test_not_within_the_data(make_app: MakeApp, tmp_path: Path) -> None:
    app = make_app()
    folder = get_service(app).files.data_dir / "backups"
    with pytest.raises(InvalidRequest, match="backup_folder"):
        make_upkeep(app, folder)


def test_scrubbing_finds_damage(make_app: MakeApp, zoo_family: Zoo, tmp_path: Path) -> None:
    app = make_app()
    client = app.test_client()
    for name in ("base", "noisy"):
        upload(client, zoo_family.path(name))
    upkeep = make_upkeep(app, tmp_path / "backups")
    assert upkeep.scrub() == 0
    checksum = hashlib.sha256(zoo_family.path("base").read_bytes()).hexdigest()
    blob = get_service(app).files.data_dir / "blobs" / checksum
    content = bytearray(blob.read_bytes())
    content[1000] ^= 1
    blob.write_bytes(content)
    assert upkeep.scrub() == 1
    assert client.get("/api/maintenance/upkeep").get_json()["damaged_files"] == [checksum]
    assert client.get(f"/api/models/m_{checksum[:16]}/download").status_code == 404


def test_restore_drill(make_app: MakeApp, tmp_path: Path) -> None:
    """A backup under load, restored elsewhere: all that was acknowledged before it began is there,
    with its bytes and its place in the tree."""
    app = make_app()
    client = app.test_client()

    def put(number: int, client: Any) -> int:
        query = {"filename": f"{number}.safetensors"}
        return int(
            client.put("/api/models", data=make_checkpoint(number), query_string=query).status_code
        )

    before = range(18)
    assert {put(number, client) for number in before} == {201}
    ending = threading.Event()

    def load() -> None:
        own, number = app.test_client(), 18
        while not ending.is_set():
            put(number, own)
            if number % 2:
                own.delete(f"/api/models/m_{get_checksum(number)[:16]}")
            number += 1

    thread = threading.Thread(target=load)
    thread.start()
    try:
        backup = make_upkeep(app, tmp_path / "backups").back_up()
    finally:
        ending.set()
        thread.join()
    assert find_time(backup) is not None
    restore_backup(backup, tmp_path / "elsewhere", advance=ignore)
    assert check_data(tmp_path / "elsewhere", quick=False, advance=ignore).problems == []
    again = create_app(load_settings(data_dir=tmp_path / "elsewhere"))
    try:
        other = again.test_client()
        for number in before:
            answer = other.get(f"/api/models/m_{get_checksum(number)[:16]}/download")
            assert answer.data == make_checkpoint(number)
        assert list_edges(other)
    finally:
        close_app(again)
