"""Merges of a family's members, by every method that is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.masked_merges import find_masked_merges
from model_heritage_backend.clustering.memory import Memory
from model_heritage_backend.clustering.merges import Merge
from model_heritage_backend.clustering.span_fit import SpanFit
from model_heritage_backend.clustering.span_merges import find_span_merges


def find_merges(
    family: AlignedFamily,
    candidates: Sequence[int],
    *,
    copies: Collection[int] = (),
    known: Memory[SpanFit | None] | None = None,
) -> dict[int, Merge]:
    """Merges among the candidate members, by child.

    Parents have the child's matrices, all of them and in the same shapes.

    Parameters
    ----------
    candidates : members that may take part (one of each group of duplicates)
    copies : members whose parent is proven already; they may still be parents
    known : sums that were tried before, read and added to
    """
    found: dict[int, Merge] = {}
    for members in _group_shapes(family, candidates):
        found |= find_span_merges(family, members, copies=copies, known=known)
        children = [m for m in members if m not in found and m not in copies]
        found |= find_masked_merges(family, members, children=children)
    return found


def _group_shapes(family: AlignedFamily, members: Sequence[int]) -> list[list[int]]:
    groups = defaultdict(list)
    for member in members:
        groups[family.shapes[member]].append(member)
    return list(groups.values())
