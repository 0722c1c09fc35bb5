"""The wheel: what is in it, and that it works where the project is not."""

from __future__ import annotations

import email
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from model_heritage_backend import __version__
from model_heritage_backend.places import INTERFACE, MIGRATIONS, PROJECT, REPORT

WHERE = """
from model_heritage_backend.config import load_settings
from model_heritage_backend.models.migrate import make_alembic_config
settings = load_settings()
print(settings.data_dir, make_alembic_config().get_main_option("script_location"))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = ["setup.py", "-q", "build", "-b", str(folder / "build")]
    command += ["bdist_wheel", "-b", str(folder / "bdist"), "-d", str(folder / "out")]
    subprocess.run([sys.executable, *command], cwd=PROJECT, check=True, capture_output=True)
    return next((folder / "out").iterdir())


def test_it_carries_what_the_package_serves(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    inside = "model_heritage_backend/shipped"
    for step in (MIGRATIONS / "versions").glob("*.py"):
        assert f"{inside}/migrations/versions/{step.name}" in names
    assert "model_heritage_backend/py.typed" in names
    assert "model_heritage_backend/interop/heritage-1.schema.json" in names
    for name, folder in (("interface", INTERFACE), ("report", REPORT)):
        built = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
        assert {f"{inside}/{name}/{path.as_posix()}" for path in built} <= names
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_the_core_needs_no_server_and_nothing_needs_torch(wheel: Path) -> None:
    name = f"model_heritage-{__version__}.dist-info/METADATA"
    text = zipfile.ZipFile(wheel).read(name).decode()
    wanted = email.message_from_string(text).get_all("Requires-Dist") or []
    core = {re.split(r"[^\w-]", line)[0] for line in wanted if "extra ==" not in line}
    assert {"numpy", "numba", "typer", "pyyaml"} <= core
    assert not core & {"flask", "sqlalchemy", "pydantic", "torch"}
    extras = {line.rsplit('"', 2)[1] for line in wanted if "extra ==" in line}
    assert {"server", "torch", "notebook", "neo4j", "remote", "s3", "dev"} <= extras
    assert all('"torch"' in line or '"dev"' in line for line in wanted if line.startswith("torch"))


def test_it_works_without_the_project(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(place)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MODEL_HERITAGE")}
    environment |= {"PYTHONPATH": str(place), "XDG_DATA_HOME": str(tmp_path / "data")}

    def run(*arguments: str) -> str:
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert run("-m", "model_heritage_backend", "--version") == f"model-heritage {__version__}\n"
    data, migrations = run("-c", WHERE).split()
    assert data == str(tmp_path / "data" / "model-heritage")
    assert migrations == str(place / "model_heritage_backend" / "shipped" / "migrations")
