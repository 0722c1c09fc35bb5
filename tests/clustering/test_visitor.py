"""A visitor is seen by the engine and leaves nothing behind."""

from __future__ import annotations

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.visitor import VISITOR, VisitedStore
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.weights import open_weights


def test_it_reads_through(
    family_store: InMemoryStore, family_prints: dict[str, Fingerprint]
) -> None:
    visited = VisitedStore(family_store, family_prints["noisy"], None)
    assert visited.load_fingerprint(VISITOR) is family_prints["noisy"]
    assert visited.load_fingerprint("base") is family_prints["base"]
    assert visited.get_model("base") == family_store.get_model("base")
    assert visited.list_models() == family_store.list_models()
    assert visited.open_weights(VISITOR) is None
    weights = visited.open_weights("base")
    assert weights is not None
    with weights as opened:
        assert len(opened) > 10
    with pytest.raises(NotFound):
        visited.load_fingerprint("nobody")
    with pytest.raises(NotFound):
        family_store.load_fingerprint(VISITOR)


def test_evidence_on_it_is_found_but_not_kept(
    family_store: InMemoryStore, family_prints: dict[str, Fingerprint], zoo_family: Zoo
) -> None:
    path = zoo_family.path("noisy")
    visited = VisitedStore(family_store, family_prints["noisy"], lambda: open_weights(path))
    found = StoredEvidence(visited)("base", VISITOR)
    assert found is not None
    assert found.relative_change > 0
    checksums = (family_prints["base"].checksum, family_prints["noisy"].checksum)
    assert not any(
        family_store.find_evidence([f"{version}:{checksums[0]}:{checksums[1]}"])
        for version in range(20)
    )
    kept = StoredEvidence(family_store)("base", "noisy")
    assert kept == found
    without_file = VisitedStore(family_store, family_prints["noisy"], None)
    assert StoredEvidence(without_file)("base", VISITOR) == found, "known from the stored twin"
