"""Adapters in trees: leaves, and proofs about the models around them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from model_heritage_backend.clustering import (
    ClusteringMethod,
    FamilyTree,
    InMemoryStore,
    ModelManagementSystem,
    MoTHerTreeBuilder,
    Relation,
    TreeBuildingMethod,
)
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import Array, fingerprint_arrays

Prints = dict[str, Fingerprint]


@pytest.mark.parametrize("method", TreeBuildingMethod)
def test_an_adapter_is_a_leaf_of_its_base(
    adapted_prints: Prints, method: TreeBuildingMethod
) -> None:
    family = {name: adapted_prints[name] for name in ("a", "b", "c", "d", "adapter")}
    tree = MoTHerTreeBuilder(method=method).solve(family)
    assert tree.members == ("a", "adapter", "b", "c", "d")
    edge = tree.main_edges["adapter"]
    assert (edge.parent, edge.relation) == ("a", Relation.ADAPTER)
    assert edge.confidence > 0.9 and 0.0 < edge.distance < 1.0
    assert edge.evidence.flags == ("unmerged", "proven") and edge.evidence.merged == ("d",)
    assert tree.get_children("adapter") == [] and tree.root not in (None, "adapter")


def test_the_proof_settles_where_the_merged_child_hangs(adapted_prints: Prints) -> None:
    family = {name: adapted_prints[name] for name in ("a", "d", "adapter")}
    edge = MoTHerTreeBuilder().solve(family).main_edges["d"]
    assert (edge.parent, edge.relation) == ("a", Relation.ADAPTER) and edge.confidence > 0.9
    assert "adapter_here" in edge.evidence.flags and "confirmed" not in edge.evidence.flags
    assert edge.evidence.delta_rank == 4


def test_proofs_that_contradict_each_other_are_left_out(
    adapted_models: dict[str, dict[str, Array]], adapted_prints: Prints
) -> None:
    """The negative of an adapter would make d the base of a."""
    negative = {n: -v if "lora_A" in n else v for n, v in adapted_models["adapter"].items()}
    family = {name: adapted_prints[name] for name in ("a", "b", "d", "adapter")}
    tree = MoTHerTreeBuilder().solve(family | {"negative": fingerprint_arrays(negative)})
    assert len(tree.main_edges) == 4
    assert {tree.main_edges[name].parent for name in ("adapter", "negative")} == {"a", "d"}


def test_a_guess_is_unresolved_and_hangs_from_the_root(adapted_prints: Prints) -> None:
    tree = MoTHerTreeBuilder().solve({name: adapted_prints[name] for name in ("a", "adapter")})
    edge = tree.main_edges["adapter"]
    assert edge.parent == "a" and not edge.resolved and edge.evidence.flags == ("unmerged",)


def test_adapters_alone_have_no_root(adapted_prints: Prints) -> None:
    tree = MoTHerTreeBuilder().solve({"adapter": adapted_prints["adapter"]})
    assert (tree.root, tree.root_confidence, tree.edges) == (None, 0.0, ())


def collect(store: InMemoryStore) -> list[FamilyTree]:
    return sorted((family.tree for family in store.list_families()), key=lambda t: t.members)


def build(prints: Prints, method: ClusteringMethod) -> ModelManagementSystem:
    store = InMemoryStore()
    for name, fingerprint in prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name)
    return ModelManagementSystem(store, clustering_method=method)


def grow(prints: Prints, order: tuple[str, ...]) -> ModelManagementSystem:
    """One model after the other; those to come are not in the store yet."""
    system = build({}, ClusteringMethod.AUTO)
    assert isinstance(system.store, InMemoryStore)
    for name in order:
        system.store.add_fingerprint(prints[name], id=name, name=name)
        system.process_new_model(name)
    return system


def test_no_order_of_arrival_or_removal_matters(adapted_prints: Prints) -> None:
    """The adapter fits a alone, then nobody (s fits as well), then a for certain (d proves it)."""
    names = ("a", "s", "d", "adapter")
    prints = {name: adapted_prints[name] for name in names}
    for gone in (None, "d", "s", "a", "adapter"):
        left = {name: print_ for name, print_ in prints.items() if name != gone}
        expected = build(left, ClusteringMethod.AUTO)
        expected.recluster_all_models()
        orders = list(itertools.permutations(names))
        for order in orders[:: 3 if gone is None else 8]:
            system = grow(prints, order)
            if gone is not None:
                system.remove_model(gone)
            assert isinstance(system.store, InMemoryStore)
            assert isinstance(expected.store, InMemoryStore)
            assert collect(system.store) == collect(expected.store), (order, gone)


def test_a_second_base_of_the_same_shapes_takes_the_guess_back(adapted_prints: Prints) -> None:
    system = grow(adapted_prints, ("a", "adapter"))
    assert system.get_model_lineage("adapter")["parent"]["id"] == "a"
    system = grow(adapted_prints, ("a", "adapter", "s"))
    assert system.get_model_lineage("adapter")["parent"] is None
    system.remove_model("s")
    assert system.get_model_lineage("adapter")["parent"]["id"] == "a"


@pytest.mark.parametrize("method", ClusteringMethod)
def test_every_clustering_method_places_adapters(
    adapted_prints: Prints, method: ClusteringMethod
) -> None:
    prints = {name: adapted_prints[name] for name in ("a", "d", "s", "adapter")}
    system = build(prints, method)
    system.recluster_all_models()
    assert system.get_model_lineage("adapter")["parent"]["id"] == "a"


def test_a_visiting_adapter_is_identified(adapted_prints: Prints) -> None:
    system = grow(adapted_prints, ("a", "d", "s"))
    answer = system.identify(adapted_prints["adapter"])
    assert (answer["parent_id"], answer["relation"]) == ("a", "adapter")
    assert answer["confidence"] > 0.9


def test_two_adapters_of_one_seed_are_no_relatives(
    adapted_models: dict[str, dict[str, Array]], adapted_prints: Prints
) -> None:
    """Equal beginnings of A would relate them, whatever they were trained on."""
    rng = np.random.default_rng(0)
    other = {
        n: v if "lora_A" in n else rng.standard_normal(v.shape).astype(np.float32)
        for n, v in adapted_models["adapter"].items()
    }
    prints = {"adapter": adapted_prints["adapter"], "other": fingerprint_arrays(other)}
    system = build(prints, ClusteringMethod.AUTO)
    system.recluster_all_models()
    assert len(system.store.list_families()) == 2
