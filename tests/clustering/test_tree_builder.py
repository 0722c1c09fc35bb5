"""Trees by every method, as graphs: built, checked, measured."""

from __future__ import annotations

import dataclasses
from typing import Any

import networkx as nx
import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.distance_calculator import (
    DistanceMetric,
    ModelDistanceCalculator,
)
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.mother_utils import calc_ku
from model_heritage_backend.clustering.tree_builder import (
    SOLVERS,
    MoTHerTreeBuilder,
    TreeBuildingMethod,
)
from model_heritage_backend.errors import InvalidRequest, NotFound
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.models import add_noise, fingerprint_arrays, make_arrays

ALL = tuple(TreeBuildingMethod)
BUILDER = MoTHerTreeBuilder()


@pytest.fixture
def store(family_prints: dict[str, Fingerprint], zoo_family: Zoo) -> InMemoryStore:
    """The real family, not solved yet; ids are human names."""
    store = InMemoryStore()
    for name, fingerprint in family_prints.items():
        store.add_fingerprint(fingerprint, id=name, name=name.title(), path=zoo_family.path(name))
    return store


def save(store: InMemoryStore, builder: MoTHerTreeBuilder) -> str:
    """Solve everything as one family; its id."""
    prints = {record.id: store.load_fingerprint(record.id) for record in store.list_models()}
    return store.replace_families([], [builder.solve(prints)])[0]


def make_graph(*edges: tuple[str, str], **attributes: object) -> nx.DiGraph:
    graph: nx.DiGraph = nx.DiGraph()
    graph.add_edges_from(edges, **attributes)
    return graph


@pytest.mark.parametrize("method", ALL)
def test_every_method_makes_a_valid_tree(method: TreeBuildingMethod, store: InMemoryStore) -> None:
    builder = MoTHerTreeBuilder(store, method=method)
    family_id = save(store, builder)
    graph, confidences = builder.build_family_tree(family_id)
    assert builder.validate_tree(graph) == (True, [])
    tree = store.get_family(family_id).tree
    assert tree.method == method.value
    assert type(tree.method) is str
    assert {edge.evidence.method for edge in tree.edges} == {method.value}
    assert set(graph.edges) == {(edge.parent, edge.child) for edge in tree.edges}
    assert confidences == {edge: graph.edges[edge]["confidence"] for edge in graph.edges}
    statistics = builder.get_tree_statistics(graph)
    assert statistics["node_count"] == 12
    assert statistics["edge_count"] == len(tree.edges) >= 11
    assert statistics["root"] == tree.root


def test_all_methods_have_a_solver() -> None:
    assert set(SOLVERS) == set(TreeBuildingMethod)
    assert MoTHerTreeBuilder(method="mother").method is TreeBuildingMethod.MOTHER


def test_heritage_finds_the_true_tree(store: InMemoryStore, zoo_family: Zoo) -> None:
    """The default method, with the files at hand; equal copies may stand for each other."""
    builder = MoTHerTreeBuilder(store, exact=StoredEvidence(store))
    graph, _ = builder.build_family_tree(save(store, builder))
    true = {(p, c) for c in zoo_family.ids for p in zoo_family.true_parents(c)}
    found = {tuple(name.replace("noisy-copy", "noisy") for name in edge) for edge in graph.edges}
    expected = {(p, c) for p, c in true if c != "noisy-copy"}
    assert len(found & expected) >= len(expected) - 2
    assert builder.get_tree_statistics(graph)["root"] == "base"
    assert builder.pairs, "what is known of pairs is kept"


def test_nodes_and_edges_say_what_they_are(store: InMemoryStore) -> None:
    builder = MoTHerTreeBuilder(store)
    graph, _ = builder.build_family_tree(save(store, builder))
    checksum = store.get_model("base").checksum
    root = builder.get_tree_statistics(graph)["root"]
    assert graph.nodes["base"] == {"name": "Base", "checksum": checksum, "root": root == "base"}
    shares = [data["coefficient"] for *_, data in graph.edges(data=True) if "coefficient" in data]
    assert sum(shares) == pytest.approx(1.0), "the merge's two parents"
    further = [data for *_, data in graph.edges(data=True) if not data["main"]]
    assert [data["relation"] for data in further] == ["merge"]
    assert all(None not in data.values() for *_, data in graph.edges(data=True))


def test_a_family_made_by_another_method_is_solved_anew(store: InMemoryStore) -> None:
    family_id = save(store, MoTHerTreeBuilder(store))
    before = store.get_family(family_id)
    mother = MoTHerTreeBuilder(store, method=TreeBuildingMethod.MOTHER)
    graph, _ = mother.build_family_tree(family_id)
    prints = {m: store.load_fingerprint(m) for m in before.tree.members}
    assert set(graph.edges) == {(e.parent, e.child) for e in mother.solve(prints).edges}
    assert store.get_family(family_id) == before, "nothing is stored"


def test_a_stored_family_is_not_solved_again(store: InMemoryStore) -> None:
    """What a person sees is what was stored."""
    builder = MoTHerTreeBuilder(store)
    family_id = save(store, builder)
    tree = store.get_family(family_id).tree
    doubtful = [dataclasses.replace(edge, confidence=0.125) for edge in tree.edges]
    store.replace_families([family_id], [dataclasses.replace(tree, edges=tuple(doubtful))])
    _, confidences = builder.build_family_tree(family_id)
    assert set(confidences.values()) == {0.125}


def test_options_reach_the_method() -> None:
    """A star whose leaves have the smaller kurtosis, as noise lessens it.

    base ─┬─ c1
          ├─ c2
          └─ c3
    """
    base = make_arrays(1, width=48)
    arrays = {"base": base}
    arrays |= {f"c{seed}": add_noise(base, share=0.3, seed=seed) for seed in (1, 2, 3)}
    models = {name: fingerprint_arrays(a) for name, a in arrays.items()}
    order = sorted(models, key=lambda name: -calc_ku(arrays[name]))
    assert order[0] == "base"

    def build(**options: Any) -> set[tuple[str, str]]:
        edges = MoTHerTreeBuilder(**options).solve(models).edges
        return {(edge.parent, edge.child) for edge in edges}

    star = {("base", name) for name in order[1:]}
    assert build(method="mother") == build(method="distance_only") == star
    # Told that kurtosis grows, the order has to be bought with longer steps between the leaves.
    assert build(method="mother", kurtosis_grows=True, lambda_param=0.01) != star
    dear = build(method="mother", kurtosis_grows=True, lambda_param=100.0)
    assert all(order.index(parent) > order.index(child) for parent, child in dear)
    # All full-rank steps are equally far, so the rank puts no trust in any edge.
    rank = ModelDistanceCalculator(DistanceMetric.MATRIX_RANK)
    for calculator, low, high in ((None, 0.2, 0.5), (rank, 0.0, 0.0)):
        builder = MoTHerTreeBuilder(method="distance_only", distance_calculator=calculator)
        confidences = [edge.confidence for edge in builder.solve(models).edges]
        assert low <= min(confidences) <= max(confidences) <= high


def test_bad_calls_are_refused(store: InMemoryStore) -> None:
    with pytest.raises(InvalidRequest, match="at least one"):
        BUILDER.solve({})
    with pytest.raises(InvalidRequest, match="without a store"):
        BUILDER.build_family_tree("f_1")
    with pytest.raises(NotFound):
        MoTHerTreeBuilder(store).build_family_tree("none")
    for bad in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="lambda_param"):
            MoTHerTreeBuilder(lambda_param=bad)


def test_a_sound_tree() -> None:
    r"""a ─┬─ b ── d        d is a merge of b and c
    └─ c ·· d
    """
    tree = make_graph(("a", "b"), ("a", "c"), ("b", "d"), confidence=0.5, main=True)
    tree.add_edge("c", "d", confidence=0.5, main=False)
    assert BUILDER.validate_tree(tree) == (True, [])
    assert BUILDER.get_tree_statistics(tree) == {
        "node_count": 4,
        "edge_count": 4,
        "root": "a",
        "depth": 2,
        "leaf_count": 1,
        "mean_branching": pytest.approx(4 / 3),
        "max_branching": 2,
        "relations": {},
        "mean_confidence": 0.5,
        "min_confidence": 0.5,
        "mean_distance": None,
        "max_distance": None,
    }


@pytest.mark.parametrize(
    ("tree", "issues"),
    [
        (make_graph(), ["The tree has no models."]),
        (make_graph(("a", "b"), ("b", "b")), ["b is its own parent.", "several main parents"]),
        (make_graph(("a", "b"), ("b", "c"), ("c", "a")), ["a, b, c form a cycle."]),
        (
            make_graph(("a", "b"), ("c", "b")),
            ["b has several main parents: a, c.", "There are several roots: a, c."],
        ),
        (make_graph(("a", "b"), ("c", "d")), ["There are several roots: a, c.", "not connected"]),
        (make_graph(("a", "b"), confidence=1.5), ["The confidence 1.5 of a -> b is not between"]),
        (make_graph(("a", "b"), confidence=-0.1), ["confidence -0.1"]),
        (make_graph(("a", "b"), confidence=float("nan")), ["confidence nan"]),
    ],
)
def test_every_flaw_is_named(tree: nx.DiGraph, issues: list[str]) -> None:
    valid, found = BUILDER.validate_tree(tree)
    assert not valid
    assert len(found) == len(issues)
    for expected, sentence in zip(issues, found, strict=True):
        assert expected in sentence


def test_statistics_of_odd_graphs() -> None:
    cycle = BUILDER.get_tree_statistics(make_graph(("a", "b"), ("b", "a")))
    assert cycle["depth"] is None
    assert cycle["root"] is None
    empty = BUILDER.get_tree_statistics(make_graph())
    assert (empty["node_count"], empty["depth"], empty["root"]) == (0, 0, None)
    alone = make_graph()
    alone.add_node("a")
    assert BUILDER.validate_tree(alone) == (True, [])
    assert BUILDER.get_tree_statistics(alone)["leaf_count"] == 1
