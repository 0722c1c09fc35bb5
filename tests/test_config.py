from __future__ import annotations

from pathlib import Path

import pytest

from model_heritage_backend.config import PROJECT, Settings, load_settings
from model_heritage_backend.config_sections import format_sections_table
from model_heritage_backend.config_table import MAIN, format_settings_table, list_settings
from model_heritage_backend.errors import InvalidRequest

pytestmark = pytest.mark.usefixtures("plain_environment")


def test_defaults() -> None:
    settings = load_settings()
    assert settings.data_dir == PROJECT / "uploads"
    assert (settings.host, settings.port) == ("127.0.0.1", 5001)
    assert settings.max_upload_bytes == 5 * 1024**3
    assert settings.resolved_database_url == f"sqlite:///{PROJECT}/uploads/app.db"


def test_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("MODEL_HERITAGE_PORT", "6001")
    monkeypatch.setenv("MODEL_HERITAGE_CORS_ORIGINS", "http://a, http://b")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/heritage")
    settings = load_settings()
    assert settings.data_dir == tmp_path
    assert settings.port == 6001
    assert settings.cors_origins == ("http://a", "http://b")
    assert settings.resolved_database_url == "postgresql://somewhere/heritage"


def test_file_below_environment_below_arguments(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("port: 6002\nhost: 0.0.0.0\nthreads: 3\ncors_origins: ['*']\n")
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", str(file))
    monkeypatch.setenv("MODEL_HERITAGE_PORT", "6003")
    monkeypatch.setenv("MODEL_HERITAGE_THREADS", "4")
    settings = load_settings(threads=5)
    assert (settings.host, settings.port, settings.threads) == ("0.0.0.0", 6003, 5)
    assert settings.cors_origins == ("*",)


def test_relative_data_folder_is_made_absolute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(data_dir="lake").data_dir == tmp_path / "lake"


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "0"), ("PORT", "many"), ("THREADS", "1"), ("MAX_UPLOAD_BYTES", "0"), ("HOST", "")],
)
def test_bad_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"MODEL_HERITAGE_{name}", value)
    with pytest.raises(InvalidRequest, match=f"MODEL_HERITAGE_{name}: found"):
        load_settings()


def test_unknown_name_in_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("prot: 1\n")
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", str(file))
    with pytest.raises(InvalidRequest, match=r"prot is not .*did you mean port\?"):
        load_settings()


def test_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", "/nowhere/config.yaml")
    with pytest.raises(InvalidRequest, match="/nowhere"):
        load_settings()


def test_table_describes_every_setting() -> None:
    rows = {row["name"]: row for row in list_settings()}
    assert set(rows) == set(Settings.model_fields)
    assert all(row["help"] for row in rows.values())
    assert rows["port"]["environment"] == "MODEL_HERITAGE_PORT"
    assert rows["database_url"]["environment"] == "DATABASE_URL"
    assert rows["max_upload_bytes"]["unit"] == "bytes"
    assert format_settings_table().count("\n") == len(rows) + 1


def test_pages_show_the_tables() -> None:
    """Written by ``make settings``."""
    page = (PROJECT / "docs" / "settings.md").read_text()
    assert format_settings_table() + "\n" in page
    assert format_sections_table() + "\n" in page
    assert format_settings_table(MAIN) + "\n" in (PROJECT / "README.md").read_text()
    assert format_settings_table(MAIN).count("\n") == len(MAIN) + 1


def test_unknown_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server meant to ask for tokens must not start open because of a slip."""
    monkeypatch.setenv("MODEL_HERITAGE_ACESS", "token")
    with pytest.raises(InvalidRequest, match=r"did you mean MODEL_HERITAGE_ACCESS\?"):
        load_settings()


def test_value_that_should_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_JOB_SECONDS", "{recluster")
    with pytest.raises(InvalidRequest, match="job_seconds"):
        load_settings()


def test_the_password_of_neo4j_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_NEO4J_PASSWORD", "correct horse")
    settings = load_settings(neo4j_url="neo4j+s://graph.example:7687")
    assert "horse" not in f"{settings!r} {settings} {settings.model_dump_json()}"
    assert settings.neo4j_password.get_secret_value() == "correct horse"


@pytest.mark.parametrize("url", ["http://graph", "neo4j://me:secret@graph:7687", "bolt://"])
def test_addresses_of_neo4j_hold_no_password(url: str) -> None:
    with pytest.raises(InvalidRequest, match="neo4j_url") as caught:
        load_settings(neo4j_url=url)
    assert "secret" not in caught.value.detail
