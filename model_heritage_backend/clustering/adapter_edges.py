"""Adapters in a family tree: what they prove about the models, and their own edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model_heritage_backend.clustering.adapters import Basis, Verdict, judge_adapter
from model_heritage_backend.clustering.constraints import FREE, Constraints
from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.errors import Conflict
from model_heritage_backend.fingerprints import Fingerprint

Solve = Callable[[Mapping[str, Fingerprint], Constraints], FamilyTree]


def solve_with_adapters(
    fingerprints: Mapping[str, Fingerprint], solve: Solve, *, method: str
) -> FamilyTree:
    """The tree of a family's models by ``solve``, with its adapters hung on afterwards.

    An adapter is a leaf: it holds none of the tensors that anything else could descend from. Where
    base and merged child prove each other, the edge between them is a confirmed one to ``solve``;
    proofs that contradict each other are left out.
    """
    models = {i: f for i, f in fingerprints.items() if not f.is_adapter}
    adapters = sorted(fingerprints.keys() - models.keys())
    if not models:
        return FamilyTree(
            members=tuple(adapters), edges=(), root=None, root_confidence=0.0, method=method
        )
    if not adapters:
        return solve(models, FREE)
    verdicts = {i: judge_adapter(fingerprints[i], models) for i in adapters}
    known = {i: verdict for i, verdict in verdicts.items() if verdict is not None}
    proven = {verdict.merged[0]: verdict for _, verdict in sorted(known.items()) if verdict.merged}
    try:
        facts = {child: str(verdict.base) for child, verdict in proven.items()}
        tree = solve(models, Constraints(confirmed=facts))
    except Conflict:
        tree = solve(models, FREE)
    edges = [_tell_proof(edge, proven.get(edge.child)) for edge in tree.edges]
    edges += [_hang(adapter, verdict, tree, method) for adapter, verdict in known.items()]
    return replace(
        tree,
        members=tuple(sorted(fingerprints)),
        edges=tuple(sorted(edges, key=lambda e: (e.child, not e.main, e.parent))),
    )


def _tell_proof(edge: Edge, verdict: Verdict | None) -> Edge:
    """The edge from a base to what became of it by an adapter that is here, too."""
    if verdict is None or edge.parent != verdict.base or not edge.main:
        return edge
    flags = [flag for flag in edge.evidence.flags if flag != "confirmed"]
    return replace(
        edge,
        relation=Relation.ADAPTER,
        confidence=verdict.confidence,
        evidence=replace(
            edge.evidence,
            delta_rank=edge.evidence.delta_rank or verdict.rank,
            flags=(*flags, "adapter_here"),
        ),
    )


def _hang(adapter: str, verdict: Verdict, tree: FamilyTree, method: str) -> Edge:
    flags = {
        Basis.PROVEN: ("unmerged", "proven"),
        Basis.DRIFT: ("unmerged", "drift"),
        Basis.SHAPES: ("unmerged",),
    }
    return Edge(
        parent=verdict.base or _choose_parent(verdict, tree),
        child=adapter,
        relation=Relation.ADAPTER,
        confidence=verdict.confidence,
        distance=verdict.distance,
        evidence=Evidence(
            delta_rank=verdict.rank,
            flags=flags[verdict.basis],
            signals={"agreement": verdict.z},
            margin=max(2 * verdict.confidence - 1, 0.0),
            merged=verdict.merged,
            method=method,
        ),
    )


def _choose_parent(verdict: Verdict, tree: FamilyTree) -> str:
    """Of the members that fit the one nearest to the root: most adapters are of base models."""
    if tree.root is not None:
        for member in (tree.root, *tree.get_descendants(tree.root)):
            if member in verdict.fitting:
                return member
    return verdict.fitting[0]
