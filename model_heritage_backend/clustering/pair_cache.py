"""What one solution of a family learns about pairs of models, for the next one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.memory import Memory
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.pair_statistics import AllPairs, Detail
from model_heritage_backend.clustering.span_fit import SpanFit
from model_heritage_backend.clustering.step_sums import StepSums
from model_heritage_backend.clustering.whitening import WhitenedSteps

ModelName = tuple[str, int]
FamilyName = tuple[tuple[str, ...], tuple[int, ...]]
MembersName = tuple[FamilyName, tuple[int, ...]]
LARGEST = 4_000_000
"""Pairs of members of the families that are remembered as a whole: two of 1,400, or 1,600 of 50."""
LARGEST_TRIED = 100_000
"""Sums of models that are remembered."""
LARGEST_DETAILS, LARGEST_EVIDENCE = 1_000_000, 50_000
"""Pairs from whose number all of them are forgotten: a server that takes in models for months would
otherwise hold several gigabytes. A family of 5,000 has a tenth of that."""
LARGEST_SUMS = 16_000_000
"""Numbers in all sums of steps that are remembered, 8 bytes each."""


@dataclass(frozen=True)
class PairCache:
    """Of this process only.

    Attributes
    ----------
    details : of the closer look that a skeleton is grown on, by the number of spectra
    evidence : of edges, from samples alone, by the number of matrices looked at
    copies, disorder, rounding : of (parent, child): how it can be recomputed, whether the two
        disagree as they stand, what the noise of rounding says of the direction
    cosines : of the steps from a model to two others
    statistics, steps, merges : of whole families, the latest ones
    sums_tried : whether a model is a sum of others
    sums : of steps, by which the next member's family is whitened
    arrangements, arranged : how models are brought into others' order, by (reference, model), and
        what they are then, by (arrangement, model); None where files were not at hand
    """

    details: dict[tuple[Hashable, int], Detail] = field(default_factory=dict)
    evidence: dict[tuple[Hashable, int], ExactEvidence] = field(default_factory=dict)
    copies: Memory[Copy | None] = field(default_factory=Memory)
    disorder: Memory[bool] = field(default_factory=Memory)
    rounding: Memory[float] = field(default_factory=Memory)
    cosines: dict[Hashable, float] = field(default_factory=dict)
    statistics: Memory[AllPairs] = field(default_factory=lambda: Memory(LARGEST))
    steps: Memory[WhitenedSteps] = field(default_factory=lambda: Memory(LARGEST))
    merges: Memory[dict[int, Merge]] = field(default_factory=lambda: Memory(LARGEST))
    sums_tried: Memory[SpanFit | None] = field(default_factory=lambda: Memory(LARGEST_TRIED))
    sums: Memory[StepSums] = field(default_factory=lambda: Memory(LARGEST_SUMS))
    arrangements: dict[tuple[str, str], Arrangement | None] = field(default_factory=dict)
    arranged: dict[tuple[str, str], Arranged | None] = field(default_factory=dict)
    _latest: dict[ModelName, MembersName] = field(default_factory=dict)

    def limit(self) -> None:
        """Forget all single pairs where there are too many of them: between two solutions."""
        full = len(self.details) > LARGEST_DETAILS or len(self.evidence) > LARGEST_EVIDENCE
        if full:
            for known in (self.details, self.evidence, self.cosines, self._latest):
                known.clear()
            for memory in (self.copies, self.disorder, self.rounding):
                memory.clear()

    def measure_statistics(self, family: AlignedFamily, members: Sequence[int]) -> AllPairs:
        """Of all pairs of members; those of a family before are not measured again."""
        name = name_family(family), tuple(members)
        found = self.statistics.find(name)
        if found is None:
            found = self._extend_statistics(family, members)
            self.statistics.keep(name, found, size=len(family) ** 2)
            self._latest.update({name_model(family, m): name for m in members})
        return found

    def _extend_statistics(self, family: AlignedFamily, members: Sequence[int]) -> AllPairs:
        models = {name_model(family, m): m for m in members}
        families = Counter(self._latest[model] for model in models if model in self._latest)
        for name, _ in families.most_common(1):
            before = self.statistics.find(name)
            if before is not None:
                (checksums, marks), places = name
                known = {
                    models[model]: place
                    for place in places
                    if (model := (checksums[place], marks[place])) in models
                }
                return AllPairs.measure(family, members, before=before, known=known)
        return AllPairs.measure(family, members)


def name_model(family: AlignedFamily, member: int) -> ModelName:
    """What a model is known by: itself, and the names by which it is compared."""
    return family.fingerprints[member].checksum, family.marks[member]


def name_family(family: AlignedFamily) -> FamilyName:
    """What a family is known by, likewise. Members with equal checksums may have other ids."""
    checksums = tuple(fingerprint.checksum for fingerprint in family.fingerprints)
    return checksums, family.marks
