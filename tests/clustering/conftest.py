"""Fingerprints of the small real models, taken once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.adapted import adapted_models, adapted_prints
from tests.clustering.models import fingerprint_file

__all__ = ["adapted_models", "adapted_prints"]


@pytest.fixture(scope="session")
def family_prints(zoo_family: Zoo) -> dict[str, Fingerprint]:
    """Of the family's twelve members, by human name."""
    return {name: fingerprint_file(zoo_family.path(name)) for name in zoo_family.ids}


@pytest.fixture(scope="session")
def stranger_prints(strangers: list[Path]) -> list[Fingerprint]:
    return [fingerprint_file(path) for path in strangers]


@pytest.fixture
def family_store(zoo_family: Zoo, family_prints: dict[str, Fingerprint]) -> InMemoryStore:
    """The family's members under their human names, with their files; not solved yet."""
    store = InMemoryStore()
    for name, fingerprint in family_prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name, path=zoo_family.path(name))
    return store
