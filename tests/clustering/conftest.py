"""Fingerprints of the small real models, taken once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import fingerprint_file


@pytest.fixture(scope="session")
def family_prints(zoo_family: Zoo) -> dict[str, Fingerprint]:
    """Of the family's twelve members, by human name."""
    return {name: fingerprint_file(zoo_family.path(name)) for name in zoo_family.ids}


@pytest.fixture(scope="session")
def stranger_prints(strangers: list[Path]) -> list[Fingerprint]:
    return [fingerprint_file(path) for path in strangers]
