"""Family trees by the method of choice, as graphs that can be checked and measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import networkx as nx

from model_heritage_backend.clustering.adapter_edges import solve_with_adapters
from model_heritage_backend.clustering.constraints import Constraints
from model_heritage_backend.clustering.distance_calculator import ModelDistanceCalculator
from model_heritage_backend.clustering.edge_judge import ExactSource
from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.mother import (
    choose_by_distance,
    choose_by_distance_and_kurtosis,
    choose_by_kurtosis,
    solve_with,
)
from model_heritage_backend.clustering.mother_utils import LAMBDA
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.parts import solve_in_parts
from model_heritage_backend.clustering.statements import NOTHING, Knowledge
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.clustering.watching import Watch, watch_nobody, watched
from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.fingerprints import Fingerprint

if TYPE_CHECKING:
    # Nodes are model ids, edges lead from parent to child. networkx is generic to checkers alone.
    Graph = nx.DiGraph[str]

Fingerprints = Mapping[str, Fingerprint]


class TreeBuildingMethod(StrEnum):
    """How a family's tree is found.

    HERITAGE : ours, from copies, merges, a skeleton of gains, and direction from the files
    MOTHER : distance and the order of kurtosis, joined in a minimum arborescence
    DISTANCE_ONLY : minimum spanning tree of the distances, from the most central model
    KURTOSIS_ONLY : kurtosis falls along every edge
    """

    MOTHER = "mother"
    DISTANCE_ONLY = "distance_only"
    KURTOSIS_ONLY = "kurtosis_only"
    HERITAGE = "heritage"


class MoTHerTreeBuilder:
    """Builds the trees of families.

    Parameters
    ----------
    store : where ``build_family_tree`` finds families; ``solve`` needs none
    method : which way
    lambda_param : weight of the kurtosis order in MOTHER, >= 0
    distance_calculator : for the specification's methods; AUTO metric by default
    kurtosis_grows : for MOTHER and KURTOSIS_ONLY, whether training made kurtosis grow along edges;
        fine-tuning of large models lessens it. The paper takes this as known for each family
    exact : where HERITAGE reads evidence of two files; without it samples must do
    pairs : what another builder learnt, to share it
    remember : whether what is learnt about pairs is kept for the next family
    watch : told how long ``solve`` takes

    Attributes
    ----------
    pairs : what HERITAGE knows about pairs of checksums; solving a family again costs less

    Examples
    --------
    >>> prints = {record.name: store.load_fingerprint(record.id) for record in store.list_models()}
    >>> tree = MoTHerTreeBuilder(method=TreeBuildingMethod.HERITAGE).solve(prints)
    >>> sorted((edge.parent, edge.child, edge.relation.value) for edge in tree.edges)
    [('base', 'tuned', 'adapter'), ('tuned', 'half', 'cast')]
    """

    def __init__(
        self,
        store: HeritageStore | None = None,
        *,
        method: TreeBuildingMethod = TreeBuildingMethod.HERITAGE,
        lambda_param: float = LAMBDA,
        distance_calculator: ModelDistanceCalculator | None = None,
        kurtosis_grows: bool = False,
        exact: ExactSource | None = None,
        pairs: PairCache | None = None,
        remember: bool = True,
        watch: Watch = watch_nobody,
    ) -> None:
        if not 0.0 <= lambda_param < math.inf:
            raise ValueError(f"lambda_param {lambda_param} is not a finite number >= 0")
        self.store = store
        self.method = TreeBuildingMethod(method)
        self.lambda_param = lambda_param
        self.distance_calculator = distance_calculator or ModelDistanceCalculator()
        self.kurtosis_grows = kurtosis_grows
        self.exact = exact
        self.pairs = PairCache() if pairs is None else pairs
        self.remember = remember
        self.watch = watch

    @watched("lineage")
    def solve(self, fingerprints: Fingerprints, *, known: Knowledge | None = None) -> FamilyTree:
        """The tree of related models, by id. Every method obeys what people know.

        Parameters
        ----------
        known : what people state of these models; what the store holds of them by default

        Raises
        ------
        InvalidRequest
            When there are no models.
        Conflict
            When what is known contradicts itself.
        """
        if not fingerprints:
            raise InvalidRequest("A family has at least one model.")
        if known is None:
            known = self._recall(fingerprints)
        self.pairs.limit()
        solver = partial(SOLVERS[self.method], self)
        proofs_count = self.method is TreeBuildingMethod.HERITAGE
        return solve_with_adapters(
            fingerprints,
            lambda models, facts: solve_in_parts(
                models, known, facts if proofs_count else {}, solver
            ),
            method=self.method.value,
            known=known,
        )

    def _recall(self, fingerprints: Fingerprints) -> Knowledge:
        if self.store is None:
            return NOTHING
        return Knowledge.gather(self.store.list_statements(fingerprints))

    def build_family_tree(self, family_id: str) -> tuple[Graph, dict[tuple[str, str], float]]:
        """A stored family as a graph, and the confidence of each (parent, child).

        The stored tree where it was made by this builder's method; else the family is solved by it
        (and not stored).

        Nodes have ``name``, ``checksum`` and ``root``; edges ``relation``, ``confidence``,
        ``distance``, ``main`` and, in a merge, ``coefficient``.

        Raises
        ------
        NotFound
            When there is no such family.
        InvalidRequest
            When the builder has no store.
        """
        if self.store is None:
            raise InvalidRequest("The tree builder was made without a store.")
        tree = self.store.get_family(family_id).tree
        if tree.method != self.method:
            tree = self.solve({m: self.store.load_fingerprint(m) for m in tree.members})
        graph: Graph = nx.DiGraph()
        for member in tree.members:
            record = self.store.get_model(member)
            graph.add_node(
                member, name=record.name, checksum=record.checksum, root=member == tree.root
            )
        for edge in tree.edges:
            # Absent rather than None: writers of graph formats accept scalars only.
            share = {} if edge.coefficient is None else {"coefficient": edge.coefficient}
            graph.add_edge(
                edge.parent,
                edge.child,
                relation=edge.relation.value,
                confidence=edge.confidence,
                distance=edge.distance,
                main=edge.main,
                **share,
            )
        return graph, {(edge.parent, edge.child): edge.confidence for edge in tree.edges}

    def validate_tree(self, tree: Graph) -> tuple[bool, list[str]]:
        """Whether a graph is one genealogy, and every reason why not, as sentences."""
        return validate_tree(tree)

    def get_tree_statistics(self, tree: Graph) -> dict[str, Any]:
        """See ``get_tree_statistics`` below."""
        return get_tree_statistics(tree)


def _solve_heritage(
    builder: MoTHerTreeBuilder, fingerprints: Fingerprints, known: Constraints
) -> FamilyTree:
    pairs = builder.pairs if builder.remember else PairCache()
    return solve_family(fingerprints, exact=builder.exact, pairs=pairs, constraints=known)


def _solve_mother(
    builder: MoTHerTreeBuilder, fingerprints: Fingerprints, known: Constraints
) -> FamilyTree:
    return solve_with(
        partial(choose_by_distance_and_kurtosis, lambda_param=builder.lambda_param),
        fingerprints,
        method=TreeBuildingMethod.MOTHER.value,
        calculator=builder.distance_calculator,
        kurtosis_grows=builder.kurtosis_grows,
        constraints=known,
    )


def _solve_by_distance(
    builder: MoTHerTreeBuilder, fingerprints: Fingerprints, known: Constraints
) -> FamilyTree:
    return solve_with(
        choose_by_distance,
        fingerprints,
        method=TreeBuildingMethod.DISTANCE_ONLY.value,
        calculator=builder.distance_calculator,
        constraints=known,
    )


def _solve_by_kurtosis(
    builder: MoTHerTreeBuilder, fingerprints: Fingerprints, known: Constraints
) -> FamilyTree:
    return solve_with(
        choose_by_kurtosis,
        fingerprints,
        method=TreeBuildingMethod.KURTOSIS_ONLY.value,
        calculator=builder.distance_calculator,
        kurtosis_grows=builder.kurtosis_grows,
        constraints=known,
    )


SOLVERS: dict[
    TreeBuildingMethod, Callable[[MoTHerTreeBuilder, Fingerprints, Constraints], FamilyTree]
] = {
    TreeBuildingMethod.HERITAGE: _solve_heritage,
    TreeBuildingMethod.MOTHER: _solve_mother,
    TreeBuildingMethod.DISTANCE_ONLY: _solve_by_distance,
    TreeBuildingMethod.KURTOSIS_ONLY: _solve_by_kurtosis,
}


def validate_tree(tree: Graph) -> tuple[bool, list[str]]:
    """Whether a graph is one genealogy: connected, acyclic, one root, one main parent each.

    Edges without the attribute ``main`` count as main, those without ``confidence`` are not judged.
    """
    issues = []
    if len(tree) == 0:
        issues.append("The tree has no models.")
    loops = sorted(nx.nodes_with_selfloops(tree))
    issues += [f"{model} is its own parent." for model in loops]
    looped = {(model, model) for model in loops}
    plain = nx.DiGraph(edge for edge in tree.edges if edge not in looped)
    plain.add_nodes_from(tree)
    for group in sorted(map(sorted, nx.strongly_connected_components(plain))):
        if len(group) > 1:
            issues.append(f"{', '.join(group)} form a cycle.")
    main = _main_edges(tree)
    for model in sorted(tree):
        parents = sorted(parent for parent, child in main.edges if child == model)
        if len(parents) > 1:
            issues.append(f"{model} has several main parents: {', '.join(parents)}.")
    roots = sorted(model for model in main if main.in_degree(model) == 0)
    if len(roots) > 1:
        issues.append(f"There are several roots: {', '.join(roots)}.")
    if len(tree) > 0 and not nx.is_weakly_connected(tree):
        issues.append("The tree is not connected.")
    for parent, child in sorted(tree.edges):
        confidence = tree.edges[parent, child].get("confidence")
        if confidence is not None and not 0.0 <= confidence <= 1.0:
            issues.append(
                f"The confidence {confidence} of {parent} -> {child} is not between 0 and 1."
            )
    return not issues, issues


def get_tree_statistics(tree: Graph) -> dict[str, Any]:
    """Figures of a family tree, JSON-ready.

    Returns
    -------
    ``node_count``, ``edge_count``, ``root`` (None when there is not exactly one), ``depth`` (edges
    on the longest line of main edges; None when there is a cycle), ``leaf_count``,
    ``mean_branching`` and ``max_branching`` (children of models that have any), ``relations``
    (count of each), ``mean_confidence`` and ``min_confidence``, ``mean_distance`` and
    ``max_distance`` (None without edges)
    """
    main = _main_edges(tree)
    roots = [model for model in main if main.in_degree(model) == 0]
    children = [count for _, count in tree.out_degree() if count > 0]
    confidences: list[float] = _list_values(tree, "confidence")
    distances: list[float] = _list_values(tree, "distance")
    relations: list[str] = sorted(_list_values(tree, "relation"))
    acyclic = nx.is_directed_acyclic_graph(main)
    return {
        "node_count": tree.number_of_nodes(),
        "edge_count": tree.number_of_edges(),
        "root": roots[0] if len(roots) == 1 else None,
        "depth": nx.dag_longest_path_length(main) if acyclic else None,
        "leaf_count": sum(count == 0 for _, count in tree.out_degree()),
        "mean_branching": sum(children) / len(children) if children else 0.0,
        "max_branching": max(children, default=0),
        "relations": {relation: relations.count(relation) for relation in dict.fromkeys(relations)},
        "mean_confidence": sum(confidences) / len(confidences) if confidences else None,
        "min_confidence": min(confidences, default=None),
        "mean_distance": sum(distances) / len(distances) if distances else None,
        "max_distance": max(distances, default=None),
    }


def _list_values(tree: Graph, attribute: str) -> list[Any]:
    """The values of an edges' attribute, where it is set."""
    values = (tree.edges[edge].get(attribute) for edge in tree.edges)
    return [value for value in values if value is not None]


def _main_edges(tree: Graph) -> Graph:
    """The graph without the further parents of merges."""
    main: Graph = nx.DiGraph()
    main.add_nodes_from(tree)
    main.add_edges_from(edge for edge in tree.edges if tree.edges[edge].get("main", True))
    return main
