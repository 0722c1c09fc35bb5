"""A running server for the commands that talk to one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.client import Client
from tests.processes import RealServer


@pytest.fixture(scope="session")
def running_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="session")
def running(running_data: Path, zoo_family: Zoo) -> Iterator[str]:
    """Address of a server with base, noisy and noisy-odd; tests may add what they remove again."""
    with RealServer(running_data) as server:
        url = f"http://127.0.0.1:{server.port}"
        with Client(url) as client:
            for name in ("base", "noisy", "noisy-odd"):
                client.upload(zoo_family.path(name), name=name)
        yield url
