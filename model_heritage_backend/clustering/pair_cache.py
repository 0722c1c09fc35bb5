"""What one solution of a family learns about pairs of models, for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.pair_statistics import Detail

PairName = tuple[str, str, int]


@dataclass(frozen=True)
class PairCache:
    """Of this process only.

    ``details``: of the closer look that a skeleton is grown on; ``evidence``: of edges, from
    samples alone; ``arrangements``: by (reference, model), and ``arranged``: by (arrangement,
    model), of those that had to be put in order; None where files were not at hand.
    """

    details: dict[PairName, Detail] = field(default_factory=dict)
    evidence: dict[PairName, ExactEvidence] = field(default_factory=dict)
    arrangements: dict[tuple[str, str], Arrangement | None] = field(default_factory=dict)
    arranged: dict[tuple[str, str], Arranged | None] = field(default_factory=dict)


def name_pair(family: AlignedFamily, a: int, b: int) -> PairName:
    """What a pair is known by: the two models, and the names by which they are compared.

    Common names say which tensors stand for each other, and may change as families grow.
    """
    first, second = family.fingerprints[a], family.fingerprints[b]
    return first.checksum, second.checksum, hash((family.names[a], family.names[b]))
