from __future__ import annotations

import os
import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from model_heritage_backend.errors import InsufficientStorage, NotFound
from model_heritage_backend.models import receptions as module
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.reception import Reception, UploadState
from model_heritage_backend.models.receptions import Receptions, UploadBusy

HOUR = 3600.0


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path, max_file_bytes=1000)


@pytest.fixture
def receptions(files: FileStore, monkeypatch: pytest.MonkeyPatch) -> Receptions:
    monkeypatch.setattr(module, "TURN_SECONDS", 0.1)
    return start(files)


def start(files: FileStore) -> Receptions:
    found = Receptions(files, expiry=timedelta(hours=1), max_bytes=2000)
    found.load()
    return found


def create(receptions: Receptions, length: int = 10) -> Reception:
    return receptions.create(length, metadata={"name": "a"}, sent_metadata="name YQ==")


def list_folder(receptions: Receptions) -> list[str]:
    return sorted(path.name for path in receptions.folder.iterdir())


def test_what_a_former_process_left(receptions: Receptions, files: FileStore) -> None:
    kept = create(receptions)
    (receptions.folder / "bytes without a record").write_bytes(b"x")
    (receptions.folder / "u_1.new").write_bytes(b"{")
    for number, text in enumerate(('{"id"', "[]", '{"state": "odd"}', "\x00")):
        (receptions.folder / f"u_damaged{number}.json").write_text(text)
    again = start(files)
    assert again.get(kept.record.id).record == kept.record
    assert list_folder(again) == sorted([kept.record.id, f"{kept.record.id}.json"])


def test_one_at_a_time(receptions: Receptions) -> None:
    upload_id = create(receptions).record.id
    with receptions.hold(upload_id), pytest.raises(UploadBusy), receptions.hold(upload_id):
        pass
    with receptions.hold(upload_id) as reception:
        receptions.remove(reception)
    with pytest.raises(NotFound), receptions.hold(upload_id):
        pass


def test_who_waited_for_what_is_removed(receptions: Receptions) -> None:
    upload_id = create(receptions).record.id
    missed = []

    def wait() -> None:
        try:
            with receptions.hold(upload_id):
                pass
        except NotFound:
            missed.append(upload_id)

    with receptions.hold(upload_id) as reception:
        waiter = threading.Thread(target=wait)
        waiter.start()
        time.sleep(0.02)
        receptions.remove(reception)
    waiter.join()
    assert missed == [upload_id]


@pytest.mark.parametrize("busy", [False, True])
def test_a_silent_sender_is_interrupted_and_a_busy_one_is_not(
    receptions: Receptions, busy: bool
) -> None:
    upload_id = create(receptions).record.id
    begun, ended = threading.Event(), threading.Event()

    def receive() -> None:
        with receptions.hold(upload_id) as reception:
            reception.interrupt = ended.set
            begun.set()
            while not ended.wait(0.005):
                if busy:
                    reception.changed_at = time.time()

    sender = threading.Thread(target=receive)
    sender.start()
    begun.wait()
    if busy:
        with pytest.raises(UploadBusy), receptions.hold(upload_id):
            pass
        assert not ended.is_set()
        ended.set()
    else:
        with receptions.hold(upload_id):
            assert ended.is_set()
    sender.join()


def test_expiry(receptions: Receptions, files: FileStore) -> None:
    old, young, busy = (create(receptions) for _ in range(3))
    for reception in (old, busy):
        reception.changed_at -= HOUR + 1
    with receptions.hold(young.record.id):
        assert receptions.get_expiry(young).timestamp() == pytest.approx(young.changed_at + HOUR)
    with pytest.raises(NotFound):
        receptions.get(old.record.id)
    with busy.turn:
        assert receptions.get(busy.record.id) is busy
        assert receptions.remove_expired() == 1
    assert receptions.remove_expired() == 1
    assert list_folder(receptions) == sorted([young.record.id, f"{young.record.id}.json"])
    # The time goes on while the server does not run.
    past = time.time() - HOUR - 1
    os.utime(young.path, (past, past))
    start(files)
    assert list_folder(receptions) == []


def test_limits(receptions: Receptions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEPT", 3)
    made = [create(receptions, 1) for _ in range(3)]
    with pytest.raises(InsufficientStorage, match="3 unfinished"):
        create(receptions, 1)
    made[0].changed_at -= HOUR + 1
    create(receptions, 1)
    # Of the settled ones, the oldest go first.
    for number in range(5):
        last = create(receptions, 1) if number else made[1]
        last.settle(UploadState.DONE)
        last.changed_at += number
    create(receptions, 1)
    settled = [name for name in list_folder(receptions) if name.endswith(".json")]
    assert f"{last.record.id}.json" in settled
    assert f"{made[1].record.id}.json" not in settled
    assert len(settled) == 3 + 3
