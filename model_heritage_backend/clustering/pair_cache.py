"""What one solution of a family learns about pairs of models, for the next one."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.memory import Memory
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.pair_statistics import AllPairs, Detail
from model_heritage_backend.clustering.step_sums import StepSums
from model_heritage_backend.clustering.whitening import WhitenedSteps

PairName = tuple[str, str, int]
FamilyName = tuple[Hashable, ...]
LARGEST = 4_000_000
"""Pairs of members of the families that are remembered as a whole: two of 1,400, or 1,600 of 50."""
LARGEST_SUMS = 16_000_000
"""Numbers in all sums of steps that are remembered, 8 bytes each."""


@dataclass(frozen=True)
class PairCache:
    """Of this process only.

    Attributes
    ----------
    details : of the closer look that a skeleton is grown on
    evidence : of edges, from samples alone
    copies, disorder, rounding : of (parent, child): how it can be recomputed, whether the two
        disagree as they stand, what the noise of rounding says of the direction
    cosines : of the steps from a model to two others
    statistics, steps, merges : of whole families, the latest ones
    sums : of steps, by which the next member's family is whitened
    arrangements, arranged : how models are brought into others' order, by (reference, model), and
        what they are then, by (arrangement, model); None where files were not at hand
    """

    details: dict[PairName, Detail] = field(default_factory=dict)
    evidence: dict[PairName, ExactEvidence] = field(default_factory=dict)
    copies: Memory[Copy | None] = field(default_factory=Memory)
    disorder: Memory[bool] = field(default_factory=Memory)
    rounding: Memory[float] = field(default_factory=Memory)
    cosines: dict[Hashable, float] = field(default_factory=dict)
    statistics: Memory[AllPairs] = field(default_factory=lambda: Memory(LARGEST))
    steps: Memory[WhitenedSteps] = field(default_factory=lambda: Memory(LARGEST))
    merges: Memory[dict[int, Merge]] = field(default_factory=lambda: Memory(LARGEST))
    sums: Memory[StepSums] = field(default_factory=lambda: Memory(LARGEST_SUMS))
    arrangements: dict[tuple[str, str], Arrangement | None] = field(default_factory=dict)
    arranged: dict[tuple[str, str], Arranged | None] = field(default_factory=dict)


def name_pair(family: AlignedFamily, a: int, b: int) -> PairName:
    """What a pair is known by: the two models, and the names by which they are compared.

    Common names say which tensors stand for each other, and may change as families grow.
    """
    first, second = family.fingerprints[a], family.fingerprints[b]
    return first.checksum, second.checksum, hash((family.marks[a], family.marks[b]))


def name_family(family: AlignedFamily) -> FamilyName:
    """What a family is known by, likewise. Members with equal checksums may have other ids."""
    checksums = tuple(fingerprint.checksum for fingerprint in family.fingerprints)
    return checksums, family.marks
