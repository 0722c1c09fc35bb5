"""Which models are one family: by the relatedness test, or by clustering distances.

A method is one function and one row in ``METHODS``. The specification's methods see distances as
shares of what strangers are apart, so that ``family_threshold`` means the same for every metric and
size; models that share no matrix are never put together.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits

from model_heritage_backend.clustering.adapters import Basis, Key, place_adapter
from model_heritage_backend.clustering.cuts import join_nearest, list_relatives
from model_heritage_backend.clustering.distance_calculator import ModelDistanceCalculator
from model_heritage_backend.clustering.family_routing import Candidate, find_candidates
from model_heritage_backend.clustering.relatedness import (
    CORRELATION_ABOVE,
    Z_ABOVE,
    are_hidden_relatives,
    calculate_relatedness,
    find_components,
    list_hidden_candidates,
)
from model_heritage_backend.clustering.statements import NOTHING, Knowledge
from model_heritage_backend.fingerprints import Fingerprint

FAMILY_THRESHOLD = 0.3
ADAPTER_BELIEF = {Basis.PROVEN: 0.98, Basis.DRIFT: 0.95, Basis.SHAPES: 0.5}
"""That an adapter belongs to the one family that its evidence speaks for."""
HIDDEN_MARGIN = 3.0
"""Standard deviations by which a relative under other names or in another order counts."""
MOST_CLUSTERS = 64
"""Largest number of families that KMEANS tries among models that share matrices."""
SILHOUETTE_TIE = 0.02
"""Scores that are no further apart count as equal."""

Matrix = NDArray[np.float64]
Labels = NDArray[np.int64]


class ClusteringMethod(StrEnum):
    """How models are put into families.

    AUTO : components of the relatedness test, which has no threshold to choose
    THRESHOLD : components of the models at most ``family_threshold`` apart
    DBSCAN : scikit-learn's, with that threshold as its radius and every model a core point
    KMEANS : scikit-learn's, on rows of the distance matrix; the number of families by silhouette
    """

    DBSCAN = "dbscan"
    KMEANS = "kmeans"
    THRESHOLD = "threshold"
    AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Where a newcomer belongs.

    Attributes
    ----------
    family_ids : families it belongs to, nearest first; several when it joins them, none when it
        founds a family of its own
    confidence : in [0, 1], that it belongs to the nearest of them, or to none. Belief in a family
        is with AUTO the logistic of how far beyond the test's two limits its nearest member is, in
        standard deviations; else it falls from 1 at distance 0 to 0 at twice the threshold
    candidates : families that share a matrix's shape with it, by the cheap screens
    method : that decided
    """

    family_ids: tuple[str, ...]
    confidence: float
    candidates: tuple[Candidate, ...]
    method: ClusteringMethod


class FamilyClusteringSystem:
    """Families of a lake, and the family of a newcomer.

    Parameters
    ----------
    distance_calculator : for the specification's methods
    family_threshold : largest distance within a family, as a share of what strangers are apart
    method : AUTO is the relatedness test

    Examples
    --------
    >>> prints = {record.name: store.load_fingerprint(record.id) for record in store.list_models()}
    >>> FamilyClusteringSystem().cluster(prints)
    [['base', 'half', 'tuned']]
    """

    def __init__(
        self,
        distance_calculator: ModelDistanceCalculator | None = None,
        *,
        family_threshold: float = FAMILY_THRESHOLD,
        method: ClusteringMethod = ClusteringMethod.AUTO,
    ) -> None:
        if not 0.0 <= family_threshold < math.inf:
            raise ValueError(f"family_threshold {family_threshold} is not a finite number >= 0")
        self.distance_calculator = distance_calculator or ModelDistanceCalculator()
        self.family_threshold = family_threshold
        self.method = ClusteringMethod(method)

    def cluster(
        self, fingerprints: Mapping[str, Fingerprint], *, known: Knowledge = NOTHING
    ) -> list[list[str]]:
        """Families of a set of models.

        Adapters join the family of their base, or are by themselves where that cannot be told.

        Parameters
        ----------
        known : what people state: a confirmed parent joins families, a split takes them apart

        Returns
        -------
        Lists of ids, largest first, each sorted. The result does not depend on any order.
        """
        models = {i: f for i, f in fingerprints.items() if not f.is_adapter}
        groups = self._cluster_models(models) if models else []
        groups = self.regroup(groups, models, known)
        families = {place: {i: models[i] for i in group} for place, group in enumerate(groups)}
        for adapter in sorted(fingerprints.keys() - models.keys()):
            place = place_where_allowed(adapter, fingerprints[adapter], families, known)
            if place is None:
                groups.append([adapter])
            else:
                groups[place].append(adapter)
        return sorted((sorted(g) for g in groups), key=lambda g: (-len(g), g))

    def regroup(
        self, groups: list[list[str]], models: Mapping[str, Fingerprint], known: Knowledge
    ) -> list[list[str]]:
        """Groups taken apart and put together as people say; only of those are ``models`` read."""
        if not known:
            return groups
        confirmed = [(c, p) for c, p in sorted(known.confirmed.items()) if {c, p} <= models.keys()]
        apart: list[list[str]] = []
        for group in groups:
            members = set(group)
            splits = [split for split in known.splits if all(side & members for side in split)]
            if not splits:
                apart.append(group)
                continue
            together = [pair for pair in confirmed if members.issuperset(pair)]
            pairs = self._list_pairs({member: models[member] for member in group})
            apart += join_nearest(group, pairs, together=together, apart=splits)
        first = {member: group[0] for group in apart for member in group}
        joined = join_nearest(set(first.values()), [(first[c], first[p]) for c, p in confirmed])
        whole = {group[0]: group for group in apart}
        return [[member for name in names for member in whole[name]] for names in joined]

    def _list_pairs(self, fingerprints: Mapping[str, Fingerprint]) -> list[tuple[str, str]]:
        """Pairs of one cluster, nearest first, by what the method goes by."""
        if self.method is ClusteringMethod.AUTO:
            return list_relatives(fingerprints)
        ids = sorted(fingerprints, key=lambda i: (fingerprints[i].checksum, i))
        distances = self.distance_calculator.calculate_relative_distances(
            [fingerprints[i] for i in ids]
        )
        places = zip(*np.triu_indices(len(ids), 1), strict=True)
        order = sorted(places, key=lambda place: (distances[place], place))
        return [(ids[a], ids[b]) for a, b in order]

    def _cluster_models(self, fingerprints: Mapping[str, Fingerprint]) -> list[list[str]]:
        if self.method is ClusteringMethod.AUTO:
            return find_components(fingerprints)
        # By checksum, so that what scikit-learn makes of ties does not depend on ids.
        ids = sorted(fingerprints, key=lambda i: (fingerprints[i].checksum, i))
        distances = self.distance_calculator.calculate_relative_distances(
            [fingerprints[i] for i in ids]
        )
        groups: dict[tuple[int, int], list[str]] = defaultdict(list)
        apart, part_of = connected_components(np.isfinite(distances), directed=False)
        for part in range(apart):
            members = np.flatnonzero(part_of == part)
            # Chains of shared matrices may still join models that share none: as far as can be.
            near = _fill_gaps(distances[np.ix_(members, members)])
            labels = METHODS[self.method](near, self.family_threshold)
            for member, label in zip(members, labels, strict=True):
                groups[part, int(label)].append(ids[member])
        return list(groups.values())

    def assign(
        self, fingerprint: Fingerprint, families: Mapping[str, Sequence[Fingerprint]]
    ) -> Assignment:
        """Families that a newcomer belongs to.

        AUTO, THRESHOLD and DBSCAN join every family with a member near enough, as ``cluster`` over
        everything would. KMEANS has no such local rule: the newcomer is clustered anew with the
        candidates' members, and ``cluster`` over the whole lake may draw other borders.
        """
        families = {
            family_id: [member for member in members if not member.is_adapter]
            for family_id, members in families.items()
        }
        if fingerprint.is_adapter:
            return self._assign_adapter(fingerprint, families)
        candidates = find_candidates(fingerprint, families)
        members = {c.family_id: families[c.family_id] for c in candidates}
        if self.method is ClusteringMethod.AUTO:
            margins = _measure_relatedness(fingerprint, members)
            joined = {family_id for family_id, margin in margins.items() if margin > 0}
            belief = {f: 1 / (1 + math.exp(-max(margin, -700.0))) for f, margin in margins.items()}
        else:
            margins = self._measure_distances(fingerprint, members)
            joined = {family_id for family_id, margin in margins.items() if margin >= 0}
            if self.method is ClusteringMethod.KMEANS:
                joined = self._join_clusters(fingerprint, members)
            belief = {f: self._calculate_belief(margin) for f, margin in margins.items()}
        order = sorted(joined, key=lambda family_id: (-margins[family_id], family_id))
        nearest = max(belief.values(), default=0.0)
        confidence = belief[order[0]] if order else 1.0 - nearest
        return Assignment(
            family_ids=tuple(order),
            confidence=confidence,
            candidates=tuple(candidates),
            method=self.method,
        )

    def _assign_adapter(
        self, adapter: Fingerprint, families: Mapping[str, Sequence[Fingerprint]]
    ) -> Assignment:
        named = {
            family_id: {f"{place:09d}": member for place, member in enumerate(members)}
            for family_id, members in families.items()
        }
        found = place_adapter(adapter, named)
        return Assignment(
            family_ids=() if found is None else (found[0],),
            confidence=0.5 if found is None else ADAPTER_BELIEF[found[1].basis],
            candidates=(),
            method=self.method,
        )

    def _calculate_belief(self, margin: float) -> float:
        """That a newcomer belongs to a family, in [0, 1]; see ``Assignment.confidence``."""
        if self.family_threshold == 0.0:
            return float(margin >= 0.0)
        return min(max(0.5 + margin / (2 * self.family_threshold), 0.0), 1.0)

    def _measure_distances(
        self, fingerprint: Fingerprint, families: Mapping[str, Sequence[Fingerprint]]
    ) -> dict[str, float]:
        """Threshold minus the distance to the nearest member, by family."""
        margins = {}
        for family_id, members in families.items():
            near = self.distance_calculator.calculate_relative_distances([fingerprint], members)
            margins[family_id] = self.family_threshold - float(near.min())
        return margins

    def _join_clusters(
        self, fingerprint: Fingerprint, families: Mapping[str, Sequence[Fingerprint]]
    ) -> set[str]:
        """Families with a member in the newcomer's cluster."""
        everyone = {
            f"{family_id}/{place:09d}": (family_id, member)
            for family_id, members in families.items()
            for place, member in enumerate(members)
        }
        clusters = self.cluster({key: m for key, (_, m) in everyone.items()} | {"": fingerprint})
        own = next(cluster for cluster in clusters if "" in cluster)
        return {everyone[key][0] for key in own if key}


def place_where_allowed(
    adapter: str,
    fingerprint: Fingerprint,
    families: Mapping[Key, Mapping[str, Fingerprint]],
    known: Knowledge,
) -> Key | None:
    """The one family that an adapter belongs to, by what people say of it or by ``place_adapter``.

    Parameters
    ----------
    adapter : its id
    families : their models; those that are not to be its base are not asked
    """
    base = known.confirmed.get(adapter)
    for key, members in families.items():
        if base in members:
            return key
    allowed = {
        key: {m: print_ for m, print_ in members.items() if (m, adapter) not in known.forbidden}
        for key, members in families.items()
        if not any(known.are_apart(adapter, member) for member in members)
    }
    found = place_adapter(fingerprint, allowed)
    return None if found is None else found[0]


def _measure_relatedness(
    fingerprint: Fingerprint, families: Mapping[str, Sequence[Fingerprint]]
) -> dict[str, float]:
    """How far the nearest member is beyond the limits of the test, by family: related above 0.

    In standard deviations of z; the correlation's limit is stretched to the same unit. A member
    that only the test of hidden relatives relates counts as HIDDEN_MARGIN beyond.
    """
    # All at once, whatever the family: by one product.
    everyone = [
        (family_id, member) for family_id, members in families.items() for member in members
    ]
    test = calculate_relatedness([fingerprint], [member for _, member in everyone])
    correlation = (test.correlation / CORRELATION_ABOVE - 1.0) * Z_ABOVE
    margins: dict[str, float] = {}
    for (family_id, _), margin in zip(
        everyone, np.minimum(test.z - Z_ABOVE, correlation)[0], strict=True
    ):
        margins[family_id] = max(float(margin), margins.get(family_id, -math.inf))
    apart = [(family_id, member) for family_id, member in everyone if margins[family_id] <= 0]
    asked = np.ones((1, len(apart)), bool)
    members_apart = [member for _, member in apart]
    for _, place in list_hidden_candidates([fingerprint], members_apart, asked):
        family_id, member = apart[place]
        if margins[family_id] <= 0.0 and are_hidden_relatives(fingerprint, member):
            margins[family_id] = HIDDEN_MARGIN
    return margins


def _fill_gaps(distances: Matrix) -> Matrix:
    """Twice the largest finite distance, at least 2, in the place of infinity."""
    finite = distances[np.isfinite(distances)]
    return np.where(np.isfinite(distances), distances, max(2.0 * float(finite.max()), 2.0))


def cluster_by_threshold(distances: Matrix, threshold: float) -> Labels:
    _, labels = connected_components(distances <= threshold, directed=False)
    return np.asarray(labels, np.int64)


def cluster_by_density(distances: Matrix, threshold: float) -> Labels:
    # Imported here: a second that only those pay who ask for this method.
    from sklearn.cluster import DBSCAN

    eps = max(threshold, np.finfo(np.float64).tiny)
    found = DBSCAN(eps=eps, min_samples=1, metric="precomputed").fit(distances)
    return np.asarray(found.labels_, np.int64)


def cluster_by_means(distances: Matrix, threshold: float) -> Labels:
    """KMEANS with the number of clusters of the best silhouette.

    One family when all are within the threshold, as no silhouette is defined there. Every model by
    itself scores 0, the silhouette of single points. Of nearly equal scores the one with most
    clusters wins: the rows of strangers look alike, and putting them together costs no silhouette.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score

    size = len(distances)
    if float(distances.max()) <= threshold:
        return np.zeros(size, np.int64)
    tried = [(0.0, np.arange(size))]
    distinct = len(np.unique(distances, axis=0))
    with threadpool_limits(1):
        for count in range(min(distinct, size - 1, MOST_CLUSTERS), 1, -1):
            labels = KMeans(count, n_init=4, random_state=0).fit(distances).labels_
            score = float(silhouette_score(distances, labels, metric="precomputed"))
            tried.append((score, labels))
    enough = max(score for score, _ in tried) - SILHOUETTE_TIE
    best = next(labels for score, labels in tried if score >= enough)
    return np.asarray(best, np.int64)


METHODS: dict[ClusteringMethod, Callable[[Matrix, float], Labels]] = {
    ClusteringMethod.THRESHOLD: cluster_by_threshold,
    ClusteringMethod.DBSCAN: cluster_by_density,
    ClusteringMethod.KMEANS: cluster_by_means,
}
"""Method -> (relative distances, threshold) -> labels. AUTO needs no distances."""
