"""Adapters in a family tree: what they prove about the models, and their own edges."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from model_heritage_backend.clustering.adapters import Basis, Verdict, judge_adapter
from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.clustering.parts import measure_distance, tell_author
from model_heritage_backend.clustering.statements import NOTHING, Knowledge
from model_heritage_backend.errors import Conflict
from model_heritage_backend.fingerprints import Fingerprint

Solve = Callable[[Mapping[str, Fingerprint], Mapping[str, str]], FamilyTree]
"""(models, proven parents by child) -> their tree"""


def solve_with_adapters(
    fingerprints: Mapping[str, Fingerprint],
    solve: Solve,
    *,
    method: str,
    known: Knowledge = NOTHING,
) -> FamilyTree:
    """The tree of a family's models by ``solve``, with its adapters hung on afterwards.

    An adapter is a leaf: it holds none of the tensors that anything else could descend from. Where
    base and merged child prove each other, the edge between them is a confirmed one to ``solve``;
    proofs that contradict each other, or what people know, are left out.
    """
    models = {i: f for i, f in fingerprints.items() if not f.is_adapter}
    adapters = sorted(fingerprints.keys() - models.keys())
    if not models:
        return FamilyTree(
            members=tuple(adapters), edges=(), root=None, root_confidence=0.0, method=method
        )
    if not adapters:
        return solve(models, {})
    verdicts = {}
    for adapter in adapters:
        verdict = _judge(adapter, fingerprints[adapter], models, known)
        if verdict is not None:
            verdicts[adapter] = verdict
    proven = {v.merged[0]: v for _, v in sorted(verdicts.items()) if v.merged}
    facts = {child: str(verdict.base) for child, verdict in proven.items()}
    try:
        tree = solve(models, facts)
    except Conflict:
        tree = solve(models, {})
    edges = [_tell_proof(edge, proven.get(edge.child)) for edge in tree.edges]
    edges += [_hang(adapter, verdict, tree, method) for adapter, verdict in verdicts.items()]
    edges += [
        _state(adapter, base, fingerprints)
        for adapter, base in known.confirmed.items()
        if adapter in adapters and adapter not in verdicts and base in models
    ]
    edges = [tell_author(edge, known) for edge in edges]
    return replace(
        tree,
        members=tuple(sorted(fingerprints)),
        edges=tuple(sorted(edges, key=lambda e: (e.child, not e.main, e.parent))),
    )


def _judge(
    adapter: str, print_: Fingerprint, models: Mapping[str, Fingerprint], known: Knowledge
) -> Verdict | None:
    """What the models say about an adapter that people do not contradict."""
    possible = {m: p for m, p in models.items() if (m, adapter) not in known.forbidden}
    verdict = judge_adapter(print_, possible)
    base = known.confirmed.get(adapter)
    if base not in possible or (verdict is not None and verdict.base == base):
        return verdict
    return judge_adapter(print_, {base: possible[base]})


def _state(adapter: str, base: str, fingerprints: Mapping[str, Fingerprint]) -> Edge:
    """An adapter of a model that has none of the matrices it changes: people say so."""
    return Edge(
        parent=base,
        child=adapter,
        relation=Relation.UNRESOLVED,
        confidence=1.0,
        distance=measure_distance(fingerprints, base, adapter),
        evidence=Evidence(flags=("unmerged",), method="stated"),
    )


def _tell_proof(edge: Edge, verdict: Verdict | None) -> Edge:
    """The edge from a base to what became of it by an adapter that is here, too."""
    if verdict is None or edge.parent != verdict.base or not edge.main:
        return edge
    if edge.evidence.stated_by is not None:
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
