"""What was done on an edge, from what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.exact_evidence import ExactEvidence, MatrixChange
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.clustering.per_model import PerTensors
from model_heritage_backend.fingerprints import TensorFingerprint

PARTIAL_BELOW = 0.6
"""A fine-tune that changed a smaller share of the body's matrices is partial."""
MOSTLY_ROUNDED = 0.5
"""Share of the changed values that were rounded to few levels, in a model that was quantised."""
ROUNDING_ONLY = 1.0
"""Relative change in units of roundoff; rounding alone makes about 0.84, in bf16."""
HEADS = frozenset({"head", "heads", "classifier", "lm_head", "score", "fc_out", "logits"})
NEW_HEAD_FROM = 1.0
"""Relative change from which a head of the same shape was made anew rather than trained on."""


@dataclass(frozen=True)
class Change:
    relation: Relation
    delta_rank: int | None = None
    bits: int | None = None
    changed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


def classify_change(
    family: AlignedFamily, parent: int, child: int, evidence: ExactEvidence
) -> Change:
    """Relation of an edge that is neither a copy nor a merge.

    Most changed values rounded to few levels in each group -> quantised; all changed body matrices
    of low rank and most biases and normalisations as they were -> adapter; fewer than 60 % of the
    body's matrices changed -> partial; otherwise a full fine-tune. What only rounding changed has
    not changed.
    """
    flags = _find_flags(family, parent, child, evidence)
    if find_rounded(family, parent, child, evidence) == child:
        return Change(Relation.QUANTIZED, bits=(evidence.levels - 1).bit_length(), flags=flags)
    body = [matrix for matrix in evidence.matrices if not is_head(matrix.name)]
    rounding = ROUNDING_ONLY * family.roundoff[child]
    changed = [matrix for matrix in body if matrix.relative_change > rounding]
    kept = 2 * evidence.vectors_changed <= evidence.vectors
    if changed and kept and all(_is_low_rank(family, parent, child, matrix) for matrix in changed):
        rank = int(np.median([matrix.delta_rank or 0 for matrix in changed]))
        return Change(Relation.ADAPTER, delta_rank=rank, flags=flags)
    if len(changed) < PARTIAL_BELOW * len(body):
        names = tuple(m.name for m in evidence.matrices if m.relative_change > rounding)
        return Change(Relation.PARTIAL, changed=names[:32], flags=flags)
    return Change(Relation.FINETUNE, flags=flags)


def find_rounded(family: AlignedFamily, a: int, b: int, evidence: ExactEvidence) -> int | None:
    """Which of the two was rounded from the other to few levels in each group, if any.

    Files that tell how they were quantised are judged by that: a relative of their source may pass.
    """
    if abs(evidence.rounded) < MOSTLY_ROUNDED:
        return None
    if any(family.fingerprints[member].is_made_of_blocks for member in (a, b)):
        return None
    return b if evidence.rounded > 0 else a


@lru_cache(maxsize=65_536)
def is_head(name: str) -> bool:
    return any(part in HEADS for part in name.lower().split("."))


def _is_low_rank(family: AlignedFamily, parent: int, child: int, matrix: MatrixChange) -> bool:
    """Low numerical rank that does not come from only a few rows or columns having changed."""
    if not matrix.delta_rank:
        return False
    # Under other names the two may be matched better by themselves than through the family.
    tensors = family.tensors[parent]
    shape = (tensors if matrix.name in tensors else family.tensors[child])[matrix.name].shape
    columns = int(np.prod(shape[1:]))
    return matrix.changed * min(shape[0], columns) > matrix.delta_rank


@PerTensors
def _list_shapes(
    tensors: Mapping[str, TensorFingerprint],
) -> frozenset[tuple[str, tuple[int, ...]]]:
    """Of all tensors but vectors, with their names."""
    return frozenset((name, t.shape) for name, t in tensors.items() if len(t.shape) > 1)


def _find_flags(
    family: AlignedFamily, parent: int, child: int, evidence: ExactEvidence
) -> tuple[str, ...]:
    before, after = family.tensors[parent], family.tensors[child]
    compared = {matrix.name for matrix in evidence.matrices}
    flags = set()
    own, others = (_list_shapes(family.fingerprints[m], family.tensors[m]) for m in (child, parent))
    for name in before.keys() & {name for name, _ in own - others}:
        extended = family.get_shared(parent, child, name)
        flags.add("extended_vocabulary" if extended is not None else "new_head")
    for matrix in evidence.matrices:
        if is_head(matrix.name) and matrix.relative_change > NEW_HEAD_FROM:
            flags.add("new_head")
    if any(is_head(name) for name in after.keys() - before.keys() - compared):
        flags.add("new_head")
    return tuple(sorted(flags))
