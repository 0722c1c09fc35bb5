"""What the store in memory does beyond the protocol (tests/models/test_sql_store.py)."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.memory_store import HASH_BLOCK, InMemoryStore, hash_file
from model_heritage_backend.errors import (
    InvalidRequest,
    InvalidWeights,
    NotFound,
    UnsupportedFormat,
)
from model_heritage_backend.fingerprints import Fingerprint


@pytest.fixture
def store(zoo_family: Zoo) -> InMemoryStore:
    store = InMemoryStore()
    store.add_model(zoo_family.path("base"))
    return store


def make_tree(*members: str) -> FamilyTree:
    return FamilyTree(
        members=members, edges=(), root=members[0], root_confidence=1.0, method="test"
    )


def test_a_model_is_known_by_its_content(
    store: InMemoryStore, zoo_family: Zoo, tmp_path: Path
) -> None:
    """Its id comes from the checksum, its name from the file's."""
    (record,) = store.list_models()
    checksum = hashlib.sha256(zoo_family.path("base").read_bytes()).hexdigest()
    assert record.checksum == checksum
    assert record.id == f"m_{checksum[:16]}"
    assert record.name == zoo_family.ids["base"]
    assert store.add_model(str(zoo_family.path("base"))) == record.id, "a path as a string"
    assert store.add_model(record.id) == record.id, "an id"
    copy = shutil.copy(zoo_family.path("base"), tmp_path / "another-name.safetensors")
    assert store.add_model(Path(copy)) == record.id, "the same bytes elsewhere"
    assert store.list_models() == [record]


def test_what_is_no_model(store: InMemoryStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="not a int"):
        store.add_model(7)
    with pytest.raises(NotFound, match="nowhere"):
        store.add_model("nowhere.safetensors")
    with pytest.raises(InvalidWeights, match="None of these files"):
        store.add_model(tmp_path)
    (tmp_path / "text.safetensors").write_text("no weights in here, only words")
    with pytest.raises(UnsupportedFormat):
        store.add_model(tmp_path / "text.safetensors")
    assert len(store.list_models()) == 1


def test_fingerprints_alone_are_enough(family_prints: dict[str, Fingerprint]) -> None:
    store = InMemoryStore()
    store.add_fingerprint(family_prints["base"], id="b", name="Base")
    record = store.get_model("b")
    assert (record.name, record.checksum) == ("Base", family_prints["base"].checksum)
    assert store.open_weights("b") is None
    assert store.load_fingerprint("b") is family_prints["base"]


def test_a_removed_model_can_come_back(store: InMemoryStore, zoo_family: Zoo) -> None:
    (record,) = store.list_models()
    store.remove_model(record.id)
    with pytest.raises(NotFound):
        store.open_weights(record.id)
    assert store.add_model(zoo_family.path("base")) == record.id
    weights = store.open_weights(record.id)
    assert weights is not None
    with weights as opened:
        assert len(opened) > 10


def test_ids_of_families_are_never_given_again() -> None:
    store = InMemoryStore()
    first = store.replace_families([], [make_tree("a")])
    store.replace_families(first, [])
    assert store.list_families() == []
    assert store.replace_families([], [make_tree("b")]) != first


def test_families_come_largest_first() -> None:
    store = InMemoryStore()
    ids = store.replace_families([], [make_tree("a"), make_tree("b", "c"), make_tree("d")])
    assert [family.id for family in store.list_families()] == [ids[1], ids[0], ids[2]]


def test_hashing_goes_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * 10_000)
    steps: list[int] = []
    assert hash_file(path, steps.append) == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sum(steps) == 2_560_000
    assert max(steps) == HASH_BLOCK
