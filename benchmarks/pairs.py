"""Relatedness of altered models, pair by pair: are relatives still seen as relatives?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class PairVerdict:
    """Two models of one architecture, at least one of them altered.

    ``kinds`` : alterations of the one or the other
    ``same`` : they are of one true family
    ``related`` : the engine's test says so
    """

    architecture: str
    kinds: frozenset[str]
    same: bool
    related: bool


def judge_pairs(
    truth: Mapping[str, Any], files: Sequence[str], related: NDArray[np.bool_]
) -> list[PairVerdict]:
    """Verdicts on all pairs with an altered model; ``related`` (n, n) is in the order of files."""
    places = {file: place for place, file in enumerate(files)}
    verdicts = []
    for a, b in combinations(truth["models"], 2):
        kinds = [told["kind"] for model in (a, b) for told in model.get("alterations", ())]
        if kinds and a["architecture"] == b["architecture"]:
            verdicts.append(
                PairVerdict(
                    architecture=a["architecture"],
                    kinds=frozenset(kinds),
                    same=a["family"] == b["family"],
                    related=bool(related[places[a["file"]], places[b["file"]]]),
                )
            )
    return verdicts


def measure_pairs(pairs: Sequence[PairVerdict]) -> dict[str, Any]:
    """Share of the relatives that are related, also by kind of alteration; false relatives.

    ``altered_by_kind`` tells the share of the pairs with nothing but this kind of alteration, and
    of all that have it. None without altered models.
    """
    if not pairs:
        names = ("altered_pairs", "altered_related", "altered_false", "altered_by_kind")
        return dict.fromkeys(names)
    relatives = [pair for pair in pairs if pair.same]
    kinds = sorted({kind for pair in relatives for kind in pair.kinds})
    return {
        "altered_pairs": len(relatives),
        "altered_related": _share(relatives),
        "altered_false": sum(pair.related for pair in pairs if not pair.same),
        "altered_by_kind": {
            kind: {
                "alone": _share([pair for pair in relatives if pair.kinds == {kind}]),
                "among_others": _share([pair for pair in relatives if kind in pair.kinds]),
            }
            for kind in kinds
        },
    }


def _share(relatives: Sequence[PairVerdict]) -> float | None:
    return float(np.mean([pair.related for pair in relatives])) if relatives else None
