"""What the two ends of an edge say about each other: exact evidence, and which of them came first.

What people confirmed comes first, then proofs (a copy can be recomputed, a merge lies between its
parents), then signals.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.arrangement import Arranged, Arrangement
from model_heritage_backend.clustering.constraints import PlacedConstraints
from model_heritage_backend.clustering.copies import Copy
from model_heritage_backend.clustering.direction import calculate_direction
from model_heritage_backend.clustering.edge_measures import measure_edges
from model_heritage_backend.clustering.exact_evidence import ExactEvidence
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.pair_cache import PairCache
from model_heritage_backend.clustering.relations import find_rounded
from model_heritage_backend.clustering.rounding import judge_rounding
from model_heritage_backend.clustering.sample_weights import open_samples
from model_heritage_backend.clustering.threads import is_worth_threads, map_ahead
from model_heritage_backend.weights.tensors import LazyTensor

CERTAIN = 12.0
"""Log-odds of an edge whose direction a recomputed copy or a merge proves."""
EXTENDED = 6.0
"""Log-odds that a model with added rows descends from the one without."""
REDUCED = 4.0
"""Log-odds of the direction between a quantised or pruned model and a neighbour that is neither."""
SAMPLES_LOOKED_AT, GLANCED_AT = 24, 8
"""Changed matrices of a pair whose values are looked at one by one, closely and at a glance."""
LARGE_MODEL = 4_000_000
"""Parameters from which most of the time of an edge is spent outside of Python."""
TOGETHER = 64
"""Pairs whose samples are measured at once."""
MANY_ZEROS = 0.1

NOTHING_ARRANGED: Mapping[str, Arranged] = {}


class ExactSource(Protocol):
    """What models' files say. Models in ``arranged`` are read in the order they have there."""

    def __call__(
        self, first: str, second: str, arranged: Mapping[str, Arranged]
    ) -> ExactEvidence | None:
        """Evidence of a pair, its matrices under the first's canonical names; None where the files
        are not at hand. Asked in the order of the models' checksums.
        """

    def recall(self, pairs: Iterable[tuple[str, str]], arranged: Mapping[str, Arranged]) -> None:
        """Look up what is kept of pairs that will be asked for next."""

    def find_arrangement(
        self, model: str, reference: str, arranged: Mapping[str, Arranged]
    ) -> Arrangement | None:
        """How a model is brought into the order of a relative; None where files are not at hand, or
        so large that they are not read for this.
        """

    def arrange(self, model: str, arrangement: Arrangement) -> Arranged | None:
        """A model so arranged; None where its file is not at hand."""


class EdgeJudge:
    """Judges pairs of a family's members, each pair of files read at most once.

    Attributes
    ----------
    exact_pairs : pairs whose files were read, in both orders
    """

    def __init__(
        self,
        family: AlignedFamily,
        exact: ExactSource | None,
        copies: Mapping[tuple[int, int], Copy],
        merges: Mapping[int, Merge],
        constraints: PlacedConstraints,
        pairs: PairCache,
        arranged: Mapping[str, Arranged],
    ) -> None:
        self.exact_pairs: set[tuple[int, int]] = set()
        self._family = family
        self._exact = exact
        self._copies = copies
        self._merges = merges
        self._constraints = constraints
        self._pairs = pairs
        self._arranged = arranged
        self._odds: dict[tuple[int, int], float] = {}
        self._evidence: dict[tuple[int, int], ExactEvidence] = {}
        self._glanced: set[tuple[int, int]] = set()
        self._samples: dict[int, Mapping[str, LazyTensor]] = {}

    def prepare(self, pairs: Iterable[tuple[int, int]], *, closely: bool = True) -> None:
        """Measure many pairs: from the files where they are at hand, those of large models two at a
        time; from samples many together.

        ``closely``: pairs whose samples were glanced at are measured again; else others are glanced
        at.
        """
        ordered = {(min(pair), max(pair)) for pair in pairs}
        new = ordered - self._evidence.keys()
        if closely:
            new |= {pair for pair in ordered & self._glanced if not self._is_whole(pair)}
            self._glanced -= new
        else:
            self._glanced |= new
        wanted = sorted(new)
        for a, b in wanted:
            for pair in ((a, b), (b, a)):
                self._evidence.pop(pair, None)
                self._odds.pop(pair, None)
        if self._exact is not None:
            ids = self._family.ids
            self._exact.recall([(ids[a], ids[b]) for a, b in wanted], self._arranged)
            large = max(f.total_parameters for f in self._family.fingerprints) >= LARGE_MODEL
            deque(map_ahead(self._read_files, wanted, threads=large), maxlen=0)
            wanted = [pair for pair in wanted if pair not in self._evidence]
        parts = [wanted[start : start + TOGETHER] for start in range(0, len(wanted), TOGETHER)]
        threads = is_worth_threads(len(self._family))
        deque(map_ahead(self._measure_samples, parts, threads=threads), maxlen=0)

    def _is_whole(self, pair: tuple[int, int]) -> bool:
        """Whether a glance at a pair saw all that there is, or its files were read."""
        changed = sum(matrix.changed > 0 for matrix in self._evidence[pair].matrices)
        return pair in self.exact_pairs or changed <= GLANCED_AT

    def measure(self, a: int, b: int) -> ExactEvidence:
        """Evidence seen as (a, b): from the files where they are at hand, else from samples."""
        if (a, b) not in self._evidence:
            pair = min(a, b), max(a, b)
            self._read_files(pair)
            if pair not in self._evidence:
                self._measure_samples([pair])
        return self._evidence[a, b]

    def _read_files(self, pair: tuple[int, int]) -> None:
        family, (a, b) = self._family, pair
        if self._exact is None:
            return
        found = self._exact(family.ids[a], family.ids[b], self._arranged)
        if found is not None:
            self.exact_pairs |= {(a, b), (b, a)}
            common = {tensor.name: name for name, tensor in family.tensors[a].items()}
            self._keep(pair, found.rename(common))

    def _measure_samples(self, pairs: Sequence[tuple[int, int]]) -> None:
        family, known = self._family, self._pairs.evidence
        for looked_at, glanced in ((GLANCED_AT, True), (SAMPLES_LOOKED_AT, False)):
            chosen = [pair for pair in pairs if (pair in self._glanced) == glanced]
            names = {pair: (family.name_members(*pair), looked_at) for pair in chosen}
            new = [pair for pair, name in names.items() if name not in known]
            measured = measure_edges(
                [(self._open_samples(a), self._open_samples(b)) for a, b in new],
                roundoffs=[max(family.roundoff[a], family.roundoff[b]) for a, b in new],
                looked_at=looked_at,
            )
            known |= zip((names[pair] for pair in new), measured, strict=True)
            for pair, name in names.items():
                self._keep(pair, known[name])

    def _keep(self, pair: tuple[int, int], found: ExactEvidence) -> None:
        a, b = pair
        self._evidence[a, b], self._evidence[b, a] = found, found.reversed()

    def _open_samples(self, member: int) -> Mapping[str, LazyTensor]:
        if member not in self._samples:
            self._samples[member] = open_samples(self._family, member)
        return self._samples[member]

    def direct(self, a: int, b: int) -> float:
        """Log-odds that a is b's parent."""
        if (a, b) not in self._odds:
            self._odds[a, b] = self._calculate_odds(a, b)
        return self._odds[a, b]

    def _calculate_odds(self, a: int, b: int) -> float:
        known = self._constraints.direct(a, b)
        if known is not None:
            return known
        if (a, b) in self._copies or (b, a) in self._copies:
            return CERTAIN if (a, b) in self._copies else -CERTAIN
        for child, other, sign in ((b, a, 1.0), (a, b, -1.0)):
            merge = self._merges.get(child)
            if merge is not None and other in merge.parents:
                return sign * CERTAIN
        family, evidence = self._family, self.measure(a, b)
        rounded = find_rounded(family, a, b, evidence)
        if rounded is not None:
            return CERTAIN if rounded == b else -CERTAIN
        first, second = family.fingerprints[a], family.fingerprints[b]
        odds = 0.0
        if first.is_quantised != second.is_quantised:
            odds += self._judge_reduced(a if first.is_quantised else b, a)
        if abs(first.zero_fraction - second.zero_fraction) > MANY_ZEROS:
            odds += self._judge_reduced(a if first.zero_fraction > second.zero_fraction else b, a)
        if first.structural_hash != second.structural_hash:
            odds += EXTENDED * sum(s.extended for s in family.shared_matrices(a, b))
        odds += self._pairs.rounding.recall(
            family.name_members(a, b), lambda: judge_rounding(family, a, b)
        )
        return odds + calculate_direction(evidence)

    def _judge_reduced(self, reduced: int, a: int) -> float:
        """Log-odds that a is the parent, where ``reduced`` (a or its neighbour) lost precision.

        Such a model descends from its unreduced neighbour, as most are ends of lines. Where its
        source is known to be another, the neighbour was trained on from it.
        """
        has_source = any(child == reduced for _, child in self._copies)
        return REDUCED if (reduced == a) == has_source else -REDUCED
