"""The default method on a family that was really trained: to the last edge."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering import edge_judge
from model_heritage_backend.clustering.arrangement import Arranged
from model_heritage_backend.clustering.edge_judge import NOTHING_ARRANGED
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.genealogy import (
    FamilyTree,
    Relation,
)
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.threads import WORKERS
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import assert_lawful, list_main


@pytest.fixture(scope="module")
def tree(zoo_family: Zoo, family_prints: dict[str, Fingerprint]) -> FamilyTree:
    """Solved with the files at hand; members by their human names."""
    store = InMemoryStore()
    for name, fingerprint in family_prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name, path=zoo_family.path(name))
    return solve_family(family_prints, exact=StoredEvidence(store))


def unify(name: str) -> str:
    """noisy and noisy-copy are the same to the last bit."""
    return name.replace("noisy-copy", "noisy")


def test_the_real_tree_is_recovered(tree: FamilyTree, zoo_family: Zoo) -> None:
    assert_lawful(tree, list(zoo_family.ids))
    assert tree.root == "base"
    found = {(unify(edge.parent), unify(edge.child)) for edge in tree.edges}
    true = {(p, unify(c)) for c in zoo_family.ids for p in zoo_family.true_parents(c)}
    assert found == true


def test_the_real_relations_are_named(tree: FamilyTree, zoo_family: Zoo) -> None:
    names = zoo_family.names
    true = {names[e["child"]]: e["relation"] for e in zoo_family.truth["edges"]}
    found = {edge.child: edge.relation.value for edge in tree.edges}
    if found["noisy"] == "duplicate":
        found["noisy"], found["noisy-copy"] = found["noisy-copy"], found["noisy"]
    assert found == true


def test_real_evidence_shows_what_was_done(tree: FamilyTree) -> None:
    evidence = {child: edge.evidence for child, edge in tree.main_edges.items()}
    assert evidence["noisy-int8"].bits == 8
    assert evidence["rotated-pruned"].zero_fraction == pytest.approx(0.4, abs=0.01)
    assert evidence["inverted-lora"].delta_rank == evidence["noisy-odd-lora"].delta_rank == 4
    assert evidence["noisy-odd"].flags == ("new_head",)
    partial = [name for name in evidence["rotated-last-layers"].changed if "head" not in name]
    assert partial
    assert all(name.startswith("blocks.2.") for name in partial)
    shares = {unify(e.parent): e.coefficient for e in tree.edges if e.child == "noisy-rotated"}
    assert shares == pytest.approx({"rotated": 0.6, "noisy": 0.4}, abs=1e-5)
    for edge in tree.edges:
        if edge.main:
            assert edge.evidence.exact, "the files were at hand"
        if edge.main and edge.relation is not Relation.DUPLICATE:
            assert edge.evidence.shared_tensors is not None
            assert edge.evidence.changed_tensors is not None
            assert 0 < edge.evidence.changed_tensors <= edge.evidence.shared_tensors


def test_proven_edges_are_believed(tree: FamilyTree) -> None:
    proofs = (Relation.CAST, Relation.QUANTIZED, Relation.PRUNED, Relation.MERGE)
    assert min(edge.confidence for edge in tree.edges if edge.relation in proofs) > 0.8


def test_only_likely_edges_are_read_from_files(
    family_prints: dict[str, Fingerprint], family_store: InMemoryStore
) -> None:
    """Never all pairs; each pair once, in the order of checksums."""
    asked = []

    class Watched(StoredEvidence):
        def __call__(
            self, first: str, second: str, arranged: Mapping[str, Arranged] = NOTHING_ARRANGED
        ) -> ExactEvidence | None:
            asked.append((first, second))
            return super().__call__(first, second, arranged)

        def find_arrangement(self, *_: object) -> NoReturn:
            raise AssertionError("all members are in order")

    solve_family(family_prints, exact=Watched(family_store))
    assert len(asked) == len(set(asked)) < 30 < 12 * 11 / 2
    for first, second in asked:
        assert family_prints[first].checksum < family_prints[second].checksum


def test_without_files_samples_must_do(
    family_prints: dict[str, Fingerprint], tree: FamilyTree
) -> None:
    """The edges say so; these small matrices lie in the sample whole, and the tree is the same."""
    found = solve_family(family_prints)
    assert not any(e.evidence.exact for e in found.edges if e.relation is not Relation.DUPLICATE)
    assert list_main(found) == list_main(tree)
    absent = InMemoryStore()
    for name, fingerprint in family_prints.items():
        absent.add_fingerprint(fingerprint, id=name, name=name)
    assert solve_family(family_prints, exact=StoredEvidence(absent)) == found


def test_files_of_large_models_are_read_two_pairs_at_a_time(
    zoo_family: Zoo,
    family_prints: dict[str, Fingerprint],
    tree: FamilyTree,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers = set()

    class Watched(StoredEvidence):
        def __call__(self, *pair: Any) -> ExactEvidence | None:
            readers.add(threading.get_ident())
            return super().__call__(*pair)

    store = InMemoryStore()
    for name, fingerprint in family_prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name, path=zoo_family.path(name))
    monkeypatch.setattr(edge_judge, "LARGE_MODEL", 1)
    assert solve_family(family_prints, exact=Watched(store)) == tree
    assert len(readers - {threading.get_ident()}) == WORKERS
