"""HERITAGE: the genealogy of one family.

Stage A, from fingerprints alone: copies, merges, the skeleton. Stage B, from the two files of each
edge of the skeleton: direction, rank and relation. Then one root orients the tree, siblings that
were strung up in a chain are put side by side, and every edge gets its relation and its doubt.
Nothing here depends on the order in which models arrived.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.confidence import (
    MERGE_CONFIDENCE,
    Doubt,
    calculate_confidence,
)
from model_heritage_backend.clustering.copies import Copy, are_duplicates, find_copy
from model_heritage_backend.clustering.direction import calculate_direction
from model_heritage_backend.clustering.drift import StepAngles, calculate_drift_odds, score_drift
from model_heritage_backend.clustering.exact_evidence import ExactEvidence, measure_edge
from model_heritage_backend.clustering.genealogy import Edge, Evidence, FamilyTree, Relation
from model_heritage_backend.clustering.merges import Merge, drop_cyclic_merges, find_merges
from model_heritage_backend.clustering.orientation import (
    CENTRALITY_WEIGHT,
    Orientation,
    calculate_centrality,
    orient,
    point,
)
from model_heritage_backend.clustering.pair_statistics import (
    CAP,
    ROW_SHARE,
    PairStatistics,
    calculate_pair_statistics,
)
from model_heritage_backend.clustering.relations import classify_change
from model_heritage_backend.clustering.rounding import judge_rounding
from model_heritage_backend.clustering.sample_weights import open_samples
from model_heritage_backend.clustering.siblings import are_siblings, find_siblings
from model_heritage_backend.clustering.skeleton import Neighbours, build_skeleton, prefer_sources
from model_heritage_backend.clustering.threads import one_blas_thread
from model_heritage_backend.clustering.whitening import WhitenedSteps
from model_heritage_backend.fingerprints import Fingerprint

METHOD = "heritage"
CERTAIN = 12.0
"""Log-odds of an edge whose direction a recomputed copy or a merge proves."""
EXTENDED = 6.0
"""Log-odds that a model with added rows descends from the one without."""
REDUCED = 4.0
"""Log-odds of the direction between a quantised or pruned model and a neighbour that is neither."""
MANY_ZEROS = 0.1

NEAR = 3
"""Nearest members, of each, by whose differences steps are whitened."""
WIDE_WEIGHT = 20.0
"""Of gains from wide samples against those from the ordinary samples of all matrices. These decide
where the others tie: between models whose widely sampled matrices are the same."""
ROOTS_WEIGHED = 12
ROOT_POSSIBLE = 1e-4

ExactSource = Callable[[str, str], ExactEvidence | None]
"""(id, id) -> evidence of the pair read from its files, its matrices under the first's canonical
names; None where the files are not at hand. Asked in the order of the models' checksums."""
PairCache = dict[tuple[str, str, int], PairStatistics]


def solve_family(
    fingerprints: Mapping[str, Fingerprint],
    *,
    exact: ExactSource | None = None,
    pairs: PairCache | None = None,
) -> FamilyTree:
    """The family tree of related models.

    Parameters
    ----------
    fingerprints : of the members, by id
    exact : where stage B gets its evidence; without it samples must do, and confidence says so
    pairs : statistics of pairs, read and added to; of this process only
    """
    family = AlignedFamily.build(fingerprints)
    if len(family) == 1:
        return FamilyTree(
            members=family.ids, edges=(), root=family.ids[0], root_confidence=1.0, method=METHOD
        )
    with one_blas_thread():
        return _Solver(family, exact, {} if pairs is None else pairs).solve()


@dataclass
class _Solver:
    family: AlignedFamily
    exact: ExactSource | None
    pairs: PairCache
    evidence: dict[tuple[int, int], ExactEvidence] = field(default_factory=dict)
    measured: set[tuple[int, int]] = field(default_factory=set)
    siblings: dict[tuple[int, int, int], bool] = field(default_factory=dict)

    def solve(self) -> FamilyTree:
        size = len(self.family)
        self.twins = _group_duplicates(self.family)
        self.members = [m for m in range(size) if self.twins[m] == m]
        self.statistics = self._collect_statistics()
        gains, distances = self._matrices()
        self.near = sorted(self._list_near_pairs(distances))
        self.wide = WhitenedSteps.measure(self.family, self.members, self.near, wide=True)
        gains = self._add_wide_gains(gains)
        self.copies = self._find_copies()
        full = max((s.values for s in self.statistics.values()), default=0) * (1 + ROW_SHARE) * CAP
        self.gains = prefer_sources(gains, self.copies, full)
        norms = self._squared_norms()
        self.merges = find_merges(
            self.family,
            distances,
            norms,
            self.members,
            copies={child for _, child in self.copies},
        )
        neighbours = build_skeleton(self.gains, distances, self.members, self.copies, self.merges)
        links = [(a, b) for a in neighbours for b in neighbours[a] if a < b]
        self.angles = StepAngles(self.family)
        # Steps to copies and merges are no training: they drift with nobody.
        self.deaf = {*self.copies, *((m.main, m.child) for m in self.merges.values())}
        drift = calculate_drift_odds(neighbours, self.angles, deaf=self.deaf)
        self.log_odds = {(a, b): self._direct(a, b) + drift[a, b] for a, b in links}
        orientation, parents = self._choose_root(
            neighbours, orient(neighbours, self.log_odds, size)
        )
        return self._finish(orientation, parents)

    def _choose_root(
        self, neighbours: Neighbours, first: Orientation
    ) -> tuple[Orientation, dict[int, int]]:
        """Weigh the likeliest roots again with siblings put side by side under each of them.

        Repair changes edges, so a root is judged by the tree that people will see.
        """
        fixed = set(self.merges) | {child for _, child in self.copies}
        likely = np.argsort(-first.posterior, kind="stable")[:ROOTS_WEIGHED]
        roots = [int(r) for r in likely if first.posterior[r] > ROOT_POSSIBLE]
        repaired, scores = [], []
        for root in roots:
            orientation = point(neighbours, root, first.posterior)
            parents = find_siblings(orientation, self._are_siblings, fixed=fixed)
            odds = sum(self._direct(parent, child) for child, parent in parents.items())
            # Repair makes acute angles wherever it moves a member: half of the say is before it.
            for tree in (orientation.parents, parents):
                odds += score_drift(tree, self.angles, deaf=self.deaf) / 2
            centrality = calculate_centrality(parents, self.members)
            repaired.append(parents)
            scores.append(odds + CENTRALITY_WEIGHT * centrality)
        weights = np.exp(np.array(scores) - max(scores))
        posterior = first.posterior.copy()
        posterior[roots] = posterior[roots].sum() * weights / weights.sum()
        best = int(np.argmax(weights))
        return point(neighbours, roots[best], posterior), repaired[best]

    # Stage A -----------------------------------------------------------------------------------

    def _collect_statistics(self) -> dict[tuple[int, int], PairStatistics]:
        found = {}
        names = [
            frozenset((common, tensor.name) for common, tensor in tensors.items())
            for tensors in self.family.tensors
        ]
        for place, a in enumerate(self.members):
            for b in self.members[place + 1 :]:
                first, second = self.family.fingerprints[a], self.family.fingerprints[b]
                # Common names say which tensors were compared, and may change as families grow.
                key = (first.checksum, second.checksum, hash((names[a], names[b])))
                if key not in self.pairs:
                    self.pairs[key] = calculate_pair_statistics(self.family, a, b)
                found[a, b] = self.pairs[key]
        return found

    def _matrices(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Gains and squared distances, (n, n)."""
        size = len(self.family)
        gains, distances = np.zeros((size, size)), np.zeros((size, size))
        for (a, b), pair in self.statistics.items():
            gains[a, b] = gains[b, a] = pair.gain
            distances[a, b] = distances[b, a] = pair.squared_distance
        return gains, distances

    def _add_wide_gains(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the gains and, many times over, those of the wide samples where there are any."""
        if not self.wide.found:
            return gains
        values = np.zeros_like(gains)
        for (a, b), pair in self.statistics.items():
            values[a, b] = values[b, a] = pair.values
        wide = self.wide.calculate_gains(CAP) * values
        wide = np.where(np.isfinite(wide), wide, gains)
        return (gains + WIDE_WEIGHT * wide) / (1 + WIDE_WEIGHT)

    @cached_property
    def narrow(self) -> WhitenedSteps:
        return WhitenedSteps.measure(self.family, self.members, self.near, wide=False)

    def _list_near_pairs(self, distances: NDArray[np.float64]) -> set[tuple[int, int]]:
        """Each member with the NEAR members nearest to it."""
        pairs = set()
        for member in self.members:
            others = sorted(self.members, key=lambda m: (distances[member, m], m))
            nearest = [m for m in others if distances[member, m] > 0][:NEAR]
            pairs |= {(min(member, m), max(member, m)) for m in nearest}
        return pairs

    def _squared_norms(self) -> NDArray[np.float64]:
        return np.array(
            [
                sum(
                    t.size
                    / max(t.sample.size, 1)
                    * float((self.family.get_sample(m, n) ** 2).sum())
                    for n, t in self.family.tensors[m].items()
                    if t.is_matrix
                )
                for m in range(len(self.family))
            ]
        )

    def _find_copies(self) -> dict[tuple[int, int], Copy]:
        """(source, copy) -> how, among members that are not exact duplicates."""
        found = {}
        for child in self.members:
            print_ = self.family.fingerprints[child]
            for parent in self.members:
                if parent == child:
                    continue
                may_be = (
                    print_.bf16 or print_.fp16 or print_.grid_bits or print_.zero_fraction > 0.02
                )
                wide = any(
                    t.sample.dtype == np.float64 for t in self.family.tensors[parent].values()
                )
                if may_be or wide:
                    copy = find_copy(self.family, parent, child)
                    if copy is not None:
                        found[parent, child] = copy
        return found

    # Stage B -----------------------------------------------------------------------------------

    def _measure(self, a: int, b: int) -> ExactEvidence:
        """Evidence seen as (a, b): from the files where they are at hand, else from samples."""
        if (a, b) in self.evidence:
            return self.evidence[a, b]
        if a > b:
            return self._measure(b, a).reversed()
        found = self.exact(self.family.ids[a], self.family.ids[b]) if self.exact else None
        if found is None:
            found = measure_edge(
                open_samples(self.family, a),
                open_samples(self.family, b),
                roundoff=max(self.family.roundoff[a], self.family.roundoff[b]),
            )
        else:
            self.measured |= {(a, b), (b, a)}
            common = {tensor.name: name for name, tensor in self.family.tensors[a].items()}
            found = found.rename(common)
        self.evidence[a, b], self.evidence[b, a] = found, found.reversed()
        return found

    def _direct(self, a: int, b: int) -> float:
        """Log-odds that a is b's parent: proofs first, then signals."""
        if (a, b) in self.copies or (b, a) in self.copies:
            return CERTAIN if (a, b) in self.copies else -CERTAIN
        for child, other, sign in ((b, a, 1.0), (a, b, -1.0)):
            merge = self.merges.get(child)
            if merge is not None and other in (merge.first, merge.second):
                return sign * CERTAIN
        first, second = self.family.fingerprints[a], self.family.fingerprints[b]
        odds = 0.0
        if bool(first.grid_bits) != bool(second.grid_bits):
            odds += self._judge_reduced(a if first.grid_bits else b, a)
        if abs(first.zero_fraction - second.zero_fraction) > MANY_ZEROS:
            odds += self._judge_reduced(a if first.zero_fraction > second.zero_fraction else b, a)
        odds += EXTENDED * sum(s.extended for s in self.family.shared_matrices(a, b))
        odds += judge_rounding(self.family, a, b)
        return odds + calculate_direction(self._measure(a, b))

    def _judge_reduced(self, reduced: int, a: int) -> float:
        """Log-odds that a is the parent, where ``reduced`` (a or its neighbour) lost precision.

        Such a model descends from its unreduced neighbour, as most are ends of lines. Where its
        source is known to be another, the neighbour was trained on from it.
        """
        has_source = any(child == reduced for _, child in self.copies)
        return REDUCED if (reduced == a) == has_source else -REDUCED

    # Answers -----------------------------------------------------------------------------------

    def _finish(self, orientation: Orientation, parents: Mapping[int, int]) -> FamilyTree:
        edges = []
        self.merges = drop_cyclic_merges(self.merges, parents)
        below = _descendants(parents, self.members)
        for child in self.members:
            if child in parents:
                edges += self._describe(child, parents[child], orientation, below[child])
        ids = self.family.ids
        for twin, first in enumerate(self.twins):
            if twin != first:
                edges.append(self._describe_duplicate(first, twin))
        return FamilyTree(
            members=tuple(sorted(ids)),
            edges=tuple(sorted(edges, key=lambda e: (e.child, not e.main, e.parent))),
            root=ids[orientation.root],
            root_confidence=float(orientation.posterior[orientation.root]),
            method=METHOD,
        )

    def _describe(
        self, child: int, parent: int, orientation: Orientation, below: set[int]
    ) -> list[Edge]:
        ids = self.family.ids
        pair = self._pair(parent, child)
        others = [m for m in self.members if m not in below and m != parent]
        runner_up = max(others, key=lambda m: (self.gains[m, child], -m), default=None)
        evidence = self._measure(parent, child)
        direction = self._direct(parent, child)
        copy = self.copies.get((parent, child))
        merge = self.merges.get(child)
        confidence = calculate_confidence(
            Doubt(
                certainty=orientation.calculate_certainty(child),
                margin=self._calculate_margin(parent, child, runner_up),
                copy=copy is not None,
                step=evidence.relative_change or pair.distance,
                twin=self._measure_twin(parent, child, others),
            )
        )
        if merge is not None:
            confidence = max(confidence, MERGE_CONFIDENCE)
        change = classify_change(self.family, parent, child, evidence)
        relation = change.relation
        if merge is not None:
            relation = Relation.MERGE
        elif copy is not None:
            relation = copy.relation
        shown = Evidence(
            delta_rank=change.delta_rank if relation is Relation.ADAPTER else None,
            changed_tensors=sum(m.changed > 0 for m in evidence.matrices)
            + evidence.vectors_changed,
            shared_tensors=len(evidence.matrices) + evidence.vectors,
            changed=change.changed if relation is Relation.PARTIAL else (),
            flags=change.flags,
            bits=copy.bits if copy is not None else None,
            zero_fraction=self.family.fingerprints[child].zero_fraction
            if relation is Relation.PRUNED
            else None,
            relative_change=evidence.relative_change,
            direction=direction,
            signals=_signals(evidence),
            runner_up=None if runner_up is None else ids[runner_up],
            margin=max(2 * confidence - 1, 0.0) if runner_up is not None else confidence,
            exact=(parent, child) in self.measured,
            method=METHOD,
        )
        edge = Edge(
            parent=ids[parent],
            child=ids[child],
            relation=relation,
            confidence=confidence,
            distance=pair.distance,
            coefficient=None if merge is None else _coefficient(merge, parent),
            evidence=shown,
        )
        if merge is None:
            return [edge]
        other = merge.second if parent == merge.first else merge.first
        further = Edge(
            parent=ids[other],
            child=ids[child],
            main=False,
            relation=Relation.MERGE,
            confidence=confidence,
            distance=self._pair(other, child).distance,
            coefficient=_coefficient(merge, other),
            evidence=Evidence(exact=False, method=METHOD),
        )
        return [edge, further]

    def _calculate_margin(self, parent: int, child: int, runner_up: int | None) -> float:
        """Gain over the best other parent, in nats per value; 1 when there is no other."""
        if runner_up is None:
            return 1.0
        gap = self.gains[parent, child] - self.gains[runner_up, child]
        return float(gap / max(self._pair(parent, child).values, 1))

    def _measure_twin(self, parent: int, child: int, others: Collection[int]) -> float:
        """Distance from the parent to the nearest other candidate, in units of the child's step."""
        step = self._pair(parent, child).distance
        nearest = min((self._pair(parent, m).distance for m in others), default=math.inf)
        return nearest / step if step > 0.0 else math.inf

    def _describe_duplicate(self, first: int, twin: int) -> Edge:
        """Which of several equal files came first cannot be told: each is as likely."""
        count = self.twins.count(first)
        tensors = len(self.family.tensors[first])
        return Edge(
            parent=self.family.ids[first],
            child=self.family.ids[twin],
            relation=Relation.DUPLICATE,
            confidence=1.0 / count,
            distance=0.0,
            evidence=Evidence(
                changed_tensors=0,
                shared_tensors=tensors,
                relative_change=0.0,
                direction=0.0,
                exact=True,
                method=METHOD,
            ),
        )

    def _are_siblings(self, a: int, b: int, c: int) -> bool:
        if (a, b, c) not in self.siblings:
            tau = self.wide.calculate_tau(a, b, c)
            if tau is None:
                tau = self.narrow.calculate_tau(a, b, c)
            self.siblings[a, b, c] = are_siblings(tau)
        return self.siblings[a, b, c]

    def _pair(self, a: int, b: int) -> PairStatistics:
        return self.statistics[min(a, b), max(a, b)]


def _coefficient(merge: Merge, parent: int) -> float:
    return merge.coefficient if parent == merge.first else 1 - merge.coefficient


def _group_duplicates(family: AlignedFamily) -> list[int]:
    """The first member (by checksum) that holds the same values, for each member."""
    first: dict[tuple[tuple[str, str | None], ...], int] = {}
    groups = []
    for member, tensors in enumerate(family.tensors):
        key = tuple(sorted((name, t.value_digest) for name, t in tensors.items()))
        leader = first.setdefault(key, member)
        groups.append(leader if are_duplicates(family, leader, member) else member)
    return groups


def _descendants(parents: Mapping[int, int], members: list[int]) -> dict[int, set[int]]:
    """Each member with everything below it, itself included."""
    below = {member: {member} for member in members}
    for member in members:
        above = member
        while above in parents:
            above = parents[above]
            below[above].add(member)
    return below


def _signals(evidence: ExactEvidence) -> dict[str, float]:
    return {
        name: float(getattr(evidence, name))
        for name in (
            "norm_growth",
            "larger_share",
            "diagonal_excess",
            "entropy",
            "skew_forward",
            "skew_backward",
            "kurtosis",
            "vector_growth",
        )
    }
