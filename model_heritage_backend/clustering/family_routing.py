"""Which families might a newcomer belong to? Cheap screens that order the candidates.

The specification's steps: screen by structure, match centroids, mark what needs validation against
the members, by statistics of the family. They decide nothing: whether a model belongs to a family
is for the test of the clustering method, and no family that shares a matrix is withheld from it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model_heritage_backend.clustering.per_model import PerModel
from model_heritage_backend.fingerprints import Fingerprint


@dataclass(frozen=True, kw_only=True)
class Screens:
    """Where the screens draw their lines.

    Attributes
    ----------
    structural_threshold : share of matrices, in [0, 1], from which two models count as structurally
        compatible
    uncertainty_threshold : distance to the centroid (1 - cosine, in [0, 2]) from which a match
        needs validation
    validation_factor : a validated newcomer is at most this many family diameters from the
        centroid, > 0
    """

    structural_threshold: float = 0.80
    uncertainty_threshold: float = 0.30
    validation_factor: float = 1.2


USUAL = Screens()


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A family as a newcomer sees it.

    Attributes
    ----------
    compatibility : largest share of the newcomer's matrices that a member has in the same shape
    centroid_distance : 1 - cosine to the mean routing vector of the members of the newcomer's own
        structure; None where there are none, as routing vectors of others are not comparable
    diameter : twice the largest such distance of these members; None likewise
    """

    family_id: str
    compatibility: float
    centroid_distance: float | None
    diameter: float | None
    screens: Screens = USUAL

    @property
    def uncertain(self) -> bool:
        """Whether the screens alone would not have settled it."""
        lines = self.screens
        if self.compatibility < lines.structural_threshold or self.centroid_distance is None:
            return True
        if self.centroid_distance <= lines.uncertainty_threshold:
            return False
        return self.centroid_distance > lines.validation_factor * (self.diameter or 0.0)


def find_candidates(
    fingerprint: Fingerprint,
    families: Mapping[str, Sequence[Fingerprint]],
    *,
    screens: Screens = USUAL,
) -> list[Candidate]:
    """Families with a member that shares a matrix's shape, most promising first."""
    found = []
    for family_id, members in families.items():
        compatibility = max((_compare_shapes(fingerprint, m) for m in members), default=0.0)
        if compatibility == 0.0:
            continue
        alike = [m for m in members if m.structural_hash == fingerprint.structural_hash]
        distance, diameter = _match_centroid(fingerprint, alike) if alike else (None, None)
        found.append(
            Candidate(
                family_id=family_id,
                compatibility=compatibility,
                centroid_distance=distance,
                diameter=diameter,
                screens=screens,
            )
        )
    return sorted(
        found,
        key=lambda c: (
            c.compatibility < screens.structural_threshold,
            2.0 if c.centroid_distance is None else c.centroid_distance,
            -c.compatibility,
            c.family_id,
        ),
    )


def _compare_shapes(newcomer: Fingerprint, member: Fingerprint) -> float:
    """Share of the newcomer's matrices that have a partner of the same shape, in [0, 1]."""
    own, other = count_shapes(newcomer), count_shapes(member)
    total = own.total()
    return (own & other).total() / total if total else 0.0


@PerModel
def count_shapes(fingerprint: Fingerprint) -> Counter[tuple[int, ...]]:
    """Of its matrices."""
    return Counter(tensor.shape for tensor in fingerprint.tensors.values() if tensor.is_matrix)


def _match_centroid(newcomer: Fingerprint, members: Sequence[Fingerprint]) -> tuple[float, float]:
    """Distance of the newcomer to the members' centroid, and the members' diameter."""
    vectors = np.stack([_centre(member) for member in members])
    centroid = vectors.mean(0)
    spread = max(_calculate_angle(vector, centroid) for vector in vectors)
    return _calculate_angle(_centre(newcomer), centroid), 2 * spread


def _centre(fingerprint: Fingerprint) -> NDArray[np.float64]:
    vector = np.nan_to_num(fingerprint.routing.astype(np.float64), posinf=0.0, neginf=0.0)
    return vector - vector.mean() if vector.size else vector


def _calculate_angle(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """1 - cosine, in [0, 2]; 1 where a vector is zero."""
    norms = float(np.linalg.norm(first) * np.linalg.norm(second))
    return max(1.0 - float(first @ second) / norms, 0.0) if norms > 0 else 1.0
