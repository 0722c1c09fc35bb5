"""Servers for trouble of other kinds than death."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.chaos.servers import Nursery, Victim

FULL = os.environ.get("CHAOS") == "full"
"""Whether crowds are as large, and waits as long, as ``make chaos`` has them."""
StartVictim = Callable[..., Victim]


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    with Nursery(tmp_path_factory.mktemp("nursery") / "server.log") as nursery:
        yield nursery


@pytest.fixture
def start(nursery: Nursery, tmp_path: Path) -> Iterator[StartVictim]:
    """Starts servers with settings; they are killed when the test is over."""
    victims: list[Victim] = []

    def start(data_dir: Path | None = None, **settings: str) -> Victim:
        victim = Victim(nursery, data_dir or tmp_path / "data", **settings)
        victims.append(victim)
        victim.data_dir.mkdir(exist_ok=True)
        victim.start()
        victim.wait()
        return victim

    yield start
    for victim in victims:
        if victim.is_running():
            victim.kill()
