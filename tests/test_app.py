from __future__ import annotations

import subprocess
import sys

import pytest
from sqlalchemy import text

from model_heritage_backend.app import create_app
from model_heritage_backend.config import Settings
from model_heritage_backend.errors import Conflict
from tests.databases import sqlite_only
from tests.served import MakeApp, get_service


@sqlite_only
def test_one_server_per_folder(make_app: MakeApp, settings: Settings) -> None:
    make_app()
    with pytest.raises(Conflict, match="Another Model Heritage server"):
        create_app(settings)


def test_a_start_that_fails_gives_the_folder_free(make_app: MakeApp, settings: Settings) -> None:
    app = make_app()
    with get_service(app)._database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '8888'"))
    with pytest.raises(Conflict, match="newer"):
        make_app()
    files = get_service(app).files
    files.acquire()
    files.release()


@sqlite_only
def test_another_database(make_app: MakeApp, settings: Settings) -> None:
    other = settings.data_dir.parent / "other.db"
    (settings.data_dir / "app.db").unlink()
    app = make_app(database_url=f"sqlite:///{other}")
    assert app.test_client().get("/api/health").status_code == 200
    assert other.is_file()
    assert not (settings.data_dir / "app.db").exists()


def test_the_server_does_not_import_torch() -> None:
    code = "import sys, model_heritage_backend.server, model_heritage_backend.app; " + (
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
