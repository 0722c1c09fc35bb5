"""Small real models with a known genealogy, trained once and kept in tests/cache/."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from benchmarks.exhibit import get_exhibit, get_strangers
from benchmarks.zoo import Zoo
from tests.databases import drop_databases, read_postgres_log  # noqa: F401 (a fixture for all tests)
from tests.s3_server import s3, s3_server  # noqa: F401 (likewise)
from tests.served import (  # noqa: F401 - fixtures for all tests of the server
    app,
    client,
    full_client,
    make_app,
    plain_environment,
    service,
    settings,
)

CACHE = Path(__file__).parent / "cache"
BEGUN = time.monotonic()
SECONDS = float(os.environ.get("TEST_SECONDS", "inf"))
"""After so long no further test is begun: CI has a limit, and a slow machine should say how far it
came instead of being cut off."""


@pytest.fixture(scope="session")
def zoo_family() -> Zoo:
    """A family of 12 small vision transformers in which every relation occurs.

    ``zoo_family.path("noisy")`` is the file of a member by its human name (the drawn tree is in
    ``benchmarks.exhibit.build_exhibit``); ``zoo_family.truth`` is the content of truth.json;
    ``zoo_family.true_parents("noisy-rotated")`` names the true parents.
    """
    return get_exhibit(CACHE)


@pytest.fixture(scope="session")
def strangers() -> list[Path]:
    """Files of four models without relatives: a ViT of the family's architecture, GPT, CNN, MLP."""
    return get_strangers(CACHE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """A PostgreSQL that went away fails every test after it; only its log says why."""
    if exitstatus and (log := read_postgres_log()):
        terminalreporter.section("the end of PostgreSQL's log")
        terminalreporter.write_line(log)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    if time.monotonic() - BEGUN > SECONDS:
        pytest.skip(f"no time left for {item.path.name}: this machine is too slow today")
