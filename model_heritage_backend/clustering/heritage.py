"""HERITAGE: the genealogy of one family.

Stage A, from fingerprints alone: copies, merges, the skeleton. Stage B, from the two files of each
edge of the skeleton: direction, rank and relation. Then one root orients the tree, siblings that
were strung up in a chain are put side by side, and every edge gets its relation and its doubt.
Nothing here depends on the order in which models arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import Arranged
from model_heritage_backend.clustering.constraints import (
    FREE,
    Constraints,
    PlacedConstraints,
    choose_leaders,
)
from model_heritage_backend.clustering.copies import (
    Copy,
    find_copy,
    group_duplicates,
    keep_nearest_sources,
)
from model_heritage_backend.clustering.description import METHOD, EdgeWriter
from model_heritage_backend.clustering.drift import StepAngles, calculate_drift_odds, score_drift
from model_heritage_backend.clustering.edge_judge import EdgeJudge, ExactSource
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree
from model_heritage_backend.clustering.ghosts import (
    Corner,
    drop_edges,
    find_gaps,
    find_limit,
    measure_corners,
    name_ghosts,
)
from model_heritage_backend.clustering.merge_search import find_merges
from model_heritage_backend.clustering.merges import Merge, drop_cyclic_merges
from model_heritage_backend.clustering.orientation import (
    Orientation,
    link,
    list_contested,
    orient,
    point,
    weigh_root,
)
from model_heritage_backend.clustering.pair_cache import PairCache, name_family
from model_heritage_backend.clustering.pair_statistics import (
    CAP,
    ROW_SHARE,
    SPECTRA,
    Detail,
    calculate_gains,
    measure_details,
)
from model_heritage_backend.clustering.reordering import (
    find_plain_frames,
    put_in_order,
)
from model_heritage_backend.clustering.screening import list_nearest
from model_heritage_backend.clustering.siblings import are_siblings, find_siblings
from model_heritage_backend.clustering.skeleton import Neighbours, build_skeleton, prefer_sources
from model_heritage_backend.clustering.threads import (
    is_worth_threads,
    one_blas_thread,
    run_beside,
)
from model_heritage_backend.clustering.whitening import WhitenedSteps
from model_heritage_backend.fingerprints import Fingerprint

NEAR = 3
"""Nearest members, of each, by whose differences steps are whitened."""
WIDE_WEIGHT = 20.0
"""Of gains from wide samples against those from the ordinary samples of all matrices. These decide
where the others tie: between models whose widely sampled matrices are the same."""
ROOTS_WEIGHED = 12
ROOT_POSSIBLE = 1e-4
LOOKED_AT = 8
"""Members nearest to each, by each of two cheap measures, that are looked at closely. The edges of
development zoos were among the first 6, families of up to LOOKED_AT + 1 are looked at whole."""
LARGE = 100
"""Members above which a glance at a pair comes before a closer look, if it needs one."""
GLANCES, LIKELY = 8, 2
"""Matrices of a pair whose spectra are looked at, and nearest members by then that deserve more."""
SOURCES_TRIED = 8
"""Members nearest to each that it may be a copy of."""


def solve_family(
    fingerprints: Mapping[str, Fingerprint],
    *,
    exact: ExactSource | None = None,
    pairs: PairCache | None = None,
    constraints: Constraints = FREE,
) -> FamilyTree:
    """The family tree of related models.

    Parameters
    ----------
    fingerprints : of the members, by id
    exact : where stage B gets its evidence; without it samples must do, and confidence says so
    pairs : statistics of pairs, read and added to; of this process only
    constraints : what people know; the rest of the tree is solved around it

    Raises
    ------
    Conflict
        When no tree meets all constraints.
    """
    family = AlignedFamily.build(fingerprints)
    if len(family) == 1:
        return FamilyTree(
            members=family.ids, edges=(), root=family.ids[0], root_confidence=1.0, method=METHOD
        )
    with one_blas_thread():
        return _Solver(family, exact, PairCache() if pairs is None else pairs, constraints).solve()


@dataclass
class _Solver:
    family: AlignedFamily
    exact: ExactSource | None
    pairs: PairCache
    constraints: Constraints
    taus: dict[tuple[int, int, int], float | None] = field(default_factory=dict)
    arranged: dict[str, Arranged] = field(default_factory=dict)

    def solve(self) -> FamilyTree:
        self._compare_all()
        if self.exact is not None and len(set(self.frames.values())) > 1:
            self._put_in_order(self.exact)
        distances = self.statistics.squared_distances
        apart = np.where(distances > 0, -distances, -np.inf)
        self.near = sorted(list_nearest(apart, self.members, NEAR))
        self.wide = self._whiten(wide=True)
        self.copies = self._find_copies()
        self.merges, details = run_beside(
            self._find_merges,
            self._look_closer,
            threads=is_worth_threads(len(self.members)),
        )
        gains = self._add_wide_gains(calculate_gains(self.statistics, details))
        full = self.statistics.values.max() * (1 + ROW_SHARE) * CAP
        self.gains = prefer_sources(gains, self.copies, full)
        self.angles = StepAngles(self.family, self.pairs.cosines)
        # Steps to copies and merges are no training: they drift with nobody.
        self.deaf = {*self.copies, *((m.main, m.child) for m in self.merges.values())}
        # Directions that are shown are measured; what people say of them is told beside them.
        self.judge = self._make_judge(self.known.free)
        orientation, parents = self._grow(self.known.free, self.judge)
        if not self.known.are_met(parents):
            orientation, parents = self._obey(orientation, parents)
        return self._finish(orientation, parents)

    @property
    def is_large(self) -> bool:
        """Whether a glance comes before a closer look."""
        return len(self.members) > LARGE

    def _obey(
        self, free: Orientation, parents: Mapping[int, int]
    ) -> tuple[Orientation, Mapping[int, int]]:
        """Hang elsewhere whom people speak of. Where that is not enough, as their words turn part
        of the tree round, it is grown again with their words in its score."""
        known, orientation = self.known, free
        changed = known.enforce(parents, free.root, self.gains)
        if not known.are_concerned(m for m in self.members if changed.get(m) != parents.get(m)):
            orientation, grown = self._grow(known, self._make_judge(known))
            changed = known.enforce(grown, orientation.root, self.gains)
        root = next(m for m in self.members if m not in changed)
        return point(link(changed, self.members), root, orientation.posterior), changed

    def _make_judge(self, known: PlacedConstraints) -> EdgeJudge:
        found = self.copies, self.merges, known, self.pairs, self.arranged
        return EdgeJudge(self.family, self.exact, *found)

    def _grow(
        self, known: PlacedConstraints, judge: EdgeJudge
    ) -> tuple[Orientation, Mapping[int, int]]:
        """The skeleton, pointed away from the likeliest root, with siblings side by side."""
        distances = self.statistics.squared_distances
        neighbours = known.relink(
            build_skeleton(self.gains, distances, self.members, self.copies, self.merges)
        )
        links = [(a, b) for a in neighbours for b in neighbours[a] if a < b]
        drift = calculate_drift_odds(neighbours, self.angles, deaf=self.deaf)
        judge.prepare(links, closely=False)
        looked: set[tuple[int, int]] = set()
        while True:
            log_odds = {(a, b): judge.direct(a, b) + drift[a, b] for a, b in links}
            first = orient(neighbours, log_odds, len(self.family), pinned=known.root)
            contested = list_contested(first, least=ROOT_POSSIBLE)
            if contested <= looked:
                return self._choose_root(neighbours, first, known, judge)
            judge.prepare(contested)
            looked |= contested

    def _compare_all(self) -> None:
        self.twins = choose_leaders(
            group_duplicates(self.family), self.family.ids, self.constraints
        )
        self.known = self.constraints.place(self.family.ids, self.twins)
        self.members = [m for m in range(len(self.family)) if self.twins[m] == m]
        self.name = name_family(self.family), tuple(self.members)
        self.statistics = self.pairs.measure_statistics(self.family, self.members)
        self.frames = find_plain_frames(self.family, self.members, self.statistics, self.pairs)

    def _put_in_order(self, exact: ExactSource) -> None:
        """Go on with the members that are out of order as they are in the family's frame."""
        prints = dict(zip(self.family.ids, self.family.fingerprints, strict=True))
        self.arranged = put_in_order(prints, exact, self.pairs)
        if self.arranged:
            moved = {model: found.fingerprint for model, found in self.arranged.items()}
            self.family = AlignedFamily.build(prints | moved)
            self._compare_all()

    def _choose_root(
        self,
        neighbours: Neighbours,
        first: Orientation,
        known: PlacedConstraints,
        judge: EdgeJudge,
    ) -> tuple[Orientation, dict[int, int]]:
        """Weigh the likeliest roots again with siblings put side by side under each of them.

        Repair changes edges, so a root is judged by the tree that people will see.
        """
        fixed = set(self.merges) | set(known.confirmed) | {c for _, c in self.copies}
        likely = np.argsort(-first.posterior, kind="stable")[:ROOTS_WEIGHED]
        roots = [int(r) for r in likely if first.posterior[r] > ROOT_POSSIBLE]
        repaired = [
            find_siblings(point(neighbours, root, first.posterior), self._are_siblings, fixed=fixed)
            for root in roots
        ]
        moved = {pair for parents in repaired for pair in parents.items()}
        judge.prepare(moved, closely=False)
        scores = []
        for root, parents in zip(roots, repaired, strict=True):
            orientation = point(neighbours, root, first.posterior)
            odds = sum(judge.direct(parent, child) for child, parent in parents.items())
            # Repair makes acute angles wherever it moves a member: half of the say is before it.
            for tree in (orientation.parents, parents):
                odds += score_drift(tree, self.angles, deaf=self.deaf) / 2
            odds += known.score(parents)
            scores.append(weigh_root(odds, len(neighbours[root])))
        weights = np.exp(np.array(scores) - max(scores))
        posterior = first.posterior.copy()
        posterior[roots] = posterior[roots].sum() * weights / weights.sum()
        best = int(np.argmax(weights))
        return point(neighbours, roots[best], posterior), repaired[best]

    # Stage A -----------------------------------------------------------------------------------

    def _look_closer(self) -> dict[tuple[int, int], Detail]:
        """At the pairs that may be in the tree: each member with its nearest by cheap measures."""
        plain = self.statistics.plain_gains
        finest = (self.wide if self.wide.found else self.narrow).calculate_gains(CAP)
        pairs = list_nearest(plain, self.members, LOOKED_AT)
        pairs |= list_nearest(np.where(np.isfinite(finest), finest, 0.0), self.members, LOOKED_AT)
        pairs |= self._list_beside_copies(pairs)
        if not self.is_large:
            return self._measure_details(pairs, SPECTRA)
        glances = self._measure_details(pairs, GLANCES)
        likely = list_nearest(calculate_gains(self.statistics, glances), self.members, LIKELY)
        return glances | self._measure_details(likely & glances.keys(), SPECTRA)

    def _measure_details(
        self, pairs: Collection[tuple[int, int]], spectra: int
    ) -> dict[tuple[int, int], Detail]:
        keys = {pair: (self.family.name_members(*pair), spectra) for pair in sorted(pairs)}
        new = [pair for pair, key in keys.items() if key not in self.pairs.details]
        measured = measure_details(self.family, new, spectra=spectra)
        for pair, detail in zip(new, measured, strict=True):
            self.pairs.details[keys[pair]] = detail
        return {pair: self.pairs.details[key] for pair, key in keys.items()}

    def _list_beside_copies(self, pairs: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
        """Whoever is compared with a copy is compared with its source, and the reverse."""
        beside = defaultdict(set)
        for source, copy in self.copies:
            beside[source].add(copy)
            beside[copy].add(source)
        found = {(x, b) for a, b in pairs for x in beside[a]}
        found |= {(a, x) for a, b in pairs for x in beside[b]}
        return {(min(pair), max(pair)) for pair in found if pair[0] != pair[1]}

    def _add_wide_gains(self, gains: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of the gains and, many times over, those of the wide samples where there are any."""
        if not self.wide.found:
            return gains
        wide = self.wide.calculate_gains(CAP) * self.statistics.values
        wide = np.where(np.isfinite(wide), wide, gains)
        return (gains + WIDE_WEIGHT * wide) / (1 + WIDE_WEIGHT)

    @cached_property
    def narrow(self) -> WhitenedSteps:
        """Of the ordinary samples of as many changed matrices as nearly always suffice."""
        return self._whiten(wide=False, most=SPECTRA)

    @cached_property
    def whole(self) -> WhitenedSteps:
        """Of the ordinary samples of all matrices."""
        return self._whiten(wide=False)

    def _whiten(self, *, wide: bool, most: int | None = None) -> WhitenedSteps:
        return self.pairs.steps.recall(
            (self.name, wide, most),
            lambda: WhitenedSteps.measure(
                self.family,
                self.members,
                self.near,
                wide=wide,
                most=most,
                sums=self.pairs.sums,
            ),
            size=len(self.family) ** 2,
        )

    def _find_merges(self) -> dict[int, Merge]:
        """By child, those that people's words leave possible."""
        copied = {child for _, child in self.copies}
        found = self.pairs.merges.recall(
            self.name,
            lambda: find_merges(
                self.family, self.members, copies=copied, known=self.pairs.sums_tried
            ),
            size=len(self.family) ** 2,
        )
        return {
            child: merge
            for child, merge in found.items()
            if self.known.confirmed.get(child, merge.main) in merge.parents
            and not any((parent, child) in self.known.forbidden for parent in merge.parents)
        }

    def _find_copies(self) -> dict[tuple[int, int], Copy]:
        """(source, copy) -> how, among members that are not exact duplicates."""
        nearest = list_nearest(-self.statistics.squared_distances, self.members, SOURCES_TRIED)
        found = {}
        for a, b in sorted(nearest | {(b, a) for a, b in nearest}):
            copy = self._find_copy(a, b) if self._may_be_copy(a, b) else None
            if copy is not None:
                found[a, b] = copy
        return keep_nearest_sources(self.family, found)

    def _find_copy(self, a: int, b: int) -> Copy | None:
        name = self.family.name_members(a, b)
        return self.pairs.copies.recall(name, lambda: find_copy(self.family, a, b))

    def _may_be_copy(self, parent: int, child: int) -> bool:
        print_ = self.family.fingerprints[child]
        reduced = print_.bf16 or print_.fp16 or print_.grid_bits or print_.zero_fraction > 0.02
        source = self.family.fingerprints[parent]
        return bool(reduced) or source.needs_double or print_.is_made_of_blocks

    # Answers -----------------------------------------------------------------------------------

    def _finish(self, orientation: Orientation, parents: Mapping[int, int]) -> FamilyTree:
        merges = drop_cyclic_merges(self.merges, parents)
        corners = self._measure_corners(parents, merges)
        writer = EdgeWriter(
            self.family,
            self.members,
            self.statistics,
            self.gains,
            self.copies,
            merges,
            self.judge,
            orientation,
            self.known,
            {
                child: self._calculate_tau(parents[parent], parent, child)
                for child, parent in parents.items()
                if parent in parents
            },
            {corner.place: corner.typical for corner in corners},
            self.frames,
            {self.family.ids.index(model): found for model, found in self.arranged.items()},
            parents,
        )
        edges = writer.describe_tree()
        ids = self.family.ids
        gaps = find_gaps(parents, self._gap_steps, corners, root=self.known.root)
        ghosts = name_ghosts(gaps, ids, self._measure_distance)
        edges = drop_edges(edges, ghosts)
        for twin, first in enumerate(self.twins):
            if twin != first:
                count = self.twins.count(first)
                edges.append(writer.describe_duplicate(first, twin, count=count))
        edges = [self._name_parent(edge) for edge in edges]
        above_all = [ghost.confidence for ghost in ghosts if ghost.parent is None]
        return FamilyTree(
            members=tuple(sorted(ids)),
            edges=tuple(sorted(edges, key=lambda e: (e.child, not e.main, e.parent))),
            root=None if above_all else ids[orientation.root],
            root_confidence=max(above_all, default=float(orientation.posterior[orientation.root])),
            method=METHOD,
            ghosts=ghosts,
            ghost_limit=find_limit(corners, gaps),
        )

    @property
    def _gap_steps(self) -> WhitenedSteps:
        return self.wide if self.wide.found else self.narrow

    def _measure_corners(
        self, parents: Mapping[int, int], merges: Mapping[int, Merge]
    ) -> list[Corner]:
        """Angles between steps, away from copies, merges and what people know."""
        proven = {*self.copies}
        proven |= {(parent, m.child) for m in merges.values() for parent in m.parents}
        proven |= {(parent, child) for child, parent in self.known.confirmed.items()}
        return measure_corners(parents, self._gap_steps, fixed=proven)

    def _measure_distance(self, a: int, b: int) -> float:
        return float(self.statistics.distances[a, b])

    def _name_parent(self, edge: Edge) -> Edge:
        """Of several equal members, the one that is confirmed to be the parent."""
        confirmed = self.constraints.confirmed.get(edge.child)
        if not edge.main or confirmed not in self.family.ids:
            return edge
        equal = {self.twins[self.family.ids.index(i)] for i in (confirmed, edge.parent)}
        return replace(edge, parent=confirmed, confidence=1.0) if len(equal) == 1 else edge

    def _are_siblings(self, a: int, b: int, c: int) -> bool:
        return are_siblings(self._calculate_tau(a, b, c))

    def _calculate_tau(self, a: int, b: int, c: int) -> float | None:
        if (a, b, c) not in self.taus:
            tau = self.wide.calculate_tau(a, b, c)
            if tau is None:
                tau = self.narrow.calculate_tau(a, b, c)
            if tau is None and len(self.narrow.sizes) == SPECTRA:
                pairs = self.statistics
                changed = (pairs.values[a, [b, c]] > pairs.equal[a, [b, c]]).all()
                tau = self.whole.calculate_tau(a, b, c) if changed else None
            self.taus[a, b, c] = tau
        return self.taus[a, b, c]
