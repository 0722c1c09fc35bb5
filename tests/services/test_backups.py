"""Backups of data in use, the way back, and what is found when data are damaged."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from benchmarks.zoo import Zoo
from model_heritage_backend.app import close_app, create_app
from model_heritage_backend.config import load_settings
from model_heritage_backend.errors import Conflict, InvalidRequest
from model_heritage_backend.models.database_file import DatabaseFile, StoredFile
from model_heritage_backend.services import backups
from model_heritage_backend.services.backups import Report, check_data, make_backup, restore_backup
from tests.served import get_service, list_edges, upload


def ignore(_count: int) -> None:
    """No progress is shown."""


def check(folder: Path, *, quick: bool = False) -> list[str]:
    return check_data(folder, quick=quick, advance=ignore).problems


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, zoo_family: Zoo) -> Iterator[APIFlask]:
    """A server that holds two models, for as long as these tests run; they only read its data."""
    app = create_app(load_settings(data_dir=tmp_path_factory.mktemp("stored") / "uploads"))
    for name in ("base", "noisy"):
        assert upload(app.test_client(), zoo_family.path(name), name=name).status_code == 201
    yield app
    close_app(app)


@pytest.fixture
def data(stored: APIFlask, tmp_path: Path) -> Path:
    """A folder of such data of one's own, whose server has stopped."""
    folder = get_folder(stored)
    shutil.copytree(folder, tmp_path / "data", ignore=shutil.ignore_patterns("app.db*"))
    DatabaseFile(folder / "app.db").copy(tmp_path / "data" / "app.db")
    return tmp_path / "data"


def get_folder(app: APIFlask) -> Path:
    return get_service(app).files.data_dir


def test_there_and_back(stored: APIFlask, tmp_path: Path) -> None:
    edges = list_edges(stored.test_client())
    copied: list[int] = []
    report = make_backup(get_folder(stored), tmp_path / "backup", advance=copied.append)
    assert (report.files, report.problems) == (2, [])
    assert sum(copied) == report.bytes
    names = sorted(path.name for path in (tmp_path / "backup").iterdir())
    assert names == ["app.db", "backup.json", "blobs"]
    again = restore_backup(tmp_path / "backup", tmp_path / "again", advance=ignore)
    assert again == Report(files=2, bytes=report.bytes)
    assert check(tmp_path / "again") == check(get_folder(stored)) == []
    app = create_app(load_settings(data_dir=tmp_path / "again"))
    assert list_edges(app.test_client()) == edges
    close_app(app)


def test_sound_data_have_no_problems(data: Path) -> None:
    assert check(data) == check(data, quick=True) == []


def test_damage_is_found_and_the_rest_is_saved(data: Path, tmp_path: Path) -> None:
    first, second = sorted((data / "blobs").iterdir())
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    second.unlink()
    (data / "blobs" / "stray").write_bytes(b"x")
    expected = [
        f"The file blobs/{first.name} has changed: its bytes have another checksum.",
        f"The file blobs/{second.name} is missing.",
    ]
    stray = "No model has the file blobs/stray: a clean-up may remove it."
    assert check(data) == [*expected, stray]
    assert check(data, quick=True) == [expected[1], stray]
    report = make_backup(data, tmp_path / "backup", advance=ignore)
    assert (report.files, report.problems) == (0, expected)
    connection = sqlite3.connect(data / "app.db")
    connection.execute("UPDATE models SET family_id='f_nowhere'")
    connection.commit()
    connection.close()
    assert "A row of the table models belongs to one of families that is not there." in check(data)


def test_a_model_deleted_meanwhile_is_no_problem(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = backups._copy

    def delete_first(file: StoredFile, *rest: Any) -> str | None:
        monkeypatch.setattr(backups, "_copy", original)
        connection = sqlite3.connect(data / "app.db")
        connection.execute("DELETE FROM models WHERE checksum=?", [file.checksum])
        connection.commit()
        connection.close()
        (data / "blobs" / file.checksum).unlink()
        return original(file, *rest)

    monkeypatch.setattr(backups, "_copy", delete_first)
    report = make_backup(data, tmp_path / "backup", advance=ignore)
    assert (report.files, report.problems) == (1, [])
    known = DatabaseFile(tmp_path / "backup" / "app.db").list_files()
    assert [f.checksum for f in known] == [p.name for p in (tmp_path / "backup/blobs").iterdir()]


def test_only_empty_folders_are_filled(data: Path, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").write_text("dear")
    make_backup(data, tmp_path / "backup", advance=ignore)
    for act in (
        lambda: make_backup(data, tmp_path / "full", advance=ignore),
        lambda: restore_backup(tmp_path / "backup", tmp_path / "full", advance=ignore),
        lambda: restore_backup(tmp_path / "backup", data, advance=ignore),
        lambda: make_backup(tmp_path / "full", tmp_path / "new", advance=ignore),
    ):
        with pytest.raises(InvalidRequest):
            act()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["letter"]


@pytest.mark.parametrize("harm", ["blob", "missing", "database"])
def test_a_damaged_backup_leaves_nothing(data: Path, tmp_path: Path, harm: str) -> None:
    source = tmp_path / "backup"
    make_backup(data, source, advance=ignore)
    blob = next((source / "blobs").iterdir())
    if harm == "missing":
        blob.unlink()
    else:
        (blob if harm == "blob" else source / "app.db").write_bytes(b"x" * 100)
    (tmp_path / "empty").mkdir()
    for target in ("empty", "new"):
        with pytest.raises(Conflict, match="The backup is damaged"):
            restore_backup(source, tmp_path / target, advance=ignore)
    assert list((tmp_path / "empty").iterdir()) == []
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "other"},
        {"files": [{"checksum": "../../app.db", "size": 1}]},
        {"files": None},
        {"database": 7},
    ],
)
def test_lists_that_are_none(data: Path, tmp_path: Path, change: dict[str, object]) -> None:
    source = tmp_path / "backup"
    make_backup(data, source, advance=ignore)
    content = json.loads((source / "backup.json").read_text())
    (source / "backup.json").write_text(json.dumps(content | change))
    with pytest.raises(InvalidRequest, match="no whole backup"):
        restore_backup(source, tmp_path / "new", advance=ignore)
    shutil.rmtree(source / "blobs")
    (source / "backup.json").write_text("[")
    with pytest.raises(InvalidRequest):
        restore_backup(source, tmp_path / "new", advance=ignore)
