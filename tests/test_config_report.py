from __future__ import annotations

from pathlib import Path

import pytest

from model_heritage_backend.config import Settings, load_settings
from model_heritage_backend.config_report import describe_settings

pytestmark = pytest.mark.usefixtures("plain_environment")


def test_values_and_where_they_come_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("threads: 3\nneo4j: {password: horse}\n")
    monkeypatch.setenv("MODEL_HERITAGE_CONFIG", str(file))
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:horse@db/heritage")
    given = {"port": 6001}
    rows = {row.name: row for row in describe_settings(load_settings(**given))}
    assert list(rows) == list(Settings.model_fields)
    origins = {name: (row.origin, row.place) for name, row in rows.items() if not row.is_default}
    assert origins == {
        "port": ("command", "port"),
        "database_url": ("environment", "DATABASE_URL"),
        "threads": ("file", "threads"),
        "neo4j_password": ("file", "neo4j.password"),
    }
    assert rows["threads"].value == 3
    assert rows["database_url"].value == "postgresql://********@db/heritage"
    assert "horse" not in str(rows)
